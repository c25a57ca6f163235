//! placeholder, filled by the align stage's author

use crate::frame::Size;

/// The map between the two cameras.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    homography: [f64; 9],
    infrared: Size,
    visible: Size,
}

impl Calibration {
    /// From a row-major homography that takes visible pixels to infrared pixels.
    pub fn from_homography(homography: [f64; 9], infrared: Size, visible: Size) -> Self {
        Self {
            homography,
            infrared,
            visible,
        }
    }
}
