//! Geometry of the synthetic scene: one flat ground, two cameras above it.
//!
//! Input: metres. Output: pixels. Thread: any. Blocks and allocates: never. Not its job: what stands in the
//! scene.
//!
//! World: x to the right, z ahead, height above the ground, metres; the visible camera stands at
//! the origin. Pixel coordinates: the centre of the first pixel is (0, 0).

use crate::frame::Size;

/// Size of the visible picture.
pub const VISIBLE: Size = Size::new(640, 480);
/// Size of the thermal picture, that of a Lepton 3.5.
pub const INFRARED: Size = Size::new(160, 120);

/// Focal length of the visible camera, pixels (60 degrees across).
pub const FOCAL: f32 = 560.0;
/// Height of the cameras.
pub const EYE: f32 = 2.2;
/// Row of the horizon.
pub const HORIZON: f32 = 190.0;
/// Column straight ahead.
pub const CENTRE: f32 = 319.5;

/// Visible pixel to infrared pixel, row-major: exact at [`REFERENCE_DISTANCE`]. A scale of 0.24,
/// 0.8 degrees of rotation, an offset and a little perspective, as of a hand-made bracket.
pub const HOMOGRAPHY: [f64; 9] = [
    0.239_977, -0.003_350, 4.429_7, //
    0.003_350, 0.239_977, 0.355_1, //
    4.0e-6, -3.0e-6, 1.0,
];
/// Where the homography is exact, metres.
pub const REFERENCE_DISTANCE: f32 = 15.0;
/// Thermal pixels of parallax times metres: focal length (134 pixels) x baseline (50 mm).
const PARALLAX: f32 = 134.4 * 0.05;
/// Thermal pixels in a visible one.
const SCALE: f32 = 0.24;

/// A point of a picture.
pub type Point = (f32, f32);

/// A point of the world in the visible picture.
pub fn project(x: f32, height: f32, z: f32) -> Point {
    (CENTRE + x * FOCAL / z, HORIZON + (EYE - height) * FOCAL / z)
}

/// Where a visible pixel below the horizon meets the ground: x and z.
pub fn ground(px: f32, py: f32) -> Option<(f32, f32)> {
    let below = py - HORIZON;
    (below > 0.5).then(|| {
        let z = EYE * FOCAL / below;
        ((px - CENTRE) * z / FOCAL, z)
    })
}

/// One of the two cameras: takes visible pixels of a known distance to its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SceneCamera {
    /// The visible camera.
    Visible,
    /// The infrared camera beside it.
    Infrared,
}

impl SceneCamera {
    /// The picture's size.
    pub const fn size(self) -> Size {
        match self {
            Self::Visible => VISIBLE,
            Self::Infrared => INFRARED,
        }
    }

    /// Own pixels in a visible pixel.
    pub const fn scale(self) -> f32 {
        match self {
            Self::Visible => 1.0,
            Self::Infrared => SCALE,
        }
    }

    /// Where this camera sees what the visible one has at `p`, `z` metres away.
    pub fn point(self, p: Point, z: f32) -> Point {
        if self == Self::Visible {
            return p;
        }
        let h = HOMOGRAPHY.map(|v| v as f32);
        let w = h[6] * p.0 + h[7] * p.1 + h[8];
        (
            (h[0] * p.0 + h[1] * p.1 + h[2]) / w + parallax(z),
            (h[3] * p.0 + h[4] * p.1 + h[5]) / w,
        )
    }
}

/// Infrared pixels to the right of where the homography says.
pub fn parallax(z: f32) -> f32 {
    PARALLAX * (1.0 / z.max(1.0) - 1.0 / REFERENCE_DISTANCE)
}

/// The visible pixel that the homography takes to infrared pixel `p`.
pub fn back(p: Point) -> Point {
    let [a, b, c, d, e, f, g, h, i] = HOMOGRAPHY;
    // Adjugate of the matrix; the scale cancels.
    let (u, v) = (f64::from(p.0), f64::from(p.1));
    let x = (e * i - f * h) * u + (c * h - b * i) * v + (b * f - c * e);
    let y = (f * g - d * i) * u + (a * i - c * g) * v + (c * d - a * f);
    let w = (d * h - e * g) * u + (b * g - a * h) * v + (a * e - b * d);
    ((x / w) as f32, (y / w) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_undoes_the_homography() {
        for p in [(0.0, 0.0), (639.0, 0.0), (100.0, 479.0), (319.5, 239.5)] {
            let q = back(SceneCamera::Infrared.point(p, REFERENCE_DISTANCE));
            assert!(
                (q.0 - p.0).abs() < 0.01 && (q.1 - p.1).abs() < 0.01,
                "{p:?} {q:?}"
            );
        }
    }

    #[test]
    fn the_thermal_camera_sees_all_that_the_visible_one_sees() {
        for p in [(0.0, 0.0), (639.0, 0.0), (0.0, 479.0), (639.0, 479.0)] {
            for z in [4.0, 15.0, 1000.0] {
                let q = SceneCamera::Infrared.point(p, z);
                assert!(
                    (0.0..=159.0).contains(&q.0) && (0.0..=119.0).contains(&q.1),
                    "{q:?}"
                );
            }
        }
    }

    #[test]
    fn a_point_on_the_ground_comes_back() {
        let (px, py) = project(-3.0, 0.0, 12.0);
        let (x, z) = ground(px, py).unwrap();
        assert!((x + 3.0).abs() < 1e-3 && (z - 12.0).abs() < 1e-3);
        assert_eq!(ground(5.0, 100.0), None);
    }
}
