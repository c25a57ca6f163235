//! Camera faults on demand: the software twin of a loose cable.
//!
//! Input: any [`PairSource`] and a list of faults. Output: its pairs, with the faults in them.
//! Thread: acquire. Blocks: as the source does. Allocates: never. Fails when: a stall is asked
//! for, or the source fails. Not its job: faults inside a frame (see `unpack`).

use std::time::Duration;

use super::{AcquireCounters, AcquireError, ClockReading, PairSource, SourceInfo};
use crate::clean::Condition;
use crate::clock::{Clock, Timestamp};
use crate::config::{FaultConfig, FaultKind};
use crate::frame::{Frame, FramePair, Shared};

/// A source with faults.
pub struct FaultySource {
    inner: Box<dyn PairSource>,
    faults: Vec<FaultConfig>,
    started: Option<Timestamp>,
    /// The frame that is repeated.
    held: Option<Shared<Frame>>,
}

impl FaultySource {
    /// Wraps `inner`; fault times count from its first pair on.
    pub fn new(inner: Box<dyn PairSource>, faults: Vec<FaultConfig>) -> Self {
        Self {
            inner,
            faults,
            started: None,
            held: None,
        }
    }

    fn active(&self, kind: FaultKind, elapsed: Duration) -> bool {
        let t = elapsed.as_secs_f64();
        self.faults.iter().any(|f| {
            f.kind == kind && t >= f.from_s && f.for_s.is_none_or(|for_s| t < f.from_s + for_s)
        })
    }
}

impl PairSource for FaultySource {
    fn info(&self) -> &SourceInfo {
        self.inner.info()
    }

    fn next_pair(&mut self, timeout: Duration) -> Result<FramePair, AcquireError> {
        let elapsed = self
            .started
            .map_or(Duration::ZERO, |s| Clock.now().since(s));
        if self.active(FaultKind::Stall, elapsed) {
            Clock.sleep_until(Clock.now().plus(timeout));
            return Err(AcquireError::Stalled(timeout));
        }
        let mut pair = self.inner.next_pair(timeout)?;
        self.started.get_or_insert_with(|| Clock.now());
        if self.active(FaultKind::HoldInfrared, elapsed) {
            // The first frame of the hold is the one that a camera would repeat.
            match &self.held {
                None => self.held.clone_from(&pair.infrared),
                Some(first) => pair.infrared = Some(first.clone()),
            }
            pair.infrared_stale = true;
        } else {
            self.held = None;
        }
        if self.active(FaultKind::NoInfrared, elapsed) {
            pair.infrared = None;
        }
        if self.active(FaultKind::NoVisible, elapsed) {
            pair.visible = None;
        }
        Ok(pair)
    }

    fn counters(&self) -> AcquireCounters {
        self.inner.counters()
    }

    fn clocks(&self) -> [Option<ClockReading>; 2] {
        self.inner.clocks()
    }

    fn conditions(&self) -> [Condition; 2] {
        self.inner.conditions()
    }

    fn set_denoise(&mut self, denoise: f32) {
        self.inner.set_denoise(denoise);
    }
}
