//! Levels of a source before fusion: a gain and an offset of its luma, where a text asks for more light, less
//! of it, less haze or more contrast, and the measured picture needs it.
//!
//! Low light, a poor exposure, haze and a flat thermal picture are, to a first order, a gain and an offset
//! of the whole picture (for haze: Koschmieder's law at one distance). Taking those back before the network
//! brings its picture 5 to 12 dB nearer to that of the clean pair; see models/README.md.
//!
//! Thread: fuse; main for files. Blocks: never. Allocates: no.

use serde::{Deserialize, Serialize};

use super::LumaHistogram;
use super::follow::approach;
use crate::frame::Picture;

/// Where the lightest hundredth of a dark picture goes.
const WHITE: f32 = 0.95;
/// Mean of a picture that is dark but for its lamps, and the most gain that this is worth.
const DIM_MEAN: f32 = 0.3;
const DIM_GAIN: f32 = 2.5;
/// Mean of a well-exposed picture.
const MEAN: f32 = 0.42;
/// Standard deviation of a clear picture.
const DEVIATION: f32 = 0.2;
/// From the darkest to the lightest hundredth of a picture that uses its range.
const RANGE: f32 = 0.86;
/// Bounds of the gain.
const LEAST: f32 = 0.35;
const MOST: f32 = 5.0;
/// A range below this is noise.
const FLAT: f32 = 0.04;
/// Levels nearer than this are reached: an eighth of a grey level.
const NEAR: f32 = 1.0 / 2048.0;
/// One, of gain and offset as they are applied.
const ONE: f32 = 256.0;

/// How far the levels of a source are changed, each 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LevelsWanted {
    /// A dark picture is brightened.
    pub brighten: f32,
    /// An over-exposed picture is darkened.
    pub darken: f32,
    /// Haze is taken away.
    pub dehaze: f32,
    /// Contrast is raised, about the mean.
    pub contrast: f32,
}

/// luma * gain + offset, of luma in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// 0.35..=5 for each thing that is asked for.
    pub gain: f32,
    /// In 0..=1 of full scale.
    pub offset: f32,
}

impl Default for Levels {
    fn default() -> Self {
        Self::SAME
    }
}

/// Levels for what was measured.
type Step = fn(&Statistics) -> Levels;

/// What levels are made from; it follows a change of levels.
struct Statistics {
    mean: f32,
    deviation: f32,
    dark: f32,
    light: f32,
}

impl Statistics {
    fn range(&self) -> f32 {
        (self.light - self.dark).max(FLAT)
    }

    fn after(&self, levels: Levels) -> Self {
        Self {
            mean: levels.of(self.mean),
            deviation: levels.gain * self.deviation,
            dark: levels.of(self.dark),
            light: levels.of(self.light),
        }
    }
}

impl Levels {
    /// The picture as it is.
    pub const SAME: Self = Self {
        gain: 1.0,
        offset: 0.0,
    };

    /// For a grey picture.
    pub fn of_picture(picture: &Picture, wanted: LevelsWanted) -> Self {
        if wanted == LevelsWanted::default() {
            return Self::SAME;
        }
        let luma = LumaHistogram::of(picture);
        let mut now = Statistics {
            mean: luma.mean,
            deviation: luma.deviation,
            dark: luma.quantile(0.01),
            light: luma.quantile(0.99),
        };
        let mut all = Self::SAME;
        let steps: [(f32, Step); 4] = [
            (wanted.dehaze, Self::clear),
            (wanted.brighten, Self::lighter),
            (wanted.darken, Self::darker),
            (wanted.contrast, Self::wider),
        ];
        for (share, levels) in steps {
            if share > 0.0 {
                let step = levels(&now).in_part(share);
                now = now.after(step);
                all = all.then(step);
            }
        }
        all
    }

    fn lighter(s: &Statistics) -> Self {
        let by_white = WHITE / s.light.max(FLAT);
        let by_mean = (DIM_MEAN / s.mean.max(FLAT)).min(DIM_GAIN);
        Self {
            gain: by_white.max(by_mean).clamp(1.0, MOST),
            offset: 0.0,
        }
    }

    fn darker(s: &Statistics) -> Self {
        Self {
            gain: (MEAN / s.mean.max(FLAT)).clamp(LEAST, 1.0),
            offset: 0.0,
        }
    }

    fn clear(s: &Statistics) -> Self {
        let gain = (RANGE / s.range()).min(DEVIATION / s.deviation.max(FLAT / 2.0));
        let gain = gain.clamp(1.0, MOST);
        Self {
            gain,
            offset: MEAN - gain * s.mean,
        }
    }

    fn wider(s: &Statistics) -> Self {
        let gain = (RANGE / s.range()).clamp(1.0, MOST);
        Self {
            gain,
            offset: s.mean - gain * s.mean,
        }
    }

    fn in_part(self, share: f32) -> Self {
        let share = share.clamp(0.0, 1.0);
        Self {
            gain: 1.0 + share * (self.gain - 1.0),
            offset: share * self.offset,
        }
    }

    fn of(self, luma: f32) -> f32 {
        (self.gain * luma + self.offset).clamp(0.0, 1.0)
    }

    fn then(self, next: Self) -> Self {
        Self {
            gain: next.gain * self.gain,
            offset: next.gain * self.offset + next.offset,
        }
    }

    /// Changes a grey picture; the result is rounded and held to its range.
    pub fn apply(self, picture: &mut Picture) {
        let gain = (self.gain * ONE).round() as i32;
        let offset = (self.offset * 255.0 * ONE).round() as i32 + ONE as i32 / 2;
        if self == Self::SAME || picture.channels() != 1 {
            return;
        }
        for luma in picture.data_mut() {
            *luma = ((i32::from(*luma) * gain + offset) >> 8).clamp(0, 255) as u8;
        }
    }
}

/// Levels of a video: the first frame has its own at once, later ones change slowly, so that nothing
/// flickers.
#[derive(Debug, Clone, Default)]
pub struct LevelsFollower {
    /// `None`: before the first frame.
    now: Option<Levels>,
}

impl LevelsFollower {
    /// The levels of the next frame, a grey picture.
    pub fn follow(&mut self, picture: &Picture, wanted: LevelsWanted) -> Levels {
        if wanted == LevelsWanted::default() && self.now == Some(Levels::SAME) {
            return Levels::SAME;
        }
        let aim = Levels::of_picture(picture, wanted);
        let now = self.now.get_or_insert(aim);
        approach(&mut now.gain, aim.gain, NEAR);
        approach(&mut now.offset, aim.offset, NEAR);
        *now
    }
}

#[cfg(test)]
#[path = "levels_tests.rs"]
mod tests;
