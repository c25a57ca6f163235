//! Rows of planes, and how they go on beyond their ends: mirrored about the end samples.

use crate::frame::Size;
use crate::simd::mirror;

/// Row `y` of a plane of `width` samples a row.
pub(super) fn row<T>(plane: &[T], width: usize, y: usize) -> &[T] {
    &plane[y * width..(y + 1) * width]
}

/// The same, to write.
pub(super) fn row_mut<T>(plane: &mut [T], width: usize, y: usize) -> &mut [T] {
    &mut plane[y * width..(y + 1) * width]
}

/// The rows `y - 2 step`, `y - step`, `y`, `y + step` and `y + 2 step`.
pub(super) fn five<T>(plane: &[T], size: Size, y: usize, step: usize) -> [&[T]; 5] {
    std::array::from_fn(|i| {
        let at = y as isize + (i as isize - 2) * step as isize;
        row(plane, size.width, mirror(at, size.height))
    })
}

/// A row with `margin` samples more on either side; `out` has that length.
pub(super) fn pad<T: Copy>(row: &[T], margin: usize, out: &mut [T]) {
    let len = row.len();
    out[margin..margin + len].copy_from_slice(row);
    for i in 0..margin {
        out[i] = row[mirror(i as isize - margin as isize, len)];
        out[margin + len + i] = row[mirror((len + i) as isize, len)];
    }
}

/// The last rows of something that is made row by row, of which five are needed around each.
#[derive(Debug)]
pub(super) struct Ring<T> {
    rows: [Vec<T>; 5],
}

impl<T: Copy + Default> Ring<T> {
    /// Of `width` samples a row.
    pub fn new(width: usize) -> Self {
        Self {
            rows: std::array::from_fn(|_| vec![T::default(); width]),
        }
    }

    /// Where row `y` goes.
    pub fn at(&mut self, y: usize) -> &mut [T] {
        &mut self.rows[y % 5]
    }

    /// The rows `y - 2` to `y + 2` of `height`, which were put in place before.
    pub fn around(&self, y: usize, height: usize) -> [&[T]; 5] {
        std::array::from_fn(|i| {
            let at = mirror(y as isize + i as isize - 2, height);
            self.rows[at % 5].as_slice()
        })
    }
}
