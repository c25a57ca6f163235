//! Retries a transfer, for loose wires.
//!
//! Input: something that may fail. Output: its result. Thread: any. Blocks: as long as that does.
//! Allocates: never. Fails when: the last attempt did. Not its job: what a failure leaves behind;
//! only transfers that may be repeated without harm are retried.

use std::io;

/// How often the same bytes are sent before a panel counts as lost.
pub(super) const ATTEMPTS: u32 = 3;

/// Does `what` until it succeeds, at most [`ATTEMPTS`] times.
pub(super) fn retry(mut what: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    for _ in 1..ATTEMPTS {
        if what().is_ok() {
            return Ok(());
        }
    }
    what()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_three_attempts_counts() {
        for needed in 1..=4 {
            let mut done = 0;
            let result = retry(|| {
                done += 1;
                if done < needed {
                    return Err(io::Error::other(format!("attempt {done}")));
                }
                Ok(())
            });
            assert_eq!(done, needed.min(3));
            match result {
                Ok(()) => assert!(needed <= 3),
                Err(error) => assert_eq!((error.to_string().as_str(), needed), ("attempt 3", 4)),
            }
        }
    }
}
