//! Grain: how much there is, and its removal.
//!
//! Measured by Immerkaer's mask (Computer Vision and Image Understanding 64(2), 1996) in blocks, of which the
//! flattest tell: texture raises the others, and offsets of columns and rows cancel out in the mask. Removed by
//! an à trous wavelet transform (Starck and Murtagh 1994) whose coefficients fade in with the energy around
//! them, as in NeighShrink (Chen, Bui and Krzyzak 2005): thresholds follow from the measured noise.
//! Thread: acquire in live video. Blocks: never. Allocates: when made only.

use super::rows::{Ring, five, pad, row, row_mut};
use crate::frame::Size;
use crate::simd::clean::{
    detail, laplacian, restore, shrink, smooth_across, smooth_down, sum_across,
};

/// Pixels along each side of a block.
const BLOCK: usize = 8;
/// Levels of the transform.
const LEVELS: usize = 4;
/// Standard deviation of each level's coefficients, for noise of 1 a pixel.
const GAINS: [f32; LEVELS] = [0.889, 0.200, 0.086, 0.041];
/// Mean energy around a coefficient, in multiples of the noise's, at which it begins to pass, and passes whole.
const RAMP: (f32, f32) = (1.4, 2.2);
/// Mean magnitude of normal noise of standard deviation 1.
const MEAN_MAGNITUDE: f32 = 0.798;
/// From a mask's mean magnitude to the noise: sqrt(pi / 2) / 6.
const FROM_MASK: f32 = 0.2089;
/// The threshold on a sum of 25 magnitudes is kept below this, by a shift.
const LARGEST_SUM: f32 = 40_000.0;

/// What grain was measured, in the plane's units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Measured {
    /// Of the flattest tenth of the picture: texture is not in it.
    pub least: f32,
    /// Of the flattest quarter: what is removed where there is grain at all, since the very flattest blocks may
    /// lie where the camera compresses its range.
    pub typical: f32,
}

/// Room for one size.
#[derive(Debug)]
pub(super) struct Grain {
    size: Size,
    coarse: Vec<u16>,
    sum: Vec<i16>,
    wide: Vec<u16>,
    line: Vec<u16>,
    energies: Ring<u16>,
    even: Vec<u8>,
    mask: Vec<u32>,
    columns: Vec<u32>,
    blocks: Vec<f32>,
    all: Vec<f32>,
}

impl Grain {
    pub fn new(size: Size) -> Self {
        let (width, area) = (size.width, size.area());
        let blocks = (width / BLOCK) * (size.height / BLOCK);
        Self {
            size,
            coarse: vec![0; area],
            sum: vec![0; area],
            wide: vec![0; width + (4 << (LEVELS - 1))],
            line: vec![0; width],
            energies: Ring::new(width),
            even: vec![64; width],
            mask: vec![0; width],
            columns: vec![0; width],
            blocks: Vec::with_capacity(blocks),
            all: Vec::with_capacity(blocks),
        }
    }

    /// Measures the grain of `plane`. Blocks whose mean is not `within` are left out where enough others are
    /// there: black and white clip the noise.
    pub fn measure(&mut self, plane: &[u16], within: (f32, f32)) -> Measured {
        let Size { width, height } = self.size;
        self.blocks.clear();
        self.all.clear();
        // Large pictures have blocks enough in every second row of them.
        let stride = if height > 300 { 2 * BLOCK } else { BLOCK };
        for top in (1..height.saturating_sub(BLOCK)).step_by(stride) {
            self.columns.fill(0);
            for y in top..(top + BLOCK).min(height - 1) {
                let three = [y - 1, y, y + 1].map(|y| row(plane, width, y));
                let mask = &mut self.mask[..width - 2];
                laplacian(three, mask);
                for (sum, &value) in self.columns.iter_mut().zip(&*mask) {
                    *sum += value;
                }
            }
            let middle = &row(plane, width, top + BLOCK / 2)[1..];
            let blocks = self.columns[..width - 2].chunks_exact(BLOCK);
            for (sums, samples) in blocks.zip(middle.chunks_exact(BLOCK)) {
                let sum: u32 = sums.iter().sum();
                let noise = sum as f32 * (FROM_MASK / (BLOCK * BLOCK) as f32);
                let mean = samples.iter().map(|&s| u32::from(s)).sum::<u32>() as f32 / BLOCK as f32;
                self.all.push(noise);
                if mean > within.0 && mean < within.1 {
                    self.blocks.push(noise);
                }
            }
        }
        let enough = self.blocks.len() * 10 >= self.all.len();
        let found = if enough {
            &mut self.blocks
        } else {
            &mut self.all
        };
        // The means of a block's 64 magnitudes scatter; these factors lead from the quantiles to the middle.
        Measured {
            least: quantile(found, 0.10) * 1.1,
            typical: quantile(found, 0.25) * 1.06,
        }
    }

    /// Takes noise of standard deviation `sigma` (in the plane's units) from `plane`. `trust`: how much less noise each sample
    /// has, see [`crate::simd::clean::TRUST`]; absent: none has less.
    pub fn remove(&mut self, plane: &mut [u16], sigma: f32, trust: Option<&[u8]>) {
        self.sum.fill(0);
        for (level, gain) in GAINS.into_iter().enumerate() {
            self.smooth(plane, 1 << level);
            self.shrink(plane, sigma * gain, trust);
            plane.copy_from_slice(&self.coarse);
        }
        for y in 0..self.size.height {
            let width = self.size.width;
            let out = row_mut(plane, width, y);
            restore(row(&self.coarse, width, y), row(&self.sum, width, y), out);
        }
    }

    /// `coarse` becomes `plane`, smoothed with taps `step` apart.
    fn smooth(&mut self, plane: &[u16], step: usize) {
        let Size { width, height } = self.size;
        let padded = &mut self.wide[..width + 4 * step];
        for y in 0..height {
            smooth_down(five(plane, self.size, y, step), &mut self.line);
            pad(&self.line, 2 * step, padded);
            smooth_across(padded, step, row_mut(&mut self.coarse, width, y));
        }
    }

    /// Adds to `sum` what the details between `plane` and `coarse` have beyond noise of `sigma`.
    fn shrink(&mut self, plane: &[u16], sigma: f32, trust: Option<&[u8]>) {
        let Size { width, height } = self.size;
        let unit = 25.0 * MEAN_MAGNITUDE * sigma;
        let shift = (0..8).find(|s| RAMP.1 * unit / f32::from(1_u16 << s) < LARGEST_SUM);
        let shift = shift.unwrap_or(8);
        let unit = unit / f32::from(1_u16 << shift);
        let slope = 65_536.0 * 256.0 / ((RAMP.1 - RAMP.0) * unit).max(1.0);
        // Casts of floats saturate.
        let ramp = ((RAMP.0 * unit) as u16, slope as u16);
        let padded = &mut self.wide[..width + 4];
        let mut ready = 0;
        for y in 0..height {
            while ready < height.min(y + 3) {
                let (fine, coarse) = (row(plane, width, ready), row(&self.coarse, width, ready));
                detail(fine, coarse, shift, &mut self.line);
                pad(&self.line, 2, padded);
                sum_across(padded, self.energies.at(ready));
                ready += 1;
            }
            let trust = trust.map_or(&self.even[..], |trust| row(trust, width, y));
            shrink(
                [row(plane, width, y), row(&self.coarse, width, y)],
                self.energies.around(y, height),
                trust,
                ramp,
                row_mut(&mut self.sum, width, y),
            );
        }
    }
}

/// The value that `part` of them do not exceed; 0 where there is none. Reorders them.
fn quantile(values: &mut [f32], part: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let rank = ((values.len() - 1) as f32 * part) as usize;
    *values.select_nth_unstable_by(rank, f32::total_cmp).1
}
