//! `filmd-bench --start`: how long the first picture takes, with everything on and with nothing to wait for.
//!
//! Pipelines start and stop by turns in one run: the network and the describer on, and classic fusion without a
//! describer. Input: a configuration. Output: the median time to the first picture of each, their ratio, and the
//! time to the first picture that the network fused. Fails when: no picture comes. Not its job: cameras, which
//! take their own time, and starting the process.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use filmd::clock::Clock;
use filmd::config::{Config, Engine};
use filmd::pipeline::Pipeline;
use filmd::present::open_screen;
use serde::Serialize;

use crate::setup::{self, Fallback};

/// Until the first picture, and until the network fuses.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_micros(200);

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    rounds: u32,
    first_picture_ms: f64,
    first_picture_classic_ms: f64,
    ratio: f64,
    first_by_network_ms: f64,
}

/// Times of one start, milliseconds.
struct Start {
    first: f64,
    by_network: f64,
}

/// Measures and prints.
///
/// # Errors
/// Where a part cannot be used, or no picture comes.
pub fn run(config: &Config, rounds: u32, json: bool) -> Result<()> {
    let mut full = config.clone();
    full.fuse.engine = Engine::Network;
    full.describe.enabled = true;
    let mut plain = config.clone();
    plain.fuse.engine = Engine::Classic;
    plain.describe.enabled = false;
    // The first of each reads its files from disk.
    start(&plain)?;
    start(&full)?;
    let (mut with, mut without, mut network) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        without.push(start(&plain)?.first);
        let full = start(&full)?;
        with.push(full.first);
        network.push(full.by_network);
    }
    let [with, without, network] = [with, without, network].map(median);
    let report = Report {
        rounds,
        first_picture_ms: with,
        first_picture_classic_ms: without,
        ratio: with / without.max(1e-3),
        first_by_network_ms: network,
    };
    if json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        say!(
            "first picture after {with:.1} ms with network and describer, {without:.1} ms with neither: {:.3} \
             (medians of {rounds}); fused by the network after {network:.1} ms",
            report.ratio
        );
    }
    Ok(())
}

/// Starts a pipeline as the daemon does, waits for its first picture and for its engine, and stops it.
fn start(config: &Config) -> Result<Start> {
    let present = config.present.clone();
    let holds = config.output.size();
    let factory = Box::new(move || open_screen(&present, holds));
    let begun = Clock.now();
    let parts = setup::parts(config.clone(), Fallback::Classic, factory, false)?;
    let pipeline = Pipeline::start(parts).context("cannot start the threads")?;
    let shared = pipeline.shared();
    let wait = |done: &dyn Fn() -> bool, what: &str| {
        while !done() {
            if pipeline.ended() || Clock.now().since(begun) > PATIENCE {
                bail!("{what} did not come within {PATIENCE:?}");
            }
            Clock.sleep_until(Clock.now().plus(LOOK));
        }
        Ok(Clock.now().since(begun).as_secs_f64() * 1e3)
    };
    let shown = || shared.metrics.presented.load(Relaxed) > 0;
    let first = wait(&shown, "the first picture")?;
    let is_network = config.fuse.engine == Engine::Network;
    let by_network = if is_network {
        wait(&|| !shared.marks().classic, "a picture by the network")?
    } else {
        0.0
    };
    pipeline.stop()?;
    Ok(Start { first, by_network })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
