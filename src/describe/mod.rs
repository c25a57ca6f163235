//! The text path, beside the frame path: facts → paragraph → token features → guidance.
//!
//! Input: an [`AlignedPair`](crate::align::AlignedPair) now and then. Output: [`Guidance`]. Blocks:
//! [`Describer::describe`], at most the request's deadline. Fails when: [`DescribeError`]. Not its job:
//! putting guidance into effect; the fuse thread takes the newest between two frames.

mod controls;
mod detector;
mod facts;
mod features_file;
mod guidance;
mod guide;
pub mod process;
pub mod request;
pub mod words;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use control_protocol::plain;
pub use control_protocol::{GuideStatus, Origin};
pub use controls::{Controls, Emphasis};
pub use detector::Detector;
pub use facts::{
    Change, ChangeKind, Distance, ExposureFacts, Facts, Fault, Faults, FocusFacts, Group, Light,
    MedicalFacts, Motion, NamedObject, Place, Rated, SceneFacts, Shape, SourceFaults, Strength,
    VisibleFacts, WarmObject,
};
pub use features_file::FeaturesError;
pub(crate) use guidance::next_version;
pub use guidance::{Guidance, GuidanceError, TokenFeatures};
pub use guide::{FrameCount, GuideSettings, GuideWorker};
pub use process::{
    ControlGroup, DescriberPauser, FramePriority, Launch, Limits, ModelFile, ModelFiles, ModelSpec,
    ProcessDescriber, model_folders, open,
};
pub use request::UserText;
pub use words::{Segment, paragraph};

use crate::config::Task;
use process::view::View;
use words::questions::Answer;

/// What a describer is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeRequest {
    /// The task.
    pub task: Task,
    /// What to say: sentences made from facts, or a user's text that only needs encoding.
    pub text: Prompt,
    /// How long it may take.
    pub deadline: Duration,
    /// What a model that sees looks at; empty: sentences alone.
    pub views: Vec<View>,
}

/// What a describer starts from.
#[derive(Debug, Clone, PartialEq)]
pub enum Prompt {
    /// Verbalised facts, for the language model to make a paragraph of.
    Facts(Vec<String>),
    /// A finished text, only to be encoded.
    Text(String),
    /// Answers to questions, each to become a segment of guidance.
    Answers {
        /// What is known, by question.
        answers: Vec<Answer>,
        /// The language model words them; `false`: the template does.
        by_llm: bool,
    },
}

impl Prompt {
    /// The text without a language model.
    pub fn text(&self, task: Task) -> String {
        match self {
            Self::Facts(sentences) => paragraph(task, sentences),
            Self::Text(text) => text.clone(),
            Self::Answers { answers, .. } => {
                let texts: Vec<String> = answers.iter().map(|a| a.template(task)).collect();
                texts.join(" ")
            }
        }
    }
}

/// A text and its features.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// One paragraph.
    pub text: String,
    /// Who wrote it.
    pub origin: Origin,
    /// Its tokens' features; of answers, the rows of all segments.
    pub features: Arc<TokenFeatures>,
    /// The segments, where answers were asked for.
    pub segments: Vec<Segment>,
    /// How long it took.
    pub took: Duration,
}

/// Why there is no description. None of these stops the frame path.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
    /// The process, the program or a model file is not there.
    #[error("no describer: {0}")]
    Absent(String),
    /// The process did not answer in time and was killed.
    #[error("the describer did not answer within {0:?} and was stopped")]
    TimedOut(Duration),
    /// The process died or closed its pipe.
    #[error("the describer stopped: {0}")]
    Died(String),
    /// It answered with bytes that make no sense, and was killed.
    #[error("the describer's answer makes no sense: {0}")]
    Garbled(String),
    /// It said no (a text too long, say); it goes on.
    #[error("the describer refused: {0}")]
    Refused(String),
}

/// Turns facts or a text into a description with features.
pub trait Describer: Send {
    /// Blocks until done, at most the request's deadline.
    ///
    /// # Errors
    /// [`DescribeError`]; the next call may succeed, since the process is started anew.
    fn describe(&mut self, request: &DescribeRequest) -> Result<Description, DescribeError>;

    /// Process id and resident memory in bytes, for status, where there is a process.
    fn process(&self) -> Option<(u32, u64)>;

    /// Looks after the process without waiting: notices its death, starts it anew when that is
    /// due. Called a few times a second, also while nothing is to be described.
    fn tend(&mut self) {}

    /// A flag that ends a wait within 0.1 s when raised, for shutting down; none: it never waits.
    fn stopper(&self) -> Option<Arc<AtomicBool>> {
        None
    }

    /// Where the process can be stopped while a frame is made.
    fn pauser(&self) -> Option<Arc<DescriberPauser>> {
        None
    }

    /// Processes started so far; one more than the restarts.
    fn starts(&self) -> u64 {
        0
    }

    /// What is not as it should be while descriptions still come (no language model, say).
    fn note(&self) -> Option<String> {
        None
    }
}
