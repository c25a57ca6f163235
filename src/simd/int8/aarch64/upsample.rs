//! [`super::super::cells::upsample`] on vectors: 16 channels of a cell in registers.
//!
//! Input and output: see [`Upsampling`]. Thread: any. Blocks: never. Allocates: never. Fails when:
//! slices do not fit (a panic). Not its job: a part of a block.
//!
//! Cells of one place in their coarse cell follow each other, so that its taps stay in registers.

use std::arch::aarch64::{
    int16x8_t, vaddq_f32, vcvtq_f32_s32, vdupq_n_f32, vdupq_n_s16, vget_low_s16, vld1q_s16,
    vmlaq_s16, vmovl_high_s16, vmovl_s16, vmulq_f32,
};

use super::super::CELL;
use super::super::upsample::{Position, Upsampling};
use super::finish::{put_levels, vectors, widen};
use super::{BLOCK, VECTORS};

/// Channels of a block: two halves.
const ALL: usize = super::super::BLOCK;

/// One block of channels, of which there are all: adds the grid to the features of every cell of
/// the rows from `top` on.
pub(in super::super) fn upsample_block(
    job: &Upsampling<'_>,
    (positions, grid): (&[Position], &[[i16; ALL]]),
    first: usize,
    (top, out): (usize, &mut [i8]),
) {
    let (channels, width) = (job.channels(), job.width);
    let (columns, row) = (width / CELL + 2, width * channels);
    let features = job.features[top * row..].chunks_exact(row);
    for (y, (out, features)) in (top..).zip(out.chunks_exact_mut(row).zip(features)) {
        let rows = [0, 1, 2].map(|row| &grid[(y / CELL + row) * columns..][..columns]);
        for (dx, position) in positions[y % CELL * CELL..][..CELL].iter().enumerate() {
            for half in [0, BLOCK] {
                let at = (dx * channels + first + half, CELL * channels);
                every_cell(
                    job.factor,
                    (position, half),
                    rows,
                    (features, &mut *out, at),
                );
            }
        }
    }
}

/// Half a block of channels of every fourth cell in a row: of those at `start`, `start + step`...
#[inline(always)]
fn every_cell(
    factor: f32,
    (position, half): (&Position, usize),
    rows: [&[[i16; ALL]]; 3],
    (features, out, (start, step)): (&[i8], &mut [i8], (usize, usize)),
) {
    let taps = position.taps.each_ref().map(|taps| sixteen(taps, half));
    let part = |values: &[f32; ALL]| vectors(values[half..].first_chunk().unwrap_or(&[0.0; BLOCK]));
    let (scale, bias) = (part(&position.factor), part(&position.bias));
    let cells = out[start..]
        .chunks_mut(step)
        .zip(features[start..].chunks(step));
    let grids = rows[0]
        .windows(3)
        .zip(rows[1].windows(3))
        .zip(rows[2].windows(3));
    for ((out, features), ((above, middle), below)) in cells.zip(grids) {
        let (Some(features), Some(out)) = (
            features.first_chunk::<BLOCK>(),
            out.first_chunk_mut::<BLOCK>(),
        ) else {
            continue;
        };
        // SAFETY: the target has NEON; the features are half a block.
        unsafe {
            let mut sums = [vdupq_n_s16(0); 2];
            for (row, grid) in [above, middle, below].into_iter().enumerate() {
                for (column, grid) in grid.iter().enumerate() {
                    let (grid, tap) = (sixteen(grid, half), taps[row * 3 + column]);
                    for i in 0..2 {
                        sums[i] = vmlaq_s16(sums[i], grid[i], tap[i]);
                    }
                }
            }
            let sums = [
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(sums[0]))),
                vcvtq_f32_s32(vmovl_high_s16(sums[0])),
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(sums[1]))),
                vcvtq_f32_s32(vmovl_high_s16(sums[1])),
            ];
            let factor = vdupq_n_f32(factor);
            let mut levels = widen(features.as_ptr());
            for i in 0..VECTORS {
                let value = vaddq_f32(bias[i], vmulq_f32(sums[i], scale[i]));
                levels[i] = vaddq_f32(vmulq_f32(levels[i], factor), value);
            }
            put_levels(levels, -127.0, out);
        }
    }
}

/// Half a block.
#[inline(always)]
fn sixteen(values: &[i16; ALL], half: usize) -> [int16x8_t; 2] {
    let values = values[half..].first_chunk::<BLOCK>().unwrap_or(&[0; BLOCK]);
    // SAFETY: the target has NEON; there are 16 values.
    unsafe {
        [
            vld1q_s16(values.as_ptr()),
            vld1q_s16(values.as_ptr().add(8)),
        ]
    }
}
