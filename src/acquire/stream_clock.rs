//! How a camera's clock runs against the board's, and when its frames were taken by the board's.
//!
//! Input: what a driver stamped a buffer with, its running number, and when it arrived, by the board's
//! clock. Output: the time taken on the board's clock; [`ClockReading`]. Thread: acquire. Blocks: never.
//! Allocates: never. Not its job: what lies between the scene and the stamp (exposure, readout), which no
//! clock tells and `offset_ms` of the configuration corrects.
//!
//! A buffer arrives late by a delay that varies, never early. So the least delay of some seconds is
//! what lies between the two clocks; its change over longer is their drift. Most drivers stamp with
//! the board's own clock: the least delay is small then, and stamps are taken as they are.

use std::time::Duration;

pub use control_protocol::ClockReading;

use crate::clock::Timestamp;

/// How long delays are collected before their least one counts as measured.
const WINDOW: Duration = Duration::from_secs(4);
/// Stamps that are within this of their arrival are of the board's clock: buffers wait for a busy
/// thread, and some drivers stamp the end of a frame before it is there. More at once than this is
/// a clock that was set.
const NEAR: Duration = Duration::from_secs(1);
const NEAR_NS: i64 = NEAR.as_nanos() as i64;
/// Rates further from the nominal one are another rate (a long exposure), not a clock's error.
const SAME_RATE: f64 = 0.02;

/// A stamp and the number it belongs to.
type Mark = (Timestamp, u64);

/// Measures one camera's clock.
#[derive(Debug, Default)]
pub struct StreamClock {
    nominal_fps: Option<f64>,
    last: Option<Timestamp>,
    /// Where the present window began: arrival, and the frame's mark.
    window: Option<(Timestamp, Mark)>,
    /// Least delay of the present window, nanoseconds, with its arrival.
    least: (i64, Timestamp),
    /// The same of the window before.
    before: Option<(i64, Timestamp)>,
    /// The same of the first one.
    first: Option<(i64, Timestamp)>,
    /// The first frame since the clock was set.
    begun: Option<Mark>,
    /// Where the last frame of a clock of its own was placed.
    placed: Timestamp,
    reading: ClockReading,
}

impl StreamClock {
    /// Before the first frame of a stream that should have `nominal_fps`.
    pub fn new(nominal_fps: Option<f64>) -> Self {
        Self {
            nominal_fps,
            ..Self::default()
        }
    }

    /// What was measured so far.
    pub fn reading(&self) -> ClockReading {
        self.reading
    }

    /// When frame `sequence` was taken, on the board's clock, at which it `arrived`; `stamp` is what
    /// its driver says, `None` where it says nothing that can be used.
    pub fn place(
        &mut self,
        stamp: Option<Timestamp>,
        sequence: u64,
        arrived: Timestamp,
    ) -> Timestamp {
        let stamp = stamp.unwrap_or(arrived);
        let delay = arrived.nanos_after(stamp);
        let last = self.last.replace(stamp).unwrap_or(stamp);
        let back = last.since(stamp) > NEAR;
        if back || (self.window.is_some() && delay < self.offset().saturating_sub(NEAR_NS)) {
            self.restart();
        }
        self.measure(stamp, sequence, arrived, delay);
        let offset = self.offset();
        self.reading.own_clock = offset.abs() > NEAR_NS;
        self.reading.offset_ms = offset as f64 / 1e6;
        if !self.reading.own_clock {
            return stamp;
        }
        let waited = u64::try_from(delay.saturating_sub(offset)).unwrap_or(0);
        let taken = arrived.minus(Duration::from_nanos(waited));
        // A least delay that was found to be less must not turn the order of frames.
        let after = self.placed.plus(Duration::from_nanos(1));
        self.placed = taken.max(after).min(arrived);
        self.placed
    }

    fn restart(&mut self) {
        let steps = self.reading.steps + 1;
        *self = Self {
            last: self.last,
            placed: self.placed,
            reading: ClockReading {
                steps,
                ..ClockReading::default()
            },
            ..Self::new(self.nominal_fps)
        };
    }

    /// The least delay of the present window and the one before.
    fn offset(&self) -> i64 {
        self.before
            .map_or(self.least.0, |(delay, _)| delay.min(self.least.0))
    }

    fn measure(&mut self, stamp: Timestamp, sequence: u64, arrived: Timestamp, delay: i64) {
        let mark = (stamp, sequence);
        let Some((since, start)) = self.window else {
            self.window = Some((arrived, mark));
            self.begun = Some(mark);
            self.least = (delay, arrived);
            return;
        };
        if delay < self.least.0 {
            self.least = (delay, arrived);
        }
        if arrived.since(since) < WINDOW {
            return;
        }
        self.reading.fps = rate(start, mark).unwrap_or(0.0);
        self.reading.rate_ppm = self.rate_ppm(mark);
        let first = *self.first.get_or_insert(self.least);
        let span = self.least.1.nanos_after(first.1);
        if span > 0 {
            self.reading.drift_ppm =
                Some(self.least.0.saturating_sub(first.0) as f64 * 1e6 / span as f64);
        }
        self.before = Some(self.least);
        self.least = (delay, arrived);
        self.window = Some((arrived, mark));
    }

    fn rate_ppm(&self, now: Mark) -> Option<f64> {
        let ratio = rate(self.begun?, now)? / self.nominal_fps?;
        ((ratio - 1.0).abs() < SAME_RATE).then_some((ratio - 1.0) * 1e6)
    }
}

/// Frames a second between two marks; `None` where no time lies between.
fn rate(from: Mark, to: Mark) -> Option<f64> {
    let span = to.0.since(from.0).as_secs_f64();
    (span > 0.0).then(|| to.1.saturating_sub(from.1) as f64 / span)
}

#[cfg(test)]
#[path = "stream_clock_tests.rs"]
mod tests;
