//! One row of the emphasis: from the grid to pixels.
//!
//! Thread: fuse. Blocks: never. Allocates: when made.

use super::grid::Shape;
use super::params::*;
use crate::simd::int8::{Path, Portable};

/// What the grid knows of a cell: least infrared level that is raised, share of a target, share of
/// what is near one, mean of the fused picture.
pub(super) const PLANES: usize = 4;
const GATE: usize = 1;
const NEAR_TARGET: usize = 2;
/// Share of the lift that a level of headroom allows, in 1/1024.
const ROOM: i32 = ((256 << 10) + (HEADROOM << LEVEL_BITS) / 2) / (HEADROOM << LEVEL_BITS);

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amounts {
    /// In 1/16 level.
    pub lift: i32,
    /// In 1/16 level.
    pub dim: i32,
    /// In 1/256.
    pub detail: i32,
    /// 65536 over the infrared excess that is raised fully, which is in 1/16 level.
    pub slope: i32,
}

impl Amounts {
    /// For `strength` in 1/[`ONE`], 0..=2, and a ramp in 1/16 level.
    pub fn new(strength: i32, ramp: i32) -> Self {
        let part = |whole: i32| whole * strength / ONE;
        Self {
            lift: part(LIFT << LEVEL_BITS),
            dim: part(DIM << LEVEL_BITS),
            detail: part(DETAIL).min(DETAIL_MAX),
            slope: 65_536 / ramp.max(1),
        }
    }
}

/// Interpolates grids between the centres of cells, row by row.
#[derive(Debug)]
pub(super) struct Rows {
    shape: Shape,
    /// Of one row of pixels: values at the columns of cells.
    nodes: [Vec<i32>; PLANES],
    /// From half a cell left of the picture on.
    fields: [Vec<i32>; PLANES],
}

impl Rows {
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            nodes: std::array::from_fn(|_| vec![0; shape.columns]),
            fields: std::array::from_fn(|_| vec![0; (shape.columns + 1) * shape.side]),
        }
    }

    /// Emphasises row `y` of the fused picture in place, where its cells have targets.
    pub fn run(
        &mut self,
        y: usize,
        planes: [&[i16]; PLANES],
        amounts: Amounts,
        infrared: &[u8],
        fused: &mut [u8],
    ) {
        if !self.nodes_of(y, planes) {
            return;
        }
        let (side, columns) = (self.shape.side, self.shape.columns);
        let here = |nodes: &[Vec<i32>; PLANES], i: usize| {
            let i = i.min(columns - 1);
            nodes[GATE][i] | nodes[NEAR_TARGET][i] != 0
        };
        let mut begin = 0;
        while begin <= columns {
            let used = |i: usize| here(&self.nodes, i.saturating_sub(1)) || here(&self.nodes, i);
            if !used(begin) {
                begin += 1;
                continue;
            }
            let mut end = begin + 1;
            while end <= columns && used(end) {
                end += 1;
            }
            for (nodes, field) in self.nodes.iter().zip(&mut self.fields) {
                Path::best().run(Spread {
                    nodes,
                    spans: begin..end,
                    side,
                    field,
                });
            }
            self.emphasise(begin * side..end * side, amounts, infrared, fused);
            begin = end;
        }
    }

    /// The pixels of a stretch of the fields.
    fn emphasise(
        &self,
        stretch: std::ops::Range<usize>,
        amounts: Amounts,
        infrared: &[u8],
        fused: &mut [u8],
    ) {
        let half = self.shape.side / 2;
        let first = stretch.start.max(half);
        let last = stretch.end.min(half + fused.len());
        if first >= last {
            return;
        }
        let pixels = first - half..last - half;
        Path::best().run(Stretch {
            amounts,
            fields: std::array::from_fn(|i| &self.fields[i][first..last]),
            infrared: &infrared[pixels.clone()],
            fused: &mut fused[pixels],
        });
    }

    /// Interpolates down to row `y`; `false` where it has no target.
    fn nodes_of(&mut self, y: usize, planes: [&[i16]; PLANES]) -> bool {
        let Shape {
            side,
            columns,
            rows,
        } = self.shape;
        let below = (2 * y + 1).saturating_sub(side);
        let (cell, part) = (below / (2 * side), (below % (2 * side)) as i32);
        let shift = side.trailing_zeros() + 1;
        let lines = [cell, cell + 1].map(|i| i.min(rows - 1) * columns);
        let used = |plane: &[i16]| {
            let line = |at: usize| plane[at..][..columns].iter().any(|&v| v != 0);
            line(lines[0]) || line(lines[1])
        };
        if !used(planes[GATE]) && !used(planes[NEAR_TARGET]) {
            return false;
        }
        for (nodes, plane) in self.nodes.iter_mut().zip(planes) {
            Path::best().run(Between {
                above: &plane[lines[0]..][..columns],
                under: &plane[lines[1]..][..columns],
                part,
                shift,
                out: nodes,
            });
        }
        true
    }
}

/// Values between two rows of cells: `part` of `1 << shift` of the way down.
struct Between<'a> {
    above: &'a [i16],
    under: &'a [i16],
    part: i32,
    shift: u32,
    out: &'a mut [i32],
}

impl Portable for Between<'_> {
    #[inline(always)]
    fn run(self) {
        let pairs = self.above.iter().zip(self.under);
        for (out, (&above, &under)) in self.out.iter_mut().zip(pairs) {
            let (above, under) = (i32::from(above), i32::from(under));
            *out = above + (((under - above) * self.part) >> self.shift);
        }
    }
}

/// Values between the centres of cells: of each span between two, see [`Rows`].
struct Spread<'a> {
    nodes: &'a [i32],
    spans: std::ops::Range<usize>,
    side: usize,
    field: &'a mut [i32],
}

impl Portable for Spread<'_> {
    #[inline(always)]
    fn run(self) {
        let last = self.nodes.len() - 1;
        let at = |i: usize| self.nodes[i.min(last)];
        let shift = self.side.trailing_zeros() + 1;
        let field = &mut self.field[self.spans.start * self.side..self.spans.end * self.side];
        let mut from = at(self.spans.start.saturating_sub(1));
        // Groups of four, the shortest span: vector instructions without a rest.
        for (i, span) in self.spans.zip(field.chunks_exact_mut(self.side)) {
            let to = at(i);
            let (start, step) = (from << shift, to - from);
            for (t, group) in span.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                for (k, value) in group.iter_mut().enumerate() {
                    *value = (start + step * (8 * t + 2 * k + 1) as i32) >> shift;
                }
            }
            from = to;
        }
    }
}

/// Some pixels of a row.
pub(super) struct Stretch<'a> {
    pub amounts: Amounts,
    pub fields: [&'a [i32]; PLANES],
    pub infrared: &'a [u8],
    pub fused: &'a mut [u8],
}

impl Portable for Stretch<'_> {
    #[inline(always)]
    fn run(self) {
        let [reference, gate, near, base] = self.fields;
        let amounts = self.amounts;
        let sources = self.infrared.iter().zip(reference);
        let shares = gate.iter().zip(near).zip(base);
        let pixels = self.fused.iter_mut().zip(sources).zip(shares);
        for ((fused, (&infrared, &reference)), ((&gate, &near), &base)) in pixels {
            let excess = (i32::from(infrared) << LEVEL_BITS) - reference;
            *fused = emphasised(amounts, excess, [gate >> 4, near >> 4, base], *fused);
        }
    }
}

/// One pixel; shares are in 1/256, the base and the infrared excess in 1/16 level.
#[inline(always)]
fn emphasised(amounts: Amounts, excess: i32, [gate, near, base]: [i32; 3], fused: u8) -> u8 {
    let level = i32::from(fused);
    let warm = ((excess * amounts.slope) >> 8).clamp(0, 256);
    let target = (warm * gate) >> 8;
    let room = ((((WHITE << LEVEL_BITS) - base) * ROOM) >> 10).clamp(0, 256);
    let lift = (amounts.lift * ((target * room) >> 8)) >> 8;
    let around = (near * (256 - target)) >> 8;
    let dim = (((amounts.dim * around) >> 8) * level.min(1 << SHADOW_BITS)) >> SHADOW_BITS;
    let share = target.max(near);
    let detail = (((((level << LEVEL_BITS) - base) * share) >> 8) * amounts.detail) >> 8;
    let most = DETAIL_CHANGE << LEVEL_BITS;
    let detail = detail.max(-most).min(most);
    let sum = (level << LEVEL_BITS) + lift - dim + detail;
    ((sum + (1 << (LEVEL_BITS - 1))) >> LEVEL_BITS).clamp(0, 255) as u8
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
