//! A grey picture sampled between 4x4 pixels, as thermal pictures are: one position a pixel.
//!
//! Input and output: see [`super::remap`], whose checks come before. Thread: any. Blocks: never.
//! Allocates: never. Fails when: a tap lies outside the source (a panic: a caller's mistake). Not its
//! job: tables.
//!
//! Both processors take four output pixels at a time; what is left over, and every other
//! processor, goes to [`mod@super::reference`]. All arithmetic is of integers that fit, so the order of
//! sums is free.

#[cfg(target_arch = "aarch64")]
#[expect(unsafe_code, reason = "vector instructions")]
mod aarch64;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector instructions")]
mod x86;

use super::{Taps, reference};

/// Pixels that are sampled together.
const TOGETHER: usize = 4;

/// Samples `source`, one channel, `stride` pixels a row.
pub(super) fn remap(source: &[u8], stride: usize, taps: Taps, out: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        return x86::remap(source, stride, taps, out);
    }
    #[cfg(target_arch = "aarch64")]
    return aarch64::remap(source, stride, taps, out);
    #[cfg(not(target_arch = "aarch64"))]
    reference::remap_cubic::<1>(source, stride, taps, out);
}

/// Whole blocks by `sample`, the rest by the reference. Inlined, so that it is compiled for the
/// processor of `sample`.
#[inline(always)]
fn over_blocks(
    source: &[u8],
    stride: usize,
    taps: Taps,
    out: &mut [u8],
    sample: impl Fn([&[u8]; TOGETHER], &[[u8; 2]; TOGETHER]) -> [u8; TOGETHER],
) {
    let (offsets, left_offsets) = taps.offsets.as_chunks();
    let (fractions, left_fractions) = taps.fractions.as_chunks();
    let (whole, left) = out.as_chunks_mut();
    assert!(
        whole.is_empty() || stride <= source.len() / 3,
        "out of range"
    );
    // From the first of a pixel's 4x4 taps to the last one.
    let span = 3 * stride + 4;
    for ((out, at), fractions) in whole.iter_mut().zip(offsets).zip(fractions) {
        let windows = at.map(|at| &source[at as usize..][..span]);
        *out = sample(windows, fractions);
    }
    let taps = Taps {
        offsets: left_offsets,
        fractions: left_fractions,
    };
    reference::remap_cubic::<1>(source, stride, taps, left);
}
