//! The kernels in plain Rust: what the others are tested against.

use super::{Bounds, FRACTION, REACH, TAPS, Weights};

/// The largest level that an estimate takes.
const WHITE: i32 = 255 << FRACTION;

/// A product in 1/2^15, halves up.
fn scaled(a: i32, b: i16) -> i32 {
    (a * i32::from(b) + (1 << 14)) >> 15
}

/// Each pair of samples that lie as far from the centre is added first, then weighed and rounded.
fn weigh(weights: &Weights, at: impl Fn(usize) -> i16) -> i32 {
    let centre = scaled(i32::from(at(REACH)), weights[0]);
    (1..=REACH).fold(centre, |sum, away| {
        let both = i32::from(at(REACH - away)) + i32::from(at(REACH + away));
        sum + scaled(both, weights[away])
    })
}

/// See [`super::blur_across`].
pub fn blur_across(padded: &[i16], weights: &Weights, out: &mut [i16]) {
    for (x, out) in out.iter_mut().enumerate() {
        *out = weigh(weights, |tap| padded[x + tap]) as i16;
    }
}

/// See [`super::correct`].
pub fn correct(rows: [&[i16]; TAPS], weights: &Weights, levels: &[u8], estimate: &mut [i16]) {
    for (x, (estimate, &level)) in estimate.iter_mut().zip(levels).enumerate() {
        let blurred = weigh(weights, |tap| rows[tap][x]);
        let lack = (i32::from(level) << FRACTION) - blurred;
        *estimate = (i32::from(*estimate) + 2 * lack).clamp(0, WHITE) as i16;
    }
}

/// See [`super::limit`].
pub fn limit(bounds: Bounds<'_>, estimate: &[i16], strength: i16, out: &mut [u8]) {
    for (x, out) in out.iter_mut().enumerate() {
        let least = |row: &[u8]| row[x].min(row[x + 1]).min(row[x + 2]);
        let most = |row: &[u8]| row[x].max(row[x + 1]).max(row[x + 2]);
        let (low, high) = (i32::from(least(bounds.low)), i32::from(most(bounds.high)));
        let (from, to) = (2 * low - high, 2 * high - low);
        let wanted = i32::from(estimate[x]).clamp(from << FRACTION, to << FRACTION);
        let level = i32::from(bounds.row[x]) << FRACTION;
        let moved = level + scaled(wanted - level, strength);
        *out = ((moved + (1 << (FRACTION - 1))) >> FRACTION).clamp(0, 255) as u8;
    }
}

/// See [`super::extremes`].
pub fn extremes([above, row, below]: [&[u8]; 3], low: &mut [u8], high: &mut [u8]) {
    let samples = above.iter().zip(row).zip(below);
    for ((low, high), ((&a, &b), &c)) in low.iter_mut().zip(high).zip(samples) {
        *low = a.min(b).min(c);
        *high = a.max(b).max(c);
    }
}
