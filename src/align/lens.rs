//! Lens distortion after Brown and Conrady, in OpenCV's convention.
//!
//! Input: pixel positions of the undistorted picture. Output: where the camera's own picture
//! shows them. Thread: any. Blocks: never. Allocates: never. Fails when: terms are out of range
//! ([`Lens::defect`]). Not its job: undoing distortion of a point; sampling needs this way only.

use serde::{Deserialize, Serialize};

use crate::frame::Size;

/// A pinhole with radial and tangential distortion: `x' = x (1 + k1 r^2 + k2 r^4) + 2 p1 x y +
/// p2 (r^2 + 2 x^2)` and alike for y (OpenCV documentation, "Camera Calibration and 3D
/// Reconstruction"). Focal lengths and centre in pixels at the camera's size in the file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lens {
    /// Focal length across, pixels.
    pub fx: f64,
    /// Focal length down, pixels.
    pub fy: f64,
    /// Principal point, pixels from the centre of the first column.
    pub cx: f64,
    /// Principal point, pixels from the centre of the first row.
    pub cy: f64,
    /// Radial, second order.
    #[serde(default)]
    pub k1: f64,
    /// Radial, fourth order.
    #[serde(default)]
    pub k2: f64,
    /// Tangential.
    #[serde(default)]
    pub p1: f64,
    /// Tangential.
    #[serde(default)]
    pub p2: f64,
}

impl Lens {
    /// Where the camera's own picture shows the undistorted pixel position.
    pub(super) fn distort(&self, (u, v): (f64, f64)) -> (f64, f64) {
        let x = (u - self.cx) / self.fx;
        let y = (v - self.cy) / self.fy;
        let r2 = x * x + y * y;
        let radial = 1.0 + self.k1 * r2 + self.k2 * r2 * r2;
        let xd = x * radial + 2.0 * self.p1 * x * y + self.p2 * (r2 + 2.0 * x * x);
        let yd = y * radial + self.p1 * (r2 + 2.0 * y * y) + 2.0 * self.p2 * x * y;
        (xd * self.fx + self.cx, yd * self.fy + self.cy)
    }

    /// What makes the terms unusable for a camera of this size, if anything.
    pub(super) fn defect(&self, size: Size) -> Option<&'static str> {
        let all = [
            self.fx, self.fy, self.cx, self.cy, self.k1, self.k2, self.p1, self.p2,
        ];
        if !all.iter().all(|v| v.is_finite()) {
            return Some("a lens term is not finite");
        }
        if self.fx <= 0.0 || self.fy <= 0.0 {
            return Some("the focal lengths fx and fy must be greater than zero");
        }
        // A radius that shrinks before the corner is reached shows part of the scene twice.
        let corner = |x: f64, y: f64| {
            let (x, y) = ((x - self.cx) / self.fx, (y - self.cy) / self.fy);
            x * x + y * y
        };
        let (w, h) = (size.width as f64 - 0.5, size.height as f64 - 0.5);
        let farthest = corner(-0.5, -0.5)
            .max(corner(w, -0.5))
            .max(corner(-0.5, h))
            .max(corner(w, h));
        let folds = (0..=64).any(|i| {
            let r2 = farthest * f64::from(i) / 64.0;
            1.0 + 3.0 * self.k1 * r2 + 5.0 * self.k2 * r2 * r2 <= 0.0
        });
        folds.then_some("k1 and k2 fold the picture over inside its corners")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens() -> Lens {
        Lens {
            fx: 500.0,
            fy: 510.0,
            cx: 319.5,
            cy: 239.5,
            k1: -0.2,
            k2: 0.05,
            p1: 0.001,
            p2: -0.002,
        }
    }

    #[test]
    fn agrees_with_opencv() {
        // cv2.projectPoints of ((100 - cx)/fx, (50 - cy)/fy, 1) with these terms, by hand:
        // x = -0.439, y = -0.371568..., r2 = 0.330784...
        let (x, y) = (-0.439_f64, -189.5 / 510.0);
        let r2 = x * x + y * y;
        let radial = 1.0 - 0.2 * r2 + 0.05 * r2 * r2;
        let expected = (
            500.0 * (x * radial + 0.002 * x * y - 0.002 * (r2 + 2.0 * x * x)) + 319.5,
            510.0 * (y * radial + 0.001 * (r2 + 2.0 * y * y) - 0.004 * x * y) + 239.5,
        );
        let found = lens().distort((100.0, 50.0));
        assert!((found.0 - expected.0).abs() < 1e-9 && (found.1 - expected.1).abs() < 1e-9);
        // Barrel distortion draws points towards the centre.
        assert!(found.0 > 100.0 && found.1 > 50.0);
        assert_eq!(lens().distort((319.5, 239.5)), (319.5, 239.5));
    }

    #[test]
    fn defects_are_found() {
        let size = Size::new(640, 480);
        assert_eq!(lens().defect(size), None);
        assert!(Lens { fx: 0.0, ..lens() }.defect(size).is_some());
        let nan = Lens {
            k1: f64::NAN,
            ..lens()
        };
        assert!(nan.defect(size).is_some());
        let folded = Lens {
            k1: -2.0,
            k2: 0.0,
            ..lens()
        };
        assert!(folded.defect(size).unwrap().contains("fold"));
    }
}
