//! Stage 1: frames of two cameras, paired by time.
//!
//! Input: V4L2 devices, folders of pictures, or a rendered scene. Output: [`FramePair`].
//! Thread: acquire. Blocks: [`PairSource::next_pair`], at most its time-out. Allocates: at start
//! only. Fails when: [`AcquireError`]. Not its job: geometry (see `align`).

pub mod camera;
mod faults;
mod frame_file;
mod intake;
pub mod paired_cameras;
pub mod pairing;
pub mod replay;
pub mod stream_clock;
pub mod synthetic;
pub mod telemetry;
pub mod unpack;

pub use faults::FaultySource;
pub use paired_cameras::PairedCameras;
pub use replay::ReplaySource;
pub use stream_clock::ClockReading;
pub use synthetic::{SyntheticScene, SyntheticSource};

use std::path::PathBuf;
use std::time::Duration;

use crate::clean::Condition;
use crate::config::{CleanConfig, SourceConfig};
use crate::files::FileError;
use crate::frame::{FramePair, Size};

/// Which of the two sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Source A.
    Infrared,
    /// Source B.
    Visible,
}

/// What a source delivers.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceInfo {
    /// For status and overlay.
    pub name: String,
    /// Largest size of source A.
    pub infrared: Size,
    /// Largest size of source B.
    pub visible: Size,
    /// Nominal pairs a second.
    pub fps: f64,
    /// The map between the two, where the source knows it (the synthetic scene).
    pub calibration: Option<crate::align::Calibration>,
}

/// What happened to frames before they became pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct AcquireCounters {
    /// Infrared frames received.
    pub infrared_frames: u64,
    /// Visible frames received.
    pub visible_frames: u64,
    /// Frames that were displaced by a newer one, lost by the driver or without a partner.
    pub dropped: u64,
    /// Frames that could not be unpacked (torn, wrong length).
    pub damaged: u64,
    /// Time spent on cleaning pictures.
    #[serde(default)]
    pub cleaning: Duration,
}

/// Why there is no pair. The pipeline acts on the variant; the text is for people.
#[derive(Debug, thiserror::Error)]
pub enum AcquireError {
    /// Nothing came within the time-out; ask again.
    #[error("no frame from either source within {0:?}")]
    Stalled(Duration),
    /// A replay without `loop` is over.
    #[error("the recording is over")]
    Ended,
    /// A picture file or a folder of them cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A camera is not plugged in, or not there yet: it may come.
    #[error("{path}: {message}")]
    Absent {
        /// The device.
        path: PathBuf,
        /// What was found, what to do.
        message: String,
    },
    /// A device cannot be used; says what was found and what to do.
    #[error("{path}: {message}")]
    Source {
        /// The device or folder.
        path: PathBuf,
        /// What was found, what to do.
        message: String,
    },
}

/// Where pairs come from.
pub trait PairSource: Send {
    /// What it delivers; does not change while it runs.
    fn info(&self) -> &SourceInfo;

    /// The next pair; waits for it, at most `timeout`.
    ///
    /// # Errors
    /// [`AcquireError::Stalled`] may be followed by pairs again, the others may not.
    fn next_pair(&mut self, timeout: Duration) -> Result<FramePair, AcquireError>;

    /// Counts since the start.
    fn counters(&self) -> AcquireCounters;

    /// How the clocks of infrared and visible run against the board's; `None` for a source without
    /// clocks of its own, and for a camera that is lost.
    fn clocks(&self) -> [Option<ClockReading>; 2] {
        [None; 2]
    }

    /// What the last frames of infrared and visible were measured to suffer from.
    fn conditions(&self) -> [Condition; 2] {
        Default::default()
    }

    /// Why infrared and visible cannot be opened; `None` while they can, and for a source that opens nothing.
    fn complaints(&self) -> [Option<&str>; 2] {
        [None; 2]
    }

    /// How much more grain is taken from the infrared pictures to come than was measured, 0 (none) to 1; a source
    /// that cleans nothing ignores it.
    fn set_denoise(&mut self, _denoise: f32) {}
}

/// Opens what the configuration names; its infrared pictures are cleaned as `clean` says.
///
/// # Errors
/// [`AcquireError::Source`], with the device or folder, what was found and what to do.
pub fn open_source(
    config: &SourceConfig,
    clean: &CleanConfig,
) -> Result<Box<dyn PairSource>, AcquireError> {
    Ok(match config {
        SourceConfig::Synthetic(config) if config.faults.is_empty() => {
            Box::new(SyntheticSource::new(config, clean)?)
        }
        SourceConfig::Synthetic(config) => {
            let scene = Box::new(SyntheticSource::new(config, clean)?);
            Box::new(FaultySource::new(scene, config.faults.clone()))
        }
        SourceConfig::Replay(config) => Box::new(ReplaySource::new(config, clean)?),
        SourceConfig::Cameras(config) => Box::new(PairedCameras::new(config, clean)?),
    })
}

/// Checks what a source's configuration says without opening anything.
///
/// # Errors
/// [`AcquireError::Source`]: a format, size or name of a camera that cannot be right.
pub fn check_source(config: &SourceConfig) -> Result<(), AcquireError> {
    if let SourceConfig::Cameras(cameras) = config {
        for camera in [&cameras.infrared, &cameras.visible] {
            camera::check_config(camera)?;
        }
    }
    Ok(())
}

fn absent(path: &std::path::Path, message: impl Into<String>) -> AcquireError {
    AcquireError::Absent {
        path: path.to_owned(),
        message: message.into(),
    }
}

fn refused(path: &std::path::Path, message: impl Into<String>) -> AcquireError {
    AcquireError::Source {
        path: path.to_owned(),
        message: message.into(),
    }
}
