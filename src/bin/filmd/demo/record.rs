//! The demo's screen where there is no display: leaves pictures of the run in a folder.
//!
//! Writes `fused.png`, `contact-sheet.png` (of frames that carry their sources) and `clip.gif` at the
//! end. Memory is allocated at the first frame and is bounded, whatever the length of the run.

use std::path::{Path, PathBuf};

use filmd::config::Task;
use filmd::files::{write_atomic, write_picture};
use filmd::frame::{Picture, Size};
use filmd::fuse::FusedFrame;
use filmd::present::{PresentError, Screen, ScreenEvent};

use super::clip::Clip;
use super::sheet::Sheet;

/// What is kept of the run.
#[derive(Debug)]
struct Record {
    last: Picture,
    sheet: Sheet,
    clip: Clip,
}

impl Record {
    /// Makes all buffers, for frames of `size`.
    fn new(size: Size, task: Task) -> Self {
        Self {
            last: Picture::rgb(size),
            sheet: Sheet::new(size, task),
            clip: Clip::new(size),
        }
    }

    fn keep(&mut self, frame: &FusedFrame) {
        self.last.copy_from(&frame.picture);
        self.sheet.offer(frame);
        self.clip.offer(frame);
    }

    fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, PresentError> {
        make_folder(folder)?;
        let mut files = Vec::new();
        let path = folder.join("fused.png");
        write_picture(&path, &self.last)?;
        files.push(path);
        if let Some(sheet) = self.sheet.compose() {
            let path = folder.join("contact-sheet.png");
            write_picture(&path, &sheet)?;
            files.push(path);
        }
        if !self.clip.is_empty() {
            let path = folder.join("clip.gif");
            write_atomic(&path, |out| self.clip.encode(out))?;
            files.push(path);
        }
        Ok(files)
    }
}

fn make_folder(folder: &Path) -> Result<(), PresentError> {
    std::fs::create_dir_all(folder).map_err(|error| PresentError::Write {
        path: folder.to_owned(),
        message: format!("{error}; it must be a folder, or a place to make one"),
    })
}

/// Takes every frame, shows none, and records the run.
#[derive(Debug)]
pub struct RecordingScreen {
    folder: PathBuf,
    task: Task,
    // Made with the first frame, whose size it takes.
    record: Option<Record>,
}

impl RecordingScreen {
    /// Writes into `folder`, made where it is not there; the sheet's captions name the sources of
    /// `task`.
    pub fn new(folder: &Path, task: Task) -> Self {
        Self {
            folder: folder.to_owned(),
            task,
            record: None,
        }
    }
}

impl Screen for RecordingScreen {
    fn name(&self) -> &str {
        "headless"
    }

    fn size(&self) -> Option<Size> {
        None
    }

    fn show(&mut self, frame: &FusedFrame) -> Result<(), PresentError> {
        let (size, task) = (frame.picture.size(), self.task);
        self.record
            .get_or_insert_with(|| Record::new(size, task))
            .keep(frame);
        Ok(())
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        None
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        let record = self.record.as_ref();
        record.map_or(Ok(Vec::new()), |record| record.write(&self.folder))
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
