//! The configuration file: every key optional, unknown keys refused with line and column.
//!
//! Input: TOML text. Output: [`Config`], checked. Blocks: file reads in [`Config::load`]. Fails when:
//! [`ConfigError`]. Not its job: opening what the keys name; each stage does that and reports its own
//! errors.

mod choices;
mod clean;
mod describe;
mod panels;
mod sections;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::bounded;
pub use choices::{
    Engine, Modality, Mode, Palette, ScreenKind, SharpenMode, Task, TelemetryKind, TextStyle,
    ToneMode,
};
pub use clean::{CleanConfig, CleanMode};
pub use describe::{DescribeConfig, DetectorConfig, VisionConfig};
pub use panels::{
    Action, BusKind, ButtonConfig, ButtonSource, ButtonsConfig, ChordConfig, PanelController,
    SpiConfig, StatusPanelConfig,
};
use sections::default_fps;
pub use sections::{
    AlignConfig, CameraConfig, CamerasConfig, ControlConfig, FaultConfig, FaultKind, FuseConfig,
    OutputConfig, PresentConfig, ReplayConfig, SourceConfig, SyntheticConfig, ToneConfig,
};

/// The whole configuration, checked. The defaults run the synthetic scene without a screen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is fused.
    pub task: Task,
    /// Where pairs come from.
    pub source: SourceConfig,
    /// Which sensor faults are taken from the sources before fusion.
    pub clean: CleanConfig,
    /// Size of the fused picture.
    pub output: OutputConfig,
    /// How the two cameras are brought over each other.
    pub align: AlignConfig,
    /// How they are fused.
    pub fuse: FuseConfig,
    /// How the fused picture's contrast is raised.
    pub tone: ToneConfig,
    /// Where the guiding text comes from.
    pub describe: DescribeConfig,
    /// Where the picture is shown.
    pub present: PresentConfig,
    /// A small display of words beside the screen.
    pub status_panel: StatusPanelConfig,
    /// Buttons on GPIO lines.
    pub buttons: ButtonsConfig,
    /// How filmctl reaches the daemon.
    pub control: ControlConfig,
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, a key unknown, a value of the wrong type.
    #[error("{path}: {message}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// With line and column.
        message: String,
    },
    /// A value out of its range.
    #[error("{path}: {key} = {found} is out of range: {expected}")]
    Range {
        /// The file.
        path: PathBuf,
        /// The key, with its table.
        key: &'static str,
        /// What was given.
        found: String,
        /// What is possible.
        expected: &'static str,
    },
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ConfigError`], naming the file and the place in it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = bounded::read_text(path, bounded::TEXT).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Checks a text; `path` only names it in errors.
    ///
    /// # Errors
    /// [`ConfigError::Parse`] and [`ConfigError::Range`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let (line, column) = crate::position::line_and_column(text, at);
            ConfigError::Parse {
                path: path.to_owned(),
                message: format!("line {line}, column {column}: {}", error.message()),
            }
        })?;
        config.check(path)?;
        Ok(config)
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let range = |ok: bool, key: &'static str, found: String, expected: &'static str| {
            if ok {
                return Ok(());
            }
            Err(ConfigError::Range {
                path: path.to_owned(),
                key,
                found,
                expected,
            })
        };
        let size = 32..=4096;
        let (w, h) = (self.output.width, self.output.height);
        range(
            size.contains(&w),
            "output.width",
            w.to_string(),
            "32 to 4096 pixels",
        )?;
        range(
            size.contains(&h),
            "output.height",
            h.to_string(),
            "32 to 4096 pixels",
        )?;
        let rate = 1.0..=240.0;
        let fps = match &self.source {
            SourceConfig::Synthetic(s) => s.fps,
            SourceConfig::Replay(r) => r.fps,
            SourceConfig::Cameras(_) => default_fps(),
        };
        range(
            rate.contains(&fps),
            "source.fps",
            fps.to_string(),
            "1 to 240",
        )?;
        let strength = self.tone.strength;
        range(
            (0.0..=2.0).contains(&strength),
            "tone.strength",
            strength.to_string(),
            "0 to 2",
        )?;
        range(
            self.present.mode.is_none() || self.present.mode_size().is_some(),
            "present.mode",
            self.present.mode.clone().unwrap_or_default(),
            "pixels across and down: 1280x720, say",
        )?;
        range(
            [0, 90, 180, 270].contains(&self.present.rotation),
            "present.rotation",
            self.present.rotation.to_string(),
            "0, 90, 180 or 270 degrees",
        )?;
        self.clean.check(range)?;
        self.fuse.check(range)?;
        self.present.spi.check(range)?;
        self.status_panel.check(range)?;
        self.buttons.check(range)?;
        self.describe.check(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("filmd.toml"))
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        assert_eq!(parse("").unwrap(), Config::default());
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let error = parse("task = \"ivf\"\n[output]\nwidht = 3\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 3, column 1"), "{error}");
        assert!(error.contains("widht"), "{error}");
    }

    #[test]
    fn an_unknown_key_inside_a_source_is_refused() {
        let error = parse("[source]\nkind = \"synthetic\"\nsed = 3\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("sed"), "{error}");
    }

    #[test]
    fn ranges_are_checked() {
        assert!(
            parse("[output]\nwidth = 8\n")
                .unwrap_err()
                .to_string()
                .contains("output.width")
        );
        assert!(parse("[describe]\ninterval_s = nan\n").is_err());
        for text in ["[tone]\nstrength = 2.5\n", "[tone]\nstrength = nan\n"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains("tone.strength"), "{error}");
        }
        for key in ["changes_s = 0", "events_max_bytes = 9", "events_keep = 100"] {
            let error = parse(&format!("[describe]\n{key}\n")).unwrap_err();
            assert!(error.to_string().contains("describe."), "{error}");
        }
        for key in ["pause_above_c = nan", "memory_mb = 1", "core = 1024"] {
            assert!(parse(&format!("[describe]\n{key}\n")).is_err(), "{key}");
        }
        let error = parse("[fuse]\nguidance_fade_ms = 60001\n").unwrap_err();
        assert!(error.to_string().contains("guidance_fade_ms"), "{error}");
        for (key, name) in [
            ("threads = 0", "fuse.threads"),
            ("cores = [1, 1024]", "fuse.cores"),
        ] {
            let error = parse(&format!("[fuse]\n{key}\n")).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        let config = parse("[fuse]\nthreads = 3\ncores = [2, 5]\n").unwrap();
        assert_eq!(config.fuse.threads(), 3);
        let cores = [0, 1, 2].map(|number| config.fuse.core_of(number));
        assert_eq!(cores, [Some(2), Some(5), Some(2)]);
        assert_eq!(FuseConfig::default().core_of(1), None);
        for mode in ["720p", "1x-2", "0x720", "1280x"] {
            let error = parse(&format!("[present]\nmode = \"{mode}\"\n")).unwrap_err();
            assert!(error.to_string().contains("present.mode"), "{error}");
        }
        let config = parse("[present]\nmode = \"1280x720\"\n").unwrap();
        assert_eq!(config.present.mode_size(), Some((1280, 720)));
    }
}
