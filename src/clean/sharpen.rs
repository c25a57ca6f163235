//! Takes blur back from a grey picture by a bounded deconvolution.
//!
//! Two iterations of Van Cittert's method (1931) with a relaxation of 2, for a Gaussian point spread
//! function of the measured width; then each sample is limited to the range of the 3x3 samples around it,
//! widened by that range, so that edges overshoot within bounds and flat parts keep their noise as it is.
//! A picture in focus is left as it is, to the bit.
//!
//! Thread: fuse; main for files. Blocks: never. Allocates: when made, and for another size.

use super::edges::Blur;
use crate::frame::{Picture, Size};
use crate::simd::sharpen::{
    Bounds, FRACTION, REACH, TAPS, Weights, blur_across, correct, extremes, limit,
};

/// Measured edges are a little narrower than the blur that made them.
const WIDER: f32 = 1.1;
/// Point spread functions that seven taps hold, standard deviation in pixels.
const NARROWEST: f32 = 0.8;
const WIDEST: f32 = 2.2;
/// What a text that asks for it adds where no blur was measured: a wish, not a fault.
const ASKED: f32 = 0.25;
/// One, of a strength.
const ONE: f32 = 32_767.0;

/// How much of which blur is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sharpening {
    /// 0: nothing; 1: the whole estimate.
    pub strength: f32,
    /// Standard deviation of the point spread function, pixels.
    pub deviation: f32,
}

impl Sharpening {
    /// What was measured decides; `asked` (0..=1, see `Controls::sharpen`) is the least where little was.
    pub fn of(blur: Blur, asked: f32) -> Self {
        let degree = blur.degree();
        Self {
            strength: degree.max(ASKED * asked.clamp(0.0, 1.0)),
            deviation: (WIDER * blur.typical).clamp(NARROWEST, WIDEST),
        }
    }
}

/// Rows in work, for pictures of one size.
#[derive(Debug)]
pub struct Sharpener {
    size: Size,
    /// The picture as it may have been, in 1/64.
    estimate: Vec<i16>,
    /// One row with its borders.
    padded: Vec<i16>,
    /// The last rows, blurred across.
    ring: [Vec<i16>; TAPS],
    /// Extremes of three rows, with a border.
    low: Vec<u8>,
    high: Vec<u8>,
    /// A row and the one above as they were, and the row that is made.
    kept: [Vec<u8>; 3],
}

impl Sharpener {
    /// For pictures of `size`.
    pub fn new(size: Size) -> Self {
        let w = size.width;
        Self {
            size,
            estimate: vec![0; size.area()],
            padded: vec![0; w + 2 * REACH],
            ring: std::array::from_fn(|_| vec![0; w]),
            low: vec![0; w + 2],
            high: vec![0; w + 2],
            kept: std::array::from_fn(|_| vec![0; w]),
        }
    }

    /// Sharpens a grey picture. One of another size than the last makes the rows anew.
    pub fn apply(&mut self, picture: &mut Picture, sharpening: Sharpening) {
        let strength = (sharpening.strength.clamp(0.0, 1.0) * ONE).round() as i16;
        if strength == 0 || picture.channels() != 1 || picture.size().area() == 0 {
            return;
        }
        if picture.size() != self.size {
            *self = Self::new(picture.size());
        }
        let weights = gaussian(sharpening.deviation);
        for (level, &sample) in self.estimate.iter_mut().zip(picture.data()) {
            *level = i16::from(sample) << FRACTION;
        }
        for _ in 0..2 {
            self.iterate(picture.data(), &weights);
        }
        self.limit_to(picture.data_mut(), strength);
    }

    /// One of Van Cittert's iterations, in place: a row is corrected when all that need it are blurred.
    fn iterate(&mut self, levels: &[u8], weights: &Weights) {
        let Size { width, height } = self.size;
        let mut blurred = 0;
        for y in 0..height {
            while blurred < height.min(y + REACH + 1) {
                let row = &self.estimate[blurred * width..][..width];
                pad(row, &mut self.padded);
                blur_across(&self.padded, weights, &mut self.ring[blurred % TAPS]);
                blurred += 1;
            }
            // Rows beyond the picture are those at its border.
            let rows = std::array::from_fn(|tap| {
                let at = (y + tap).saturating_sub(REACH).min(height - 1);
                self.ring[at % TAPS].as_slice()
            });
            let row = y * width..(y + 1) * width;
            correct(rows, weights, &levels[row.clone()], &mut self.estimate[row]);
        }
    }

    fn limit_to(&mut self, samples: &mut [u8], strength: i16) {
        let Size { width, height } = self.size;
        let [above, row, made] = &mut self.kept;
        above.copy_from_slice(&samples[..width]);
        for y in 0..height {
            row.copy_from_slice(&samples[y * width..][..width]);
            let below = &samples[(y + 1).min(height - 1) * width..][..width];
            let inner = 1..=width;
            let (low, high) = (&mut self.low, &mut self.high);
            let rows = [above.as_slice(), row.as_slice(), below];
            extremes(rows, &mut low[inner.clone()], &mut high[inner]);
            (low[0], low[width + 1]) = (low[1], low[width]);
            (high[0], high[width + 1]) = (high[1], high[width]);
            let bounds = Bounds { row, low, high };
            let estimate = &self.estimate[y * width..][..width];
            limit(bounds, estimate, strength, made);
            samples[y * width..][..width].copy_from_slice(made);
            std::mem::swap(above, row);
        }
    }
}

/// A row with its ends repeated.
fn pad(row: &[i16], padded: &mut [i16]) {
    let end = REACH + row.len();
    padded[REACH..end].copy_from_slice(row);
    padded[..REACH].fill(row[0]);
    padded[end..].fill(row[row.len() - 1]);
}

/// Weights of a Gaussian in 1/2^15; with both sides they add up to that.
fn gaussian(deviation: f32) -> Weights {
    let at = |away: usize| (-0.5 * (away as f32 / deviation).powi(2)).exp();
    let sum: f32 = at(0) + 2.0 * (1..=REACH).map(at).sum::<f32>();
    let mut weights: Weights =
        std::array::from_fn(|away| (at(away) / sum * 32_768.0).round() as i16);
    let sides: i32 = weights[1..].iter().map(|&weight| i32::from(weight)).sum();
    weights[0] = (32_768 - 2 * sides) as i16;
    weights
}

#[cfg(test)]
#[path = "sharpen_tests.rs"]
mod tests;
