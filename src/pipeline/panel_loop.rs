//! The panel thread: tells on a small display of words how filmd does, far from the frame path.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::Shared;
use crate::config::StatusPanelConfig;
use crate::metrics::board_celsius;
use crate::present::{PanelFacts, PresentError, StatusPanel};

/// How long to wait before looking for a lost panel again.
const RETRY: Duration = Duration::from_secs(2);

pub(super) struct PanelLoop {
    pub shared: Arc<Shared>,
    pub config: StatusPanelConfig,
    /// File with the board's temperature; absent: the processor's.
    pub thermal_zone: Option<PathBuf>,
}

impl PanelLoop {
    pub fn run(self) {
        let mut complained = false;
        // Of panels that were opened before.
        let mut failed = 0;
        while !self.shared.stopping() {
            let mut panel = StatusPanel::open(&self.config);
            if let Ok(panel) = &mut panel
                && std::mem::take(&mut complained)
            {
                log::info!(
                    "the status panel is there ({} failures)",
                    panel.failed_attempts()
                );
            }
            let error = match &mut panel {
                Ok(panel) => self.show(panel, failed),
                Err(error) => Err(PresentError::Unavailable(error.to_string())),
            };
            failed += panel.map_or(1, |panel| panel.failed_attempts());
            if let Err(error) = error {
                self.shared.metrics.panel_errors.store(failed, Relaxed);
                if !std::mem::replace(&mut complained, true) {
                    log::error!("no status panel: {error}; trying again");
                }
                self.shared.pause(RETRY);
            }
        }
    }

    /// Until filmd stops, or the panel is lost.
    fn show(&self, panel: &mut StatusPanel, failed: u64) -> Result<(), PresentError> {
        while !self.shared.stopping() {
            let guidance = self.shared.guidance.get();
            let metrics = &self.shared.metrics;
            metrics
                .panel_errors
                .store(failed + panel.failed_attempts(), Relaxed);
            let errors = [
                &metrics.screen_errors,
                &metrics.screen_retries,
                &metrics.panel_errors,
                &metrics.fuse_errors,
            ];
            panel.show(&PanelFacts {
                fps: self.shared.fps(),
                mode: self.shared.mode(),
                text: &guidance.text,
                celsius: board_celsius(self.thermal_zone.as_deref()),
                marks: self.shared.marks(),
                errors: errors.iter().map(|count| count.load(Relaxed)).sum(),
            })?;
            self.shared.pause(self.config.interval());
        }
        Ok(())
    }
}
