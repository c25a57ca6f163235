//! Raises the contrast of warm targets, above all people, against their surroundings.
//!
//! Input: luma of the aligned infrared source, fused luma, [`Emphasis`]. Output: the fused luma,
//! changed in place. Thread: fuse. Blocks: never. Allocates: when made.
//!
//! Targets are found on a coarse grid (`targets`), and each pixel is raised by how much warmer it is
//! than the grid's surroundings, so that the raised area ends where the target does (`rows`). A target
//! gains levels as far as there is room below white, a narrow ring around it loses some, and both gain
//! detail, so that arms and legs stay visible. In live video the strength changes gradually, and the grid
//! follows the infrared picture within some frames.

mod grid;
mod params;
mod place;
mod rows;
mod targets;

use std::time::Duration;

use self::grid::Shape;
use self::params::{ADAPT, FADE, FOLLOW, LONGEST, ONE};
use self::rows::{Amounts, Rows};
use self::targets::{Steps, Targets};
use crate::clock::Timestamp;
use crate::describe::{Emphasis, Place};
use crate::frame::{Picture, Size};

/// Emphasises warm targets in one stream of pictures of one size.
#[derive(Debug)]
pub struct Emphasiser {
    size: Size,
    targets: Targets,
    rows: Rows,
    base: Vec<i16>,
    /// In 1/[`ONE`].
    strength: i32,
    place: Option<Place>,
    last: Option<Timestamp>,
}

impl Emphasiser {
    /// For pictures of `size`.
    pub fn new(size: Size) -> Self {
        let shape = Shape::of(size);
        Self {
            size,
            targets: Targets::new(shape, size.width),
            rows: Rows::new(shape),
            base: vec![0; shape.cells()],
            strength: 0,
            place: None,
            last: None,
        }
    }

    /// Emphasises a picture by itself. `infrared` and `fused` have one channel and the size that
    /// this was made for; pictures of another size are left as they are.
    pub fn apply_alone(&mut self, infrared: &Picture, fused: &mut Picture, wanted: Emphasis) {
        self.targets.forget();
        self.strength = strength(Some(wanted));
        self.place = wanted.place;
        self.last = None;
        self.emphasise(infrared, fused, Steps::ALL);
    }

    /// Emphasises the next picture of a video, taken at that time, as [`Emphasiser::apply_alone`]
    /// does; the strength goes to what is wanted by 1 in half a second. Without strength no byte
    /// changes.
    pub fn apply(
        &mut self,
        infrared: &Picture,
        fused: &mut Picture,
        wanted: Option<Emphasis>,
        at: Timestamp,
    ) {
        let passed = self.last.map_or(Duration::ZERO, |last| at.since(last));
        let passed = passed.min(LONGEST);
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        let goal = strength(wanted);
        if self.strength == 0 && goal == 0 {
            self.targets.forget();
            return;
        }
        if let Some(wanted) = wanted.filter(|_| goal > 0) {
            self.place = wanted.place;
        }
        let step = (passed.as_micros() as i64 * i64::from(ONE) / FADE.as_micros() as i64) as i32;
        self.strength = goal.clamp(self.strength - step, self.strength + step);
        self.emphasise(
            infrared,
            fused,
            Steps {
                shares: share(passed, FOLLOW),
                thresholds: share(passed, ADAPT),
            },
        );
    }

    fn emphasise(&mut self, infrared: &Picture, fused: &mut Picture, steps: Steps) {
        let fits = |p: &Picture| p.size() == self.size && p.channels() == 1;
        if self.size.area() == 0 || !fits(infrared) || !fits(fused) {
            return;
        }
        let thresholds = self.targets.look(infrared, self.place, steps);
        if self.strength == 0 {
            return;
        }
        self.targets.base(fused, &mut self.base);
        let amounts = Amounts::new(self.strength, thresholds.ramp);
        let [reference, gate, near] = self.targets.planes();
        let planes = [reference, gate, near, &self.base];
        for y in 0..self.size.height {
            let (warmth, row) = (infrared.row(y), fused.row_mut(y));
            self.rows.run(y, planes, amounts, warmth, row);
        }
    }
}

/// In 1/[`ONE`]; what is no number is none.
fn strength(wanted: Option<Emphasis>) -> i32 {
    wanted.map_or(0, |w| {
        (w.strength.clamp(0.0, 2.0) * ONE as f32).round() as i32
    })
}

/// Part of the way that is gone in `passed`, in 1/65536: the exponential filter by backward Euler.
fn share(passed: Duration, follow: Duration) -> i32 {
    let (passed, follow) = (passed.as_micros() as i64, follow.as_micros() as i64);
    (passed * 65_536 / (follow + passed)) as i32
}

#[cfg(test)]
mod tests;
