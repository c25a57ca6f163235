//! Beside the path: how good a fused picture is.
//!
//! Input: two sources and a fused picture, 8-bit luma. Output: the field's metrics and the guards that keep
//! them honest. Fails when: sizes differ. Not its job: running in the frame path.
//!
//! All arithmetic is `f64` on the 0..=255 scale, so that the numbers compare with published
//! tables; a metric that a picture is too small or too flat for is absent, never NaN.

mod edges;
mod effect;
mod envelope;
mod report;
mod statistics;
mod structure;
mod vif;

pub use effect::Effect;
pub use report::{Metric, Scores, mean_scores, write_csv};

use crate::frame::{Picture, Size};

/// Why pictures cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QualityError {
    /// Metrics compare pixel by pixel.
    #[error(
        "the pictures differ in size: source A is {a}, source B {b}, the fused picture {fused}; \
         metrics need three pictures of one size"
    )]
    Size {
        /// Source A.
        a: Size,
        /// Source B.
        b: Size,
        /// The fused picture.
        fused: Size,
    },
    /// Nothing to measure.
    #[error("the pictures have no pixel")]
    Empty,
}

/// Rounded BT.601 luma, one channel; a grey picture as it is.
///
/// The sum is taken in `f32` and rounded half to even: that is the yardstick's rule, and other
/// rules differ by one grey level here and there.
pub fn luma(picture: &Picture) -> Picture {
    if picture.channels() == 1 {
        return picture.clone();
    }
    let mut grey = Picture::grey(picture.size());
    for (to, rgb) in grey
        .data_mut()
        .iter_mut()
        .zip(picture.data().chunks_exact(3))
    {
        let y = f32::from(rgb[0]) * 0.299 + f32::from(rgb[1]) * 0.587 + f32::from(rgb[2]) * 0.114;
        *to = y.round_ties_even() as u8;
    }
    grey
}

/// Measures `fused` against its sources; colour pictures are measured in [`luma`].
///
/// # Errors
/// [`QualityError`] where the sizes differ or there is no pixel.
pub fn evaluate(a: &Picture, b: &Picture, fused: &Picture) -> Result<Scores, QualityError> {
    if a.size() != b.size() || a.size() != fused.size() {
        return Err(QualityError::Size {
            a: a.size(),
            b: b.size(),
            fused: fused.size(),
        });
    }
    if a.size().area() == 0 {
        return Err(QualityError::Empty);
    }
    let (a8, b8, f8) = (luma(a), luma(b), luma(fused));
    let (a, b, f) = (
        Plane::from_grey(&a8),
        Plane::from_grey(&b8),
        Plane::from_grey(&f8),
    );
    let edges = edges::edge_scores(&a, &b, &f);
    let structure = structure::structure_scores(&a, &b, &f);
    let envelope = envelope::Envelope::new(&a, &b);
    let mi = statistics::mutual_information(&f8, &a8) + statistics::mutual_information(&f8, &b8);
    let cc = 0.5 * (statistics::correlation(&f, &a) + statistics::correlation(&f, &b));
    let scd = statistics::difference_correlation(&a, &b, &f);
    Ok(Scores::from_values([
        (Metric::En, Some(statistics::entropy(&f8))),
        (Metric::Sd, Some(statistics::standard_deviation(&f))),
        (Metric::Sf, statistics::spatial_frequency(&f)),
        (Metric::Ag, statistics::average_gradient(&f)),
        (Metric::Viff, vif::viff(&a, &b, &f)),
        (Metric::Qabf, edges.qabf),
        (Metric::Ssim, structure.map(|s| s.ssim)),
        (Metric::Mi, Some(mi)),
        (Metric::Scd, Some(scd)),
        (Metric::Cc, Some(cc)),
        (Metric::Domq, Some(edges.domq)),
        (Metric::Nabf, edges.nabf),
        (Metric::Src, Some(envelope.excess(&f))),
        (Metric::Srcn, Some(envelope.excess_after_affine(&f))),
        (Metric::Clip, Some(envelope::clipped_share(&a8, &b8, &f8))),
        (Metric::Core, structure.map(|s| s.core)),
    ]))
}

/// A grey picture in `f64`, rows from the top.
#[derive(Debug, Clone, PartialEq)]
struct Plane {
    width: usize,
    height: usize,
    data: Vec<f64>,
}

impl Plane {
    fn from_grey(picture: &Picture) -> Self {
        Self {
            width: picture.width(),
            height: picture.height(),
            data: picture.data().iter().map(|&v| f64::from(v)).collect(),
        }
    }

    fn row(&self, y: usize) -> &[f64] {
        &self.data[y * self.width..(y + 1) * self.width]
    }

    /// Pixel by pixel; both planes have one size.
    fn zip(&self, other: &Self, op: impl Fn(f64, f64) -> f64) -> Self {
        let data = self
            .data
            .iter()
            .zip(&other.data)
            .map(|(&x, &y)| op(x, y))
            .collect();
        Self { data, ..*self }
    }

    fn mean(&self) -> f64 {
        self.data.iter().sum::<f64>() / self.data.len() as f64
    }
}

/// Filters with a symmetric window of odd length along both axes, windows wholly inside only;
/// `None` where no window fits.
fn filter_valid(plane: &Plane, window: &[f64]) -> Option<Plane> {
    let n = window.len();
    if plane.width < n || plane.height < n {
        return None;
    }
    let (width, height) = (plane.width - n + 1, plane.height - n + 1);
    let mut rows = vec![0.0; plane.width * height];
    for (y, out) in rows.chunks_exact_mut(plane.width).enumerate() {
        for (k, &weight) in window.iter().enumerate() {
            for (o, &v) in out.iter_mut().zip(plane.row(y + k)) {
                *o += weight * v;
            }
        }
    }
    let mut data = vec![0.0; width * height];
    for (out, row) in data
        .chunks_exact_mut(width)
        .zip(rows.chunks_exact(plane.width))
    {
        for (k, &weight) in window.iter().enumerate() {
            for (o, &v) in out.iter_mut().zip(&row[k..]) {
                *o += weight * v;
            }
        }
    }
    Some(Plane {
        width,
        height,
        data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(width: usize, height: usize, seed: u32) -> Picture {
        let mut p = Picture::grey(Size::new(width, height));
        let mut state = seed;
        for v in p.data_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *v = (state >> 24) as u8;
        }
        p
    }

    #[test]
    fn a_single_pixel_has_the_metrics_that_need_no_window() {
        let p = picture(1, 1, 3);
        let scores = evaluate(&p, &p, &p).unwrap();
        assert_eq!(scores.get(Metric::En), Some(0.0));
        assert_eq!(scores.get(Metric::Clip), Some(0.0));
        for metric in [Metric::Viff, Metric::Ssim, Metric::Core, Metric::Sf] {
            assert_eq!(scores.get(metric), None, "{metric:?}");
        }
    }

    #[test]
    fn every_metric_is_there_from_41_pixels_on() {
        let (a, b) = (picture(41, 41, 1), picture(41, 41, 2));
        let scores = evaluate(&a, &b, &a).unwrap();
        for metric in Metric::ALL {
            assert!(scores.get(metric).is_some(), "{metric:?}");
        }
    }

    #[test]
    fn black_pictures_have_no_edge_scores_and_no_nan() {
        let p = Picture::grey(Size::new(48, 48));
        let scores = evaluate(&p, &p, &p).unwrap();
        assert_eq!(scores.get(Metric::Qabf), None);
        for metric in Metric::ALL {
            assert!(
                scores.get(metric).is_none_or(f64::is_finite),
                "{metric:?} is not finite"
            );
        }
    }

    #[test]
    fn sizes_must_agree() {
        let error = evaluate(&picture(4, 4, 1), &picture(4, 4, 1), &picture(4, 5, 1)).unwrap_err();
        assert!(error.to_string().contains("4x5"), "{error}");
        let none = picture(0, 3, 1);
        assert_eq!(evaluate(&none, &none, &none), Err(QualityError::Empty));
    }

    #[test]
    fn luma_rounds_half_to_even_in_single_precision() {
        let rgb = Picture::from_data(Size::new(3, 1), 3, vec![255, 255, 255, 255, 0, 0, 0, 0, 9]);
        assert_eq!(luma(&rgb.unwrap()).data(), [255, 76, 1]);
    }

    proptest! {
        #[test]
        fn no_size_panics_or_gives_nan(w in 1usize..24, h in 1usize..24, seed: u32) {
            let (a, b) = (picture(w, h, seed), picture(w, h, seed ^ 0x9e37));
            let scores = evaluate(&a, &b, &picture(w, h, !seed)).unwrap();
            for metric in Metric::ALL {
                prop_assert!(scores.get(metric).is_none_or(f64::is_finite));
            }
        }

        #[test]
        fn sources_may_be_swapped(seed: u32) {
            let (a, b, f) = (picture(44, 43, seed), picture(44, 43, !seed), picture(44, 43, seed / 3));
            let (x, y) = (evaluate(&a, &b, &f).unwrap(), evaluate(&b, &a, &f).unwrap());
            for metric in Metric::ALL {
                let (x, y) = (x.get(metric).unwrap(), y.get(metric).unwrap());
                prop_assert!((x - y).abs() <= 1e-9 * x.abs().max(1.0), "{metric:?}");
            }
        }
    }
}
