//! Plane-to-plane maps: 3x3 matrices acting on pixel positions.
//!
//! Input and output: `f64` positions; the centre of the top left pixel is (0, 0), as in OpenCV.
//! Thread: any. Blocks: never. Allocates: never. Fails when: a matrix cannot be inverted over
//! the picture ([`Homography::defect`]). Not its job: lenses (see `lens`), sampling (`remap`).
//! Only `+ - * /` are used, so every processor computes the same bits.

use crate::frame::Size;

/// A homography, row-major, up to scale (Hartley and Zisserman, Multiple View Geometry, 2.3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Homography(pub [f64; 9]);

impl Homography {
    /// Maps every point to itself.
    pub const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);

    /// The pixel positions of a picture of size `from` to those of the same picture scaled to
    /// `to`. Pixels are areas: the corners meet, not the centres of the corner pixels.
    pub fn scaling(from: Size, to: Size) -> Self {
        let sx = to.width as f64 / from.width as f64;
        let sy = to.height as f64 / from.height as f64;
        let (tx, ty) = (0.5 * sx - 0.5, 0.5 * sy - 0.5);
        Self([sx, 0.0, tx, 0.0, sy, ty, 0.0, 0.0, 1.0])
    }

    /// Moves every point by `(x, y)`.
    pub fn translation((x, y): (f64, f64)) -> Self {
        Self([1.0, 0.0, x, 0.0, 1.0, y, 0.0, 0.0, 1.0])
    }

    /// First `self`, then `next`.
    pub fn then(&self, next: &Self) -> Self {
        let (a, b) = (&next.0, &self.0);
        let mut out = [0.0; 9];
        for (i, value) in out.iter_mut().enumerate() {
            let (r, c) = (i / 3 * 3, i % 3);
            *value = a[r] * b[c] + a[r + 1] * b[c + 3] + a[r + 2] * b[c + 6];
        }
        Self(out)
    }

    /// Where a point goes. Not finite on the horizon, which [`Self::defect`] keeps outside.
    pub fn map(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let h = &self.0;
        let w = h[6] * x + h[7] * y + h[8];
        (
            (h[0] * x + h[1] * y + h[2]) / w,
            (h[3] * x + h[4] * y + h[5]) / w,
        )
    }

    fn determinant(&self) -> f64 {
        let h = &self.0;
        h[0] * (h[4] * h[8] - h[5] * h[7]) - h[1] * (h[3] * h[8] - h[5] * h[6])
            + h[2] * (h[3] * h[7] - h[4] * h[6])
    }

    /// What makes the map from a `visible` picture to an `infrared` one unusable, if anything:
    /// values not finite, no inverse, or a horizon inside the visible picture.
    pub fn defect(&self, visible: Size, infrared: Size) -> Option<&'static str> {
        if !self.0.iter().all(|v| v.is_finite()) {
            return Some("a value is not finite");
        }
        // Judged with both pictures scaled to one pixel, where all terms have like magnitudes.
        let unit = Size::new(1, 1);
        let unit = Self::scaling(unit, visible)
            .then(self)
            .then(&Self::scaling(infrared, unit));
        let largest = unit.0.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let scaled = Self(unit.0.map(|v| v / largest));
        // `!(a > b)` also catches a largest of zero or infinity (NaN).
        let invertible = scaled.determinant().abs() > 1e-9;
        if !invertible {
            return Some("the matrix has no inverse (it is singular)");
        }
        let denominator = |x: f64, y: f64| scaled.0[6] * x + scaled.0[7] * y + scaled.0[8];
        let corners = [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)];
        let signs = corners.map(|(x, y)| denominator(x, y));
        let ahead = signs.iter().all(|w| *w > 1e-6) || signs.iter().all(|w| *w < -1e-6);
        (!ahead).then_some("its horizon crosses the visible picture")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_maps_corner_to_corner() {
        let h = Homography::scaling(Size::new(640, 480), Size::new(160, 120));
        assert_eq!(h.map((-0.5, -0.5)), (-0.5, -0.5));
        assert_eq!(h.map((639.5, 479.5)), (159.5, 119.5));
    }

    #[test]
    fn then_applies_the_left_map_first() {
        let double = Homography([2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0]);
        let shift = Homography::translation((1.0, 0.0));
        assert_eq!(double.then(&shift).map((3.0, 3.0)), (7.0, 6.0));
        assert_eq!(shift.then(&double).map((3.0, 3.0)), (8.0, 6.0));
    }

    #[test]
    fn defects_are_found() {
        let (v, i) = (Size::new(640, 480), Size::new(160, 120));
        let good = Homography::scaling(v, i);
        assert_eq!(good.defect(v, i), None);
        let mut nan = good;
        nan.0[4] = f64::NAN;
        assert!(nan.defect(v, i).unwrap().contains("finite"));
        let flat = Homography([1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 0.0, 0.0, 1.0]);
        assert!(flat.defect(v, i).unwrap().contains("singular"));
        assert!(Homography([0.0; 9]).defect(v, i).is_some());
        let mut horizon = good;
        horizon.0[6] = -1.0 / 320.0;
        assert!(horizon.defect(v, i).unwrap().contains("horizon"));
        // The same map with its sign turned is the same map.
        assert_eq!(Homography(good.0.map(|x| -x)).defect(v, i), None);
    }
}
