//! Interpolates between two texts of different lengths.
//!
//! Input: two texts' rows. Output: rows between them. Thread: fuse. Blocks: never. Allocates: never.
//! Fails when: slices are no whole rows (a panic: a caller's mistake). Not its job: how far the way is
//! gone.

use crate::describe::Guidance;
use crate::simd::int8::{Path, Portable};

/// What a frame is guided by while one text takes over from another of the same shape.
///
/// Each row is a weighted mean of the texts' rows. So is whatever is made of single rows by a matrix
/// and a bias: it may be made of the two texts once, and then [`GuidanceBlend::rows`] of both is that of
/// the rows between them.
#[derive(Debug, Clone, Copy)]
pub struct GuidanceBlend<'a> {
    /// Where the fade began.
    pub from: &'a Guidance,
    /// Where it goes to.
    pub to: &'a Guidance,
    /// How far it is gone, 0..1.
    pub part: f32,
    /// As [`Guidance::version`]: that of what lies between.
    pub version: u64,
    /// Rows of each that are used, from the first one on.
    pub(super) used: [usize; 2],
}

impl GuidanceBlend<'_> {
    /// The features between the texts' features.
    pub fn write(&self, out: &mut [f32]) {
        let dim = self.from.shape().1;
        self.rows([self.from.values(), self.to.values()], dim, out);
    }

    /// Of rows of `dim` values, made of the rows of either text, those between them.
    pub fn rows(&self, [from, to]: [&[f32]; 2], dim: usize, out: &mut [f32]) {
        let text = |values, used| Stretched { values, dim, used };
        Path::best().run(Fade {
            from: text(from, self.used[0]),
            to: text(to, self.used[1]),
            part: self.part,
            out,
        });
    }

    /// Of values of either text as a whole, those between them.
    pub fn whole(&self, [from, to]: [&[f32]; 2], out: &mut [f32]) {
        for (value, (&from, &to)) in out.iter_mut().zip(from.iter().zip(to)) {
            *value = mix(from, to, self.part);
        }
    }
}

#[inline(always)]
fn mix(from: f32, to: f32, part: f32) -> f32 {
    from + (to - from) * part
}

/// The shorter text is stretched to the length of the longer one; rows that neither uses become zero.
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
        for (i, row) in used.chunks_exact_mut(dim).enumerate() {
            let (a0, a1, at) = self.from.row(i, rows);
            let (b0, b1, bt) = self.to.row(i, rows);
            let texts = a0.iter().zip(a1).zip(b0.iter().zip(b1));
            for (value, ((&a0, &a1), (&b0, &b1))) in row.iter_mut().zip(texts) {
                *value = mix(mix(a0, a1, at), mix(b0, b1, bt), self.part);
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

/// Rows of a guidance up to the last one that is not all zero; at least one.
pub(super) fn used(guidance: &Guidance) -> usize {
    let mut rows = guidance.values().chunks_exact(guidance.shape().1);
    let last = rows.rposition(|row| row.iter().any(|&v| v != 0.0));
    last.map_or(1, |i| i + 1)
}
