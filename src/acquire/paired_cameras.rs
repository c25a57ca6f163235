//! Two V4L2 cameras as one source of pairs.
//!
//! Input: two [`CameraConfig`]s. Output: pairs. Thread: acquire; both
//! cameras are polled together, there is no thread of its own. Blocks: at most the time-out, and
//! while a lost camera is opened again. Allocates: when made and when a camera comes back. Fails
//! when: at the start a camera is there and cannot be used, or neither is there; one that is missing,
//! then or later, only leaves its side empty and is looked for again while the other one goes on. Not its job: pairing
//! rules (see `pairing`), pixel formats (see `unpack`).

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::camera::side::{Shot, Side};
use super::camera::{CameraLink, V4lCamera, check_config, expected};
use super::pairing::{Paired, Pairer, PairingConfig};
use super::{AcquireCounters, AcquireError, ClockReading, PairSource, Role, SourceInfo};
use crate::clean::Condition;
use crate::clock::{Clock, Timestamp};
use crate::config::{CameraConfig, CamerasConfig, CleanConfig};
use crate::frame::FramePair;
use crate::sys::poll::wait_readable;

/// The least time that is slept, so that rounding never makes a busy loop.
const LEAST_WAIT: Duration = Duration::from_micros(500);
/// Buffers taken in a row before a pair is made of them.
const DRAIN: usize = 16;

/// The system calls: opening, waiting, the time.
pub trait CameraBackend: Send {
    /// Opens a camera.
    ///
    /// # Errors
    /// [`AcquireError::Source`].
    fn open(&mut self, config: &CameraConfig) -> Result<Box<dyn CameraLink>, AcquireError>;

    /// Which of the two has a buffer; waits for one, at most `timeout`.
    ///
    /// # Errors
    /// What poll(2) says.
    fn wait(&mut self, fds: [Option<RawFd>; 2], timeout: Duration) -> io::Result<[bool; 2]>;

    /// Now.
    fn now(&self) -> Timestamp;
}

/// Real devices.
#[derive(Debug, Default)]
pub struct V4lBackend;

impl CameraBackend for V4lBackend {
    fn open(&mut self, config: &CameraConfig) -> Result<Box<dyn CameraLink>, AcquireError> {
        Ok(Box::new(V4lCamera::open(config)?))
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
    sides: [Side; 2],
    pairer: Pairer<Shot>,
    info: SourceInfo,
}

impl PairedCameras<V4lBackend> {
    /// Opens both devices.
    ///
    /// # Errors
    /// [`AcquireError::Source`], naming the device, what was found and what to do.
    pub fn new(config: &CamerasConfig, clean: &CleanConfig) -> Result<Self, AcquireError> {
        Self::with_backend(config, clean, V4lBackend)
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
        let configs = [&config.infrared, &config.visible];
        let formats = [check_config(configs[0])?, check_config(configs[1])?];
        let opened = configs.map(|config| backend.open(config));
        let now = backend.now();
        let (roles, mut missing) = ([Role::Infrared, Role::Visible], None);
        let mut sides = Vec::with_capacity(2);
        for (i, link) in opened.into_iter().enumerate() {
            let (link, error) = match link {
                Ok(link) => (Some(link), None),
                Err(error @ AcquireError::Absent { .. }) => (None, Some(error)),
                Err(error) => return Err(error),
            };
            let expected = expected(configs[i], formats[i]);
            let mut side = Side::new(roles[i], configs[i].clone(), link, expected, clean, now);
            if let Some(error) = error {
                side.complain(&error);
                if let Some(first) = missing.replace(error) {
                    return Err(first);
                }
            }
            sides.push(side);
        }
        let Ok(sides) = <[Side; 2]>::try_from(sides) else {
            unreachable!("two cameras were opened")
        };
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
        })
    }

    /// Opens lost cameras whose pause is over; gives up those that hang.
    fn mend(&mut self) {
        for side in &mut self.sides {
            let now = self.backend.now();
            if side.give_up_if_hung(now) {
                self.pairer.lose(side.role);
            } else if side.retry_at().is_some_and(|at| at <= now) {
                let link = self.backend.open(&side.config);
                side.reopen(link, now, self.backend.now());
            }
        }
    }

    /// Waits for buffers, at most `wait`, and takes all that are there.
    fn collect(&mut self, mut wait: Duration) {
        for _ in 0..DRAIN {
            let fds = self.sides.each_ref().map(Side::fd);
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
                    Some(shot) => self.pairer.push(side.role, shot, now),
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
        let retries = self.sides.iter().filter_map(Side::retry_at);
        let next = retries
            .chain(self.pairer.deadline(now))
            .fold(deadline, Timestamp::min);
        next.since(now).max(LEAST_WAIT)
    }
}

fn to_pair(paired: Paired<Shot>) -> FramePair {
    let [infrared, visible] = paired.frames.map(|shot| shot.map(|shot| shot.frame));
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
        let deadline = self.backend.now().plus(timeout);
        let mut wait = Duration::ZERO;
        loop {
            self.mend();
            self.collect(wait);
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
        self.sides.each_ref().map(Side::clock)
    }

    fn conditions(&self) -> [Condition; 2] {
        self.sides.each_ref().map(Side::condition)
    }

    fn set_denoise(&mut self, denoise: f32) {
        self.sides[0].set_denoise(denoise);
    }
}

#[cfg(test)]
#[path = "paired_cameras_tests.rs"]
mod tests;
