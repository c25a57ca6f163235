//! How fast a fade may go on: so fast that the picture changes by about a level a frame.
//!
//! Input: sources and fused luma of each frame of a fade, and how far the fade went for it. Output: how far
//! it may go for the next, and the fused luma, held back where it changed too much. Thread: fuse. Blocks:
//! never. Allocates: when made. Not its job: the guidance.
//!
//! The network answers to an even change of its guidance with a steep one of its picture, most of
//! all where the text says another kind of scene. What it will do is not known before it has run, and
//! it runs once a frame. So the pace is controlled by what the last step did; and the picture of a step
//! that did too much is mixed with the one shown before it, after which the fade goes on from where
//! that mixture is, by shorter steps. Only where both sources stand still is it mixed: elsewhere the
//! frame before would be a ghost of what has moved on.

use crate::frame::{Picture, Size};
use crate::simd::int8::{Path, Portable};

/// Mean change of the fused luma that a step aims at, grey levels: what cells average out and what
/// the tone map adds comes on top, and two levels are the limit. Much less would drown in the rounding
/// of the 8-bit network, which changes a little whatever the step.
const AIM: f64 = 0.9;
/// A fade begins with this part of its way, since nothing is known yet.
const FIRST: f64 = 1.0 / 120.0;
/// The least step, so that each fade ends: within 4000 frames, if the network answers like a cliff
/// all the way.
const LEAST: f64 = 1.0 / 4000.0;
/// A picture that a text changed by more is held back to this.
const MOST: f64 = 1.4;
/// How much longer, and how much shorter, a step may be than the last one.
const FASTER: f64 = 1.5;
const SLOWER: f64 = 0.1;
/// A sample of a source that changed by no more stands still; cameras' noise at night does that.
const STILL: i32 = 8;
/// One that changed by so much more has moved, and nothing of the frame before is shown.
const MOVED: i32 = 16;
/// Side of the cells whose means are compared, pixels: small enough for what a text changes, large
/// enough that noise averages out.
const SIDE: usize = 8;

/// Sums of the cells of one plane, in the last frame and in this one; 255 SIDE SIDE fits.
#[derive(Debug)]
struct Plane {
    before: Vec<u16>,
    now: Vec<u16>,
    /// Of the columns of one row of cells.
    columns: Vec<u16>,
}

impl Plane {
    fn new(size: Size) -> Self {
        let cells = size.width.div_ceil(SIDE) * size.height.div_ceil(SIDE);
        Self {
            before: vec![0; cells],
            now: vec![0; cells],
            columns: vec![0; size.width],
        }
    }

    /// What was measured last is what the next frame is compared with.
    fn keep(&mut self) {
        std::mem::swap(&mut self.before, &mut self.now);
    }

    fn measure(&mut self, picture: &Picture) {
        Path::best().run(Measure {
            plane: self,
            picture,
        });
    }

    fn changes(&self) -> impl Iterator<Item = u16> {
        let pairs = self.before.iter().zip(&self.now);
        pairs.map(|(before, now)| before.abs_diff(*now))
    }
}

/// Of each cell the sum of its samples.
struct Measure<'a> {
    plane: &'a mut Plane,
    picture: &'a Picture,
}

impl Portable for Measure<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { plane, picture } = self;
        let cells = picture.width().div_ceil(SIDE);
        for (cells, top) in plane.now.chunks_mut(cells).zip((0..).step_by(SIDE)) {
            plane.columns.fill(0);
            for y in top..(top + SIDE).min(picture.height()) {
                for (column, &sample) in plane.columns.iter_mut().zip(picture.row(y)) {
                    *column += u16::from(sample);
                }
            }
            let (whole, rest) = plane.columns.as_chunks::<SIDE>();
            for (cell, columns) in cells.iter_mut().zip(whole) {
                *cell = columns.iter().sum();
            }
            if let Some(cell) = cells.get_mut(whole.len()) {
                *cell = rest.iter().sum();
            }
        }
    }
}

/// The pace of one fade after the other.
#[derive(Debug)]
pub(super) struct FadeRate {
    area: f64,
    planes: [Plane; 3],
    /// Whether the planes hold a frame to compare with.
    measured: bool,
    /// Fused luma of the last frame as it was shown.
    shown: Picture,
    /// The longest next step, a part of the way.
    longest: f64,
}

impl FadeRate {
    /// For pictures of `size`.
    pub fn new(size: Size) -> Self {
        Self {
            area: size.area().max(1) as f64,
            planes: std::array::from_fn(|_| Plane::new(size)),
            measured: false,
            shown: Picture::grey(size),
            longest: FIRST,
        }
    }

    /// A fade begins.
    pub fn start(&mut self) {
        self.longest = FIRST;
    }

    /// There is a last frame, which the next one follows on.
    pub fn has_last(&self) -> bool {
        self.measured
    }

    /// The last frame is not what the next one follows on.
    pub fn forget(&mut self) {
        self.measured = false;
    }

    /// The next step, where time alone would make it `wanted`.
    pub fn step(&self, wanted: f64) -> f64 {
        wanted.min(self.longest)
    }

    /// Looks at the sources of a frame, infrared and visible luma of the pace's size, before
    /// [`FadeRate::observe`] gets the same.
    pub fn look(&mut self, sources: [&Picture; 2]) {
        for (plane, picture) in self.planes.iter_mut().zip(sources) {
            plane.measure(picture);
        }
    }

    /// Looks at a frame that the fade went `step` for, at those after it, and at the one before a fade:
    /// infrared and visible luma of this frame and of the one before, and fused luma, of the pace's size.
    /// Where `fused` changed too much and a text is to `blame`, draws it towards what was shown before. Gives how much of the step what is shown has gone, at
    /// least [`LEAST`]; and whether it was drawn.
    pub fn observe(
        &mut self,
        sources: [[&Picture; 2]; 2],
        fused: &mut Picture,
        step: f64,
        blame: bool,
    ) -> (f64, bool) {
        self.planes[2].measure(fused);
        let changed = if self.measured { self.change() } else { 0.0 };
        if self.measured && step > 0.0 {
            let factor = (AIM / changed.max(1e-3)).clamp(SLOWER, FASTER);
            self.longest = (step * factor).max(LEAST);
        }
        let held = blame && changed > MOST;
        let mut done = step;
        if held {
            done = (step * MOST / changed).max(step.min(LEAST));
            self.hold_back(sources, fused, MOST / changed);
        }
        self.planes.iter_mut().for_each(Plane::keep);
        self.measured = true;
        self.shown.copy_from(fused);
        (done, held)
    }

    /// Leaves that share of the way from the last frame's picture to this one's, where the sources
    /// stand still.
    fn hold_back(&mut self, sources: [[&Picture; 2]; 2], fused: &mut Picture, share: f64) {
        let share = (share * 256.0) as i32;
        let [[infrared, visible], before] = sources.map(|two| two.map(Picture::data));
        let moved = infrared.iter().zip(before[0]);
        let moved = moved.zip(visible.iter().zip(before[1]));
        let samples = fused.data_mut().iter_mut().zip(self.shown.data());
        for ((now, &before), ((a, b), (c, d))) in samples.zip(moved) {
            let moved = (i32::from(a.abs_diff(*b).max(c.abs_diff(*d))) - STILL).clamp(0, MOVED);
            let share = share + (256 - share) * moved / MOVED;
            let before = i32::from(before);
            *now = (before + (((i32::from(*now) - before) * share + 128) >> 8)) as u8;
        }
        self.planes[2].measure(fused);
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

    /// Has the pace look at flat pictures, the sources at 50 and 60; the fused level shown, and what
    /// became of the step.
    fn look(rate: &mut FadeRate, level: u8, step: f64, blame: bool) -> (u8, f64, bool) {
        let mut fused = flat(level);
        let sources = [&flat(50), &flat(60)];
        rate.look(sources);
        let (done, held) = rate.observe([sources; 2], &mut fused, step, blame);
        (fused.data()[0], done, held)
    }

    /// The longest step after one whose picture changed from 100 to `fused`, the sources from 50
    /// to `infrared` and from 60 to 60.
    fn after(fused: u8, infrared: u8) -> f64 {
        let mut rate = FadeRate::new(SIZE);
        rate.start();
        look(&mut rate, 100, 0.0, true);
        let sources = [[&flat(infrared), &flat(60)], [&flat(50), &flat(60)]];
        rate.look(sources[0]);
        rate.observe(sources, &mut flat(fused), 0.02, true);
        rate.step(1.0)
    }

    #[test]
    fn cells_have_the_sums_of_their_samples() {
        let samples: Vec<u8> = (0..SIZE.area()).map(|i| (i * 89 % 256) as u8).collect();
        for samples in [samples, vec![255; SIZE.area()]] {
            let picture = Picture::from_data(SIZE, 1, samples).unwrap();
            let mut plane = Plane::new(SIZE);
            plane.measure(&picture);
            let mut sums = vec![0_u16; plane.now.len()];
            for (x, y) in (0..SIZE.area()).map(|i| (i % SIZE.width, i / SIZE.width)) {
                sums[y / SIDE * 4 + x / SIDE] += u16::from(picture.row(y)[x]);
            }
            assert_eq!(plane.now, sums);
        }
    }

    #[test]
    fn a_fade_begins_slowly_and_never_outruns_time() {
        let rate = FadeRate::new(SIZE);
        assert_eq!(rate.step(1.0), FIRST);
        assert_eq!(rate.step(0.001), 0.001);
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
    fn a_step_too_far_is_shown_and_counted_in_part() {
        let mut rate = FadeRate::new(SIZE);
        assert_eq!(look(&mut rate, 100, 0.0, true), (100, 0.0, false));
        assert_eq!(look(&mut rate, 101, 0.02, true), (101, 0.02, false));
        let (level, done, held) = look(&mut rate, 108, 0.02, true);
        assert_eq!((level, held), (102, true));
        assert!((done - 0.02 * MOST / 7.0).abs() < 1e-9, "{done}");
        // What comes next is compared with what was shown.
        assert_eq!(look(&mut rate, 103, done, true), (103, done, false));
        // However much it was: a fade goes on.
        assert_eq!(look(&mut rate, 250, 2.0 * LEAST, true).1, LEAST);
    }

    #[test]
    fn what_moved_is_shown_as_it_is() {
        // The infrared source's level where the visible one stands still, and what is shown.
        for (infrared, level) in [(50, 101), (58, 101), (66, 105), (74, 108), (30, 106)] {
            let mut rate = FadeRate::new(SIZE);
            look(&mut rate, 100, 0.0, true);
            let (mut fused, still) = (flat(108), flat(50));
            // One pixel of 600 moves: the frame's change is what it would be without.
            let mut moving = still.clone();
            moving.data_mut()[77] = infrared;
            let sources = [[&moving, &flat(60)], [&still, &flat(60)]];
            rate.look(sources[0]);
            rate.observe(sources, &mut fused, 0.02, true);
            assert!(fused.data()[77].abs_diff(level) <= 1, "{infrared}");
            assert_eq!(fused.data()[78], 101);
        }
    }

    #[test]
    fn a_jump_that_no_step_avoids_is_spread_over_frames() {
        let mut rate = FadeRate::new(SIZE);
        let levels = |n: usize| if n == 0 { 100 } else { 110 };
        let levels: Vec<u8> = (0..20)
            .map(|n| look(&mut rate, levels(n), 0.0, true).0)
            .collect();
        assert!(
            levels.windows(2).all(|two| two[1] - two[0] <= 2),
            "{levels:?}"
        );
        assert_eq!(levels.last(), Some(&110));
        assert_eq!(
            look(&mut rate, 150, 0.0, false),
            (150, 0.0, false),
            "no text is to blame"
        );
    }
}
