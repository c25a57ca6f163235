//! What is shown while no frame comes: the last picture, dimmed, and for how long it has been old.
//!
//! A picture that stands still and looks live is worse than none. Thread: present. Allocates: no.

use std::fmt::Write;
use std::time::Duration;

use embedded_graphics::geometry::{Dimensions, Point, Size};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{RgbColor, WebColors};
use embedded_graphics::primitives::Rectangle;

use super::canvas::Canvas;
use super::overlay::{Lettering, draw_text, signed};
use super::wrap::FixedText;
use crate::frame::Picture;

const TITLE: &str = "NO SIGNAL";
/// A quarter of its light is left of the old picture.
const DIMMED: u8 = 4;

/// Dims an RGB picture and writes over it that no frame has come for `since`.
pub fn no_signal(picture: &mut Picture, since: Duration) {
    for sample in picture.data_mut() {
        *sample /= DIMMED;
    }
    let mut lettering = Lettering::for_width(picture.width());
    let Some(mut canvas) = Canvas::new(picture) else {
        return;
    };
    let size = canvas.bounding_box().size;
    // Twice as large as other words, where that fits.
    let larger = Lettering {
        factor: 2 * lettering.factor,
        ..lettering
    };
    if larger.text_width(TITLE) + 2 * larger.margin <= size.width {
        lettering = larger;
    }
    let time = time(since);
    let pitch = lettering.line() + lettering.margin;
    let height = 2 * pitch + lettering.margin;
    let top = size.height.saturating_sub(height) / 2;
    let band = Rectangle::new(Point::new(0, signed(top)), Size::new(size.width, height));
    canvas.darken(&band);
    let lines = [(TITLE, Rgb888::CSS_RED), (time.as_str(), Rgb888::WHITE)];
    let mut y = top + lettering.margin;
    for (text, ink) in lines {
        let x = size.width.saturating_sub(lettering.text_width(text)) / 2;
        draw_text(&mut canvas, lettering, (x, y), text, ink);
        y += pitch;
    }
}

/// In the largest unit that is not below one.
fn time(since: Duration) -> FixedText<24> {
    let mut text = FixedText::default();
    // Always short enough.
    let _ = match since.as_secs() {
        s @ 0..120 => write!(text, "{s} s"),
        s @ 120..7200 => write!(text, "{} min", s / 60),
        s => write!(text, "{} h", s / 3600),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame;

    #[test]
    fn the_picture_is_dimmed_and_the_seconds_are_seen() {
        for (width, height) in [(640, 480), (160, 120), (96, 64), (1920, 1080), (8, 4)] {
            let mut old = Picture::rgb(frame::Size::new(width, height));
            old.data_mut().fill(200);
            let (mut one, mut two) = (old.clone(), old.clone());
            no_signal(&mut one, Duration::from_secs(1));
            no_signal(&mut two, Duration::from_secs(2));
            assert!(one.data().iter().all(|v| *v != 200), "{width}");
            if width >= 96 {
                assert_eq!(one.row(0)[0], 200 / DIMMED, "{width}");
                assert_ne!(one.data(), two.data(), "{width}");
                let is_red = |p: &[u8]| p[0] > 200 && p[1] < 50;
                assert!(one.data().chunks_exact(3).any(is_red), "{width}");
            }
        }
    }

    #[test]
    fn long_times_are_short_words() {
        let said = |s| time(Duration::from_secs(s)).as_str().to_owned();
        assert_eq!(
            [said(0), said(119), said(120), said(7200)],
            ["0 s", "119 s", "2 min", "2 h"]
        );
    }
}
