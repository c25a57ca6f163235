//! Plain work for a processor: it touches no memory, so that its time tells of the machine alone.
//!
//! Input: a core. Output: how unevenly the machine works; or work on that core, until dropped. Blocks: for
//! seconds, where it measures. Fails when: the core cannot be used. Not its job: what the numbers mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use filmd::clock::Clock;
use filmd::metrics::Quantiles;
use filmd::sys::cores::bind;

/// Some milliseconds of work.
fn work() {
    let mixed = (0..4_000_000_u64).fold(1, |state: u64, n| {
        (state ^ n)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(23)
    });
    std::hint::black_box(mixed);
}

/// 99th percentile to median of the same work, time after time.
pub fn unevenness() -> f64 {
    let time = |_| {
        let start = Clock.now();
        work();
        Clock.now().since(start).as_micros() as u32
    };
    Quantiles::of((0..500).map(time).collect()).spread()
}

/// Keeps one core at work.
pub struct Load {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Load {
    /// On `core`, from now on.
    pub fn start(core: usize) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let run = move || {
            bind(core)?;
            while !seen.load(Relaxed) {
                work();
            }
            Ok(())
        };
        let thread = std::thread::Builder::new().name("load".to_owned());
        let thread = thread.spawn(run).context("cannot start a thread")?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Until now.
    pub fn stop(mut self) -> Result<()> {
        self.stop.store(true, Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result.context("no load on the describer's core"),
            _ => anyhow::bail!("the thread of the load is gone"),
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}
