//! filmctl: speaks to a running filmd.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its terminal"
)]

#[macro_use]
#[path = "../bin/filmd/say.rs"]
mod say;
mod pages;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{CommandFactory, Parser, Subcommand};
use control_protocol::{
    Clocks, Condition, GuideStatus, Mode, Palette, Reply, Request, SnapshotFormat, Status,
    Understanding, ask, observe_socket, plain, running_socket,
};

/// Speak to a running filmd.
#[derive(Parser)]
#[command(name = "filmctl", version, about, max_term_width = 100)]
struct Cli {
    /// The control socket; default: the first filmd.sock found in $RUNTIME_DIRECTORY,
    /// $XDG_RUNTIME_DIR, /run/filmd and the folder for temporary files.
    #[arg(long, global = true, value_name = "FILE")]
    socket: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything the daemon knows about itself.
    Status {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Exit code 0 where the picture goes on, 1 where it does not.
    Health,
    /// Show another mode, from the next frame on.
    Mode {
        /// The mode.
        #[arg(value_enum)]
        mode: Mode,
    },
    /// Colour thermal values otherwise, from the next frame on.
    Palette {
        /// The palette.
        #[arg(value_enum)]
        palette: Palette,
    },
    /// Hold the picture.
    Freeze,
    /// Let a held picture go on.
    Unfreeze,
    /// Move the thermal picture so many pixels right and down from where the calibration has it.
    #[command(allow_negative_numbers = true)]
    Nudge {
        /// To the right; negative: to the left.
        right: i32,
        /// Down; negative: up.
        down: i32,
    },
    /// Guide the fusion by a text, until `guide --auto`.
    Guide {
        /// The text.
        #[arg(required_unless_present = "auto", conflicts_with = "auto")]
        text: Option<String>,
        /// Let the describer guide again.
        #[arg(long)]
        auto: bool,
    },
    /// Save the next picture; PNG or JPEG by the file's extension.
    Snapshot {
        /// The file.
        file: PathBuf,
    },
    /// Read the configuration file again.
    Reload,
    /// Write man pages and shell completions below a folder.
    #[command(hide = true)]
    Pages(pages::Args),
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("filmctl: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode> {
    let control = cli.socket.clone().unwrap_or_else(running_socket);
    let request = match &cli.command {
        Command::Pages(args) => {
            pages::write(args, Cli::command())?;
            return Ok(ExitCode::SUCCESS);
        }
        command => request(command)?,
    };
    // Whoever may only observe can still ask for status and health.
    let socket = if request.only_observes() {
        observe_socket(&control)
    } else {
        control
    };
    let (reply, picture) = ask(&socket, &request)?;
    match (reply, &cli.command) {
        (Reply::Status(status), Command::Status { json: true }) => {
            say!("{}", serde_json::to_string_pretty(&status)?);
        }
        (Reply::Status(status), _) => print_status(&status),
        (Reply::Health { healthy, detail }, _) => {
            say!("{detail}");
            return Ok(if healthy {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        (Reply::Done, _) => {}
        (Reply::Understood { requests }, _) => {
            let said: Vec<String> = requests.iter().map(ToString::to_string).collect();
            say!("Understood: {}", said.join("; "));
        }
        (Reply::Picture { .. }, Command::Snapshot { file }) => save(file, &picture)?,
        (Reply::Error { message }, _) => bail!("{}", plain(&message)),
        (reply, _) => bail!("filmd answered something unexpected: {reply:?}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn request(command: &Command) -> Result<Request> {
    Ok(match command {
        Command::Status { .. } => Request::Status,
        Command::Health => Request::Health,
        Command::Mode { mode } => Request::Mode { mode: *mode },
        Command::Palette { palette } => Request::Palette { palette: *palette },
        Command::Freeze => Request::Freeze { on: true },
        Command::Unfreeze => Request::Freeze { on: false },
        Command::Nudge { right, down } => Request::Nudge {
            right: *right,
            down: *down,
        },
        Command::Guide {
            text: Some(text), ..
        } => Request::Guide { text: text.clone() },
        Command::Guide { text: None, .. } => Request::GuideAuto,
        Command::Snapshot { file } => Request::Snapshot {
            format: format_of(file)?,
        },
        Command::Reload => Request::Reload,
        Command::Pages(_) => bail!("pages are written without a daemon"),
    })
}

fn format_of(file: &Path) -> Result<SnapshotFormat> {
    let extension = file
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    match extension.as_str() {
        "png" => Ok(SnapshotFormat::Png),
        "jpg" | "jpeg" => Ok(SnapshotFormat::Jpg),
        _ => bail!("{}: a snapshot is saved as .png or .jpg", file.display()),
    }
}

/// The daemon sends bytes and filmctl writes them, with its user's rights, not the daemon's.
fn save(file: &Path, bytes: &[u8]) -> Result<()> {
    // The whole name and more: `now.partial` may be somebody's file.
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    // One that is left over may be a link to somewhere else: never written through.
    let _ = std::fs::remove_file(&partial);
    std::fs::File::create_new(&partial)
        .and_then(|mut out| out.write_all(bytes))
        .and_then(|()| std::fs::rename(&partial, file))
        .inspect_err(|_| {
            // It may never have been made.
            let _ = std::fs::remove_file(&partial);
        })
        .with_context(|| format!("cannot write {}", file.display()))
}

fn print_status(s: &Status) {
    let f = &s.frames;
    say!(
        "filmd {}, up {:.0} s, {:.0} MiB",
        s.version,
        s.uptime_s,
        mib(s.resident_bytes)
    );
    say!("source    {}", s.source);
    for complaint in &s.complaints {
        say!("          {complaint}");
    }
    say!(
        "task      {}, mode {}{}, palette {}, engine {}",
        s.task.name(),
        s.mode.name(),
        if s.marks.frozen { " (frozen)" } else { "" },
        s.palette.name(),
        s.engine
    );
    say!("screen    {}, {:.1} fps", s.screen, s.fps);
    say!(
        "frames    {} pairs, {} shown, {} dropped, {} damaged, {} fuse errors, {} stalls",
        f.pairs,
        f.presented,
        f.dropped,
        f.damaged,
        f.fuse_errors,
        f.stalls
    );
    print_displays(s);
    say!(
        "skew      p50 {:.1} ms, p99 {:.1} ms",
        f.skew_ms.p50,
        f.skew_ms.p99
    );
    print_clocks(&s.clocks);
    print_condition(&s.condition);
    let t = &f.stages_ms;
    say!(
        "p50/p99   clean {:.1}/{:.1}  align {:.1}/{:.1}  fuse {:.1}/{:.1}  tone {:.1}/{:.1}  compose {:.1}/{:.1}  \
         present {:.1}/{:.1}  latency {:.1}/{:.1} ms",
        t.clean.p50,
        t.clean.p99,
        t.align.p50,
        t.align.p99,
        t.fuse.p50,
        t.fuse.p99,
        t.tone.p50,
        t.tone.p99,
        t.compose.p50,
        t.compose.p99,
        t.present.p50,
        t.present.p99,
        t.latency.p50,
        t.latency.p99
    );
    print_guide(&s.guide);
}

fn print_guide(g: &GuideStatus) {
    let age = g.age_ms.map_or(String::new(), |ms| {
        format!(", {:.1} s old", ms as f64 / 1e3)
    });
    say!("guidance  ({:?}{age}) {}", g.origin, plain(&g.text));
    if let Some(wish) = &g.wish {
        print_wish(wish);
    }
    let process = match g.process {
        Some((pid, bytes)) => format!("process {pid}, {:.0} MiB", mib(bytes)),
        None => "no process".to_owned(),
    };
    say!(
        "describer {process}, {} texts ({} by the language model), {} failures, {} restarts",
        g.ok,
        g.by_llm,
        g.failed,
        g.restarts
    );
    print_notes(g);
}

/// What a user's text was understood to ask for, and what takes effect.
fn print_wish(wish: &Understanding) {
    for answer in &wish.requests {
        let fate = match &answer.reason {
            None => "in effect".to_owned(),
            Some(reason) => plain(reason),
        };
        say!("          understood: {}: {fate}", answer.request);
    }
}

/// How the cameras' clocks run, where there are cameras.
fn print_clocks(c: &Clocks) {
    let sides = [("infrared", c.infrared), ("visible", c.visible)];
    for (name, clock) in sides.iter().filter_map(|(n, c)| Some((n, (*c)?))) {
        let rate = ppm("rate", clock.rate_ppm);
        let (whose, drift) = if clock.own_clock {
            ("its own clock", ppm("drift", clock.drift_ppm))
        } else {
            ("the board's clock", String::new())
        };
        let steps = match clock.steps {
            0 => String::new(),
            n => format!(", set anew {n} times"),
        };
        say!(
            "clock     {name} {:.2} fps{rate}, stamped by {whose}, {:.1} ms behind{drift}{steps}",
            clock.fps,
            clock.offset_ms
        );
    }
    if c.infrared.is_some() && c.visible.is_some() {
        let older = c.infrared_older_ms;
        let name = if older < 0.0 { "visible" } else { "infrared" };
        say!("pair      the {name} frame is {:.1} ms older", older.abs());
    }
}

/// What the sources were measured to suffer from, where something was measured.
fn print_condition(conditions: &[Condition; 2]) {
    for (name, c) in ["infrared", "visible"].into_iter().zip(conditions) {
        if *c == Condition::default() {
            continue;
        }
        let cleaned = if c.cleaned { ", cleaned" } else { "" };
        say!(
            "condition {name}: grain {:.1}, columns {:.1}, rows {:.1}, shading {:.1} grey levels, {} dead pixels{cleaned}",
            c.noise,
            c.columns,
            c.rows,
            c.shading,
            c.dead
        );
    }
}

fn ppm(what: &str, value: Option<f64>) -> String {
    value.map_or(String::new(), |ppm| format!(" ({what} {ppm:+.0} ppm)"))
}

/// What went wrong with displays, where something did.
fn print_displays(s: &Status) {
    let f = &s.frames;
    if f.screen_errors + f.screen_retries + f.panel_errors > 0 {
        say!(
            "displays  {} times lost, {} transfers made again, {} failures of the status panel",
            f.screen_errors,
            f.screen_retries,
            f.panel_errors
        );
    }
}

fn print_notes(g: &GuideStatus) {
    for (what, text) in [
        ("paused", &g.paused),
        ("last failure", &g.last_error),
        ("note", &g.note),
    ] {
        if let Some(text) = text {
            say!("          {what}: {}", plain(text));
        }
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
