//! How fast a fade may go on: so fast that the picture changes by about a level a frame.
//!
//! Input: sources and fused luma of each frame of a fade, and how far the fade went for it. Output:
//! how far it may go for the next. Thread: fuse. Blocks: never. Allocates: when made. Fails when:
//! never. Not its job: the guidance.
//!
//! The network answers to an even change of its guidance with a steep one of its picture, most of
//! all where the text says another kind of scene. What it will do is not known before it has run; so
//! the pace is controlled by what the last step did, and a step that did too much is taken back.

use crate::frame::{Picture, Size};
use crate::simd::tone::sums;

/// Mean change of the fused luma that a step aims at, grey levels: what cells average out and what
/// the tone map adds comes on top, and two levels are the limit. Much less would drown in the rounding
/// of the 8-bit network, which changes a little whatever the step.
const AIM: f64 = 0.9;
/// A fade begins with this part of its way, since nothing is known yet.
const FIRST: f64 = 1.0 / 120.0;
/// The least step, so that each fade ends: within 4000 frames, if the network answers like a cliff
/// all the way.
const LEAST: f64 = 1.0 / 4000.0;
/// A step that changed the picture by more is taken back and tried shorter.
const MOST: f64 = 1.4;
/// How much longer, and how much shorter, a step may be than the last one.
const FASTER: f64 = 1.5;
const SLOWER: f64 = 0.1;
/// Side of the cells whose means are compared, pixels: small enough for what a text changes, large
/// enough that noise averages out.
const SIDE: usize = 8;

/// Sums of the cells of one plane, in the last frame and in this one.
#[derive(Debug)]
struct Plane {
    before: Vec<u32>,
    now: Vec<u32>,
}

impl Plane {
    fn new(size: Size) -> Self {
        let cells = size.width.div_ceil(SIDE) * size.height.div_ceil(SIDE);
        Self {
            before: vec![0; cells],
            now: vec![0; cells],
        }
    }

    /// What was measured last is what the next frame is compared with.
    fn keep(&mut self) {
        std::mem::swap(&mut self.before, &mut self.now);
    }

    fn measure(&mut self, picture: &Picture) {
        self.now.fill(0);
        let columns = picture.width().div_ceil(SIDE);
        for y in 0..picture.height() {
            let cells = &mut self.now[y / SIDE * columns..][..columns];
            for (cell, samples) in cells.iter_mut().zip(picture.row(y).chunks(SIDE)) {
                *cell += sums(samples).0;
            }
        }
    }

    fn changes(&self) -> impl Iterator<Item = u32> {
        let pairs = self.before.iter().zip(&self.now);
        pairs.map(|(before, now)| before.abs_diff(*now))
    }
}

/// The pace of one fade after the other.
#[derive(Debug)]
pub(super) struct Pace {
    area: f64,
    planes: [Plane; 3],
    /// Whether the planes hold a frame to compare with.
    measured: bool,
    /// By how much the last frame differs from the one before.
    changed: f64,
    /// The last frame's fused luma, as it was shown.
    shown: Picture,
    /// The longest next step, a part of the way.
    longest: f64,
}

impl Pace {
    /// For pictures of `size`.
    pub fn new(size: Size) -> Self {
        Self {
            area: size.area().max(1) as f64,
            planes: std::array::from_fn(|_| Plane::new(size)),
            measured: false,
            changed: 0.0,
            shown: Picture::grey(size),
            longest: FIRST,
        }
    }

    /// A fade begins.
    pub fn start(&mut self) {
        self.longest = FIRST;
    }

    /// The next step, where time alone would make it `wanted`.
    pub fn step(&self, wanted: f64) -> f64 {
        wanted.min(self.longest)
    }

    /// Looks at a frame that the fade went `step` for, and at those between fades: infrared, visible,
    /// fused, of the pace's size. Gives a shorter step where this one changed the picture too much;
    /// not where the frame is the `last` try.
    pub fn observe(&mut self, pictures: [&Picture; 3], step: f64, last: bool) -> Option<f64> {
        for (plane, picture) in self.planes.iter_mut().zip(pictures) {
            plane.measure(picture);
        }
        self.changed = if self.measured { self.change() } else { 0.0 };
        let mut shorter = None;
        if self.measured && step > 0.0 {
            let factor = (AIM / self.changed.max(1e-3)).clamp(SLOWER, FASTER);
            self.longest = (step * factor).max(LEAST);
            let again = self.changed > MOST && step > LEAST && !last;
            shorter = again.then_some(self.longest);
        }
        if shorter.is_none() {
            self.planes.iter_mut().for_each(Plane::keep);
            self.measured = true;
        }
        shorter
    }

    /// Where the observed frame still changed too much, draws it towards the one before; `fading` is
    /// false where no text is to blame.
    pub fn settle(&mut self, fused: &mut Picture, fading: bool) {
        if fading && self.changed > MOST {
            let share = (MOST / self.changed * 256.0) as i32;
            for (now, &before) in fused.data_mut().iter_mut().zip(self.shown.data()) {
                let before = i32::from(before);
                *now = (before + (((i32::from(*now) - before) * share + 128) >> 8)) as u8;
            }
            self.planes[2].measure(fused);
            self.planes[2].keep();
        }
        self.shown.copy_from(fused);
    }

    /// Mean change of the fused luma beyond what either source changed by at the same place, in
    /// grey levels.
    fn change(&self) -> f64 {
        let [infrared, visible, fused] = &self.planes;
        let sources = infrared.changes().zip(visible.changes());
        let beyond = fused.changes().zip(sources);
        let sum: u64 = beyond
            .map(|(fused, (a, b))| u64::from(fused.saturating_sub(a.max(b))))
            .sum();
        sum as f64 / self.area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(30, 20);

    fn flat(level: u8) -> Picture {
        Picture::from_data(SIZE, 1, vec![level; SIZE.area()]).unwrap()
    }

    /// The longest step after one whose picture changed from 100 to `fused`, the sources from 50
    /// to `infrared` and from 60 to 60.
    fn after(fused: u8, infrared: u8) -> f64 {
        let mut pace = Pace::new(SIZE);
        pace.start();
        pace.observe([&flat(50), &flat(60), &flat(100)], 0.0, true);
        pace.observe([&flat(infrared), &flat(60), &flat(fused)], 0.02, true);
        pace.step(1.0)
    }

    #[test]
    fn a_fade_begins_slowly_and_never_outruns_time() {
        let pace = Pace::new(SIZE);
        assert_eq!(pace.step(1.0), FIRST);
        assert_eq!(pace.step(0.001), 0.001);
    }

    #[test]
    fn a_large_change_slows_it_and_none_speeds_it_up() {
        assert_eq!(after(100, 50), 0.02 * FASTER);
        let slow = after(102, 50);
        assert!((slow - 0.02 * AIM / 2.0).abs() < 1e-9, "{slow}");
        assert_eq!(after(250, 50), 0.02 * SLOWER);
    }

    #[test]
    fn what_the_sources_change_is_not_the_texts() {
        assert_eq!(after(102, 52), 0.02 * FASTER);
        assert_eq!(after(102, 48), 0.02 * FASTER);
        assert!(after(104, 52) < 0.02);
    }

    #[test]
    fn a_step_too_far_is_tried_again_but_for_the_last_time() {
        let mut pace = Pace::new(SIZE);
        let sources = [flat(50), flat(60)];
        let look = |pace: &mut Pace, fused, step, last| {
            pace.observe([&sources[0], &sources[1], &flat(fused)], step, last)
        };
        assert_eq!(look(&mut pace, 100, 0.0, false), None);
        let shorter = look(&mut pace, 110, 0.02, false).unwrap();
        assert!(shorter < 0.02);
        assert_eq!(look(&mut pace, 101, shorter, false), None);
        assert_eq!(look(&mut pace, 130, shorter, true), None);
    }

    #[test]
    fn a_jump_that_no_step_avoids_is_spread_over_frames() {
        let mut pace = Pace::new(SIZE);
        let sources = [flat(50), flat(60)];
        let mut levels = Vec::new();
        for n in 0..20 {
            let mut fused = flat(if n == 0 { 100 } else { 110 });
            pace.observe([&sources[0], &sources[1], &fused], 0.0, true);
            pace.settle(&mut fused, true);
            levels.push(fused.data()[0]);
        }
        assert!(
            levels.windows(2).all(|two| two[1] - two[0] <= 2),
            "{levels:?}"
        );
        assert_eq!(levels.last(), Some(&110));
        let mut fused = flat(150);
        pace.observe([&sources[0], &sources[1], &fused], 0.0, true);
        pace.settle(&mut fused, false);
        assert_eq!(fused.data()[0], 150, "no text is to blame");
    }
}
