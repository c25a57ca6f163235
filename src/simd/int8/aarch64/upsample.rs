//! [`super::super::cells::upsample`] on vectors: 16 channels of a cell in registers.
//!
//! Input and output: see [`Upsampling`]. Thread: any. Blocks: never. Allocates: never. Fails when:
//! slices do not fit (a panic). Not its job: a part of a block.
//!
//! The compiler keeps the 32 values of a block in memory, which takes six times the instructions.

use std::arch::aarch64::{vaddq_f32, vdupq_n_f32, vmulq_f32};

use super::super::CELL;
use super::super::upsample::{Position, Upsampling};
use super::finish::{put_levels, vectors, widen};
use super::{BLOCK, VECTORS};

/// One block of channels, of which there are all: adds the grid to the features of every cell.
pub(in super::super) fn upsample_block(
    job: &Upsampling<'_>,
    (positions, grid): (&[Position], &[[f32; super::super::BLOCK]]),
    first: usize,
    out: &mut [i8],
) {
    let (channels, width) = (job.channels(), job.width);
    let columns = width / CELL + 2;
    let features = job.features.chunks_exact(channels);
    for (cell, (out, features)) in out.chunks_exact_mut(channels).zip(features).enumerate() {
        let (y, x) = (cell / width, cell % width);
        let position = &positions[y % CELL * CELL + x % CELL];
        let corner = y / CELL * columns + x / CELL;
        let rows = [0, 1, 2].map(|row| &grid[corner + row * columns..][..3]);
        for half in [0, BLOCK] {
            let part = |values: &[f32; super::super::BLOCK]| {
                vectors(values[half..].first_chunk().unwrap_or(&[0.0; BLOCK]))
            };
            let (Some(features), Some(out)) = (
                features[first + half..].first_chunk::<BLOCK>(),
                out[first + half..].first_chunk_mut::<BLOCK>(),
            ) else {
                continue;
            };
            let mut values = part(&position[0]);
            // SAFETY: the target has NEON; the features are a whole block.
            unsafe {
                for row in 0..3 {
                    for column in 0..3 {
                        let (grid, tap) = (
                            part(&rows[row][column]),
                            part(&position[1 + row * 3 + column]),
                        );
                        for i in 0..VECTORS {
                            values[i] = vaddq_f32(values[i], vmulq_f32(grid[i], tap[i]));
                        }
                    }
                }
                let factor = vdupq_n_f32(job.factor);
                let mut levels = widen(features.as_ptr());
                for i in 0..VECTORS {
                    levels[i] = vaddq_f32(vmulq_f32(levels[i], factor), values[i]);
                }
                put_levels(levels, -127.0, out);
            }
        }
    }
}
