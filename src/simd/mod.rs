//! The kernels: a safe facade over one implementation per processor.
//!
//! Input and output: slices of samples. Thread: any. Blocks: never. Allocates: never.
//! Fails when: slices do not fit (a panic: a caller's mistake). Not its job: threads.
//!
//! Same input, same bytes out, on every processor: see [`mod@reference`] for the rule.

pub mod clean;
mod cubic;
pub mod int8;
pub mod reference;
pub mod sharpen;
pub mod tone;

/// Positions lie on a grid of 1/256 pixel.
pub const SUBPIXEL: usize = 256;

/// Interpolation weights along one axis add up to this.
pub const TAP_ONE: i32 = 2048;

/// Border pixels that a remap's source carries on each axis.
pub const PAD: Padding = Padding {
    before: 1,
    after: 2,
};

/// See [`PAD`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Padding {
    /// Left and above.
    pub before: usize,
    /// Right and below.
    pub after: usize,
}

/// How samples between pixels are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// From 2x2 pixels.
    Bilinear,
    /// From 4x4 pixels, Catmull-Rom.
    Cubic,
}

/// Where each output pixel comes from, in a padded source.
#[derive(Debug, Clone, Copy)]
pub struct Taps<'a> {
    /// Index, in pixels, of the top left of the 4x4 pixels around the position.
    pub offsets: &'a [u32],
    /// Position behind the second column and row, in 1/256 pixel.
    pub fractions: &'a [[u8; 2]],
}

/// Four source pixels along one axis and their weights, which add up to [`TAP_ONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxisTap {
    /// Pixel indices, inside the source.
    pub indices: [u32; 4],
    /// In 1/[`TAP_ONE`].
    pub weights: [i16; 4],
}

impl AxisTap {
    /// The tap of a position: pixel `whole` and `fraction` / 256 on, on an axis of `len` pixels
    /// that repeats its ends.
    pub fn new(sampling: Sampling, (whole, fraction): (usize, u8), len: usize) -> Self {
        let last = len.saturating_sub(1);
        let at = |i: usize| i.min(last) as u32;
        let before = whole.saturating_sub(1).min(last) as u32;
        Self {
            indices: [before, at(whole), at(whole + 1), at(whole + 2)],
            weights: reference::tap_weights(sampling, fraction),
        }
    }
}

/// Samples `source` (padded by [`PAD`], `stride` pixels a row, 1 or 3 `channels`) at `taps`.
pub fn remap(
    (sampling, channels): (Sampling, usize),
    source: &[u8],
    stride: usize,
    taps: Taps,
    out: &mut [u8],
) {
    assert_eq!(taps.offsets.len(), taps.fractions.len());
    assert_eq!(taps.offsets.len() * channels, out.len());
    match (sampling, channels) {
        (Sampling::Bilinear, 1) => reference::remap_bilinear::<1>(source, stride, taps, out),
        (Sampling::Bilinear, 3) => reference::remap_bilinear::<3>(source, stride, taps, out),
        (Sampling::Cubic, 1) => cubic::remap(source, stride, taps, out),
        (Sampling::Cubic, 3) => reference::remap_cubic::<3>(source, stride, taps, out),
        _ => unreachable!("a picture has 1 or 3 channels"),
    }
}

/// Weighs four pixels of a row of 1 or 3 `channels` for each output column, in 1/[`TAP_ONE`].
pub fn sample_row(channels: usize, source: &[u8], taps: &[AxisTap], out: &mut [i32]) {
    assert_eq!(taps.len() * channels, out.len());
    match channels {
        1 => reference::sample_row::<1>(source, taps, out),
        3 => reference::sample_row::<3>(source, taps, out),
        _ => unreachable!("a picture has 1 or 3 channels"),
    }
}

/// Weighs four rows of [`sample_row`] into one row of samples.
pub fn combine_rows(rows: [&[i32]; 4], weights: [i16; 4], out: &mut [u8]) {
    assert!(rows.iter().all(|row| row.len() == out.len()));
    reference::combine_rows(rows, weights, out);
}

/// `sum += row * weight`; the caller keeps the sums below 2^32.
pub fn accumulate(sum: &mut [u32], row: &[u8], weight: u32) {
    assert_eq!(sum.len(), row.len());
    reference::accumulate(sum, row, weight);
}

/// Luma after ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B) of full-range RGB, in `f32`, rounded
/// half to even.
pub fn luma_from_rgb(rgb: &[u8], luma: &mut [u8]) {
    assert_eq!(rgb.len(), luma.len() * 3);
    int8::Path::best().run(Luma { rgb, luma });
}

struct Luma<'a> {
    rgb: &'a [u8],
    luma: &'a mut [u8],
}

impl int8::Portable for Luma<'_> {
    #[inline(always)]
    fn run(self) {
        reference::luma_from_rgb(self.rgb, self.luma);
    }
}

/// Rounds to the nearest sample, half to even, out of range to 0 or 255. NaN has no meaning.
pub fn round_row(values: &[f32], out: &mut [u8]) {
    assert_eq!(values.len(), out.len());
    reference::round_row(values, out);
}

/// Samples as `f32`, 0.0..=255.0.
pub fn widen_row(samples: &[u8], out: &mut [f32]) {
    assert_eq!(samples.len(), out.len());
    reference::widen_row(samples, out);
}

/// `out` becomes the mean of both, halves up.
pub fn blend(row: &[u8], out: &mut [u8]) {
    assert_eq!(row.len(), out.len());
    reference::blend(row, out);
}

/// `a` where `weight` is 255, `b` where it is 0, in between the rounded weighted mean.
pub fn mix(a: &[u8], b: &[u8], weight: &[u8], out: &mut [u8]) {
    assert!(a.len() == out.len() && b.len() == out.len() && weight.len() == out.len());
    reference::mix(a, b, weight, out);
}

/// `(|gx| + |gy|) / 4`, at most 255, of the 3x3 Sobel operator on a row, the one above it and the
/// one below it; columns repeat at both ends.
pub fn sobel_row(rows: [&[u8]; 3], out: &mut [u8]) {
    assert!(!out.is_empty() && rows.iter().all(|row| row.len() == out.len()));
    reference::sobel_row(rows, out);
}

/// Five rows weighed [1 4 6 4 1] / 16 (Burt and Adelson, 1983).
pub fn smooth_rows(rows: [&[f32]; 5], out: &mut [f32]) {
    assert!(rows.iter().all(|row| row.len() == out.len()));
    reference::smooth_rows(rows, out);
}

/// Every second sample of a row smoothed by [1 4 6 4 1] / 16, mirrored at both ends.
pub fn halve_row(row: &[f32], out: &mut [f32]) {
    assert!(!row.is_empty() && out.len() == row.len().div_ceil(2));
    reference::halve_row(row, out);
}

/// The even rows of a doubling: (a + 6 b + c) / 8.
pub fn double_even(rows: [&[f32]; 3], out: &mut [f32]) {
    assert!(rows.iter().all(|row| row.len() == out.len()));
    reference::double_even(rows, out);
}

/// The odd rows of a doubling: (a + b) / 2.
pub fn double_odd(rows: [&[f32]; 2], out: &mut [f32]) {
    assert!(rows.iter().all(|row| row.len() == out.len()));
    reference::double_odd(rows, out);
}

/// A row doubled: zeros put between the samples, then [1 4 6 4 1] / 8, mirrored at both ends. A
/// row of one sample stays as it is.
pub fn double_row(row: &[f32], out: &mut [f32]) {
    assert!(!out.is_empty() && row.len() == out.len().div_ceil(2));
    reference::double_row(row, out);
}

/// `out -= row`.
pub fn subtract(row: &[f32], out: &mut [f32]) {
    assert_eq!(row.len(), out.len());
    reference::subtract(row, out);
}

/// `out += row`.
pub fn add(row: &[f32], out: &mut [f32]) {
    assert_eq!(row.len(), out.len());
    reference::add(row, out);
}

/// `a` becomes the value of the larger magnitude of both; `a` itself on a tie.
pub fn keep_stronger(a: &mut [f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    reference::keep_stronger(a, b);
}

/// `a` becomes the mean of both.
pub fn keep_mean(a: &mut [f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    reference::keep_mean(a, b);
}

/// The index that `x` means on an axis of `n` samples mirrored about its end samples.
pub(crate) fn mirror(x: isize, n: usize) -> usize {
    if n <= 1 {
        return 0;
    }
    let period = 2 * (n - 1);
    let x = x.rem_euclid(period as isize) as usize;
    x.min(period - x)
}

#[cfg(test)]
mod tests;
