//! Stops the describer's process while a frame is made.
//!
//! Input: a process; the begin and the end of a frame. Output: signals to it. Blocks: guide for the length
//! of a frame at most. What cannot be stopped goes on. Not its job: pausing it for longer.
//!
//! A language model reads all of its weights for each token. Even on a core of its own it takes memory bandwidth
//! and shared cache from the frame path. So it runs in the gaps between frames: at least half of the time,
//! however long frames take.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::clock::{Clock, Timestamp};

/// The process that is stopped; both threads share it.
#[derive(Debug, Default)]
pub struct DescriberPauser {
    process: Mutex<Option<OwnedFd>>,
}

impl DescriberPauser {
    /// That process from now on, a child that was not waited for.
    pub(super) fn set(&self, pid: u32) {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let process = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        if let Some(Err(error)) = &process {
            log::warn!("film-describe cannot be stopped for frames: {error}");
        }
        *self.lock() = process.and_then(Result::ok);
    }

    /// None any more. It is not stopped then.
    pub(super) fn clear(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<OwnedFd>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops the process for each frame; the frame path holds it.
#[derive(Debug)]
pub struct FramePriority {
    pauser: Option<Arc<DescriberPauser>>,
    /// How much longer the process was stopped than it ran.
    owed: Duration,
    /// End of the last frame.
    last: Timestamp,
}

impl FramePriority {
    /// `None`: there is no process to stop.
    pub fn new(pauser: Option<Arc<DescriberPauser>>) -> Self {
        Self {
            pauser,
            owed: Duration::ZERO,
            last: Clock.now(),
        }
    }

    /// A frame begins; it ends where what this gives is dropped.
    pub fn begin(&mut self) -> PausedGuard<'_> {
        let now = Clock.now();
        self.owed = self.owed.saturating_sub(now.since(self.last));
        self.last = now;
        let stopped = match &self.pauser {
            Some(pauser) if self.owed.is_zero() => Some(pauser.lock()),
            _ => None,
        };
        send(stopped.as_ref(), Signal::STOP);
        PausedGuard {
            stopped,
            owed: &mut self.owed,
            last: &mut self.last,
        }
    }
}

/// One frame.
#[derive(Debug)]
pub struct PausedGuard<'a> {
    stopped: Option<MutexGuard<'a, Option<OwnedFd>>>,
    owed: &'a mut Duration,
    last: &'a mut Timestamp,
}

impl Drop for PausedGuard<'_> {
    fn drop(&mut self) {
        send(self.stopped.as_ref(), Signal::CONT);
        let now = Clock.now();
        if self.stopped.is_some() {
            *self.owed = now.since(*self.last);
            *self.last = now;
        }
    }
}

fn send(process: Option<&MutexGuard<'_, Option<OwnedFd>>>, signal: Signal) {
    if let Some(process) = process.and_then(|process| process.as_ref()) {
        // One that has died is told to nobody: the guide thread finds out.
        let _ = pidfd_send_signal(process, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::process::{Child, Command};

    fn state(child: &Child) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let behind_name = stat.rsplit(") ").next().unwrap();
        behind_name.chars().next().unwrap()
    }

    fn becomes(child: &Child, stopped: bool) -> bool {
        (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            (state(child) == 'T') == stopped
        })
    }

    #[test]
    fn it_stands_still_for_a_frame_and_goes_on_after_it() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pauser = Arc::new(DescriberPauser::default());
        pauser.set(child.id());
        let mut priority = FramePriority::new(Some(Arc::clone(&pauser)));
        let guard = priority.begin();
        assert!(becomes(&child, true));
        drop(guard);
        assert!(becomes(&child, false));
        pauser.clear();
        let guard = priority.begin();
        assert!(!becomes(&child, true), "nobody's process any more");
        drop(guard);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn it_has_half_of_the_time_however_long_frames_take() {
        let pauser = Arc::new(DescriberPauser::default());
        let mut priority = FramePriority::new(Some(pauser));
        let begin = Clock.now();
        let mut stopped = Duration::ZERO;
        for _ in 0..20 {
            let (guard, since) = (priority.begin(), Clock.now());
            let held = guard.stopped.is_some();
            std::thread::sleep(Duration::from_millis(20));
            drop(guard);
            let frame = Clock.now().since(since);
            // Whoever is stopped has worked as long as it was stopped before.
            assert!(!held || 2 * stopped <= since.since(begin) + Duration::from_millis(5));
            stopped += if held { frame } else { Duration::ZERO };
        }
        assert!(stopped > Duration::from_millis(60), "{stopped:?}");
    }

    #[test]
    fn nobody_gives_way_and_the_dead_do_not_mind() {
        drop(FramePriority::new(None).begin());
        let mut child = Command::new("true").spawn().unwrap();
        let pauser = Arc::new(DescriberPauser::default());
        pauser.set(child.id());
        child.wait().unwrap();
        drop(FramePriority::new(Some(pauser)).begin());
    }
}
