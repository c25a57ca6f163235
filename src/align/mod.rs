//! Stage 2: both pictures brought over each other, at the output size.
//!
//! Input: [`FramePair`](crate::frame::FramePair). Output: [`AlignedPair`]. Thread: fuse. Blocks: never. Allocates: when
//! made, and when the size of a source changes (replays of mixed sizes). Fails when:
//! [`AlignError`], at set-up only. Not its job: finding the calibration; a file gives it.

mod aligner;
pub(crate) mod area;
mod calibration;
mod counts;
mod coverage;
mod geometry;
mod heat;
mod homography;
mod lens;
pub mod register;
mod remap;
mod warp;

pub use aligner::Aligner;
pub use calibration::{Calibration, Preset};
pub use counts::CountsAligner;
pub use heat::Heat;
pub use lens::Lens;
pub use remap::RemapTable;

use crate::clean::Condition;
use crate::frame::{Picture, Size};

/// Why a calibration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AlignError {
    /// The file could not be read.
    #[error("cannot read the calibration {path}: {source}")]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, a key unknown, a value of the wrong type or out of range.
    #[error("{path}: {message}")]
    Invalid {
        /// The file.
        path: std::path::PathBuf,
        /// With line and column where there is one.
        message: String,
    },
    /// The file could not be written.
    #[error("cannot write the calibration {path}: {source}")]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A calibration that was not read from a file has values out of range.
    #[error("the calibration cannot be used: {0}")]
    Unusable(String),
    /// `align.preset` names a preset that the calibration does not have.
    #[error("the calibration has no preset {name:?}; it has {known:?}")]
    NoPreset {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
}

/// Both pictures at the output size, in the visible camera's geometry.
#[derive(Debug, Clone)]
pub struct AlignedPair {
    /// Source A, 1 or 3 channels. Outside its view the picture's edge repeats.
    pub infrared: Picture,
    /// Source B, 1 or 3 channels.
    pub visible: Picture,
    /// One channel: 255 where source A has a view, 0 where it has none, a ramp along its border.
    pub coverage: Picture,
    /// `coverage` is 255 everywhere.
    pub is_covered: bool,
    /// Source A is there; else its picture is the last one or black.
    pub has_infrared: bool,
    /// Source B is there.
    pub has_visible: bool,
    /// Source A before its range was mapped; filled for the text path only.
    pub heat: Heat,
    /// What sources A and B were measured to suffer from, before they were cleaned.
    pub condition: [Condition; 2],
}

impl AlignedPair {
    /// Black pictures; nothing there yet. Room for three channels each.
    pub fn new(size: Size) -> Self {
        let mut coverage = Picture::grey(size);
        coverage.data_mut().fill(255);
        Self {
            infrared: Picture::rgb(size),
            visible: Picture::rgb(size),
            coverage,
            is_covered: true,
            has_infrared: false,
            has_visible: false,
            heat: Heat::new(size),
            condition: Default::default(),
        }
    }

    /// Two pictures of one size that lie over each other already, both there.
    pub fn registered(infrared: Picture, visible: Picture) -> Self {
        let size = visible.size();
        Self {
            infrared,
            visible,
            has_infrared: true,
            has_visible: true,
            ..Self::new(size)
        }
    }

    /// Becomes a copy of `other`; allocates only where it never was that large before.
    pub fn copy_from(&mut self, other: &Self) {
        self.infrared.copy_from(&other.infrared);
        self.visible.copy_from(&other.visible);
        self.coverage.copy_from(&other.coverage);
        self.is_covered = other.is_covered;
        self.has_infrared = other.has_infrared;
        self.has_visible = other.has_visible;
        self.heat.copy_from(&other.heat);
        self.condition = other.condition;
    }
}
