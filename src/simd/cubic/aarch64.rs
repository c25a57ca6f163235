//! [`super::remap`] by NEON, which every aarch64 has.
//!
//! The four columns of a pixel's taps are weighed down, then across. The sums of four pixels are
//! added up together.

use std::arch::aarch64::{
    int16x4_t, int32x4_t, uint8x8_t, vcombine_u16, vdup_n_u32, vget_lane_u32, vget_low_s16,
    vld1_s16, vmlal_high_lane_s16, vmlal_lane_s16, vmovl_s16, vmovl_u8, vmull_lane_s16, vmulq_s32,
    vpaddq_s32, vqmovn_u16, vqmovun_s32, vreinterpret_u8_u32, vreinterpret_u32_u8,
    vreinterpretq_s16_u16, vrshrq_n_s32, vset_lane_u32,
};

use super::super::Taps;
use super::super::reference::CUBIC;
use super::{TOGETHER, over_blocks};

pub(super) fn remap(source: &[u8], stride: usize, taps: Taps, out: &mut [u8]) {
    over_blocks(source, stride, taps, out, |windows, fractions| {
        // SAFETY: every aarch64 that Rust knows has NEON.
        unsafe { sample(windows, stride, fractions) }
    });
}

#[inline]
#[target_feature(enable = "neon")]
fn sample(
    windows: [&[u8]; TOGETHER],
    stride: usize,
    fractions: &[[u8; 2]; TOGETHER],
) -> [u8; TOGETHER] {
    let sums = |i: usize| weighed(windows[i], stride, fractions[i]);
    let first = vpaddq_s32(sums(0), sums(1));
    let second = vpaddq_s32(sums(2), sums(3));
    // As `to_u8` of the reference: rounded, then drawn into a byte by both narrowings.
    let words = vqmovun_s32(vrshrq_n_s32::<22>(vpaddq_s32(first, second)));
    let levels = vqmovn_u16(vcombine_u16(words, words));
    vget_lane_u32::<0>(vreinterpret_u32_u8(levels)).to_le_bytes()
}

/// What the 16 taps of a pixel add up to, a part for each column.
#[inline]
#[target_feature(enable = "neon")]
fn weighed(window: &[u8], stride: usize, [fx, fy]: [u8; 2]) -> int32x4_t {
    assert!(window.len() == 3 * stride + 4);
    // SAFETY: row j begins at j strides, and the last of them has the window's last four bytes.
    let row = |j: usize| unsafe {
        let at = window.as_ptr().add(j * stride);
        at.cast::<u32>().read_unaligned()
    };
    let two = |j: usize| -> uint8x8_t {
        vreinterpret_u8_u32(vset_lane_u32::<1>(row(j + 1), vdup_n_u32(row(j))))
    };
    let top = vreinterpretq_s16_u16(vmovl_u8(two(0)));
    let bottom = vreinterpretq_s16_u16(vmovl_u8(two(2)));
    let down = weights(fy);
    let mut columns = vmull_lane_s16::<0>(vget_low_s16(top), down);
    columns = vmlal_high_lane_s16::<1>(columns, top, down);
    columns = vmlal_lane_s16::<2>(columns, vget_low_s16(bottom), down);
    columns = vmlal_high_lane_s16::<3>(columns, bottom, down);
    vmulq_s32(columns, vmovl_s16(weights(fx)))
}

/// Four weights of 16 bit.
#[inline]
#[target_feature(enable = "neon")]
fn weights(fraction: u8) -> int16x4_t {
    // SAFETY: a row of weights has four of them.
    unsafe { vld1_s16(CUBIC[usize::from(fraction)].as_ptr()) }
}
