//! The kernels by AVX2, sixteen samples at a time. Each is called where AVX2 was detected.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_max_epu8, _mm_min_epu8, _mm_storeu_si128,
    _mm256_add_epi16, _mm256_adds_epi16, _mm256_castsi256_si128, _mm256_cvtepu8_epi16,
    _mm256_loadu_si256, _mm256_max_epi16, _mm256_min_epi16, _mm256_mulhrs_epi16,
    _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_setzero_si256,
    _mm256_slli_epi16, _mm256_srai_epi16, _mm256_storeu_si256, _mm256_sub_epi16,
};

use super::{Bounds, FRACTION, REACH, TAPS, Weights, reference};

/// Samples in a vector.
const LANES: usize = 16;
const SHIFT: i32 = FRACTION as i32;

pub(super) fn blur_across(padded: &[i16], weights: &Weights, out: &mut [i16]) {
    // SAFETY: the caller has detected the feature.
    unsafe { across(padded, weights, out) }
}

pub(super) fn correct(
    rows: [&[i16]; TAPS],
    weights: &Weights,
    levels: &[u8],
    estimate: &mut [i16],
) {
    // SAFETY: the caller has detected the feature.
    unsafe { down(rows, weights, levels, estimate) }
}

pub(super) fn limit(bounds: Bounds<'_>, estimate: &[i16], strength: i16, out: &mut [u8]) {
    // SAFETY: the caller has detected the feature.
    unsafe { limited(bounds, estimate, strength, out) }
}

#[target_feature(enable = "avx2")]
fn across(padded: &[i16], weights: &Weights, out: &mut [i16]) {
    let whole = out.len() / LANES * LANES;
    assert!(padded.len() >= whole + 2 * REACH);
    let weights_wide = splat(weights);
    for at in (0..whole).step_by(LANES) {
        // SAFETY: at + TAPS - 1 + LANES <= whole + 2 * REACH, which lies within the row.
        let tap = |tap: usize| unsafe { load(padded.as_ptr().add(at + tap)) };
        let sum = weigh(&weights_wide, std::array::from_fn(tap));
        // SAFETY: at + LANES <= whole <= out.len().
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().add(at).cast(), sum) };
    }
    reference::blur_across(&padded[whole..], weights, &mut out[whole..]);
}

#[target_feature(enable = "avx2")]
fn down(rows: [&[i16]; TAPS], weights: &Weights, levels: &[u8], estimate: &mut [i16]) {
    let whole = estimate.len() / LANES * LANES;
    assert!(levels.len() >= whole && rows.iter().all(|row| row.len() >= whole));
    let weights_wide = splat(weights);
    let (black, white) = (_mm256_setzero_si256(), _mm256_set1_epi16(255 << FRACTION));
    for at in (0..whole).step_by(LANES) {
        // SAFETY: at + LANES <= whole, which lies within each row.
        let tap = |tap: usize| unsafe { load(rows[tap].as_ptr().add(at)) };
        let blurred = weigh(&weights_wide, std::array::from_fn(tap));
        // SAFETY: as above.
        let (level, old) = unsafe {
            let level = _mm_loadu_si128(levels.as_ptr().add(at).cast());
            (widened(level), load(estimate.as_ptr().add(at)))
        };
        let lack = _mm256_sub_epi16(level, blurred);
        let moved = _mm256_adds_epi16(_mm256_add_epi16(old, lack), lack);
        let moved = _mm256_min_epi16(_mm256_max_epi16(moved, black), white);
        // SAFETY: as above.
        unsafe { _mm256_storeu_si256(estimate.as_mut_ptr().add(at).cast(), moved) };
    }
    let rows = rows.map(|row| &row[whole..]);
    reference::correct(rows, weights, &levels[whole..], &mut estimate[whole..]);
}

#[target_feature(enable = "avx2")]
fn limited(bounds: Bounds<'_>, estimate: &[i16], strength: i16, out: &mut [u8]) {
    let Bounds { row, low, high } = bounds;
    let whole = out.len() / LANES * LANES;
    assert!(row.len() >= whole && estimate.len() >= whole);
    assert!(low.len() >= whole + 2 && high.len() >= whole + 2);
    let strength_wide = _mm256_set1_epi16(strength);
    let half = _mm256_set1_epi16(1 << (FRACTION - 1));
    for at in (0..whole).step_by(LANES) {
        // SAFETY: at + 2 + LANES <= whole + 2, which lies within `low` and `high`.
        let (least, most) = unsafe {
            let bytes = |from: &[u8], tap: usize| -> __m128i {
                _mm_loadu_si128(from.as_ptr().add(at + tap).cast())
            };
            let least = _mm_min_epu8(bytes(low, 0), bytes(low, 1));
            let most = _mm_max_epu8(bytes(high, 0), bytes(high, 1));
            (
                _mm_min_epu8(least, bytes(low, 2)),
                _mm_max_epu8(most, bytes(high, 2)),
            )
        };
        // SAFETY: at + LANES <= whole, which lies within both.
        let (level, wanted) = unsafe {
            let level = _mm_loadu_si128(row.as_ptr().add(at).cast());
            (widened(level), load(estimate.as_ptr().add(at)))
        };
        let (least, most) = (widened(least), widened(most));
        let range = _mm256_sub_epi16(most, least);
        let wanted = _mm256_max_epi16(wanted, _mm256_sub_epi16(least, range));
        let wanted = _mm256_min_epi16(wanted, _mm256_adds_epi16(most, range));
        let step = _mm256_mulhrs_epi16(_mm256_sub_epi16(wanted, level), strength_wide);
        let moved = _mm256_add_epi16(_mm256_add_epi16(level, step), half);
        let levels = _mm256_srai_epi16::<SHIFT>(moved);
        let packed = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi16(levels, levels));
        // SAFETY: at + LANES <= whole <= out.len().
        unsafe {
            let to = out.as_mut_ptr().add(at).cast();
            _mm_storeu_si128(to, _mm256_castsi256_si128(packed));
        }
    }
    let rest = Bounds {
        row: &row[whole..],
        low: &low[whole..],
        high: &high[whole..],
    };
    reference::limit(rest, &estimate[whole..], strength, &mut out[whole..]);
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(weights: &Weights) -> [__m256i; REACH + 1] {
    weights.map(|weight| _mm256_set1_epi16(weight))
}

/// # Safety
/// Sixteen samples lie at `from`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(from: *const i16) -> __m256i {
    // SAFETY: the caller's promise; no alignment is asked for.
    unsafe { _mm256_loadu_si256(from.cast()) }
}

/// Sixteen grey levels in 1/64.
#[inline]
#[target_feature(enable = "avx2")]
fn widened(bytes: __m128i) -> __m256i {
    _mm256_slli_epi16::<SHIFT>(_mm256_cvtepu8_epi16(bytes))
}

#[inline]
#[target_feature(enable = "avx2")]
fn weigh(weights: &[__m256i; REACH + 1], taps: [__m256i; TAPS]) -> __m256i {
    let mut sum = _mm256_mulhrs_epi16(taps[REACH], weights[0]);
    for away in 1..=REACH {
        let both = _mm256_add_epi16(taps[REACH - away], taps[REACH + away]);
        sum = _mm256_add_epi16(sum, _mm256_mulhrs_epi16(both, weights[away]));
    }
    sum
}
