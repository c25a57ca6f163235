//! Local structure: SSIM and the guard CORE.
//!
//! Input: planes of one size. Output: [`StructureScores`]. `None` where no 7x7 window fits. Not its job:
//! multi-scale fidelity ([`super::vif`]).

use super::{Plane, filter_valid};

const WINDOW: usize = 7;
const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);

/// Both scores share their local moments.
#[derive(Debug, Clone, Copy)]
pub(super) struct StructureScores {
    /// SSIM(F,A) + SSIM(F,B) (Wang et al. 2004): uniform window, sample covariance, borders cut.
    pub ssim: f64,
    /// Mean over pixels of the better structure agreement with either source: unlike the sum of
    /// SSIM it does not punish choosing one source.
    pub core: f64,
}

struct Moments {
    mean: Plane,
    variance: Plane,
}

/// Sample covariance from the mean of products.
fn unbiased(products: &Plane, x: &Plane, y: &Plane) -> Plane {
    let n = (WINDOW * WINDOW) as f64;
    let means = x.zip(y, |x, y| x * y);
    products.zip(&means, |p, m| (p - m) * (n / (n - 1.0)))
}

fn box_mean(p: &Plane) -> Option<Plane> {
    // Sums of whole numbers are exact in f64; divided once at the end.
    let sums = filter_valid(p, &[1.0; WINDOW])?;
    let n = (WINDOW * WINDOW) as f64;
    Some(sums.zip(&sums, |s, _| s / n))
}

fn moments(p: &Plane) -> Option<Moments> {
    let mean = box_mean(p)?;
    let squares = box_mean(&p.zip(p, |x, y| x * y))?;
    let variance = unbiased(&squares, &mean, &mean);
    Some(Moments { mean, variance })
}

/// Both scores.
pub(super) fn structure_scores(a: &Plane, b: &Plane, f: &Plane) -> Option<StructureScores> {
    let fused = moments(f)?;
    let mut ssim = 0.0;
    let mut best: Option<Plane> = None;
    for source in [a, b] {
        let of = moments(source)?;
        let products = box_mean(&f.zip(source, |x, y| x * y))?;
        let covariance = unbiased(&products, &fused.mean, &of.mean);
        let mut agreement = covariance.clone();
        let mut sum = 0.0;
        for i in 0..covariance.data.len() {
            let (m, mf) = (of.mean.data[i], fused.mean.data[i]);
            let (v, vf) = (of.variance.data[i], fused.variance.data[i]);
            let c = covariance.data[i];
            sum += (2.0 * m * mf + C1) * (2.0 * c + C2) / ((m * m + mf * mf + C1) * (v + vf + C2));
            let spread = (v.max(0.0) * vf.max(0.0)).sqrt();
            agreement.data[i] = (c + C2 / 2.0) / (spread + C2 / 2.0);
        }
        ssim += sum / covariance.data.len() as f64;
        best = Some(match best {
            Some(other) => other.zip(&agreement, f64::max),
            None => agreement,
        });
    }
    Some(StructureScores {
        ssim,
        core: best?.mean(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(width: usize, height: usize, factor: usize) -> Plane {
        let data = (0..width * height).map(|i| ((i * factor) % 239) as f64);
        Plane {
            width,
            height,
            data: data.collect(),
        }
    }

    #[test]
    fn a_copy_agrees_wholly_with_its_source() {
        let (a, b) = (plane(16, 9, 17), plane(16, 9, 101));
        let scores = structure_scores(&a, &b, &a).unwrap();
        assert!((scores.core - 1.0).abs() < 1e-9);
        let twice = structure_scores(&a, &a, &a).unwrap();
        assert!((twice.ssim - 2.0).abs() < 1e-9 && scores.ssim < 2.0);
    }

    #[test]
    fn pictures_below_the_window_have_no_score() {
        let p = plane(6, 30, 3);
        assert!(structure_scores(&p, &p, &p).is_none());
    }
}
