//! The fused picture from the network's maps: fine detail by each pixel's weight, levels by the
//! weights' means.
//!
//! Input: maps of cells, two planes. Output: a plane. Thread: any. Blocks: never. Allocates: the
//! means of the cells, 1/8 of a plane. Fails when: slices do not fit (a panic: a caller's mistake).
//! Not its job: what the maps say.
//!
//! With w the weight of a, c = a - b, and W and C their means over 4 x 4 pixels brought up
//! bilinearly: fused = b + w (c - C) + W C + d. Two bands of a pyramid (Burt and Adelson 1983).

use super::CELL;
use super::cells::{PIXELS, depth_order};
use super::exponential::{sigmoid, within};

/// Channels of the maps: weights, then detail.
const MAPS: usize = 2 * PIXELS;

/// Share of a pixel's own cell, by its place in the cell, along one axis; the next cell has the
/// rest.
const OWN: [f32; CELL] = [0.625, 0.875, 0.875, 0.625];

/// Means of w and of c of a row of cells, with a border of zeros on each side.
type Means = [f32; 2];

/// fused = clip(b + w (c - C) + W C + d), with w the sigmoid of the first 16 channels of `maps`
/// `[height/4, width/4, 32]` and d the other 16 within `detail`; planes of `width` pixels a row.
pub fn blend_cells(maps: &[f32], planes: [&[f32]; 2], width: usize, detail: f32, out: &mut [f32]) {
    assert!(width > 0 && width.is_multiple_of(CELL) && out.len().is_multiple_of(width * CELL));
    assert!(maps.len() == 2 * out.len() && planes.iter().all(|p| p.len() == out.len()));
    let columns = width / CELL + 2;
    let rows = out.len() / (width * CELL) + 2;
    let mut means = vec![[0.0; 2]; rows * columns];
    let lines = maps.chunks_exact(width / CELL * MAPS);
    for (y, cells) in lines.clone().enumerate() {
        let band = y * CELL * width..(y + 1) * CELL * width;
        let means = &mut means[(y + 1) * columns + 1..][..width / CELL];
        let [a, b] = planes.map(|plane| &plane[band.clone()]);
        weigh(cells, [a, b], &mut out[band], means);
    }
    let mut between = vec![[0.0; 2]; columns];
    for (y, out) in out.chunks_exact_mut(width).enumerate() {
        let (cells, _) = maps[y / CELL * (width / CELL) * MAPS..].as_chunks::<MAPS>();
        interpolate_rows(&means[y / CELL * columns..], y % CELL, &mut between);
        let [a, b] = planes.map(|plane| &plane[y * width..][..width]);
        let at = depth_order(1, y % CELL, 0);
        mix((cells, at, detail), [a, b], &between, out);
    }
}

/// Weights of a row of cells into `weights`, their means and those of a - b into `means`.
fn weigh(cells: &[f32], [a, b]: [&[f32]; 2], weights: &mut [f32], means: &mut [Means]) {
    let width = weights.len() / CELL;
    for dy in 0..CELL {
        let at = depth_order(0, dy, 0);
        let [a, b] = [a, b].map(|plane| plane[dy * width..][..width].as_chunks::<CELL>().0);
        let pixels = weights[dy * width..][..width].as_chunks_mut::<CELL>().0;
        let pictures = a.iter().zip(b);
        let cells = cells.as_chunks::<MAPS>().0.iter();
        for (((to, mean), (a, b)), cell) in
            pixels.iter_mut().zip(&mut *means).zip(pictures).zip(cells)
        {
            let mut sums = [0.0; 2];
            for i in 0..CELL {
                to[i] = sigmoid(cell[at + i]);
            }
            for i in 0..CELL {
                sums[0] += to[i];
                sums[1] += a[i] - b[i];
            }
            for (mean, sum) in mean.iter_mut().zip(sums) {
                *mean += sum * (1.0 / PIXELS as f32);
            }
        }
    }
}

/// Row `dy` of a cell between the first three rows of `means`.
fn interpolate_rows(means: &[Means], dy: usize, out: &mut [Means]) {
    let columns = out.len();
    let own = &means[columns..][..columns];
    let next = &means[if dy < CELL / 2 { 0 } else { 2 * columns }..][..columns];
    for ((to, own), next) in out.iter_mut().zip(own).zip(next) {
        for i in 0..2 {
            to[i] = own[i] * OWN[dy] + next[i] * (1.0 - OWN[dy]);
        }
    }
}

/// One row of pixels, whose weights stand in `out`.
fn mix(
    (cells, at, detail): (&[[f32; MAPS]], usize, f32),
    [a, b]: [&[f32]; 2],
    between: &[Means],
    out: &mut [f32],
) {
    let pixels = out.as_chunks_mut::<CELL>().0.iter_mut();
    let pictures = a.as_chunks::<CELL>().0.iter().zip(b.as_chunks::<CELL>().0);
    let around = between.windows(3);
    for (((out, (a, b)), around), cell) in pixels.zip(pictures).zip(around).zip(cells) {
        let [before, own, after] = around else {
            continue;
        };
        for i in 0..CELL {
            let next = if i < CELL / 2 { before } else { after };
            let coarse = |k: usize| own[k] * OWN[i] + next[k] * (1.0 - OWN[i]);
            let (weight, difference) = (coarse(0), coarse(1));
            let fine = out[i] * (a[i] - b[i] - difference);
            let more = within(cell[at + i], -detail, detail);
            out[i] = within(b[i] + fine + weight * difference + more, 0.0, 1.0);
        }
    }
}
