//! When describing would cost more than it is worth: the board is hot, or frames are lost by it.
//!
//! Input: a thermal zone's file, the frame path's counters. Output: a reason to wait. Blocks: on one small
//! read of sysfs a second. A zone that cannot be read is not hot. Not its job: cooling, throttling.

use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Timestamp;

/// Describing goes on when it is so much colder, degrees Celsius.
const COOLER: f32 = 5.0;
/// Between two reads.
const EVERY: Duration = Duration::from_secs(1);
/// Part of the pairs that may be lost beyond those that are lost anyway.
const MARGIN: f64 = 0.1;
/// Fewer pairs tell nothing.
const FEWEST: u64 = 10;
/// Longest rest.
const LONGEST: Duration = Duration::from_secs(60);

/// Whether the board is too hot.
#[derive(Debug)]
pub(super) struct Thermometer {
    zone: Option<PathBuf>,
    above: f32,
    last: Option<Timestamp>,
    celsius: Option<f32>,
    hot: bool,
}

impl Thermometer {
    /// `zone`: a file with thousandths of a degree, or that of the processor; `above`: hot,
    /// degrees Celsius.
    pub fn new(zone: Option<PathBuf>, above: f32) -> Self {
        Self {
            zone,
            above,
            last: None,
            celsius: None,
            hot: false,
        }
    }

    /// The reason to wait.
    pub fn reason(&mut self, now: Timestamp) -> Option<String> {
        if self.last.is_none_or(|last| now.distance(last) >= EVERY) {
            self.last = Some(now);
            self.celsius = self.read();
            let limit = self.above - if self.hot { COOLER } else { 0.0 };
            self.hot = self.celsius.is_some_and(|celsius| celsius >= limit);
        }
        let celsius = self.celsius.filter(|_| self.hot)?;
        Some(format!(
            "the board has {celsius:.0} degrees, describing waits until it is below {:.0}",
            self.above - COOLER
        ))
    }

    fn read(&self) -> Option<f32> {
        crate::metrics::board_celsius(self.zone.as_deref())
    }
}

/// The frame path's counters since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameCount {
    /// Pairs that came from the source.
    pub pairs: u64,
    /// Pairs or frames of these that newer ones displaced: the path missed its deadline.
    pub missed: u64,
}

/// Whether frames are lost by describing.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    before: FrameCount,
    /// Part of the pairs lost while nothing is described.
    idle: Option<f64>,
    rest: Duration,
}

impl Lateness {
    /// A description begins.
    pub fn begin(&mut self, now: FrameCount) {
        if let Some(share) = share(self.before, now) {
            self.idle = Some(share);
        }
        self.before = now;
    }

    /// It has ended. Returns how long to rest, zero where it did no harm; twice as long each time
    /// it does, at most `most` and a minute.
    pub fn end(&mut self, now: FrameCount, least: Duration, most: Duration) -> Duration {
        let busy = share(self.before, now);
        self.before = now;
        match (busy, self.idle) {
            (Some(busy), Some(idle)) if busy > idle + MARGIN => {
                self.rest = (self.rest * 2).max(least).min(most.min(LONGEST));
            }
            (Some(_), _) => self.rest = Duration::ZERO,
            (None, _) => {}
        }
        self.rest
    }
}

fn share(before: FrameCount, now: FrameCount) -> Option<f64> {
    let pairs = now.pairs.saturating_sub(before.pairs);
    let missed = now.missed.saturating_sub(before.missed);
    (pairs >= FEWEST).then(|| missed as f64 / pairs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO.plus(Duration::from_secs(1000 + seconds))
    }

    #[test]
    fn a_hot_board_is_waited_for_until_it_is_clearly_colder() {
        let folder = tempfile::tempdir().unwrap();
        let zone = folder.path().join("temp");
        let mut thermometer = Thermometer::new(Some(zone.clone()), 80.0);
        assert_eq!(thermometer.reason(at(0)), None);
        for (second, milli, hot) in [
            (1, "79999\n", false),
            (2, "80000\n", true),
            (3, "75001\n", true),
            (4, "74900\n", false),
            (5, "79000\n", false),
            (6, "90000\n", true),
            (7, "nonsense", false),
            (8, "NaN", false),
        ] {
            std::fs::write(&zone, milli).unwrap();
            assert_eq!(thermometer.reason(at(second)).is_some(), hot, "{milli}");
            // Not read again within a second.
            std::fs::write(&zone, "200000").unwrap();
            assert_eq!(thermometer.reason(at(second)).is_some(), hot, "{milli}");
        }
    }

    #[test]
    fn only_losses_by_describing_count_and_rests_double() {
        let (least, most) = (Duration::from_secs(3), Duration::from_secs(15));
        let mut lateness = Lateness::default();
        let mut now = FrameCount::default();
        let mut round = |idle: u64, busy: u64| {
            now.pairs += 100;
            now.missed += idle;
            lateness.begin(now);
            now.pairs += 100;
            now.missed += busy;
            lateness.end(now, least, most).as_secs()
        };
        assert_eq!(round(0, 5), 0);
        assert_eq!(
            [round(0, 50), round(0, 50), round(0, 50), round(0, 50)],
            [3, 6, 12, 15]
        );
        assert_eq!(round(0, 0), 0);
        // A path that is always late is not so by describing.
        assert_eq!(round(60, 65), 0);
        assert_eq!(round(60, 80), 3);
    }

    #[test]
    fn a_few_pairs_tell_nothing() {
        let mut lateness = Lateness::default();
        let count = |pairs, missed| FrameCount { pairs, missed };
        lateness.begin(count(100, 0));
        let rest = lateness.end(count(105, 5), Duration::from_secs(1), LONGEST);
        assert_eq!(rest, Duration::ZERO);
    }
}
