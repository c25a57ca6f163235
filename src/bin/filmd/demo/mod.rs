//! `filmd demo`: the whole pipeline on a synthetic pair of cameras, or on two folders.

mod clip;
mod record;
mod sampler;
mod sheet;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use filmd::clock::Clock;
use filmd::config::{
    Config, Engine, Mode, OutputConfig, ReplayConfig, ScreenKind, SourceConfig, SyntheticConfig,
    Task,
};
use filmd::describe::GuideStatus;
use filmd::files::read_size;
use filmd::folders::pair_folders;
use filmd::metrics::Summary;
use filmd::pipeline::{Pipeline, Status};
use filmd::present::{Screen, open_screen};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use self::record::RecordingScreen;
use crate::setup::{self, Fallback};

/// Arguments of `filmd demo`.
#[derive(clap::Args)]
pub struct Args {
    /// Show it in files instead of a window (the default where there is no display server).
    #[arg(long)]
    headless: bool,
    /// Show it on the display itself, through DRM.
    #[arg(long, conflicts_with = "headless")]
    drm: bool,
    /// How long to run; a window runs until it is closed.
    #[arg(long, value_name = "N")]
    seconds: Option<f64>,
    /// Folder for contact sheet, last picture and clip.
    #[arg(long, value_name = "DIR", default_value = "filmd-demo")]
    out: PathBuf,
    /// Print one JSON object with everything measured.
    #[arg(long)]
    json: bool,
    /// Pairs a second.
    #[arg(long, default_value_t = 30.0, value_name = "N")]
    fps: f64,
    /// Seed of the synthetic scene.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What is shown.
    #[arg(long, value_enum, default_value_t = Mode::Fused)]
    mode: Mode,
    /// Folder of infrared (source A) pictures, instead of the synthetic scene.
    #[arg(long, value_name = "DIR", requires = "visible")]
    infrared: Option<PathBuf>,
    /// Folder of visible (source B) pictures.
    #[arg(long, value_name = "DIR", requires = "infrared")]
    visible: Option<PathBuf>,
    /// What is fused, for folders.
    #[arg(long, value_enum, default_value_t = Task::Ivf)]
    task: Task,
    /// Fuse without the network.
    #[arg(long)]
    classic: bool,
    /// No describer: neutral guidance.
    #[arg(long)]
    neutral: bool,
    /// Leave the language model out: template text through the encoder.
    #[arg(long)]
    no_llm: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    seconds: f64,
    frames: Summary,
    shown_per_second: f64,
    descriptions: GuideStatus,
    engine: String,
    resident_bytes: Memory,
    files: Vec<PathBuf>,
}

/// Resident memory at the end of the run.
#[derive(Serialize)]
struct Memory {
    filmd: u64,
    film_describe: Option<u64>,
}

fn config(args: &Args) -> Result<Config> {
    let source = match (&args.infrared, &args.visible) {
        (Some(infrared), Some(visible)) => SourceConfig::Replay(ReplayConfig {
            infrared: infrared.clone(),
            visible: visible.clone(),
            fps: args.fps,
            repeat: true,
        }),
        _ => SourceConfig::Synthetic(SyntheticConfig {
            seed: args.seed,
            fps: args.fps,
            ..SyntheticConfig::default()
        }),
    };
    let mut config = Config {
        task: args.task,
        source,
        ..Config::default()
    };
    if let (Some(infrared), Some(visible)) = (&args.infrared, &args.visible) {
        config.output = size_of_folder(infrared, visible)?;
    }
    config.fuse.mode = args.mode;
    config.fuse.engine = if args.classic {
        Engine::Classic
    } else {
        Engine::Network
    };
    config.describe.enabled = !args.neutral;
    config.describe.llm = !args.no_llm;
    config.present.screen = screen_kind(args);
    setup::checked(config)
}

/// The size of the first visible picture: scaled to another aspect, nothing would look right.
fn size_of_folder(infrared: &Path, visible: &Path) -> Result<OutputConfig> {
    let pairs = pair_folders(infrared, visible)?.pairs;
    let size = match pairs.first() {
        Some(pair) => read_size(&pair.b)?,
        None => OutputConfig::default().size(),
    };
    Ok(OutputConfig {
        width: size.width,
        height: size.height,
    })
}

fn screen_kind(args: &Args) -> ScreenKind {
    let is_set = |name| std::env::var_os(name).is_some_and(|d| !d.is_empty());
    let (x11, wayland) = (is_set("DISPLAY"), is_set("WAYLAND_DISPLAY"));
    if args.drm {
        return ScreenKind::Drm;
    }
    if args.headless || !(x11 || wayland) {
        return ScreenKind::Headless;
    }
    // Somebody sits at a desktop and would wait for a window.
    match (x11, cfg!(feature = "window")) {
        (true, true) => return ScreenKind::Window,
        (_, false) => {
            log::warn!("this build shows no windows (feature `window`): the demo goes to files")
        }
        (false, true) => log::warn!(
            "this is a Wayland session without Xwayland (package xwayland), so there is no window: the demo goes to files"
        ),
    }
    ScreenKind::Headless
}

/// Runs the demo.
///
/// # Errors
/// Where a part cannot be used, or files cannot be written.
pub fn run(args: &Args) -> Result<()> {
    let config = config(args)?;
    let headless = config.present.screen == ScreenKind::Headless;
    let seconds = match args.seconds {
        Some(s) if !(s.is_finite() && s > 0.0) => bail!("--seconds {s}: a number above 0"),
        Some(s) => Some(s),
        None if headless => Some(10.0),
        None => None,
    };
    let (present, task, out) = (config.present.clone(), config.task, args.out.clone());
    let size = config.output.size();
    let factory = Box::new(move || -> Result<Box<dyn Screen>, _> {
        if headless {
            return Ok(Box::new(RecordingScreen::new(&out, task)));
        }
        open_screen(&present, size)
    });
    let mut parts = setup::parts(config, Fallback::Refuse, factory, headless)?;
    parts.snapshots = Some(args.out.clone());
    let stop = crate::daemon::stop_flag()?;
    let pipeline = Pipeline::start(parts).context("cannot start the threads")?;
    let started = Clock.now();
    let bar = progress(seconds, args.json);
    while !pipeline.ended() && !stop.load(std::sync::atomic::Ordering::Relaxed) {
        let elapsed = Clock.now().since(started).as_secs_f64();
        if seconds.is_some_and(|s| elapsed >= s) {
            break;
        }
        if !pipeline.shared().has_screen() {
            pipeline.stop()?;
            bail!("the screen cannot be opened (see above); --headless writes files instead");
        }
        show_progress(&bar, elapsed, &pipeline);
        Clock.sleep_until(Clock.now().plus(Duration::from_millis(100)));
    }
    let elapsed = Clock.now().since(started).as_secs_f64();
    let status = pipeline.shared().status();
    bar.finish_and_clear();
    let files = pipeline.stop()?;
    report(args, elapsed, status, files)
}

fn progress(seconds: Option<f64>, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let (bar, style) = match seconds {
        // Tenths of a second: the bar moves evenly on short demos.
        Some(s) => (ProgressBar::new((s * 10.0) as u64), "{bar:30} {msg}"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
    };
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn show_progress(bar: &ProgressBar, elapsed: f64, pipeline: &Pipeline) {
    let shared = pipeline.shared();
    let guidance = shared.guidance.get();
    bar.set_position((elapsed * 10.0) as u64);
    let text: String = guidance.text.chars().take(80).collect();
    bar.set_message(format!(
        "{:4.1} s  {:4.1} fps  {text}",
        elapsed,
        shared.fps()
    ));
}

fn report(args: &Args, seconds: f64, status: Status, files: Vec<PathBuf>) -> Result<()> {
    let shown_per_second = status.frames.presented as f64 / seconds;
    let report = Report {
        seconds,
        shown_per_second,
        engine: status.engine,
        resident_bytes: Memory {
            filmd: status.resident_bytes,
            film_describe: status.guide.process.map(|(_, bytes)| bytes),
        },
        descriptions: status.guide,
        frames: status.frames,
        files,
    };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    print_for_people(&report);
    Ok(())
}

fn print_for_people(report: &Report) {
    let f = &report.frames;
    say!(
        "{:.1} s, {} pairs, {} shown ({:.1} a second), {} dropped, engine {}",
        report.seconds,
        f.pairs,
        f.presented,
        report.shown_per_second,
        f.dropped,
        report.engine
    );
    let s = &f.stages_ms;
    for (name, q) in [
        ("clean", s.clean),
        ("align", s.align),
        ("fuse", s.fuse),
        ("tone", s.tone),
        ("compose", s.compose),
        ("present", s.present),
        ("latency", s.latency),
        ("pair skew", f.skew_ms),
    ] {
        say!("  {name:9}  p50 {:7.2} ms   p99 {:7.2} ms", q.p50, q.p99);
    }
    let d = &report.descriptions;
    say!("{} descriptions, {} by the language model", d.ok, d.by_llm);
    say!("last text ({:?}): {}", d.origin, d.text);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    say!("memory: filmd {:.0} MiB", mib(report.resident_bytes.filmd));
    if let Some(bytes) = report.resident_bytes.film_describe {
        say!("        film-describe {:.0} MiB", mib(bytes));
    }
    for file in &report.files {
        say!("wrote {}", file.display());
    }
}
