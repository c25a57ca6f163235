//! The present thread: owns the screen; draws the overlay, shows, and survives a lost screen.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::silence::Silence;
use super::{PATIENCE, ScreenFactory, Shared, SnapshotRequest};
use crate::channel::Mailbox;
use crate::clock::Timestamp;
use crate::config::Mode;
use crate::files::write_picture;
use crate::frame::{Picture, Pooled, Size};
use crate::fuse::FusedFrame;
use crate::metrics::count;
use crate::present::{Overlay, OverlayInfo, PresentError, Screen, ScreenEvent, ScreenScaler};

/// How long to wait before looking for a lost screen again.
const RETRY: Duration = Duration::from_secs(2);

pub(super) struct PresentLoop {
    pub shared: Arc<Shared>,
    pub inbox: Arc<Mailbox<Pooled<FusedFrame>>>,
    pub open: ScreenFactory,
    pub overlay: bool,
    /// Folder for snapshots by key.
    pub snapshots: Option<PathBuf>,
    /// A key asked for the next frame.
    pub wants_snapshot: bool,
    /// It was said that there is no screen; saying so every two seconds would fill the journal.
    pub complained: bool,
    /// The mode of the picture that is held in `hold`.
    pub held: Option<Mode>,
    /// Room for a held picture.
    pub hold: Picture,
    /// Failed transfers of the present screen that were counted.
    pub retries: u64,
}

/// Frames shown in the last second, exactly: the rate of a slow source is right as well.
#[derive(Default)]
struct FrameRate {
    since: Timestamp,
    frames: u32,
}

impl FrameRate {
    /// Counts one frame; a new rate once a second.
    fn tick(&mut self, now: Timestamp) -> Option<f32> {
        if self.since == Timestamp::ZERO {
            self.since = now;
            return None;
        }
        self.frames += 1;
        let span = now.since(self.since);
        if span < Duration::from_secs(1) {
            return None;
        }
        let rate = self.frames as f32 / span.as_secs_f32();
        self.since = now;
        self.frames = 0;
        Some(rate)
    }
}

/// Hands whoever asked for it the picture at the output's size.
fn answer_snapshot(request: Option<SnapshotRequest>, frame: &FusedFrame) {
    if let Some(mut request) = request {
        request.picture.copy_from(&frame.picture);
        // Whoever asked may have given up waiting.
        let _ = request.reply.try_send(request.picture);
    }
}

impl PresentLoop {
    pub fn run(mut self, size: Size) -> Result<Vec<PathBuf>, PresentError> {
        let mut screen = self.try_open();
        let mut retry_at = self.shared.now().plus(RETRY);
        let (mut overlay, mut snapshot_overlay) = (Overlay::new(size), Overlay::new(size));
        let mut screen_scaler = ScreenScaler::default();
        let mut rate = FrameRate::default();
        let mut silence = Silence::new(size, self.shared.now());
        while let Ok(frame) = self.inbox.take(PATIENCE) {
            let now = self.shared.now();
            if screen.is_none() && now >= retry_at {
                screen = self.try_open();
                retry_at = now.plus(RETRY);
            }
            if let Some(active) = &mut screen {
                self.handle_events(active.as_mut());
            }
            let Some(mut frame) = frame else {
                if self.shared.stopping() {
                    break;
                }
                if silence.lasts(now) {
                    rate = FrameRate::default();
                    self.shared.set_silent();
                    let card = silence.card(now);
                    if self.show(&mut screen, card) {
                        retry_at = self.shared.now().plus(RETRY);
                    }
                    let request = self.shared.snapshots.take(Duration::ZERO);
                    answer_snapshot(request.ok().flatten(), card);
                    count(&self.shared.metrics.cards);
                }
                continue;
            };
            self.hold(&mut frame);
            silence.keep(&frame, now);
            // Letters are drawn after scaling: before it they would be blurred, or too small to read.
            let screen_size = screen.as_deref().and_then(Screen::size);
            let scaled = screen_scaler.scale(&frame, screen_size);
            let is_scaled = scaled.is_some();
            let shown = scaled.unwrap_or(&mut frame);
            self.draw(&mut overlay, shown);
            if self.show(&mut screen, shown) {
                retry_at = self.shared.now().plus(RETRY);
            }
            if let Some(active) = &screen {
                self.count_retries(active.failed_transfers());
            }
            let shown = self.shared.now();
            self.shared.metrics.present.add(shown.since(now));
            self.shared
                .metrics
                .latency
                .add(shown.since(frame.timestamp));
            count(&self.shared.metrics.presented);
            if let Some(fps) = rate.tick(shown) {
                self.shared.set_fps(fps);
            }
            let request = self.shared.snapshots.take(Duration::ZERO).ok().flatten();
            if is_scaled && (request.is_some() || self.wants_snapshot) {
                self.draw(&mut snapshot_overlay, &mut frame);
            }
            answer_snapshot(request, &frame);
            if std::mem::take(&mut self.wants_snapshot) {
                self.save_snapshot(&frame);
            }
        }
        // The screen may have asked to quit: let the others know before files are written.
        self.inbox.close();
        self.shared.stop();
        screen.map_or(Ok(Vec::new()), |mut screen| screen.finish())
    }

    /// Puts the held picture in place of the new one while somebody wants it held. Frames go on:
    /// whoever watches over them sees that filmd lives, and the display keeps its rhythm.
    fn hold(&mut self, frame: &mut FusedFrame) {
        if !self.shared.frozen() {
            self.held = None;
            return;
        }
        frame.marks.frozen = true;
        match self.held {
            Some(mode) => {
                frame.picture.copy_from(&self.hold);
                frame.mode = mode;
            }
            None => {
                self.hold.copy_from(&frame.picture);
                self.held = Some(frame.mode);
            }
        }
    }

    /// Shows a frame; `true` where the screen was lost.
    fn show(&self, screen: &mut Option<Box<dyn Screen>>, frame: &FusedFrame) -> bool {
        let Some(Err(error)) = screen.as_mut().map(|active| active.show(frame)) else {
            return false;
        };
        log::error!("the screen is lost: {error}; going on without, trying again");
        count(&self.shared.metrics.screen_errors);
        self.shared.set_screen("none (lost, trying again)");
        *screen = None;
        true
    }

    /// Adds what this screen counted since the last frame.
    fn count_retries(&mut self, failed: u64) {
        let new = failed.saturating_sub(self.retries);
        self.retries = failed;
        let _ = self.shared.metrics.screen_retries.fetch_add(new, Relaxed);
    }

    fn try_open(&mut self) -> Option<Box<dyn Screen>> {
        match (self.open)() {
            Ok(screen) => {
                self.retries = 0;
                self.shared.set_screen(screen.name());
                if std::mem::take(&mut self.complained) {
                    log::info!("the screen is there: {}", screen.name());
                }
                Some(screen)
            }
            Err(error) => {
                count(&self.shared.metrics.screen_errors);
                if !std::mem::replace(&mut self.complained, true) {
                    log::error!("no screen: {error}; going on without, trying again");
                }
                self.shared.set_screen("none (trying again)");
                None
            }
        }
    }

    fn draw(&self, overlay: &mut Overlay, frame: &mut FusedFrame) {
        let guidance = self.shared.guidance.get();
        let info = OverlayInfo {
            mode: frame.mode,
            task: self.shared.task(),
            fps: self.shared.fps(),
            text: &guidance.text,
            origin: guidance.origin,
            marks: frame.marks,
            detail: self.overlay,
        };
        overlay.draw(&mut frame.picture, &info);
    }

    /// A person at a desktop asked; the few milliseconds of a PNG are theirs.
    fn save_snapshot(&self, frame: &FusedFrame) {
        let Some(folder) = &self.snapshots else {
            log::warn!("no folder for snapshots by key here: use `filmctl snapshot FILE`");
            return;
        };
        let path = folder.join(format!("snapshot-{:06}.png", frame.sequence));
        let written = std::fs::create_dir_all(folder)
            .map_err(|e| e.to_string())
            .and_then(|()| write_picture(&path, &frame.picture).map_err(|e| e.to_string()));
        match written {
            Ok(()) => log::info!("wrote {}", path.display()),
            Err(error) => log::error!("no snapshot: {error}"),
        }
    }

    fn handle_events(&mut self, screen: &mut dyn Screen) {
        while let Some(event) = screen.poll_event() {
            match event {
                ScreenEvent::Mode(mode) => self.shared.set_mode(mode),
                ScreenEvent::NextMode => self.shared.next_mode(),
                ScreenEvent::Quit => self.shared.stop(),
                ScreenEvent::Snapshot => self.wants_snapshot = true,
            }
        }
    }
}
