//! What `filmctl status` prints. One struct, so that the wire format has one definition.

use serde::{Deserialize, Serialize};

use crate::config::{Mode, Task};
use crate::describe::Origin;
use crate::metrics::{Marks, Summary};

/// Everything the daemon knows about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// filmd's version.
    pub version: String,
    /// Seconds since the pipeline started.
    pub uptime_s: f64,
    /// What is fused.
    pub task: Task,
    /// What is shown.
    pub mode: Mode,
    /// Where pairs come from.
    pub source: String,
    /// Who fuses: the network's name, or "classic" with the reason.
    pub engine: String,
    /// Where pictures go.
    pub screen: String,
    /// Frames shown a second, over the last second.
    pub fps: f32,
    /// What is not as it should be.
    pub marks: Marks,
    /// Counters and timings.
    pub frames: Summary,
    /// What guides the fusion now.
    pub guidance: GuidanceStatus,
    /// Who writes the text.
    pub describer: DescriberStatus,
    /// filmd's resident memory.
    pub resident_bytes: u64,
}

/// The guidance in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuidanceStatus {
    /// The text.
    pub text: String,
    /// Who wrote it.
    pub origin: Origin,
}

/// The text path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DescriberStatus {
    /// The film-describe process, where there is one.
    pub pid: Option<u32>,
    /// Its resident memory.
    pub resident_bytes: Option<u64>,
    /// Descriptions put into effect.
    pub descriptions: u64,
    /// Of these, written by the language model.
    pub by_llm: u64,
    /// Requests that failed.
    pub failures: u64,
    /// Seconds the last description took.
    pub last_took_s: Option<f64>,
    /// Seconds since the guidance in use was made.
    pub age_s: Option<f64>,
    /// The last failure; empty after a success.
    pub last_error: Option<String>,
    /// A user's text holds until `guide --auto`.
    pub held: bool,
}
