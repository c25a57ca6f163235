//! Stage 4: the picture shown.
//!
//! Input: [`FusedFrame`]. Output: light, or files. Thread: present.
//! Blocks: until the display took the frame. Allocates: at start.
//! Fails when: [`PresentError`]; the pipeline goes headless and tries again. Not its job: what
//! is in the picture, but for the overlay.

mod attempts;
mod bus_log;
mod canvas;
mod drm;
mod drm_choice;
mod fbdev;
mod headless;
mod no_signal;
mod overlay;
mod paint;
mod rotate;
mod scale;
mod screen_scaler;
mod spi;
mod status_panel;
#[cfg(feature = "window")]
mod window;
mod wrap;

use std::path::PathBuf;

pub use canvas::Canvas;
pub use drm::DrmScreen;
pub use fbdev::FramebufferScreen;
pub use headless::HeadlessScreen;
pub use no_signal::no_signal;
pub use overlay::{Overlay, OverlayInfo, label};
pub use scale::{Filter, PixelOrder, Rect, Scaler, fit};
pub use screen_scaler::ScreenScaler;
pub use spi::SpiScreen;
pub use status_panel::{PanelFacts, StatusPanel};
#[cfg(feature = "window")]
pub use window::WindowScreen;
pub use wrap::{printable, wrap};

use crate::config::{Mode, PresentConfig, ScreenKind};
use crate::files::FileError;
use crate::frame::Size;
use crate::fuse::FusedFrame;

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

impl From<FileError> for PresentError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Write { path, message } => Self::Write { path, message },
            other => Self::Unavailable(other.to_string()),
        }
    }
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

    /// Transfers to it that failed so far, also those that were made up for.
    fn failed_transfers(&self) -> u64 {
        0
    }

    /// Ends: writes what is to be written and names the files.
    ///
    /// # Errors
    /// [`PresentError::Write`].
    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError>;
}

/// Opens the screen that `config` names, for pictures of the size `holds`.
///
/// # Errors
/// [`PresentError::Unavailable`] where there is no such display; says what to do about it.
pub fn open_screen(config: &PresentConfig, holds: Size) -> Result<Box<dyn Screen>, PresentError> {
    match config.screen {
        ScreenKind::Headless => Ok(Box::new(HeadlessScreen)),
        ScreenKind::Window => open_window(),
        ScreenKind::Drm => Ok(Box::new(DrmScreen::open(config, holds)?)),
        ScreenKind::Framebuffer => Ok(Box::new(FramebufferScreen::open(
            &config.framebuffer,
            config.rotation,
        )?)),
        ScreenKind::Spi => Ok(Box::new(SpiScreen::open(&config.spi)?)),
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
        let error = open_screen(&config, Size::new(640, 480))
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
        let error = open_screen(&config, Size::new(640, 480))
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("/dev/null"), "{error}");
    }

    #[test]
    fn the_default_screen_is_headless() {
        let config = PresentConfig::default();
        let mut screen = open_screen(&config, Size::new(640, 480)).unwrap();
        assert_eq!((screen.name(), screen.size()), ("headless", None));
        assert_eq!(screen.poll_event(), None);
    }
}
