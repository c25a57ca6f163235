//! Two pictures of one scene, exposed or focused otherwise, brought over each other: hand-held brackets, and the
//! change of scale that focusing brings.
//!
//! Input: two pictures of one size. Output: [`Motion`], the moved picture. Thread: any. Blocks: never. Allocates: some
//! planes. Fails when: never; what was not found is `None`. Not its job: cameras side by side (a calibration does that).
//!
//! Pictures are compared by the rank of each pixel's luma among all, which no exposure changes (G. Ward, "Fast, robust
//! image registration for compositing high dynamic range photographs from hand-held exposures", JGT 8(2), 2003, takes
//! one bit of it). A search on a pyramid finds the shift, Gauss-Newton steps the turn, the scale and the rest.

mod level;
mod refine;
mod warp;

use crate::frame::{Picture, Size};
use level::Level;

pub use warp::moved;

/// Shorter side of the pyramid's smallest level, in pixels.
const SMALLEST: usize = 24;
/// Shifts that are tried there to each side, in pixels of that level.
const REACH: i32 = 4;
/// Pictures beyond this are aligned on a smaller copy.
const LARGEST: usize = 1200;
/// Below this many pixels at the corners nothing is moved: resampling would cost sharpness for nothing.
const STILL: f64 = 0.35;
/// The mean difference of ranks must fall to this part.
const BETTER: f32 = 0.93;
/// Largest shift (part of the shorter side), turn (degrees) and change of scale that are believed.
const FURTHEST: (f64, f64, f64) = (0.15, 6.0, 0.1);
/// Mean difference of ranks, of 255, beyond which two pictures show different things.
const UNLIKE: f32 = 40.0;

/// Where a point of the reference lies in the other picture: turned and scaled about the centre, then shifted.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Motion {
    /// Pixels to the right and down.
    pub shift: (f64, f64),
    /// Degrees, clockwise.
    pub turn: f64,
    /// More than 1: the other picture shows things larger.
    pub scale: f64,
}

impl Motion {
    /// No motion.
    pub const NONE: Self = Self {
        shift: (0.0, 0.0),
        turn: 0.0,
        scale: 1.0,
    };

    /// How far the motion takes a corner of a picture, in pixels.
    pub fn reach(&self, size: Size) -> f64 {
        let (w, h) = (size.width as f64 / 2.0, size.height as f64 / 2.0);
        [(-w, -h), (w, -h), (-w, h), (w, h)]
            .map(|(x, y)| {
                let (u, v) = self.apply((x, y));
                (u - x).hypot(v - y)
            })
            .into_iter()
            .fold(0.0, f64::max)
    }

    /// Of a point relative to the centre.
    fn apply(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = self.turn.to_radians().sin_cos();
        let (s, c) = (sin * self.scale, cos * self.scale);
        (c * x - s * y + self.shift.0, s * x + c * y + self.shift.1)
    }

    fn is_believable(&self, size: Size) -> bool {
        let side = size.width.min(size.height) as f64;
        self.shift.0.hypot(self.shift.1) <= FURTHEST.0 * side
            && self.turn.abs() <= FURTHEST.1
            && (self.scale - 1.0).abs() <= FURTHEST.2
    }
}

/// What came of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found {
    /// The pictures lie over each other already.
    Still,
    /// The other picture is to be moved back by this.
    Moved(Motion),
    /// They do not fit, or lie further apart than is believed; the best guess.
    Unsure(Motion),
}

/// How `other` has moved against `reference`, which has its size. Both are grey.
pub fn find(reference: &Picture, other: &Picture) -> Found {
    let size = reference.size();
    let mut levels = vec![(Level::new(reference), Level::new(other))];
    while let Some((a, b)) = levels.last() {
        let smaller = (a.halved(), b.halved());
        if smaller.0.size.width.min(smaller.0.size.height) < SMALLEST {
            break;
        }
        levels.push(smaller);
    }
    let finest = levels
        .iter()
        .position(|(a, _)| a.size.width.max(a.size.height) <= LARGEST)
        .unwrap_or(levels.len() - 1);
    let mut motion = Motion::NONE;
    for (number, (a, b)) in levels.iter().enumerate().skip(finest).rev() {
        let coarsest = number == levels.len() - 1;
        let reach = if coarsest { REACH } else { 1 };
        if !coarsest {
            motion.shift = (motion.shift.0 * 2.0, motion.shift.1 * 2.0);
        }
        motion = refine::search(a, b, motion, reach);
        motion = refine::steps(a, b, motion);
    }
    let (a, b) = &levels[finest];
    let before = refine::difference(a, b, Motion::NONE);
    let after = refine::difference(a, b, motion);
    let factor = size.width as f64 / a.size.width as f64;
    motion.shift = (motion.shift.0 * factor, motion.shift.1 * factor);
    let (Some(before), Some(after)) = (before, after) else {
        return Found::Unsure(motion);
    };
    let moves = motion.reach(size) > STILL;
    match (moves && after < before * BETTER, motion.is_believable(size)) {
        (true, true) if after < UNLIKE => Found::Moved(motion),
        (true, _) => Found::Unsure(motion),
        (false, _) if before < UNLIKE || !moves => Found::Still,
        (false, _) => Found::Unsure(motion),
    }
}

#[cfg(test)]
mod tests;
