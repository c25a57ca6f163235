//! The infrared picture as it was measured: linear in the counts, before any range mapping.
//!
//! Input: counts. Output: [`Heat`], at the output size. Thread: fuse keeps the counts, where the text path
//! asked for them; guide makes the picture. Blocks: never. Allocates: when made, and for a larger camera.
//! Not its job: what is warm (see `describe::facts`).
//!
//! Range mapping makes a wall as white as a person; a linear scale does not. 8 bit are kept, so
//! that the picture goes through the same remap tables: hotter than the scale is 255.

use crate::frame::{Counts, Picture, Size};

/// Kelvins a grey level where counts are temperatures: 76 K over all.
const KELVIN_STEP: f32 = 0.3;
/// Part of the scale below the median.
const BELOW: f32 = 0.2;
/// Counts that the scale of a camera without temperatures is found from.
const SAMPLES: usize = 4096;

/// A linear infrared picture and its scale.
#[derive(Debug, Clone)]
pub struct Heat {
    /// One channel: `(count - zero) / step`, clamped to 0..=255.
    pub picture: Picture,
    /// The count of grey 0.
    pub zero: f32,
    /// Counts a grey level.
    pub step: f32,
    /// Kelvins a count, where counts are absolute temperatures.
    pub kelvin: Option<f32>,
    /// The hottest count of the frame, which the scale may cut.
    pub hottest: u16,
    /// The picture was made; else it and its scale mean nothing.
    pub is_there: bool,
    counts: Counts,
    /// Where the infrared picture was moved to, output pixels; `None`: there are no counts.
    nudge: Option<(i32, i32)>,
    samples: Vec<u16>,
    linear: Picture,
}

impl Heat {
    /// None yet; room for a picture of `size`.
    pub fn new(size: Size) -> Self {
        Self {
            picture: Picture::grey(size),
            zero: 0.0,
            step: 1.0,
            kelvin: None,
            hottest: 0,
            is_there: false,
            counts: Counts::new(Size::new(0, 0)),
            nudge: None,
            samples: Vec::with_capacity(SAMPLES),
            linear: Picture::grey(size),
        }
    }

    /// Keeps a copy of counts, if there are any, for [`Heat::fill`]. The picture is gone.
    pub(super) fn keep(&mut self, counts: Option<&Counts>, nudge: (i32, i32)) {
        self.is_there = false;
        let counts = counts.filter(|c| c.size.area() > 0 && c.data.len() == c.size.area());
        self.nudge = counts.map(|counts| {
            self.counts.copy_from(counts);
            nudge
        });
    }

    /// Where the picture was moved to whose counts are kept.
    pub(super) fn kept(&self) -> Option<(i32, i32)> {
        self.nudge
    }

    /// Degrees Celsius of a grey level, where counts are temperatures.
    pub fn celsius(&self, grey: f32) -> Option<f32> {
        let kelvin = self.kelvin.filter(|_| self.is_there)?;
        Some((self.zero + grey * self.step) * kelvin - 273.15)
    }

    /// Becomes the picture of the counts that are kept; `warp` brings it to the output.
    pub(super) fn fill(&mut self, warp: impl FnOnce(&Picture, &mut Picture)) {
        let counts = &self.counts;
        let stride = counts.data.len().div_ceil(SAMPLES).max(1);
        self.samples.clear();
        self.samples
            .extend(counts.data.iter().step_by(stride).take(SAMPLES));
        self.samples.sort_unstable();
        let at = |share: f32| {
            let last = self.samples.len().saturating_sub(1);
            let found = self.samples.get((last as f32 * share) as usize);
            f32::from(found.copied().unwrap_or(0))
        };
        let median = at(0.5);
        self.kelvin = counts.kelvin;
        self.step = match counts.kelvin {
            Some(kelvin) => KELVIN_STEP / kelvin,
            None => ((at(0.995) - at(0.02)) / 160.0).max(1.0),
        };
        self.zero = (median - BELOW * 255.0 * self.step).max(0.0);
        self.hottest = counts.data.iter().copied().max().unwrap_or(0);
        self.linear.reshape(counts.size, 1);
        let scale = 1.0 / self.step;
        for (out, &count) in self.linear.data_mut().iter_mut().zip(&counts.data) {
            // Rounds and, as casts do, stops at the ends of a byte.
            *out = ((f32::from(count) - self.zero) * scale + 0.5) as u8;
        }
        warp(&self.linear, &mut self.picture);
        self.is_there = true;
    }

    pub(super) fn copy_from(&mut self, other: &Self) {
        self.is_there = other.is_there;
        if other.is_there {
            self.picture.copy_from(&other.picture);
            (self.zero, self.step) = (other.zero, other.step);
            (self.kelvin, self.hottest) = (other.kelvin, other.hottest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(data: Vec<u16>, kelvin: Option<f32>) -> Heat {
        let size = Size::new(data.len(), 1);
        let mut heat = Heat::new(size);
        heat.keep(Some(&Counts { size, data, kelvin }), (0, 0));
        heat.fill(|from, to| to.copy_from(from));
        heat
    }

    #[test]
    fn temperatures_come_back_within_a_step() {
        let mut data = vec![28_015; 100];
        data[3] = 30_515;
        data[4] = 60_000;
        let heat = filled(data, Some(0.01));
        let grey = |x: usize| f32::from(heat.picture.row(0)[x]);
        for (x, expected) in [(0, 7.0), (3, 32.0)] {
            let found = heat.celsius(grey(x)).unwrap();
            assert!(
                (found - expected).abs() < 0.31,
                "{found} and not {expected}"
            );
        }
        assert_eq!((grey(4), heat.hottest), (255.0, 60_000));
    }

    #[test]
    fn a_camera_without_temperatures_has_a_scale_and_no_degrees() {
        let data: Vec<u16> = (0..1000).map(|i| 7_000 + i).collect();
        let heat = filled(data, None);
        assert_eq!(heat.celsius(10.0), None);
        assert!(heat.picture.data().is_sorted());
        assert!(heat.picture.row(0)[999] > heat.picture.row(0)[500] + 60);
    }

    #[test]
    fn a_constant_or_empty_picture_is_no_trouble() {
        for data in [vec![0; 9], vec![65_535; 9], Vec::new()] {
            filled(data.clone(), None);
            filled(data, Some(0.01));
        }
    }
}
