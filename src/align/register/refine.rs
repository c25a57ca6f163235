//! Better motions: a search over shifts, and Gauss-Newton steps over shift, turn and scale.

use super::Motion;
use super::level::Level;

/// Steps at most, and the change in pixels that ends them.
const STEPS: usize = 12;
const SMALL: f64 = 0.01;
/// Differences of ranks beyond this count less (Cauchy): what moved in the scene, or is out of focus.
const USUAL: f32 = 14.0;
/// The part of the pixels that must be compared.
const LEAST: f32 = 0.15;
/// Pixels that are compared, about.
const SAMPLED: usize = 60_000;

/// Compared pixels: their place relative to the centre, and both ranks and slopes there.
fn compare(
    a: &Level,
    b: &Level,
    motion: Motion,
    mut visit: impl FnMut((f64, f64), f32, (f32, f32, f32)),
) -> usize {
    let (width, height) = (a.size.width, a.size.height);
    let centre = ((width - 1) as f64 / 2.0, (height - 1) as f64 / 2.0);
    let stride = ((width * height / SAMPLED) as f64).sqrt().max(1.0) as usize;
    let mut asked = 0;
    for y in (0..height).step_by(stride) {
        for x in (0..width).step_by(stride) {
            asked += 1;
            let rank = a.ranks[y * width + x];
            let place = (x as f64 - centre.0, y as f64 - centre.1);
            let (u, v) = motion.apply(place);
            if rank >= 0.0
                && let Some(other) = b.at(u + centre.0, v + centre.1)
            {
                visit(place, rank, other);
            }
        }
    }
    asked
}

/// Mean difference of ranks; `None`: too little to compare.
pub fn difference(a: &Level, b: &Level, motion: Motion) -> Option<f32> {
    let (mut sum, mut n) = (0.0f64, 0usize);
    let asked = compare(a, b, motion, |_, rank, other| {
        sum += f64::from((other.0 - rank).abs().min(64.0));
        n += 1;
    });
    (n as f32 >= LEAST * asked as f32 && n > 0).then(|| (sum / n as f64) as f32)
}

/// The best whole shift within `reach` of a motion.
pub fn search(a: &Level, b: &Level, motion: Motion, reach: i32) -> Motion {
    let mut best = (f32::INFINITY, motion);
    for y in -reach..=reach {
        for x in -reach..=reach {
            let tried = Motion {
                shift: (motion.shift.0 + f64::from(x), motion.shift.1 + f64::from(y)),
                ..motion
            };
            // Of equals the nearer one.
            let cost = difference(a, b, tried).map(|d| d + 0.01 * (x.abs() + y.abs()) as f32);
            if let Some(cost) = cost.filter(|cost| *cost < best.0) {
                best = (cost, tried);
            }
        }
    }
    best.1
}

/// Steps downhill from a motion.
pub fn steps(a: &Level, b: &Level, start: Motion) -> Motion {
    let radius = a.size.width.max(a.size.height) as f64 / 2.0;
    let Some(mut least) = difference(a, b, start) else {
        return start;
    };
    let mut best = start;
    let mut motion = start;
    for _ in 0..STEPS {
        // In coordinates of about 1, so that all four unknowns weigh alike.
        let mut matrix = [[0.0f64; 4]; 4];
        let mut right = [0.0f64; 4];
        let (sin, cos) = motion.turn.to_radians().sin_cos();
        compare(a, b, motion, |(x, y), rank, (other, across, down)| {
            let off = f64::from(other - rank);
            let weight = 1.0 / (1.0 + (off / f64::from(USUAL)).powi(2));
            let (gx, gy) = (f64::from(across), f64::from(down));
            let (u, v) = (cos * x - sin * y, sin * x + cos * y);
            let slope = [
                gx,
                gy,
                (gx * u + gy * v) / radius,
                (gy * u - gx * v) / radius,
            ];
            for i in 0..4 {
                right[i] -= weight * slope[i] * off;
                for j in 0..4 {
                    matrix[i][j] += weight * slope[i] * slope[j];
                }
            }
        });
        let Some(step) = solve(matrix, right) else {
            break;
        };
        motion.shift.0 += step[0];
        motion.shift.1 += step[1];
        motion.scale += step[2] / radius;
        motion.turn += (step[3] / radius / motion.scale.max(0.5)).to_degrees();
        match difference(a, b, motion) {
            Some(now) if now < least => (least, best) = (now, motion),
            Some(now) if now < least * 1.05 => {}
            _ => break,
        }
        if step.iter().all(|s| s.abs() < SMALL) {
            break;
        }
    }
    best
}

/// Four equations by elimination; `None`: they do not tell.
fn solve(mut m: [[f64; 4]; 4], mut r: [f64; 4]) -> Option<[f64; 4]> {
    let most = (0..4).map(|i| m[i][i]).fold(0.0, f64::max);
    for (i, row) in m.iter_mut().enumerate() {
        // A little pull towards no change, where the picture has no texture that says otherwise.
        row[i] += most * 1e-4 + 1e-9;
    }
    for i in 0..4 {
        let pivot = m[i][i];
        if pivot.abs() < 1e-12 {
            return None;
        }
        for j in i + 1..4 {
            let factor = m[j][i] / pivot;
            let above = m[i];
            for (value, above) in m[j].iter_mut().zip(above) {
                *value -= factor * above;
            }
            r[j] -= factor * r[i];
        }
    }
    let mut out = [0.0; 4];
    for i in (0..4).rev() {
        let known: f64 = (i + 1..4).map(|j| m[i][j] * out[j]).sum();
        out[i] = (r[i] - known) / m[i][i];
    }
    out.iter().all(|v| v.is_finite()).then_some(out)
}
