//! Every number of the emphasis that is a matter of judgement, in one place.
//!
//! Chosen on half of the RoadScene pairs that show people, and looked at on TNO and M3SVD: warm
//! targets gain 40 % of contrast or more at strength 1, the background changes by less than 2 % of
//! full scale, and a detector of persons finds no fewer of them.

use std::time::Duration;

/// Fraction bits of a level on the grid.
pub const LEVEL_BITS: u32 = 4;
/// A share of one on the grid.
pub const ONE: i32 = 1 << 12;

const fn level(levels: i32) -> i32 {
    levels << LEVEL_BITS
}

/// The picture's shorter side holds at least this many cells, where cells of [`CELL_SIDES`] allow it.
pub const CELLS: usize = 90;
/// Sides of a cell, pixels; powers of two.
pub const CELL_SIDES: (usize, usize) = (4, 32);

/// Widest target, of the picture's height: what is wider is a wall, a road or the sky.
pub const WIDEST: (usize, usize) = (11, 64);
/// Tallest target, of the widest: what is taller is a pole or a trunk.
pub const TALLEST: (usize, usize) = (12, 5);
/// What is only narrow or only low (a pole, a kerb) counts by this part.
pub const LINES: (i32, i32) = (3, 8);

/// Share of the cells that are warmer than the warmest targets' excess: one of so many.
pub const STRONGEST: usize = 1000;
/// Excess over the surroundings that is raised at all: percent of the warmest targets', and limits.
pub const FLOOR: (i32, i32, i32) = (12, level(4), level(14));
/// Further excess at which a target is raised fully: percent of the warmest targets', and limits.
pub const RAMP: (i32, i32, i32) = (25, level(10), level(34));
/// The floor is also this many 1/16 of the mean excess around: leaves and windows are many.
pub const CLUTTER: i32 = 13;
/// Width of "around", of the picture's height.
pub const AROUND: (usize, usize) = (1, 4);
/// Cells below the first share (percent) of the range from the lower quartile to the 99th
/// percentile are not raised, those above the second are raised fully.
pub const WARMTH: (i32, i32) = (35, 55);

/// Cells from a target that count as right around it, and how fast their share grows.
pub const NEAR: (usize, i32) = (3, 3);
/// Cells around one, whose mean is the base that detail differs from.
pub const BASE: usize = 1;

/// At strength 1: what a target gains, levels.
pub const LIFT: i32 = 44;
/// At strength 1: what is right around it loses, levels.
pub const DIM: i32 = 32;
/// Pixels darker than 2 to this lose less, levels.
pub const SHADOW_BITS: u32 = 6;
/// At strength 1: gain of detail in both, in 1/256.
pub const DETAIL: i32 = 192;
/// The most gain of detail at any strength, in 1/256.
pub const DETAIL_MAX: i32 = 240;
/// Detail changes a pixel by no more, levels.
pub const DETAIL_CHANGE: i32 = 40;
/// A target whose base is this bright gains nothing, and one darker by [`HEADROOM`] gains all, levels.
pub const WHITE: i32 = 250;
/// See [`WHITE`]; levels.
pub const HEADROOM: i32 = 80;

/// The strength changes by 1 within this time.
pub const FADE: Duration = Duration::from_millis(500);
/// Time constant with which a target's share follows the infrared picture.
pub const FOLLOW: Duration = Duration::from_millis(60);
/// Time constant with which the thresholds follow it.
pub const ADAPT: Duration = Duration::from_millis(500);
/// A longer pause between two frames counts as this.
pub const LONGEST: Duration = Duration::from_millis(200);

/// Cells by which a target at the border of a place is followed beyond it.
pub const REACH: usize = 10;
