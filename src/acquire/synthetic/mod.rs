//! A rendered outdoor night scene in both modalities, with known truth: the twin of two cameras.
//!
//! People walk, a car drives by with dazzling headlights, a fire burns and its smoke drifts; the
//! thermal picture sees through smoke and glare, the visible one has colour and texture.
//! Input: a seed. Output: pairs of 640x480 RGB and 160x120 counts with range-mapped grey; the same
//! bytes for the same seed and frame number on every processor. Thread: acquire. Blocks: until a
//! frame is due. Allocates: when made. Fails when: [`AcquireError::Stalled`] only.
//! Not its job: being a camera's exact optics; distances and temperatures are plausible.

mod actors;
mod backdrop;
mod cast;
mod crowd;
mod fire;
mod haze;
mod random;
mod raster;
mod render;
mod scene;
mod world;

use std::time::Duration;

use super::intake::Intake;
use super::{AcquireCounters, AcquireError, PairSource, Role, SourceInfo};
use crate::align::Calibration;
use crate::clean::Condition;
use crate::clock::{Clock, Timestamp};
use crate::config::{CleanConfig, SyntheticConfig};
use crate::frame::{Frame, FramePair, Pool};
use crate::range::{RangeConfig, RangeMapper};

pub use render::Renderer;
pub use scene::{Moment, PixelBox, Truth, TruthKind, TruthObject};
pub use world::{HOMOGRAPHY, INFRARED, REFERENCE_DISTANCE, VISIBLE};

/// Frames of each kind: what the pipeline holds at once, and two to spare.
const POOL: usize = 8;
/// How much earlier the infrared frame is taken, and how much that varies, microseconds.
const SKEW: (u64, u64) = (3_000, 4_000);

/// Kelvins a count.
const KELVIN: f32 = 0.01;

/// The scene without a clock: any frame by its number, and the truth about it.
#[derive(Debug)]
pub struct SyntheticScene {
    seed: u64,
    fps: f64,
    renderer: Renderer,
    range: RangeMapper,
    /// Random people and cars, with a fire or without; `None`: the regular ones.
    random: Option<bool>,
}

impl SyntheticScene {
    /// Draws what does not move.
    pub fn new(seed: u64, fps: f64) -> Self {
        Self {
            seed,
            fps,
            renderer: Renderer::new(seed, true),
            range: RangeMapper::new(RangeConfig::default()),
            random: None,
        }
    }

    /// A scene with other people and another car every few seconds, with a fire or without:
    /// what facts are tried on. See [`SyntheticScene::middle`].
    pub fn random(seed: u64, fps: f64, fire: bool) -> Self {
        Self {
            seed,
            fps,
            renderer: Renderer::new(seed, fire),
            range: RangeMapper::new(RangeConfig::default()),
            random: Some(fire),
        }
    }

    /// The frame of a random scene in which the people and the car of `episode` hide neither
    /// each other nor the fire.
    pub fn middle(&self, episode: u64) -> u64 {
        crowd::middle(episode, self.fps)
    }

    /// The known map of visible to infrared pixels, exact at [`REFERENCE_DISTANCE`] metres.
    pub fn calibration() -> Calibration {
        Calibration::from_homography(HOMOGRAPHY, INFRARED, VISIBLE)
    }

    /// Where everything is at frame `number`.
    pub fn moment(&self, number: u64) -> Moment {
        match self.random {
            None => Moment::at(self.seed, number, self.fps),
            Some(fire) => Moment::random(self.seed, number, self.fps, fire),
        }
    }

    /// What is in the pictures of frame `number`.
    pub fn truth(&self, number: u64) -> Truth {
        let moment = self.moment(number);
        let haze = &self.renderer.haze;
        moment.truth(|x, y| haze.opacity(&moment, x, y))
    }

    /// Draws the visible picture of frame `number`.
    pub fn render_visible(&self, number: u64, frame: &mut Frame) {
        self.renderer
            .visible(&self.moment(number), &mut frame.picture);
    }

    /// Draws the infrared counts of frame `number` and maps them to grey; the range follows the
    /// frames drawn before.
    pub fn render_infrared(&mut self, number: u64, frame: &mut Frame) {
        self.render_counts(number, frame);
        if let Some(counts) = &frame.counts {
            frame.picture.reshape(INFRARED, 1);
            self.range.map(&counts.data, frame.picture.data_mut());
        }
    }

    /// Draws the infrared counts of frame `number` alone.
    fn render_counts(&mut self, number: u64, frame: &mut Frame) {
        let moment = self.moment(number);
        let counts = frame
            .counts
            .get_or_insert_with(|| crate::frame::Counts::new(INFRARED));
        counts.kelvin = Some(KELVIN);
        self.renderer.infrared(&moment, counts);
    }
}

/// The scene as a source of pairs.
#[derive(Debug)]
pub struct SyntheticSource {
    config: SyntheticConfig,
    scene: SyntheticScene,
    intakes: [Intake; 2],
    info: SourceInfo,
    infrared: Pool<Frame>,
    visible: Pool<Frame>,
    counters: AcquireCounters,
    /// When frame 0 was due: at the first call, so that a slow start of others drops nothing.
    start: Option<Timestamp>,
    next: u64,
}

impl SyntheticSource {
    /// Makes the scene; its first frame is due when it is first asked for.
    ///
    /// # Errors
    /// [`AcquireError::Source`] where the frame rate is not in 1..=240.
    pub fn new(config: &SyntheticConfig, clean: &CleanConfig) -> Result<Self, AcquireError> {
        if !(1.0..=240.0).contains(&config.fps) {
            return Err(AcquireError::Source {
                path: "synthetic".into(),
                message: format!("fps = {} is out of range: 1 to 240", config.fps),
            });
        }
        Ok(Self {
            config: config.clone(),
            scene: SyntheticScene::new(config.seed, config.fps),
            intakes: [
                Intake::new(Role::Infrared, clean, INFRARED, RangeConfig::default()),
                Intake::new(Role::Visible, clean, VISIBLE, RangeConfig::default()),
            ],
            info: SourceInfo {
                name: format!("synthetic night scene {}", config.seed),
                infrared: INFRARED,
                visible: VISIBLE,
                fps: config.fps,
                calibration: Some(SyntheticScene::calibration()),
            },
            infrared: Pool::new(POOL, || Frame::new(INFRARED, 1, true)),
            visible: Pool::new(POOL, || Frame::new(VISIBLE, 3, false)),
            counters: AcquireCounters::default(),
            start: None,
            next: 0,
        })
    }

    /// The truth about the frame whose `sequence` is `number`.
    pub fn truth(&self, number: u64) -> Truth {
        self.scene.truth(number)
    }

    fn due(&mut self, number: u64) -> Timestamp {
        let seconds = number as f64 / self.config.fps;
        let start = *self.start.get_or_insert_with(|| Clock.now());
        start.plus(Duration::from_secs_f64(seconds))
    }

    /// How long after the infrared frame the visible one is taken.
    fn skew(&self, number: u64) -> Duration {
        let jitter = random::hash(self.config.seed ^ 0x5e3, number) % SKEW.1;
        Duration::from_micros(SKEW.0 + jitter)
    }

    /// Waits until both of the next frames are taken; skips those whose time has passed altogether.
    fn pace(&mut self, timeout: Duration) -> Result<(), AcquireError> {
        let due = self.due(self.next).plus(self.skew(self.next));
        let now = Clock.now();
        if due.since(now) > timeout {
            Clock.sleep_until(now.plus(timeout));
            return Err(AcquireError::Stalled(timeout));
        }
        Clock.sleep_until(due);
        let late = now.since(due).as_secs_f64() * self.config.fps;
        self.skip(late as u64);
        Ok(())
    }

    /// Passes over `frames` pairs, as a camera does whose buffers nobody took.
    fn skip(&mut self, frames: u64) {
        self.next += frames;
        self.counters.infrared_frames += frames;
        self.counters.visible_frames += frames;
        self.counters.dropped += 2 * frames;
    }
}

impl PairSource for SyntheticSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_pair(&mut self, timeout: Duration) -> Result<FramePair, AcquireError> {
        if !self.config.unpaced {
            self.pace(timeout)?;
        }
        let (Some(mut infrared), Some(mut visible)) = (self.infrared.take(), self.visible.take())
        else {
            // All frames are downstream: this one is lost, and the CPU is left to the others.
            if self.config.unpaced {
                let pause = timeout.min(Duration::from_millis(2));
                Clock.sleep_until(Clock.now().plus(pause));
            } else {
                self.skip(1);
            }
            return Err(AcquireError::Stalled(timeout));
        };
        let number = self.next;
        self.scene.render_counts(number, &mut infrared);
        self.scene.render_visible(number, &mut visible);
        let [intake_a, intake_b] = &mut self.intakes;
        intake_a.take(&mut infrared);
        intake_b.take(&mut visible);
        self.counters.cleaning = intake_a.took() + intake_b.took();
        let due = self.due(number);
        infrared.timestamp = due;
        visible.timestamp = due.plus(self.skew(number));
        (infrared.sequence, visible.sequence) = (number, number);
        self.next += 1;
        self.counters.infrared_frames += 1;
        self.counters.visible_frames += 1;
        Ok(FramePair {
            infrared: Some(infrared.share()),
            visible: Some(visible.share()),
            ..FramePair::default()
        })
    }

    fn counters(&self) -> AcquireCounters {
        self.counters
    }

    fn conditions(&self) -> [Condition; 2] {
        self.intakes.each_ref().map(Intake::condition)
    }

    fn set_denoise(&mut self, denoise: f32) {
        self.intakes[0].set_denoise(denoise);
    }
}

#[cfg(test)]
mod tests;
