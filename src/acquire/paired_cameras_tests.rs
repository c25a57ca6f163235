#[path = "paired_cameras_opening_tests.rs"]
mod opening;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;
use crate::acquire::camera::{Agreed, BufferInfo};
use crate::acquire::unpack::{BufferLayout, PixelFormat, Quantization};
use crate::frame::Size;

/// What happens at a side at a time, milliseconds.
#[derive(Debug, Clone)]
enum Event {
    Frame {
        bytes: usize,
        sequence: u32,
        error: bool,
    },
    Unplug,
}

/// Two scripted cameras and a clock that only moves while somebody waits.
#[derive(Debug, Default)]
struct World {
    now: u64,
    script: [VecDeque<(u64, Event)>; 2],
    /// Times at which each side may be opened again.
    plugged_from: [u64; 2],
    /// What each side's stamps are ahead of the board's clock, milliseconds.
    ahead: [u64; 2],
    /// What is not plugged in is absent; otherwise it is there and refuses.
    absent: bool,
    /// Milliseconds that opening takes.
    open_takes: [u64; 2],
    opened: [Vec<u64>; 2],
}

type Shared = Arc<Mutex<World>>;

struct FakeLink {
    side: usize,
    world: Shared,
    agreed: Agreed,
}

impl CameraLink for FakeLink {
    fn fd(&self) -> RawFd {
        self.side as RawFd
    }

    fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    fn take(&mut self, sink: &mut dyn FnMut(&[u8], BufferInfo)) -> io::Result<()> {
        let mut world = self.world.lock().unwrap();
        let ahead = world.ahead[self.side];
        let event = world.script[self.side].pop_front();
        drop(world);
        match event.expect("only asked when ready") {
            (
                time,
                Event::Frame {
                    bytes,
                    sequence,
                    error,
                },
            ) => {
                let info = BufferInfo {
                    sequence,
                    timestamp: Some(Timestamp::from_nanos((time + ahead) * 1_000_000)),
                    error,
                };
                sink(&vec![sequence as u8; bytes], info);
                Ok(())
            }
            (_, Event::Unplug) => Err(io::Error::from_raw_os_error(19)),
        }
    }
}

struct Fake(Shared);

impl CameraBackend for Fake {
    fn begin_open(&mut self, side: usize, _: &CameraConfig) {
        let mut world = self.0.lock().unwrap();
        let now = world.now;
        world.opened[side].push(now);
    }

    fn opened(&mut self, side: usize) -> Option<Result<Box<dyn CameraLink>, AcquireError>> {
        let world = self.0.lock().unwrap();
        let now = *world.opened[side].last().unwrap();
        if world.now < now + world.open_takes[side] {
            return None;
        }
        let path = ["/dev/Y16", "/dev/GREY"][side].into();
        if now < world.plugged_from[side] && world.absent {
            return Some(Err(AcquireError::Absent {
                path,
                message: "not here".into(),
            }));
        }
        if now < world.plugged_from[side] {
            return Some(Err(AcquireError::Source {
                path,
                message: "gone".into(),
            }));
        }
        let format = if side == 0 {
            PixelFormat::Y16
        } else {
            PixelFormat::Grey
        };
        Some(Ok(Box::new(FakeLink {
            side,
            world: Arc::clone(&self.0),
            agreed: Agreed {
                card: format!("fake {format}"),
                format,
                layout: BufferLayout {
                    size: Size::new(4, 2),
                    stride: if side == 0 { 8 } else { 4 },
                    telemetry_rows: 1 - side,
                },
                quantization: Quantization::Limited,
                fps: None,
            },
        })))
    }

    fn wait(&mut self, fds: [Option<RawFd>; 2], timeout: Duration) -> io::Result<[bool; 2]> {
        let mut world = self.0.lock().unwrap();
        // Rounded up: a clock of whole milliseconds must not stand still.
        let end = world.now + (timeout.as_micros() as u64).div_ceil(1000);
        loop {
            let now = world.now;
            let ready: [bool; 2] = std::array::from_fn(|i| {
                fds[i].is_some() && world.script[i].front().is_some_and(|e| e.0 <= now)
            });
            if ready != [false; 2] || now >= end {
                return Ok(ready);
            }
            world.now += 1;
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.lock().unwrap().now * 1_000_000)
    }
}

const WHOLE: [usize; 2] = [24, 8];

fn frame(side: usize, sequence: u32) -> Event {
    Event::Frame {
        bytes: WHOLE[side],
        sequence,
        error: false,
    }
}

fn camera(format: &str) -> CameraConfig {
    CameraConfig {
        device: format!("/dev/{format}").into(),
        format: format.into(),
        width: 4,
        height: 3,
        fps: None,
        ..CameraConfig::default()
    }
}

fn open(world: World) -> (PairedCameras<Fake>, Shared) {
    let shared = Arc::new(Mutex::new(world));
    let config = CamerasConfig {
        infrared: camera("Y16"),
        visible: camera("GREY"),
        max_skew_ms: 60,
    };
    let source =
        PairedCameras::with_backend(&config, &Default::default(), Fake(Arc::clone(&shared)))
            .unwrap();
    (source, shared)
}

/// Frames every 33 ms of both sides, the infrared one 5 ms earlier.
fn steady(from: u64, count: u32) -> World {
    let mut world = World::default();
    for i in 0..count {
        let time = from + u64::from(i) * 33;
        world.script[0].push_back((time, frame(0, i)));
        world.script[1].push_back((time + 5, frame(1, i)));
    }
    world
}

/// The same, with the infrared camera unplugged after 1 s; it brings frames again after `back`.
fn unplugged(back: u64) -> World {
    let mut world = steady(10, 600);
    let rest = world.script[0].split_off(30);
    world.script[0].push_back((1_000, Event::Unplug));
    world.script[0].extend(rest.into_iter().filter(|event| event.0 > back));
    world
}

const WAIT: Duration = Duration::from_millis(200);

#[test]
fn frames_come_paired_with_counts_and_the_time_out_is_kept() {
    let (mut source, world) = open(steady(10, 50));
    assert_eq!(source.info().name, "fake Y16 and fake GREY");
    let mut last = None;
    for _ in 0..49 {
        let pair = source.next_pair(WAIT).unwrap();
        // The very first frame has nobody to wait for.
        let Some(visible) = pair.visible.as_ref() else {
            assert_eq!(last, None);
            continue;
        };
        assert!(last < Some(visible.sequence));
        last = Some(visible.sequence);
        if visible.sequence > 2 {
            let infrared = pair.infrared.as_ref().unwrap();
            assert_eq!(infrared.counts.as_ref().unwrap().data.len(), 8);
            assert_eq!(infrared.picture.channels(), 1);
            assert_eq!(pair.skew(), Duration::from_millis(5));
        }
    }
    source.next_pair(WAIT).ok();
    let before = world.lock().unwrap().now;
    while source.next_pair(WAIT).is_ok() {}
    assert!(world.lock().unwrap().now >= before + 200);
    let counters = source.counters();
    assert_eq!(
        (counters.infrared_frames, counters.visible_frames),
        (50, 50)
    );
    assert_eq!((counters.damaged, counters.dropped), (0, 0));
}

#[test]
fn an_offset_moves_the_timestamps() {
    let shared = Arc::new(Mutex::new(steady(500, 20)));
    let mut infrared = camera("Y16");
    infrared.offset_ms = 5;
    let config = CamerasConfig {
        infrared,
        visible: camera("GREY"),
        max_skew_ms: 60,
    };
    let mut source =
        PairedCameras::with_backend(&config, &Default::default(), Fake(shared)).unwrap();
    // Each pair is given back before the next one: a pool has room for a few.
    let last = (0..10)
        .map(|_| source.next_pair(WAIT).map(|pair| pair.skew()))
        .last();
    assert_eq!(last.unwrap().unwrap(), Duration::ZERO);
}

#[test]
fn stamps_of_another_clock_are_placed_on_the_boards() {
    let mut world = steady(10, 300);
    world.ahead[0] = 1_000_000_000;
    let (mut source, _) = open(world);
    let mut pairs = 0;
    while let Ok(pair) = source.next_pair(WAIT) {
        if pair.infrared.is_some() && pair.visible.is_some() {
            pairs += 1;
            assert_eq!(pair.skew(), Duration::from_millis(5));
            assert!(!pair.infrared_stale && !pair.visible_stale);
        }
    }
    assert!(pairs > 290, "{pairs}");
    let [infrared, visible] = source.clocks().map(Option::unwrap);
    assert!(infrared.own_clock && !visible.own_clock);
    assert_eq!(infrared.offset_ms, -1e9);
    assert!((infrared.fps - 1000.0 / 33.0).abs() < 0.1, "{infrared:?}");
}

#[test]
fn torn_frames_and_gaps_are_counted() {
    let mut world = steady(10, 0);
    for (i, sequence) in [0, 1, 2, 5, 6, 7].into_iter().enumerate() {
        let time = 10 + i as u64 * 33;
        let mut event = frame(1, sequence);
        if let Event::Frame {
            bytes,
            error,
            sequence,
            ..
        } = &mut event
        {
            *bytes -= usize::from(*sequence == 1);
            *error = *sequence == 6;
        }
        world.script[1].push_back((time, event));
    }
    let (mut source, _) = open(world);
    let mut seen = Vec::new();
    while let Ok(pair) = source.next_pair(WAIT) {
        seen.push(pair.visible.unwrap().picture.data()[0]);
    }
    assert_eq!(seen, [0, 2, 5, 7]);
    let counters = source.counters();
    assert_eq!(
        (counters.visible_frames, counters.damaged, counters.dropped),
        (6, 2, 2)
    );
}

#[test]
fn a_camera_that_is_unplugged_leaves_its_side_empty_and_comes_back() {
    // The infrared camera is unplugged after 1 s and there again after 7 s.
    let (mut source, shared) = open(unplugged(9_000));
    shared.lock().unwrap().plugged_from[0] = 7_000;
    let mut alone = 0;
    let mut both_after = 0;
    let mut last = 0;
    while let Ok(pair) = source.next_pair(WAIT) {
        let now = shared.lock().unwrap().now;
        if now >= 19_700 {
            break;
        }
        assert!(now - last < 80, "the visible picture pauses at {now}");
        last = now;
        match now {
            1_010..9_000 => {
                assert!(pair.infrared.is_none(), "at {now}");
                alone += 1;
            }
            12_000.. => both_after += u32::from(pair.infrared.is_some()),
            _ => {}
        }
    }
    assert!(alone > 200 && both_after > 200, "{alone} {both_after}");
    // Looked for with growing pauses: 0.5 s, then 1, 2, 4 s later.
    let opened = shared.lock().unwrap().opened[0].clone();
    assert!(opened.len() <= 6, "{opened:?}");
    let pauses: Vec<u64> = opened.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(pauses[1..].windows(2).all(|w| w[1] > w[0]), "{opened:?}");
}
