//! The kernels by NEON, which every aarch64 has, eight samples at a time.

use std::arch::aarch64::{
    int16x8_t, uint8x8_t, vaddq_s16, vdupq_n_s16, vld1_u8, vld1q_s16, vmax_u8, vmaxq_s16, vmin_u8,
    vminq_s16, vqaddq_s16, vqmovun_s16, vqrdmulhq_s16, vreinterpretq_s16_u16, vrshrq_n_s16,
    vshll_n_u8, vst1_u8, vst1q_s16, vsubq_s16,
};

use super::{Bounds, FRACTION, REACH, TAPS, Weights, reference};

/// Samples in a vector.
const LANES: usize = 8;
const SHIFT: i32 = FRACTION as i32;

pub(super) fn blur_across(padded: &[i16], weights: &Weights, out: &mut [i16]) {
    // SAFETY: every aarch64 that Rust knows has NEON.
    unsafe { across(padded, weights, out) }
}

pub(super) fn correct(
    rows: [&[i16]; TAPS],
    weights: &Weights,
    levels: &[u8],
    estimate: &mut [i16],
) {
    // SAFETY: every aarch64 that Rust knows has NEON.
    unsafe { down(rows, weights, levels, estimate) }
}

pub(super) fn limit(bounds: Bounds<'_>, estimate: &[i16], strength: i16, out: &mut [u8]) {
    // SAFETY: every aarch64 that Rust knows has NEON.
    unsafe { limited(bounds, estimate, strength, out) }
}

#[target_feature(enable = "neon")]
fn across(padded: &[i16], weights: &Weights, out: &mut [i16]) {
    let whole = out.len() / LANES * LANES;
    assert!(padded.len() >= whole + 2 * REACH);
    let weights_wide = splat(weights);
    for at in (0..whole).step_by(LANES) {
        // SAFETY: at + TAPS - 1 + LANES <= whole + 2 * REACH, which lies within the row.
        let tap = |tap: usize| unsafe { vld1q_s16(padded.as_ptr().add(at + tap)) };
        let sum = weigh(&weights_wide, std::array::from_fn(tap));
        // SAFETY: at + LANES <= whole <= out.len().
        unsafe { vst1q_s16(out.as_mut_ptr().add(at), sum) };
    }
    reference::blur_across(&padded[whole..], weights, &mut out[whole..]);
}

#[target_feature(enable = "neon")]
fn down(rows: [&[i16]; TAPS], weights: &Weights, levels: &[u8], estimate: &mut [i16]) {
    let whole = estimate.len() / LANES * LANES;
    assert!(levels.len() >= whole && rows.iter().all(|row| row.len() >= whole));
    let weights_wide = splat(weights);
    let (black, white) = (vdupq_n_s16(0), vdupq_n_s16(255 << FRACTION));
    for at in (0..whole).step_by(LANES) {
        // SAFETY: at + LANES <= whole, which lies within each row.
        let tap = |tap: usize| unsafe { vld1q_s16(rows[tap].as_ptr().add(at)) };
        let blurred = weigh(&weights_wide, std::array::from_fn(tap));
        // SAFETY: as above.
        let (level, old) = unsafe {
            let level = vld1_u8(levels.as_ptr().add(at));
            (widened(level), vld1q_s16(estimate.as_ptr().add(at)))
        };
        let lack = vsubq_s16(level, blurred);
        let moved = vqaddq_s16(vaddq_s16(old, lack), lack);
        let moved = vminq_s16(vmaxq_s16(moved, black), white);
        // SAFETY: as above.
        unsafe { vst1q_s16(estimate.as_mut_ptr().add(at), moved) };
    }
    let rows = rows.map(|row| &row[whole..]);
    reference::correct(rows, weights, &levels[whole..], &mut estimate[whole..]);
}

#[target_feature(enable = "neon")]
fn limited(bounds: Bounds<'_>, estimate: &[i16], strength: i16, out: &mut [u8]) {
    let Bounds { row, low, high } = bounds;
    let whole = out.len() / LANES * LANES;
    assert!(row.len() >= whole && estimate.len() >= whole);
    assert!(low.len() >= whole + 2 && high.len() >= whole + 2);
    let strength_wide = vdupq_n_s16(strength);
    for at in (0..whole).step_by(LANES) {
        // SAFETY: at + 2 + LANES <= whole + 2, which lies within `low` and `high`.
        let (least, most) = unsafe {
            let bytes =
                |from: &[u8], tap: usize| -> uint8x8_t { vld1_u8(from.as_ptr().add(at + tap)) };
            let least = vmin_u8(bytes(low, 0), bytes(low, 1));
            let most = vmax_u8(bytes(high, 0), bytes(high, 1));
            (vmin_u8(least, bytes(low, 2)), vmax_u8(most, bytes(high, 2)))
        };
        // SAFETY: at + LANES <= whole, which lies within both.
        let (level, wanted) = unsafe {
            let level = vld1_u8(row.as_ptr().add(at));
            (widened(level), vld1q_s16(estimate.as_ptr().add(at)))
        };
        let (least, most) = (widened(least), widened(most));
        let range = vsubq_s16(most, least);
        let wanted = vmaxq_s16(wanted, vsubq_s16(least, range));
        let wanted = vminq_s16(wanted, vqaddq_s16(most, range));
        let step = vqrdmulhq_s16(vsubq_s16(wanted, level), strength_wide);
        let levels = vqmovun_s16(vrshrq_n_s16::<SHIFT>(vaddq_s16(level, step)));
        // SAFETY: at + LANES <= whole <= out.len().
        unsafe { vst1_u8(out.as_mut_ptr().add(at), levels) };
    }
    let rest = Bounds {
        row: &row[whole..],
        low: &low[whole..],
        high: &high[whole..],
    };
    reference::limit(rest, &estimate[whole..], strength, &mut out[whole..]);
}

#[inline]
#[target_feature(enable = "neon")]
fn splat(weights: &Weights) -> [int16x8_t; REACH + 1] {
    weights.map(|weight| vdupq_n_s16(weight))
}

/// Eight grey levels in 1/64.
#[inline]
#[target_feature(enable = "neon")]
fn widened(bytes: uint8x8_t) -> int16x8_t {
    vreinterpretq_s16_u16(vshll_n_u8::<SHIFT>(bytes))
}

#[inline]
#[target_feature(enable = "neon")]
fn weigh(weights: &[int16x8_t; REACH + 1], taps: [int16x8_t; TAPS]) -> int16x8_t {
    let mut sum = vqrdmulhq_s16(taps[REACH], weights[0]);
    for away in 1..=REACH {
        let both = vaddq_s16(taps[REACH - away], taps[REACH + away]);
        sum = vaddq_s16(sum, vqrdmulhq_s16(both, weights[away]));
    }
    sum
}
