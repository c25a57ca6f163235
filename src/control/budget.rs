//! How many answers a second are given to whoever may only observe.

use std::time::Duration;

use crate::clock::Timestamp;

/// Answers that may be given at once.
const BURST: f64 = 40.0;
/// Answers a second: a client that asks without end takes two percent of a core from the frame path.
const RATE: f64 = 400.0;

/// A token bucket.
#[derive(Debug)]
pub(super) struct Budget {
    left: f64,
    at: Timestamp,
}

impl Budget {
    pub fn new(now: Timestamp) -> Self {
        Self {
            left: BURST,
            at: now,
        }
    }

    /// Takes one answer, where one is left.
    pub fn take(&mut self, now: Timestamp) -> bool {
        self.left = (self.left + RATE * now.since(self.at).as_secs_f64()).min(BURST);
        self.at = now;
        let is_left = self.left >= 1.0;
        self.left -= f64::from(u8::from(is_left));
        is_left
    }

    /// Until there is one again.
    pub fn wait(&self) -> Duration {
        Duration::from_secs_f64((1.0 - self.left).max(0.0) / RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_gets_the_rate_and_a_pause_the_burst() {
        let mut now = Timestamp::ZERO.plus(Duration::from_secs(5));
        let mut budget = Budget::new(now);
        let mut given = 0;
        for _ in 0..10_000 {
            now = now.plus(Duration::from_micros(100));
            given += u32::from(budget.take(now));
        }
        let most = BURST + RATE;
        assert!((f64::from(given) - most).abs() < 2.0, "{given}");
        assert!(budget.wait() <= Duration::from_millis(3));
        now = now.plus(Duration::from_secs(1));
        let at_once = (0..100).filter(|_| budget.take(now)).count();
        assert_eq!(at_once, BURST as usize);
    }
}
