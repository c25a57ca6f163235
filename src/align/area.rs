//! Shrinking by area averaging: each output pixel is the mean of the source area it covers.
//!
//! Input: a picture of a fixed size, 1 or 3 channels. Output: a smaller one. Thread: fuse. Blocks: never.
//! Allocates: when made. Not its job: enlarging; an axis that does not shrink is copied.

use crate::frame::{Picture, Size};
use crate::simd;

/// Weights of one output pixel add up to these; their product times 255 fits 32 bits.
const DOWN_ONE: u32 = 4096;
const ACROSS_ONE: u32 = 2048;

/// Shrinks pictures of one size to another.
#[derive(Debug, Clone)]
pub(crate) struct AreaShrink {
    from: Size,
    to: Size,
    across: Vec<Span>,
    across_weights: Vec<u32>,
    down: Vec<Span>,
    down_weights: Vec<u32>,
    sums: Vec<u32>,
}

/// The source pixels of one output pixel along an axis.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: usize,
    // Range of weights.
    weights: (usize, usize),
}

impl AreaShrink {
    /// From `from` to `to`, which is not larger on either axis; neither is empty.
    pub fn new(from: Size, to: Size) -> Self {
        let to = Size::new(to.width.min(from.width), to.height.min(from.height));
        let (across, across_weights) = spans(from.width, to.width, ACROSS_ONE);
        let (down, down_weights) = spans(from.height, to.height, DOWN_ONE);
        Self {
            from,
            to,
            across,
            across_weights,
            down,
            down_weights,
            sums: vec![0; from.width * 3],
        }
    }

    /// Shrinks `source`, of the size this was made for, into `out`, which takes its channels.
    pub fn apply(&mut self, source: &Picture, out: &mut Picture) {
        debug_assert_eq!(source.size(), self.from);
        let channels = source.channels();
        out.reshape(self.to, channels);
        let sums = &mut self.sums[..self.from.width * channels];
        for (y, span) in self.down.iter().enumerate() {
            sums.fill(0);
            let weights = &self.down_weights[span.weights.0..span.weights.1];
            for (row, &weight) in (span.first..).zip(weights) {
                simd::accumulate(sums, source.row(row), weight);
            }
            let out = out.row_mut(y);
            match channels {
                1 => shrink_row::<1>(sums, &self.across, &self.across_weights, out),
                _ => shrink_row::<3>(sums, &self.across, &self.across_weights, out),
            }
        }
    }
}

fn shrink_row<const C: usize>(sums: &[u32], spans: &[Span], weights: &[u32], out: &mut [u8]) {
    let half = DOWN_ONE * ACROSS_ONE / 2;
    for (pixel, span) in out.chunks_exact_mut(C).zip(spans) {
        let weights = &weights[span.weights.0..span.weights.1];
        let mut total = [half; C];
        for (px, &weight) in sums[span.first * C..].chunks_exact(C).zip(weights) {
            for (total, &sum) in total.iter_mut().zip(px) {
                *total += sum * weight;
            }
        }
        for (sample, total) in pixel.iter_mut().zip(total) {
            *sample = (total / (DOWN_ONE * ACROSS_ONE)) as u8;
        }
    }
}

/// For each of `to` output pixels: its source pixels and their weights, which add up to `one`.
fn spans(from: usize, to: usize, one: u32) -> (Vec<Span>, Vec<u32>) {
    let mut weights = Vec::new();
    let spans = (0..to).map(|i| {
        // In units of 1/to of a source pixel this output pixel covers start..end.
        let (start, end) = (i * from, (i + 1) * from);
        let (first, last) = (start / to, end.div_ceil(to));
        let begin = weights.len();
        // Differences of rounded running shares, so that their sum is exact.
        let share = |source: usize| {
            let covered = (source * to).clamp(start, end) - start;
            ((covered * one as usize + from / 2) / from) as u32
        };
        weights.extend((first..last).map(|s| share(s + 1) - share(s)));
        Span {
            first,
            weights: (begin, weights.len()),
        }
    });
    let spans = spans.collect();
    (spans, weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(size: Size, channels: usize, seed: u64) -> Picture {
        let mut state = seed | 1;
        let data = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 56) as u8
        });
        Picture::from_data(size, channels, data.take(size.area() * channels).collect()).unwrap()
    }

    /// The definition, in floating point.
    fn expected(source: &Picture, to: Size, (x, y, c): (usize, usize, usize)) -> f64 {
        let overlap = |i: usize, o: usize, from: usize, to: usize| {
            let ratio = from as f64 / to as f64;
            let (a, b) = (o as f64 * ratio, (o + 1) as f64 * ratio);
            (b.min(i as f64 + 1.0) - a.max(i as f64)).max(0.0) / ratio
        };
        let (w, h) = (source.width(), source.height());
        let mut sum = 0.0;
        for j in 0..h {
            let wy = overlap(j, y, h, to.height);
            for i in 0..w {
                let sample = source.row(j)[i * source.channels() + c];
                sum += wy * overlap(i, x, w, to.width) * f64::from(sample);
            }
        }
        sum
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            w in 1..40_usize, h in 1..40_usize, tw in 1..40_usize, th in 1..40_usize,
            three in any::<bool>(), seed in any::<u64>(),
        ) {
            let channels = if three { 3 } else { 1 };
            let source = picture(Size::new(w, h), channels, seed);
            let to = Size::new(tw.min(w), th.min(h));
            let mut out = Picture::grey(Size::new(1, 1));
            AreaShrink::new(source.size(), to).apply(&source, &mut out);
            prop_assert_eq!(out.size(), to);
            for y in 0..to.height {
                for x in 0..to.width {
                    for c in 0..channels {
                        let found = f64::from(out.row(y)[x * channels + c]);
                        let wanted = expected(&source, to, (x, y, c));
                        prop_assert!((found - wanted).abs() < 1.1, "{found} {wanted}");
                    }
                }
            }
        }
    }

    #[test]
    fn white_stays_white_and_halving_is_the_mean_of_four() {
        let from = Size::new(777, 501);
        let white = Picture::from_data(from, 1, vec![255; from.area()]).unwrap();
        let mut out = Picture::grey(from);
        AreaShrink::new(from, Size::new(100, 99)).apply(&white, &mut out);
        assert!(out.data().iter().all(|&v| v == 255));
        let four = Picture::from_data(Size::new(2, 2), 1, vec![10, 20, 30, 41]).unwrap();
        AreaShrink::new(four.size(), Size::new(1, 1)).apply(&four, &mut out);
        assert_eq!(out.data(), [25]);
    }
}
