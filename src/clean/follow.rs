//! Follows the blur of a video, a few rows of each frame at a time.
//!
//! Thread: fuse. Blocks: never. Allocates: when made.

use super::edges::{Blur, EdgeWidths};
use super::sharpen::Sharpening;
use crate::frame::Picture;

/// Every so many-th row of a frame is looked at, other ones in the next frame; after so many frames the
/// blur is known anew.
const FRAMES: usize = 32;
/// The part of the way to a new value that a frame goes.
pub(super) const PACE: f32 = 1.0 / 16.0;
/// A value nearer than this is reached.
const NEAR: f32 = 0.01;

/// What to take back from the next frame.
#[derive(Debug, Clone, Default)]
pub struct BlurFollower {
    widths: EdgeWidths,
    /// Frames since the blur was known last; `None`: before the first frame.
    looked: Option<usize>,
    measured: Blur,
    now: Sharpening,
}

impl BlurFollower {
    /// Looks at a grey picture, of which the first is measured as a whole. `asked`: see
    /// `Controls::sharpen`.
    pub fn follow(&mut self, picture: &Picture, asked: f32) -> Sharpening {
        let Some(looked) = self.looked else {
            self.look(picture, 0, 2);
            self.learn();
            self.now = Sharpening::of(self.measured, asked);
            self.looked = Some(0);
            return self.now;
        };
        self.look(picture, looked, FRAMES);
        self.looked = Some(looked + 1);
        if looked + 1 == FRAMES {
            self.learn();
            self.looked = Some(0);
        }
        let wanted = Sharpening::of(self.measured, asked);
        // The strength itself: a little more blur may be the whole difference between none and all.
        approach(&mut self.now.strength, wanted.strength, NEAR);
        approach(&mut self.now.deviation, wanted.deviation, NEAR);
        self.now
    }

    fn look(&mut self, picture: &Picture, first: usize, step: usize) {
        for y in (first..picture.height().saturating_sub(3)).step_by(step) {
            self.widths.add(std::array::from_fn(|i| picture.row(y + i)));
        }
    }

    fn learn(&mut self) {
        self.measured = self.widths.blur().unwrap_or_default();
        self.widths.clear();
    }
}

/// Goes a frame's part of the way to `wanted`, and all of it from `near` on.
pub(super) fn approach(value: &mut f32, wanted: f32, near: f32) {
    *value += PACE * (wanted - *value);
    if (wanted - *value).abs() < near {
        *value = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    /// Slanted edges that `soft` pixels go by.
    fn picture(soft: usize) -> Picture {
        let mut picture = Picture::grey(Size::new(320, 240));
        for y in 0..240 {
            for (x, v) in picture.row_mut(y).iter_mut().enumerate() {
                let up = (x as f32 + 0.37 * y as f32) % 80.0;
                let part = (up.min(80.0 - up) - 20.0) / (soft + 1) as f32;
                let part = part.clamp(0.0, 1.0);
                let smooth = part * part * (3.0 - 2.0 * part);
                *v = 40 + (160.0 * smooth) as u8;
            }
        }
        picture
    }

    #[test]
    fn the_first_frame_is_known_at_once_and_changes_come_slowly() {
        let mut follower = BlurFollower::default();
        let (sharp, soft) = (picture(0), picture(5));
        let first = follower.follow(&soft, 0.0);
        assert!(first.strength > 0.9, "{first:?}");
        let mut before = first.strength;
        for frame in 0..6 * FRAMES {
            let now = follower.follow(&sharp, 0.0).strength;
            assert!(
                now <= before && before - now <= PACE + NEAR,
                "{frame}: {before} to {now}"
            );
            before = now;
        }
        assert_eq!(before, 0.0);
        assert!(follower.follow(&sharp, 1.0).strength < 0.1);
        for _ in 0..100 {
            before = follower.follow(&sharp, 1.0).strength;
        }
        assert!(before > 0.2, "{before}");
    }

    #[test]
    fn pictures_too_small_to_measure_are_left() {
        let mut follower = BlurFollower::default();
        for _ in 0..70 {
            let found = follower.follow(&Picture::grey(Size::new(3, 2)), 0.0);
            assert_eq!(found.strength, 0.0);
        }
    }
}
