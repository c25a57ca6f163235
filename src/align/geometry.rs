//! Where each output pixel lies in a source picture.
//!
//! Input: a [`Calibration`]. Output: [`Geometry`] for one camera. Thread: any. Blocks: never.
//! Allocates: never. Fails when: [`AlignError`], for a calibration that cannot be used. Not its
//! job: sampling.

use super::AlignError;
use super::calibration::Calibration;
use super::homography::Homography;
use super::lens::Lens;
use crate::frame::Size;

/// The map from output pixels to one camera's pixels, for any size of its picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    // From the output to the camera's undistorted picture at `named`.
    plane: Homography,
    lens: Option<Lens>,
    named: Size,
}

/// The map for one size of the source picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Positions {
    before: Homography,
    lens: Option<(Lens, Homography)>,
}

impl Geometry {
    /// The visible camera's: the output shows its whole undistorted view.
    pub fn visible(calibration: &Calibration, output: Size) -> Self {
        let named = calibration.visible_size();
        Self {
            plane: Homography::scaling(output, named),
            lens: calibration.visible_lens(),
            named,
        }
    }

    /// The infrared camera's, warped over the visible one's.
    pub fn infrared(
        calibration: &Calibration,
        preset: Option<&str>,
        output: Size,
    ) -> Result<Self, AlignError> {
        let map = calibration.map(preset)?;
        Ok(Self {
            plane: Homography::scaling(output, calibration.visible_size()).then(&map),
            lens: calibration.infrared_lens(),
            named: calibration.infrared_size(),
        })
    }

    /// The picture moved by whole output pixels, right and down.
    pub fn moved(&self, (x, y): (i32, i32)) -> Self {
        let back = Homography::translation((-f64::from(x), -f64::from(y)));
        Self {
            plane: back.then(&self.plane),
            ..*self
        }
    }

    /// The map into a picture of size `source`.
    pub fn positions(&self, source: Size) -> Positions {
        let scale = Homography::scaling(self.named, source);
        match self.lens {
            None => Positions {
                before: self.plane.then(&scale),
                lens: None,
            },
            Some(lens) => Positions {
                before: self.plane,
                lens: Some((lens, scale)),
            },
        }
    }
}

impl Positions {
    /// Where the output pixel position lies in the source picture, pixels; may lie outside.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let point = self.before.map((x, y));
        match &self.lens {
            None => point,
            Some((lens, scale)) => {
                let (u, v) = lens.distort(point);
                scale.map((u, v))
            }
        }
    }

    /// The source column depends on the output column only, the row on the row only.
    pub fn is_axis_aligned(&self) -> bool {
        let h = &self.before.0;
        self.lens.is_none() && [h[1], h[3], h[6], h[7]].iter().all(|v| *v == 0.0)
    }

    /// Source pixels that one output pixel spans in the middle of the picture, across and down
    /// the source.
    pub fn step(&self, output: Size) -> (f64, f64) {
        let (x, y) = (
            output.width as f64 / 2.0 - 0.5,
            output.height as f64 / 2.0 - 0.5,
        );
        let (left, right) = (self.at(x - 0.5, y), self.at(x + 0.5, y));
        let (above, below) = (self.at(x, y - 0.5), self.at(x, y + 0.5));
        let across = (right.0 - left.0).abs().max((below.0 - above.0).abs());
        let down = (right.1 - left.1).abs().max((below.1 - above.1).abs());
        (across, down)
    }
}
