//! The acquire thread: owns the source; pairs go out, the newest wins.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::{PATIENCE, Shared};
use crate::acquire::{AcquireError, PairSource};
use crate::channel::Mailbox;
use crate::frame::FramePair;
use crate::metrics::count;

pub(super) struct AcquireLoop {
    pub shared: Arc<Shared>,
    pub source: Box<dyn PairSource>,
    pub outbox: Arc<Mailbox<FramePair>>,
}

/// However the loop ends, even by a panic, the fuse thread must learn that no more pairs come.
impl Drop for AcquireLoop {
    fn drop(&mut self) {
        self.outbox.close();
    }
}

impl AcquireLoop {
    pub fn run(mut self) {
        let mut complained = false;
        let mut cleaning = Duration::ZERO;
        while !self.shared.stopping() {
            let denoise = self.shared.guidance.get().controls.denoise[0];
            self.source.set_denoise(denoise);
            match self.source.next_pair(PATIENCE) {
                Ok(pair) => {
                    complained = false;
                    if !self.hand_over(pair) {
                        break;
                    }
                }
                Err(AcquireError::Stalled(_)) => count(&self.shared.metrics.stalls),
                Err(AcquireError::Ended) => break,
                Err(error) => {
                    // A fault costs frames, never the service: the source itself looks for its
                    // device again, so keep asking, at a pace that does not burn the processor.
                    if !complained {
                        log::error!("{error}");
                        complained = true;
                    }
                    count(&self.shared.metrics.stalls);
                    self.shared.pause(PATIENCE);
                }
            }
            let counters = self.source.counters();
            self.shared
                .metrics
                .source_dropped
                .store(counters.dropped, Relaxed);
            self.shared.metrics.damaged.store(counters.damaged, Relaxed);
            self.shared.set_clocks(self.source.clocks());
            self.shared.set_conditions(self.source.conditions());
            self.shared.set_complaints(self.source.complaints());
            if counters.cleaning > cleaning {
                self.shared.metrics.clean.add(counters.cleaning - cleaning);
                cleaning = counters.cleaning;
            }
        }
    }

    fn hand_over(&self, pair: FramePair) -> bool {
        let metrics = &self.shared.metrics;
        count(&metrics.pairs);
        metrics
            .acquire
            .add(self.shared.now().since(pair.timestamp()));
        if let (Some(infrared), Some(visible)) = (&pair.infrared, &pair.visible) {
            metrics.skew.add(pair.skew());
            self.shared
                .set_last_pair(infrared.timestamp, visible.timestamp);
        }
        match self.outbox.put(pair) {
            Ok(None) => true,
            Ok(Some(_)) => {
                count(&metrics.pairs_displaced);
                true
            }
            Err(_) => false,
        }
    }
}
