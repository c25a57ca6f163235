//! Means of a picture on a coarse grid of square cells, and filters on the grid.
//!
//! Thread: fuse. Blocks: never. Allocates: when made.

use super::params::{CELL_SIDES, CELLS, LEVEL_BITS};
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
    /// Sums of the columns of one row of cells.
    columns: Vec<u16>,
    /// Sums of a box, for each column of cells.
    sums: Vec<i32>,
    /// One row of cells, and its ends repeated.
    row: Vec<i16>,
    plane: Vec<i16>,
}

impl Filters {
    /// For pictures of `width` pixels a row, and [`Filters::mean`] up to `radius`.
    pub fn new(shape: Shape, width: usize, radius: usize) -> Self {
        Self {
            shape,
            columns: vec![0; width],
            sums: vec![0; shape.columns],
            row: vec![0; shape.columns + 2 * radius + 1],
            plane: vec![0; shape.cells()],
        }
    }

    /// Mean of each cell of a one-channel picture, in 1/16 level.
    pub fn means(&mut self, picture: &Picture, out: &mut [i16]) {
        let Shape { side, columns, .. } = self.shape;
        let height = picture.height();
        for (row, out) in out.chunks_exact_mut(columns).enumerate() {
            let lines = row * side..((row + 1) * side).min(height);
            let sums = &mut self.columns;
            Path::best().run(ColumnSums {
                picture,
                lines: lines.clone(),
                sums,
            });
            if lines.len() == side && sums.len() == columns * side && side == 4 {
                Path::best().run(FourMeans { sums, out });
                continue;
            }
            for (mean, part) in out.iter_mut().zip(sums.chunks(side)) {
                let area = (lines.len() * part.len()) as u32;
                let sum: u32 = part.iter().map(|&v| u32::from(v)).sum();
                *mean = ((sum << LEVEL_BITS) / area) as i16;
            }
        }
    }

    /// Mean over a square of `2 radius + 1` cells; the border is repeated. Values within 0..=4096.
    pub fn mean(&mut self, values: &[i16], radius: usize, out: &mut [i16]) {
        let Shape { columns, rows, .. } = self.shape;
        let length = 2 * radius + 1;
        let inverse = (65_536 / length) as i32;
        for (row, to) in values
            .chunks_exact(columns)
            .zip(self.plane.chunks_exact_mut(columns))
        {
            let extended = &mut self.row[..columns + length];
            extended[..radius].fill(row[0]);
            extended[radius..][..columns].copy_from_slice(row);
            extended[radius + columns..].fill(row[columns - 1]);
            let mut sum: i32 = extended[..length].iter().map(|&v| i32::from(v)).sum();
            let ends = extended[length..].iter().zip(extended.iter());
            for (to, (&next, &last)) in to.iter_mut().zip(ends) {
                *to = ((sum * inverse + 32_768) >> 16) as i16;
                sum += i32::from(next) - i32::from(last);
            }
        }
        let row = |y: usize| &self.plane[y.min(rows - 1) * columns..][..columns];
        for (sum, &v) in self.sums.iter_mut().zip(row(0)) {
            *sum = i32::from(v) * (radius as i32 + 1);
        }
        for y in 1..=radius {
            for (sum, &v) in self.sums.iter_mut().zip(row(y)) {
                *sum += i32::from(v);
            }
        }
        for (y, to) in out.chunks_exact_mut(columns).enumerate() {
            Path::best().run(Slide {
                inverse,
                next: row(y + radius + 1),
                last: row(y.saturating_sub(radius)),
                sums: &mut self.sums,
                out: to,
            });
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

/// Adds up the columns of some lines of a picture.
struct ColumnSums<'a> {
    picture: &'a Picture,
    lines: std::ops::Range<usize>,
    sums: &'a mut [u16],
}

impl Portable for ColumnSums<'_> {
    #[inline(always)]
    fn run(self) {
        self.sums.fill(0);
        for y in self.lines {
            for (sum, &v) in self.sums.iter_mut().zip(self.picture.row(y)) {
                *sum += u16::from(v);
            }
        }
    }
}

/// Means of whole cells of four pixels by four, by the sums of their columns.
struct FourMeans<'a> {
    sums: &'a [u16],
    out: &'a mut [i16],
}

impl Portable for FourMeans<'_> {
    #[inline(always)]
    fn run(self) {
        for (mean, [a, b, c, d]) in self.out.iter_mut().zip(self.sums.as_chunks::<4>().0) {
            // Sixteen pixels, and 1/16 level.
            *mean = (a + b + c + d) as i16;
        }
    }
}

/// One row of means by the sums of a box, which go on by one row.
struct Slide<'a> {
    /// 65536 over the rows of the box.
    inverse: i32,
    next: &'a [i16],
    last: &'a [i16],
    sums: &'a mut [i32],
    out: &'a mut [i16],
}

impl Portable for Slide<'_> {
    #[inline(always)]
    fn run(self) {
        let cells = self.sums.iter_mut().zip(self.next.iter().zip(self.last));
        for (to, (sum, (&next, &last))) in self.out.iter_mut().zip(cells) {
            *to = ((*sum * self.inverse + 32_768) >> 16) as i16;
            *sum += i32::from(next) - i32::from(last);
        }
    }
}

#[cfg(test)]
#[path = "grid_tests.rs"]
mod tests;
