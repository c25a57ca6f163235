//! What a text becomes for the network.
//!
//! Input: a text and its tokens' features. Output: [`Guidance`]. Fails when: [`GuidanceError`]. Not its
//! job: where the text comes from.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Controls, Origin};
use crate::config::Task;

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

impl TokenFeatures {
    /// Whether these are features of `dim` columns.
    pub(super) fn check(&self, dim: usize) -> Result<(), GuidanceError> {
        if self.dim != dim || dim == 0 {
            return Err(GuidanceError::Dimension {
                expected: dim,
                found: self.dim,
            });
        }
        if self.rows.checked_mul(dim) != Some(self.values.len()) {
            return Err(GuidanceError::Damaged("length is not rows x features"));
        }
        if self.rows == 0 {
            return Err(GuidanceError::Damaged("no token"));
        }
        // A layer-normalised hidden state stays far below this.
        if !self.values.iter().all(|v| v.is_finite() && v.abs() < 1e3) {
            return Err(GuidanceError::Damaged(
                "a value is not finite or out of range",
            ));
        }
        Ok(())
    }
}

/// What the network is guided by: a tensor of a fixed shape, and the text it stands for.
#[derive(Debug, Clone)]
pub struct Guidance {
    /// `tokens * dim` values, row by row; unused rows are zero.
    values: Vec<f32>,
    version: u64,
    tokens: usize,
    dim: usize,
    /// The text.
    pub text: String,
    /// Who wrote it.
    pub origin: Origin,
    /// The task it was written for.
    pub task: Task,
    /// What the text sets beside the network.
    pub controls: Controls,
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
        features.check(dim)?;
        let used = features.rows.min(tokens) * dim;
        let mut values = vec![0.0; tokens * dim];
        values[..used].copy_from_slice(&features.values[..used]);
        Ok(Self {
            values,
            version: next_version(),
            tokens,
            dim,
            text: text.to_owned(),
            origin,
            task,
            controls: Controls::default(),
        })
    }

    /// A description of a pair: the network is guided by `neutral` all the same, so that what is said of a
    /// scene never costs a picture, and `controls` are what the text sets.
    pub fn described(neutral: &Self, text: String, origin: Origin, controls: Controls) -> Self {
        Self {
            text,
            origin,
            controls,
            ..neutral.clone()
        }
    }

    /// What a fuser that looks at no guidance is handed.
    pub fn none(task: Task) -> Self {
        Self {
            values: vec![0.0],
            version: next_version(),
            tokens: 1,
            dim: 1,
            text: String::new(),
            origin: Origin::Neutral,
            task,
            controls: Controls::default(),
        }
    }

    /// `tokens * dim` values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Other values, which `write` makes of those that are there; `version` is theirs.
    pub(crate) fn write(&mut self, version: u64, write: impl FnOnce(&mut [f32])) {
        write(&mut self.values);
        self.version = version;
    }

    /// The values of another guidance of the same shape.
    pub(crate) fn take_values(&mut self, other: &Self) {
        self.write(other.version, |values| {
            values.copy_from_slice(&other.values)
        });
    }

    /// Two guidances with the same version have the same values: a frame does not read a hundred
    /// kilobytes to see that nothing is new.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Rows and features a row.
    pub fn shape(&self) -> (usize, usize) {
        (self.tokens, self.dim)
    }
}

/// A version that no guidance had.
pub(crate) fn next_version() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_lasts_as_long_as_the_values() {
        let mut guidance = Guidance::none(Task::Ivf);
        let copy = guidance.clone();
        assert_eq!(copy.version(), guidance.version());
        assert_ne!(
            Guidance::none(Task::Ivf).version(),
            Guidance::none(Task::Ivf).version()
        );
        guidance.write(next_version(), |values| values[0] = 1.0);
        assert_ne!(copy.version(), guidance.version());
        guidance.take_values(&copy);
        assert_eq!(
            (copy.version(), guidance.values()),
            (guidance.version(), &[0.0][..])
        );
    }
}
