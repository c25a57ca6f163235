//! Between planes of pixels and features of cells: 4 x 4 pixels are a cell, 4 x 4 cells are a
//! coarse cell.
//!
//! Input and output: slices whose sizes are asserted. Thread: any. Blocks: never. Allocates: some
//! rows. Fails when: slices do not fit (a panic: a caller's mistake). Not its job: the convolution.
//!
//! Single `f32` additions and multiplications in the order written: the same bytes everywhere.

use super::activity::Activity;
use super::{CELL, Level};

/// Pixels of a cell.
pub(super) const PIXELS: usize = CELL * CELL;

/// Channels of the features of two planes and their activity.
const FEATURES: usize = 3 * PIXELS;

/// Where [`quantise_cells`] puts pixel (dy, dx) of plane `plane`, and
/// [`super::blend_cells`] finds it.
pub fn depth_order(plane: usize, dy: usize, dx: usize) -> usize {
    plane * PIXELS + dy * CELL + dx
}

/// Two planes of `height` x `width` pixels in 0..=1 to features `[height/4, width/4, 48]`: pixel
/// values times `steps` (at most 255), less 128, in -127..=127; then which one is the more active,
/// where a gradient energy of `floor` counts as none (see `activity`).
pub fn quantise_cells(
    planes: [&[f32]; 2],
    width: usize,
    (steps, floor): (f32, f32),
    out: &mut [i8],
) {
    assert!(width > 0 && width.is_multiple_of(CELL));
    assert!(planes.iter().all(|plane| plane.len() == out.len() / 3));
    let mut activity = Activity::new(planes, width, steps, floor);
    let mut levels = vec![0; width];
    for (y, row) in out.chunks_exact_mut(width / CELL * FEATURES).enumerate() {
        let (cells, _) = row.as_chunks_mut::<FEATURES>();
        for dy in 0..CELL {
            for (i, plane) in planes.iter().enumerate() {
                let pixels = &plane[(y * CELL + dy) * width..][..width];
                let at = depth_order(i, dy, 0);
                for (cell, pixels) in cells.iter_mut().zip(pixels.as_chunks::<CELL>().0) {
                    for dx in 0..CELL {
                        cell[at + dx] = i8::of(pixels[dx] * steps - 128.0);
                    }
                }
            }
            activity.next_row(&mut levels);
            let at = depth_order(2, dy, 0);
            for (cell, levels) in cells.iter_mut().zip(levels.as_chunks::<CELL>().0) {
                cell[at..at + CELL].copy_from_slice(levels);
            }
        }
    }
}

/// Means of 4 x 4 cells, times `factor` (from the input's levels to the output's): features
/// `[height, width, channels]` to `[height/4, width/4, channels]`.
pub fn pool_cells(
    input: &[i8],
    (height, width, channels): (usize, usize, usize),
    factor: f32,
    out: &mut [i8],
) {
    assert!(height.is_multiple_of(CELL) && width.is_multiple_of(CELL) && channels > 0);
    assert!(input.len() == height * width * channels && input.len() == out.len() * PIXELS);
    let factor = factor / PIXELS as f32;
    let mut sums = vec![0_i16; width / CELL * channels];
    let bands = input.chunks_exact(CELL * width * channels);
    for (band, out) in bands.zip(out.chunks_exact_mut(sums.len())) {
        sums.fill(0);
        for row in band.chunks_exact(width * channels) {
            let coarse = row.chunks_exact(CELL * channels);
            for (sums, cells) in sums.chunks_exact_mut(channels).zip(coarse) {
                for cell in cells.chunks_exact(channels) {
                    for (sum, &value) in sums.iter_mut().zip(cell) {
                        *sum += i16::from(value); // at most 16 * 127
                    }
                }
            }
        }
        for (to, &sum) in out.iter_mut().zip(&sums) {
            *to = i8::of(f32::from(sum) * factor);
        }
    }
}
