//! The guide thread's work, one step at a time.
//!
//! Input: the newest [`AlignedPair`], the time. Output: [`Guidance`] in a [`Watch`], a status. Blocks: as
//! [`Describer::describe`] does, at most one deadline a step. Failures are counted and shown, the last
//! guidance stays until its time to live, then the neutral one. Not its job: the thread, the mailbox.

mod follow;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::event_log::Event;
use super::observer::Observer;
use super::pause::{FrameCount, Lateness, Thermometer};
use super::settings::GuideSettings;
use crate::align::AlignedPair;
use crate::channel::Watch;
use crate::clock::Timestamp;
use crate::config::Task;
use crate::describe::DescriberPauser;
use crate::describe::UserText;
use crate::describe::process::view::View;
use crate::describe::request::{Need, Plan};
use crate::describe::words::ask::MAX_QUESTIONS;
use crate::describe::words::questions::Answer;
use crate::describe::{
    Controls, DescribeError, DescribeRequest, Describer, Description, Facts, Guidance, GuideStatus,
    Origin, Prompt, paragraph,
};
use crate::frame::Picture;
use follow::Following;

/// How long a step may be put off: how soon a dead process is noticed.
const PULSE: Duration = Duration::from_millis(200);
/// Before a failed description is tried again, at most the interval.
const RETRY: Duration = Duration::from_millis(500);

/// Makes guidance from pairs, or from a user's text.
pub struct GuideWorker {
    settings: GuideSettings,
    describer: Option<Box<dyn Describer>>,
    neutral: Arc<Guidance>,
    watch: Arc<Watch<Guidance>>,
    /// A user's text; `None`: describe what is seen.
    user_text: Option<Following>,
    /// When the guidance in force was set; `None`: neutral.
    since: Option<Timestamp>,
    /// When the next request may start.
    due: Timestamp,
    observer: Observer,
    /// The last fused picture, where a model looks at it.
    fused: Option<Picture>,
    thermometer: Thermometer,
    lateness: Lateness,
    /// Reads the frame path's counters.
    frames: Option<Box<dyn Fn() -> FrameCount + Send>>,
    paused: Option<String>,
    /// Added to the interval, since describing costs frames.
    resting: Duration,
    starts: u64,
    /// The process was started and has not answered yet.
    fresh: bool,
    ok: u64,
    by_llm: u64,
    failed: u64,
    last_took: Option<Duration>,
    last_error: Option<String>,
}

impl GuideWorker {
    /// Puts `neutral` into force. Its shape and task are those of all guidance to come.
    /// Without a describer, guidance stays neutral and only its text follows the scene.
    pub fn new(
        settings: GuideSettings,
        neutral: Arc<Guidance>,
        describer: Result<Box<dyn Describer>, DescribeError>,
        watch: Arc<Watch<Guidance>>,
    ) -> Self {
        watch.set(Arc::clone(&neutral));
        let (describer, last_error) = match describer {
            Ok(describer) => (Some(describer), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let (above, zone) = settings.pause_above.clone();
        Self {
            observer: Observer::new(&settings),
            fused: None,
            thermometer: Thermometer::new(zone, above),
            lateness: Lateness::default(),
            frames: None,
            paused: None,
            resting: Duration::ZERO,
            settings,
            describer,
            neutral,
            watch,
            user_text: None,
            since: None,
            due: Timestamp::ZERO,
            starts: 0,
            fresh: false,
            ok: 0,
            by_llm: 0,
            failed: 0,
            last_took: None,
            last_error,
        }
    }

    /// Where the frame path's counters are read, to see whether describing costs frames.
    pub fn watch_frames(&mut self, frames: impl Fn() -> FrameCount + Send + 'static) {
        self.frames = Some(Box::new(frames));
    }

    /// The fused picture of the next step's pair, for a model that sees.
    pub fn see(&mut self, fused: Option<&Picture>) {
        let looks = self.settings.views.is_some_and(|w| w.fused > 0.0);
        self.fused = fused.filter(|_| looks).cloned();
    }

    /// A user's text that was understood (`filmctl guide TEXT`), or back to describing
    /// (`guide --auto`).
    pub fn set_user_text(&mut self, user_text: Option<UserText>, now: Timestamp) {
        let ended = self.user_text.is_some() && user_text.is_none();
        self.user_text = user_text.map(Following::new);
        self.due = now;
        if ended && self.describer.is_none() {
            // Nothing else would take its place.
            self.rest();
        }
        if self.since.is_some() {
            // A user's text has no end of life; it gets one now.
            self.since = Some(now);
        }
    }

    /// See [`Describer::pauser`].
    pub fn pauser(&self) -> Option<Arc<DescriberPauser>> {
        self.describer.as_ref().and_then(|d| d.pauser())
    }

    /// Raised, it ends the step that is waiting within 0.1 s; see [`Describer::stopper`].
    pub fn stopper(&self) -> Option<Arc<AtomicBool>> {
        self.describer.as_ref().and_then(|d| d.stopper())
    }

    /// The next step would use a pair: the frame path then copies one for it.
    pub fn wants_pair(&self, now: Timestamp) -> bool {
        let describes = self.user_text.is_none() && self.paused.is_none();
        if self.user_text.is_some() && now >= self.due {
            return true;
        }
        let due = describes.then_some(self.due);
        self.settings.enabled
            && (due.is_some_and(|due| now >= due) || self.observer.is_due(now, due))
    }

    /// One turn: look after the process, let old guidance expire, and make one request where one
    /// is due. Returns how long the next step may be put off.
    pub fn step(&mut self, pair: Option<&AlignedPair>, now: Timestamp) -> Duration {
        self.tend(now);
        self.expire(now);
        self.paused = self.thermometer.reason(now);
        let may_describe = self.user_text.is_none() && self.paused.is_none();
        let mut looked = false;
        if now >= self.due {
            if let Some(pair) = pair
                && self.user_text.is_some()
            {
                self.follow(pair, now);
                looked = true;
            } else if let Some(pair) = pair
                && may_describe
            {
                self.describe(pair, now);
                looked = true;
            }
        }
        if let Some(pair) = pair
            && !looked
            && self.settings.enabled
            && (may_describe || self.observer.logs())
        {
            self.observer.glance(self.neutral.task, pair, now);
        }
        if now >= self.due && pair.is_none() {
            // Only a pair is missing, or nothing is wanted; a pair ends the wait.
            return PULSE;
        }
        PULSE.min(self.due.since(now).max(Duration::from_millis(20)))
    }

    /// A started process answers as soon as it has loaded: ask at once.
    fn tend(&mut self, now: Timestamp) {
        let Some(describer) = &mut self.describer else {
            return;
        };
        describer.tend();
        if describer.starts() != self.starts {
            self.starts = describer.starts();
            self.fresh = true;
            // A user's text that is in force needs no process.
            if self.user_text.is_none() || self.last_error.is_some() {
                self.due = self.due.min(now);
            }
        }
    }

    fn expire(&mut self, now: Timestamp) {
        let by_user = self.user_text.is_some() && self.watch.get().origin == Origin::User;
        if let Some(since) = self.since
            && !by_user
            && now.since(since) >= self.settings.time_to_live
        {
            self.rest();
        }
    }

    fn rest(&mut self) {
        self.since = None;
        self.watch.set(Arc::clone(&self.neutral));
    }

    fn describe(&mut self, pair: &AlignedPair, now: Timestamp) {
        let task = self.neutral.task;
        let facts = self.observer.facts(task, pair, now);
        let by_template = self.prompt(task, &facts, false);
        let by_llm = self.prompt(task, &facts, true);
        let need = Need::measure(pair, &facts);
        let controls = |text: &str| Plan::of_description(text, &facts, &need).controls;
        if self.describer.is_none() {
            // Nothing can make features of a text.
            let (text, origin) = (by_template.text(task), Origin::Template);
            let controls = controls(&text);
            let guidance = Guidance::described(&self.neutral, text, origin, controls);
            self.watch.set(Arc::new(guidance));
            self.due = now.plus(self.settings.interval);
            return;
        }
        if self.since.is_none() || self.fresh {
            // Features of the template come in a few milliseconds, the language model first
            // reads its examples: its text follows.
            let result = self.request(by_template, Vec::new());
            let done = result.is_ok();
            self.take(result, Origin::Template, controls, now);
            if done {
                self.due = now;
            }
            return;
        }
        let count = |worker: &Self| worker.frames.as_ref().map(|frames| frames());
        if let Some(frames) = count(self) {
            self.lateness.begin(frames);
        }
        let weights = self.settings.views.as_ref();
        let views = weights.map_or_else(Vec::new, |w| w.views(pair, self.fused.as_ref()));
        let result = self.request(by_llm, views);
        let origin = result.as_ref().map_or(Origin::Template, |d| d.origin);
        self.take(result, origin, controls, now);
        if let Some(frames) = count(self)
            && self.settings.pause_when_late
        {
            // Guidance is to outlive the rest.
            let (least, most) = (self.settings.interval, self.settings.time_to_live / 2);
            self.resting = self.lateness.end(frames, least, most);
            self.due = self.due.plus(self.resting);
        }
    }

    /// What the describer is asked about `facts`.
    fn prompt(&self, task: Task, facts: &Facts, by_llm: bool) -> Prompt {
        let changed = self.observer.changed();
        let changed = changed.filter(|_| self.settings.say_changes);
        if let Some(questions) = &self.settings.questions {
            let mut answers = questions.answer_within(facts, self.neutral.shape().0);
            // Before the wish, which is the last one in the shipped questions.
            let at = answers.iter().position(Answer::is_advice);
            let at = at.unwrap_or(answers.len());
            if answers.len() < MAX_QUESTIONS {
                answers.splice(at..at, changed.clone().map(Answer::of_change));
            }
            if !answers.is_empty() {
                return Prompt::Answers { answers, by_llm };
            }
        }
        let mut sentences = facts.sentences();
        sentences.extend(changed);
        if by_llm {
            Prompt::Facts(sentences)
        } else {
            Prompt::Text(paragraph(task, &sentences))
        }
    }

    fn request(&mut self, text: Prompt, views: Vec<View>) -> Result<Description, DescribeError> {
        let request = DescribeRequest {
            task: self.neutral.task,
            text,
            deadline: self.settings.deadline,
            views,
        };
        match &mut self.describer {
            Some(describer) => describer.describe(&request),
            None => Err(DescribeError::Absent(
                self.last_error.clone().unwrap_or_default(),
            )),
        }
    }

    /// `controls` of a text.
    fn take(
        &mut self,
        result: Result<Description, DescribeError>,
        origin: Origin,
        controls: impl Fn(&str) -> Controls,
        now: Timestamp,
    ) {
        let retry = now.plus(RETRY.min(self.settings.interval));
        match result {
            Ok(description) => {
                self.fresh = false;
                self.due = now.plus(self.settings.interval.max(description.took));
                self.last_took = Some(description.took);
                match self.guidance(&description, origin) {
                    Ok(mut guidance) => {
                        if description.segments.is_empty() {
                            let (text, controls) = (guidance.text, controls(&description.text));
                            guidance = Guidance::described(&self.neutral, text, origin, controls);
                        }
                        if guidance.text != self.watch.get().text {
                            let at = now.plus(description.took);
                            self.log_text(&guidance.text, origin, at);
                        }
                        self.watch.set(Arc::new(guidance));
                        self.since = Some(now.plus(description.took));
                        self.last_error = None;
                        self.ok += 1;
                        self.by_llm += u64::from(origin == Origin::Llm);
                    }
                    Err(message) => {
                        self.failed += 1;
                        self.last_error = Some(message);
                    }
                }
            }
            Err(error) => {
                // A text that was refused is refused again: no hurry.
                self.due = match error {
                    DescribeError::Refused(_) => now.plus(self.settings.interval),
                    DescribeError::TimedOut(limit) => retry.plus(limit),
                    _ => retry,
                };
                self.failed += u64::from(!matches!(error, DescribeError::Absent(_)));
                self.last_error = Some(error.to_string());
            }
        }
    }

    /// A line of the event log.
    fn log_text(&mut self, text: &str, origin: Origin, at: Timestamp) {
        let event = Event::new(at, self.neutral.task, "text", text);
        self.observer.log(&Event {
            origin: Some(origin),
            ..event
        });
    }

    fn guidance(&self, description: &Description, origin: Origin) -> Result<Guidance, String> {
        Guidance::new(
            &description.features,
            self.neutral.shape(),
            &description.text,
            origin,
            self.neutral.task,
        )
        .map_err(|error| error.to_string())
    }

    fn paused(&self) -> Option<&str> {
        let rests = !self.resting.is_zero();
        self.paused
            .as_deref()
            .or_else(|| rests.then_some("describing costs frames: it rests for longer in between"))
    }

    fn note(&self) -> Option<String> {
        let [log, detector] = self.observer.complaints();
        let describer = self.describer.as_ref().and_then(|d| d.note());
        let notes = [self.settings.complaint.clone(), log, detector, describer];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    /// For `filmctl status`.
    pub fn status(&self, now: Timestamp) -> GuideStatus {
        let guidance = self.watch.get();
        let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        GuideStatus {
            text: guidance.text.clone(),
            origin: guidance.origin,
            age_ms: self.since.map(|since| millis(now.since(since))),
            ok: self.ok,
            by_llm: self.by_llm,
            failed: self.failed,
            restarts: self.starts.saturating_sub(1),
            last_took_ms: self.last_took.map(millis),
            last_error: self.last_error.clone(),
            note: self.note(),
            paused: self.paused().map(str::to_owned),
            process: self.describer.as_ref().and_then(|d| d.process()),
            wish: self.user_text.as_ref().map(Following::understanding),
        }
    }
}

#[cfg(test)]
mod tests;
