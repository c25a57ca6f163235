//! Guards against grey values that no source has: SRC, SRCN, CLIP.
//!
//! Input: planes and 8-bit pictures of one size, at least one pixel. Output: numbers. Not its job:
//! structure.

use super::Plane;
use crate::frame::Picture;

/// Grey levels outside the envelope that are forgiven.
const MARGIN: f64 = 4.0;

/// Per pixel, the lowest and highest grey value of both sources in a 3x3 neighbourhood.
pub(super) struct Envelope {
    low: Plane,
    high: Plane,
}

impl Envelope {
    pub(super) fn new(a: &Plane, b: &Plane) -> Self {
        Self {
            low: neighbourhood(&a.zip(b, f64::min), f64::min),
            high: neighbourhood(&a.zip(b, f64::max), f64::max),
        }
    }

    /// SRC: mean distance of the fused picture from the envelope (overshoot, halos).
    pub(super) fn excess(&self, f: &Plane) -> f64 {
        let bounds = self.low.data.iter().zip(&self.high.data);
        let sum: f64 = f
            .data
            .iter()
            .zip(bounds)
            .map(|(f, (low, high))| (low - MARGIN - f).max(0.0) + (f - high - MARGIN).max(0.0))
            .sum();
        sum / f.data.len() as f64
    }

    /// SRCN: the same after the best affine grey map of the fused picture onto the middle of
    /// the envelope, so that a mere change of contrast is forgiven.
    pub(super) fn excess_after_affine(&self, f: &Plane) -> f64 {
        let middle = self.low.zip(&self.high, |low, high| 0.5 * (low + high));
        let (mean_f, mean_m) = (f.mean(), middle.mean());
        let (mut covariance, mut variance) = (0.0, 0.0);
        for (&v, &m) in f.data.iter().zip(&middle.data) {
            covariance += (v - mean_f) * (m - mean_m);
            variance += (v - mean_f) * (v - mean_f);
        }
        let gain = if variance > 0.0 {
            (covariance / variance).max(0.0)
        } else {
            0.0
        };
        self.excess(&f.zip(f, |v, _| (v - mean_f) * gain + mean_m))
    }
}

/// 3x3 minimum or maximum; at the border the edge pixel stands for what is outside.
fn neighbourhood(p: &Plane, pick: fn(f64, f64) -> f64) -> Plane {
    let mut along_x = Vec::with_capacity(p.data.len());
    for y in 0..p.height {
        let row = p.row(y);
        for x in 0..p.width {
            let right = row[(x + 1).min(p.width - 1)];
            along_x.push(pick(pick(row[x.saturating_sub(1)], row[x]), right));
        }
    }
    let along_x = Plane {
        data: along_x,
        ..*p
    };
    let mut data = Vec::with_capacity(p.data.len());
    for y in 0..p.height {
        let above = along_x.row(y.saturating_sub(1));
        let below = along_x.row((y + 1).min(p.height - 1));
        for ((&u, &v), &w) in above.iter().zip(along_x.row(y)).zip(below) {
            data.push(pick(pick(u, v), w));
        }
    }
    Plane { data, ..*p }
}

/// CLIP: share of pixels at 0 or 255 in the fused picture that were so in neither source.
pub(super) fn clipped_share(a: &Picture, b: &Picture, fused: &Picture) -> f64 {
    let sources = a.data().iter().zip(b.data());
    let clipped = fused
        .data()
        .iter()
        .zip(sources)
        .filter(|&(&f, (&a, &b))| (f == 0 && a > 0 && b > 0) || (f == 255 && a < 255 && b < 255))
        .count();
    clipped as f64 / fused.data().len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    fn grey(data: &[u8]) -> Picture {
        Picture::from_data(Size::new(data.len(), 1), 1, data.to_vec()).unwrap()
    }

    #[test]
    fn only_grey_beyond_margin_and_neighbours_counts() {
        let source = Plane::from_grey(&grey(&[100, 100, 100, 120]));
        let fused = Plane::from_grey(&grey(&[90, 104, 124, 130]));
        let excess = Envelope::new(&source, &source).excess(&fused);
        assert_eq!(excess, f64::from(6 + 6) / 4.0);
    }

    #[test]
    fn a_stretch_of_contrast_is_forgiven_by_srcn() {
        let source: Vec<u8> = (0..60).map(|v| 60 + v).collect();
        let fused: Vec<u8> = (0..60).map(|v| v * 4).collect();
        let (source, fused) = (
            Plane::from_grey(&grey(&source)),
            Plane::from_grey(&grey(&fused)),
        );
        let envelope = Envelope::new(&source, &source);
        assert!(envelope.excess(&fused) > 10.0);
        assert!(envelope.excess_after_affine(&fused) < 1e-9);
    }

    #[test]
    fn clipping_that_a_source_has_is_not_counted() {
        let (a, b) = (grey(&[0, 5, 9, 9]), grey(&[7, 7, 255, 9]));
        assert_eq!(clipped_share(&a, &b, &grey(&[0, 0, 255, 255])), 0.5);
    }
}
