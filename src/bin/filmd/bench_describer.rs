//! `filmd bench --describer`: what the describer costs the frame path.
//!
//! One pipeline; the describer is kept busy and idle by turns, so that whatever else the machine
//! does meets both alike. Input: a configuration. Output: rates and times of both, and their
//! ratios; and how even the machine itself is. Thread: main. Blocks: yes. Fails when: the describer
//! gives no text. Not its job: keeping other programs away.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use filmd::clock::Clock;
use filmd::config::Config;
use filmd::describe::{GuideStatus, Origin};
use filmd::metrics::{Metrics, Quantiles};
use filmd::pipeline::{GuideCommand, Pipeline};
use filmd::present::{HeadlessOptions, open_screen};
use serde::Serialize;

use crate::setup::{self, Fallback};

/// After each change, until the fade to the other text is over.
const SETTLE: Duration = Duration::from_millis(2500);
/// Until the first text, and for each change.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long, and where.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Times each of busy and idle is measured.
    pub rounds: u32,
    /// For so long.
    pub phase: Duration,
}

/// What guides while the describer is idle: about as many tokens as the neutral guidance has.
const IDLE: &str = "Fuse the infrared and the visible image: keep the warm objects of the one and \
                    the texture of the other, and add nothing to them.";

/// One of busy and idle.
#[derive(Debug, Default, Serialize)]
struct Side {
    seconds: f64,
    frames: u64,
    frames_per_second: f64,
    texts: u64,
    /// Frames mixed with the one before, since a text changed them too much.
    held_back: u64,
    /// Processor time of the fuse thread, waiting left out: what other programs take does not count.
    fuse_cpu_ms: f64,
    fuse_ms: Quantiles,
    latency_ms: Quantiles,
    fuse_p99_to_p50: f64,
    latency_p99_to_p50: f64,
    #[serde(skip)]
    fuse: Vec<u32>,
    #[serde(skip)]
    latency: Vec<u32>,
    #[serde(skip)]
    cpu: Duration,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    engine: String,
    size: String,
    busy: Side,
    idle: Side,
    /// 99th percentile to median of the same plain work, before and after, on the same cores.
    machine_p99_to_p50: [f64; 2],
    /// Busy to idle.
    frame_rate_ratio: f64,
    fuse_cpu_ratio: f64,
    fuse_p99_ratio: f64,
    latency_p99_ratio: f64,
}

/// Measures and prints.
///
/// # Errors
/// Where a part cannot be used, or no text comes.
pub fn run(mut config: Config, plan: Plan, json: bool) -> Result<()> {
    config.describe.enabled = true;
    config.describe.interval_s = 0.1;
    // On a busy machine the low priority of film-describe makes it slow, not useless.
    config.describe.deadline_s = 120.0;
    config.describe.pause_when_late = false;
    let size = config.output.size().to_string();
    let present = config.present.clone();
    let factory = Box::new(move || open_screen(&present, &HeadlessOptions::default()));
    let parts = setup::parts(config, Fallback::Refuse, factory, false)?;
    let before = unevenness();
    let pipeline = Pipeline::start(parts).context("cannot start the threads")?;
    let result = measure(&pipeline, plan);
    let engine = pipeline.shared().status().engine;
    pipeline.stop()?;
    let machine_p99_to_p50 = [before, unevenness()];
    let (mut busy, mut idle) = result?;
    busy.finish();
    idle.finish();
    let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
    let report = Report {
        engine,
        size,
        machine_p99_to_p50,
        frame_rate_ratio: ratio(busy.frames_per_second, idle.frames_per_second),
        fuse_cpu_ratio: ratio(busy.fuse_cpu_ms, idle.fuse_cpu_ms),
        fuse_p99_ratio: ratio(busy.fuse_ms.p99, idle.fuse_ms.p99),
        latency_p99_ratio: ratio(busy.latency_ms.p99, idle.latency_ms.p99),
        busy,
        idle,
    };
    if json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print_for_people(&report);
    }
    Ok(())
}

/// How unevenly this machine does the same work of some milliseconds, which touches no memory: 99th
/// percentile to median.
fn unevenness() -> f64 {
    let work = |_| {
        let start = Clock.now();
        let mixed = (0..4_000_000_u64).fold(1, |state: u64, n| {
            (state ^ n)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(23)
        });
        std::hint::black_box(mixed);
        Clock.now().since(start).as_micros() as u32
    };
    Quantiles::of((0..500).map(work).collect()).spread()
}

fn measure(pipeline: &Pipeline, plan: Plan) -> Result<(Side, Side)> {
    wait(pipeline, |guide| guide.by_llm > 0).context("the language model wrote no text")?;
    let (mut busy, mut idle) = (Side::default(), Side::default());
    for round in 0..plan.rounds {
        // ABBA: what drifts meets both.
        for is_busy in [round % 2 == 0, round % 2 != 0] {
            switch(pipeline, is_busy)?;
            Clock.sleep_until(Clock.now().plus(SETTLE));
            let side = if is_busy { &mut busy } else { &mut idle };
            side.add(pipeline, plan.phase);
        }
    }
    if busy.texts == 0 || idle.texts > 0 {
        bail!(
            "{} texts while busy and {} while idle: nothing was compared; try longer phases",
            busy.texts,
            idle.texts
        );
    }
    Ok((busy, idle))
}

fn status(pipeline: &Pipeline) -> GuideStatus {
    pipeline.shared().status().guide
}

fn wait(pipeline: &Pipeline, done: impl Fn(&GuideStatus) -> bool) -> Result<()> {
    let until = Clock.now().plus(PATIENCE);
    while !done(&status(pipeline)) {
        if Clock.now() >= until || pipeline.ended() {
            let error = status(pipeline).last_error.unwrap_or_default();
            bail!("the describer did not follow within {PATIENCE:?}; {error}");
        }
        Clock.sleep_until(Clock.now().plus(Duration::from_millis(20)));
    }
    Ok(())
}

/// Keeps the describer busy, or idle by a user's text.
fn switch(pipeline: &Pipeline, busy: bool) -> Result<()> {
    let command = if busy {
        GuideCommand::Auto
    } else {
        GuideCommand::Text(IDLE.to_owned())
    };
    pipeline.guide(command).map_err(anyhow::Error::msg)?;
    wait(pipeline, |guide| (guide.origin == Origin::User) != busy)
}

impl Side {
    fn add(&mut self, pipeline: &Pipeline, phase: Duration) {
        let metrics: &Metrics = &pipeline.shared().metrics;
        let marks = (metrics.fuse.added(), metrics.latency.added());
        let (start, from) = (Clock.now(), metrics.fused.load(Relaxed));
        let texts = status(pipeline).ok;
        let (held, cpu) = (metrics.held_back.load(Relaxed), fuse_thread_time());
        Clock.sleep_until(start.plus(phase));
        self.cpu += fuse_thread_time().saturating_sub(cpu);
        self.held_back += metrics.held_back.load(Relaxed) - held;
        self.frames += metrics.fused.load(Relaxed) - from;
        self.seconds += Clock.now().since(start).as_secs_f64();
        self.texts += status(pipeline).ok - texts;
        self.fuse.extend(metrics.fuse.since(marks.0));
        self.latency.extend(metrics.latency.since(marks.1));
    }

    fn finish(&mut self) {
        self.frames_per_second = self.frames as f64 / self.seconds.max(1e-3);
        self.fuse_cpu_ms = self.cpu.as_secs_f64() * 1e3 / self.frames.max(1) as f64;
        self.fuse_ms = Quantiles::of(std::mem::take(&mut self.fuse));
        self.latency_ms = Quantiles::of(std::mem::take(&mut self.latency));
        self.fuse_p99_to_p50 = self.fuse_ms.spread();
        self.latency_p99_to_p50 = self.latency_ms.spread();
    }
}

/// Processor time the thread named `fuse` has had.
fn fuse_thread_time() -> Duration {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return Duration::ZERO;
    };
    let time = |folder: std::path::PathBuf| {
        let name = std::fs::read_to_string(folder.join("comm")).ok()?;
        let stat = std::fs::read_to_string(folder.join("schedstat")).ok()?;
        let ns = stat.split(' ').next()?.parse().ok()?;
        (name.trim() == "fuse").then_some(Duration::from_nanos(ns))
    };
    let times = threads.flatten().filter_map(|thread| time(thread.path()));
    times.max().unwrap_or_default()
}

fn print_for_people(report: &Report) {
    say!("{} at {}", report.engine, report.size);
    for (name, side) in [("idle", &report.idle), ("busy", &report.busy)] {
        say!(
            "  describer {name}: {:6.2} frames a second, {} frames, fuse p50 {:.2} p99 {:.2} ms \
             ({:.2}), latency p50 {:.2} p99 {:.2} ms ({:.2}), fuse CPU {:.2} ms a frame, {} held back, {} texts",
            side.frames_per_second,
            side.frames,
            side.fuse_ms.p50,
            side.fuse_ms.p99,
            side.fuse_p99_to_p50,
            side.latency_ms.p50,
            side.latency_ms.p99,
            side.latency_p99_to_p50,
            side.fuse_cpu_ms,
            side.held_back,
            side.texts
        );
    }
    say!(
        "  the machine's own p99 to p50, of plain work: {:.2} before, {:.2} after",
        report.machine_p99_to_p50[0],
        report.machine_p99_to_p50[1]
    );
    say!(
        "  busy to idle: frame rate {:.3}, CPU of fuse {:.3}, p99 of fuse {:.3}, p99 of latency {:.3}",
        report.frame_rate_ratio,
        report.fuse_cpu_ratio,
        report.fuse_p99_ratio,
        report.latency_p99_ratio
    );
}
