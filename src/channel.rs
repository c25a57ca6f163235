//! The two ways threads hand values over: [`Mailbox`] and [`Watch`]. Both bounded, both tiny.
//!
//! Input and output: any `Send` value. Thread: any. Blocks: [`Mailbox::take`] only, at most its
//! time-out. Allocates: [`Watch::set`] takes an `Arc` made by the caller; nothing else.
//! Fails when: the mailbox is closed ([`Closed`]). Not its job: ordering of more than one value.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The other side is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mailbox is closed")]
pub struct Closed;

#[derive(Debug)]
struct Slot<T> {
    value: Option<T>,
    closed: bool,
}

/// A queue of capacity one in which the newest value wins.
#[derive(Debug)]
pub struct Mailbox<T> {
    slot: Mutex<Slot<T>>,
    filled: Condvar,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self {
            slot: Mutex::new(Slot {
                value: None,
                closed: false,
            }),
            filled: Condvar::new(),
        }
    }
}

impl<T> Mailbox<T> {
    /// Puts a value in, handing back the one it displaced: the caller counts it as dropped.
    ///
    /// # Errors
    /// [`Closed`] once [`Mailbox::close`] was called; the value is dropped.
    pub fn put(&self, value: T) -> Result<Option<T>, Closed> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.closed {
            return Err(Closed);
        }
        let displaced = slot.value.replace(value);
        drop(slot);
        self.filled.notify_one();
        Ok(displaced)
    }

    /// Waits for a value, at most `timeout`; `None` when the time is up.
    ///
    /// # Errors
    /// [`Closed`] once closed and empty.
    pub fn take(&self, timeout: Duration) -> Result<Option<T>, Closed> {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut slot, _) = self
            .filled
            .wait_timeout_while(slot, timeout, |s| s.value.is_none() && !s.closed)
            .unwrap_or_else(PoisonError::into_inner);
        match slot.value.take() {
            Some(value) => Ok(Some(value)),
            None if slot.closed => Err(Closed),
            None => Ok(None),
        }
    }

    /// No more values: `take` drains what is there, then says [`Closed`].
    pub fn close(&self) {
        self.slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.filled.notify_all();
    }
}

/// A value that is replaced whole; readers keep the `Arc` they took for as long as they like.
#[derive(Debug)]
pub struct Watch<T> {
    value: Mutex<Arc<T>>,
}

impl<T> Watch<T> {
    /// Starts with `value`.
    pub fn new(value: T) -> Self {
        Self {
            value: Mutex::new(Arc::new(value)),
        }
    }

    /// The current value.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the value.
    pub fn set(&self, value: Arc<T>) {
        let displaced = {
            let mut slot = self.value.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *slot, value)
        };
        // Dropped outside the lock: freeing a guidance tensor must not make the frame path wait.
        drop(displaced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_value_wins_and_the_displaced_one_comes_back() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.put(1), Ok(None));
        assert_eq!(mailbox.put(2), Ok(Some(1)));
        assert_eq!(mailbox.take(Duration::ZERO), Ok(Some(2)));
        assert_eq!(mailbox.take(Duration::ZERO), Ok(None));
    }

    #[test]
    fn closing_lets_the_last_value_out_first() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.put(7), Ok(None));
        mailbox.close();
        assert_eq!(mailbox.put(8), Err(Closed));
        assert_eq!(mailbox.take(Duration::ZERO), Ok(Some(7)));
        assert_eq!(mailbox.take(Duration::from_secs(9)), Err(Closed));
    }

    #[test]
    fn watch_readers_keep_what_they_took() {
        let watch = Watch::new(1);
        let before = watch.get();
        watch.set(Arc::new(2));
        assert_eq!((*before, *watch.get()), (1, 2));
    }
}
