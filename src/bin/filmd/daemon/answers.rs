//! What the daemon answers to filmctl and to its buttons.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use anyhow::{Context, Result};
use filmd::clock::{Clock, Timestamp};
use filmd::config::Task;
use filmd::control::{Handler, Reply, Request, SnapshotFormat};
use filmd::describe::UserText;
use filmd::describe::request;
use filmd::files::encode_picture;
use filmd::frame::Picture;
use filmd::pipeline::{GuideCommand, Pipeline, Shared, SnapshotRequest, Status};
use image::ImageFormat;

use super::Daemon;

/// How long without a new picture counts as unhealthy.
const HEALTHY_WITHIN: Duration = Duration::from_secs(5);
/// How long an answer to `status` stays good: it takes half a millisecond to make.
const STATUS_LASTS: Duration = Duration::from_millis(100);
/// How long a client waits for the describer to say what an unclear text is nearest to.
const CONSIDER: Duration = Duration::from_secs(2);

/// The last answer to `status`.
#[derive(Default)]
pub struct LastStatus(Option<(Timestamp, Status)>);

impl LastStatus {
    /// Everything, at most [`STATUS_LASTS`] old.
    fn of(&mut self, shared: &Shared) -> Status {
        let now = Clock.now();
        match &self.0 {
            Some((at, status)) if now.since(*at) < STATUS_LASTS => status.clone(),
            _ => self.0.insert((now, shared.status())).1.clone(),
        }
    }

    /// Something was changed: the next answer is made anew.
    fn forget(&mut self) {
        self.0 = None;
    }
}

impl Handler for Daemon {
    fn handle(&mut self, request: Request) -> (Reply, Vec<u8>) {
        let answer = self.answer(request);
        answer.unwrap_or_else(|message| (Reply::Error { message }, Vec::new()))
    }
}

impl Daemon {
    /// The reply, and the bytes of a picture.
    fn answer(&mut self, request: Request) -> Result<(Reply, Vec<u8>), String> {
        if !request.only_observes() {
            self.status.forget();
        }
        let reply = match request {
            Request::Health => self.health(),
            Request::Reload => {
                self.reload().map_err(|error| format!("{error:#}"))?;
                Reply::Done
            }
            Request::Status => {
                let pipeline = self.pipeline.as_ref().ok_or_else(|| self.absence())?;
                Reply::Status(Box::new(self.status.of(pipeline.shared())))
            }
            Request::Mode { mode } => {
                self.running()?.shared().set_mode(mode);
                Reply::Done
            }
            Request::Palette { palette } => {
                self.running()?.shared().set_palette(palette);
                Reply::Done
            }
            Request::Freeze { on } => {
                self.running()?.shared().set_frozen(on);
                Reply::Done
            }
            Request::Nudge { right, down } => {
                self.running()?.shared().set_nudge((right, down));
                Reply::Done
            }
            Request::Guide { text } => Reply::Understood {
                requests: guide(self.running()?, self.config.task, &text)?,
            },
            Request::GuideAuto => {
                self.running()?.guide(GuideCommand::Auto)?;
                Reply::Done
            }
            Request::Snapshot { format } => {
                let picture = self.snapshot(self.running()?, format);
                let picture = picture.map_err(|error| format!("{error:#}"))?;
                let bytes = picture.len() as u64;
                return Ok((Reply::Picture { bytes }, picture));
            }
        };
        Ok((reply, Vec::new()))
    }

    /// The pipeline, or why there is none.
    fn running(&self) -> Result<&Pipeline, String> {
        self.pipeline.as_ref().ok_or_else(|| self.absence())
    }

    fn snapshot(&self, pipeline: &Pipeline, format: SnapshotFormat) -> Result<Vec<u8>> {
        let (reply, answer) = sync_channel(1);
        let picture = Picture::rgb(self.config.output.size());
        // Whoever asked before and was not served yet loses to the newer request.
        let _ = pipeline
            .shared()
            .snapshots
            .put(SnapshotRequest { picture, reply })?;
        let picture = answer
            .recv_timeout(Duration::from_secs(3))
            .context("no picture came within 3 s; see `filmctl status`")?;
        let format = match format {
            SnapshotFormat::Png => ImageFormat::Png,
            SnapshotFormat::Jpg => ImageFormat::Jpeg,
        };
        Ok(encode_picture(&picture, format)?)
    }

    fn health(&self) -> Reply {
        let Some(pipeline) = &self.pipeline else {
            return Reply::Health {
                healthy: false,
                detail: self.absence(),
            };
        };
        let quiet = Clock.now().since(self.progress.at);
        let marks = pipeline.shared().marks();
        let detail = if quiet > HEALTHY_WITHIN {
            format!("no new picture for {:.0} s", quiet.as_secs_f64())
        } else if !pipeline.shared().has_screen() {
            "no screen".into()
        } else if marks.no_infrared || marks.no_visible {
            "one camera is missing".into()
        } else {
            "ok".into()
        };
        Reply::Health {
            healthy: detail == "ok",
            detail,
        }
    }
}

/// Guides by what `text` asks for.
///
/// # Errors
/// Why it is not understood, or cannot take effect; nothing changes then.
fn guide(pipeline: &Pipeline, task: Task, text: &str) -> Result<Vec<request::Request>, String> {
    let user_text = UserText::read(text);
    if user_text.understood.is_open && pipeline.no_text().is_none() {
        let (answer, answered) = sync_channel(0);
        pipeline.guide(GuideCommand::Consider(user_text, answer))?;
        let busy = "its words alone are not understood, and the describer is busy; try again, or say \
                    it in plainer words";
        let understood = answered.recv_timeout(CONSIDER).map_err(|_| busy)??;
        return Ok(understood.requests);
    }
    if let Some(reason) = user_text.understood.reason {
        return Err(reason.to_string());
    }
    let can = |r: &request::Request| !request::guides(r.kind) || pipeline.no_text().is_none();
    let fits = |r: &request::Request| request::fits(r.kind, task);
    if !user_text.understood.requests.iter().any(fits) {
        return Err(format!("that cannot be asked of the task {}", task.name()));
    }
    if !user_text
        .understood
        .requests
        .iter()
        .any(|r| can(r) && fits(r))
    {
        let why = pipeline.no_text().unwrap_or_default();
        return Err(format!("understood, but nothing can follow it: {why}"));
    }
    let requests = user_text.understood.requests.clone();
    pipeline.guide(GuideCommand::Text(user_text))?;
    Ok(requests)
}
