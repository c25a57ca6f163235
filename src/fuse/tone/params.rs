//! Every number of the tone map that is a matter of judgement, in one place.
//!
//! Chosen on held-out infrared-visible pairs so that contrast is gained where edge transfer (QABF)
//! loses least: one gain for all detail, since a gain that varies by place turns gradients, and a
//! base that is hardly stretched, since clipping destroys edges. To tune for another network, change
//! [`DETAIL_MAX`] first: sharpness (SF, AG) is nearly proportional to it.

use std::time::Duration;

use crate::simd::tone::GAIN_BITS;

/// A gain of one.
pub const ONE: i32 = 1 << GAIN_BITS;

const fn gain(percent: i32) -> i32 {
    ONE * percent / 100
}

/// Gain of detail (what differs from the mean of its surroundings): the most, at strength 1.
pub const DETAIL_MAX: i32 = gain(127);
/// The least, for pictures that have much local contrast.
pub const DETAIL_MIN: i32 = gain(115);
/// Local contrast (RMS within a cell) from which on the gain falls, in levels: the gain aims at
/// this times [`DETAIL_MAX`].
pub const LOCAL_CONTRAST: i32 = 34;

/// Gain of the base (the mean of the surroundings): the most, for pictures of a narrow range.
pub const BASE_MAX: i32 = gain(110);
/// The least, for pictures whose range is full: makes room for detail.
pub const BASE_MIN: i32 = gain(95);
/// The base is stretched until the range between the percentiles is this wide, levels.
pub const BASE_RANGE: i32 = 235;
/// Range is measured between this percentile and its opposite.
pub const PERCENTILE: usize = 2;

/// No pixel changes by more, levels.
pub const CHANGE_MAX: u8 = 40;
/// The shoulders near black and white begin this far from the ends, in levels per unit of detail
/// gain above one.
pub const KNEE: i32 = 60;

/// The picture's shorter side holds at least this many cells.
pub const CELLS: usize = 10;
/// Sides of a cell, pixels; powers of two.
pub const CELL_SIDES: (usize, usize) = (8, 256);

/// Time constant with which parameters follow the picture.
pub const FOLLOW: Duration = Duration::from_secs(2);
/// Gains do not follow changes smaller than this.
pub const GAIN_BAND: i32 = gain(2);
/// The pivot does not follow changes smaller than this, levels.
pub const PIVOT_BAND: i32 = 2;
