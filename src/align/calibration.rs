//! placeholder, filled by the align stage's author

/// The map between the two cameras.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {}
