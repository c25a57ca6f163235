//! No display: counts frames, and where a folder is given leaves pictures of the run in it.
//!
//! Input: [`FusedFrame`]s. Output: `fused.png`, `contact-sheet.png`, `clip.gif`. Thread: present.
//! Blocks: in `finish`, on the disk. Allocates: at the first frame (bounded, whatever the
//! length of the run) and in `finish`. Fails when: [`PresentError::Write`]. Not its job: drawing the overlay.

use std::path::{Path, PathBuf};

use super::clip::Clip;
use super::sheet::Sheet;
use super::{PresentError, Screen, ScreenEvent};
use crate::config::Task;
use crate::files::{write_atomic, write_picture};
use crate::frame::{Picture, Size};
use crate::fuse::FusedFrame;

/// What a headless run leaves behind; by default nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeadlessOptions {
    /// The folder, made where it is not there; `None`: frames are only counted.
    pub out: Option<PathBuf>,
    /// Write `contact-sheet.png`: needs frames that carry their sources.
    pub contact_sheet: bool,
    /// Write `clip.gif`.
    pub clip: bool,
    /// The task: the sheet's captions name its sources.
    pub task: Task,
}

impl HeadlessOptions {
    /// All files, into `out`; the demonstration's task is infrared-visible.
    pub fn demo(out: &Path) -> Self {
        Self {
            out: Some(out.to_owned()),
            contact_sheet: true,
            clip: true,
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
    /// Makes all buffers, for frames of `size`.
    fn new(options: &HeadlessOptions, size: Size) -> Option<Self> {
        let folder = options.out.clone()?;
        Some(Self {
            folder,
            last: Picture::rgb(size),
            sheet: options
                .contact_sheet
                .then(|| Sheet::new(size, options.task)),
            clip: options.clip.then(|| Clip::new(size)),
        })
    }

    fn keep(&mut self, frame: &FusedFrame) {
        self.last.copy_from(&frame.picture);
        if let Some(sheet) = &mut self.sheet {
            sheet.offer(frame);
        }
        if let Some(clip) = &mut self.clip {
            clip.offer(frame);
        }
    }

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
    options: HeadlessOptions,
    shown: u64,
    // Made with the first frame, whose size it takes.
    record: Option<Record>,
}

impl HeadlessScreen {
    /// Nothing shown yet.
    pub fn new(options: &HeadlessOptions) -> Self {
        Self {
            options: options.clone(),
            shown: 0,
            record: None,
        }
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
        if self.shown == 0 {
            self.record = Record::new(&self.options, frame.picture.size());
        }
        self.shown += 1;
        if let Some(record) = &mut self.record {
            record.keep(frame);
        }
        Ok(())
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        None
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        self.record.as_ref().map_or(Ok(Vec::new()), Record::write)
    }
}

#[cfg(test)]
#[path = "headless_tests.rs"]
mod tests;
