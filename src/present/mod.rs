//! Stage 4: the picture shown.
//!
//! Input: [`FusedFrame`](crate::frame::FusedFrame). Output: light, or files. Thread: present.
//! Blocks: until the display took the frame. Allocates: at start, and for files at the end.
//! Fails when: [`PresentError`]; the pipeline goes headless and tries again. Not its job: what
//! is in the picture, but for the overlay.

mod canvas;
mod clip;
mod drm;
mod drm_choice;
mod headless;
mod overlay;
mod sampler;
mod scale;
mod sheet;
mod snapshot;
#[cfg(feature = "window")]
mod window;
mod wrap;

use std::path::PathBuf;

pub use canvas::Canvas;
pub use drm::DrmScreen;
pub use headless::{HeadlessOptions, HeadlessScreen};
pub use overlay::{Overlay, OverlayInfo};
pub use scale::{Filter, Layout, Rect, Scaler, fit};
pub use snapshot::{SnapshotFormat, encode_snapshot, write_picture};
#[cfg(feature = "window")]
pub use window::WindowScreen;

use crate::config::{Mode, PresentConfig, ScreenKind};
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

/// Opens the screen that `config` names; `headless` is used where that is the headless one.
///
/// # Errors
/// [`PresentError::Unavailable`] where there is no such display; says what to do about it.
pub fn open_screen(
    config: &PresentConfig,
    headless: &HeadlessOptions,
) -> Result<Box<dyn Screen>, PresentError> {
    match config.screen {
        ScreenKind::Headless => Ok(Box::new(HeadlessScreen::new(headless))),
        ScreenKind::Window => open_window(),
        ScreenKind::Drm => Ok(Box::new(DrmScreen::open(&config.card)?)),
    }
}

#[cfg(feature = "window")]
fn open_window() -> Result<Box<dyn Screen>, PresentError> {
    Ok(Box::new(WindowScreen::open()?))
}

#[cfg(not(feature = "window"))]
fn open_window() -> Result<Box<dyn Screen>, PresentError> {
    Err(PresentError::Unavailable(
        "this filmd was built without windows: build it with --features window, or set \
         [present] screen to \"drm\" or \"headless\""
            .to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_card_is_named_with_what_to_do() {
        let config = PresentConfig {
            screen: ScreenKind::Drm,
            card: "/dev/dri/card-that-is-not-there".into(),
            ..PresentConfig::default()
        };
        let error = open_screen(&config, &HeadlessOptions::default())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("card-that-is-not-there"), "{error}");
        assert!(error.contains("[present] card"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_card_is_refused() {
        let config = PresentConfig {
            screen: ScreenKind::Drm,
            card: "/dev/null".into(),
            ..PresentConfig::default()
        };
        let error = open_screen(&config, &HeadlessOptions::default())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("/dev/null"), "{error}");
    }

    #[test]
    fn the_default_screen_is_headless() {
        let config = PresentConfig::default();
        let mut screen = open_screen(&config, &HeadlessOptions::default()).unwrap();
        assert_eq!((screen.name(), screen.size()), ("headless", None));
        assert_eq!(screen.poll_event(), None);
    }
}
