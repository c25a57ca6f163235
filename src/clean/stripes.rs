//! Column fixed-pattern noise: an offset for each column. Rows are the columns of the transposed plane.
//!
//! Each sample's difference from its row's surroundings (a binomial smoothing, at most 14 samples away) votes for
//! its column's offset unless the difference is too large to be one; the median of four bands' means
//! counts, so that an object in one band does not. Offsets of a sensor are the same in all bands, while edges of the scene are
//! not: what two halves of the bands have in common is the measure.
//! Thread: acquire in live video. Blocks: never. Allocates: when made only.

use super::rows::{pad, row, row_mut};
use crate::frame::Size;
use crate::simd::clean::{residue, smooth_across, vote};

/// Bands, each a part of the rows.
const BANDS: usize = 4;
/// Distances between the taps of one smoothing after the other.
const STEPS: [usize; 3] = [1, 2, 4];
/// From the median of magnitudes to the standard deviation of a normal distribution.
const FROM_MEDIAN: f32 = 1.4826;
/// Standard deviation of a value's difference from the mean of two others, for values of 1: sqrt(3 / 2).
const SECOND_DIFFERENCE: f32 = 1.2247;
/// Frames whose plain mean starts the running offsets.
const FIRST: u32 = 8;
/// Weight of a frame in which all has moved, in the running mean.
const MOVING: f32 = 0.1;

/// The offsets of one size's columns.
#[derive(Debug)]
pub(super) struct Stripes {
    size: Size,
    residues: Vec<i16>,
    wide: Vec<u16>,
    lines: [Vec<u16>; 2],
    sums: [Vec<i32>; BANDS],
    counts: [Vec<i32>; BANDS],
    /// Of this frame, in the plane's units.
    offsets: Vec<i16>,
    running: Vec<f32>,
    magnitudes: Vec<f32>,
    confidence: f32,
    frames: u32,
}

impl Stripes {
    pub fn new(size: Size) -> Self {
        let width = size.width;
        Self {
            size,
            residues: vec![0; size.area()],
            wide: vec![0; width + 4 * STEPS[STEPS.len() - 1]],
            lines: [(); 2].map(|()| vec![0; width]),
            sums: [(); BANDS].map(|()| vec![0; width]),
            counts: [(); BANDS].map(|()| vec![0; width]),
            offsets: vec![0; width],
            running: vec![0.0; width],
            magnitudes: vec![0.0; width],
            confidence: 0.0,
            frames: 0,
        }
    }

    /// Forgets the running offsets.
    pub fn reset(&mut self) {
        self.frames = 0;
    }

    /// Units of the plane become `factor` times as fine.
    pub fn rescale(&mut self, factor: f32) {
        self.running.iter_mut().for_each(|value| *value *= factor);
    }

    /// Measures a plane with grain of `sigma`, and takes it into the running offsets: wholly for the first,
    /// later by how much of the scene has `moved`, 0..=1. The standard deviation of the offsets, robust and in the
    /// plane's units.
    pub fn follow(&mut self, plane: &[u16], sigma: f32, moved: f32) -> f32 {
        let mean = self.find_residues(plane);
        self.offsets.fill(0);
        self.count_votes((3.0 * mean).max(3.3 * sigma) as i32);
        self.add_medians();
        // What is left after a first guess has no offsets in it: a closer limit.
        self.count_votes((3.3 * sigma).max(0.7 * mean) as i32);
        let common = self.common();
        self.add_medians();
        self.confidence = self.confidence_in(common);
        let middle =
            self.offsets.iter().map(|&o| f32::from(o)).sum::<f32>() / self.size.width as f32;
        let weight = if self.frames < FIRST {
            1.0 / (self.frames + 1) as f32
        } else {
            MOVING * moved
        };
        self.frames = self.frames.saturating_add(1);
        for (running, &offset) in self.running.iter_mut().zip(&self.offsets) {
            *running += weight * (f32::from(offset) - middle - *running);
        }
        common
    }

    /// How far the offsets are a sensor's, 0..=1: what the bands have in common against what was found.
    fn confidence_in(&mut self, common: f32) -> f32 {
        for (magnitude, &offset) in self.magnitudes.iter_mut().zip(&self.offsets) {
            *magnitude = f32::from(offset).abs();
        }
        let middle = self.magnitudes.len() / 2;
        let found = FROM_MEDIAN
            * *self
                .magnitudes
                .select_nth_unstable_by(middle, f32::total_cmp)
                .1;
        (2.0 * common / found.max(1.0) - 0.5).clamp(0.0, 1.0)
    }

    /// See [`Self::confidence_in`], of the last frame.
    pub fn confidence(&self) -> f32 {
        self.confidence
    }

    /// The running offsets.
    pub fn offsets(&self) -> &[f32] {
        &self.running
    }

    /// The mean magnitude of what each sample differs from its row's surroundings.
    fn find_residues(&mut self, plane: &[u16]) -> f32 {
        let Size { width, height } = self.size;
        let [line, next] = &mut self.lines;
        let mut total = 0_u64;
        for y in 0..height {
            let samples = row(plane, width, y);
            line.copy_from_slice(samples);
            for step in STEPS {
                let padded = &mut self.wide[..width + 4 * step];
                pad(line, 2 * step, padded);
                smooth_across(padded, step, next);
                std::mem::swap(line, next);
            }
            let found = row_mut(&mut self.residues, width, y);
            residue(samples, line, found);
            let sum: u32 = found.iter().map(|r| u32::from(r.unsigned_abs())).sum();
            total += u64::from(sum);
        }
        total as f32 / self.size.area().max(1) as f32
    }

    fn count_votes(&mut self, limit: i32) {
        let Size { width, height } = self.size;
        for band in 0..BANDS {
            let (sums, counts) = (&mut self.sums[band], &mut self.counts[band]);
            sums.fill(0);
            counts.fill(0);
            for y in height * band / BANDS..height * (band + 1) / BANDS {
                let residues = row(&self.residues, width, y);
                vote(residues, &self.offsets, limit, sums, counts);
            }
        }
    }

    /// A band's mean in a column; 0 where hardly a sample voted.
    fn mean(&self, band: usize, x: usize) -> f32 {
        let (sum, count) = (self.sums[band][x], self.counts[band][x]);
        if count as usize * 8 * BANDS < self.size.height {
            return 0.0;
        }
        sum as f32 / count as f32
    }

    /// The offset of a column as either half of the bands has it.
    fn halves(&self, x: usize) -> [f32; 2] {
        let half = |a, b| (self.mean(a, x) + self.mean(b, x)) / 2.0;
        [half(0, 2), half(1, 3)].map(|mean| f32::from(self.offsets[x]) + mean)
    }

    /// Adds the bands' median to each offset.
    fn add_medians(&mut self) {
        for x in 0..self.size.width {
            let mut means: [f32; BANDS] = std::array::from_fn(|band| self.mean(band, x));
            means.sort_unstable_by(f32::total_cmp);
            let middle = (means[BANDS / 2 - 1] + means[BANDS / 2]) / 2.0;
            self.offsets[x] = self.offsets[x].saturating_add(middle.round() as i16);
        }
    }

    /// What both halves of the bands have in common: the smaller magnitude where their signs agree, else none. Of each
    /// offset's difference from its two neighbours' mean, since neighbours of a sensor differ at random, and those of a scene hardly.
    fn common(&mut self) -> f32 {
        let width = self.size.width;
        let inner = 1..width - 1;
        for x in inner.clone() {
            let [left, at, right] = [self.halves(x - 1), self.halves(x), self.halves(x + 1)];
            let [even, odd] = [0, 1].map(|i| at[i] - (left[i] + right[i]) / 2.0);
            let agree = even * odd > 0.0;
            self.magnitudes[x] = if agree {
                even.abs().min(odd.abs())
            } else {
                0.0
            };
        }
        let magnitudes = &mut self.magnitudes[inner];
        let middle = magnitudes.len() / 2;
        let median = *magnitudes.select_nth_unstable_by(middle, f32::total_cmp).1;
        FROM_MEDIAN * median / SECOND_DIFFERENCE
    }
}
