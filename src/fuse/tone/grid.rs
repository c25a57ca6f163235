//! Local means on a coarse grid of square cells, and what they become: an offset for every pixel.
//!
//! Thread: fuse. Blocks: never. Allocates: when made. Not its job: gains.

use super::params::{CELL_SIDES, CELLS};
use crate::frame::{Picture, Size};
use crate::simd::tone::{spread, sums};

/// Sums of one cell.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    sum: u32,
    squares: u32,
}

/// What the grid tells about a whole picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GridStatistics {
    /// Mean level, in 1/256.
    pub mean: i32,
    /// Mean variance within the cells, in 1/65536 level squared.
    pub variance: u64,
}

/// Cells of one size of picture.
#[derive(Debug)]
pub(super) struct Grid {
    size: Size,
    side: usize,
    columns: usize,
    cells: Vec<Cell>,
    /// Means of cells, smoothed over neighbours, in 1/256 level.
    means: Vec<i32>,
    /// The value of each cell that [`Grid::offsets`] interpolates.
    nodes: Vec<i32>,
    /// Scratch: one row of nodes, one row of means.
    row_nodes: Vec<i32>,
    /// Offsets of one row, from half a cell left of the picture to at least its right end.
    row: Vec<i32>,
}

impl Grid {
    /// For pictures of `size`, which is not empty.
    pub fn new(size: Size) -> Self {
        let (least, most) = CELL_SIDES;
        let mut side = least;
        while side * 2 <= (size.width.min(size.height) / CELLS).min(most) {
            side *= 2;
        }
        let (columns, rows) = (size.width.div_ceil(side), size.height.div_ceil(side));
        Self {
            size,
            side,
            columns,
            cells: vec![Cell::default(); columns * rows],
            means: vec![0; columns * rows],
            nodes: vec![0; columns * rows],
            row_nodes: vec![0; columns],
            row: vec![0; (columns + 1) * side],
        }
    }

    /// The size it was made for.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Measures a one-channel picture of the grid's size.
    pub fn measure(&mut self, picture: &Picture) -> GridStatistics {
        self.cells.fill(Cell::default());
        for y in 0..self.size.height {
            let cells = &mut self.cells[y / self.side * self.columns..][..self.columns];
            for (cell, samples) in cells.iter_mut().zip(picture.row(y).chunks(self.side)) {
                let (sum, squares) = sums(samples);
                cell.sum += sum;
                cell.squares += squares;
            }
        }
        let (mut total, mut spread) = (0_u64, 0_u64);
        for i in 0..self.cells.len() {
            let (cell, area) = (self.cells[i], self.area(i));
            let (sum, squares) = (u64::from(cell.sum), u64::from(cell.squares));
            self.means[i] = ((sum * 256 + area / 2) / area) as i32;
            total += sum;
            spread += squares - sum * sum / area;
        }
        self.smooth();
        let area = self.size.area() as u64;
        GridStatistics {
            mean: (total * 256 / area) as i32,
            variance: (u128::from(spread) * 65_536 / u128::from(area)) as u64,
        }
    }

    /// Pixels of cell `i`.
    fn area(&self, i: usize) -> u64 {
        let part = |at: usize, whole: usize| (whole - at * self.side).min(self.side) as u64;
        part(i % self.columns, self.size.width) * part(i / self.columns, self.size.height)
    }

    /// Binomial over 3x3 cells, so that the base has no corners at cells; ends repeat.
    fn smooth(&mut self) {
        let weigh = |a: i32, b: i32, c: i32| (a + 2 * b + c + 2) >> 2;
        let last = self.columns - 1;
        for row in self.means.chunks_exact_mut(self.columns) {
            self.row_nodes.copy_from_slice(row);
            let from = &self.row_nodes;
            for (x, value) in row.iter_mut().enumerate() {
                *value = weigh(from[x.saturating_sub(1)], from[x], from[(x + 1).min(last)]);
            }
        }
        let rows = self.means.len() / self.columns;
        for x in 0..self.columns {
            let mut above = self.means[x];
            for y in 0..rows {
                let at = y * self.columns + x;
                let here = self.means[at];
                let below = self.means[(y + 1).min(rows - 1) * self.columns + x];
                self.means[at] = weigh(above, here, below);
                above = here;
            }
        }
    }

    /// Gives every cell a value by its mean (in 1/256 level). Values are within +-2^21.
    pub fn set_nodes(&mut self, value: impl Fn(i32) -> i32) {
        for (node, &mean) in self.nodes.iter_mut().zip(&self.means) {
            *node = value(mean);
        }
    }

    /// The values of [`Grid::set_nodes`] at every pixel of row `y`, bilinear between the cells'
    /// centres.
    pub fn offsets(&mut self, y: usize) -> &[i32] {
        let (side, columns) = (self.side, self.columns);
        // From the centre of the first row of cells, in half pixels.
        let below = (2 * y + 1).saturating_sub(side);
        let (cell, part) = (below / (2 * side), (below % (2 * side)) as i32);
        let shift = side.trailing_zeros() + 1;
        let last = self.nodes.len() / columns - 1;
        let rows = [cell.min(last), (cell + 1).min(last)].map(|i| &self.nodes[i * columns..]);
        for (x, node) in self.row_nodes.iter_mut().enumerate() {
            *node = rows[0][x] + (((rows[1][x] - rows[0][x]) * part) >> shift);
        }
        let at = |i: usize| self.row_nodes[i.min(columns - 1)];
        for (i, span) in self.row.chunks_exact_mut(side).enumerate() {
            spread(at(i.saturating_sub(1)), at(i), span);
        }
        &self.row[side / 2..][..self.size.width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(size: Size) -> Picture {
        let mut picture = Picture::grey(size);
        for y in 0..size.height {
            for (x, v) in picture.row_mut(y).iter_mut().enumerate() {
                *v = ((x + y) / 5) as u8;
            }
        }
        picture
    }

    #[test]
    fn a_flat_picture_has_its_level_everywhere() {
        for size in [Size::new(1, 1), Size::new(33, 7), Size::new(640, 480)] {
            let mut grid = Grid::new(size);
            let flat = Picture::from_data(size, 1, vec![77; size.area()]).unwrap();
            let found = grid.measure(&flat);
            assert_eq!((found.mean, found.variance), (77 * 256, 0));
            grid.set_nodes(|mean| mean);
            for y in 0..size.height {
                assert!(grid.offsets(y).iter().all(|&v| v == 77 * 256), "{size}");
            }
        }
    }

    #[test]
    fn a_slope_comes_back_as_a_slope() {
        let size = Size::new(640, 480);
        let mut grid = Grid::new(size);
        assert_eq!(grid.side, 32);
        grid.measure(&ramp(size));
        grid.set_nodes(|mean| mean);
        // Two cells from the ends, where repeating them bends nothing.
        for y in 64..400 {
            for (x, &v) in grid.offsets(y).iter().enumerate().skip(64).take(500) {
                // Levels are rounded down.
                let exact = (x + y) as f64 / 5.0 - 0.4;
                assert!((f64::from(v) / 256.0 - exact).abs() < 0.3, "{x} {y}");
            }
        }
    }

    #[test]
    fn variance_is_that_within_cells() {
        let size = Size::new(320, 160);
        let mut grid = Grid::new(size);
        let mut picture = Picture::grey(size);
        for (i, v) in picture.data_mut().iter_mut().enumerate() {
            *v = if i % 2 == 0 { 90 } else { 110 };
        }
        assert_eq!(grid.measure(&picture).variance, 100 << 16);
    }

    #[test]
    fn cells_grow_with_the_picture() {
        let side = |w, h| Grid::new(Size::new(w, h)).side;
        assert_eq!(side(4096, 4096), 256);
        assert_eq!(side(4096, 32), 8);
        assert_eq!(side(1, 1), 8);
        assert_eq!(side(1920, 1080), 64);
    }
}
