//! [`super::remap`] by AVX2.
//!
//! A pixel's 16 taps fill a vector of 16 bit: weighed across and added in pairs, then weighed down. The
//! sums of four pixels are added up together.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi32, _mm_cvtsi32_si128, _mm_cvtsi128_si32, _mm_loadl_epi64,
    _mm_packs_epi32, _mm_packus_epi16, _mm_set1_epi32, _mm_srai_epi32, _mm_unpacklo_epi16,
    _mm_unpacklo_epi32, _mm_unpacklo_epi64, _mm256_broadcastq_epi64, _mm256_castsi256_si128,
    _mm256_cvtepi16_epi32, _mm256_cvtepu8_epi16, _mm256_extracti128_si256, _mm256_hadd_epi32,
    _mm256_madd_epi16, _mm256_mullo_epi32,
};

use super::super::Taps;
use super::super::reference::CUBIC;
use super::{TOGETHER, over_blocks};

/// On a processor with AVX2.
pub(super) fn remap(source: &[u8], stride: usize, taps: Taps, out: &mut [u8]) {
    #[target_feature(enable = "avx2")]
    fn wide(source: &[u8], stride: usize, taps: Taps, out: &mut [u8]) {
        over_blocks(source, stride, taps, out, |windows, fractions| {
            sample(windows, stride, fractions)
        });
    }
    // SAFETY: the caller has detected the feature.
    unsafe { wide(source, stride, taps, out) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn sample(
    windows: [&[u8]; TOGETHER],
    stride: usize,
    fractions: &[[u8; 2]; TOGETHER],
) -> [u8; TOGETHER] {
    let sums = |i: usize| weighed(windows[i], stride, fractions[i]);
    let first = _mm256_hadd_epi32(sums(0), sums(1));
    let second = _mm256_hadd_epi32(sums(2), sums(3));
    let halves = _mm256_hadd_epi32(first, second);
    let low = _mm256_castsi256_si128(halves);
    let sums = _mm_add_epi32(low, _mm256_extracti128_si256::<1>(halves));
    // As `to_u8` of the reference: rounded, then drawn into a byte by both packs.
    let levels = _mm_srai_epi32::<22>(_mm_add_epi32(sums, _mm_set1_epi32(1 << 21)));
    let words = _mm_packs_epi32(levels, levels);
    _mm_cvtsi128_si32(_mm_packus_epi16(words, words)).to_le_bytes()
}

/// What the 16 taps of a pixel add up to, in eight parts.
#[inline]
#[target_feature(enable = "avx2")]
fn weighed(window: &[u8], stride: usize, [fx, fy]: [u8; 2]) -> __m256i {
    assert!(window.len() == 3 * stride + 4);
    // SAFETY: row j begins at j strides, and the last of them has the window's last four bytes.
    let row = |j: usize| unsafe {
        let at = window.as_ptr().add(j * stride);
        _mm_cvtsi32_si128(at.cast::<i32>().read_unaligned())
    };
    let top = _mm_unpacklo_epi32(row(0), row(1));
    let bottom = _mm_unpacklo_epi32(row(2), row(3));
    let samples = _mm256_cvtepu8_epi16(_mm_unpacklo_epi64(top, bottom));
    let pairs = _mm256_madd_epi16(samples, _mm256_broadcastq_epi64(weights(fx)));
    // The two pairs of a row are weighed alike.
    let down = weights(fy);
    _mm256_mullo_epi32(pairs, _mm256_cvtepi16_epi32(_mm_unpacklo_epi16(down, down)))
}

/// Four weights of 16 bit.
#[inline]
#[target_feature(enable = "avx2")]
fn weights(fraction: u8) -> __m128i {
    let row = &CUBIC[usize::from(fraction)];
    // SAFETY: a row of weights has eight bytes; no alignment is asked for.
    unsafe { _mm_loadl_epi64(row.as_ptr().cast::<__m128i>()) }
}
