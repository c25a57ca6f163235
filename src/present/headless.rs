//! The screen of machines without one: shows nothing.

use std::path::PathBuf;

use super::{PresentError, Screen, ScreenEvent};
use crate::frame::Size;
use crate::fuse::FusedFrame;

/// Takes every frame and shows none.
#[derive(Debug, Clone, Copy)]
pub struct HeadlessScreen;

impl Screen for HeadlessScreen {
    fn name(&self) -> &str {
        "headless"
    }

    fn size(&self) -> Option<Size> {
        None
    }

    fn show(&mut self, _: &FusedFrame) -> Result<(), PresentError> {
        Ok(())
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        None
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        Ok(Vec::new())
    }
}
