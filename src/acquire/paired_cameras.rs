//! Two V4L2 cameras as one source of pairs.
//!
//! Input: two [`CameraConfig`]s. Output: pairs. Thread: acquire; both
//! cameras are polled together. Each is opened on a thread of its own, since a wedged one holds its caller for
//! seconds. Blocks: at most the time-out; when made, at most `START`. Allocates: when made and when a camera
//! comes back. Fails when: the configuration cannot be right; a camera that is missing or refuses, at the start or
//! later, only leaves its side empty and is tried again while the other one goes on. Not its job: pairing rules
//! (see `pairing`), pixel formats (see `unpack`).

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::camera::channel::CameraChannel;
use super::camera::opening::Opening;
use super::camera::{CameraLink, check_config, expected};
use super::pairing::{Paired, Pairer, PairingConfig};
use super::{AcquireCounters, AcquireError, ClockReading, PairSource, Role, SourceInfo};
use crate::clean::Condition;
use crate::clock::{Clock, Timestamp};
use crate::config::{CameraConfig, CamerasConfig, CleanConfig};
use crate::frame::{Frame, FramePair, Shared};
use crate::sys::poll::wait_readable;

/// The least time that is slept, so that rounding never makes a busy loop.
const LEAST_WAIT: Duration = Duration::from_micros(500);
/// Buffers taken in a row before a pair is made of them.
const DRAIN: usize = 16;
/// How long the cameras may take to open before the pictures begin without them. Most take less than a second.
const START: Duration = Duration::from_secs(3);
/// Between two looks whether a camera has opened.
const LOOK: Duration = Duration::from_millis(20);

/// The system calls: opening, waiting, the time.
pub trait CameraBackend: Send {
    /// Begins to open a camera: 0 is infrared, 1 visible. Does not wait for it.
    fn begin_open(&mut self, side: usize, config: &CameraConfig);

    /// The outcome of what was begun, once it is known.
    fn opened(&mut self, side: usize) -> Option<Result<Box<dyn CameraLink>, AcquireError>>;

    /// Which of the two has a buffer; waits for one, at most `timeout`.
    ///
    /// # Errors
    /// What poll(2) says.
    fn wait(&mut self, fds: [Option<RawFd>; 2], timeout: Duration) -> io::Result<[bool; 2]>;

    /// Now.
    fn now(&self) -> Timestamp;
}

/// Real devices.
#[derive(Default)]
pub struct V4lBackend([Option<Opening>; 2]);

impl CameraBackend for V4lBackend {
    fn begin_open(&mut self, side: usize, config: &CameraConfig) {
        self.0[side] = Some(Opening::begin(config));
    }

    fn opened(&mut self, side: usize) -> Option<Result<Box<dyn CameraLink>, AcquireError>> {
        let outcome = self.0[side].as_ref()?.outcome()?;
        self.0[side] = None;
        Some(outcome)
    }

    fn wait(&mut self, fds: [Option<RawFd>; 2], timeout: Duration) -> io::Result<[bool; 2]> {
        wait_readable(fds, timeout)
    }

    fn now(&self) -> Timestamp {
        Clock.now()
    }
}

/// The source; see the module.
pub struct PairedCameras<B> {
    backend: B,
    sides: [CameraChannel; 2],
    pairer: Pairer<Shared<Frame>>,
    info: SourceInfo,
    /// A pair was asked for.
    begun: bool,
}

impl PairedCameras<V4lBackend> {
    /// Opens both devices.
    ///
    /// # Errors
    /// [`AcquireError::Source`], naming the device, what was found and what to do.
    pub fn new(config: &CamerasConfig, clean: &CleanConfig) -> Result<Self, AcquireError> {
        Self::with_backend(config, clean, V4lBackend::default())
    }
}

impl<B: CameraBackend> PairedCameras<B> {
    /// Opens both cameras through `backend`.
    ///
    /// # Errors
    /// [`AcquireError::Source`].
    pub fn with_backend(
        config: &CamerasConfig,
        clean: &CleanConfig,
        mut backend: B,
    ) -> Result<Self, AcquireError> {
        let named = [&config.infrared, &config.visible].map(named);
        let configs = named.each_ref();
        let formats = [check_config(configs[0])?, check_config(configs[1])?];
        let begun = backend.now();
        for (side, config) in configs.into_iter().enumerate() {
            backend.begin_open(side, config);
        }
        let opened = wait_for_both(&mut backend, begun.plus(START));
        let now = backend.now();
        let mut opened = opened.into_iter();
        let sides = [Role::Infrared, Role::Visible].map(|role| {
            let i = usize::from(role == Role::Visible);
            let expected = expected(configs[i], formats[i]);
            let (link, error) = match opened.next().flatten() {
                Some(Ok(link)) => (Some(link), None),
                Some(Err(error)) => (None, Some(error)),
                None => (None, None),
            };
            let is_opening = link.is_none() && error.is_none();
            let mut side = CameraChannel::new(role, configs[i].clone(), link, expected, clean, now);
            if is_opening {
                log::warn!(
                    "{}: takes long to open; going on without",
                    side.config.device.display()
                );
                side.opens(begun);
            }
            if let Some(error) = error {
                side.complain(&error);
            }
            side
        });
        let fps = sides.each_ref().map(|side| {
            let asked = side.config.fps.map_or(30.0, f64::from);
            side.agreed.fps.unwrap_or(asked).clamp(0.1, 1000.0)
        });
        let pairing = PairingConfig {
            max_skew: Duration::from_millis(config.max_skew_ms),
            nominal_period: fps.map(|fps| Duration::from_secs_f64(1.0 / fps)),
            ..PairingConfig::default()
        };
        let [a, b] = &sides;
        let info = SourceInfo {
            name: format!("{} and {}", a.agreed.card, b.agreed.card),
            infrared: a.agreed.layout.size,
            visible: b.agreed.layout.size,
            fps: fps[0].max(fps[1]),
            calibration: None,
        };
        Ok(Self {
            backend,
            sides,
            pairer: Pairer::new(pairing),
            info,
            begun: false,
        })
    }

    /// Begins to open lost cameras whose pause is over, takes those that have opened, and gives up those that hang.
    fn reopen_lost(&mut self) {
        for (i, side) in self.sides.iter_mut().enumerate() {
            let now = self.backend.now();
            if side.give_up_if_hung(now) {
                self.pairer.lose(side.role);
            } else if side.retry_at().is_some_and(|at| at <= now) {
                side.opens(now);
                self.backend.begin_open(i, &side.config);
            }
            if side.is_opening()
                && let Some(link) = self.backend.opened(i)
            {
                side.reopen(link, self.backend.now());
            }
        }
    }

    /// Waits for buffers, at most `wait`, and takes all that are there.
    fn collect(&mut self, mut wait: Duration) {
        for _ in 0..DRAIN {
            let fds = self.sides.each_ref().map(CameraChannel::fd);
            let ready = self.backend.wait(fds, wait).unwrap_or_else(|error| {
                log::warn!("waiting for the cameras: {error}");
                [false; 2]
            });
            if ready == [false; 2] {
                return;
            }
            let now = self.backend.now();
            for (side, _) in self.sides.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
                match side.take(now) {
                    Some(frame) => self.pairer.push(side.role, frame, now),
                    None if side.fd().is_none() => self.pairer.lose(side.role),
                    None if side.holds(now) => self.pairer.keep(side.role, now),
                    None => {}
                }
            }
            wait = Duration::ZERO;
        }
    }

    /// How long nothing has to be done unless a buffer comes.
    fn idle(&self, now: Timestamp, deadline: Timestamp) -> Duration {
        let retries = self.sides.iter().filter_map(CameraChannel::retry_at);
        let look = now.plus(LOOK);
        let looks = self
            .sides
            .iter()
            .filter_map(|s| s.is_opening().then_some(look));
        let next = retries
            .chain(looks)
            .chain(self.pairer.deadline(now))
            .fold(deadline, Timestamp::min);
        next.since(now).max(LEAST_WAIT)
    }
}

/// A camera behind a program is known by that, where it has no name of its own.
fn named(config: &CameraConfig) -> CameraConfig {
    let mut config = config.clone();
    if let (true, Some(program)) = (config.device.as_os_str().is_empty(), config.program.first()) {
        config.device = program.into();
    }
    config
}

/// The outcome of opening each, as far as it is known at `until`.
fn wait_for_both(
    backend: &mut impl CameraBackend,
    until: Timestamp,
) -> [Option<Result<Box<dyn CameraLink>, AcquireError>>; 2] {
    let mut found = [None, None];
    loop {
        for (side, found) in found.iter_mut().enumerate() {
            if found.is_none() {
                *found = backend.opened(side);
            }
        }
        let is_done = found.iter().all(Option::is_some) || backend.now() >= until;
        if is_done || backend.wait([None; 2], LOOK).is_err() {
            return found;
        }
    }
}

fn to_pair(paired: Paired<Shared<Frame>>) -> FramePair {
    let [infrared, visible] = paired.frames;
    let [infrared_stale, visible_stale] = paired.stale;
    FramePair {
        infrared,
        visible,
        infrared_stale,
        visible_stale,
    }
}

impl<B: CameraBackend> PairSource for PairedCameras<B> {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_pair(&mut self, timeout: Duration) -> Result<FramePair, AcquireError> {
        let start = self.backend.now();
        if !std::mem::replace(&mut self.begun, true) {
            // Whatever was done since they were opened is not the cameras' fault.
            self.sides.iter_mut().for_each(|side| side.begin(start));
        }
        let deadline = start.plus(timeout);
        let mut wait = Duration::ZERO;
        loop {
            // First what waits in the queues: a camera with full buffers does not hang.
            self.collect(wait);
            self.reopen_lost();
            let now = self.backend.now();
            if let Some(paired) = self.pairer.poll(now) {
                return Ok(to_pair(paired));
            }
            if now >= deadline {
                return Err(AcquireError::Stalled(timeout));
            }
            wait = self.idle(now, deadline);
        }
    }

    fn counters(&self) -> AcquireCounters {
        let [a, b] = &self.sides;
        AcquireCounters {
            infrared_frames: a.received,
            visible_frames: b.received,
            dropped: a.dropped + b.dropped + self.pairer.dropped(),
            damaged: a.damaged + b.damaged,
            cleaning: a.cleaning() + b.cleaning(),
        }
    }

    fn clocks(&self) -> [Option<ClockReading>; 2] {
        self.sides.each_ref().map(CameraChannel::clock)
    }

    fn conditions(&self) -> [Condition; 2] {
        self.sides.each_ref().map(CameraChannel::condition)
    }

    fn complaints(&self) -> [Option<&str>; 2] {
        self.sides.each_ref().map(CameraChannel::complaint)
    }

    fn set_denoise(&mut self, denoise: f32) {
        self.sides[0].set_denoise(denoise);
    }
}

#[cfg(test)]
#[path = "paired_cameras_tests.rs"]
mod tests;
