//! What the threads share: atomics on the frame path, locks only off it.
//!
//! Thread: all. Blocks: never for long. Allocates: only where said.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Clocks, Parts, Status, silence};
use crate::acquire::ClockReading;
use crate::channel::{Mailbox, Watch};
use crate::clean::Condition;
use crate::clock::{Clock, Timestamp};
use crate::config::{Mode, Palette, Task};
use crate::describe::{Guidance, GuideStatus};
use crate::frame::Picture;
use crate::metrics::{Marks, Metrics, resident_bytes};

/// A picture that someone waits for; the buffer is theirs, so that the present thread only copies.
#[derive(Debug)]
pub struct SnapshotRequest {
    /// Filled with the next picture shown.
    pub picture: Picture,
    /// Where it goes then.
    pub reply: SyncSender<Picture>,
}

/// A picture that is further off than this needs a calibration, not a button.
pub const NUDGE_LIMIT: i32 = 64;

/// State of a running pipeline.
#[derive(Debug)]
pub struct Shared {
    /// Counters and timings.
    pub metrics: Metrics,
    /// The guidance in use; replaced whole, read once a frame.
    pub guidance: Arc<Watch<Guidance>>,
    /// The fuse thread hands out the next aligned pair when this is set.
    pub wants_scene: AtomicBool,
    /// A picture that someone waits for.
    pub snapshots: Mailbox<SnapshotRequest>,
    clock: Clock,
    started: Timestamp,
    task: Task,
    source: String,
    mode: AtomicU8,
    palette: AtomicU8,
    frozen: AtomicBool,
    nudge: [AtomicI32; 2],
    stop: AtomicBool,
    centi_fps: AtomicU32,
    marks: Mutex<Marks>,
    engine: Mutex<String>,
    screen: Mutex<String>,
    guide: Mutex<GuideStatus>,
    clocks: Mutex<[Option<ClockReading>; 2]>,
    conditions: Mutex<[Condition; 2]>,
    complaints: Mutex<[Option<String>; 2]>,
    /// Nanoseconds by which the infrared frame of the last pair was older.
    infrared_older: AtomicI64,
    /// Frames that the fuse thread has begun.
    begun: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(parts: &Parts) -> Self {
        let shared = Self {
            metrics: Metrics::default(),
            guidance: Arc::new(Watch::new(parts.neutral.clone())),
            wants_scene: AtomicBool::new(false),
            snapshots: Mailbox::default(),
            clock: Clock,
            started: Clock.now(),
            task: parts.config.task,
            source: parts.source.info().name.clone(),
            mode: AtomicU8::new(0),
            palette: AtomicU8::new(0),
            frozen: AtomicBool::new(false),
            nudge: Default::default(),
            stop: AtomicBool::new(false),
            centi_fps: AtomicU32::new(0),
            marks: Mutex::default(),
            engine: Mutex::new(parts.stage.engine_name().to_owned()),
            screen: Mutex::new("not open yet".to_owned()),
            guide: Mutex::default(),
            clocks: Mutex::default(),
            conditions: Mutex::default(),
            complaints: Mutex::default(),
            infrared_older: AtomicI64::new(0),
            begun: AtomicU64::new(0),
        };
        shared.set_mode(parts.config.fuse.mode);
        shared.set_palette(parts.config.fuse.palette);
        shared
    }

    /// Time on the frame's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The task.
    pub fn task(&self) -> Task {
        self.task
    }

    /// The mode from the next frame on.
    pub fn mode(&self) -> Mode {
        let index = usize::from(self.mode.load(SeqCst));
        Mode::ALL.get(index).copied().unwrap_or_default()
    }

    /// Shows another mode from the next frame on.
    pub fn set_mode(&self, mode: Mode) {
        let index = Mode::ALL.iter().position(|m| *m == mode).unwrap_or(0);
        self.mode.store(u8::try_from(index).unwrap_or(0), SeqCst);
    }

    /// The mode after the present one.
    pub fn next_mode(&self) {
        self.set_mode(self.mode().next());
    }

    /// Colours of thermal values from the next frame on.
    pub fn palette(&self) -> Palette {
        let index = usize::from(self.palette.load(Relaxed));
        Palette::ALL.get(index).copied().unwrap_or_default()
    }

    /// Shows other colours from the next frame on.
    pub fn set_palette(&self, palette: Palette) {
        let index = Palette::ALL.iter().position(|p| *p == palette).unwrap_or(0);
        let index = u8::try_from(index).unwrap_or(0);
        self.palette.store(index, Relaxed);
    }

    /// The picture is held.
    pub fn frozen(&self) -> bool {
        self.frozen.load(Relaxed)
    }

    /// Holds the picture from the next frame on, or lets it go on.
    pub fn set_frozen(&self, frozen: bool) {
        self.frozen.store(frozen, Relaxed);
    }

    /// How far source A was moved from its calibration: output pixels right and down.
    pub fn nudge(&self) -> (i32, i32) {
        let [x, y] = &self.nudge;
        (x.load(Relaxed), y.load(Relaxed))
    }

    /// Moves source A from the next frame on, at most [`NUDGE_LIMIT`] pixels either way.
    pub fn set_nudge(&self, (right, down): (i32, i32)) {
        let [x, y] = &self.nudge;
        x.store(right.clamp(-NUDGE_LIMIT, NUDGE_LIMIT), Relaxed);
        y.store(down.clamp(-NUDGE_LIMIT, NUDGE_LIMIT), Relaxed);
    }

    /// All threads end after their current frame.
    pub fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    /// [`Shared::stop`] was called.
    pub fn stopping(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Sleeps for `duration`, or less when the pipeline stops.
    pub(super) fn pause(&self, duration: std::time::Duration) {
        let until = self.now().plus(duration);
        while !self.stopping() && self.now() < until {
            self.clock.sleep_until(
                self.now()
                    .plus(std::time::Duration::from_millis(50))
                    .min(until),
            );
        }
    }

    pub(super) fn set_fps(&self, fps: f32) {
        // Kept as an integer: a rate is never negative, and casts saturate.
        self.centi_fps.store((fps * 100.0) as u32, Relaxed);
    }

    /// Frames shown a second, over the last second.
    pub fn fps(&self) -> f32 {
        self.centi_fps.load(Relaxed) as f32 / 100.0
    }

    pub(super) fn set_marks(&self, marks: Marks) {
        *lock(&self.marks) = marks;
    }

    /// No frame comes: the rate is 0, and both sources are missing.
    pub(super) fn set_silent(&self) {
        self.set_fps(0.0);
        let stands_in = lock(&self.marks).classic;
        self.set_marks(Marks {
            classic: stands_in,
            ..silence::marks()
        });
    }

    /// What is not as it should be, and whether the picture is held.
    pub fn marks(&self) -> Marks {
        Marks {
            frozen: self.frozen(),
            ..*lock(&self.marks)
        }
    }

    /// Allocates only when the name changes.
    pub(super) fn set_engine(&self, name: &str) {
        let mut engine = lock(&self.engine);
        if *engine != name {
            name.clone_into(&mut engine);
        }
    }

    /// Who fuses.
    pub(super) fn engine(&self) -> String {
        lock(&self.engine).clone()
    }

    pub(super) fn set_screen(&self, name: &str) {
        name.clone_into(&mut lock(&self.screen));
    }

    /// A screen is open, be it one of files.
    pub fn has_screen(&self) -> bool {
        !lock(&self.screen).starts_with("none")
    }

    pub(super) fn set_guide(&self, status: GuideStatus) {
        *lock(&self.guide) = status;
    }

    pub(super) fn set_clocks(&self, clocks: [Option<ClockReading>; 2]) {
        *lock(&self.clocks) = clocks;
    }

    pub(super) fn set_conditions(&self, conditions: [Condition; 2]) {
        *lock(&self.conditions) = conditions;
    }

    /// Why a source cannot be opened. Allocates only when that changes.
    pub(super) fn set_complaints(&self, complaints: [Option<&str>; 2]) {
        let mut kept = lock(&self.complaints);
        for (kept, new) in kept.iter_mut().zip(complaints) {
            if kept.as_deref() != new {
                *kept = new.map(str::to_owned);
            }
        }
    }

    /// When both frames of a pair were taken.
    pub(super) fn set_last_pair(&self, infrared: Timestamp, visible: Timestamp) {
        let nanos = visible.nanos_after(infrared);
        self.infrared_older.store(nanos, Relaxed);
    }

    fn clocks(&self) -> Clocks {
        let [infrared, visible] = *lock(&self.clocks);
        Clocks {
            infrared,
            visible,
            infrared_older_ms: self.infrared_older.load(Relaxed) as f64 / 1e6,
        }
    }

    /// The fuse thread begins frame `sequence`; it reads the mode after that.
    pub(super) fn begin(&self, sequence: u64) {
        // In one order with `set_mode`, or each side could miss the other's word.
        self.begun.store(sequence, SeqCst);
    }

    /// Number of the frame that the fuse thread began last. Whatever is set before this is read is
    /// in effect from the frame after it on.
    pub fn begun(&self) -> u64 {
        self.begun.load(SeqCst)
    }

    /// Everything, for `filmctl status`. Allocates.
    pub fn status(&self) -> Status {
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.now().since(self.started).as_secs_f64(),
            task: self.task,
            mode: self.mode(),
            source: self.source.clone(),
            engine: self.engine(),
            screen: lock(&self.screen).clone(),
            fps: self.fps(),
            marks: self.marks(),
            palette: self.palette(),
            nudge: self.nudge(),
            frames: self.metrics.summary(),
            guide: lock(&self.guide).clone(),
            resident_bytes: resident_bytes(std::process::id()).unwrap_or(0),
            clocks: self.clocks(),
            condition: *lock(&self.conditions),
            complaints: lock(&self.complaints).iter().flatten().cloned().collect(),
        }
    }
}
