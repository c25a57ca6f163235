//! When a process that failed may be started again.
//!
//! Input: failures and whether the process had worked. Output: how long to wait. Not its job: starting
//! anything.

use std::time::Duration;

use crate::clock::Timestamp;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);

/// Waits 0.5 s after the first failure, twice as long after each further one, 10 s at most.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    not_before: Timestamp,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            next: FIRST,
            not_before: Timestamp::ZERO,
        }
    }
}

impl Backoff {
    /// The process ended at `now`. `sound`: it had worked, so its end says nothing about the
    /// next one.
    pub fn failed(&mut self, now: Timestamp, sound: bool) {
        if sound {
            self.next = FIRST;
        }
        self.not_before = now.plus(self.next);
        self.next = (self.next * 2).min(LONGEST);
    }

    /// What is left to wait; zero: start now.
    pub fn left(&self, now: Timestamp) -> Duration {
        self.not_before.since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_seconds_and_start_anew_after_work() {
        let mut backoff = Backoff::default();
        let mut now = Timestamp::from_nanos(1);
        assert_eq!(backoff.left(now), Duration::ZERO);
        let mut waits = Vec::new();
        for _ in 0..7 {
            backoff.failed(now, false);
            waits.push(backoff.left(now).as_millis());
            now = now.plus(backoff.left(now));
            assert_eq!(backoff.left(now), Duration::ZERO);
        }
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        backoff.failed(now, true);
        assert_eq!(backoff.left(now), FIRST);
    }
}
