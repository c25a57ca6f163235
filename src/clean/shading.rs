//! Slow shading of the sensor: what lens and housing add with the distance from the centre.
//!
//! Averaged over time while the scene moves, since one picture does not tell shading from scene. Only the
//! part that grows with the square of the distance is taken: sky above and ground below are no shading. All four
//! quarters have to agree on it.
//! Thread: acquire. Blocks: never. Allocates: when made only.

use super::rows::row;
use crate::frame::Size;

/// Cells along each axis.
const CELLS: usize = 8;
/// Moved frames (each counts by the part that moved) before shading is told from scene.
const ENOUGH: f32 = 60.0;
/// Weight of a frame in which all has moved, after that.
const MOVING: f32 = 0.01;

/// What was seen of one size's shading.
#[derive(Debug)]
pub(super) struct Shading {
    size: Size,
    cells: [[f32; CELLS]; CELLS],
    evidence: f32,
}

/// Square of the distance of part `i` of `n` from the middle; 1 at both ends.
pub(super) fn square(i: usize, n: usize) -> f32 {
    let at = (2.0 * i as f32 + 1.0) / n as f32 - 1.0;
    at * at
}

impl Shading {
    pub fn new(size: Size) -> Self {
        Self {
            size,
            cells: [[0.0; CELLS]; CELLS],
            evidence: 0.0,
        }
    }

    /// Forgets all.
    pub fn reset(&mut self) {
        self.evidence = 0.0;
    }

    /// Units of the plane become `factor` times as fine.
    pub fn rescale(&mut self, factor: f32) {
        self.cells
            .as_flattened_mut()
            .iter_mut()
            .for_each(|v| *v *= factor);
    }

    /// Takes a frame into the mean, by how much of it has `moved`, 0..=1.
    pub fn follow(&mut self, plane: &[u16], moved: f32) {
        if moved <= 0.0 {
            return;
        }
        self.evidence += moved;
        let weight = (moved / self.evidence).max(MOVING * moved);
        let Size { width, height } = self.size;
        for (j, cells) in self.cells.iter_mut().enumerate() {
            let rows = height * j / CELLS..height * (j + 1) / CELLS;
            for (i, cell) in cells.iter_mut().enumerate() {
                let columns = width * i / CELLS..width * (i + 1) / CELLS;
                let count = rows.len() * columns.len();
                let sum: u64 = rows
                    .clone()
                    .map(|y| {
                        row(plane, width, y)[columns.clone()]
                            .iter()
                            .map(|&s| u64::from(s))
                            .sum::<u64>()
                    })
                    .sum();
                let mean = sum as f32 / count.max(1) as f32;
                *cell += weight * (mean - *cell);
            }
        }
    }

    /// The shading at the corners' half distance squared, in the plane's units: each quarter's fit where all agree in their
    /// sign, the least of them; 0 while too little was seen.
    pub fn amplitude(&self) -> f32 {
        if self.evidence < ENOUGH {
            return 0.0;
        }
        let half = CELLS / 2;
        let quarters = [(0, 0), (0, half), (half, 0), (half, half)];
        let fits = quarters.map(|(top, left)| self.fit(top, left));
        let least = fits
            .iter()
            .copied()
            .fold(f32::INFINITY, |a, f| a.min(f.abs()));
        let agree = fits.iter().all(|f| *f > 0.0) || fits.iter().all(|f| *f < 0.0);
        if agree { least.copysign(fits[0]) } else { 0.0 }
    }

    /// The slope of a quarter's cells over the square of the distance.
    fn fit(&self, top: usize, left: usize) -> f32 {
        let half = CELLS / 2;
        let cells = (top..top + half).flat_map(|j| (left..left + half).map(move |i| (j, i)));
        let squared = |(j, i): (usize, usize)| square(i, CELLS) + square(j, CELLS);
        let count = (half * half) as f32;
        let middle = cells.clone().map(squared).sum::<f32>() / count;
        let (mut product, mut power) = (0.0, 0.0);
        for cell in cells {
            let away = squared(cell) - middle;
            product += away * self.cells[cell.0][cell.1];
            power += away * away;
        }
        product / power
    }
}

/// Standard deviation over the picture of shading of amplitude 1: that of x^2 + y^2 for x and y in -1..=1.
pub(super) const SPREAD: f32 = 0.4216;
/// Its mean.
pub(super) const MEAN: f32 = 2.0 / 3.0;
