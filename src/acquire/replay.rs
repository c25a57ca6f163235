//! Two folders of pictures, played as if two cameras delivered them.
//!
//! Input: folders. Output: pairs, in counting order of their names, at a frame rate; pictures of a
//! pair and of different pairs may differ in size. No pair is left out where decoding is slow: the
//! replay takes longer then. Thread: acquire. Blocks: until a pair is due, and for file reads.
//! Allocates: for each picture; files are no frame path of an appliance. Fails when: a folder
//! cannot be used, no pair can be read, or the replay is over. Not its job: video files.

use std::time::Duration;

use super::frame_file::read_frame;
use super::intake::Intake;
use super::{AcquireCounters, AcquireError, PairSource, Role, SourceInfo, refused};
use crate::clean::Condition;
use crate::clock::{Clock, Timestamp};
use crate::config::{CleanConfig, ReplayConfig};
use crate::files::read_size;
use crate::folders::{FilePair, pair_folders};
use crate::frame::{Frame, FramePair, Pool, Size};
use crate::range::RangeConfig;

/// Frames of each kind: what the pipeline holds at once, and two to spare.
const POOL: usize = 8;
/// Most different things that are said of files.
const SAID: usize = 16;

/// A replay; see the module.
#[derive(Debug)]
pub struct ReplaySource {
    pairs: Vec<FilePair>,
    repeat: bool,
    period: Duration,
    info: SourceInfo,
    infrared: Pool<Frame>,
    visible: Pool<Frame>,
    intakes: [Intake; 2],
    counters: AcquireCounters,
    due: Timestamp,
    next: usize,
    sequence: u64,
    /// Pairs in a row that could not be read.
    damaged_in_a_row: usize,
    /// Pairs whose damage was logged: once is enough for a folder that is repeated.
    logged: Vec<bool>,
    /// What was said of files already.
    said: Vec<String>,
}

impl ReplaySource {
    /// Pairs the folders and reads all headers.
    ///
    /// # Errors
    /// [`AcquireError::Source`]: see [`pair_folders`]; also where no pair has readable headers.
    pub fn new(config: &ReplayConfig, clean: &CleanConfig) -> Result<Self, AcquireError> {
        if !(1.0..=240.0).contains(&config.fps) {
            let message = format!("fps = {} is out of range: 1 to 240", config.fps);
            return Err(refused(&config.infrared, message));
        }
        let found = pair_folders(&config.infrared, &config.visible)?;
        if let Some(unmatched) = found.unmatched() {
            log::warn!("{unmatched}");
        }
        let pairs = found.pairs;
        let (infrared, visible) = largest(&pairs)?;
        let logged = vec![false; pairs.len()];
        let name = format!(
            "replay of {} pair(s) from {} and {}",
            pairs.len(),
            config.infrared.display(),
            config.visible.display()
        );
        Ok(Self {
            pairs,
            repeat: config.repeat,
            period: Duration::from_secs_f64(1.0 / config.fps),
            info: SourceInfo {
                name,
                infrared,
                visible,
                fps: config.fps,
                calibration: None,
            },
            infrared: Pool::new(POOL, || Frame::new(infrared, 1, false)),
            visible: Pool::new(POOL, || Frame::new(visible, 3, false)),
            intakes: [
                Intake::new(Role::Infrared, clean, infrared, RangeConfig::default()),
                Intake::new(Role::Visible, clean, visible, RangeConfig::default()),
            ],
            counters: AcquireCounters::default(),
            due: Clock.now(),
            next: 0,
            sequence: 0,
            damaged_in_a_row: 0,
            logged,
            said: Vec::new(),
        })
    }

    /// Waits until the next pair is due, at most until `deadline`.
    fn pace(&mut self, timeout: Duration, deadline: Timestamp) -> Result<(), AcquireError> {
        if self.due > deadline {
            Clock.sleep_until(deadline);
            return Err(AcquireError::Stalled(timeout));
        }
        Clock.sleep_until(self.due);
        Ok(())
    }

    fn read(&mut self, infrared: &mut Frame, visible: &mut Frame) -> Result<(), AcquireError> {
        let pair = &self.pairs[self.next];
        self.next += 1;
        let [intake_a, intake_b] = &mut self.intakes;
        let a = read_frame(&pair.a, intake_a, infrared);
        let b = read_frame(&pair.b, intake_b, visible);
        self.counters.cleaning = intake_a.took() + intake_b.took();
        self.counters.infrared_frames += u64::from(a.is_ok());
        self.counters.visible_frames += u64::from(b.is_ok());
        let bad = u64::from(a.is_err()) + u64::from(b.is_err());
        self.counters.damaged += bad;
        // The partner of a damaged picture has nothing to be shown with.
        self.counters.dropped += u64::from(bad == 1);
        let notes = a.and_then(|mut notes| {
            notes.extend(b?);
            Ok(notes)
        })?;
        // The same camera's files are alike, so each thing is said once.
        for note in notes {
            if self.said.len() < SAID && !self.said.contains(&note) {
                log::info!("{}: {note}", pair.stem);
                self.said.push(note);
            }
        }
        Ok(())
    }
}

/// The largest width and height of each side.
fn largest(pairs: &[FilePair]) -> Result<(Size, Size), AcquireError> {
    let mut sizes = [Size::new(0, 0); 2];
    let mut reason = None;
    let grow = |size: &mut Size, other: Size| {
        *size = Size::new(size.width.max(other.width), size.height.max(other.height));
    };
    for pair in pairs {
        match read_size(&pair.a).and_then(|a| Ok((a, read_size(&pair.b)?))) {
            Ok((a, b)) => {
                grow(&mut sizes[0], a);
                grow(&mut sizes[1], b);
            }
            Err(error) => {
                log::warn!("{error}; this pair will be skipped");
                reason.get_or_insert(error);
            }
        }
    }
    match reason {
        Some(error) if sizes[0].area() == 0 => Err(error.into()),
        _ => Ok((sizes[0], sizes[1])),
    }
}

impl PairSource for ReplaySource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_pair(&mut self, timeout: Duration) -> Result<FramePair, AcquireError> {
        let deadline = Clock.now().plus(timeout);
        loop {
            if self.next >= self.pairs.len() {
                if !self.repeat {
                    return Err(AcquireError::Ended);
                }
                self.next = 0;
            }
            self.pace(timeout, deadline)?;
            let (Some(mut infrared), Some(mut visible)) =
                (self.infrared.take(), self.visible.take())
            else {
                // Everything is downstream; nothing is lost, the pair comes later.
                let pause = Clock.now().plus(Duration::from_millis(2));
                Clock.sleep_until(pause.min(deadline));
                return Err(AcquireError::Stalled(timeout));
            };
            match self.read(&mut infrared, &mut visible) {
                Err(error) => {
                    self.damaged_in_a_row += 1;
                    if self.damaged_in_a_row >= self.pairs.len() {
                        return Err(error);
                    }
                    if !std::mem::replace(&mut self.logged[self.next - 1], true) {
                        log::warn!("{error}; skipped");
                    }
                }
                Ok(()) => {
                    self.damaged_in_a_row = 0;
                    let time = self.due;
                    self.due = self.due.plus(self.period).max(Clock.now());
                    for frame in [&mut infrared, &mut visible] {
                        frame.timestamp = time;
                        frame.sequence = self.sequence;
                    }
                    self.sequence += 1;
                    return Ok(FramePair {
                        infrared: Some(infrared.share()),
                        visible: Some(visible.share()),
                        ..FramePair::default()
                    });
                }
            }
        }
    }

    fn counters(&self) -> AcquireCounters {
        self.counters
    }

    fn conditions(&self) -> [Condition; 2] {
        self.intakes.each_ref().map(Intake::condition)
    }

    fn set_denoise(&mut self, denoise: f32) {
        self.intakes[0].set_denoise(denoise);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn folders(count: usize) -> (tempfile::TempDir, tempfile::TempDir) {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for i in 0..count {
            let size = 4 + i as u32;
            let grey = image::GrayImage::from_pixel(size, 3, image::Luma([i as u8]));
            grey.save(a.path().join(format!("{i}.png"))).unwrap();
            let rgb = image::RgbImage::from_pixel(8, 20 - size, image::Rgb([i as u8, 0, 0]));
            rgb.save(b.path().join(format!("{i}.bmp"))).unwrap();
        }
        (a, b)
    }

    fn open(a: &Path, b: &Path, repeat: bool) -> Result<ReplaySource, AcquireError> {
        let config = ReplayConfig {
            infrared: a.to_owned(),
            visible: b.to_owned(),
            fps: 240.0,
            repeat,
        };
        ReplaySource::new(&config, &CleanConfig::default())
    }

    const LONG: Duration = Duration::from_secs(9);

    #[test]
    fn pairs_come_in_order_with_mixed_sizes_and_then_it_ends() {
        let (a, b) = folders(12);
        let mut source = open(a.path(), b.path(), false).unwrap();
        assert_eq!(source.info().infrared, Size::new(15, 3));
        assert_eq!(source.info().visible, Size::new(8, 16));
        let mut last = Timestamp::ZERO;
        for i in 0..12 {
            let pair = source.next_pair(LONG).unwrap();
            assert!(pair.timestamp() > last);
            last = pair.timestamp();
            let (infrared, visible) = (pair.infrared.unwrap(), pair.visible.unwrap());
            assert_eq!((infrared.sequence, visible.sequence), (i, i));
            assert_eq!(infrared.picture.size(), Size::new(4 + i as usize, 3));
            assert_eq!(visible.picture.data()[0], i as u8);
            assert_eq!(visible.picture.height(), 16 - i as usize);
        }
        assert!(matches!(source.next_pair(LONG), Err(AcquireError::Ended)));
        assert_eq!(source.counters().infrared_frames, 12);
    }

    #[test]
    fn a_loop_goes_on_and_its_sequence_too() {
        let (a, b) = folders(2);
        let mut source = open(a.path(), b.path(), true).unwrap();
        for i in 0..7 {
            assert_eq!(source.next_pair(LONG).unwrap().visible.unwrap().sequence, i);
        }
    }

    #[test]
    fn a_damaged_picture_is_skipped_and_counted() {
        let (a, b) = folders(4);
        let path = b.path().join("2.bmp");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
        let mut source = open(a.path(), b.path(), false).unwrap();
        let mut seen = Vec::new();
        while let Ok(pair) = source.next_pair(LONG) {
            seen.push(pair.visible.unwrap().picture.data()[0]);
        }
        assert_eq!(seen, [0, 1, 3]);
        let counters = source.counters();
        assert_eq!((counters.damaged, counters.dropped), (1, 1));
        assert_eq!((counters.infrared_frames, counters.visible_frames), (4, 3));
        assert_eq!(source.logged, [false, false, true, false]);
    }

    #[test]
    fn a_replay_of_damaged_pictures_only_is_an_error_and_no_endless_loop() {
        let (a, b) = folders(2);
        for i in 0..2 {
            let path = b.path().join(format!("{i}.bmp"));
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
        }
        let error = open(a.path(), b.path(), true)
            .unwrap()
            .next_pair(LONG)
            .unwrap_err();
        assert!(error.to_string().contains(".bmp is damaged"), "{error}");
        for i in 0..2 {
            std::fs::write(a.path().join(format!("{i}.png")), "junk").unwrap();
        }
        let error = open(a.path(), b.path(), true).unwrap_err();
        assert!(
            error.to_string().contains("0.png is not a picture"),
            "{error}"
        );
    }

    #[test]
    fn a_pair_that_is_not_due_is_a_stall_and_none_is_lost_while_all_frames_are_out() {
        let (a, b) = folders(12);
        let mut source = open(a.path(), b.path(), false).unwrap();
        source.period = Duration::from_secs(5);
        source.next_pair(LONG).unwrap();
        let wait = Duration::from_millis(2);
        assert!(matches!(
            source.next_pair(wait),
            Err(AcquireError::Stalled(_))
        ));
        (source.period, source.due) = (Duration::ZERO, Clock.now());
        let held: Vec<_> = (0..POOL).map(|_| source.next_pair(LONG).unwrap()).collect();
        assert!(matches!(
            source.next_pair(wait),
            Err(AcquireError::Stalled(_))
        ));
        drop(held);
        let next = source.next_pair(LONG).unwrap().visible.unwrap().sequence;
        assert_eq!(next, POOL as u64 + 1);
    }
}
