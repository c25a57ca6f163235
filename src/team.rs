//! A team of threads that shares each frame's work; no thread is made per frame.
//!
//! The caller's `spawn` makes the threads once. [`Team::each`] runs on the caller's thread, takes its share of
//! the items and returns when every item is done. It waits for items that another thread has begun, and does
//! the others itself: a thread that the scheduler keeps away delays nothing. A panic in an item becomes the
//! caller's. Allocates: when made.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Looks at what may come at once before a thread goes to sleep: some ten microseconds, about as
/// long as waking it takes.
const LOOKS: usize = 2000;

/// Something to do for each number below `count`.
#[derive(Clone, Copy)]
struct Job {
    run: &'static (dyn Fn(usize) + Sync),
    count: usize,
}

#[derive(Default)]
struct State {
    task: Option<Job>,
    /// Threads that sleep until there is a task.
    asleep: usize,
    stop: bool,
    panic: Option<Box<dyn Any + Send>>,
}

#[derive(Default)]
struct TeamState {
    state: Mutex<State>,
    begun: Condvar,
    done: Condvar,
    /// Tasks so far; changed under the lock, read without it.
    tasks: AtomicUsize,
    /// Threads that are in the task; changed under the lock, read without it.
    inside: AtomicUsize,
    /// The next item that nobody has begun.
    next: AtomicUsize,
}

/// A number of threads, of which the caller is one.
pub struct Team {
    shared: Arc<TeamState>,
    helpers: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Team {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Team of {}", self.size())
    }
}

impl Default for Team {
    fn default() -> Self {
        Self::alone()
    }
}

impl Team {
    /// The caller alone.
    pub fn alone() -> Self {
        Self {
            shared: Arc::default(),
            helpers: Vec::new(),
        }
    }

    /// With `helpers` threads made by `spawn`, which gets each one's number from 1 on and what it
    /// has to run.
    ///
    /// # Errors
    /// What `spawn` says; threads made before are ended.
    pub fn start(
        helpers: usize,
        mut spawn: impl FnMut(usize, Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>>,
    ) -> io::Result<Self> {
        let mut team = Self::alone();
        for number in 1..=helpers {
            let shared = Arc::clone(&team.shared);
            team.helpers
                .push(spawn(number, Box::new(move || shared.help()))?);
        }
        Ok(team)
    }

    /// Threads, the caller among them.
    pub fn size(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Calls `each` once for every item, on all threads, and returns when all are done.
    pub fn each<I: Send>(&self, items: &mut [I], each: impl Fn(&mut I) + Sync) {
        if self.helpers.is_empty() || items.len() < 2 {
            return items.iter_mut().for_each(each);
        }
        let (count, first) = (items.len(), Items(items.as_mut_ptr()));
        let run = move |n: usize| {
            // The whole of it, not its pointer, which could not be sent.
            let Items(first) = { &first };
            // SAFETY: n is below the number of items, which outlive this function; `all` calls
            // this once for each n, so that nobody else has this item.
            #[expect(unsafe_code, reason = "items are given to threads by their numbers")]
            let item = unsafe { &mut *first.add(n) };
            each(item);
        };
        self.all(count, &run);
    }

    /// Calls `run` once for every number below `count`.
    fn all(&self, count: usize, run: &(dyn Fn(usize) + Sync)) {
        let shared = &*self.shared;
        let mut state = shared.lock();
        if state.task.is_some() || shared.inside.load(Ordering::Acquire) > 0 {
            // Another thread is using the team, or this one's share is: then alone. While anyone is
            // inside of an earlier task, `next` is that one's.
            drop(state);
            return (0..count).for_each(run);
        }
        // SAFETY: only the life time changes. Threads get the reference from `state.task` alone,
        // are counted as inside while they have it, and `Ended` takes it out of there and waits
        // for those inside before this function ends, also where `run` panics.
        #[expect(unsafe_code, reason = "threads outlive what they are lent")]
        let lent = unsafe {
            std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(run)
        };
        shared.next.store(0, Ordering::Relaxed);
        state.panic = None;
        state.task = Some(Job { run: lent, count });
        shared.tasks.fetch_add(1, Ordering::Release);
        let asleep = state.asleep;
        drop(state);
        if asleep > 0 {
            shared.begun.notify_all();
        }
        let ended = Ended(shared);
        shared.share(count, run);
        drop(ended);
        let panic = shared.lock().panic.take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        // Those that look without the lock see a change, too.
        self.shared.tasks.fetch_add(1, Ordering::Release);
        self.shared.begun.notify_all();
        for helper in self.helpers.drain(..) {
            // A helper catches its panics; there is nothing to report.
            let _ = helper.join();
        }
    }
}

/// The first of some items.
struct Items<I>(*mut I);

// SAFETY: see `Team::each`: every item is used by one thread only, and may be sent there.
#[expect(unsafe_code, reason = "items are given to threads by their numbers")]
unsafe impl<I: Send> Sync for Items<I> {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "items are given to threads by their numbers")]
unsafe impl<I: Send> Send for Items<I> {}

/// Ends a task when it is dropped: nobody may begin, and those inside are waited for.
struct Ended<'a>(&'a TeamState);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let shared = self.0;
        let mut state = shared.lock();
        state.task = None;
        if shared.inside.load(Ordering::Acquire) > 0 {
            drop(state);
            look(|| shared.inside.load(Ordering::Acquire) == 0);
            state = shared.lock();
        }
        while shared.inside.load(Ordering::Acquire) > 0 {
            state = unpoisoned(shared.done.wait(state));
        }
    }
}

impl TeamState {
    fn lock(&self) -> MutexGuard<'_, State> {
        unpoisoned(self.state.lock())
    }

    /// Does items that nobody has begun, until there are none.
    fn share(&self, count: usize, run: &(dyn Fn(usize) + Sync)) {
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            if n >= count {
                return;
            }
            run(n);
        }
    }

    /// What a helper does all its life.
    fn help(&self) {
        let mut seen = 0;
        while let Some(task) = self.wait(&mut seen) {
            let result = catch_unwind(AssertUnwindSafe(|| self.share(task.count, task.run)));
            let mut state = self.lock();
            if let Err(panic) = result {
                state.panic.get_or_insert(panic);
            }
            if self.inside.fetch_sub(1, Ordering::AcqRel) == 1 {
                drop(state);
                self.done.notify_all();
            }
        }
    }

    /// The next task, whose number goes to `seen`; `None` at the end.
    fn wait(&self, seen: &mut usize) -> Option<Job> {
        look(|| self.tasks.load(Ordering::Acquire) != *seen);
        let mut state = self.lock();
        loop {
            if state.stop {
                return None;
            }
            let tasks = self.tasks.load(Ordering::Acquire);
            if tasks != *seen {
                *seen = tasks;
                // It may be over already.
                if let Some(task) = state.task {
                    self.inside.fetch_add(1, Ordering::AcqRel);
                    return Some(task);
                }
            }
            state.asleep += 1;
            state = unpoisoned(self.begun.wait(state));
            state.asleep -= 1;
        }
    }
}

/// A lock that a panic left behind: nothing in here is half done then.
fn unpoisoned<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

/// Waits a little until that holds, without sleeping.
fn look(holds: impl Fn() -> bool) {
    for _ in 0..LOOKS {
        if holds() {
            return;
        }
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team(helpers: usize) -> Team {
        Team::start(helpers, |number, run| {
            let name = format!("team {number}");
            std::thread::Builder::new().name(name).spawn(run)
        })
        .unwrap()
    }

    #[test]
    fn every_item_is_done_once_by_any_number_of_threads() {
        for helpers in 0..4 {
            let team = team(helpers);
            assert_eq!(team.size(), helpers + 1);
            for count in [0, 1, 2, 7, 100] {
                for round in 0..50 {
                    let mut items = vec![round; count];
                    team.each(&mut items, |item| *item += 1);
                    assert_eq!(items, vec![round + 1; count]);
                }
            }
        }
    }

    #[test]
    fn helpers_take_their_share() {
        let team = team(1);
        let mut items = [None; 2];
        // Each waits for the other, so one thread alone would wait for ever.
        let here = std::sync::Barrier::new(2);
        team.each(&mut items, |item| {
            here.wait();
            *item = Some(std::thread::current().id());
        });
        assert!(items[0].is_some() && items[1].is_some() && items[0] != items[1]);
        // A helper that sleeps is woken.
        std::thread::sleep(std::time::Duration::from_millis(20));
        team.each(&mut items, |_| {
            here.wait();
        });
    }

    #[test]
    fn a_panic_of_a_share_reaches_the_caller_and_the_team_goes_on() {
        let team = team(1);
        let here = std::sync::Barrier::new(2);
        for bad in [0, 1] {
            let mut items = [0, 1];
            let caught = catch_unwind(AssertUnwindSafe(|| {
                team.each(&mut items, |item| {
                    here.wait();
                    assert!(*item != bad, "as wanted");
                });
            }));
            assert!(caught.is_err());
        }
        let mut items = [1, 2, 3];
        team.each(&mut items, |item| *item *= 2);
        assert_eq!(items, [2, 4, 6]);
    }

    #[test]
    fn a_team_that_is_used_twice_at_once_does_both() {
        let team = team(1);
        let mut items = [[0; 8]; 4];
        team.each(&mut items, |inner| team.each(inner, |item| *item += 1));
        assert_eq!(items, [[1; 8]; 4]);
    }

    #[test]
    fn a_thread_that_cannot_be_made_is_an_error() {
        let made = Team::start(2, |number, run| match number {
            1 => std::thread::Builder::new().spawn(run),
            _ => Err(io::Error::other("no more")),
        });
        assert_eq!(made.unwrap_err().to_string(), "no more");
    }
}
