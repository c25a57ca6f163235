//! What `filmctl status` prints. One struct, so that the wire format has one definition.

use serde::{Deserialize, Serialize};

use super::{Condition, GuideStatus, Mode, Palette, Summary, Task};

/// Short marks for the overlay and for status: what is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Marks {
    /// The infrared source is missing.
    pub no_infrared: bool,
    /// The visible source is missing.
    pub no_visible: bool,
    /// The infrared frame is held (FFC or a short stall).
    pub infrared_stale: bool,
    /// The visible frame is held.
    pub visible_stale: bool,
    /// Classic fusion stands in for the network.
    pub classic: bool,
    /// The picture is held because somebody asked for it.
    #[serde(default)]
    pub frozen: bool,
}

/// What is known of a camera's clock.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ClockReading {
    /// Frames a second by its stamps and numbers, over some seconds; 0 until known.
    pub fps: f64,
    /// How much faster than its nominal rate it runs, millionths, since it began to stream; `None`
    /// until known, and where the driver names no rate or another one than it keeps.
    pub rate_ppm: Option<f64>,
    /// Its stamps are of another clock than the board's.
    pub own_clock: bool,
    /// What its stamps are behind the board's clock, milliseconds: the least delay from stamp to
    /// arrival where they are of that clock.
    pub offset_ms: f64,
    /// How much slower its stamps run than the board's clock, millionths; `None` until known.
    pub drift_ppm: Option<f64>,
    /// Times its clock was set anew, or wrapped.
    pub steps: u64,
}

/// How the cameras' clocks run, and how far apart the frames of the last pair were.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Clocks {
    /// Of the infrared camera; `None` where it is lost, and for a source without clocks.
    pub infrared: Option<ClockReading>,
    /// Of the visible one.
    pub visible: Option<ClockReading>,
    /// How much older the infrared frame of the last pair of two was, milliseconds; negative where
    /// the visible one was older. 0 before the first.
    pub infrared_older_ms: f64,
}

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
    /// Colours of thermal values.
    #[serde(default)]
    pub palette: Palette,
    /// How far source A was moved from its calibration: output pixels right and down.
    #[serde(default)]
    pub nudge: (i32, i32),
    /// Where pairs come from.
    pub source: String,
    /// Why a camera of it cannot be opened.
    #[serde(default)]
    pub complaints: Vec<String>,
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
    /// What guides the fusion, and who writes it.
    pub guide: GuideStatus,
    /// filmd's resident memory.
    pub resident_bytes: u64,
    /// How the cameras' clocks run.
    #[serde(default)]
    pub clocks: Clocks,
    /// What infrared and visible were measured to suffer from before they were cleaned, and whether they were.
    #[serde(default)]
    pub condition: [Condition; 2],
}
