//! The tables of the configuration file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::panels::SpiConfig;
use super::{Engine, Modality, Mode, Palette, ScreenKind, TelemetryKind, TextStyle, ToneMode};
use crate::frame::Size;
use crate::sys::cores::CORES;

/// `[source]`: where pairs come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "lowercase")]
pub enum SourceConfig {
    /// A rendered night scene with known truth.
    Synthetic(SyntheticConfig),
    /// Two folders of pictures, paired by file stem.
    Replay(ReplayConfig),
    /// Two V4L2 cameras.
    Cameras(Box<CamerasConfig>),
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
    /// Faults that the scene's cameras show, to see how the daemon takes them.
    pub faults: Vec<FaultConfig>,
}

impl Default for SyntheticConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            fps: 30.0,
            unpaced: false,
            faults: Vec::new(),
        }
    }
}

/// `[[source.faults]]`: one fault of a synthetic camera.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultConfig {
    /// What happens.
    pub kind: FaultKind,
    /// Seconds after the first pair.
    pub from_s: f64,
    /// Seconds it lasts; absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<f64>,
}

/// What can happen to a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The infrared camera is unplugged.
    NoInfrared,
    /// The visible camera is unplugged.
    NoVisible,
    /// The shutter of the infrared camera is closed (FFC): its last frame is repeated.
    HoldInfrared,
    /// Both cameras are silent.
    Stall,
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

pub(super) fn default_fps() -> f64 {
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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraConfig {
    /// What the camera is known by: a stable name under /dev/v4l/by-id, by-path or of a udev rule;
    /// `usb:1e4e:0100` or `usb:1e4e:0100:SERIAL`; `card:NAME`. A number alone (/dev/video0) is
    /// refused, since numbers change, unless `card` says what has to be found there.
    pub device: PathBuf,
    /// A part of the camera's own name that has to be found; absent: any name.
    #[serde(default)]
    pub card: Option<String>,
    /// YUYV, UYVY, NV12, YU12, YV12, RGB24, GREY, Y10, Y12, Y16, Y16-BE, YUYV+Y16 or MJPG.
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
    /// What those rows are read as; absent: not at all.
    #[serde(default)]
    pub telemetry: Option<TelemetryKind>,
    /// Added to this camera's timestamps, milliseconds, to make up for its own latency.
    #[serde(default)]
    pub offset_ms: i64,
    /// Kelvins a count, of a 16-bit thermal camera whose counts are absolute temperatures (0.01
    /// for a Lepton's TLinear); the describer tells temperatures then.
    #[serde(default)]
    pub kelvin_per_count: Option<f32>,
    /// Values of the camera's own controls by name, as `brightness`; set each time it is opened.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub controls: BTreeMap<String, i64>,
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

/// `[fuse]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Milliseconds over which a new text takes over from the last one, 0..=60000, or longer where
    /// the picture would change too fast; 0: at once.
    pub guidance_fade_ms: u64,
    /// Threads that share the network's work, 1..=64; absent: one less than there are cores, at
    /// most 4. The picture is the same for any number.
    pub threads: Option<usize>,
    /// Cores that these threads are bound to, in turn; the first is the fuse thread's. Empty: any.
    pub cores: Vec<usize>,
}

impl Default for FuseConfig {
    fn default() -> Self {
        Self {
            engine: Engine::default(),
            manifest: None,
            network: None,
            palette: Palette::default(),
            mode: Mode::default(),
            guidance_fade_ms: 2000,
            threads: None,
            cores: Vec::new(),
        }
    }
}

impl FuseConfig {
    /// Over how long a new text takes over from the last one.
    pub fn guidance_fade(&self) -> Duration {
        Duration::from_millis(self.guidance_fade_ms)
    }

    /// How many threads share the network's work.
    pub fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or((cores - 1).clamp(1, 4))
    }

    /// The core of thread `number` (0: fuse), if any.
    pub fn core_of(&self, number: usize) -> Option<usize> {
        self.cores.get(number % self.cores.len().max(1)).copied()
    }
}

/// `[tone]`: contrast after fusion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToneConfig {
    /// Whether the fused picture's contrast is raised.
    pub mode: ToneMode,
    /// How much, 0..=2; 1 is the strength that the map was tuned for.
    pub strength: f64,
}

impl Default for ToneConfig {
    fn default() -> Self {
        Self {
            mode: ToneMode::Auto,
            strength: 1.0,
        }
    }
}

impl ToneConfig {
    /// No map.
    pub const OFF: Self = Self {
        mode: ToneMode::Off,
        strength: 1.0,
    };
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
    /// Seconds a description may take before the process is killed.
    pub deadline_s: f64,
    /// Address space of the process, MiB; absent: its model files and 512 more.
    pub memory_mb: Option<u64>,
    /// Its share of the processor in a control group of its own, 1..=10000; filmd has 100. Only
    /// under a service manager that hands its group over (systemd: `Delegate=cpu memory`).
    pub cpu_weight: u32,
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
    /// A language model that sees; absent: the manifest's, which reads facts alone.
    pub vision: Option<VisionConfig>,
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
            changes_s: 10.0,
            say_changes: false,
            events: None,
            events_max_bytes: 1_000_000,
            events_keep: 3,
            pause_above_c: 80.0,
            thermal_zone: None,
            pause_when_late: true,
            vision: None,
        }
    }
}

/// `[present]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PresentConfig {
    /// Where the picture goes.
    pub screen: ScreenKind,
    /// DRM card, for `drm`.
    pub card: PathBuf,
    /// Device, for `framebuffer`.
    pub framebuffer: PathBuf,
    /// Degrees by which the picture is turned clockwise, for `drm` and `framebuffer`: 0, 90, 180 or
    /// 270. A panel on SPI turns it by itself: `spi.rotation`.
    pub rotation: u16,
    /// Draw mode, task, frame rate and description over the picture.
    pub overlay: bool,
    /// The panel, for `spi`.
    pub spi: SpiConfig,
}

impl Default for PresentConfig {
    fn default() -> Self {
        Self {
            screen: ScreenKind::Headless,
            card: "/dev/dri/card0".into(),
            framebuffer: "/dev/fb0".into(),
            rotation: 0,
            overlay: true,
            spi: SpiConfig::default(),
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

impl FuseConfig {
    /// Checks each value by `range` (it holds, key, what was found, what is possible).
    pub(super) fn check<E>(
        &self,
        range: impl Fn(bool, &'static str, String, &'static str) -> Result<(), E>,
    ) -> Result<(), E> {
        let fade = self.guidance_fade_ms;
        range(
            fade <= 60_000,
            "fuse.guidance_fade_ms",
            fade.to_string(),
            "0 to 60000 milliseconds",
        )?;
        let (threads, core) = (self.threads, self.cores.iter().max());
        range(
            threads.is_none_or(|threads| (1..=64).contains(&threads)),
            "fuse.threads",
            threads.unwrap_or_default().to_string(),
            "1 to 64",
        )?;
        range(
            core.is_none_or(|&core| core < CORES),
            "fuse.cores",
            core.copied().unwrap_or_default().to_string(),
            "cores of this machine, from 0 on",
        )
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
            (1000..=1_000_000_000).contains(&self.events_max_bytes),
            "describe.events_max_bytes",
            self.events_max_bytes.to_string(),
            "1000 to 1000000000 bytes",
        )?;
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
        range(
            self.events_keep <= 99,
            "describe.events_keep",
            self.events_keep.to_string(),
            "0 to 99 files",
        )
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
