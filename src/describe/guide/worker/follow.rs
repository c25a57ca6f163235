//! A user's text in force: looked at anew with each pair, since what it asks for may be needed now and
//! not later.

use std::sync::Arc;
use std::time::Duration;

use super::GuideWorker;
use crate::align::AlignedPair;
use crate::clock::Timestamp;
use crate::describe::UserText;
use crate::describe::request::{Answer, Need, Plan, Understanding, Understood, nearest};
use crate::describe::{DescribeError, Guidance, Origin, Prompt};

/// A wish, and what came of it on the last pair.
pub(super) struct Following {
    user_text: UserText,
    answers: Vec<Answer>,
    /// What guides the network is in force for this text; the inner `None` stands for the neutral one.
    in_force: Option<Option<String>>,
}

impl Following {
    pub fn new(user_text: UserText) -> Self {
        Self {
            user_text,
            answers: Vec::new(),
            in_force: None,
        }
    }

    /// For status.
    pub fn understanding(&self) -> Understanding {
        Understanding {
            text: self.user_text.text.clone(),
            requests: self.answers.clone(),
            reason: self.user_text.understood.reason,
        }
    }
}

impl GuideWorker {
    /// What a wish asks for whose words decide nothing: the nearest known request may.
    ///
    /// # Errors
    /// Why it is not understood, or why the describer cannot say what is nearest.
    pub fn consider(&mut self, user_text: &UserText) -> Result<Understood, String> {
        let reason = |u: &Understood| u.reason.map(|r| r.to_string()).unwrap_or_default();
        if !user_text.understood.is_open {
            return Err(reason(&user_text.understood));
        }
        let prompt = Prompt::Text(user_text.text.clone());
        let said = self
            .request(prompt, Vec::new())
            .map_err(|error| format!("{}; {error}", reason(&user_text.understood)))?;
        let understood = match nearest(&said.features) {
            Some(nearest) => user_text
                .understood
                .clone()
                .or_nearest(&user_text.text, &nearest),
            None => user_text.understood.clone(),
        };
        if understood.requests.is_empty() {
            return Err(reason(&understood));
        }
        Ok(understood)
    }

    /// Puts into force what the wish asks for and this pair needs.
    pub(super) fn follow(&mut self, pair: &AlignedPair, now: Timestamp) {
        let Some(following) = &self.user_text else {
            return;
        };
        let facts = self.observer.glance(self.neutral.task, pair, now);
        let need = Need::measure(pair, &facts);
        let mut plan = Plan::new(&following.user_text.understood, &facts, &need);
        let is_new = following.in_force.as_ref() != Some(&plan.text);
        let text = plan.text.clone().filter(|_| is_new);
        self.due = now.plus(self.settings.interval);
        let mut values = Ok(None);
        if let Some(text) = text {
            values = self.encode(text, now).map(Some);
        }
        match values {
            Ok(values) => self.put(plan, values, now),
            Err(DescribeError::Refused(why)) => {
                // The same text is refused again: the describer goes on instead.
                self.failed += 1;
                self.last_error = Some(format!("the describer refused: {why}"));
                self.user_text = None;
            }
            Err(error) => {
                self.failed += u64::from(!matches!(error, DescribeError::Absent(_)));
                self.last_error = Some(error.to_string());
                plan.without_text(&error.to_string());
                self.put(plan, None, now);
                self.due = now.plus(super::RETRY.min(self.settings.interval));
                if let DescribeError::TimedOut(limit) = error {
                    self.due = self.due.plus(limit);
                }
            }
        }
    }

    /// Guidance of the network's own words.
    fn encode(&mut self, text: String, now: Timestamp) -> Result<Guidance, DescribeError> {
        let said = self.request(Prompt::Text(text), Vec::new())?;
        let guidance = self.guidance(&said, Origin::User);
        let guidance = guidance.map_err(DescribeError::Garbled)?;
        self.fresh = false;
        self.last_took = Some(said.took);
        self.last_error = None;
        self.ok += 1;
        let took: Duration = self.settings.interval.max(said.took);
        self.due = now.plus(took);
        Ok(guidance)
    }

    /// `values`: other ones than those in force.
    fn put(&mut self, plan: Plan, values: Option<Guidance>, now: Timestamp) {
        let Some(following) = &mut self.user_text else {
            return;
        };
        let before = self.watch.get();
        let is_first = following.in_force.is_none();
        let stays = plan.text.is_some() && values.is_none() && !is_first;
        let mut guidance = match values {
            Some(guidance) => guidance,
            None if stays => (*before).clone(),
            None => (*self.neutral).clone(),
        };
        guidance.text.clone_from(&following.user_text.text);
        guidance.origin = Origin::User;
        guidance.controls = plan.controls;
        following.in_force = Some(plan.text);
        following.answers = plan.answers;
        if is_first {
            self.log_text(&guidance.text, Origin::User, now);
            self.since = Some(now);
        }
        let same = guidance.version() == before.version()
            && guidance.controls == before.controls
            && guidance.text == before.text;
        if !same {
            self.watch.set(Arc::new(guidance));
        }
    }
}
