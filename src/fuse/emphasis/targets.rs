//! Where an infrared picture shows small warm targets, on a coarse grid.
//!
//! Thread: fuse. Blocks: never. Allocates: when made.
//!
//! A target is what a line along the row and a line along the column both fit out of: the lesser of
//! two white top-hats (Serra, 1982), so that a wall, a road or the sky leaves nothing, whatever its
//! edges, and a pole or a kerb little. Thresholds follow the picture's own contrast.

use super::grid::{Axis, Filters, Opening, Shape};
use super::params::*;
use super::place::Weights;
use crate::describe::Place;
use crate::frame::Picture;

/// Thresholds of one picture; in 1/16 level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Thresholds {
    /// Excess that is raised at all.
    pub floor: i32,
    /// Further excess that is raised fully.
    pub ramp: i32,
    /// Level from which on a cell is warm, and level at which it is fully so.
    warmth: (i32, i32),
}

/// What is known of each cell.
#[derive(Debug)]
pub(super) struct Targets {
    filters: Filters,
    opening: Opening,
    place: Weights,
    around: usize,
    level: Vec<i16>,
    /// The surroundings' level, then the least level that is raised.
    reference: Vec<i16>,
    /// By how much a cell is warmer than its surroundings.
    excess: Vec<i16>,
    scratch: Vec<i16>,
    /// Share of a target in each cell, 0..=[`ONE`].
    share: Vec<i16>,
    /// The same with the cells beside it, and what is near it, as they follow the picture.
    gate: Vec<i16>,
    near: Vec<i16>,
    followed: Option<Thresholds>,
}

/// Part of the way to a new value that is gone by a frame, in 1/65536: of shares and of thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Steps {
    pub shares: i32,
    pub thresholds: i32,
}

impl Steps {
    /// A picture by itself.
    pub const ALL: Self = Self {
        shares: 65_536,
        thresholds: 65_536,
    };
}

impl Targets {
    pub fn new(shape: Shape, width: usize) -> Self {
        let widest = (shape.rows * WIDEST.0 / WIDEST.1).max(3) | 1;
        let tallest = (widest * TALLEST.0 / TALLEST.1) | 1;
        let around = shape.rows * AROUND.0 / AROUND.1 / 2;
        let plane = || vec![0; shape.cells()];
        Self {
            filters: Filters::new(shape, width, around.max(NEAR.0)),
            opening: Opening::new(shape, widest, tallest),
            place: Weights::new(shape),
            around,
            level: plane(),
            reference: plane(),
            excess: plane(),
            scratch: plane(),
            share: plane(),
            gate: plane(),
            near: plane(),
            followed: None,
        }
    }

    /// Looks at the next luma picture of the infrared source.
    pub fn look(&mut self, infrared: &Picture, place: Option<Place>, steps: Steps) -> Thresholds {
        self.filters.means(infrared, &mut self.level);
        self.top_hat();
        let wanted = self.measure();
        let steady = self.followed.unwrap_or(wanted).towards(wanted, steps);
        self.followed = Some(steady);
        self.score(steady);
        if let Some(place) = place {
            self.place.apply(place, &mut self.filters, &mut self.share);
        }
        self.filters.dilate(&self.share, &mut self.scratch);
        follow(&mut self.gate, &self.scratch, steps.shares);
        self.filters.mean(&self.share, NEAR.0, &mut self.scratch);
        for near in &mut self.scratch {
            *near = (i32::from(*near) * NEAR.1).min(ONE) as i16;
        }
        follow(&mut self.near, &self.scratch, steps.shares);
        steady
    }

    /// Forgets the pictures before.
    pub fn forget(&mut self) {
        self.followed = None;
        self.gate.fill(0);
        self.near.fill(0);
    }

    /// Least infrared level that is raised, share of a target, share of what is near one: of all cells.
    pub fn planes(&self) -> [&[i16]; 3] {
        [&self.reference, &self.gate, &self.near]
    }

    /// Mean of `picture`, smoothed, in 1/16 level.
    pub fn base(&mut self, picture: &Picture, out: &mut [i16]) {
        self.filters.means(picture, &mut self.scratch);
        self.filters.mean(&self.scratch, BASE, out);
    }

    fn top_hat(&mut self) {
        let (row, column) = (&mut self.scratch, &mut self.reference);
        self.opening.open(&self.level, Axis::Row, row);
        self.opening.open(&self.level, Axis::Column, column);
        let cells = self.level.iter().zip(row.iter()).zip(column.iter_mut());
        for (excess, ((&level, &row), reference)) in self.excess.iter_mut().zip(cells) {
            let (high, low) = (row.max(*reference), row.min(*reference));
            let lines = i32::from(high - low) * LINES.0 / LINES.1;
            *reference = high - lines as i16;
            *excess = (level - *reference).max(0);
        }
    }

    fn measure(&self) -> Thresholds {
        let (level, excess) = (histogram(&self.level), histogram(&self.excess));
        let cells = self.level.len();
        let low = rank(&level, cells / 4) << LEVEL_BITS;
        let range = ((rank(&level, cells * 99 / 100) << LEVEL_BITS) - low).max(8 << LEVEL_BITS);
        let strongest = rank(&excess, cells - 1 - cells / STRONGEST) << LEVEL_BITS;
        let part = |(percent, least, most): (i32, i32, i32)| {
            (strongest * percent / 100).clamp(least, most)
        };
        Thresholds {
            floor: part(FLOOR),
            ramp: part(RAMP),
            warmth: (low + range * WARMTH.0 / 100, low + range * WARMTH.1 / 100),
        }
    }

    /// The share of a target in each cell; the reference becomes the least level that is raised.
    fn score(&mut self, thresholds: Thresholds) {
        let Thresholds {
            floor,
            ramp,
            warmth,
        } = thresholds;
        self.filters
            .mean(&self.excess, self.around, &mut self.scratch);
        let slopes = [ramp, warmth.1 - warmth.0].map(|width| (ONE << 8) / width.max(1));
        let share = |value: i32, slope: i32| ((value * slope) >> 8).clamp(0, ONE);
        let cells = self.level.iter().zip(&self.excess).zip(&self.scratch);
        let out = self.share.iter_mut().zip(&mut self.reference);
        for ((to, reference), ((&level, &excess), &clutter)) in out.zip(cells) {
            let floor = floor.max((i32::from(clutter) * CLUTTER) >> 4);
            let target = share(i32::from(excess) - floor, slopes[0]);
            let warm = share(i32::from(level) - warmth.0, slopes[1]);
            *to = ((target * warm) / ONE) as i16;
            *reference += floor as i16;
        }
    }
}

impl Thresholds {
    fn towards(self, wanted: Self, steps: Steps) -> Self {
        let go = |now: i32, wanted: i32| towards(now, wanted, steps.thresholds);
        Self {
            floor: go(self.floor, wanted.floor),
            ramp: go(self.ramp, wanted.ramp),
            warmth: (
                go(self.warmth.0, wanted.warmth.0),
                go(self.warmth.1, wanted.warmth.1),
            ),
        }
    }
}

/// Part of the way from `now` to `wanted`, within 0..=4096 each, in 1/65536.
fn towards(now: i32, wanted: i32, step: i32) -> i32 {
    now + (((wanted - now) * (step >> 1) + (1 << 14)) >> 15)
}

fn follow(now: &mut [i16], wanted: &[i16], step: i32) {
    for (now, &wanted) in now.iter_mut().zip(wanted) {
        *now = towards(i32::from(*now), i32::from(wanted), step) as i16;
    }
}

/// How many cells have each level.
fn histogram(values: &[i16]) -> [u32; 256] {
    let mut counts = [0; 256];
    for &value in values {
        counts[(value >> LEVEL_BITS).clamp(0, 255) as usize] += 1;
    }
    counts
}

/// The level of the cell that has `below` cells before it, in order.
fn rank(histogram: &[u32; 256], below: usize) -> i32 {
    let mut seen = 0;
    for (level, &count) in histogram.iter().enumerate() {
        seen += count as usize;
        if seen > below {
            return level as i32;
        }
    }
    255
}
