//! What the fuse stage hands to the present stage.

use crate::align::AlignedPair;
use crate::clock::Timestamp;
use crate::config::Mode;
use crate::frame::{FramePair, Picture};
use crate::metrics::Marks;

/// A fused picture and what belongs to it.
#[derive(Debug)]
pub struct FusedFrame {
    /// RGB, output size.
    pub picture: Picture,
    /// Time of the newer source frame.
    pub timestamp: Timestamp,
    /// Running number of the pair.
    pub sequence: u64,
    /// The mode it was made for.
    pub mode: Mode,
    /// Short marks for the overlay ("NO THERMAL", "FFC", "CLASSIC"), empty in the normal case.
    pub marks: Marks,
    /// The sources as shown side by side by headless contact sheets; only kept when asked for.
    pub sources: Option<SourceViews>,
}

/// The sources of a frame, kept beside it where a contact sheet is wanted.
#[derive(Debug, Clone)]
pub struct SourceViews {
    /// The visible picture, output size.
    pub visible: Picture,
    /// The thermal picture in the camera's own geometry and size.
    pub thermal: Picture,
    /// The thermal picture aligned, output size.
    pub aligned: Picture,
}

impl SourceViews {
    /// Becomes a copy of a pair's sources; what is missing stays as it was.
    pub fn keep(&mut self, pair: &FramePair, aligned: &AlignedPair) {
        if let Some(infrared) = &pair.infrared {
            self.thermal.copy_from(&infrared.picture);
        }
        self.visible.copy_from(&aligned.visible);
        self.aligned.copy_from(&aligned.infrared);
    }
}
