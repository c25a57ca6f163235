//! `filmd run`: the daemon under systemd, or in the foreground.

mod answers;
mod kept;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result};
use filmd::buttons::Buttons;
use filmd::clock::{Clock, Timestamp};
use filmd::config::{Action, Config};
use filmd::control::{Handler, Reply, Request, SnapshotFormat, Sockets, default_socket};
use filmd::files::write_atomic;
use filmd::pipeline::Pipeline;
use filmd::present::open_screen;
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::setup::{self, Fallback};
use answers::LastStatus;
use kept::Kept;

/// Before a source that is gone is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Arguments of `filmd run`.
#[derive(clap::Args)]
pub struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/filmd/filmd.toml")]
    config: PathBuf,
}

/// Set when SIGINT or SIGTERM arrives; a second one ends the program at once, also where a driver holds a thread.
///
/// # Errors
/// Where the handlers cannot be installed.
pub fn stop_flag() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Registered first: the first signal finds the flag not set yet.
        let code = 128 + signal;
        signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&flag))?;
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}

fn start(config: &Config) -> Result<Pipeline> {
    let present = config.present.clone();
    let size = config.output.size();
    let factory = Box::new(move || open_screen(&present, size));
    let parts = setup::parts(config.clone(), Fallback::Classic, factory, false)?;
    Pipeline::start(parts).context("cannot start the threads")
}

/// The buttons of the configuration. Without them the picture goes on all the same.
fn open_buttons(config: &Config) -> Option<Buttons> {
    if !config.buttons.any() {
        return None;
    }
    Buttons::open(&config.buttons)
        .inspect_err(|error| log::error!("no buttons: {error}"))
        .ok()
}

/// The state of a running daemon, and its answers to filmctl.
struct Daemon {
    path: PathBuf,
    config: Config,
    /// `None` while a reload exchanges it, and where it could not be started again after one.
    pipeline: Option<Pipeline>,
    /// Where there is no pipeline: what the operator had set, why, and when the next try is.
    waiting: Option<Waiting>,
    progress: Progress,
    status: LastStatus,
    buttons: Option<Buttons>,
}

/// A pipeline that could not be started again.
struct Waiting {
    kept: Kept,
    why: String,
    next: Timestamp,
}

/// When the picture last went on: from frames shown, never from a timer.
#[derive(Default)]
struct Progress {
    presented: u64,
    /// Pictures and cards that say that there is none.
    drawn: u64,
    at: Timestamp,
}

impl Progress {
    /// Something was drawn since the last call: a picture, or that there is none.
    fn advanced(&mut self, presented: u64, drawn: u64) -> bool {
        if presented != self.presented {
            self.presented = presented;
            self.at = Clock.now();
        }
        std::mem::replace(&mut self.drawn, drawn) != drawn
    }
}

/// Runs until told to stop.
///
/// # Errors
/// At start: configuration, source or socket that cannot be used. Later: a thread that panicked.
pub fn run(args: &Args) -> Result<()> {
    let config = setup::load(&args.config)?;
    let stop = stop_flag()?;
    let hangup = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGHUP, Arc::clone(&hangup))?;
    let socket = config.control.socket.clone().unwrap_or_else(default_socket);
    let mut sockets = Sockets::bind(&socket)?;
    let pipeline = start(&config)?;
    log::info!(
        "filmd {} runs; control socket {}",
        env!("CARGO_PKG_VERSION"),
        socket.display()
    );
    let progress = Progress {
        at: Clock.now(),
        ..Progress::default()
    };
    let mut daemon = Daemon {
        path: args.config.clone(),
        buttons: open_buttons(&config),
        config,
        pipeline: Some(pipeline),
        waiting: None,
        progress,
        status: LastStatus::default(),
    };
    daemon.serve(&mut sockets, &stop, &hangup);
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    if let Some(pipeline) = daemon.pipeline.take() {
        pipeline.stop()?;
    }
    Ok(())
}

impl Daemon {
    fn serve(&mut self, sockets: &mut Sockets, stop: &AtomicBool, hangup: &AtomicBool) {
        let mut ready = false;
        let (mut fed, mut told) = (Timestamp::ZERO, Timestamp::ZERO);
        while !stop.load(Relaxed) && self.pipeline.as_ref().is_none_or(|p| !p.ended()) {
            self.wait(sockets);
            self.start_again();
            if hangup.swap(false, Relaxed)
                && let Err(error) = self.reload()
            {
                log::error!("reload: {error:#}");
            }
            let shared = self.pipeline.as_ref().map(Pipeline::shared);
            if let Some(shared) = shared {
                let presented = shared.metrics.presented.load(Relaxed);
                let drawn = presented + shared.metrics.cards.load(Relaxed);
                if !self.progress.advanced(presented, drawn) {
                    continue; // Nothing was drawn: the watchdog is not fed.
                }
                if !std::mem::replace(&mut ready, true) {
                    let _ = sd_notify::notify(&[NotifyState::Ready]);
                    let said = match presented {
                        0 => "there is no picture yet, and the screen says so",
                        _ => "the first picture is shown",
                    };
                    log::info!("{said}");
                }
            }
            // At most once a second: a service manager that is slow to read would block us. Without a pipeline
            // filmd waits for its source, and lives.
            let now = Clock.now();
            if now.since(fed) > Duration::from_secs(1) {
                fed = now;
                let _ = sd_notify::notify(&[NotifyState::Watchdog]);
            }
            if let Some(shared) = shared
                && now.since(told) > Duration::from_secs(5)
            {
                told = now;
                let line = format!("{:.1} fps, {}", shared.fps(), shared.mode().name());
                let _ = sd_notify::notify(&[NotifyState::Status(&line)]);
            }
        }
    }

    /// Waits a little for clients and buttons, and does what they ask for.
    fn wait(&mut self, sockets: &mut Sockets) {
        let mut timeout = Duration::from_millis(100);
        let mut fd = None;
        if let Some(buttons) = &self.buttons {
            fd = buttons.fd();
            if let Some(deadline) = buttons.deadline() {
                timeout = timeout.min(deadline.since(Clock.now()));
            }
        }
        sockets.wait(timeout, fd);
        while let Some(action) = self.buttons.as_mut().and_then(|b| b.poll(Clock.now())) {
            self.act(action);
        }
        sockets.answer_all(self);
    }

    /// Does what a button asks for, by the requests that filmctl sends.
    fn act(&mut self, action: Action) {
        let Some(request) = self.request_of(action) else {
            return;
        };
        let (reply, picture) = self.handle(request);
        let begun = self.pipeline.as_ref().map_or(0, |p| p.shared().begun());
        match reply {
            Reply::Error { message } => log::error!("the button's {action:?}: {message}"),
            Reply::Picture { .. } => self.save(&picture),
            _ => log::info!("a button did {action:?} after frame {begun}"),
        }
    }

    fn request_of(&self, action: Action) -> Option<Request> {
        let shared = self.pipeline.as_ref()?.shared();
        let (right, down) = shared.nudge();
        let nudge = |x: i32, y: i32| Request::Nudge {
            right: right + x,
            down: down + y,
        };
        Some(match action {
            Action::Mode => Request::Mode {
                mode: shared.mode().next(),
            },
            Action::Palette => Request::Palette {
                palette: shared.palette().next(),
            },
            Action::Freeze => Request::Freeze {
                on: !shared.frozen(),
            },
            Action::Snapshot => Request::Snapshot {
                format: SnapshotFormat::Png,
            },
            Action::NudgeLeft => nudge(-1, 0),
            Action::NudgeRight => nudge(1, 0),
            Action::NudgeUp => nudge(0, -1),
            Action::NudgeDown => nudge(0, 1),
            Action::NudgeReset => Request::Nudge { right: 0, down: 0 },
        })
    }

    /// Saves a snapshot that a button asked for; never over another one.
    fn save(&self, picture: &[u8]) {
        let Some(folder) = &self.config.buttons.snapshots else {
            return; // The configuration was checked: no button saves without a folder.
        };
        // The calendar where the board has one; else the time since it started.
        let seconds = Clock
            .calendar()
            .unwrap_or(Clock.now().as_nanos() / 1_000_000_000);
        let milli = Clock.now().as_nanos() / 1_000_000 % 1000;
        let path = folder.join(format!("snapshot-{seconds}-{milli:03}.png"));
        let written = std::fs::create_dir_all(folder)
            .map_err(|error| error.to_string())
            .and_then(|()| {
                let written = write_atomic(&path, |out| {
                    out.write_all(picture).map_err(|error| error.to_string())
                });
                written.map_err(|error| error.to_string())
            });
        match written {
            Ok(()) => log::info!("wrote {}", path.display()),
            Err(error) => log::error!(
                "no snapshot: cannot write {}: {error}; set [buttons] snapshots to a folder that \
                 filmd's user may write",
                path.display()
            ),
        }
    }

    /// Reads the file again. A file that cannot be used changes nothing. Only what differs is
    /// done anew: a new mode alone does not interrupt the picture.
    fn reload(&mut self) -> Result<()> {
        let config = setup::load(&self.path)?;
        let Some(pipeline) = &self.pipeline else {
            // The new one may be what it needs.
            self.config = config;
            if let Some(waiting) = &mut self.waiting {
                waiting.next = Timestamp::ZERO;
            }
            self.start_again();
            return match &self.pipeline {
                Some(_) => Ok(()),
                None => Err(anyhow::anyhow!(self.absence())),
            };
        };
        let mut same = self.config.clone();
        same.fuse.mode = config.fuse.mode;
        if same == config {
            pipeline.shared().set_mode(config.fuse.mode);
            self.config = config;
            return Ok(());
        }
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            let _ = sd_notify::notify(&[NotifyState::Reloading, now]);
        }
        let mut kept = Kept::of(pipeline);
        let former = (self.config.fuse.mode, self.config.fuse.palette);
        // Devices can be opened once only: the old pipeline has to let go of them first.
        if let Some(old) = self.pipeline.take()
            && let Err(error) = old.stop()
        {
            // What its screen could not write is no reason to show nothing from here on.
            log::error!("reload: {error}");
        }
        let result = match start(&config) {
            Ok(pipeline) => {
                let (mode, palette) = (config.fuse.mode, config.fuse.palette);
                kept.replace(
                    (mode != former.0).then_some(mode),
                    (palette != former.1).then_some(palette),
                );
                kept.restore(&pipeline);
                self.pipeline = Some(pipeline);
                // Lines can be asked for once only.
                self.buttons = None;
                self.buttons = open_buttons(&config);
                self.config = config;
                Ok(())
            }
            Err(error) => {
                self.waiting = Some(Waiting {
                    kept,
                    why: String::new(),
                    next: Timestamp::ZERO,
                });
                self.start_again();
                let goes_on = match &self.pipeline {
                    Some(_) => "the new configuration cannot run; the former one goes on",
                    None => {
                        "the new configuration cannot run, and the former one cannot at present: it is tried again"
                    }
                };
                Err(error.context(goes_on))
            }
        };
        let _ = sd_notify::notify(&[NotifyState::Ready]);
        result
    }

    /// Starts the pipeline of the present configuration where there is none and its time has come.
    fn start_again(&mut self) {
        let Some(waiting) = &mut self.waiting else {
            return;
        };
        if Clock.now() < waiting.next {
            return;
        }
        match start(&self.config) {
            Ok(pipeline) => {
                waiting.kept.restore(&pipeline);
                self.pipeline = Some(pipeline);
                self.waiting = None;
                self.progress = Progress {
                    at: Clock.now(),
                    ..Progress::default()
                };
            }
            Err(error) => {
                let why = format!("{error:#}");
                if why != waiting.why {
                    log::error!("there is no picture: {why}; trying again");
                }
                waiting.why = why;
                waiting.next = Clock.now().plus(RETRY);
            }
        }
    }

    /// Why no request can be followed at present.
    fn absence(&self) -> String {
        match &self.waiting {
            Some(waiting) => format!("filmd waits for its source: {}", waiting.why),
            None => "filmd is reloading; try again".to_owned(),
        }
    }
}
