//! From what was measured to how much is taken away: nothing below what clean pictures show.
//!
//! The limits come from clean pictures: infrared of RoadScene, which is textured and compressed, has grain up
//! to 0.9 grey levels and offsets of columns and rows up to 0.5; TNO 1.9 and 0.4; M3SVD with real noise has grain of 7 and more, and
//! columns of 6 and more.

use super::Condition;
use crate::config::CleanMode;

/// Grey levels from which a fault begins to be taken away, and is taken away whole.
type Ramp = (f32, f32);

const GRAIN: Ramp = (2.0, 3.0);
/// Of a visible picture: textured clean ones of M3SVD have up to 2.7, of TNO 3.3.
const VISIBLE: Ramp = (4.0, 6.0);
const STRIPES: Ramp = (0.8, 1.6);
const SHADING: Ramp = (1.5, 3.0);

/// Strengths, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Gate {
    grain: f32,
    level: f32,
    stripes: [f32; 2],
    shading: f32,
}

impl Gate {
    /// Sets the strengths for a picture; `denoise` opens that of grain.
    pub fn follow(&mut self, condition: &Condition, mode: CleanMode, denoise: f32) {
        let through = |measured, ramp| through(mode, measured, ramp);
        self.level = through(condition.noise, GRAIN);
        self.grain = self.level.max(asked(mode, denoise));
        self.stripes = [
            through(condition.columns, STRIPES),
            through(condition.rows, STRIPES),
        ];
        self.shading = through(condition.shading, SHADING);
    }

    /// Of the grain of a visible picture.
    pub fn visible(condition: &Condition, mode: CleanMode, denoise: f32) -> f32 {
        through(mode, condition.noise, VISIBLE).max(asked(mode, denoise))
    }

    /// Of grain.
    pub fn grain(&self) -> f32 {
        self.grain
    }

    /// Of the black level that grain has lifted, which only measured grain can have.
    pub fn level(&self) -> f32 {
        self.level
    }

    /// Of columns and rows.
    pub fn stripes(&self) -> [f32; 2] {
        self.stripes
    }

    /// Of shading.
    pub fn shading(&self) -> f32 {
        self.shading
    }
}

fn through(mode: CleanMode, measured: f32, (from, to): Ramp) -> f32 {
    match mode {
        CleanMode::Off => 0.0,
        CleanMode::Auto => ((measured - from) / (to - from)).clamp(0.0, 1.0),
        CleanMode::On => 1.0,
    }
}

fn asked(mode: CleanMode, denoise: f32) -> f32 {
    if mode == CleanMode::Off { 0.0 } else { denoise }
}
