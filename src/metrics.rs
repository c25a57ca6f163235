//! What the daemon knows about itself: counters, and the last few thousand timings of each stage.
//!
//! Input: one call per frame from each thread. Output: [`Summary`] for status, demo and bench. Not its job:
//! history; a status reader that wants one asks again.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

pub use control_protocol::{Marks, Quantiles, StageTimes, Summary};

/// How many timings a series keeps: two minutes at 30 frames a second.
const KEPT: usize = 4096;

/// The newest 4096 durations of one stage, in microseconds.
#[derive(Debug)]
pub struct Series {
    ring: Box<[AtomicU32]>,
    count: AtomicUsize,
}

impl Default for Series {
    fn default() -> Self {
        Self::new()
    }
}

impl Series {
    /// An empty series.
    pub fn new() -> Self {
        let ring = std::iter::repeat_with(AtomicU32::default)
            .take(KEPT)
            .collect();
        Self {
            ring,
            count: AtomicUsize::new(0),
        }
    }

    /// Adds a duration; the oldest one goes. One writer at a time.
    pub fn add(&self, duration: Duration) {
        let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        let at = self.count.fetch_add(1, Relaxed) % KEPT;
        self.ring[at].store(micros, Relaxed);
    }

    /// Durations added so far, also those that are gone.
    pub fn added(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// The durations after the first `from` that were added, microseconds, as far as they are
    /// kept, in no order.
    pub fn since(&self, from: usize) -> Vec<u32> {
        let to = self.added();
        let from = from.max(to.saturating_sub(KEPT));
        let kept = from..to.max(from);
        kept.map(|i| self.ring[i % KEPT].load(Relaxed)).collect()
    }

    /// Quantiles of what is kept, in milliseconds.
    pub fn summary(&self) -> Quantiles {
        Quantiles::of(self.since(0))
    }
}

/// Counters and timings of a running pipeline.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Pairs the source handed out.
    pub pairs: AtomicU64,
    /// Pairs displaced by a newer one before they were fused.
    pub pairs_displaced: AtomicU64,
    /// Frames that the source itself dropped.
    pub source_dropped: AtomicU64,
    /// Frames that could not be unpacked.
    pub damaged: AtomicU64,
    /// Frames fused (by the network or by classic fusion).
    pub fused: AtomicU64,
    /// Fused frames mixed with the one before: a new text changed the picture too much at once.
    pub held_back: AtomicU64,
    /// Frames on which the network failed.
    pub fuse_errors: AtomicU64,
    /// Fused frames displaced by a newer one before they were shown.
    pub fused_displaced: AtomicU64,
    /// Frames shown.
    pub presented: AtomicU64,
    /// Times it was shown that no frame comes.
    pub cards: AtomicU64,
    /// Times the screen was lost.
    pub screen_errors: AtomicU64,
    /// Transfers to the screen that failed and were made again, as far as it knows.
    pub screen_retries: AtomicU64,
    /// Failures of the status panel.
    pub panel_errors: AtomicU64,
    /// Times no pair came within the stall time.
    pub stalls: AtomicU64,
    /// Guidance values put into effect after the first (neutral) one.
    pub guidance_swaps: AtomicU64,
    /// Time between the two frames of a pair.
    pub skew: Series,
    /// From the source's timestamp until the pair is handed on.
    pub acquire: Series,
    /// Cleaning the sources' pictures, in the acquire thread.
    pub clean: Series,
    /// Stage timings.
    pub align: Series,
    /// Network or classic fusion, luma in, luma out.
    pub fuse: Series,
    /// The tone map; nothing where it is off.
    pub tone: Series,
    /// Colour and mode.
    pub compose: Series,
    /// Overlay and screen.
    pub present: Series,
    /// From the source's timestamp to shown: added by filmd, without the cameras' own latency.
    pub latency: Series,
}

impl Metrics {
    /// All of it at this moment. Allocates; not for the frame path.
    pub fn summary(&self) -> Summary {
        let get = |c: &AtomicU64| c.load(Relaxed);
        Summary {
            pairs: get(&self.pairs),
            fused: get(&self.fused),
            presented: get(&self.presented),
            dropped: get(&self.pairs_displaced)
                + get(&self.fused_displaced)
                + get(&self.source_dropped),
            damaged: get(&self.damaged),
            fuse_errors: get(&self.fuse_errors),
            screen_errors: get(&self.screen_errors),
            screen_retries: get(&self.screen_retries),
            panel_errors: get(&self.panel_errors),
            stalls: get(&self.stalls),
            guidance_swaps: get(&self.guidance_swaps),
            skew_ms: self.skew.summary(),
            stages_ms: StageTimes {
                acquire: self.acquire.summary(),
                clean: self.clean.summary(),
                align: self.align.summary(),
                fuse: self.fuse.summary(),
                tone: self.tone.summary(),
                compose: self.compose.summary(),
                present: self.present.summary(),
                latency: self.latency.summary(),
            },
        }
    }
}

/// One more.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// Resident memory of a process in bytes, from /proc; `None` where there is no such process.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// The board's temperature, degrees Celsius, from `zone` (thousandths of a degree as text) or the
/// first of /sys/class/thermal; `None` where it does not say.
pub fn board_celsius(zone: Option<&std::path::Path>) -> Option<f32> {
    let usual = std::path::Path::new("/sys/class/thermal/thermal_zone0/temp");
    let text = std::fs::read_to_string(zone.unwrap_or(usual)).ok()?;
    let milli: f32 = text.trim().parse().ok()?;
    Some(milli / 1000.0).filter(|celsius| celsius.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_rank() {
        let series = Series::new();
        for ms in 1..=100 {
            series.add(Duration::from_millis(ms));
        }
        assert_eq!(
            series.summary(),
            Quantiles {
                p50: 50.0,
                p99: 99.0
            }
        );
    }

    #[test]
    fn an_empty_series_has_zero_quantiles() {
        assert_eq!(Series::new().summary(), Quantiles::default());
    }

    #[test]
    fn the_oldest_timings_go() {
        let series = Series::new();
        series.add(Duration::from_secs(9));
        for _ in 0..KEPT {
            series.add(Duration::from_millis(1));
        }
        assert_eq!(series.summary().p99, 1.0);
    }

    #[test]
    fn a_part_of_the_timings_can_be_read() {
        let series = Series::new();
        for ms in 1..=10 {
            series.add(Duration::from_millis(ms));
        }
        let from = series.added();
        assert!(series.since(from).is_empty());
        series.add(Duration::from_millis(99));
        assert_eq!(series.since(from), [99_000]);
        for _ in 0..2 * KEPT {
            series.add(Duration::from_millis(1));
        }
        assert_eq!(series.since(from).len(), KEPT);
    }

    #[test]
    fn own_memory_is_known() {
        assert!(resident_bytes(std::process::id()).is_some_and(|b| b > 100_000));
        assert_eq!(resident_bytes(u32::MAX), None);
    }
}
