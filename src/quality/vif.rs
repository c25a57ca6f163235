//! VIFF as the fusion papers report it: the sum over both sources of the pixel-domain visual
//! information fidelity (Sheikh and Bovik 2006), four scales, sigma_n^2 = 2.
//!
//! Input: planes of one size. Output: one number. `None` for pictures below 41 pixels a side, which have no
//! fourth scale. Not its job: Han's VIFF, whose name the papers borrow.

use super::{Plane, filter_valid};

const NOISE: f64 = 2.0;
const EPSILON: f64 = 1e-10;
/// Window lengths, finest scale first; the Gaussian's sigma is a fifth of the length.
const WINDOWS: [usize; 4] = [17, 9, 5, 3];

/// VIFp(A -> F) + VIFp(B -> F).
pub(super) fn viff(a: &Plane, b: &Plane, f: &Plane) -> Option<f64> {
    let fused = pyramid(f)?;
    Some(fidelity(&pyramid(a)?, &fused)? + fidelity(&pyramid(b)?, &fused)?)
}

/// One scale of a picture with its local mean and variance.
struct Level {
    picture: Plane,
    mean: Plane,
    variance: Plane,
}

fn gaussian(n: usize) -> Vec<f64> {
    let sigma = n as f64 / 5.0;
    let middle = (n - 1) as f64 / 2.0;
    let raw: Vec<f64> = (0..n)
        .map(|i| i as f64 - middle)
        .map(|x| (-x * x / (2.0 * sigma * sigma)).exp())
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|v| v / sum).collect()
}

fn every_second(p: &Plane) -> Plane {
    let data = (0..p.height)
        .step_by(2)
        .flat_map(|y| p.row(y).iter().step_by(2).copied())
        .collect();
    Plane {
        width: p.width.div_ceil(2),
        height: p.height.div_ceil(2),
        data,
    }
}

fn pyramid(p: &Plane) -> Option<Vec<Level>> {
    let mut picture = p.clone();
    let mut levels = Vec::with_capacity(WINDOWS.len());
    for (scale, n) in WINDOWS.into_iter().enumerate() {
        let window = gaussian(n);
        if scale > 0 {
            picture = every_second(&filter_valid(&picture, &window)?);
        }
        let mean = filter_valid(&picture, &window)?;
        let square = filter_valid(&picture.zip(&picture, |x, y| x * y), &window)?;
        let variance = square.zip(&mean, |s, m| (s - m * m).max(0.0));
        levels.push(Level {
            picture: picture.clone(),
            mean,
            variance,
        });
    }
    Some(levels)
}

fn fidelity(source: &[Level], fused: &[Level]) -> Option<f64> {
    let (mut passed, mut whole) = (0.0, 0.0);
    for ((s, f), n) in source.iter().zip(fused).zip(WINDOWS) {
        let product = filter_valid(&s.picture.zip(&f.picture, |x, y| x * y), &gaussian(n))?;
        for i in 0..product.data.len() {
            let (v1, v2) = (s.variance.data[i], f.variance.data[i]);
            let covariance = product.data[i] - s.mean.data[i] * f.mean.data[i];
            let mut gain = covariance / (v1 + EPSILON);
            if v1 < EPSILON || v2 < EPSILON || gain < 0.0 {
                gain = 0.0;
            }
            let residual = (v2 - gain * covariance).max(EPSILON);
            passed += (1.0 + gain * gain * v1 / (residual + NOISE)).log10();
            whole += (1.0 + v1 / NOISE).log10();
        }
    }
    Some(if whole == 0.0 { 1.0 } else { passed / whole })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(size: usize) -> Plane {
        let data = (0..size * size).map(|i| ((i * i * 7 + i * 13) % 251) as f64);
        Plane {
            width: size,
            height: size,
            data: data.collect(),
        }
    }

    #[test]
    fn a_copy_passes_everything() {
        let p = plane(64);
        // Exactly 1 but for the epsilon in the residual.
        assert!((viff(&p, &p, &p).unwrap() - 2.0).abs() < 1e-3);
    }

    #[test]
    fn the_fourth_scale_needs_41_pixels() {
        assert!(viff(&plane(40), &plane(40), &plane(40)).is_none());
        assert!(viff(&plane(41), &plane(41), &plane(41)).is_some());
    }

    #[test]
    fn a_flat_picture_passes_nothing() {
        let p = plane(48);
        let flat = p.zip(&p, |_, _| 128.0);
        assert!(viff(&p, &p, &flat).unwrap() < 1e-6);
    }
}
