//! Noise in time: a running mean of each pixel that follows motion.
//!
//! The mean is set to the new picture where the difference of both, summed over 5x5 pixels, exceeds what noise alone would
//! bring, so that nothing that moves leaves a trail.
//! Thread: acquire. Blocks: never. Allocates: when made only.

use super::rows::{Ring, pad, row, row_mut};
use crate::frame::Size;
use crate::simd::clean::{TRUST, change, follow, sum_changes};

/// A change is motion from this many standard deviations of the summed noise on.
const LIMIT: f32 = 3.5;
/// Standard deviation of a sum over 25 differences of a new picture and a settled mean, for noise of 1.
const SUMMED: f32 = 5.5;
/// The limit on a sum is kept below this, by a shift.
const LARGEST_SUM: f32 = 16_000.0;

/// The running mean of one size.
#[derive(Debug)]
pub(super) struct Temporal {
    size: Size,
    mean: Vec<u16>,
    trust: Vec<u8>,
    wide: Vec<i16>,
    line: Vec<i16>,
    changes: Ring<i16>,
    primed: bool,
}

impl Temporal {
    pub fn new(size: Size) -> Self {
        Self {
            size,
            mean: vec![0; size.area()],
            trust: vec![TRUST[0]; size.area()],
            wide: vec![0; size.width + 4],
            line: vec![0; size.width],
            changes: Ring::new(size.width),
            primed: false,
        }
    }

    /// Forgets the mean.
    pub fn reset(&mut self) {
        self.primed = false;
    }

    /// Takes a plane with grain of `sigma` into the mean.
    pub fn follow(&mut self, plane: &[u16], sigma: f32) {
        if !self.primed {
            self.primed = true;
            self.mean.copy_from_slice(plane);
            self.trust.fill(TRUST[0]);
            return;
        }
        let Size { width, height } = self.size;
        let limit = LIMIT * SUMMED * sigma;
        let shift = (0..8).find(|s| limit / f32::from(1_u16 << s) < LARGEST_SUM);
        let shift = shift.unwrap_or(8);
        let limit = (limit / f32::from(1_u16 << shift)) as i16;
        let mut ready = 0;
        for y in 0..height {
            while ready < height.min(y + 3) {
                let (new, mean) = (row(plane, width, ready), row(&self.mean, width, ready));
                change(new, mean, shift, &mut self.line);
                pad(&self.line, 2, &mut self.wide);
                sum_changes(&self.wide, self.changes.at(ready));
                ready += 1;
            }
            follow(
                row(plane, width, y),
                self.changes.around(y, height),
                limit,
                row_mut(&mut self.trust, width, y),
                row_mut(&mut self.mean, width, y),
            );
        }
    }

    /// The mean, and how much less noise each sample of it has.
    pub fn mean(&self) -> (&[u16], &[u8]) {
        (&self.mean, &self.trust)
    }
}
