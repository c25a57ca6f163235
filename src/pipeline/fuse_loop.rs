//! The fuse thread: owns the tables of align and the state of tract; reads guidance once a frame.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::loading::Loaded;
use super::{GuideInput, PATIENCE, Shared};
use crate::channel::Mailbox;
use crate::describe::FramePriority;
use crate::frame::{FramePair, Pool, Pooled};
use crate::fuse::FuseStage;
use crate::fuse::FusedFrame;
use crate::metrics::count;

pub(super) struct FuseLoop {
    pub shared: Arc<Shared>,
    pub inbox: Arc<Mailbox<FramePair>>,
    pub outbox: Arc<Mailbox<Pooled<FusedFrame>>>,
    pub pool: Pool<FusedFrame>,
    pub stage: FuseStage,
    /// Where the network comes from while it is being loaded.
    pub network: Option<Arc<Mailbox<Loaded>>>,
    /// Stops the describer while a frame is made.
    pub priority: FramePriority,
    pub scenes: Arc<Mailbox<Pooled<GuideInput>>>,
    pub scene_pool: Pool<GuideInput>,
}

/// However the loop ends, even by a panic, present and guide must learn that nothing more comes.
impl Drop for FuseLoop {
    fn drop(&mut self) {
        self.outbox.close();
        self.scenes.close();
    }
}

impl FuseLoop {
    pub fn run(mut self) {
        let mut sequence = 0;
        let mut guided_by = self.shared.guidance.get();
        let mut mode = self.shared.mode();
        while !self.shared.stopping() {
            let pair = match self.inbox.take(PATIENCE) {
                Ok(Some(pair)) => pair,
                Ok(None) => continue,
                Err(_) => break,
            };
            sequence += 1;
            self.shared.begin(sequence);
            let guidance = self.shared.guidance.get();
            let Some(mut frame) = self.pool.take() else {
                // Cannot be: three frames, and at most three holders. If a screen keeps one for
                // longer than it should, this frame is the price.
                count(&self.shared.metrics.fused_displaced);
                continue;
            };
            frame.sequence = sequence;
            self.take_network();
            let guard = self.priority.begin();
            self.stage.set_palette(self.shared.palette());
            self.stage.set_nudge(self.shared.nudge());
            self.stage.run(
                &pair,
                &guidance,
                self.shared.mode(),
                &mut frame,
                &self.shared.metrics,
            );
            drop(guard);
            self.report(&frame);
            if std::mem::replace(&mut mode, frame.mode) != frame.mode {
                log::info!("frame {sequence} is the first in mode {}", mode.name());
            }
            if !Arc::ptr_eq(&guided_by, &guidance) {
                count(&self.shared.metrics.guidance_swaps);
                guided_by = guidance;
            }
            match self.outbox.put(frame) {
                Ok(None) => {}
                Ok(Some(_)) => count(&self.shared.metrics.fused_displaced),
                Err(_) => break,
            }
            // After the frame is away: what is copied for the text path delays none.
            self.share_scene(&pair);
        }
    }

    /// Takes the network over once it is loaded.
    fn take_network(&mut self) {
        let Some(inbox) = &self.network else {
            return;
        };
        let loaded = match inbox.take(Duration::ZERO) {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return,
            Err(_) => Err("the thread that loads it panicked".to_owned()),
        };
        self.network = None;
        if let Err(error) = &loaded {
            log::error!("{error}; going on with classic fusion");
        }
        self.stage.take_network(loaded.ok());
        log::info!("fusion by {}", self.stage.engine_name());
    }

    fn report(&self, frame: &FusedFrame) {
        if frame.marks != self.shared.marks() {
            self.shared.set_marks(frame.marks);
        }
        self.shared.set_engine(self.stage.engine_name());
    }

    /// A copy for the text path, only when it asked for one.
    fn share_scene(&mut self, pair: &FramePair) {
        if !self.shared.wants_scene.load(Relaxed) {
            return;
        }
        if let Some(mut scene) = self.scene_pool.take() {
            self.stage.share(pair, &mut scene.pair);
            scene.fused.copy_from(self.stage.fused());
            if self.scenes.put(scene).is_ok() {
                self.shared.wants_scene.store(false, Relaxed);
            }
        }
    }
}
