//! The describer in its own process: start, ask, give up, start again.
//!
//! Input: [`DescribeRequest`]. Output: [`Description`]. Blocks: in `describe`, at most the request's
//! deadline and then 0.6 s to take the killed process in. Fails when: [`DescribeError`]; the process that
//! failed is gone then, and the next one starts after a back-off. Not its job: deciding when to ask.

use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::backoff::Backoff;
use super::child::{ChildEnd, ChildFault, ChildProcess};
use super::control_group::ControlGroup;
use super::launch::Launch;
use super::pauser::DescriberPauser;
use super::protocol::{self, Asked, Call, EncodeCall, EncodedText, Hello, Message, ProtocolError};
use crate::clock::{Clock, Timestamp};
use crate::config::Task;
use crate::describe::words::questions::Answer;
use crate::describe::words::{Segment, join};
use crate::describe::{
    DescribeError, DescribeRequest, Describer, Description, Origin, Prompt, TokenFeatures,
};
use crate::metrics::resident_bytes;

/// Tokens a paragraph may have; the longest the grammar allows have about 110.
const MAX_TOKENS: usize = 140;
/// Tokens the answer to one question may have.
const MAX_ANSWER: usize = 90;
/// How long a process may take to check and load its models, at least: a slow SD card reads 10 MB/s.
const START_LIMIT: Duration = Duration::from_secs(40);
/// A process that was ready this long had worked.
const SOUND: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Running {
    process: ChildProcess,
    started: Timestamp,
    /// Set once the process said so, with the time.
    ready: Option<(Hello, Timestamp)>,
    /// It has answered a request.
    answered: bool,
    /// The language model is at work: a crash now is its doing.
    writing: bool,
}

/// [`Describer`] by a child process.
#[derive(Debug)]
pub struct ProcessDescriber {
    launch: Launch,
    /// How long a process may take to check and load its models.
    start_limit: Duration,
    /// Where processes are put, and why not.
    group: Option<ControlGroup>,
    ungrouped: Option<String>,
    stop: Arc<AtomicBool>,
    pauser: Arc<DescriberPauser>,
    running: Option<Running>,
    backoff: Backoff,
    starts: u64,
    /// Crashes in a row, while loading or while the language model wrote.
    crashes: u32,
    /// Why the last process is gone.
    last_end: Option<String>,
    /// Killed, but not let go by the kernel yet (waiting for a slow disk).
    lingering: Vec<Child>,
}

impl ProcessDescriber {
    /// Starts nothing yet: the first [`Describer::tend`] or [`Describer::describe`] does.
    pub fn new(launch: Launch) -> Self {
        Self {
            launch,
            start_limit: START_LIMIT,
            group: None,
            ungrouped: None,
            stop: Arc::default(),
            pauser: Arc::default(),
            running: None,
            backoff: Backoff::default(),
            starts: 0,
            crashes: 0,
            last_end: None,
            lingering: Vec::new(),
        }
    }

    /// Lets a process load its models for so long as a text may take, where that is longer: a board
    /// so slow that its texts need minutes loads slowly, too.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.start_limit = START_LIMIT.max(deadline);
        self
    }

    /// Puts each process in the control group, where there is one; a failure is told by
    /// [`Describer::note`].
    #[must_use]
    pub fn in_group(mut self, group: std::io::Result<Option<ControlGroup>>) -> Self {
        match group {
            Ok(group) => self.group = group,
            Err(error) => self.ungrouped = Some(ungrouped(&error)),
        }
        self
    }

    /// Starts a process where there is none and none has to be waited for.
    fn start(&mut self, now: Timestamp) -> Result<(), DescribeError> {
        if self.running.is_some() {
            return Ok(());
        }
        self.lingering
            .retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let left = self.backoff.left(now);
        if !left.is_zero() || self.lingering.len() > 2 {
            let why = self.last_end.as_deref().unwrap_or("it was stopped");
            return Err(DescribeError::Absent(format!(
                "film-describe starts again in {:.1} s ({why})",
                left.as_secs_f64()
            )));
        }
        let args = self.launch.args(self.crashes);
        match ChildProcess::spawn(&self.launch.program, &args) {
            Ok(process) => {
                self.starts += 1;
                self.pauser.set(process.pid());
                if let Some(group) = &self.group {
                    let taken = group.take(process.pid());
                    self.ungrouped = taken.err().map(|error| ungrouped(&error));
                }
                self.running = Some(Running {
                    process,
                    started: now,
                    ready: None,
                    answered: false,
                    writing: false,
                });
                Ok(())
            }
            Err(error) => {
                self.backoff.failed(now, false);
                let why = format!(
                    "cannot start {}: {error}; install film-describe beside filmd or set \
                     describe.program",
                    self.launch.program.display()
                );
                self.last_end = Some(why.clone());
                Err(DescribeError::Absent(why))
            }
        }
    }

    /// Waits until the process has said that it is ready.
    fn ready(&mut self, deadline: Timestamp, limit: Duration) -> Result<(), DescribeError> {
        let Some(running) = &mut self.running else {
            return Err(DescribeError::Absent(
                "film-describe is not running".to_owned(),
            ));
        };
        if running.ready.is_some() {
            return Ok(());
        }
        let loaded = running.started.plus(self.start_limit);
        let until = deadline.min(loaded);
        match running.process.exchange(&[], until, &self.stop) {
            Ok(Message::Hello(hello)) => self.greet(hello),
            Ok(_) => Err(self.bury(ChildFault::Garbled(ProtocolError::Unasked), limit)),
            // It may still be loading; `tend` kills it when even that took too long.
            Err(ChildFault::TimedOut) if until < loaded => Err(DescribeError::Absent(
                "film-describe is still loading its models".to_owned(),
            )),
            Err(fault) => Err(self.bury(fault, self.start_limit)),
        }
    }

    fn greet(&mut self, hello: Hello) -> Result<(), DescribeError> {
        let expected = &self.launch.encoder.sha256;
        let same = |sum: &String| {
            let found = hello.encoder_sha256.as_ref();
            found.is_some_and(|found| found.eq_ignore_ascii_case(sum))
        };
        if !expected.as_ref().is_none_or(same) {
            let what = "they are of another text encoder than the network was trained with";
            let fault = ChildFault::Garbled(ProtocolError::Features(what.to_owned()));
            return Err(self.bury(fault, Duration::ZERO));
        }
        if let Some(running) = &mut self.running {
            running.ready = Some((hello, Clock.now()));
        }
        Ok(())
    }

    /// The process's replies: one, or one an answer.
    fn ask(&mut self, request: &DescribeRequest) -> Result<Vec<EncodedText>, DescribeError> {
        let begun = Clock.now();
        let deadline = begun.plus(request.deadline);
        self.start(begun)?;
        self.ready(deadline, request.deadline)?;
        let mut message = call(request, self.launch.max_rows, deadline.since(Clock.now()));
        if self.sees() {
            match &mut message {
                Message::Describe(call) => call.views.clone_from(&request.views),
                Message::Ask(call) => call.views.clone_from(&request.views),
                _ => {}
            }
        }
        let wanted = match &request.text {
            Prompt::Answers { answers, .. } => answers.len(),
            Prompt::Facts(_) | Prompt::Text(_) => 1,
        };
        let frame =
            protocol::encode(&message).map_err(|e| DescribeError::Refused(e.to_string()))?;
        let Some(running) = &mut self.running else {
            return Err(DescribeError::Absent(
                "film-describe is not running".to_owned(),
            ));
        };
        running.writing = !matches!(message, Message::Encode(_));
        let replies = match running.process.exchange(&frame, deadline, &self.stop) {
            Ok(Message::Description(reply)) => vec![reply],
            Ok(Message::Answers(replies)) => replies,
            Ok(Message::Refused(refusal)) => return Err(DescribeError::Refused(refusal.message)),
            Ok(_) => return Err(self.unasked(request.deadline)),
            Err(fault) => return Err(self.bury(fault, request.deadline)),
        };
        if replies.len() != wanted {
            return Err(self.unasked(request.deadline));
        }
        running.answered = true;
        running.writing = false;
        if replies.iter().any(|reply| reply.origin == Origin::Llm) && !self.lacks_sight() {
            self.crashes = 0;
        }
        Ok(replies)
    }

    fn hello(&self) -> Option<&Hello> {
        let (hello, _) = self.running.as_ref()?.ready.as_ref()?;
        Some(hello)
    }

    /// The part that sees is there and could not be used.
    fn lacks_sight(&self) -> bool {
        self.launch.mmproj.is_some() && !self.sees()
    }

    fn sees(&self) -> bool {
        self.hello().is_some_and(|hello| hello.sees)
    }

    fn unasked(&mut self, limit: Duration) -> DescribeError {
        self.bury(ChildFault::Garbled(ProtocolError::Unasked), limit)
    }

    /// The description that worded answers make together.
    fn joined(
        &mut self,
        answers: &[Answer],
        replies: Vec<EncodedText>,
    ) -> Result<Description, DescribeError> {
        let parts: Vec<(f32, &TokenFeatures)> = answers
            .iter()
            .zip(&replies)
            .map(|(answer, reply)| (answer.weight, &reply.features))
            .collect();
        let (features, places) = match join(&parts, self.launch.max_rows) {
            Ok(joined) => joined,
            Err(error) => {
                let fault = ChildFault::Garbled(ProtocolError::Features(error.to_string()));
                return Err(self.bury(fault, Duration::ZERO));
            }
        };
        let segments: Vec<Segment> = answers
            .iter()
            .zip(replies)
            .zip(places)
            .map(|((answer, reply), rows)| answer.segment(reply.text, reply.origin, Some(rows)))
            .collect();
        let by_llm = segments.iter().all(|s| s.origin == Origin::Llm);
        Ok(Description {
            text: text_of(&segments),
            origin: if by_llm {
                Origin::Llm
            } else {
                Origin::Template
            },
            features: Arc::new(features),
            segments,
            took: Duration::ZERO,
        })
    }

    /// Ends the process and says why.
    fn bury(&mut self, fault: ChildFault, limit: Duration) -> DescribeError {
        let end = self.close(matches!(fault, ChildFault::Closed));
        let error = match fault {
            ChildFault::TimedOut => DescribeError::TimedOut(limit),
            ChildFault::Closed => DescribeError::Died(end),
            ChildFault::Garbled(error) => DescribeError::Garbled(error.to_string()),
            ChildFault::Stopped => DescribeError::Absent("filmd is stopping".to_owned()),
        };
        self.last_end = Some(error.to_string());
        error
    }

    /// Ends the process; `grace`: it is ending by itself, its exit status is of interest.
    fn close(&mut self, grace: bool) -> String {
        let Some(running) = self.running.take() else {
            return "it was not running".to_owned();
        };
        self.pauser.clear();
        let now = Clock.now();
        let ready = running.ready.as_ref();
        let sound = running.answered || ready.is_some_and(|(_, at)| now.since(*at) > SOUND);
        let (end, lingering) = running.process.end(grace);
        self.lingering.extend(lingering);
        if (ready.is_none() || running.writing) && crashed(&end) {
            self.crashes += 1;
        }
        self.backoff.failed(now, sound);
        end.to_string()
    }
}

impl Describer for ProcessDescriber {
    fn describe(&mut self, request: &DescribeRequest) -> Result<Description, DescribeError> {
        let begun = Clock.now();
        let mut replies = self.ask(request)?;
        let mut description = match (&request.text, replies.pop()) {
            (Prompt::Answers { answers, .. }, Some(last)) => {
                replies.push(last);
                self.joined(answers, replies)?
            }
            (text, Some(reply)) => Description {
                text: reply.text,
                origin: match text {
                    Prompt::Text(_) => Origin::User,
                    _ => reply.origin,
                },
                features: Arc::new(reply.features),
                segments: Vec::new(),
                took: Duration::ZERO,
            },
            (_, None) => return Err(DescribeError::Refused("nothing was asked".to_owned())),
        };
        description.took = Clock.now().since(begun);
        Ok(description)
    }

    fn process(&self) -> Option<(u32, u64)> {
        let pid = self.running.as_ref()?.process.pid();
        Some((pid, resident_bytes(pid).unwrap_or(0)))
    }

    fn tend(&mut self) {
        let now = Clock.now();
        // Reported by the next call of `describe`.
        let _ = self.start(now);
        let Some(running) = &mut self.running else {
            return;
        };
        match running.process.look() {
            Ok(None) if running.ready.is_some() => {}
            Ok(None) => {
                if now.since(running.started) > self.start_limit {
                    self.bury(ChildFault::TimedOut, self.start_limit);
                }
            }
            Ok(Some(Message::Hello(hello))) if running.ready.is_none() => {
                // Reported by the next call of `describe`, too.
                let _ = self.greet(hello);
            }
            Ok(Some(_)) => {
                self.bury(ChildFault::Garbled(ProtocolError::Unasked), Duration::ZERO);
            }
            Err(fault) => {
                self.bury(fault, Duration::ZERO);
            }
        }
    }

    fn pauser(&self) -> Option<Arc<DescriberPauser>> {
        Some(Arc::clone(&self.pauser))
    }

    fn stopper(&self) -> Option<Arc<AtomicBool>> {
        Some(Arc::clone(&self.stop))
    }

    fn starts(&self) -> u64 {
        self.starts
    }

    fn note(&self) -> Option<String> {
        let Some(hello) = self.hello() else {
            return self.last_end.clone();
        };
        let left_out = if self.launch.llm.is_some() && hello.llm.is_none() {
            Some("the language model crashed and is left out")
        } else if self.lacks_sight() {
            Some("the language model crashed when it had to see and goes on without")
        } else {
            None
        };
        let told = hello.note.clone().or(left_out.map(str::to_owned));
        told.or_else(|| self.ungrouped.clone())
    }
}

fn ungrouped(error: &std::io::Error) -> String {
    format!("film-describe has no control group of its own: {error}")
}

impl Drop for ProcessDescriber {
    fn drop(&mut self) {
        self.close(false);
        for mut child in self.lingering.drain(..) {
            // Killed already; what the kernel still holds, init takes over.
            let _ = child.try_wait();
        }
    }
}

fn call(request: &DescribeRequest, max_rows: usize, left: Duration) -> Message {
    match &request.text {
        Prompt::Facts(sentences) => {
            let sentences = sentences.clone();
            Message::Describe(about(sentences, MAX_TOKENS, request.task, (max_rows, left)))
        }
        Prompt::Text(text) => Message::Encode(EncodeCall {
            text: text.clone(),
            max_rows,
        }),
        Prompt::Answers { answers, by_llm } => {
            let questions = answers.iter().map(asked).collect();
            let max_tokens = if *by_llm { MAX_ANSWER } else { 0 };
            Message::Ask(about(questions, max_tokens, request.task, (max_rows, left)))
        }
    }
}

fn about<T>(
    about: Vec<T>,
    max_tokens: usize,
    task: Task,
    (max_rows, left): (usize, Duration),
) -> Call<T> {
    Call {
        task,
        about,
        max_tokens,
        max_rows,
        deadline_ms: soft_deadline(left),
        views: Vec::new(),
    }
}

fn asked(answer: &Answer) -> Asked {
    Asked {
        question: answer.question.clone(),
        sentences: answer.merged(),
        is_advice: answer.is_advice(),
    }
}

/// The answers, one after the other.
fn text_of(segments: &[Segment]) -> String {
    let texts: Vec<&str> = segments.iter().map(|s| s.text.as_str()).collect();
    texts.join(" ")
}

/// The process is to give up on the language model early enough to answer with the template.
fn soft_deadline(left: Duration) -> u64 {
    let soft = left.mul_f64(0.8).saturating_sub(Duration::from_millis(100));
    u64::try_from(soft.as_millis()).unwrap_or(u64::MAX)
}

/// Ended by a signal of its own making; a kill from outside says nothing about the model.
fn crashed(end: &ChildEnd) -> bool {
    const ILL_ABRT_BUS_FPE_SEGV: [i32; 5] = [4, 6, 7, 8, 11];
    end.status
        .and_then(|status| status.signal())
        .is_some_and(|signal| ILL_ABRT_BUS_FPE_SEGV.contains(&signal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_gives_up_before_it_is_killed() {
        for seconds in [1, 5, 20] {
            let hard = Duration::from_secs(seconds);
            assert!(Duration::from_millis(soft_deadline(hard)) < hard - Duration::from_millis(200));
        }
        assert_eq!(soft_deadline(Duration::ZERO), 0);
    }
}
