//! No display: counts frames, and where a folder is given leaves pictures of the run in it.
//!
//! Input: [`FusedFrame`]s. Output: `fused.png`, `contact-sheet.png`, `clip.gif`. Thread: present.
//! Blocks: in `finish`, on the disk. Allocates: at start (bounded, whatever the length of the
//! run) and in `finish`. Fails when: [`PresentError::Write`]. Not its job: drawing the overlay.

use std::path::{Path, PathBuf};

use super::clip::Clip;
use super::sheet::Sheet;
use super::{PresentError, Screen, ScreenEvent};
use crate::config::Task;
use crate::files::{write_atomic, write_picture};
use crate::frame::{FusedFrame, Picture, Size};

/// What a headless run leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadlessOptions {
    /// The folder, made where it is not there; `None`: frames are only counted.
    pub out: Option<PathBuf>,
    /// Write `contact-sheet.png`: needs frames that carry their sources.
    pub contact_sheet: bool,
    /// Write `clip.gif`.
    pub clip: bool,
    /// Size of the frames.
    pub size: Size,
    /// The task: the sheet's captions name its sources.
    pub task: Task,
}

impl Default for HeadlessOptions {
    /// Counts only.
    fn default() -> Self {
        Self {
            out: None,
            contact_sheet: false,
            clip: false,
            size: Size::new(640, 480),
            task: Task::Ivf,
        }
    }
}

/// What is kept of the run.
#[derive(Debug)]
struct Record {
    folder: PathBuf,
    last: Picture,
    sheet: Option<Sheet>,
    clip: Option<Clip>,
}

impl Record {
    fn write(&self) -> Result<Vec<PathBuf>, PresentError> {
        make_folder(&self.folder)?;
        let mut files = Vec::new();
        let path = self.folder.join("fused.png");
        write_picture(&path, &self.last)?;
        files.push(path);
        if let Some(sheet) = self.sheet.as_ref().and_then(Sheet::compose) {
            let path = self.folder.join("contact-sheet.png");
            write_picture(&path, &sheet)?;
            files.push(path);
        }
        if let Some(clip) = self.clip.as_ref().filter(|clip| !clip.is_empty()) {
            let path = self.folder.join("clip.gif");
            write_atomic(&path, |out| clip.encode(out))?;
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

/// The screen of machines without one.
#[derive(Debug)]
pub struct HeadlessScreen {
    shown: u64,
    record: Option<Record>,
}

impl HeadlessScreen {
    /// Makes all buffers.
    pub fn new(options: HeadlessOptions) -> Self {
        let HeadlessOptions { size, task, .. } = options;
        let record = options.out.map(|folder| Record {
            folder,
            last: Picture::rgb(size),
            sheet: options.contact_sheet.then(|| Sheet::new(size, task)),
            clip: options.clip.then(|| Clip::new(size)),
        });
        Self { shown: 0, record }
    }

    /// Frames shown so far.
    pub fn shown(&self) -> u64 {
        self.shown
    }
}

impl Screen for HeadlessScreen {
    fn name(&self) -> &str {
        "headless"
    }

    fn size(&self) -> Option<Size> {
        None
    }

    fn show(&mut self, frame: &FusedFrame) -> Result<(), PresentError> {
        self.shown += 1;
        if let Some(record) = &mut self.record {
            record.last.copy_from(&frame.picture);
            if let Some(sheet) = &mut record.sheet {
                sheet.offer(frame);
            }
            if let Some(clip) = &mut record.clip {
                clip.offer(frame);
            }
        }
        Ok(())
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        None
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        match &self.record {
            Some(record) if self.shown > 0 => record.write(),
            _ => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
#[path = "headless_tests.rs"]
mod tests;
