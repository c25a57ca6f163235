//! The configuration file: every key optional, unknown keys refused with line and column.
//!
//! Input: TOML text. Output: [`Config`], checked. Thread: main, control (reload). Blocks: file
//! reads in [`Config::load`]. Allocates: yes. Fails when: [`ConfigError`].
//! Not its job: opening what the keys name; each stage does that and reports its own errors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::frame::Size;

/// What is fused. The text guidance tells the network which; see FILM, section 4.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Infrared and visible.
    #[default]
    Ivf,
    /// Medical: CT, PET or SPECT with MRI.
    Mif,
    /// Multi-exposure: under- and over-exposed.
    Mef,
    /// Multi-focus: near and far focus.
    Mff,
}

impl Task {
    /// All tasks, in the order of the model's manifest.
    pub const ALL: [Self; 4] = [Self::Ivf, Self::Mif, Self::Mef, Self::Mff];

    /// The name used in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ivf => "ivf",
            Self::Mif => "mif",
            Self::Mef => "mef",
            Self::Mff => "mff",
        }
    }

    /// What source A (the `infrared` input) and source B (`visible`) are called in this task.
    pub const fn sources(self) -> (&'static str, &'static str) {
        match self {
            Self::Ivf => ("infrared", "visible"),
            Self::Mif => ("functional or CT", "MRI"),
            Self::Mef => ("under-exposed", "over-exposed"),
            Self::Mff => ("near focus", "far focus"),
        }
    }
}

/// What is shown. Switched within one frame.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The fused picture.
    #[default]
    Fused,
    /// The visible camera alone.
    Visible,
    /// The aligned thermal picture alone, through the palette.
    Thermal,
    /// Visible and thermal (through the palette), half and half.
    Blend,
    /// The visible picture's edges drawn over the thermal picture.
    Edges,
    /// The visible picture with the thermal one in a corner.
    PictureInPicture,
}

impl Mode {
    /// All modes, in the order a mode button steps through them.
    pub const ALL: [Self; 6] = [
        Self::Fused,
        Self::Visible,
        Self::Thermal,
        Self::Blend,
        Self::Edges,
        Self::PictureInPicture,
    ];

    /// The name used in files, on the command line and in the overlay.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fused => "fused",
            Self::Visible => "visible",
            Self::Thermal => "thermal",
            Self::Blend => "blend",
            Self::Edges => "edges",
            Self::PictureInPicture => "picture-in-picture",
        }
    }
}

/// How grey thermal values are coloured in the thermal, blend and picture-in-picture modes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Palette {
    /// Hot is white.
    #[default]
    WhiteHot,
    /// Hot is black.
    BlackHot,
    /// Black, violet, orange, yellow, white.
    Ironbow,
    /// Blue, green, yellow, red.
    Rainbow,
}

/// The whole configuration, checked. The defaults run the synthetic scene without a screen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is fused.
    pub task: Task,
    /// Where pairs come from.
    pub source: SourceConfig,
    /// Size of the fused picture.
    pub output: OutputConfig,
    /// How the two cameras are brought over each other.
    pub align: AlignConfig,
    /// How they are fused.
    pub fuse: FuseConfig,
    /// Where the guiding text comes from.
    pub describe: DescribeConfig,
    /// Where the picture is shown.
    pub present: PresentConfig,
    /// How filmctl reaches the daemon.
    pub control: ControlConfig,
}

/// `[source]`: where pairs come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "lowercase")]
pub enum SourceConfig {
    /// A rendered night scene with known truth.
    Synthetic(SyntheticConfig),
    /// Two folders of pictures, paired by file stem.
    Replay(ReplayConfig),
    /// Two V4L2 cameras.
    Cameras(CamerasConfig),
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self::Synthetic(SyntheticConfig::default())
    }
}

/// `[source] kind = "synthetic"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyntheticConfig {
    /// Seed of the scene and of the sensor noise.
    pub seed: u64,
    /// Pairs a second, 1..=240.
    pub fps: f64,
    /// Hand pairs out as fast as they are taken, without waiting for their time.
    pub unpaced: bool,
}

impl Default for SyntheticConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            fps: 30.0,
            unpaced: false,
        }
    }
}

/// `[source] kind = "replay"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayConfig {
    /// Folder of source A pictures.
    pub infrared: PathBuf,
    /// Folder of source B pictures.
    pub visible: PathBuf,
    /// Pairs a second.
    #[serde(default = "default_fps")]
    pub fps: f64,
    /// Start again after the last pair.
    #[serde(default, rename = "loop")]
    pub repeat: bool,
}

fn default_fps() -> f64 {
    30.0
}

/// `[source] kind = "cameras"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CamerasConfig {
    /// `[source.infrared]`.
    pub infrared: CameraConfig,
    /// `[source.visible]`.
    pub visible: CameraConfig,
    /// The largest time between two frames that still make a pair, milliseconds.
    #[serde(default = "default_max_skew_ms")]
    pub max_skew_ms: u64,
}

fn default_max_skew_ms() -> u64 {
    60
}

/// One camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraConfig {
    /// Device node; a stable name under /dev/v4l/by-id or by-path is best.
    pub device: PathBuf,
    /// FourCC: YUYV, GREY, Y16 or MJPG.
    pub format: String,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Frames a second asked for; the camera's choice where absent.
    #[serde(default)]
    pub fps: Option<u32>,
    /// Rows of telemetry below the picture, cut off before anything else.
    #[serde(default)]
    pub telemetry_rows: usize,
    /// Added to this camera's timestamps, milliseconds, to make up for its own latency.
    #[serde(default)]
    pub offset_ms: i64,
}

/// `[output]`: size of the fused picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputConfig {
    /// Pixels in a row, 32..=4096.
    pub width: usize,
    /// Rows, 32..=4096.
    pub height: usize,
}

impl Default for OutputConfig {
    fn default() -> Self {
        Self {
            width: 640,
            height: 480,
        }
    }
}

impl OutputConfig {
    /// As a size.
    pub const fn size(self) -> Size {
        Size::new(self.width, self.height)
    }
}

/// `[align]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlignConfig {
    /// Calibration file; absent: the source's own calibration (synthetic) or `identity`,
    /// which scales both pictures to the output size.
    pub calibration: Option<PathBuf>,
    /// Name of a distance preset in the calibration file.
    pub preset: Option<String>,
}

/// Which fusion runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The text-guided network; classic fusion is its fallback.
    #[default]
    Network,
    /// Laplacian pyramid, no text.
    Classic,
}

/// `[fuse]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FuseConfig {
    /// Network or classic.
    pub engine: Engine,
    /// The models' manifest; absent: looked for beside the program and in the usual places.
    pub manifest: Option<PathBuf>,
    /// Name of the network in the manifest; absent: its first.
    pub network: Option<String>,
    /// Colours of thermal values.
    pub palette: Palette,
    /// Mode at start.
    pub mode: Mode,
}

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
    /// Seconds between the starts of two descriptions.
    pub interval_s: f64,
    /// Seconds a guidance stays in use without a newer one; then neutral.
    pub time_to_live_s: f64,
    /// Seconds a description may take before the process is killed.
    pub deadline_s: f64,
}

impl Default for DescribeConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            program: None,
            models: None,
            llm: true,
            interval_s: 3.0,
            time_to_live_s: 30.0,
            deadline_s: 20.0,
        }
    }
}

/// Where the picture goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ScreenKind {
    /// Files only, or nothing at all.
    #[default]
    Headless,
    /// A window of the desktop.
    Window,
    /// The display itself, through DRM/KMS.
    Drm,
}

/// `[present]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PresentConfig {
    /// Where the picture goes.
    pub screen: ScreenKind,
    /// DRM card, for `drm`.
    pub card: PathBuf,
    /// Draw mode, task, frame rate and description over the picture.
    pub overlay: bool,
}

impl Default for PresentConfig {
    fn default() -> Self {
        Self {
            screen: ScreenKind::Headless,
            card: "/dev/dri/card0".into(),
            overlay: true,
        }
    }
}

/// `[control]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ControlConfig {
    /// The unix socket; absent: `filmd.sock` under $RUNTIME_DIRECTORY or $XDG_RUNTIME_DIR.
    pub socket: Option<PathBuf>,
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
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
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
            let (line, column) = line_and_column(text, at);
            ConfigError::Parse {
                path: path.to_owned(),
                message: format!("line {line}, column {column}: {}", error.message()),
            }
        })?;
        config.check(path)?;
        Ok(config)
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let range = |ok: bool, key, found: String, expected| {
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
        let d = &self.describe;
        let seconds = 0.1..=86_400.0;
        for (key, value) in [
            ("describe.interval_s", d.interval_s),
            ("describe.time_to_live_s", d.time_to_live_s),
            ("describe.deadline_s", d.deadline_s),
        ] {
            range(
                seconds.contains(&value),
                key,
                value.to_string(),
                "0.1 to 86400 seconds",
            )?;
        }
        Ok(())
    }
}

impl DescribeConfig {
    /// Time between the starts of two descriptions.
    pub fn interval(&self) -> Duration {
        Duration::from_secs_f64(self.interval_s)
    }

    /// How long a guidance stays in use without a newer one.
    pub fn time_to_live(&self) -> Duration {
        Duration::from_secs_f64(self.time_to_live_s)
    }

    /// How long one description may take.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs_f64(self.deadline_s)
    }
}

/// Line and column, from 1, of a byte offset.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (line, column)
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
    }
}
