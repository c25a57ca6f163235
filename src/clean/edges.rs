//! How wide the edges of a picture are: the blur that even its sharpest parts have.
//!
//! Across an edge that a Gaussian of standard deviation s has blurred, the differences of neighbouring
//! samples are themselves a Gaussian. Of three of them in a row, the first times the third over the square
//! of the middle one is exp(-1 / s^2), wherever between two samples the edge lies. It is taken at each
//! local maximum of the differences, along rows and along columns, and kept in a histogram by the height
//! of that maximum: a picture's steepest edges tell its blur, its slopes and its noise do not. Noise
//! makes edges look sharper, never wider.
//!
//! Thread: any. Blocks: never. Allocates: when made.

use std::ops::Range;

/// Smaller steps between neighbours, in grey levels, are left out.
const LEAST_STEP: i32 = 6;
/// Steps are kept two grey levels apart, and these from `LEAST_STEP` on.
const STEPS: usize = 64;
/// exp(-1 / s^2) in so many parts.
const RATIOS: usize = 64;
/// The share of the edges, steepest first, that is looked at.
const STEEPEST: u32 = 5;
/// Fewer edges in that share tell nothing.
const LEAST_EDGES: u32 = 40;
/// Standard deviation, in pixels, of the sharper edges from where on a picture counts as blurred a little,
/// and from where on wholly. Pictures in focus lie at 0.67 and less, out of focus at 0.85 and more.
const BLURRED: Range<f32> = 0.72..0.84;

/// Blur of a picture as standard deviations of a Gaussian, in pixels: of the sharper edges (the lower
/// quartile of the steepest fifth) and of the typical ones (their median). Zero: below half a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Blur {
    /// Tells whether there is blur: in focus, a few edges are sharp.
    pub sharper: f32,
    /// Tells how much there is to take back.
    pub typical: f32,
}

impl Blur {
    /// 0: in focus; 1: out of focus for certain.
    pub fn degree(self) -> f32 {
        ((self.sharper - BLURRED.start) / (BLURRED.end - BLURRED.start)).clamp(0.0, 1.0)
    }
}

/// A histogram of edges; see the module.
#[derive(Debug, Clone)]
pub struct EdgeWidths {
    /// `STEPS` rows of `RATIOS`.
    counts: Box<[u32]>,
}

impl Default for EdgeWidths {
    fn default() -> Self {
        Self {
            counts: vec![0; STEPS * RATIOS].into_boxed_slice(),
        }
    }
}

impl EdgeWidths {
    /// Of a whole grey picture of rows of `width`.
    pub fn of(luma: &[u8], width: usize) -> Self {
        let mut widths = Self::default();
        let height = luma.len() / width.max(1);
        for y in 0..height.saturating_sub(3) {
            widths.add(std::array::from_fn(|i| &luma[(y + i) * width..][..width]));
        }
        widths
    }

    /// Forgets all edges.
    pub fn clear(&mut self) {
        self.counts.fill(0);
    }

    /// Adds the edges along the second of four neighbouring rows, and those down between the second and
    /// the third.
    pub fn add(&mut self, rows: [&[u8]; 4]) {
        let [a, b, c, d] = rows;
        for along in b.windows(4) {
            self.take([along[0], along[1], along[2], along[3]]);
        }
        for (((&a, &b), &c), &d) in a.iter().zip(b).zip(c).zip(d) {
            self.take([a, b, c, d]);
        }
    }

    #[inline]
    fn take(&mut self, samples: [u8; 4]) {
        let [a, b, c, d] = samples.map(i32::from);
        let step = c - b;
        if step.abs() < LEAST_STEP {
            return;
        }
        let (before, after) = ((b - a) * step.signum(), (d - c) * step.signum());
        let step = step.abs();
        if before > step || after >= step {
            return;
        }
        let product = before.max(0) * after.max(0);
        let ratio = (product * RATIOS as i32 / (step * step)) as usize;
        let row = ((step - LEAST_STEP) / 2) as usize;
        self.counts[row.min(STEPS - 1) * RATIOS + ratio.min(RATIOS - 1)] += 1;
    }

    /// The blur of what was added; `None` where there are too few edges.
    pub fn blur(&self) -> Option<Blur> {
        let all: u32 = self.counts.iter().sum();
        let wanted = all / STEEPEST;
        if wanted < LEAST_EDGES {
            return None;
        }
        let (mut steepest, mut taken) = ([0_u32; RATIOS], 0);
        for row in self.counts.rchunks_exact(RATIOS) {
            for (sum, count) in steepest.iter_mut().zip(row) {
                *sum += count;
                taken += count;
            }
            if taken >= wanted {
                break;
            }
        }
        Some(Blur {
            sharper: deviation(&steepest, 0.25 * taken as f32),
            typical: deviation(&steepest, 0.5 * taken as f32),
        })
    }
}

/// The standard deviation that `below` edges stay under.
fn deviation(ratios: &[u32; RATIOS], below: f32) -> f32 {
    let mut sum = 0.0;
    for (i, &count) in ratios.iter().enumerate() {
        let count = count as f32;
        if sum + count >= below && count > 0.0 {
            let ratio = (i as f32 + (below - sum) / count) / RATIOS as f32;
            // Half a pixel; below, samples do not tell one blur from another.
            return match ratio < 0.02 {
                true => 0.0,
                false => (-1.0 / ratio.min(0.99).ln()).sqrt(),
            };
        }
        sum += count;
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (160, 120);

    /// Edges at all fractions of a pixel, blurred by a Gaussian of this standard deviation.
    fn stripes(deviation: f32) -> Vec<u8> {
        let step = |x: f32| 1.0 / (1.0 + (-1.702 * x / deviation.max(0.01)).exp());
        let (w, h) = SIZE;
        (0..w * h)
            .map(|i| {
                let x = (i % w) as f32 + 0.37 * (i / w) as f32;
                let up = (x / 32.0).fract() * 32.0;
                (40.0 + 160.0 * (step(up - 8.0) - step(up - 24.0))) as u8
            })
            .collect()
    }

    #[test]
    fn the_width_of_edges_is_measured() {
        for wanted in [1.0, 1.5, 2.0] {
            let blur = EdgeWidths::of(&stripes(wanted), SIZE.0).blur().unwrap();
            assert!((blur.typical - wanted).abs() < 0.3, "{wanted}: {blur:?}");
            assert!(
                blur.sharper <= blur.typical && blur.degree() > 0.9,
                "{blur:?}"
            );
        }
        let sharp = EdgeWidths::of(&stripes(0.0), SIZE.0).blur().unwrap();
        assert_eq!((sharp.sharper, sharp.degree()), (0.0, 0.0));
    }

    #[test]
    fn a_flat_picture_and_an_empty_one_tell_nothing() {
        assert_eq!(EdgeWidths::of(&[90; 900], 30).blur(), None);
        assert_eq!(EdgeWidths::of(&[], 0).blur(), None);
        let mut widths = EdgeWidths::of(&stripes(1.0), SIZE.0);
        widths.clear();
        assert_eq!(widths.blur(), None);
    }

    #[test]
    fn noise_never_looks_like_blur() {
        let mut picture = stripes(0.0);
        let mut state = 1_u32;
        for v in &mut picture {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *v = v.saturating_add((state >> 27) as u8);
        }
        let blur = EdgeWidths::of(&picture, SIZE.0).blur().unwrap();
        assert_eq!(blur.degree(), 0.0, "{blur:?}");
    }
}
