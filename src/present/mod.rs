//! Stage 4: the picture shown.
//!
//! Input: [`FusedFrame`](crate::frame::FusedFrame). Output: light, or files. Thread: present.
//! Blocks: until the display took the frame. Allocates: at start, and for files at the end.
//! Fails when: [`PresentError`]; the pipeline goes headless and tries again. Not its job: what
//! is in the picture, but for the overlay.

use std::path::PathBuf;

use crate::config::Mode;
use crate::frame::{FusedFrame, Picture, Size};

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

/// What a screen's own keys or buttons ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScreenEvent {
    /// Show this mode.
    Mode(Mode),
    /// The next mode of [`Mode::ALL`].
    NextMode,
    /// Save a picture.
    Snapshot,
    /// Stop filmd (a window was closed).
    Quit,
}

/// Why a frame was not shown.
#[derive(Debug, thiserror::Error)]
pub enum PresentError {
    /// The display cannot be opened or is gone; says what was found and what to do.
    #[error("{0}")]
    Unavailable(String),
    /// A file could not be written.
    #[error("cannot write {path}: {message}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

/// Where pictures go.
pub trait Screen: Send {
    /// For status.
    fn name(&self) -> &str;

    /// Its size, where it has one of its own; the picture is scaled with the right aspect.
    fn size(&self) -> Option<Size>;

    /// Shows a frame; the overlay is already drawn.
    ///
    /// # Errors
    /// [`PresentError::Unavailable`] once the display is gone.
    fn show(&mut self, frame: &FusedFrame) -> Result<(), PresentError>;

    /// What its keys or buttons asked for since the last call; `None` when nothing (more).
    fn poll_event(&mut self) -> Option<ScreenEvent>;

    /// Ends: writes what is to be written and names the files.
    ///
    /// # Errors
    /// [`PresentError::Write`].
    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError>;
}
