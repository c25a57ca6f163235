//! `filmd-bench --latency`: what filmd adds between the capture of a frame and its picture, with the describer
//! busy, beside the sum of the stages: the difference is time that a frame waits.
//!
//! Input: a configuration with a rate. Output: quantiles and ratios. Fails when: no text comes. Not its job: the
//! cameras' own latency.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result};
use filmd::clock::Clock;
use filmd::config::Config;
use filmd::metrics::{Metrics, Quantiles, Series};
use filmd::pipeline::Pipeline;
use filmd::present::open_screen;
use serde::Serialize;

use crate::describer::wait;
use crate::load::unevenness;
use crate::setup::{self, Fallback};

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    frames: u64,
    texts: u64,
    latency_ms: Quantiles,
    p99_to_p50: f64,
    /// Of each frame's stages, one after the other.
    stages_p50_ms: f64,
    p50_to_stages: f64,
    stages_ms: Vec<(&'static str, Quantiles)>,
    /// 99th percentile to median of plain work on this machine.
    machine_p99_to_p50: f64,
}

/// Measures for `phase` and prints.
///
/// # Errors
/// Where a part cannot be used, or no text comes.
pub fn run(mut config: Config, phase: Duration, json: bool) -> Result<()> {
    config.describe.enabled = true;
    config.describe.interval_s = 0.1;
    config.describe.deadline_s = 120.0;
    config.describe.pause_when_late = false;
    let present = config.present.clone();
    let holds = config.output.size();
    let factory = Box::new(move || open_screen(&present, holds));
    let parts = setup::parts(config, Fallback::Refuse, factory, false)?;
    let machine_p99_to_p50 = unevenness();
    let pipeline = Pipeline::start(parts).context("cannot start the threads")?;
    let result = measure(&pipeline, phase);
    pipeline.stop()?;
    let report = Report {
        machine_p99_to_p50,
        ..result?
    };
    if json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print_for_people(&report);
    }
    Ok(())
}

fn measure(pipeline: &Pipeline, phase: Duration) -> Result<Report> {
    wait(pipeline, |guide| guide.by_llm > 0).context("the language model wrote no text")?;
    let metrics = &pipeline.shared().metrics;
    let from = stages(metrics).map(|(_, series)| series.added());
    let (latency, shown) = (metrics.latency.added(), metrics.presented.load(Relaxed));
    let texts = pipeline.shared().status().guide.ok;
    Clock.sleep_until(Clock.now().plus(phase));
    let latency = Quantiles::of(metrics.latency.since(latency));
    let stages_ms: Vec<_> = stages(metrics)
        .into_iter()
        .zip(from)
        .map(|((name, series), from)| (name, Quantiles::of(series.since(from))))
        .collect();
    let sum = stages_ms.iter().map(|(_, q)| q.p50).sum::<f64>();
    Ok(Report {
        frames: metrics.presented.load(Relaxed) - shown,
        texts: pipeline.shared().status().guide.ok - texts,
        latency_ms: latency,
        p99_to_p50: latency.spread(),
        stages_p50_ms: sum,
        p50_to_stages: latency.p50 / sum.max(1e-3),
        stages_ms,
        machine_p99_to_p50: 0.0,
    })
}

/// What a frame goes through, in order.
fn stages(metrics: &Metrics) -> [(&'static str, &Series); 6] {
    [
        ("acquire", &metrics.acquire),
        ("align", &metrics.align),
        ("fuse", &metrics.fuse),
        ("tone", &metrics.tone),
        ("compose", &metrics.compose),
        ("present", &metrics.present),
    ]
}

fn print_for_people(report: &Report) {
    say!(
        "capture to picture with the describer on: p50 {:.2} ms, p99 {:.2} ms: {:.2} ({} frames, {} texts)",
        report.latency_ms.p50,
        report.latency_ms.p99,
        report.p99_to_p50,
        report.frames,
        report.texts
    );
    say!(
        "  the stages' medians together: {:.2} ms: {:.3}",
        report.stages_p50_ms,
        report.p50_to_stages
    );
    for (name, q) in &report.stages_ms {
        say!("  {name:8} p50 {:7.2} ms   p99 {:7.2} ms", q.p50, q.p99);
    }
    say!(
        "  the machine's own p99 to p50, of plain work: {:.2}",
        report.machine_p99_to_p50
    );
}
