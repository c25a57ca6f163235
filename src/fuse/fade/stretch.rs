//! Between two texts of different length.
//!
//! Input: two texts' rows of features. Output: rows part of the way between them. Thread: fuse. Blocks:
//! never. Allocates: never. Fails when: slices are no whole rows (a panic: a caller's mistake). Not its
//! job: how far the way is gone.

use crate::simd::int8::{Path, Portable};

/// Rows of `dim` values: `part` of the way from one text to the other, the shorter one stretched
/// to the length of the longer one.
pub(super) fn fill_faded(from: &[f32], to: &[f32], dim: usize, part: f32, out: &mut [f32]) {
    let [from, to] = [from, to].map(|text| Stretched::new(text, dim));
    Path::best().run(Fade {
        from,
        to,
        part,
        out,
    });
}

struct Fade<'a> {
    from: Stretched<'a>,
    to: Stretched<'a>,
    part: f32,
    out: &'a mut [f32],
}

impl Portable for Fade<'_> {
    #[inline(always)]
    fn run(self) {
        let (rows, dim) = (self.from.used.max(self.to.used), self.from.dim);
        let (used, unused) = self.out.split_at_mut(rows * dim);
        unused.fill(0.0);
        let between = |x: f32, y: f32, t: f32| x + (y - x) * t;
        for (i, row) in used.chunks_exact_mut(dim).enumerate() {
            let (a0, a1, at) = self.from.row(i, rows);
            let (b0, b1, bt) = self.to.row(i, rows);
            let texts = a0.iter().zip(a1).zip(b0.iter().zip(b1));
            for (value, ((&a0, &a1), (&b0, &b1))) in row.iter_mut().zip(texts) {
                *value = between(between(a0, a1, at), between(b0, b1, bt), self.part);
            }
        }
    }
}

/// A text's used rows, for reading at another length.
#[derive(Clone, Copy)]
struct Stretched<'a> {
    values: &'a [f32],
    dim: usize,
    used: usize,
}

impl<'a> Stretched<'a> {
    fn new(values: &'a [f32], dim: usize) -> Self {
        let used = used(values, dim);
        Self { values, dim, used }
    }

    /// Row `i` of `rows`: the two rows that it lies between, and where.
    #[inline(always)]
    fn row(&self, i: usize, rows: usize) -> (&'a [f32], &'a [f32], f32) {
        let copies = ((2 * rows + self.used) / (2 * self.used)).max(1);
        // Of the copies' rows, the first is the first and the last is the last.
        let (last, intervals) = (copies * self.used - 1, (rows - 1).max(1));
        let position = i * last;
        let (below, rest) = (position / intervals, position % intervals);
        let row = |n: usize| &self.values[n.min(last) % self.used * self.dim..][..self.dim];
        (row(below), row(below + 1), rest as f32 / intervals as f32)
    }
}

/// Rows up to the last one that is not all zero; at least one.
fn used(values: &[f32], dim: usize) -> usize {
    let mut rows = values.chunks_exact(dim);
    let last = rows.rposition(|row| row.iter().any(|&v| v != 0.0));
    last.map_or(1, |i| i + 1)
}
