//! One frame from pair to picture: align, fuse, emphasise, tone, colour, mode; with the fallbacks of the
//! degradation ladder.
//!
//! Input: [`FramePair`], [`Guidance`], [`Mode`]. Output: [`FusedFrame`]. Thread: fuse. Blocks:
//! never. Allocates: when made, and what its fuser does. Fails when: at
//! set-up only; a frame on which the network fails is fused the classic way. Not its job:
//! threads, overlay.

use super::tone::TemporalNoise;
use super::{ClassicFuser, Composer, DisplaySettings, Emphasiser, Fuser, GuidanceFade, Tone};
use crate::align::{AlignError, AlignedPair, Aligner, Calibration, CountsAligner};
use crate::clean::{BlurFollower, LevelsFollower, Sharpener};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Mode, Palette, SharpenMode, Task};
use crate::describe::Guidance;
use crate::frame::{FramePair, Picture};
use crate::fuse::FusedFrame;
use crate::metrics::{Marks, Metrics, count};

/// A failure weighs as much as so many good frames.
const FAILURE: u32 = 10;
/// At this weight the network is not asked again: five failures in a row, or a lasting share of
/// more than one frame in eleven. Each one costs a frame's time and a line in the log.
const GIVE_UP_AT: u32 = 5 * FAILURE;

/// The engine's name while classic fusion stands in for a network that is being loaded.
pub const LOADING: &str = "classic (the network is being loaded)";
/// Its name where that failed.
const NOT_LOADED: &str = "classic (the network could not be loaded)";

/// Align, fuse, tone and compose for one output size and task.
pub struct FuseStage {
    aligner: Aligner,
    aligned: AlignedPair,
    composer: Composer,
    /// Takes blur back from the luma of source B; `None`: by configuration, or not for this task.
    sharpen: Option<(BlurFollower, Sharpener)>,
    /// Levels that a text asks for, of A and of B.
    levels: [LevelsFollower; 2],
    /// `None`: classic by configuration, or given up.
    network: Option<Box<dyn Fuser>>,
    classic: ClassicFuser,
    fade: GuidanceFade,
    /// For infrared and visible only.
    emphasis: Option<Emphasiser>,
    /// With what the noise allows it.
    tone: Option<(Tone, TemporalNoise)>,
    fused: Picture,
    view: DisplaySettings,
    engine: String,
    /// Classic fusion stands in for a network that was asked for.
    stands_in: bool,
    /// Weight of the failures so far, less the good frames since.
    trouble: u32,
}

impl FuseStage {
    /// For the output size, task and palette of `config`. `network` is `None` where classic
    /// fusion was asked for, or where the network could not be loaded: `config` tells which.
    ///
    /// # Errors
    /// [`AlignError`] where the calibration cannot be used.
    pub fn new(
        config: &Config,
        calibration: &Calibration,
        network: Option<Box<dyn Fuser>>,
    ) -> Result<Self, AlignError> {
        let size = config.output.size();
        let wanted = config.fuse.engine == crate::config::Engine::Network;
        let engine = match &network {
            Some(network) => network.name().to_owned(),
            None if wanted => NOT_LOADED.to_owned(),
            None => "classic".to_owned(),
        };
        Ok(Self {
            aligner: Aligner::new(calibration, config.align.preset.as_deref(), size)?,
            aligned: AlignedPair::new(size),
            composer: Composer::new(size),
            sharpen: (config.clean.sharpen == SharpenMode::Auto && config.task == Task::Ivf)
                .then(|| (BlurFollower::default(), Sharpener::new(size))),
            levels: Default::default(),
            stands_in: wanted && network.is_none(),
            network,
            classic: ClassicFuser::new(size),
            fade: GuidanceFade::new(config.fuse.guidance_fade(), size),
            emphasis: (config.task == Task::Ivf).then(|| Emphasiser::new(size)),
            tone: Tone::new(config.tone, config.task, size)
                .map(|tone| (tone, TemporalNoise::new(size))),
            fused: Picture::grey(size),
            view: DisplaySettings {
                task: config.task,
                mode: config.fuse.mode,
                palette: config.fuse.palette,
            },
            engine,
            trouble: 0,
        })
    }

    /// Classic fusion stands in until [`FuseStage::take_network`].
    pub fn await_network(&mut self) {
        LOADING.clone_into(&mut self.engine);
        self.stands_in = true;
    }

    /// From the next frame on `network` fuses; for `None` it is classic fusion for good.
    pub fn take_network(&mut self, network: Option<Box<dyn Fuser>>) {
        let name = network
            .as_ref()
            .map_or(NOT_LOADED, |network| network.name());
        name.clone_into(&mut self.engine);
        self.stands_in = network.is_none();
        self.network = network;
    }

    /// Other colours of thermal values from the next frame on.
    pub fn set_palette(&mut self, palette: Palette) {
        self.view.palette = palette;
    }

    /// Moves source A by so many output pixels right and down from where the calibration has it.
    /// Makes the aligner's table anew where that changed.
    pub fn set_nudge(&mut self, nudge: (i32, i32)) {
        self.aligner.set_nudge(nudge);
    }

    /// Who fuses, for status and overlay.
    pub fn engine_name(&self) -> &str {
        &self.engine
    }

    /// Copies the pair of the last frame, aligned, for the text path; `pair` is that frame's. Its counts
    /// are copied as they are, for [`FuseStage::counts_aligner`].
    pub fn share(&self, pair: &FramePair, out: &mut AlignedPair) {
        out.copy_from(&self.aligned);
        self.aligner.keep_counts(pair, &mut out.heat);
    }

    /// What brings counts that were shared over the picture, on the text path's thread.
    pub fn counts_aligner(&self) -> CountsAligner {
        self.aligner.for_counts()
    }

    /// Luma of the last frame that was fused, as it went into the picture: after the tone map.
    pub fn fused(&self) -> &Picture {
        &self.fused
    }

    /// Makes the picture of one pair. `metrics` gets the time of each stage.
    pub fn run(
        &mut self,
        pair: &FramePair,
        guidance: &Guidance,
        mode: Mode,
        out: &mut FusedFrame,
        metrics: &Metrics,
    ) {
        let start = Clock.now();
        self.aligner.align(pair, &mut self.aligned);
        let aligned = Clock.now();
        metrics.align.add(aligned.since(start));

        let mut stands_in = self.stands_in;
        if Composer::needs_fusion(mode, &self.aligned) {
            stands_in |= !self.fuse(guidance, pair.timestamp(), metrics);
            if let Some(emphasis) = &mut self.emphasis {
                let (wanted, at) = (guidance.controls.emphasis, pair.timestamp());
                let (infrared, _) = self.composer.planes();
                emphasis.apply(infrared, &mut self.fused, wanted, at);
            }
            let fused = Clock.now();
            metrics.fuse.add(fused.since(aligned));
            if let Some((tone, temporal_noise)) = &mut self.tone {
                let (infrared, visible) = self.composer.planes();
                let most = temporal_noise.most_gain([infrared, visible, &self.fused]);
                tone.apply(&mut self.fused, pair.timestamp(), most);
                metrics.tone.add(Clock.now().since(fused));
            }
        } else {
            // The other modes colour the planes that this makes.
            self.composer.luma_planes(&self.aligned);
            self.fade.skip();
        }

        let fused = Clock.now();
        let view = DisplaySettings { mode, ..self.view };
        self.composer
            .compose(view, &self.aligned, &self.fused, &mut out.picture);
        if let Some(views) = &mut out.sources {
            views.keep(pair, &self.aligned);
        }
        out.timestamp = pair.timestamp();
        out.mode = mode;
        out.marks = Marks {
            no_infrared: !self.aligned.has_infrared,
            no_visible: !self.aligned.has_visible,
            infrared_stale: pair.infrared_stale,
            visible_stale: pair.visible_stale,
            classic: stands_in,
            frozen: false,
        };
        metrics.compose.add(Clock.now().since(fused));
    }

    /// Fills `self.fused`; `false` where classic fusion stood in for a network that failed.
    fn fuse(&mut self, guidance: &Guidance, at: Timestamp, metrics: &Metrics) -> bool {
        let controls = &guidance.controls;
        let (sharpen, [first, second]) = (&mut self.sharpen, &mut self.levels);
        let change_infrared = |infrared: &mut Picture| {
            let levels = first.follow(infrared, controls.levels[0]);
            levels.apply(infrared);
        };
        let change_visible = |visible: &mut Picture| {
            if let Some((follower, sharpener)) = sharpen {
                sharpener.apply(visible, follower.follow(visible, controls.sharpen));
            }
            let levels = second.follow(visible, controls.levels[1]);
            levels.apply(visible);
        };
        let changes = (change_infrared, change_visible);
        self.composer.luma_planes_with(&self.aligned, changes);
        let (infrared, visible) = self.composer.planes();
        count(&metrics.fused);
        let mut failed = false;
        if let Some(network) = &mut self.network {
            self.fade.step(guidance, at);
            self.fade.look([infrared, visible]);
            let fused = &mut self.fused;
            let shown = self.fade.shown(guidance);
            let done = network.fuse_shown(infrared, visible, &shown, fused);
            let Err(error) = done else {
                let sources = [[infrared, visible], self.composer.planes_before()];
                if self.fade.observe(sources, &mut self.fused) {
                    count(&metrics.held_back);
                }
                self.trouble = self.trouble.saturating_sub(1);
                return true;
            };
            count(&metrics.fuse_errors);
            self.fade.skip();
            self.trouble += FAILURE;
            failed = true;
            log::error!("{error}");
            if self.trouble >= GIVE_UP_AT {
                log::error!("the network fails too often: classic fusion from now on");
                self.engine = format!("classic (network {} failed: {error})", network.name());
                self.network = None;
                self.stands_in = true;
            }
        }
        if let Err(error) = self
            .classic
            .fuse(infrared, visible, guidance, &mut self.fused)
        {
            // Only sizes can be wrong, and they are this stage's own.
            log::error!("classic fusion: {error}");
        }
        !failed && !self.stands_in
    }
}
