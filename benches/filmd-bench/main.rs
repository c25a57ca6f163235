//! filmd-bench: the frame path on this machine, as fast as it goes, without cameras or screen. It is no part of
//! the installed programs; `filmd bench` runs it where it lies beside filmd.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its terminal"
)]

#[path = "../../src/bin/filmd/say.rs"]
#[macro_use]
mod say;

mod describer;
mod latency;
mod load;
mod network;
#[path = "../../src/bin/filmd/setup.rs"]
#[expect(dead_code, reason = "shared with filmd, which uses all of it")]
mod setup;
mod start;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser as _;
use filmd::clock::Clock;
use filmd::config::{Config, Engine, SourceConfig, SyntheticConfig};
use filmd::metrics::{Summary, resident_bytes};
use filmd::pipeline::Pipeline;
use filmd::present::open_screen;
use serde::Serialize;

use crate::describer::Plan;
use crate::setup::Fallback;

/// Measures the frame path on this machine.
#[derive(clap::Parser)]
#[command(version, about, max_term_width = 100)]
struct Args {
    /// Frames to measure, after a tenth as many to warm up.
    #[arg(long, default_value_t = 300, value_name = "N")]
    frames: u64,
    /// Pairs a second; absent: as fast as frames are taken.
    #[arg(long, value_name = "N")]
    fps: Option<f64>,
    /// Width of the picture.
    #[arg(long, default_value_t = 640)]
    width: usize,
    /// Height of the picture.
    #[arg(long, default_value_t = 480)]
    height: usize,
    /// Measure classic fusion instead of the network.
    #[arg(long)]
    classic: bool,
    /// A network of the manifest; absent: its first.
    #[arg(long, value_name = "NAME", conflicts_with = "classic")]
    model: Option<String>,
    /// Threads that share the network's work; absent: as the daemon chooses
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Cores that they are bound to, in turn
    #[arg(long, value_name = "CORE", value_delimiter = ',')]
    cores: Vec<usize>,
    /// Measure the network alone, on one pair, instead of the frame path
    #[arg(long, conflicts_with_all = ["classic", "describe", "describer", "fps"])]
    network: bool,
    /// --network: also write both pictures there, a byte a pixel
    #[arg(long, value_name = "FILE", requires = "network")]
    planes: Option<PathBuf>,
    /// Run the describer beside it.
    #[arg(long)]
    describe: bool,
    /// Measure what the describer costs: busy and idle by turns, in one run; with --describer-core
    /// plain work in its place as well
    #[arg(long, conflicts_with = "describe")]
    describer: bool,
    /// Measure the time to the first picture, with network and describer and with neither, by turns in one run
    #[arg(long, conflicts_with_all = ["classic", "describe", "describer", "fps", "network"])]
    start: bool,
    /// Measure what filmd adds between capture and picture with the describer on, beside the sum of the stages
    #[arg(long, conflicts_with_all = ["classic", "describe", "describer", "network", "start"])]
    latency: bool,
    /// --describer, --start: times each of them is measured
    #[arg(long, default_value_t = 4, value_name = "N")]
    rounds: u32,
    /// --describer, --latency: for so many seconds
    #[arg(long, default_value_t = 10.0, value_name = "S")]
    phase: f64,
    /// --describe, --describer, --latency: bind the describer to this core
    #[arg(long, value_name = "CORE")]
    describer_core: Option<usize>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    engine: String,
    size: String,
    frames_per_second: f64,
    frames: Summary,
    resident_bytes: u64,
    film_describe_resident_bytes: Option<u64>,
}

fn config(args: &Args) -> Result<Config> {
    let mut config = Config {
        source: SourceConfig::Synthetic(SyntheticConfig {
            fps: args.fps.unwrap_or(30.0),
            unpaced: args.fps.is_none() && !args.latency && !args.start,
            ..SyntheticConfig::default()
        }),
        ..Config::default()
    };
    config.output.width = args.width;
    config.output.height = args.height;
    config.fuse.engine = if args.classic {
        Engine::Classic
    } else {
        Engine::Network
    };
    config.fuse.network.clone_from(&args.model);
    config.fuse.threads = args.threads;
    config.fuse.cores.clone_from(&args.cores);
    config.describe.enabled = args.describe;
    config.describe.core = args.describer_core;
    setup::checked(config)
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("filmd-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    if args.frames == 0 {
        bail!("--frames 0: measure at least one");
    }
    if args.describer_core.is_some() && !args.describe && !args.describer && !args.latency {
        bail!(
            "--describer-core needs --describe, --describer or --latency: there is no describer otherwise"
        );
    }
    if args.rounds == 0 || !(1.0..=3600.0).contains(&args.phase) {
        bail!("--rounds is at least 1, --phase 1 to 3600 seconds");
    }
    let phase = Duration::from_secs_f64(args.phase);
    let config = config(args)?;
    if args.network {
        return network::run(&config, args.frames, args.planes.as_deref(), args.json);
    }
    if args.start {
        return start::run(&config, args.rounds, args.json);
    }
    if args.latency {
        return latency::run(config, phase, args.json);
    }
    if args.describer {
        let plan = Plan {
            rounds: args.rounds,
            phase,
        };
        return describer::run(config, plan, args.json);
    }
    let size = config.output.size().to_string();
    let present = config.present.clone();
    let holds = config.output.size();
    let factory = Box::new(move || open_screen(&present, holds));
    let parts = setup::parts(config, Fallback::Refuse, factory, false)?;
    let pipeline = Pipeline::start(parts).context("cannot start the threads")?;
    let fused = || pipeline.shared().metrics.fused.load(Relaxed);
    let wait = |frames: u64| {
        while fused() < frames && !pipeline.ended() {
            Clock.sleep_until(Clock.now().plus(Duration::from_millis(5)));
        }
    };
    wait(args.frames / 10 + 1);
    let (from, start) = (fused(), Clock.now());
    wait(from + args.frames);
    let seconds = Clock.now().since(start).as_secs_f64();
    let status = pipeline.shared().status();
    let report = Report {
        engine: status.engine,
        size,
        frames_per_second: (fused() - from) as f64 / seconds,
        frames: status.frames,
        resident_bytes: resident_bytes(std::process::id()).unwrap_or(0),
        film_describe_resident_bytes: status.guide.process.map(|(_, bytes)| bytes),
    };
    pipeline.stop()?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print_for_people(&report);
    }
    Ok(())
}

fn print_for_people(report: &Report) {
    say!(
        "{} at {}: {:.1} frames a second, {:.0} MiB",
        report.engine,
        report.size,
        report.frames_per_second,
        report.resident_bytes as f64 / f64::from(1 << 20)
    );
    let s = &report.frames.stages_ms;
    for (name, q) in [
        ("clean", s.clean),
        ("align", s.align),
        ("fuse", s.fuse),
        ("tone", s.tone),
        ("compose", s.compose),
        ("present", s.present),
    ] {
        say!("  {name:8} p50 {:7.2} ms   p99 {:7.2} ms", q.p50, q.p99);
    }
    say!("  {} frames dropped", report.frames.dropped);
}
