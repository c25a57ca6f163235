//! The table of the describer: who writes the text, how often, with what.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Modality, TextStyle};
use crate::sys::cores::CORES;

/// `[describe]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DescribeConfig {
    /// `false`: neutral guidance for ever.
    pub enabled: bool,
    /// The film-describe program; absent: beside filmd.
    pub program: Option<PathBuf>,
    /// Folder of the language model and the text encoder; absent: the cache folder that
    /// models/fetch.py fills.
    pub models: Option<PathBuf>,
    /// Use the language model; `false`: template text through the encoder.
    pub llm: bool,
    /// A paragraph, or answers to questions.
    pub style: TextStyle,
    /// Questions file for `style = "questions"`; absent: the shipped questions.
    pub questions: Option<PathBuf>,
    /// What source A of the medical task is.
    pub modality: Modality,
    /// Seconds between the starts of two descriptions.
    pub interval_s: f64,
    /// Seconds a guidance stays in use without a newer one; then neutral.
    pub time_to_live_s: f64,
    /// Seconds a description may take before the process is killed; also loading, where beyond 40.
    pub deadline_s: f64,
    /// Address space of the process, MiB; absent: its model files and 512 more.
    pub memory_mb: Option<u64>,
    /// Its share of the processor in a control group of its own, 1..=10000; filmd has 100. Only
    /// under a service manager that hands its group over (systemd: `Delegate=cpu memory`).
    pub cpu_weight: u32,
    /// Core that film-describe, and what filmd measures for it, are bound to; absent: any.
    pub core: Option<usize>,
    /// Seconds over which changes are told, 1..=3600.
    pub changes_s: f64,
    /// The text says what changed over them.
    pub say_changes: bool,
    /// Event log (JSON lines); absent: none.
    pub events: Option<PathBuf>,
    /// Size at which the event log goes on in a new file, bytes, 1000..=1000000000.
    pub events_max_bytes: u64,
    /// Old files of the event log that are kept, 0..=99.
    pub events_keep: usize,
    /// Describing waits while the board is hotter, degrees Celsius, 20..=200.
    pub pause_above_c: f64,
    /// File with the board's temperature in thousandths of a degree; absent: the first of
    /// /sys/class/thermal.
    pub thermal_zone: Option<PathBuf>,
    /// Describing waits longer where it costs frames.
    pub pause_when_late: bool,
    /// Describing stands still while a frame is made, for at most half of the time; `deadline_s` goes on
    /// meanwhile.
    pub gives_way: bool,
    /// A language model that sees; absent: the manifest's, which reads facts alone.
    pub vision: Option<VisionConfig>,
    /// A detector that adds nouns to the facts of infrared and visible; absent: nothing is named.
    pub detector: Option<DetectorConfig>,
}

/// `[describe.detector]`: a detector of the 80 COCO classes as an ONNX file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorConfig {
    /// The graph: input `[1, 3, height, width]`, RGB of 0..=1; output as YOLO's.
    pub model: PathBuf,
    /// Its SHA-256, hexadecimal; absent: unchecked.
    pub sha256: Option<String>,
    /// Objects are named from this score on, 0.05..=1.
    #[serde(default = "half")]
    pub confidence: f64,
}

impl DetectorConfig {
    /// This file, unchecked, with the usual score.
    pub fn of(model: PathBuf) -> Self {
        Self {
            model,
            sha256: None,
            confidence: half(),
        }
    }
}

fn half() -> f64 {
    0.5
}

/// `[describe.vision]`: a vision-language model as two GGUF files, and what it looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisionConfig {
    /// The language model (GGUF).
    pub model: PathBuf,
    /// Its SHA-256, hexadecimal; absent: unchecked.
    pub model_sha256: Option<String>,
    /// The vision encoder made for it (GGUF, "mmproj").
    pub mmproj: PathBuf,
    /// Its SHA-256, hexadecimal; absent: unchecked.
    pub mmproj_sha256: Option<String>,
    /// Weight of what the model says of source A, 0..=1; 0: it does not look at it.
    #[serde(default = "whole")]
    pub infrared: f64,
    /// The same of source B.
    #[serde(default = "whole")]
    pub visible: f64,
    /// The same of the fused picture.
    #[serde(default = "whole")]
    pub fused: f64,
}

fn whole() -> f64 {
    1.0
}

impl Default for DescribeConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            program: None,
            models: None,
            llm: true,
            style: TextStyle::Paragraph,
            questions: None,
            modality: Modality::Auto,
            interval_s: 3.0,
            time_to_live_s: 30.0,
            deadline_s: 20.0,
            memory_mb: None,
            cpu_weight: 20,
            core: None,
            changes_s: 10.0,
            say_changes: false,
            events: None,
            events_max_bytes: 1_000_000,
            events_keep: 3,
            pause_above_c: 80.0,
            thermal_zone: None,
            pause_when_late: true,
            gives_way: true,
            vision: None,
            detector: None,
        }
    }
}

impl DescribeConfig {
    /// Checks each value by `range` (it holds, key, what was found, what is possible).
    pub(super) fn check<E>(
        &self,
        range: impl Fn(bool, &'static str, String, &'static str) -> Result<(), E>,
    ) -> Result<(), E> {
        let seconds = 0.1..=86_400.0;
        for (key, value) in [
            ("describe.interval_s", self.interval_s),
            ("describe.time_to_live_s", self.time_to_live_s),
            ("describe.deadline_s", self.deadline_s),
        ] {
            let holds = seconds.contains(&value);
            range(holds, key, value.to_string(), "0.1 to 86400 seconds")?;
        }
        let (changes, hot) = (self.changes_s, self.pause_above_c);
        range(
            (1.0..=3600.0).contains(&changes),
            "describe.changes_s",
            changes.to_string(),
            "1 to 3600 seconds",
        )?;
        range(
            (20.0..=200.0).contains(&hot),
            "describe.pause_above_c",
            hot.to_string(),
            "20 to 200 degrees Celsius",
        )?;
        let memory = self.memory_mb;
        range(
            memory.is_none_or(|mb| (64..=1 << 20).contains(&mb)),
            "describe.memory_mb",
            memory.unwrap_or_default().to_string(),
            "64 to 1048576 MiB",
        )?;
        range(
            (1..=10_000).contains(&self.cpu_weight),
            "describe.cpu_weight",
            self.cpu_weight.to_string(),
            "1 to 10000",
        )?;
        range(
            self.core.is_none_or(|core| core < CORES),
            "describe.core",
            self.core.unwrap_or_default().to_string(),
            "a core of this machine, from 0 on",
        )?;
        range(
            (1000..=1_000_000_000).contains(&self.events_max_bytes),
            "describe.events_max_bytes",
            self.events_max_bytes.to_string(),
            "1000 to 1000000000 bytes",
        )?;
        self.check_eyes(&range)?;
        range(
            self.events_keep <= 99,
            "describe.events_keep",
            self.events_keep.to_string(),
            "0 to 99 files",
        )
    }

    /// The same of what looks at pictures.
    fn check_eyes<E>(
        &self,
        range: impl Fn(bool, &'static str, String, &'static str) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(vision) = &self.vision {
            for (key, weight) in [
                ("describe.vision.infrared", vision.infrared),
                ("describe.vision.visible", vision.visible),
                ("describe.vision.fused", vision.fused),
            ] {
                let holds = (0.0..=1.0).contains(&weight);
                range(holds, key, weight.to_string(), "0 to 1")?;
            }
        }
        if let Some(detector) = &self.detector {
            let least = detector.confidence;
            range(
                (0.05..=1.0).contains(&least),
                "describe.detector.confidence",
                least.to_string(),
                "0.05 to 1",
            )?;
        }
        Ok(())
    }

    /// Time between the starts of two descriptions.
    pub fn interval(&self) -> Duration {
        Duration::from_secs_f64(self.interval_s)
    }

    /// How long a guidance stays in use without a newer one.
    pub fn time_to_live(&self) -> Duration {
        Duration::from_secs_f64(self.time_to_live_s)
    }

    /// Over how long changes are told.
    pub fn changes(&self) -> Duration {
        Duration::from_secs_f64(self.changes_s)
    }

    /// How long one description may take.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs_f64(self.deadline_s)
    }
}
