//! What a text says to each cell.
//!
//! Input: levels of cells; a [`PreparedText`]. Output: levels. Thread: any. Blocks: never. Allocates: scratch,
//! see [`lend`]. Fails when: slices do not fit (a panic). Not its job: the convolutions.

use super::super::product::{LANES, Lanes};
use super::super::scratch::{Lent, lend, lend_within};
use super::super::{Epilogue, Level, Portable};
use super::{Attention, PreparedText};

/// Cells together: scores of that many stay near the processor, and every path has whole tiles.
const CELLS: usize = 40;

/// e^x is taken as (1 + x/128)^128: seven squarings. With x a little smaller, see [`UNIT`], it is nowhere
/// further from it than a thousandth (of e^0), a quarter of what 255 levels are apart.
const SQUARINGS: usize = 7;

/// Scores are multiplied by this: so that they need no factor before the squarings.
pub(super) const UNIT: f32 = ROOT * (1.0 - 1.3 / 256.0) / 128.0;

/// The 128th root of 255, the power of the largest score: with it the last squaring gives levels.
const ROOT: f32 = 1.044_241_9;

/// Where the score of a row starts that is not there: at -2^20, below all that [`Attention::prepare`] allows.
pub(super) const LOWEST: i32 = -(1 << 20);

/// A sum with it is rounded to an integer, see [`Level`] for `i8`, and the low byte of its bits is the level
/// that is 128 lower.
const BELOW: f32 = 12_582_912.0 - 128.0;

impl Attention {
    /// `out` = `features` of some cells plus the attention's output, in the output's levels.
    pub fn run(&self, prepared: &PreparedText, features: &[i8], out: &mut [i8]) {
        let (channels, heads, rows) = (self.channels, self.heads, prepared.rows);
        assert!(features.len() == out.len() && out.len().is_multiple_of(channels));
        assert!(!prepared.text.is_empty() && prepared.values.len() == heads);
        let wide = self.out_bias.len();
        let most = prepared.most * heads * CELLS;
        let mut scores = lend_within(0.0, CELLS * heads * rows, most);
        let mut levels = lend_within(0_i8, CELLS * heads * rows, most);
        let mut shares = lend(0.0, CELLS * heads);
        let mut found = lend(0.0, CELLS * heads * wide);
        let parts = features.chunks(CELLS * channels);
        for (out, features) in out.chunks_mut(CELLS * channels).zip(parts) {
            let cells = features.len() / channels;
            let scores = &mut scores[..cells * heads * rows];
            let size = (1, cells);
            let plain = Epilogue::default();
            prepared.scores.run(features, size, &plain, scores);
            self.path.run(Powers {
                scores,
                heads,
                rows,
                levels: &mut levels,
                shares: &mut shares,
            });
            let levels = levels.chunks_exact(CELLS * rows);
            let found_of = found.chunks_exact_mut(CELLS * wide);
            for ((layer, levels), found) in prepared.values.iter().zip(levels).zip(found_of) {
                layer.run(
                    &levels[..cells * rows],
                    size,
                    &plain,
                    &mut found[..cells * wide],
                );
            }
            self.path.run(Sum {
                attention: self,
                features,
                shares: &shares,
                found: &found,
                out,
            });
        }
    }
}

/// Makes levels of scores, and shares: 1 / the sum of a cell's and head's powers.
struct Powers<'a> {
    /// `[cells, heads, rows]`
    scores: &'a [f32],
    heads: usize,
    rows: usize,
    /// `[heads, CELLS, rows]`
    levels: &'a mut [i8],
    /// `[heads, CELLS]`
    shares: &'a mut [f32],
}

impl Portable for Powers<'_> {
    #[inline(always)]
    fn run(self) {
        let (heads, rows) = (self.heads, self.rows);
        let of_head = self.levels.chunks_exact_mut(CELLS * rows);
        let of_head = of_head.zip(self.shares.chunks_exact_mut(CELLS));
        for (h, (levels, shares)) in of_head.enumerate() {
            let cells = self.scores.chunks_exact(heads * rows);
            let scores = || cells.clone().map(|of_cell| &of_cell[h * rows..][..rows]);
            // One after the other for all cells, so that no cell waits for another.
            for (base, scores) in shares.iter_mut().zip(scores()) {
                *base = largest(scores.as_chunks().0) - ROOT;
            }
            let of_cell = shares.iter_mut().zip(levels.chunks_exact_mut(rows));
            for ((share, levels), scores) in of_cell.zip(scores()) {
                *share = powers(scores.as_chunks().0, *share, levels.as_chunks_mut().0);
            }
            for share in shares {
                *share = 1.0 / *share;
            }
        }
    }
}

#[inline(always)]
fn largest(scores: &[Lanes]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut most: Lanes = [f32::NEG_INFINITY; LANES];
    for part in scores {
        for i in 0..LANES {
            most[i] = larger(most[i], part[i]);
        }
    }
    halved(most, larger)
}

/// Levels of the powers of scores above `base`, and their sum. By whole lanes: one after the other, the
/// last few would take longer than all before them.
#[inline(always)]
fn powers(scores: &[Lanes], base: f32, levels: &mut [[i8; LANES]]) -> f32 {
    let mut sums = [0_u32; LANES];
    for (part, to) in scores.iter().zip(levels) {
        // To an array of its own, which is known to be none of the others.
        let mut bytes = [0; LANES];
        for i in 0..LANES {
            let power = part[i] - base;
            let mut power = if power > 0.0 { power } else { 0.0 };
            for _ in 0..SQUARINGS {
                power *= power;
            }
            let bits = (power + BELOW).to_bits();
            sums[i] = sums[i].wrapping_add(bits);
            bytes[i] = bits as i8;
        }
        *to = bytes;
    }
    // The lanes' sums, up to 255 for each part, are exact.
    let others = BELOW.to_bits().wrapping_mul(scores.len() as u32);
    let sums = sums.map(|bits| bits.wrapping_sub(others) as i32 as f32);
    halved(sums, |a, b| a + b)
}

/// All lanes by one operation, each half with the other: a chain of them would be waited for.
#[inline(always)]
pub(super) fn halved(mut lanes: Lanes, of_two: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = of_two(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// Adds what all heads say to the features.
struct Sum<'a> {
    attention: &'a Attention,
    features: &'a [i8],
    /// `[heads, CELLS]`
    shares: &'a [f32],
    /// `[heads, CELLS, channels]`, channels padded to whole lanes.
    found: &'a Lent<f32>,
    out: &'a mut [i8],
}

impl Portable for Sum<'_> {
    #[inline(always)]
    fn run(self) {
        let Attention {
            channels, scales, ..
        } = *self.attention;
        let factor = scales.input / scales.output;
        let bias = self.attention.out_bias.as_chunks::<LANES>().0;
        let found = self.found.as_chunks::<LANES>().0;
        let parts = bias.len();
        // What all heads say to a part of cell `n`.
        let said = |n: usize, part: usize| {
            let mut sums = bias[part];
            for (h, &share) in self.shares[n..].iter().step_by(CELLS).enumerate() {
                let found = &found[(h * CELLS + n) * parts + part];
                for i in 0..LANES {
                    sums[i] += share * found[i];
                }
            }
            sums
        };
        let level = |feature: i8, said| i8::of(f32::from(feature) * factor + said);
        let cells = self.features.chunks_exact(channels);
        for (n, (out, features)) in self.out.chunks_exact_mut(channels).zip(cells).enumerate() {
            let (out, out_rest) = out.as_chunks_mut::<LANES>();
            let (features, features_rest) = features.as_chunks::<LANES>();
            for (part, (out, features)) in out.iter_mut().zip(features).enumerate() {
                let said = said(n, part);
                let mut levels = [0; LANES];
                for i in 0..LANES {
                    levels[i] = level(features[i], said[i]);
                }
                *out = levels;
            }
            if !out_rest.is_empty() {
                let said = said(n, parts - 1);
                for ((out, &feature), said) in out_rest.iter_mut().zip(features_rest).zip(said) {
                    *out = level(feature, said);
                }
            }
        }
    }
}
