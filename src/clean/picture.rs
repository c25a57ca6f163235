//! The clean-up of whole pictures: which of their channels is cleaned, and what becomes of colour.

use super::{Cleaner, Condition};
use crate::frame::Picture;
use crate::simd::luma_from_rgb;

impl Cleaner {
    /// Cleans a single infrared picture: grey, or RGB with three equal channels. One in colours is left alone.
    pub fn still_picture(&mut self, picture: &mut Picture) -> Condition {
        self.on_grey(picture, |cleaner, size, grey| cleaner.still(size, grey))
    }

    /// The same for the next picture of a video.
    pub fn live_picture(&mut self, picture: &mut Picture) -> Condition {
        self.on_grey(picture, |cleaner, size, grey| cleaner.live(size, grey))
    }

    /// Takes grain from the luma of a single visible picture where there is clearly some, and keeps its
    /// colours. Nothing but grain is measured.
    pub fn still_visible(&mut self, picture: &mut Picture) -> Condition {
        let size = picture.size();
        if picture.channels() == 1 {
            return self.still_grain(size, picture.data_mut());
        }
        let mut luma = self.take_luma(picture);
        let mut cleaned = std::mem::take(&mut self.other);
        cleaned.clone_from(&luma);
        let condition = self.still_grain(size, &mut cleaned);
        if condition.cleaned {
            let pixels = picture.data_mut().as_chunks_mut::<3>().0;
            for (pixel, (&old, &new)) in pixels.iter_mut().zip(luma.iter().zip(&cleaned)) {
                let step = i16::from(new) - i16::from(old);
                *pixel = pixel.map(|v| (i16::from(v) + step).clamp(0, 255) as u8);
            }
        }
        self.luma = std::mem::take(&mut luma);
        self.other = cleaned;
        condition
    }

    /// Measures the grain of a visible picture, and nothing else.
    pub fn measure_visible(&mut self, picture: &Picture) -> Condition {
        let luma = self.take_luma(picture);
        let condition = self.measure_grain(picture.size(), &luma);
        self.luma = luma;
        condition
    }

    fn on_grey(
        &mut self,
        picture: &mut Picture,
        clean: impl FnOnce(&mut Self, crate::frame::Size, &mut [u8]) -> Condition,
    ) -> Condition {
        let size = picture.size();
        if picture.channels() == 1 {
            return clean(self, size, picture.data_mut());
        }
        let pixels = picture.data_mut().as_chunks_mut::<3>().0;
        if pixels.iter().any(|[r, g, b]| r != g || g != b) {
            return Condition::default();
        }
        let mut grey = std::mem::take(&mut self.luma);
        grey.resize(size.area(), 0);
        for (grey, pixel) in grey.iter_mut().zip(&*pixels) {
            *grey = pixel[0];
        }
        let condition = clean(self, size, &mut grey);
        if condition.cleaned {
            for (pixel, &grey) in pixels.iter_mut().zip(&grey) {
                *pixel = [grey; 3];
            }
        }
        self.luma = grey;
        condition
    }

    /// The luma of a picture, in a buffer that is to be given back.
    fn take_luma(&mut self, picture: &Picture) -> Vec<u8> {
        let mut luma = std::mem::take(&mut self.luma);
        luma.resize(picture.size().area(), 0);
        if picture.channels() == 3 {
            luma_from_rgb(picture.data(), &mut luma);
        } else {
            luma.copy_from_slice(picture.data());
        }
        luma
    }
}
