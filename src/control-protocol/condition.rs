//! What one source was measured to suffer from, before anything was taken away.

use serde::{Deserialize, Serialize};

/// Faults of one source's picture, measured before it was cleaned. Standard deviations are in grey levels
/// of the 8-bit picture; zero where nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Condition {
    /// Grain: standard deviation of the noise that differs from pixel to pixel.
    pub noise: f32,
    /// Standard deviation of the offsets of whole columns.
    pub columns: f32,
    /// Standard deviation of the offsets of whole rows.
    pub rows: f32,
    /// Standard deviation of slow shading that belongs to the sensor and not to the scene.
    pub shading: f32,
    /// Dead or flickering pixels.
    pub dead: u32,
    /// Blur: 0 sharp to 1 (Crété-Roffet et al. 2007).
    pub blur: f32,
    /// The picture was cleaned after it was measured.
    pub cleaned: bool,
}
