//! What the text path is doing.

use serde::{Deserialize, Serialize};

use super::Understanding;

/// Who wrote a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The manifest's sentence for the task; nobody looked at the picture.
    #[default]
    Neutral,
    /// Verbalised facts.
    Template,
    /// The language model, from verbalised facts.
    Llm,
    /// `filmctl guide TEXT`, `filmd fuse --text`.
    User,
}

/// What the text path is doing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GuideStatus {
    /// The text in force.
    pub text: String,
    /// Who wrote it.
    pub origin: Origin,
    /// Since it came into force; `None` for neutral guidance.
    pub age_ms: Option<u64>,
    /// Descriptions put into force.
    pub ok: u64,
    /// Of these, written by the language model.
    pub by_llm: u64,
    /// Descriptions that failed; waiting for a restart does not count.
    pub failed: u64,
    /// Times the process was started after its first start.
    pub restarts: u64,
    /// How long the last description took.
    pub last_took_ms: Option<u64>,
    /// The last failure, until a description succeeds.
    pub last_error: Option<String>,
    /// What is not as it should be while descriptions still come.
    pub note: Option<String>,
    /// Why nothing is described for now.
    #[serde(default)]
    pub paused: Option<String>,
    /// Process id and resident bytes of film-describe.
    pub process: Option<(u32, u64)>,
    /// A user's text in force: what it was understood to ask for, and what of that the last pair needs.
    #[serde(default)]
    pub wish: Option<Understanding>,
}
