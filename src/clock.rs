//! Time. The only place that reads a clock.
//!
//! Input: the kernel's monotonic clock, the one V4L2 stamps frames with. Output: [`Timestamp`]. Blocks:
//! only [`Clock::sleep_until`]. Not its job: timing anything by the calendar, which boards without a
//! battery clock do not have.

use std::time::Duration;

/// A point on CLOCK_MONOTONIC, in nanoseconds since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The origin.
    pub const ZERO: Self = Self(0);

    /// From nanoseconds since boot.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// From what V4L2 reports: seconds and microseconds. Negative values (a driver's fault)
    /// become zero.
    pub fn from_timeval(seconds: i64, micros: i64) -> Self {
        let (Ok(seconds), Ok(micros)) = (u64::try_from(seconds), u64::try_from(micros)) else {
            return Self::ZERO;
        };
        Self(
            seconds
                .saturating_mul(1_000_000_000)
                .saturating_add(micros.saturating_mul(1_000)),
        )
    }

    /// Nanoseconds since boot.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Absolute distance in time.
    pub fn distance(self, other: Self) -> Duration {
        Duration::from_nanos(self.0.abs_diff(other.0))
    }

    /// `self` - `other`, nanoseconds; the nearest that an `i64` and its negative hold.
    pub fn nanos_after(self, other: Self) -> i64 {
        let nanos = i128::from(self.0) - i128::from(other.0);
        let most = i128::from(i64::MAX);
        i64::try_from(nanos.clamp(-most, most)).unwrap_or(i64::MAX)
    }

    /// `self` + `duration`, at most the end of time.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// `self` - `duration`, at least the origin.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(nanos))
    }
}

/// The monotonic clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// Now.
    pub fn now(self) -> Timestamp {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Timestamp::from_timeval(t.tv_sec, 0)
            .plus(Duration::from_nanos(u64::try_from(t.tv_nsec).unwrap_or(0)))
    }

    /// Seconds since 1970, for people who read a log; `None` where the board's calendar was never
    /// set (it says a year before 2024). It may jump: nothing is timed by it.
    pub fn calendar(self) -> Option<u64> {
        const YEAR_2024: u64 = 1_704_067_200;
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        u64::try_from(t.tv_sec).ok().filter(|&s| s >= YEAR_2024)
    }

    /// Sleeps until `deadline`; returns at once where it has passed.
    pub fn sleep_until(self, deadline: Timestamp) {
        let left = deadline.since(self.now());
        if !left.is_zero() {
            std::thread::sleep(left);
        }
    }
}
