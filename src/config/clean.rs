//! `[clean]`: which sensor faults are taken from the sources before fusion.

use serde::{Deserialize, Serialize};

use super::SharpenMode;

/// When a picture is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum CleanMode {
    /// Never; faults are measured all the same.
    Off,
    /// Where a fault was measured to be clearly there.
    #[default]
    Auto,
    /// Whatever was measured, by as much as was measured.
    On,
}

/// `[clean]`; see [`crate::clean`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CleanConfig {
    /// When pictures are cleaned.
    pub mode: CleanMode,
    /// Offsets of columns and rows.
    pub stripes: bool,
    /// Slow shading that grows with the distance from the centre; in live video only.
    pub shading: bool,
    /// Single dead and flickering pixels.
    pub dead_pixels: bool,
    /// Averages over time where nothing moves; in live video only.
    pub temporal: bool,
    /// How much grain is taken away, 0..=2; 1 is as much as was measured, 0 none.
    pub grain: f64,
    /// Whether blur is taken back from the visible picture.
    pub sharpen: SharpenMode,
}

impl Default for CleanConfig {
    fn default() -> Self {
        Self {
            mode: CleanMode::Auto,
            stripes: true,
            shading: true,
            dead_pixels: true,
            temporal: true,
            grain: 1.0,
            sharpen: SharpenMode::Auto,
        }
    }
}

impl CleanConfig {
    /// Measures and leaves the picture as it is.
    pub const OFF: Self = Self {
        mode: CleanMode::Off,
        stripes: false,
        shading: false,
        dead_pixels: false,
        temporal: false,
        grain: 0.0,
        sharpen: SharpenMode::Off,
    };

    /// Checks each value by `range` (it holds, key, what was found, what is possible).
    pub(super) fn check<E>(
        &self,
        range: impl Fn(bool, &'static str, String, &'static str) -> Result<(), E>,
    ) -> Result<(), E> {
        range(
            (0.0..=2.0).contains(&self.grain),
            "clean.grain",
            self.grain.to_string(),
            "0 to 2",
        )
    }
}
