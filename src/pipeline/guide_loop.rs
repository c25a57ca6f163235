//! The guide thread: runs the text path's worker at its own pace, far from the frame path.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use super::{Scene, Shared};
use crate::align::CountsAligner;
use crate::channel::Mailbox;
use crate::describe::GuideWorker;
use crate::frame::Pooled;

/// What a user asks of the guide thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuideCommand {
    /// Guide by this text until [`GuideCommand::Auto`].
    Text(String),
    /// Describe what is seen again.
    Auto,
}

pub(super) struct GuideLoop {
    pub shared: Arc<Shared>,
    pub scenes: Arc<Mailbox<Pooled<Scene>>>,
    pub commands: Receiver<GuideCommand>,
    pub counts: CountsAligner,
    pub worker: GuideWorker,
}

impl GuideLoop {
    pub fn run(mut self) {
        let mut wait = Duration::ZERO;
        while !self.shared.stopping() {
            let wants = self.worker.wants_pair(self.shared.now());
            self.shared.wants_scene.store(wants, Relaxed);
            let Ok(mut scene) = self.scenes.take(wait) else {
                break;
            };
            if let Some(scene) = &mut scene {
                self.counts.align(&mut scene.pair.heat);
            }
            if !self.obey() {
                break;
            }
            let scene = scene.as_deref();
            self.worker.see(scene.map(|scene| &scene.fused));
            let pair = scene.map(|scene| &scene.pair);
            wait = self.worker.step(pair, self.shared.now());
            self.shared.set_guide(self.worker.status(self.shared.now()));
        }
    }

    /// Takes the commands that came in; `false` once nobody can send any more.
    fn obey(&mut self) -> bool {
        loop {
            let wish = match self.commands.try_recv() {
                Ok(GuideCommand::Text(text)) => Some(text),
                Ok(GuideCommand::Auto) => None,
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            };
            self.worker.set_wish(wish, self.shared.now());
        }
    }
}
