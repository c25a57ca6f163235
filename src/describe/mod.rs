//! The text path, beside the frame path: facts → paragraph → token features → guidance.
//!
//! Input: an [`AlignedPair`](crate::align::AlignedPair) now and then. Output: [`Guidance`].
//! Thread: guide. Blocks: [`Describer::describe`], at most the request's deadline. Allocates:
//! freely. Fails when: [`DescribeError`]. Not its job: putting guidance into effect; the fuse
//! thread takes the newest between two frames.

mod advice;
pub mod ask;
mod backoff;
mod child;
mod client;
mod control_group;
mod controls;
mod detector;
mod event_log;
mod facts;
mod features_file;
#[cfg(test)]
mod gbnf;
mod guidance;
mod guide_settings;
mod history;
mod launch;
mod models;
mod observer;
mod pause;
pub mod prompt;
pub mod proof;
pub mod protocol;
pub mod questions;
pub mod request;
mod right_of_way;
mod segments;
mod template;
pub mod view;
mod wish;
pub mod wording;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use client::ProcessDescriber;
pub use control_group::{ControlGroup, Limits};
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
pub use guide_settings::GuideSettings;
pub use launch::Launch;
pub use models::{ModelFile, ModelFiles, ModelSpec, model_folders};
pub use pause::FrameCount;
pub use right_of_way::{RightOfWay, Turns};
pub use segments::Segment;
pub use template::paragraph;
pub use wish::Wish;
pub use worker::GuideWorker;

use crate::config::{DescribeConfig, Task};
use view::View;

/// Address space film-describe may have beside its model files, bytes: programs and contexts take
/// a third of it.
const MEMORY: u64 = 512 << 20;
/// Memory it may hold beside them in a control group of its own, bytes; it takes a quarter of it.
const RESIDENT: u64 = 160 << 20;
/// And for looking at pictures.
const VISION: u64 = 512 << 20;

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
        answers: Vec<questions::Answer>,
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
    fn right_of_way(&self) -> Option<Arc<RightOfWay>> {
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

/// The describer the configuration asks for; `rows` is what the network takes. Nothing is
/// started before the first call.
///
/// # Errors
/// [`DescribeError::Absent`] where it is switched off, or the text encoder's file or the program
/// is not there: guidance stays neutral then. A missing language model is no error: the template's
/// text is encoded instead.
pub fn open(
    config: &DescribeConfig,
    files: &ModelFiles,
    rows: usize,
) -> Result<Box<dyn Describer>, DescribeError> {
    if !config.enabled {
        return Err(DescribeError::Absent(
            "describe.enabled is false".to_owned(),
        ));
    }
    let Some(encoder) = files.encoder.clone() else {
        let folders: Vec<_> = files
            .searched
            .iter()
            .map(|f| f.display().to_string())
            .collect();
        return Err(DescribeError::Absent(format!(
            "the text encoder's file is in none of these folders: {}; fetch it (make run does) or \
             set describe.models",
            folders.join(", ")
        )));
    };
    let program = match &config.program {
        Some(program) => program.clone(),
        None => beside_this_program()?,
    };
    let llm = files.llm.clone().filter(|_| config.llm);
    let mmproj = files.mmproj.clone().filter(|_| llm.is_some());
    let memory = match config.memory_mb {
        Some(mb) => mb << 20,
        None => {
            let seeing = mmproj.as_ref().map_or(0, |file| VISION + size_of(file));
            MEMORY + size_of(&encoder) + llm.as_ref().map_or(0, size_of) + seeing
        }
    };
    let launch = Launch {
        program,
        llm,
        mmproj,
        encoder,
        max_rows: rows,
        memory: Some(memory),
    };
    let group = ControlGroup::of_this_process(Limits {
        memory: config
            .memory_mb
            .map_or_else(|| memory - MEMORY + RESIDENT, |mb| mb << 20),
        cpu_weight: config.cpu_weight,
    });
    let describer = ProcessDescriber::new(launch).with_deadline(config.deadline());
    Ok(Box::new(describer.in_group(group)))
}

fn size_of(file: &ModelFile) -> u64 {
    std::fs::metadata(&file.path).map_or(0, |m| m.len())
}

fn beside_this_program() -> Result<PathBuf, DescribeError> {
    let found = std::env::current_exe()
        .ok()
        .map(|exe| exe.with_file_name("film-describe"));
    match found {
        Some(program) if program.is_file() => Ok(program),
        other => Err(DescribeError::Absent(format!(
            "film-describe is not beside this program{}; install it or set describe.program",
            other.map_or_else(String::new, |p| format!(" ({})", p.display()))
        ))),
    }
}
