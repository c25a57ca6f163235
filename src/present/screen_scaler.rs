//! The picture at the screen's own resolution, so that the letters drawn on it stay sharp.
//!
//! Input: fused frames, the screen's size. Output: the frame in the size that fills the screen in its aspect.
//! Thread: present. Blocks: never. Allocates: where the picture's or the screen's size changes. A screen
//! without a size of its own gets the frame as it is. Not its job: the letters; the bars beside the picture.

use super::scale::{Filter, PixelOrder, Scaler, fit};
use crate::frame::{Picture, Size};
use crate::fuse::FusedFrame;

/// Scales frames for one screen.
#[derive(Debug, Default)]
pub struct ScreenScaler {
    scaled: Option<(Scaler, FusedFrame)>,
}

impl ScreenScaler {
    /// `frame` scaled for a screen of `screen`; `None` where it is to be shown as it is.
    pub fn scale(&mut self, frame: &FusedFrame, screen: Option<Size>) -> Option<&mut FusedFrame> {
        let src = frame.picture.size();
        let dst = screen.map_or(src, |screen| fit(src, screen).size);
        if dst == src || dst.area() == 0 || frame.picture.channels() != 3 {
            return None;
        }
        let fits =
            |(scaler, out): &(Scaler, FusedFrame)| (scaler.src(), out.picture.size()) == (src, dst);
        if !self.scaled.as_ref().is_some_and(fits) {
            let scaler = Scaler::new(src, dst, Filter::Bilinear, PixelOrder::Rgb);
            let out = FusedFrame {
                picture: Picture::rgb(dst),
                sources: None,
                ..*frame
            };
            self.scaled = Some((scaler, out));
        }
        let (scaler, out) = self.scaled.as_mut()?;
        scaler.scale(&frame.picture, out.picture.data_mut(), 3 * dst.width);
        (out.timestamp, out.sequence) = (frame.timestamp, frame.sequence);
        (out.mode, out.marks) = (frame.mode, frame.marks);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::config::{Mode, Task};
    use crate::describe::Origin;
    use crate::metrics::Marks;
    use crate::present::{Overlay, OverlayInfo};

    fn frame(size: Size) -> FusedFrame {
        let mut picture = Picture::rgb(size);
        picture.data_mut().fill(90);
        FusedFrame {
            picture,
            timestamp: Timestamp::from_nanos(7),
            sequence: 3,
            mode: Mode::Thermal,
            marks: Marks::default(),
            sources: None,
        }
    }

    #[test]
    fn a_screen_of_the_same_size_or_of_none_gets_the_frame_itself() {
        let size = Size::new(320, 240);
        let frame = frame(size);
        let mut scaler = ScreenScaler::default();
        assert!(scaler.scale(&frame, None).is_none());
        assert!(scaler.scale(&frame, Some(size)).is_none());
        // Bars beside it, but not a pixel more of it.
        assert!(scaler.scale(&frame, Some(Size::new(400, 240))).is_none());
        assert!(scaler.scale(&frame, Some(Size::new(0, 0))).is_none());
    }

    #[test]
    fn a_scaled_frame_says_what_the_frame_says_in_its_aspect() {
        let mut scaler = ScreenScaler::default();
        let source = frame(Size::new(320, 240));
        let out = scaler.scale(&source, Some(Size::new(1920, 1080))).unwrap();
        assert_eq!(out.picture.size(), Size::new(1440, 1080));
        assert_eq!((out.sequence, out.mode), (3, Mode::Thermal));
        assert!(out.picture.data().iter().all(|v| *v == 90));
        // What is shown next on the screen is as large: a painter need not scale again.
        assert_eq!(
            fit(out.picture.size(), Size::new(1920, 1080)).size,
            out.picture.size()
        );
        let next = frame(Size::new(640, 512));
        let out = scaler.scale(&next, Some(Size::new(1920, 1080))).unwrap();
        assert_eq!(out.picture.size(), Size::new(1350, 1080));
    }

    /// Letters that are drawn before scaling have edges of many levels; drawn after it they have two.
    #[test]
    fn letters_are_sharp_on_a_large_screen() {
        let info = OverlayInfo {
            mode: Mode::Fused,
            task: Task::Ivf,
            fps: 25.0,
            text: "two people",
            origin: Origin::User,
            marks: Marks::default(),
            detail: true,
        };
        let levels = |picture: &Picture| {
            let mut seen = [false; 256];
            let top = picture.height() / 20;
            let rows = (0..top).flat_map(|y| picture.row(y));
            rows.for_each(|&v| seen[usize::from(v)] = true);
            seen.iter().filter(|s| **s).count()
        };
        let (size, screen) = (Size::new(320, 240), Some(Size::new(1440, 1080)));
        let mut scaler = ScreenScaler::default();
        let plain = frame(size);
        let late = scaler.scale(&plain, screen).unwrap();
        Overlay::new(late.picture.size()).draw(&mut late.picture, &info);
        let sharp = levels(&late.picture);
        let mut early = frame(size);
        Overlay::new(size).draw(&mut early.picture, &info);
        let mut scaler = ScreenScaler::default();
        let blurred = levels(&scaler.scale(&early, screen).unwrap().picture);
        assert!(sharp <= 3 && blurred > 10, "{sharp} {blurred}");
    }
}
