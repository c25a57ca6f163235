//! What the pairs show over time: facts with motion and nouns, changes, the event log.
//!
//! Input: the newest [`AlignedPair`], its task, the time. Output: [`Facts`]; lines of the event log.
//! Blocks: on the event log's file, and on a detector's run. What went wrong is told by
//! [`Observer::complaints`]. Not its job: when a description is due, and what is made of the facts.

use std::time::Duration;

use super::event_log::{Event, EventLog};
use super::history::History;
use super::settings::GuideSettings;
use crate::align::AlignedPair;
use crate::clock::Timestamp;
use crate::config::{Modality, Task};
use crate::describe::facts::ChangeKind;
use crate::describe::{Detector, Facts};

/// So long before a description another look is taken: motion is what changed since.
const LOOK_AHEAD: Duration = Duration::from_millis(800);
/// Between two looks for the event log.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// Looks at pairs, and remembers.
pub(super) struct Observer {
    modality: Modality,
    /// The last look at the scene, and when it was.
    before: Option<(Timestamp, Facts)>,
    history: History,
    detector: Option<Detector>,
    log: Option<EventLog>,
    /// Why the last event is not in the log.
    log_error: Option<String>,
}

impl Observer {
    pub fn new(settings: &GuideSettings) -> Self {
        let log = settings.events.clone();
        Self {
            modality: settings.modality,
            before: None,
            history: History::new(settings.changes),
            detector: settings.detector.clone().map(Detector::new),
            log: log.map(|(path, most, keep)| EventLog::new(path, most, keep)),
            log_error: None,
        }
    }

    /// A look is due: for motion some time before the next description, which is due `describes`, and
    /// for the event log once a second; and it was not taken yet.
    pub fn is_due(&self, now: Timestamp, describes: Option<Timestamp>) -> bool {
        let since = self.before.as_ref().map(|(at, _)| now.since(*at));
        let soon = describes.is_some_and(|due| now.plus(LOOK_AHEAD) >= due);
        soon && since.is_none_or(|since| since > LOOK_AHEAD)
            || self.logs() && since.is_none_or(|since| since >= LOG_EVERY)
    }

    /// There is an event log.
    pub fn logs(&self) -> bool {
        self.log.is_some()
    }

    /// Takes a look between descriptions.
    pub fn glance(&mut self, task: Task, pair: &AlignedPair, now: Timestamp) -> Facts {
        let facts = Facts::measure_as(task, self.modality, pair);
        self.remember(facts.clone(), now);
        facts
    }

    /// Takes a look for a description.
    pub fn facts(&mut self, task: Task, pair: &AlignedPair, now: Timestamp) -> Facts {
        let mut facts = Facts::measure_as(task, self.modality, pair);
        if let Some((at, before)) = &self.before {
            facts.follow(before, now.since(*at).as_secs_f32());
        }
        if let Some(detector) = &mut self.detector {
            detector.name(&mut facts, pair);
        }
        self.remember(facts.clone(), now);
        facts
    }

    /// Keeps a look, and logs what it shows to have changed.
    fn remember(&mut self, facts: Facts, now: Timestamp) {
        for change in self.history.add(now, &facts) {
            let kind = match change.event {
                ChangeKind::Appeared => "appeared",
                ChangeKind::Left => "left",
                ChangeKind::Moved => "moved",
                ChangeKind::Hot => "hot",
                ChangeKind::Light => "light",
            };
            self.log(&Event::new(now, facts.task(), kind, &change.text));
        }
        self.before = Some((now, facts));
    }

    /// What changed of late, in a sentence.
    pub fn changed(&self) -> Option<String> {
        self.history.sentence()
    }

    /// A line of the event log, where there is one.
    pub fn log(&mut self, event: &Event<'_>) {
        if let Some(log) = &mut self.log {
            self.log_error = log.write(event).err();
        }
    }

    /// What does not work of log and detector, for status.
    pub fn complaints(&self) -> [Option<String>; 2] {
        let detector = self.detector.as_ref();
        let detector = detector.and_then(|detector| detector.complaint().map(str::to_owned));
        [self.log_error.clone(), detector]
    }
}
