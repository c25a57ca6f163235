//! The text path, beside the frame path: facts → paragraph → token features → guidance.
//!
//! Input: an [`AlignedPair`](crate::align::AlignedPair) now and then. Output: [`Guidance`].
//! Thread: guide. Blocks: [`Describer::describe`], at most the request's deadline. Allocates:
//! freely. Fails when: [`DescribeError`]. Not its job: putting guidance into effect; the fuse
//! thread takes the newest between two frames.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Task;

/// Who wrote a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The manifest's sentence for the task; nobody looked at the picture.
    Neutral,
    /// Verbalised facts.
    Template,
    /// The language model, from verbalised facts.
    Llm,
    /// `filmctl guide TEXT`, `filmd fuse --text`.
    User,
}

/// Features of a text's tokens, as the text encoder's last hidden state gives them.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenFeatures {
    /// Tokens.
    pub rows: usize,
    /// Features a token (384 for MiniLM).
    pub dim: usize,
    /// `rows * dim` finite values.
    pub values: Vec<f32>,
}

/// What the network is guided by: a tensor of a fixed shape, and the text it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Guidance {
    /// `tokens * dim` values, row by row; unused rows are zero.
    values: Vec<f32>,
    tokens: usize,
    dim: usize,
    /// The text.
    pub text: String,
    /// Who wrote it.
    pub origin: Origin,
    /// The task it was written for.
    pub task: Task,
}

/// Features that do not fit a network.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GuidanceError {
    /// Not the encoder this network was trained with.
    #[error("the text encoder gives {found} features a token, the network takes {expected}")]
    Dimension {
        /// What the network takes.
        expected: usize,
        /// What came.
        found: usize,
    },
    /// Damaged.
    #[error("the text features are damaged: {0}")]
    Damaged(&'static str),
}

impl Guidance {
    /// Checks `features` and pads them to `tokens` rows. Rows beyond are cut off: the first
    /// sentences carry the scene, the last one the wish, so callers keep texts short.
    ///
    /// # Errors
    /// [`GuidanceError`] where shape or values are not what a `tokens` x `dim` network takes.
    pub fn new(
        features: &TokenFeatures,
        (tokens, dim): (usize, usize),
        text: &str,
        origin: Origin,
        task: Task,
    ) -> Result<Self, GuidanceError> {
        if features.dim != dim {
            return Err(GuidanceError::Dimension {
                expected: dim,
                found: features.dim,
            });
        }
        if features.values.len() != features.rows * features.dim {
            return Err(GuidanceError::Damaged("length is not rows x features"));
        }
        if features.rows == 0 {
            return Err(GuidanceError::Damaged("no token"));
        }
        // A layer-normalised hidden state stays far below this.
        if !features
            .values
            .iter()
            .all(|v| v.is_finite() && v.abs() < 1e3)
        {
            return Err(GuidanceError::Damaged(
                "a value is not finite or out of range",
            ));
        }
        let used = features.rows.min(tokens) * dim;
        let mut values = vec![0.0; tokens * dim];
        values[..used].copy_from_slice(&features.values[..used]);
        Ok(Self {
            values,
            tokens,
            dim,
            text: text.to_owned(),
            origin,
            task,
        })
    }

    /// `tokens * dim` values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Rows and features a row.
    pub fn shape(&self) -> (usize, usize) {
        (self.tokens, self.dim)
    }
}

/// What a describer is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeRequest {
    /// The task.
    pub task: Task,
    /// What to say: sentences made from facts, or a user's text that only needs encoding.
    pub text: Prompt,
    /// How long it may take.
    pub deadline: Duration,
}

/// What a describer starts from.
#[derive(Debug, Clone, PartialEq)]
pub enum Prompt {
    /// Verbalised facts, for the language model to make a paragraph of.
    Facts(Vec<String>),
    /// A finished text, only to be encoded.
    Text(String),
}

/// A text and its features.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// One paragraph.
    pub text: String,
    /// Who wrote it.
    pub origin: Origin,
    /// Its tokens' features.
    pub features: Arc<TokenFeatures>,
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
}
