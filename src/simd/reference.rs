//! The kernels in plain Rust: what every other implementation is tested against.
//!
//! Input and output: slices that the facade has checked. Thread: any. Blocks: never. Allocates: never. Not
//! its job: sizes and checks (the facade, `simd`).
//!
//! Each output sample depends on a fixed sequence of operations that every processor rounds
//! alike: integers, or `f32` adds and multiplies in the order written. An implementation for one
//! processor must not contract them (no fused multiply-add) nor change their order.

use super::{AxisTap, PAD, SUBPIXEL, Sampling, TAP_ONE, Taps};

/// Interpolation weights of Catmull and Rom (1974) in 1/[`TAP_ONE`], one row per 1/256 pixel.
/// They go through the samples and have no kink at them: a bilinear magnification shows the
/// lattice of a coarse thermal picture, this does not.
pub(super) const CUBIC: [[i16; 4]; SUBPIXEL] = cubic_weights();

const fn cubic_weights() -> [[i16; 4]; SUBPIXEL] {
    let mut table = [[0; 4]; SUBPIXEL];
    let mut f = 0;
    while f < SUBPIXEL {
        // t = f / 256; numerators over 2 * 256^3 = 2^25, brought to 1/2048 by a shift of 14.
        let t = f as i64;
        let (one, t2) = (256, t * t);
        let w0 = -t * t2 + 2 * t2 * one - t * one * one;
        let w2 = -3 * t * t2 + 4 * t2 * one + t * one * one;
        let w3 = t * t2 - t2 * one;
        let (w0, w2, w3) = (
            (w0 + (1 << 13)) >> 14,
            (w2 + (1 << 13)) >> 14,
            (w3 + (1 << 13)) >> 14,
        );
        let w1 = TAP_ONE as i64 - w0 - w2 - w3;
        table[f] = [w0 as i16, w1 as i16, w2 as i16, w3 as i16];
        f += 1;
    }
    table
}

/// The four weights of a position `fraction` / 256 behind the second tap.
pub(super) fn tap_weights(sampling: Sampling, fraction: u8) -> [i16; 4] {
    match sampling {
        Sampling::Cubic => CUBIC[usize::from(fraction)],
        Sampling::Bilinear => {
            let f = i16::from(fraction) * (TAP_ONE / SUBPIXEL as i32) as i16;
            [0, TAP_ONE as i16 - f, f, 0]
        }
    }
}

fn to_u8(value: i32) -> u8 {
    // Two weightings by TAP_ONE = 2^11, rounded to nearest.
    ((value + (1 << 21)) >> 22).clamp(0, 255) as u8
}

/// Samples a padded picture of `C` channels between 2x2 pixels.
pub(super) fn remap_bilinear<const C: usize>(
    source: &[u8],
    stride: usize,
    taps: Taps,
    out: &mut [u8],
) {
    // From the top left of the 4x4 taps to the top left of the inner 2x2.
    let inner = (PAD.before * stride + PAD.before) * C;
    let stride = stride * C;
    for ((pixel, &at), &[fx, fy]) in out
        .chunks_exact_mut(C)
        .zip(taps.offsets)
        .zip(taps.fractions)
    {
        let at = at as usize * C + inner;
        let (top, bottom) = (
            &source[at..at + 2 * C],
            &source[at + stride..at + stride + 2 * C],
        );
        let (fx, fy) = (u32::from(fx), u32::from(fy));
        for c in 0..C {
            let t = u32::from(top[c]) * (256 - fx) + u32::from(top[c + C]) * fx;
            let b = u32::from(bottom[c]) * (256 - fx) + u32::from(bottom[c + C]) * fx;
            pixel[c] = ((t * (256 - fy) + b * fy + (1 << 15)) >> 16) as u8;
        }
    }
}

/// Samples a padded picture of `C` channels between 4x4 pixels with [`CUBIC`] weights.
pub(super) fn remap_cubic<const C: usize>(
    source: &[u8],
    stride: usize,
    taps: Taps,
    out: &mut [u8],
) {
    let stride = stride * C;
    for ((pixel, &at), &[fx, fy]) in out
        .chunks_exact_mut(C)
        .zip(taps.offsets)
        .zip(taps.fractions)
    {
        let at = at as usize * C;
        let wx = CUBIC[usize::from(fx)].map(i32::from);
        let wy = CUBIC[usize::from(fy)].map(i32::from);
        let mut sum = [0; C];
        for (j, w) in wy.iter().enumerate() {
            let row = &source[at + j * stride..at + j * stride + 4 * C];
            for (c, sum) in sum.iter_mut().enumerate() {
                let px = |i: usize| i32::from(row[i * C + c]);
                *sum += w * (px(0) * wx[0] + px(1) * wx[1] + px(2) * wx[2] + px(3) * wx[3]);
            }
        }
        for (sample, sum) in pixel.iter_mut().zip(sum) {
            *sample = to_u8(sum);
        }
    }
}

/// Weighs four pixels of a row for each output column, in 1/[`TAP_ONE`].
pub(super) fn sample_row<const C: usize>(source: &[u8], taps: &[AxisTap], out: &mut [i32]) {
    for (pixel, tap) in out.chunks_exact_mut(C).zip(taps) {
        let at = tap.indices.map(|i| i as usize * C);
        let w = tap.weights.map(i32::from);
        for (c, sample) in pixel.iter_mut().enumerate() {
            let px = |i: usize| i32::from(source[at[i] + c]);
            *sample = px(0) * w[0] + px(1) * w[1] + px(2) * w[2] + px(3) * w[3];
        }
    }
}

/// Weighs four rows of [`sample_row`] into one row of samples.
pub(super) fn combine_rows(rows: [&[i32]; 4], weights: [i16; 4], out: &mut [u8]) {
    let w = weights.map(i32::from);
    let n = out.len();
    let [a, b, c, d] = rows.map(|row| &row[..n]);
    for (i, sample) in out.iter_mut().enumerate() {
        *sample = to_u8(a[i] * w[0] + b[i] * w[1] + c[i] * w[2] + d[i] * w[3]);
    }
}

/// `sum += row * weight`.
pub(super) fn accumulate(sum: &mut [u32], row: &[u8], weight: u32) {
    for (sum, &sample) in sum.iter_mut().zip(row) {
        *sum += u32::from(sample) * weight;
    }
}

/// Luma after ITU-R BT.601 of full-range RGB, rounded half to even.
#[inline(always)]
pub(super) fn luma_from_rgb(rgb: &[u8], luma: &mut [u8]) {
    for (luma, px) in luma.iter_mut().zip(rgb.chunks_exact(3)) {
        let [r, g, b] = [px[0], px[1], px[2]].map(f32::from);
        let y = r * 0.299 + g * 0.587 + b * 0.114;
        *luma = round_u8(y);
    }
}

/// Rounds 0..=255 half to even: adding 1.5 * 2^23 leaves the integer in the low mantissa bits.
/// Unlike `round_ties_even` it needs no instruction beyond the oldest x86-64.
#[inline(always)]
fn round_u8(value: f32) -> u8 {
    ((value + 12_582_912.0).to_bits() & 0xff) as u8
}

/// Rounds to the nearest sample, half to even, out of range to 0 or 255.
pub(super) fn round_row(values: &[f32], out: &mut [u8]) {
    for (sample, &value) in out.iter_mut().zip(values) {
        *sample = round_u8(value.clamp(0.0, 255.0));
    }
}

/// Samples as `f32`.
pub(super) fn widen_row(samples: &[u8], out: &mut [f32]) {
    for (value, &sample) in out.iter_mut().zip(samples) {
        *value = f32::from(sample);
    }
}

/// `out` becomes the mean of both, halves up.
pub(super) fn blend(row: &[u8], out: &mut [u8]) {
    for (out, &sample) in out.iter_mut().zip(row) {
        *out = (u16::from(*out) + u16::from(sample)).div_ceil(2) as u8;
    }
}

/// `a` where `weight` is 255, `b` where it is 0, between by rounded weights.
pub(super) fn mix(a: &[u8], b: &[u8], weight: &[u8], out: &mut [u8]) {
    for (((out, &a), &b), &w) in out.iter_mut().zip(a).zip(b).zip(weight) {
        let w = u32::from(w);
        *out = ((u32::from(a) * w + u32::from(b) * (255 - w) + 127) / 255) as u8;
    }
}

/// `(|gx| + |gy|) / 4`, at most 255, of the 3x3 Sobel operator; the three rows are the one above,
/// the row itself and the one below, and columns repeat at both ends.
pub(super) fn sobel_row(rows: [&[u8]; 3], out: &mut [u8]) {
    let n = out.len();
    let at = |x: usize| {
        let (l, r) = (x.saturating_sub(1), (x + 1).min(n - 1));
        sobel(rows, [l, x, r])
    };
    for (x, out) in out.iter_mut().enumerate().take(n - 1).skip(1) {
        *out = sobel(rows, [x - 1, x, x + 1]);
    }
    out[0] = at(0);
    out[n - 1] = at(n - 1);
}

fn sobel([a, b, c]: [&[u8]; 3], [l, x, r]: [usize; 3]) -> u8 {
    let [al, ax, ar] = [a[l], a[x], a[r]].map(i16::from);
    let [bl, br] = [b[l], b[r]].map(i16::from);
    let [cl, cx, cr] = [c[l], c[x], c[r]].map(i16::from);
    let gx = (ar - al) + 2 * (br - bl) + (cr - cl);
    let gy = (cl - al) + 2 * (cx - ax) + (cr - ar);
    ((gx.abs() + gy.abs()) >> 2).min(255) as u8
}

/// Five rows weighed [1 4 6 4 1] / 16 (Burt and Adelson, 1983).
pub(super) fn smooth_rows(rows: [&[f32]; 5], out: &mut [f32]) {
    let n = out.len();
    let [a, b, c, d, e] = rows.map(|row| &row[..n]);
    for (i, out) in out.iter_mut().enumerate() {
        *out = five(a[i], b[i], c[i], d[i], e[i]);
    }
}

fn five(a: f32, b: f32, c: f32, d: f32, e: f32) -> f32 {
    (c * 6.0 + (b + d) * 4.0 + (a + e)) * 0.0625
}

/// Every second sample of a row smoothed by [1 4 6 4 1] / 16, mirrored at both ends.
pub(super) fn halve_row(row: &[f32], out: &mut [f32]) {
    let n = row.len();
    let at = |x: isize| row[super::mirror(x, n)];
    let edge = |x: isize| five(at(x - 2), at(x - 1), at(x), at(x + 1), at(x + 2));
    // Outputs whose five taps all lie inside: 2i - 2 >= 0 and 2i + 2 < n.
    let inside = (n.saturating_sub(1) / 2).max(1);
    for (i, out) in out.iter_mut().enumerate().take(inside).skip(1) {
        let t = &row[2 * i - 2..2 * i + 3];
        *out = five(t[0], t[1], t[2], t[3], t[4]);
    }
    out[0] = edge(0);
    for (i, out) in out.iter_mut().enumerate().skip(inside) {
        *out = edge(2 * i as isize);
    }
}

/// The even rows of a doubling: (a + 6 b + c) / 8.
pub(super) fn double_even(rows: [&[f32]; 3], out: &mut [f32]) {
    let n = out.len();
    let [a, b, c] = rows.map(|row| &row[..n]);
    for (i, out) in out.iter_mut().enumerate() {
        *out = three(a[i], b[i], c[i]);
    }
}

fn three(a: f32, b: f32, c: f32) -> f32 {
    (b * 6.0 + (a + c)) * 0.125
}

/// The odd rows of a doubling: (a + b) / 2.
pub(super) fn double_odd(rows: [&[f32]; 2], out: &mut [f32]) {
    for ((out, &a), &b) in out.iter_mut().zip(rows[0]).zip(rows[1]) {
        *out = (a + b) * 0.5;
    }
}

/// A row doubled as [`double_even`] and [`double_odd`] double columns: zeros put between the
/// samples, then [1 4 6 4 1] / 8, mirrored at both ends of the doubled row.
pub(super) fn double_row(row: &[f32], out: &mut [f32]) {
    let n = out.len();
    // Mirroring keeps an even position even, so it always meets a sample and never a zero.
    let at = |x: isize| row[super::mirror(x, n) / 2];
    let edge = |x: isize| {
        if x % 2 == 0 {
            three(at(x - 2), at(x), at(x + 2))
        } else {
            (at(x - 1) + at(x + 1)) * 0.5
        }
    };
    let m = row.len();
    if m < 3 {
        for (x, out) in out.iter_mut().enumerate() {
            *out = edge(x as isize);
        }
        return;
    }
    let (body, _) = out[2..].split_at_mut(2 * (m - 2));
    for (pair, t) in body.chunks_exact_mut(2).zip(row.windows(3)) {
        pair[0] = three(t[0], t[1], t[2]);
        pair[1] = (t[1] + t[2]) * 0.5;
    }
    for x in (0..2).chain(2 * (m - 1)..n) {
        out[x] = edge(x as isize);
    }
}

/// `out -= row`.
pub(super) fn subtract(row: &[f32], out: &mut [f32]) {
    for (out, &value) in out.iter_mut().zip(row) {
        *out -= value;
    }
}

/// `out += row`.
pub(super) fn add(row: &[f32], out: &mut [f32]) {
    for (out, &value) in out.iter_mut().zip(row) {
        *out += value;
    }
}

/// `a` becomes the value of the larger magnitude of both; `a` itself on a tie.
pub(super) fn keep_stronger(a: &mut [f32], b: &[f32]) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = if a.abs() >= b.abs() { *a } else { b };
    }
}

/// `a` becomes the mean of both.
pub(super) fn keep_mean(a: &mut [f32], b: &[f32]) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = (*a + b) * 0.5;
    }
}
