//! Metrics of grey values and their first differences.
//!
//! Input: planes and 8-bit pictures of one size, at least one pixel. Output: numbers. `None` where
//! undefined. Not its job: edges ([`super::edges`]), windows ([`super::structure`]).

use super::Plane;
use crate::frame::Picture;

/// EN: entropy of the 8-bit histogram, bits.
pub(super) fn entropy(fused: &Picture) -> f64 {
    let mut histogram = [0_u64; 256];
    for &v in fused.data() {
        histogram[usize::from(v)] += 1;
    }
    let total = fused.data().len() as f64;
    histogram
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| count as f64 / total)
        .map(|p| -p * p.log2())
        .sum::<f64>()
        // The sum of a single -1 * 0 is -0.
        .max(0.0)
}

/// SD: population standard deviation.
pub(super) fn standard_deviation(f: &Plane) -> f64 {
    let mean = f.mean();
    let squares: f64 = f.data.iter().map(|v| (v - mean) * (v - mean)).sum();
    (squares / f.data.len() as f64).sqrt()
}

/// SF: spatial frequency, root of the mean squared forward steps along both axes
/// (Eskicioglu and Fisher 1995). `None` where one axis has no step.
pub(super) fn spatial_frequency(f: &Plane) -> Option<f64> {
    if f.width < 2 || f.height < 2 {
        return None;
    }
    let mut along_x = 0.0;
    let mut along_y = 0.0;
    for y in 0..f.height {
        let row = f.row(y);
        along_x += row
            .windows(2)
            .map(|w| (w[1] - w[0]) * (w[1] - w[0]))
            .sum::<f64>();
        if y > 0 {
            let above = f.row(y - 1);
            along_y += row
                .iter()
                .zip(above)
                .map(|(v, u)| (v - u) * (v - u))
                .sum::<f64>();
        }
    }
    let steps_x = ((f.width - 1) * f.height) as f64;
    let steps_y = (f.width * (f.height - 1)) as f64;
    Some((along_x / steps_x + along_y / steps_y).sqrt())
}

/// AG: mean of sqrt((gx^2 + gy^2) / 2), central differences inside and one-sided ones at the
/// border. `None` where one axis has no step.
pub(super) fn average_gradient(f: &Plane) -> Option<f64> {
    if f.width < 2 || f.height < 2 {
        return None;
    }
    let mut sum = 0.0;
    for y in 0..f.height {
        let (up, down) = (y.saturating_sub(1), (y + 1).min(f.height - 1));
        let (above, row, below) = (f.row(up), f.row(y), f.row(down));
        let rows = (down - up) as f64;
        for x in 0..f.width {
            let (left, right) = (x.saturating_sub(1), (x + 1).min(f.width - 1));
            let gx = (row[right] - row[left]) / (right - left) as f64;
            let gy = (below[x] - above[x]) / rows;
            sum += ((gx * gx + gy * gy) * 0.5).sqrt();
        }
    }
    Some(sum / f.data.len() as f64)
}

/// I(X;Y) of the joint 8-bit histogram, in nats.
pub(super) fn mutual_information(x: &Picture, y: &Picture) -> f64 {
    let mut joint = vec![0_u64; 65_536];
    let mut of_x = [0_u64; 256];
    let mut of_y = [0_u64; 256];
    for (&u, &v) in x.data().iter().zip(y.data()) {
        joint[usize::from(u) * 256 + usize::from(v)] += 1;
        of_x[usize::from(u)] += 1;
        of_y[usize::from(v)] += 1;
    }
    let total = x.data().len() as f64;
    joint
        .iter()
        .enumerate()
        .filter(|&(_, &count)| count > 0)
        .map(|(i, &count)| {
            let p = count as f64 / total;
            let independent = (of_x[i / 256] as f64 / total) * (of_y[i % 256] as f64 / total);
            p * (p / independent).ln()
        })
        .sum()
}

/// Pearson's correlation; 0 where one of the two is flat.
pub(super) fn correlation(x: &Plane, y: &Plane) -> f64 {
    let (mean_x, mean_y) = (x.mean(), y.mean());
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (&u, &v) in x.data.iter().zip(&y.data) {
        let (u, v) = (u - mean_x, v - mean_y);
        xy += u * v;
        xx += u * u;
        yy += v * v;
    }
    let norm = (xx * yy).sqrt();
    if norm > 0.0 { xy / norm } else { 0.0 }
}

/// SCD: r(F - B, A) + r(F - A, B), the sum of correlations of differences
/// (Aslantas and Bendes 2015).
pub(super) fn difference_correlation(a: &Plane, b: &Plane, f: &Plane) -> f64 {
    let without_b = f.zip(b, |f, b| f - b);
    let without_a = f.zip(a, |f, a| f - a);
    correlation(&without_b, a) + correlation(&without_a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    fn grey(width: usize, height: usize, data: &[u8]) -> Picture {
        Picture::from_data(Size::new(width, height), 1, data.to_vec()).unwrap()
    }

    #[test]
    fn entropy_of_equal_shares_is_the_logarithm_of_their_number() {
        assert_eq!(entropy(&grey(2, 2, &[0, 9, 80, 255])), 2.0);
        assert_eq!(entropy(&grey(2, 2, &[7; 4])), 0.0);
    }

    #[test]
    fn gradients_of_a_ramp() {
        let ramp = Plane::from_grey(&grey(3, 2, &[0, 10, 20, 0, 10, 20]));
        assert_eq!(spatial_frequency(&ramp), Some(10.0));
        let ag = average_gradient(&ramp).unwrap();
        assert!((ag - 10.0 / 2.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn information_about_oneself_is_the_entropy() {
        let p = grey(2, 2, &[1, 2, 3, 4]);
        let bits = mutual_information(&p, &p) / 2.0_f64.ln();
        assert!((bits - entropy(&p)).abs() < 1e-12);
    }

    #[test]
    fn correlation_knows_sign_and_flatness() {
        let up = Plane::from_grey(&grey(3, 1, &[1, 2, 3]));
        let down = Plane::from_grey(&grey(3, 1, &[9, 6, 3]));
        let flat = Plane::from_grey(&grey(3, 1, &[5, 5, 5]));
        assert!((correlation(&up, &down) + 1.0).abs() < 1e-12);
        assert_eq!(correlation(&up, &flat), 0.0);
    }
}
