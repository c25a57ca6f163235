//! The threads, and what they share. No other file creates one.
//!
//! Input: [`Parts`], made and checked by the caller. Output: pictures on the screen, [`Status`].
//! Thread: [`Pipeline::start`] makes acquire, fuse, present and guide (see the table in
//! ARCHITECTURE.md), [`fuse_team`] those that share the work of fuse; its own methods run on the caller's. Blocks: [`Pipeline::stop`], until each
//! thread has ended its current frame. Allocates: pools and planes at start. Fails when: a thread
//! cannot be created. Not its job: what each stage does.

mod acquire_loop;
mod fuse_loop;
mod guide_loop;
mod loading;
mod panel_loop;
mod present_loop;
mod shared;
mod silence;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::acquire::PairSource;
use crate::align::AlignedPair;
use crate::channel::Mailbox;
use crate::clock::Timestamp;
use crate::config::{Config, FuseConfig, Mode};
use crate::describe::{
    DescribeError, Describer, FrameCount, FramePriority, Guidance, GuideSettings, GuideWorker,
};
use crate::frame::{Picture, Pool, Size};
use crate::fuse::{FuseStage, FusedFrame, LOADING, SourceViews};
use crate::metrics::Marks;
use crate::present::{PresentError, Screen};
use crate::sys::cores;
use crate::team::Team;

pub use control_protocol::{Clocks, Status};
pub use guide_loop::GuideCommand;
use loading::Loaded;
pub use loading::NetworkLoad;
pub use shared::{NUDGE_LIMIT, Shared, SnapshotRequest};

/// How long a source may be silent before that counts as a stall, and how soon every thread
/// sees that it is to stop.
const PATIENCE: Duration = Duration::from_millis(500);

/// Frames between the fuse and the present thread: one being made, one waiting, one on screen.
const FUSED_FRAMES: usize = 3;

/// Opens the screen, in the present thread; called again after the screen was lost.
pub type ScreenFactory = Box<dyn FnMut() -> Result<Box<dyn Screen>, PresentError> + Send>;

/// Everything a pipeline is made of.
pub struct Parts {
    /// The checked configuration.
    pub config: Config,
    /// Where pairs come from.
    pub source: Box<dyn PairSource>,
    /// Align, fuse, colour, mode.
    pub stage: FuseStage,
    /// A network that `stage` does not have yet: pictures do not wait for it.
    pub network: Option<NetworkLoad>,
    /// Where pictures go.
    pub screen: ScreenFactory,
    /// Who writes the text, or why nobody does.
    pub describer: Result<Box<dyn Describer>, DescribeError>,
    /// The guidance before the first text, and after the last one has grown old.
    pub neutral: Guidance,
    /// Folder for snapshots asked for by a key of the screen; `None`: they are refused.
    pub snapshots: Option<PathBuf>,
    /// Keep the sources beside each fused frame, for contact sheets.
    pub keep_sources: bool,
}

/// The threads of a running filmd: four, one for a status panel where there is one, and at the start one that
/// loads the network.
pub struct Pipeline {
    shared: Arc<Shared>,
    commands: SyncSender<GuideCommand>,
    acquire: JoinHandle<()>,
    fuse: JoinHandle<()>,
    present: JoinHandle<Result<Vec<PathBuf>, PresentError>>,
    guide: JoinHandle<()>,
    /// Where a status panel is configured.
    panel: Option<JoinHandle<()>>,
    /// Ends a wait for the describer.
    stopper: Option<Arc<AtomicBool>>,
    /// Why nobody writes or encodes a text.
    no_describer: Option<String>,
}

/// What the guide thread looks at.
#[derive(Debug)]
struct GuideInput {
    pair: AlignedPair,
    /// Luma; of an older pair where the mode shows no fusion.
    fused: Picture,
}

impl Pipeline {
    /// Starts all threads.
    ///
    /// # Errors
    /// Where the system refuses a thread.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        let size = parts.config.output.size();
        let (shared, no_describer) = (Arc::new(Shared::new(&parts)), no_describer(&parts));
        let (pairs, fused) = (Arc::new(Mailbox::default()), Arc::new(Mailbox::default()));
        let scenes = Arc::new(Mailbox::default());
        let views = parts.keep_sources.then(|| parts.source.info().infrared);
        let pool = Pool::new(FUSED_FRAMES, || empty_frame(size, views));
        let (commands, inbox) = sync_channel(4);
        let (core, describe_core) = (parts.config.fuse.core_of(0), parts.config.describe.core);

        let present = present_loop::PresentLoop {
            shared: Arc::clone(&shared),
            inbox: Arc::clone(&fused),
            open: parts.screen,
            overlay: parts.config.present.overlay,
            snapshots: parts.snapshots,
            wants_snapshot: false,
            complained: false,
            held: None,
            hold: Picture::rgb(size),
            retries: 0,
        };
        let counts = parts.stage.counts_aligner();
        let worker = guide_worker(&parts.config, parts.neutral, parts.describer, &shared);
        let gives_way = parts.config.describe.gives_way;
        let pauser = worker.pauser().filter(|_| gives_way);
        let mut stage = parts.stage;
        let network = load_network(parts.network, &mut stage, &shared)?;
        let fuse = fuse_loop::FuseLoop {
            shared: Arc::clone(&shared),
            inbox: Arc::clone(&pairs),
            outbox: fused,
            pool,
            stage,
            network,
            priority: FramePriority::new(pauser),
            scenes: Arc::clone(&scenes),
            scene_pool: Pool::new(2, || GuideInput {
                pair: AlignedPair::new(size),
                fused: Picture::grey(size),
            }),
        };
        let stopper = worker.stopper();
        let guide = guide_loop::GuideLoop {
            shared: Arc::clone(&shared),
            scenes,
            commands: inbox,
            counts,
            worker,
        };
        let acquire = acquire_loop::AcquireLoop {
            shared: Arc::clone(&shared),
            source: parts.source,
            outbox: pairs,
        };
        Ok(Self {
            present: spawn("present", move || present.run(size))?,
            fuse: spawn("fuse", move || {
                bind("fuse.cores", core);
                fuse.run();
            })?,
            guide: spawn("guide", move || {
                // Before it starts film-describe, which stays on the same core.
                bind("describe.core", describe_core);
                guide.run();
            })?,
            acquire: spawn("acquire", move || acquire.run())?,
            panel: status_panel(&parts.config, &shared)?,
            shared,
            commands,
            stopper,
            no_describer,
        })
    }

    /// What the threads share, for status and for changes.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Why no text can guide the network; controls beside it can be set all the same.
    pub fn no_text(&self) -> Option<String> {
        let engine = self.shared.engine();
        if engine.starts_with("classic") && engine != LOADING {
            return Some(format!("no text guides {engine}"));
        }
        self.no_describer.clone()
    }

    /// Hands a command to the guide thread.
    ///
    /// # Errors
    /// A message where the thread still has four commands to do, or is gone.
    pub fn guide(&self, command: GuideCommand) -> Result<(), String> {
        self.commands.try_send(command).map_err(|e| match e {
            TrySendError::Full(_) => "the describer is still busy with earlier texts".to_owned(),
            TrySendError::Disconnected(_) => "the guide thread has ended".to_owned(),
        })
    }

    /// The source came to its end, or the screen asked to quit.
    pub fn ended(&self) -> bool {
        self.shared.stopping() || self.present.is_finished()
    }

    /// Ends all threads; the files that the screen wrote.
    ///
    /// # Errors
    /// What the screen could not write, or that a thread panicked.
    pub fn stop(self) -> Result<Vec<PathBuf>, PresentError> {
        self.shared.stop();
        if let Some(stopper) = &self.stopper {
            stopper.store(true, Relaxed);
        }
        drop(self.commands);
        let gone = |name: &str| PresentError::Unavailable(format!("the {name} thread panicked"));
        let files = self.present.join().map_err(|_| gone("present"))?;
        for (name, thread) in [
            ("acquire", self.acquire),
            ("fuse", self.fuse),
            ("guide", self.guide),
        ] {
            thread.join().map_err(|_| gone(name))?;
        }
        if let Some(panel) = self.panel {
            panel.join().map_err(|_| gone("panel"))?;
        }
        files
    }
}

/// The threads that share the fuse thread's work on the network; `NetworkFuser::with_team` takes
/// them.
///
/// # Errors
/// Where the system refuses a thread.
pub fn fuse_team(config: &FuseConfig) -> std::io::Result<Arc<Team>> {
    let team = Team::start(config.threads() - 1, |number, run| {
        let core = config.core_of(number);
        spawn(&format!("fuse {number}"), move || {
            bind("fuse.cores", core);
            run();
        })
    })?;
    Ok(Arc::new(team))
}

/// Why nobody writes or encodes a text.
fn no_describer(parts: &Parts) -> Option<String> {
    parts.describer.as_ref().err().map(ToString::to_string)
}

/// The guide thread's worker, which rests while frames are late.
fn guide_worker(
    config: &Config,
    neutral: Guidance,
    describer: Result<Box<dyn Describer>, DescribeError>,
    shared: &Arc<Shared>,
) -> GuideWorker {
    let mut worker = GuideWorker::new(
        GuideSettings::from(&config.describe),
        Arc::new(neutral),
        describer,
        Arc::clone(&shared.guidance),
    );
    let counters = Arc::clone(shared);
    worker.watch_frames(move || {
        let m = &counters.metrics;
        FrameCount {
            pairs: m.pairs.load(Relaxed),
            missed: m.pairs_displaced.load(Relaxed) + m.fused_displaced.load(Relaxed),
        }
    });
    worker
}

/// Binds this thread to its core, if `key` of the configuration gives it one.
fn bind(key: &str, core: Option<usize>) {
    if let Some(core) = core
        && let Err(error) = cores::bind(core)
    {
        log::warn!("{key}: this thread cannot be bound to core {core}: {error}");
    }
}

/// Starts the load of a network that `stage` does not have yet.
fn load_network(
    network: Option<NetworkLoad>,
    stage: &mut FuseStage,
    shared: &Shared,
) -> std::io::Result<Option<Arc<Mailbox<Loaded>>>> {
    let inbox = network.map(loading::start).transpose()?;
    if inbox.is_some() {
        stage.await_network();
        shared.set_engine(stage.engine_name());
    }
    Ok(inbox)
}

/// Starts the thread of a status panel, where one is configured.
fn status_panel(config: &Config, shared: &Arc<Shared>) -> std::io::Result<Option<JoinHandle<()>>> {
    if !config.status_panel.enabled {
        return Ok(None);
    }
    let panel = panel_loop::PanelLoop {
        shared: Arc::clone(shared),
        config: config.status_panel.clone(),
        thermal_zone: config.describe.thermal_zone.clone(),
    };
    spawn("panel", move || panel.run()).map(Some)
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}

fn empty_frame(size: Size, views: Option<Size>) -> FusedFrame {
    FusedFrame {
        picture: Picture::rgb(size),
        timestamp: Timestamp::ZERO,
        sequence: 0,
        mode: Mode::Fused,
        marks: Marks::default(),
        sources: views.map(|thermal| SourceViews {
            visible: Picture::rgb(size),
            thermal: Picture::rgb(thermal),
            aligned: Picture::rgb(size),
        }),
    }
}
