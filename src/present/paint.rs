//! From a frame to the pixels of a display: scaled in its aspect, turned as the display is mounted.
//!
//! Input: pictures. Output: rows of XRGB8888 in any memory, which is only written. Thread: present. Blocks:
//! never. Allocates: when made, and where the picture's size changes. Not its job: whose memory it is.

use super::rotate::Rotator;
use super::scale::{Filter, PixelOrder, Rect, Scaler, fit};
use crate::frame::{Picture, Size};

/// Paints pictures on one display.
#[derive(Debug)]
pub(super) struct Painter {
    size: Size,
    rotator: Option<Rotator>,
    scaler: Option<(Scaler, Rect)>,
}

impl Painter {
    /// For a display of `size`, mounted so that the picture must be turned clockwise by
    /// `degrees`: 0, 90, 180 or 270.
    pub fn new(size: Size, degrees: u16) -> Self {
        Self {
            size,
            rotator: Rotator::new(degrees, size),
            scaler: None,
        }
    }

    /// The display's size as one sees it.
    pub fn size(&self) -> Size {
        self.rotator.as_ref().map_or(self.size, Rotator::size)
    }

    /// Makes ready for pictures of `src`; `true` where the bars beside the picture may lie
    /// elsewhere than before: what was painted on has to be cleared.
    pub fn prepare(&mut self, src: Size) -> bool {
        if self.scaler.as_ref().map(|(scaler, _)| scaler.src()) == Some(src) {
            return false;
        }
        let rect = fit(src, self.size());
        let scaler = Scaler::new(src, rect.size, Filter::Bilinear, PixelOrder::Xrgb8888);
        self.scaler = Some((scaler, rect));
        if let Some(rotator) = &mut self.rotator {
            rotator.upright().fill(0);
        }
        true
    }

    /// Paints a picture of the size that [`Painter::prepare`] was told, on rows of the display
    /// `pitch` bytes apart.
    pub fn paint(&mut self, picture: &Picture, target: &mut [u8], pitch: usize) {
        let Some((scaler, rect)) = &mut self.scaler else {
            return;
        };
        let bytes = PixelOrder::Xrgb8888.bytes();
        let Some(rotator) = &mut self.rotator else {
            let first = rect.y * pitch + rect.x * bytes;
            if let Some(target) = target.get_mut(first..) {
                scaler.scale(picture, target, pitch);
            }
            return;
        };
        let row = rotator.size().width * bytes;
        let first = rect.y * row + rect.x * bytes;
        if let Some(upright) = rotator.upright().get_mut(first..) {
            scaler.scale(picture, upright, row);
        }
        rotator.turn(target, pitch);
    }
}

/// RGB565 of red, green and blue: the upper bits of each.
pub(super) fn rgb565([r, g, b]: [u8; 3]) -> u16 {
    u16::from(r >> 3) << 11 | u16::from(g >> 2) << 5 | u16::from(b >> 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_display_shows_the_picture_in_its_aspect_between_bars() {
        // A 4x2 picture on a display of 8x6 mounted upright: seen as 6x8.
        let mut picture = Picture::rgb(Size::new(4, 2));
        picture.data_mut().fill(200);
        let mut painter = Painter::new(Size::new(8, 6), 90);
        assert_eq!(painter.size(), Size::new(6, 8));
        assert!(painter.prepare(picture.size()));
        assert!(!painter.prepare(picture.size()));
        let mut target = vec![0; 8 * 6 * 4];
        painter.paint(&picture, &mut target, 8 * 4);
        for (n, pixel) in target.as_chunks::<4>().0.iter().enumerate() {
            // The rows 2 to 4 of eight as one sees them: columns of the display.
            let level = if (3..6).contains(&(n % 8)) { 200 } else { 0 };
            assert_eq!(pixel, &[level, level, level, 0], "{n}");
        }
    }
}
