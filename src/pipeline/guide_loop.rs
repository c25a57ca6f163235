//! The guide thread: runs the text path's worker at its own pace, far from the frame path.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::time::Duration;

use super::{GuideInput, Shared};
use crate::align::CountsAligner;
use crate::channel::Mailbox;
use crate::describe::request::Understood;
use crate::describe::{GuideWorker, UserText};
use crate::frame::Pooled;

/// What a user asks of the guide thread.
#[derive(Debug, Clone)]
pub enum GuideCommand {
    /// Guide by this text, which was understood, until [`GuideCommand::Auto`].
    Text(UserText),
    /// The same for a text whose words decide nothing: the nearest known request may. What was
    /// understood is sent first; nothing changes where nobody waits for it any more.
    Consider(UserText, SyncSender<Result<Understood, String>>),
    /// Describe what is seen again.
    Auto,
}

pub(super) struct GuideLoop {
    pub shared: Arc<Shared>,
    pub scenes: Arc<Mailbox<Pooled<GuideInput>>>,
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
            let user_text = match self.commands.try_recv() {
                Ok(GuideCommand::Text(user_text)) => Some(user_text),
                Ok(GuideCommand::Consider(user_text, answer)) => {
                    let understood = self.worker.consider(&user_text);
                    let Ok(()) = answer.send(understood.clone()) else {
                        continue;
                    };
                    match understood {
                        Ok(understood) => Some(UserText {
                            understood,
                            ..user_text
                        }),
                        Err(_) => continue,
                    }
                }
                Ok(GuideCommand::Auto) => None,
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            };
            self.worker.set_user_text(user_text, self.shared.now());
        }
    }
}
