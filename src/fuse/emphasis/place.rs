//! Where a picture is emphasised: a third of it, and the targets that reach into it.
//!
//! Thread: fuse. Blocks: never. Allocates: when made.

use super::grid::{Filters, Shape};
use super::params::{ONE, REACH};
use crate::describe::Place;

/// Weights of the cells for one place.
#[derive(Debug)]
pub(super) struct Weights {
    shape: Shape,
    weights: Vec<i16>,
    wider: Vec<i16>,
}

impl Weights {
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            weights: vec![0; shape.cells()],
            wider: vec![0; shape.cells()],
        }
    }

    /// Multiplies `shares` of targets, in 1/[`ONE`], by the weights of `place`: one in its third, and
    /// as far beyond as a target that reaches into it goes on, up to [`REACH`] cells.
    pub fn apply(&mut self, place: Place, filters: &mut Filters, shares: &mut [i16]) {
        let Shape { columns, rows, .. } = self.shape;
        let in_place = |x: usize, y: usize| match place {
            Place::Left => (2 * x + 1) * 3 < 2 * columns,
            Place::Right => (2 * x + 1) * 3 >= 4 * columns,
            Place::Centre => (2 * columns..4 * columns).contains(&((2 * x + 1) * 3)),
            Place::Top => (2 * y + 1) * 3 < 2 * rows,
            Place::Bottom => (2 * y + 1) * 3 >= 4 * rows,
        };
        for (y, row) in self.weights.chunks_exact_mut(columns).enumerate() {
            for (x, weight) in row.iter_mut().enumerate() {
                *weight = i16::from(in_place(x, y)) * ONE as i16;
            }
        }
        for _ in 0..REACH {
            filters.dilate(&self.weights, &mut self.wider);
            let cells = self.wider.iter().zip(shares.iter());
            for (weight, (&wider, &share)) in self.weights.iter_mut().zip(cells) {
                *weight = (*weight).max(wider.min(share));
            }
        }
        filters.mean(&self.weights, 1, &mut self.wider);
        for (share, &weight) in shares.iter_mut().zip(&self.wider) {
            *share = ((i32::from(*share) * i32::from(weight)) / ONE) as i16;
        }
    }
}
