//! The tone map's three parameters: estimated from a picture, followed over time.
//!
//! Input: histogram and grid statistics, timestamps. Output: [`Parameters`]. Thread: fuse. Blocks: never.
//! Allocates: never. Not its job: pixels.
//!
//! Integers only: the same pictures and timestamps give the same parameters on every processor.

use super::grid::GridStatistics;
use super::params::{
    BASE_MAX, BASE_MIN, BASE_RANGE, DETAIL_MAX, DETAIL_MIN, FOLLOW, GAIN_BAND, LOCAL_CONTRAST, ONE,
    PERCENTILE, PIVOT_BAND,
};
use crate::clock::Timestamp;
use crate::simd::tone::GAIN_BITS;

/// What the map does, at strength 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameters {
    /// The level that the base's gain leaves alone, in 1/2^[`GAIN_BITS`].
    pub pivot: i32,
    /// Gain of the base, in 1/2^[`GAIN_BITS`].
    pub base: i32,
    /// Gain of detail, in 1/2^[`GAIN_BITS`].
    pub detail: i32,
}

impl Parameters {
    /// What one picture by itself asks for.
    pub fn of(histogram: &[u32; 256], grid: GridStatistics) -> Self {
        let range = (percentile(histogram, 100 - PERCENTILE) - percentile(histogram, PERCENTILE))
            .max(1) as i32;
        // Rounded: the root of 1/65536 level squared is 1/256 level.
        let contrast = grid.variance.isqrt().max(1);
        let room = (LOCAL_CONTRAST as u64) << 8;
        Self {
            pivot: grid.mean << (GAIN_BITS - 8),
            base: ((BASE_RANGE << GAIN_BITS) / range).clamp(BASE_MIN, BASE_MAX),
            detail: ((DETAIL_MAX as u64 * room / contrast).min(DETAIL_MAX as u64) as i32)
                .max(DETAIL_MIN),
        }
    }

    /// The same with the gains drawn towards one (`strength` below 256) or away from it.
    pub fn at_strength(self, strength: i32) -> Self {
        let scaled = |gain: i32| ONE + (((gain - ONE) * strength) >> 8);
        Self {
            pivot: self.pivot,
            base: scaled(self.base),
            detail: scaled(self.detail),
        }
    }
}

/// The level below which `percent` of the pixels lie.
fn percentile(histogram: &[u32; 256], percent: usize) -> usize {
    let total: u64 = histogram.iter().map(|&n| u64::from(n)).sum();
    let mut below = 0;
    for (level, &n) in histogram.iter().enumerate() {
        below += u64::from(n);
        if below * 100 > total * percent as u64 {
            return level;
        }
    }
    255
}

/// Follows what the pictures ask for, slowly, and not at all within a dead band: a hot object that
/// enters must not make the rest pump.
#[derive(Debug, Default)]
pub(super) struct Follower {
    state: Option<(Timestamp, Parameters)>,
}

impl Follower {
    /// The parameters of the picture of that time, which by itself asks for `wanted`. The first
    /// picture gets what it asks for.
    pub fn follow(&mut self, at: Timestamp, wanted: Parameters) -> Parameters {
        let Some((before, now)) = self.state else {
            self.state = Some((at, wanted));
            return wanted;
        };
        let share = share(before, at);
        let next = Parameters {
            pivot: towards(now.pivot, wanted.pivot, PIVOT_BAND << GAIN_BITS, share),
            base: towards(now.base, wanted.base, GAIN_BAND, share),
            detail: towards(now.detail, wanted.detail, GAIN_BAND, share),
        };
        self.state = Some((before.max(at), next));
        next
    }
}

/// The part of the way that is gone between two pictures, in 1/65536: `dt / (FOLLOW + dt)`, the
/// exponential filter by backward Euler, whose steps need no exponential function.
fn share(before: Timestamp, at: Timestamp) -> i64 {
    let (dt, follow) = (at.since(before).as_nanos(), FOLLOW.as_nanos());
    (dt * 65_536 / (follow + dt)) as i64
}

fn towards(now: i32, wanted: i32, band: i32, share: i64) -> i32 {
    let error = wanted - now;
    let beyond = i64::from(error - error.clamp(-band, band));
    now + (beyond * share / 65_536) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(ms: u64) -> Timestamp {
        Timestamp::ZERO.plus(Duration::from_millis(ms))
    }

    fn of(level: i32, base: i32) -> Parameters {
        Parameters {
            pivot: level << GAIN_BITS,
            base,
            detail: ONE,
        }
    }

    #[test]
    fn percentiles_count_pixels() {
        let mut histogram = [0; 256];
        histogram[10] = 2;
        histogram[50] = 96;
        histogram[200] = 2;
        let found = [1, 2, 50, 97, 98, 99].map(|p| percentile(&histogram, p));
        assert_eq!(found, [10, 50, 50, 50, 200, 200]);
    }

    #[test]
    fn gains_are_bounded_whatever_the_picture() {
        for variance in [0, 1 << 16, 400 << 16, 1 << 30] {
            for (low, high) in [(0, 255), (100, 100), (60, 200)] {
                let mut histogram = [0; 256];
                histogram[low] += 50;
                histogram[high] += 50;
                let found = Parameters::of(&histogram, GridStatistics { mean: 0, variance });
                assert!((BASE_MIN..=BASE_MAX).contains(&found.base));
                assert!((DETAIL_MIN..=DETAIL_MAX).contains(&found.detail));
            }
        }
    }

    #[test]
    fn contrast_lowers_the_gain() {
        let gain = |rms: u64| {
            let variance = (rms * rms) << 16;
            Parameters::of(&[1; 256], GridStatistics { mean: 0, variance }).detail
        };
        assert_eq!(gain(5), DETAIL_MAX);
        assert!(gain(35) < DETAIL_MAX && gain(35) > gain(36));
        assert_eq!(gain(120), DETAIL_MIN);
    }

    #[test]
    fn strength_zero_is_no_map() {
        let wild = Parameters {
            pivot: 5,
            base: BASE_MIN,
            detail: DETAIL_MAX,
        };
        let none = wild.at_strength(0);
        assert_eq!((none.base, none.detail), (ONE, ONE));
        assert_eq!(wild.at_strength(256), wild);
    }

    #[test]
    fn the_first_picture_gets_what_it_asks_for_and_later_ones_follow_slowly() {
        let mut follower = Follower::default();
        assert_eq!(follower.follow(at(0), of(100, ONE)), of(100, ONE));
        let (first, far) = (follower.follow(at(33), of(200, ONE * 2)), of(200, ONE * 2));
        let step = (first.pivot - (100 << GAIN_BITS)) as f64 / f64::from(ONE);
        assert!(step > 1.0 && step < 2.0, "{step} levels in a frame");
        let mut last = first;
        for n in 2..600 {
            let next = follower.follow(at(33 * n), far);
            assert!(next.pivot >= last.pivot && next.base >= last.base);
            last = next;
        }
        // It ends at the edge of the dead band.
        assert!((far.pivot - last.pivot) >> GAIN_BITS <= PIVOT_BAND + 1);
    }

    #[test]
    fn small_changes_move_nothing() {
        let mut follower = Follower::default();
        follower.follow(at(0), of(100, ONE));
        for n in 1..200 {
            let wanted = of(100 + (n % 3) as i32 - 1, ONE + GAIN_BAND / 2);
            assert_eq!(follower.follow(at(33 * n), wanted), of(100, ONE));
        }
    }

    #[test]
    fn half_the_frames_come_to_the_same_place() {
        let go = |step: u64| {
            let mut follower = Follower::default();
            follower.follow(at(0), of(50, ONE));
            let last = (1..=60 / step).map(|n| follower.follow(at(33 * n * step), of(150, ONE)));
            f64::from(last.last().unwrap().pivot) / f64::from(ONE)
        };
        assert!((go(1) - go(2)).abs() < 1.0, "{} {}", go(1), go(2));
    }

    #[test]
    fn time_that_goes_back_moves_nothing() {
        let mut follower = Follower::default();
        follower.follow(at(1000), of(100, ONE));
        assert_eq!(follower.follow(at(10), of(200, ONE)), of(100, ONE));
    }
}
