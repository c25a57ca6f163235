//! The tone map: contrast for the eye, after fusion, within bounds.
//!
//! Input: fused luma and its timestamp. Output: the same picture, mapped in place. Thread: fuse. Blocks:
//! never. Allocates: when made, and where the size of the picture changes. Not its job: fusion, colour; it
//! never looks at the sources.
//!
//! Each pixel becomes `pivot + base (mean - pivot) + detail (v - mean)`: base/detail separation
//! with one gain each, as in Tumblin and Turk's layers (LCIS, SIGGRAPH 1999) but with a mean on a
//! coarse grid for the base, interpolated bilinearly as in contrast-limited adaptive histogram
//! equalisation (Zuiderveld, Graphics Gems IV, 1994). Bounded three times: the gains lie between
//! fixed limits, no pixel changes by more than [`params::CHANGE_MAX`] levels, and shoulders before
//! black and white keep what would clip apart. The gains and the pivot are estimated from the
//! picture and, for video, follow it slowly by the timestamps (`parameters`), within what the noise
//! allows (`temporal_noise`).

mod grid;
mod parameters;
pub mod params;
mod temporal_noise;

use self::grid::Grid;
use self::parameters::{Follower, Parameters};
pub use self::temporal_noise::TemporalNoise;
use crate::clock::Timestamp;
use crate::config::{Task, ToneConfig, ToneMode};
use crate::frame::{Picture, Size};
use crate::simd::tone::{GAIN_BITS, ToneCurve, tone_row};

/// Maps one stream of pictures.
#[derive(Debug)]
pub struct Tone {
    /// In 1/256.
    strength: i32,
    grid: Grid,
    follower: Follower,
}

impl Tone {
    /// For pictures of `size`, which is not empty; `None` where the configuration asks for no map
    /// for this task, or for strength 0.
    ///
    /// "auto" maps infrared-visible pictures only. Medical pictures are read for their grey levels;
    /// exposure fusion has chosen its tones already; focus stacking is to change focus only.
    pub fn new(config: ToneConfig, task: Task, size: Size) -> Option<Self> {
        let wanted = match config.mode {
            ToneMode::Off => false,
            ToneMode::Auto => task == Task::Ivf,
            ToneMode::On => true,
        };
        let strength = (config.strength.clamp(0.0, 2.0) * 256.0).round() as i32;
        (wanted && strength > 0).then(|| Self {
            strength,
            grid: Grid::new(size),
            follower: Follower::default(),
        })
    }

    /// Maps a picture by itself, without the ones before it.
    pub fn apply_alone(&mut self, picture: &mut Picture) {
        self.follower = Follower::default();
        self.apply(picture, Timestamp::ZERO, i32::MAX);
    }

    /// Maps the next picture of a video, one channel, taken at that time. The detail's gain follows
    /// what the picture asks for, but `most` at most: see `temporal_noise`.
    pub fn apply(&mut self, picture: &mut Picture, at: Timestamp, most: i32) {
        if self.grid.size() != picture.size() {
            self.grid = Grid::new(picture.size());
        }
        let statistics = self.grid.measure(picture);
        let mut wanted = Parameters::of(&histogram(picture.data()), statistics);
        wanted.detail = wanted.detail.min(most);
        let Parameters {
            pivot,
            base,
            detail,
        } = self.follower.follow(at, wanted).at_strength(self.strength);
        let rest = i64::from(params::ONE - base) * i64::from(pivot);
        self.grid.set_nodes(|mean| {
            let mean = i64::from(mean) << (GAIN_BITS - 8);
            ((i64::from(base - detail) * mean + rest) >> GAIN_BITS) as i32
        });
        let knee = (params::KNEE * 16 * (detail - params::ONE)) >> GAIN_BITS;
        let curve = ToneCurve::new(detail, params::CHANGE_MAX, knee);
        for y in 0..picture.height() {
            tone_row(curve, self.grid.offsets(y), picture.row_mut(y));
        }
    }
}

/// How many samples have each level.
fn histogram(samples: &[u8]) -> [u32; 256] {
    // Four tables: neighbours of one level would wait for each other's count.
    let mut parts = [[0_u32; 256]; 4];
    let groups = samples.chunks_exact(4);
    for &v in groups.remainder() {
        parts[0][usize::from(v)] += 1;
    }
    for group in groups {
        for (part, &v) in parts.iter_mut().zip(group) {
            part[usize::from(v)] += 1;
        }
    }
    std::array::from_fn(|level| parts.iter().map(|part| part[level]).sum())
}

#[cfg(test)]
mod tests;
