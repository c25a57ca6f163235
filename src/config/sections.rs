//! The tables of the configuration file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::panels::SpiConfig;
use super::{Engine, Mode, Palette, ScreenKind, TelemetryKind, ToneMode};
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
    /// refused, since numbers change, unless `card` says what has to be found there. Only a name for messages where
    /// there is a `program`.
    #[serde(default)]
    pub device: PathBuf,
    /// A program and its arguments instead of a device: it writes raw frames of this format and size to its standard
    /// output, one after the other, and is started again where it ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub program: Vec<String>,
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

/// `[present]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PresentConfig {
    /// Where the picture goes.
    pub screen: ScreenKind,
    /// DRM card, for `drm`; `auto`: the first one with a display, since numbers change and the first card is
    /// often a GPU without outputs.
    pub card: PathBuf,
    /// Output of the card, for `drm`: `HDMI-A-1`, say; absent: the first one with a display.
    pub connector: Option<String>,
    /// Mode, for `drm`: `1280x720`, say; absent: the smallest of the display's own aspect that holds the output.
    pub mode: Option<String>,
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

impl PresentConfig {
    /// Pixels across and down of `mode`, neither of them zero; `None`: absent, or no such text.
    pub fn mode_size(&self) -> Option<(u16, u16)> {
        let (width, height) = self.mode.as_ref()?.split_once('x')?;
        let size = (width.parse().ok()?, height.parse().ok()?);
        (size.0 > 0 && size.1 > 0).then_some(size)
    }
}

impl Default for PresentConfig {
    fn default() -> Self {
        Self {
            screen: ScreenKind::Headless,
            card: "auto".into(),
            connector: None,
            mode: None,
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
