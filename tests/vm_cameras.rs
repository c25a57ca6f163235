//! Numbered frames of two cameras, followed through the whole pipeline: run on the virtual board by
//! board/vm/scenarios/cameras.sh, since it needs cameras of board/uvc-tool.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use filmd::acquire::open_source;
use filmd::align::Calibration;
use filmd::config::Config;
use filmd::describe::{DescribeError, Guidance};
use filmd::frame::{Picture, Size};
use filmd::fuse::FuseStage;
use filmd::fuse::FusedFrame;
use filmd::pipeline::{Parts, Pipeline};
use filmd::present::{PresentError, Screen, ScreenEvent};

/// Frames of both cameras that are looked at.
const FRAMES: usize = 40;
/// Cells in a row of a numbered picture; see board/uvc-tool/src/pattern.rs.
const CELLS: usize = 40;

/// The number that a row carries; `None` where its cells contradict each other.
fn row_number(picture: &Picture, y: usize) -> Option<u16> {
    let (row, channels) = (picture.row(y), picture.channels());
    let luma = |i: usize| {
        let x = (2 * i + 1) * picture.width() / (2 * CELLS);
        row[x * channels..(x + 1) * channels]
            .iter()
            .map(|&v| u32::from(v))
            .sum::<u32>()
    };
    let (white, black) = (luma(0), luma(1));
    if white < black + 40 * channels as u32 {
        return None;
    }
    let bit = |i: usize| luma(i) > u32::midpoint(white, black);
    let number = (2..18).fold(0u16, |n, i| n << 1 | u16::from(bit(i)));
    let odd = number.count_ones() % 2 == 1;
    (bit(18) == odd && bit(19) != odd).then_some(number)
}

/// The number that every row carries, or the rows' contradiction.
fn number(picture: &Picture) -> Result<u16, String> {
    let rows: Vec<_> = (0..picture.height())
        .map(|y| row_number(picture, y))
        .collect();
    match rows[0] {
        Some(number) if rows.iter().all(|row| *row == rows[0]) => Ok(number),
        _ => Err(format!("torn: {rows:?}")),
    }
}

#[derive(Debug)]
struct Seen {
    thermal: Result<u16, String>,
    visible: Result<u16, String>,
    both: bool,
}

struct Recorder(Arc<Mutex<Vec<Seen>>>);

impl Screen for Recorder {
    fn name(&self) -> &str {
        "recorder"
    }

    fn size(&self) -> Option<Size> {
        None
    }

    fn show(&mut self, frame: &FusedFrame) -> Result<(), PresentError> {
        let views = frame.sources.as_ref().unwrap();
        self.0.lock().unwrap().push(Seen {
            thermal: number(&views.thermal),
            visible: number(&views.visible),
            both: !frame.marks.no_infrared && !frame.marks.no_visible,
        });
        Ok(())
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        None
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        Ok(Vec::new())
    }
}

fn parts(config: Config, seen: &Arc<Mutex<Vec<Seen>>>) -> Parts {
    let seen = Arc::clone(seen);
    Parts {
        source: open_source(&config.source, &config.clean).unwrap(),
        stage: FuseStage::new(&config, &Calibration::identity(), None).unwrap(),
        network: None,
        screen: Box::new(move || Ok(Box::new(Recorder(Arc::clone(&seen))))),
        describer: Err(DescribeError::Absent("not in this test".into())),
        neutral: Guidance::none(config.task),
        snapshots: None,
        keep_sources: true,
        config,
    }
}

#[test]
fn numbers_rise_and_no_frame_is_torn() {
    let Some(path) = std::env::var_os("FILMD_VM_CONFIG") else {
        eprintln!("SKIPPED: this needs the virtual board's cameras: `make vm-test`");
        return;
    };
    let seconds: u64 = std::env::var("FILMD_VM_SECONDS").map_or(10, |s| s.parse().unwrap());
    let config = Config::load(Path::new(&path)).unwrap();
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let pipeline = Pipeline::start(parts(config, &seen)).unwrap();
    // An emulated board may take long for each frame, so these are counted, not the seconds.
    for _ in 0..10 * seconds {
        std::thread::sleep(Duration::from_millis(100));
        if seen.lock().unwrap().iter().filter(|s| s.both).count() >= FRAMES {
            break;
        }
    }
    let frames = pipeline.shared().metrics.summary();
    pipeline.stop().unwrap();

    let seen = seen.lock().unwrap();
    let both: Vec<_> = seen.iter().filter(|s| s.both).collect();
    let read = |side: fn(&Seen) -> &Result<u16, String>| -> Vec<u16> {
        both.iter().map(|s| side(s).clone().unwrap()).collect()
    };
    let (thermal, visible) = (read(|s| &s.thermal), read(|s| &s.visible));
    let repeats = |numbers: &[u16]| numbers.windows(2).filter(|w| w[0] == w[1]).count();
    let fed = |numbers: &[u16]| numbers.last().unwrap() - numbers[0] + 1;
    println!(
        "FIGURE {} frames fused; thermal {} fed, {} repeated; visible {} fed; {} dropped, {} \
         damaged; skew p99 {:.0} ms",
        both.len(),
        fed(&thermal),
        repeats(&thermal),
        fed(&visible),
        frames.dropped,
        frames.damaged,
        frames.skew_ms.p99
    );
    assert!(
        both.len() >= FRAMES,
        "only {} frames of both cameras",
        both.len()
    );
    assert!(
        thermal.windows(2).all(|w| w[0] < w[1]),
        "thermal {thermal:?}"
    );
    assert!(
        visible.windows(2).all(|w| w[0] <= w[1]),
        "visible {visible:?}"
    );
    assert_eq!(frames.damaged, 0);
}

#[test]
fn a_picture_made_of_two_frames_is_found_out() {
    let mut picture = Picture::grey(Size::new(CELLS, 2));
    for (y, value) in [(0, 0x1234u16), (1, 0x1235)] {
        let odd = value.count_ones() % 2 == 1;
        let bits = (0..16).map(|i| value >> (15 - i) & 1 == 1);
        let cells = [true, false].into_iter().chain(bits).chain([odd, !odd]);
        for (x, white) in cells.enumerate() {
            picture.row_mut(y)[x] = if white { 255 } else { 0 };
        }
        assert_eq!(row_number(&picture, y), Some(value));
    }
    assert!(number(&picture).unwrap_err().starts_with("torn"));
    picture.row_mut(0)[18] ^= 255;
    assert_eq!(row_number(&picture, 0), None);
}
