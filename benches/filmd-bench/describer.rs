//! `filmd-bench --describer`: what the describer costs the frame path.
//!
//! One pipeline; the describer is kept busy and idle by turns, so that whatever else the machine does meets
//! both alike. Where it has a core of its own, plain work takes that core in a third turn, the describer
//! idle: cores share a clock, caches and often more, and what a busy neighbour costs is not the describer's
//! doing. Input: a configuration. Output: rates and times of each, and their ratios; and how even the
//! machine itself is. Fails when: the describer gives no text. Not its job: keeping other programs away.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use filmd::clock::Clock;
use filmd::config::Config;
use filmd::describe::{GuideStatus, Origin, UserText};
use filmd::metrics::{Metrics, Quantiles};
use filmd::pipeline::{GuideCommand, Pipeline};
use filmd::present::open_screen;
use serde::Serialize;

use crate::load::{Load, unevenness};
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

/// What guides while the describer is idle: it is encoded once.
const IDLE: &str = "Show more of the visible texture.";

/// What has the describer's core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Busy,
    Idle,
    Load,
}

/// The frames of one of them.
#[derive(Debug, Default, Serialize)]
struct PhaseFrames {
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

/// One side to another.
#[derive(Debug, Serialize)]
struct Ratios {
    frame_rate: f64,
    fuse_cpu: f64,
    fuse_p50: f64,
    fuse_p99: f64,
    latency_p99: f64,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    engine: String,
    size: String,
    busy: PhaseFrames,
    idle: PhaseFrames,
    /// Idle, with plain work on the describer's core.
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<PhaseFrames>,
    /// 99th percentile to median of the same plain work, before and after, on the same cores.
    machine_p99_to_p50: [f64; 2],
    busy_to_idle: Ratios,
    #[serde(skip_serializing_if = "Option::is_none")]
    busy_to_load: Option<Ratios>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load_to_idle: Option<Ratios>,
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
    let core = config.describe.core;
    let present = config.present.clone();
    let holds = config.output.size();
    let factory = Box::new(move || open_screen(&present, holds));
    let parts = setup::parts(config, Fallback::Refuse, factory, false)?;
    let before = unevenness();
    let pipeline = Pipeline::start(parts).context("cannot start the threads")?;
    let result = measure(&pipeline, plan, core);
    let engine = pipeline.shared().status().engine;
    pipeline.stop()?;
    let machine_p99_to_p50 = [before, unevenness()];
    let (busy, idle, load) = result?;
    let report = Report {
        engine,
        size,
        machine_p99_to_p50,
        busy_to_idle: Ratios::of(&busy, &idle),
        busy_to_load: load.as_ref().map(|load| Ratios::of(&busy, load)),
        load_to_idle: load.as_ref().map(|load| Ratios::of(load, &idle)),
        busy,
        idle,
        load,
    };
    if json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print_for_people(&report);
    }
    Ok(())
}

/// Busy, idle, and idle beside plain work where the describer has a core.
fn measure(
    pipeline: &Pipeline,
    plan: Plan,
    core: Option<usize>,
) -> Result<(PhaseFrames, PhaseFrames, Option<PhaseFrames>)> {
    wait(pipeline, |guide| guide.by_llm > 0).context("the language model wrote no text")?;
    let mut turns = vec![Phase::Busy, Phase::Idle];
    turns.extend(core.map(|_| Phase::Load));
    let mut sides = [(); 3].map(|()| PhaseFrames::default());
    for _ in 0..plan.rounds {
        for &phase in &turns {
            switch(pipeline, phase == Phase::Busy)?;
            let load = core.filter(|_| phase == Phase::Load).map(Load::start);
            let load = load.transpose()?;
            Clock.sleep_until(Clock.now().plus(SETTLE));
            sides[phase as usize].add(pipeline, plan.phase);
            load.map(Load::stop).transpose()?;
        }
        // There and back: what drifts meets all alike.
        turns.reverse();
    }
    sides.iter_mut().for_each(PhaseFrames::finish);
    let [busy, idle, load] = sides;
    if busy.texts == 0 || idle.texts > 0 || load.texts > 0 {
        bail!(
            "{} texts while busy and {} while idle: nothing was compared; try longer phases",
            busy.texts,
            idle.texts + load.texts
        );
    }
    Ok((busy, idle, core.map(|_| load)))
}

impl Ratios {
    fn of(side: &PhaseFrames, other: &PhaseFrames) -> Self {
        let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
        Self {
            frame_rate: ratio(side.frames_per_second, other.frames_per_second),
            fuse_cpu: ratio(side.fuse_cpu_ms, other.fuse_cpu_ms),
            fuse_p50: ratio(side.fuse_ms.p50, other.fuse_ms.p50),
            fuse_p99: ratio(side.fuse_ms.p99, other.fuse_ms.p99),
            latency_p99: ratio(side.latency_ms.p99, other.latency_ms.p99),
        }
    }
}

fn status(pipeline: &Pipeline) -> GuideStatus {
    pipeline.shared().status().guide
}

/// Waits until the guide's status is as wanted.
///
/// # Errors
/// Where it does not become so.
pub fn wait(pipeline: &Pipeline, done: impl Fn(&GuideStatus) -> bool) -> Result<()> {
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
        GuideCommand::Text(UserText::read(IDLE))
    };
    pipeline.guide(command).map_err(anyhow::Error::msg)?;
    wait(pipeline, |guide| (guide.origin == Origin::User) != busy)
}

impl PhaseFrames {
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
    let idle = ("describer idle", &report.idle);
    let busy = ("describer busy", &report.busy);
    let load = report.load.as_ref().map(|load| ("idle, plain work", load));
    for (name, side) in [idle, busy].into_iter().chain(load) {
        say!(
            "  {name:16}: {:6.2} frames a second, {} frames, fuse p50 {:.2} p99 {:.2} ms \
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
    for (name, ratios) in [
        ("busy to idle", Some(&report.busy_to_idle)),
        ("busy to plain work", report.busy_to_load.as_ref()),
        ("plain work to idle", report.load_to_idle.as_ref()),
    ] {
        let Some(ratios) = ratios else {
            continue;
        };
        say!(
            "  {name:18}: frame rate {:.3}, CPU of fuse {:.3}, p50 of fuse {:.3}, p99 of fuse {:.3}, \
             p99 of latency {:.3}",
            ratios.frame_rate,
            ratios.fuse_cpu,
            ratios.fuse_p50,
            ratios.fuse_p99,
            ratios.latency_p99
        );
    }
}
