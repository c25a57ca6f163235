//! `filmd-bench --network`: the network alone, on one aligned pair, without the other stages' threads.
//!
//! Input: a configuration. Output: times of single frames. Fails when: the network cannot be used. Not its
//! job: comparing (`models/bench_peers.py` does).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use filmd::acquire::open_source;
use filmd::align::{AlignedPair, Aligner, Calibration};
use filmd::clock::Clock;
use filmd::config::Config;
use filmd::frame::Picture;
use filmd::fuse::{Composer, Fuser, NetworkFuser};
use filmd::metrics::resident_bytes;
use filmd::pipeline::fuse_team;
use serde::Serialize;

use crate::setup;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    network: String,
    threads: usize,
    size: String,
    frame_ms: Vec<f64>,
    median_ms: f64,
    resident_bytes: u64,
}

/// Fuses one pair `frames` times, after a tenth as many to warm up.
///
/// # Errors
/// Where source, calibration or network cannot be used.
pub fn run(config: &Config, frames: u64, planes: Option<&Path>, json: bool) -> Result<()> {
    let size = config.output.size();
    let mut source = open_source(&config.source, &config.clean)?;
    let own = source.info().calibration.clone();
    let calibration = own.unwrap_or_else(Calibration::identity);
    let pair = source
        .next_pair(Duration::from_secs(60))
        .context("no pair")?;
    let mut aligned = AlignedPair::new(size);
    Aligner::new(&calibration, None, size)?.align(&pair, &mut aligned);
    let mut composer = Composer::new(size);
    let (infrared, visible) = composer.luma_planes(&aligned);
    if let Some(path) = planes {
        let both = [infrared.data(), visible.data()].concat();
        std::fs::write(path, both).with_context(|| path.display().to_string())?;
    }
    let manifest = setup::manifest(config)?;
    let guidance = manifest.neutral(config.task)?;
    let team = fuse_team(&config.fuse).context("cannot start the threads of the network")?;
    let name = config.fuse.network.as_deref();
    let mut network = NetworkFuser::new(&manifest, name, size)?.with_team(Arc::clone(&team));
    let mut fused = Picture::grey(size);
    let warm_up = frames / 10 + 1;
    let mut frame_ms = Vec::new();
    for frame in 0..warm_up + frames {
        let start = Clock.now();
        network.fuse(infrared, visible, &guidance, &mut fused)?;
        if frame >= warm_up {
            frame_ms.push(Clock.now().since(start).as_secs_f64() * 1e3);
        }
    }
    let mut sorted = frame_ms.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let report = Report {
        network: network.name().to_owned(),
        threads: team.size(),
        size: size.to_string(),
        median_ms: sorted[sorted.len() / 2],
        frame_ms,
        resident_bytes: resident_bytes(std::process::id()).unwrap_or(0),
    };
    if json {
        say!("{}", serde_json::to_string(&report)?);
    } else {
        say!(
            "{} at {}, {} thread(s): {:.2} ms a frame (median of {frames})",
            report.network,
            report.size,
            report.threads,
            report.median_ms
        );
    }
    Ok(())
}
