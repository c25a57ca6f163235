//! Means of a picture on a coarse grid of square cells, and filters on the grid.
//!
//! Thread: fuse. Blocks: never. Allocates: when made.

use super::knobs::{CELL_SIDES, CELLS, LEVEL_BITS};
use crate::frame::{Picture, Size};
use crate::simd::int8::{Path, Portable};

/// Cells of one size of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Pixels along each axis of a cell, a power of two.
    pub side: usize,
    /// Cells in a row.
    pub columns: usize,
    /// Rows of cells.
    pub rows: usize,
}

impl Shape {
    /// For pictures of `size`, which is not empty.
    pub fn of(size: Size) -> Self {
        let (mut side, most) = CELL_SIDES;
        while side * 2 <= (size.width.min(size.height) / CELLS).min(most) {
            side *= 2;
        }
        Self {
            side,
            columns: size.width.div_ceil(side),
            rows: size.height.div_ceil(side),
        }
    }

    /// Number of cells.
    pub fn cells(self) -> usize {
        self.columns * self.rows
    }
}

/// Filters on grids of one shape, with their scratch memory.
#[derive(Debug)]
pub(super) struct Filters {
    shape: Shape,
    /// Sums of the columns of one row of cells, then of a box.
    sums: Vec<i32>,
    plane: Vec<i16>,
}

impl Filters {
    pub fn new(shape: Shape, width: usize) -> Self {
        Self {
            shape,
            sums: vec![0; width.max(shape.columns)],
            plane: vec![0; shape.cells()],
        }
    }

    /// Mean of each cell of a one-channel picture, in 1/16 level.
    pub fn means(&mut self, picture: &Picture, out: &mut [i16]) {
        let Shape { side, columns, .. } = self.shape;
        let (width, height) = (picture.width(), picture.height());
        for (row, out) in out.chunks_exact_mut(columns).enumerate() {
            let sums = &mut self.sums[..width];
            sums.fill(0);
            let lines = row * side..((row + 1) * side).min(height);
            let count = lines.len() as i32;
            for y in lines {
                for (sum, &v) in sums.iter_mut().zip(picture.row(y)) {
                    *sum += i32::from(v);
                }
            }
            for (mean, part) in out.iter_mut().zip(sums.chunks(side)) {
                let area = count * part.len() as i32;
                let sum: i32 = part.iter().sum();
                *mean = (((sum << LEVEL_BITS) + area / 2) / area) as i16;
            }
        }
    }

    /// Mean over a square of `2 radius + 1` cells; the border is repeated. Values within 0..=4096.
    pub fn mean(&mut self, values: &[i16], radius: usize, out: &mut [i16]) {
        let Shape { columns, rows, .. } = self.shape;
        let length = 2 * radius as i32 + 1;
        let inverse = (65_536 + length / 2) / length;
        let mean = |sum: i32| ((sum * inverse + 32_768) >> 16) as i16;
        for (row, to) in values
            .chunks_exact(columns)
            .zip(self.plane.chunks_exact_mut(columns))
        {
            let at = |x: usize| i32::from(row[x.min(columns - 1)]);
            let mut sum = at(0) * (radius as i32 + 1) + (1..=radius).map(at).sum::<i32>();
            for (x, to) in to.iter_mut().enumerate() {
                *to = mean(sum);
                sum += at(x + radius + 1) - at(x.saturating_sub(radius));
            }
        }
        let row = |y: usize| &self.plane[y.min(rows - 1) * columns..][..columns];
        let sums = &mut self.sums[..columns];
        for (sum, &v) in sums.iter_mut().zip(row(0)) {
            *sum = i32::from(v) * (radius as i32 + 1);
        }
        for y in 1..=radius {
            for (sum, &v) in sums.iter_mut().zip(row(y)) {
                *sum += i32::from(v);
            }
        }
        for (y, to) in out.chunks_exact_mut(columns).enumerate() {
            let (next, last) = (row(y + radius + 1), row(y.saturating_sub(radius)));
            let lines = next.iter().zip(last);
            for ((to, sum), (&next, &last)) in to.iter_mut().zip(sums.iter_mut()).zip(lines) {
                *to = mean(*sum);
                *sum += i32::from(next) - i32::from(last);
            }
        }
    }

    /// Greatest of the 3x3 cells around each.
    pub fn dilate(&mut self, values: &[i16], out: &mut [i16]) {
        let Shape { columns, rows, .. } = self.shape;
        for (row, to) in values
            .chunks_exact(columns)
            .zip(self.plane.chunks_exact_mut(columns))
        {
            to.copy_from_slice(row);
            for (to, &right) in to.iter_mut().zip(&row[1..]) {
                *to = (*to).max(right);
            }
            for (to, &left) in to[1..].iter_mut().zip(row) {
                *to = (*to).max(left);
            }
        }
        let row = |y: usize| &self.plane[y.min(rows - 1) * columns..][..columns];
        for (y, to) in out.chunks_exact_mut(columns).enumerate() {
            let around = row(y.saturating_sub(1)).iter().zip(row(y + 1));
            for ((to, &here), (&above, &below)) in to.iter_mut().zip(row(y)).zip(around) {
                *to = here.max(above).max(below);
            }
        }
    }
}

/// Along which axis a window lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Row,
    Column,
}

/// Opening by a line: takes off what is warmer than its surroundings and shorter than the line.
///
/// Least, then greatest value of a sliding window (van Herk, 1992, by windows of doubled length,
/// which are vector instructions throughout). What lies beyond the border counts as warm.
#[derive(Debug)]
pub(super) struct Opening {
    shape: Shape,
    /// Longest window along a row and along a column, odd.
    windows: (usize, usize),
    stride: usize,
    from: Vec<i16>,
    to: Vec<i16>,
}

impl Opening {
    /// For windows of `along_row` and `along_column` cells, both odd.
    pub fn new(shape: Shape, along_row: usize, along_column: usize) -> Self {
        let stride = shape.columns + along_row / 2;
        // Besides the rows above and below: the margin after the last row.
        let cells = stride * (shape.rows + 2 * (along_column / 2) + 1) + along_row;
        Self {
            shape,
            windows: (along_row, along_column),
            stride,
            from: vec![0; cells],
            to: vec![0; cells],
        }
    }

    /// Opens `values` by the line along `axis`.
    pub fn open(&mut self, values: &[i16], axis: Axis, out: &mut [i16]) {
        let (window, step) = match axis {
            Axis::Row => (self.windows.0, 1),
            Axis::Column => (self.windows.1, self.stride),
        };
        let Shape { columns, rows, .. } = self.shape;
        let (first, stride, back) = (self.first(), self.stride, window / 2 * step);
        let places = (0..rows).map(move |y| first + y * stride);
        self.from.fill(i16::MAX);
        for (at, row) in places.clone().zip(values.chunks_exact(columns)) {
            self.from[at..][..columns].copy_from_slice(row);
        }
        self.slide::<true>(window, step);
        self.to.fill(i16::MIN);
        for at in places.clone() {
            self.to[at..][..columns].copy_from_slice(&self.from[at - back..][..columns]);
        }
        std::mem::swap(&mut self.from, &mut self.to);
        self.slide::<false>(window, step);
        for (at, row) in places.zip(out.chunks_exact_mut(columns)) {
            row.copy_from_slice(&self.from[at - back..][..columns]);
        }
    }

    /// Where the first cell is.
    fn first(&self) -> usize {
        self.windows.1 / 2 * self.stride + self.windows.0 / 2
    }

    /// Each cell of `self.from` becomes the least (or greatest) of the `window` cells from it on.
    fn slide<const LEAST: bool>(&mut self, window: usize, step: usize) {
        let (mut covered, mut valid) = (1, self.from.len());
        while covered < window {
            let shift = covered.min(window - covered);
            valid -= shift * step;
            Path::best().run(Pairs::<LEAST> {
                near: &self.from[..valid],
                far: &self.from[shift * step..][..valid],
                out: &mut self.to[..valid],
            });
            std::mem::swap(&mut self.from, &mut self.to);
            covered += shift;
        }
    }
}

/// The lesser, or greater, of each pair.
struct Pairs<'a, const LEAST: bool> {
    near: &'a [i16],
    far: &'a [i16],
    out: &'a mut [i16],
}

impl<const LEAST: bool> Portable for Pairs<'_, LEAST> {
    #[inline(always)]
    fn run(self) {
        let pairs = self.near.iter().zip(self.far);
        for (out, (&near, &far)) in self.out.iter_mut().zip(pairs) {
            *out = if LEAST { near.min(far) } else { near.max(far) };
        }
    }
}
