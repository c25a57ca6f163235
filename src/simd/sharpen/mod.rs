//! Rows of a bounded deconvolution: a symmetric blur across and down, a correction, a limit.
//!
//! Thread: any. Blocks: never. Allocates: never. Fails when: slices do not fit (a panic: a caller's
//! mistake). Who puts the rows together: `clean::sharpen`.
//!
//! Levels are grey levels in 1/64, 0..=[`MOST`], in 16 bit. All arithmetic is of integers; a product is
//! rounded as one instruction of both processors rounds it. What is left over behind the last whole
//! vector, and every other processor, goes to [`mod@reference`].

#[cfg(target_arch = "aarch64")]
#[expect(unsafe_code, reason = "vector instructions")]
mod aarch64;
pub mod reference;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector instructions")]
mod x86;

/// Fraction bits of a level.
pub const FRACTION: u32 = 6;
/// The largest level that rows may hold: two of them add up in 16 bit.
pub const MOST: i16 = (1 << 14) - 1;
/// Samples on each side of a blur's centre.
pub const REACH: usize = 3;
/// Samples of a blur.
pub const TAPS: usize = 2 * REACH + 1;

/// Weights of a symmetric blur of [`TAPS`] samples from its centre outwards, in 1/2^15: the first and
/// twice the others add up to 2^15 at most.
pub type Weights = [i16; REACH + 1];

/// One picture row to limit: what it holds, and the extremes of the column of three samples around each
/// sample, with one more at both ends.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// Grey levels as they were.
    pub row: &'a [u8],
    /// Of the row, the one above and the one below the least; one sample more on each side.
    pub low: &'a [u8],
    /// The most.
    pub high: &'a [u8],
}

/// Runs `$kernel` of this processor.
macro_rules! dispatch {
    ($kernel:ident ( $($argument:expr),* )) => {{
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            return x86::$kernel($($argument),*);
        }
        #[cfg(target_arch = "aarch64")]
        return aarch64::$kernel($($argument),*);
        #[cfg(not(target_arch = "aarch64"))]
        reference::$kernel($($argument),*);
    }};
}

/// Blurs a row of levels that carries [`REACH`] more samples on each side than `out`.
pub fn blur_across(padded: &[i16], weights: &Weights, out: &mut [i16]) {
    assert_eq!(padded.len(), out.len() + 2 * REACH);
    dispatch!(blur_across(padded, weights, out));
}

/// Blurs down and moves `estimate` by twice what the blurred estimate lacks from `levels` (Van Cittert,
/// 1931, with a relaxation of 2): `estimate += 2 (64 levels - blurred)`, kept within 0..=64 * 255.
/// `rows`: seven rows of [`blur_across`], the middle one is that of the estimate.
pub fn correct(rows: [&[i16]; TAPS], weights: &Weights, levels: &[u8], estimate: &mut [i16]) {
    assert_eq!(levels.len(), estimate.len());
    assert!(rows.iter().all(|row| row.len() == levels.len()));
    dispatch!(correct(rows, weights, levels, estimate));
}

/// A row of grey levels moved towards `estimate` by `strength` (in 1/2^15). The estimate is first brought
/// within the range of the 3x3 samples around, widened by that range at both ends: an edge overshoots
/// by no more than its own height.
pub fn limit(bounds: Bounds<'_>, estimate: &[i16], strength: i16, out: &mut [u8]) {
    let n = out.len();
    assert!(bounds.row.len() == n && estimate.len() == n);
    assert!(bounds.low.len() == n + 2 && bounds.high.len() == n + 2);
    dispatch!(limit(bounds, estimate, strength, out));
}

/// The least and the most of three rows, sample by sample.
pub fn extremes(rows: [&[u8]; 3], low: &mut [u8], high: &mut [u8]) {
    assert_eq!(low.len(), high.len());
    assert!(rows.iter().all(|row| row.len() == low.len()));
    // Compilers make vector instructions of it on every processor.
    reference::extremes(rows, low, high);
}
