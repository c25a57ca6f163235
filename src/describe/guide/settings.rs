//! What the guide thread's worker goes by.
//!
//! Input: `[describe]` of the configuration. Output: [`GuideSettings`]. Blocks: on the questions file. What
//! cannot be used is told in status. Not its job: the worker.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{DescribeConfig, DetectorConfig, Modality, TextStyle};
use crate::describe::process::view::ViewWeights;
use crate::describe::words::questions::Questions;

/// How often and how long, and what is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct GuideSettings {
    /// `false`: nothing is looked at; only a user's text guides.
    pub enabled: bool,
    /// Between the starts of two descriptions.
    pub interval: Duration,
    /// A guidance without a newer one stays that long.
    pub time_to_live: Duration,
    /// For one description.
    pub deadline: Duration,
    /// What source A of the medical task is.
    pub modality: Modality,
    /// Their answers guide; `None`: a paragraph does.
    pub questions: Option<Questions>,
    /// Over how long changes are told.
    pub changes: Duration,
    /// The text says what changed.
    pub say_changes: bool,
    /// Event log: file, size of a file, old files.
    pub events: Option<(PathBuf, u64, usize)>,
    /// Too hot from here on, degrees Celsius, by this file.
    pub pause_above: (f32, Option<PathBuf>),
    /// Rest where describing costs frames.
    pub pause_when_late: bool,
    /// What a model that sees looks at; `None`: there is none.
    pub views: Option<ViewWeights>,
    /// What names the objects of the visible picture; `None`: nothing does.
    pub detector: Option<DetectorConfig>,
    /// What of the configuration could not be used, for status.
    pub complaint: Option<String>,
}

impl From<&DescribeConfig> for GuideSettings {
    /// A questions file that cannot be used is no reason to be without guidance: the shipped
    /// questions are asked instead.
    fn from(config: &DescribeConfig) -> Self {
        let (questions, complaint) = match config.style {
            TextStyle::Paragraph => (None, None),
            TextStyle::Questions => match Questions::open(config.questions.as_deref()) {
                Ok(questions) => (Some(questions), None),
                Err(error) => (
                    Questions::shipped().ok(),
                    Some(format!("{error}; the shipped questions are asked")),
                ),
            },
        };
        Self {
            questions,
            complaint,
            changes: config.changes(),
            say_changes: config.say_changes,
            events: config
                .events
                .clone()
                .map(|path| (path, config.events_max_bytes, config.events_keep)),
            pause_above: (config.pause_above_c as f32, config.thermal_zone.clone()),
            pause_when_late: config.pause_when_late,
            views: config.vision.as_ref().map(|vision| ViewWeights {
                infrared: vision.infrared as f32,
                visible: vision.visible as f32,
                fused: vision.fused as f32,
            }),
            detector: config.detector.clone(),
            enabled: config.enabled,
            interval: config.interval(),
            time_to_live: config.time_to_live(),
            deadline: config.deadline(),
            modality: config.modality,
        }
    }
}
