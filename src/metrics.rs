//! What the daemon knows about itself.

/// Short marks for the overlay and for status: what is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Marks {
    /// The infrared source is missing.
    pub no_infrared: bool,
    /// The visible source is missing.
    pub no_visible: bool,
    /// The infrared frame is held (FFC or a short stall).
    pub infrared_stale: bool,
    /// The visible frame is held.
    pub visible_stale: bool,
    /// Classic fusion stands in for the network.
    pub classic: bool,
}
