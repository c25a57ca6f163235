//! Edge preservation: QABF, and the guards DOMQ (anti-copy) and NABF (artefacts).
//!
//! Input: planes of one size, at least one pixel. Output: [`EdgeScores`]. Not its job: texture statistics.
//!
//! Xydeas and Petrovic 2000 with the constants Tg 0.9994, kg -15, Dg 0.5, Ta 0.9879, ka -22,
//! Da 0.8, zero-padded Sobel. One quirk of the published code is kept, since published tables
//! rest on it: where both gradients are equal, the strength ratio is the gradient itself and
//! not 1, so flat on flat scores about 0.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

use super::Plane;

/// The three scores that share their gradients.
#[derive(Debug, Clone, Copy)]
pub(super) struct EdgeScores {
    /// Edge preservation, weighted by gradient; `None` where both sources are black.
    pub qabf: Option<f64>,
    /// The smaller of the preservations where A's, and where B's gradient dominates; 1 for a
    /// source that dominates nowhere.
    pub domq: f64,
    /// Gradient of the fused picture stronger than both sources', lost fidelity weighted
    /// (Petrovic and Xydeas 2005); `None` as above.
    pub nabf: Option<f64>,
}

struct Gradient {
    strength: Vec<f64>,
    /// In (-pi/2, pi/2].
    orientation: Vec<f64>,
}

fn sobel(p: &Plane) -> Gradient {
    // One row and one column of zeros around.
    let stride = p.width + 2;
    let mut padded = vec![0.0; stride * (p.height + 2)];
    for y in 0..p.height {
        let at = (y + 1) * stride + 1;
        padded[at..at + p.width].copy_from_slice(p.row(y));
    }
    let mut strength = Vec::with_capacity(p.data.len());
    let mut orientation = Vec::with_capacity(p.data.len());
    for y in 0..p.height {
        let above = &padded[y * stride..];
        let row = &padded[(y + 1) * stride..];
        let below = &padded[(y + 2) * stride..];
        for x in 0..p.width {
            let gx =
                (above[x] - above[x + 2]) + 2.0 * (row[x] - row[x + 2]) + (below[x] - below[x + 2]);
            let gy = (below[x] - above[x])
                + 2.0 * (below[x + 1] - above[x + 1])
                + (below[x + 2] - above[x + 2]);
            strength.push((gx * gx + gy * gy).sqrt());
            orientation.push(if gx == 0.0 {
                FRAC_PI_2
            } else {
                (gy / gx).atan()
            });
        }
    }
    Gradient {
        strength,
        orientation,
    }
}

/// Preservation of a source's edge (strength, orientation) in the fused picture, 0..1.
fn preservation(source: (f64, f64), fused: (f64, f64)) -> f64 {
    let ratio = if source.0 == fused.0 {
        fused.0
    } else {
        source.0.min(fused.0) / source.0.max(fused.0)
    };
    let strength = 1.0 + (-15.0 * (ratio - 0.5)).min(700.0).exp();
    let agreement = 1.0 - (source.1 - fused.1).abs() * FRAC_2_PI;
    let orientation = 1.0 + (-22.0 * (agreement - 0.8)).exp();
    (0.9994 * 0.9879) / (strength * orientation)
}

/// All three scores.
pub(super) fn edge_scores(a: &Plane, b: &Plane, f: &Plane) -> EdgeScores {
    let (a, b, f) = (sobel(a), sobel(b), sobel(f));
    let (mut kept, mut artefacts, mut total) = (0.0, 0.0, 0.0);
    // Preservation and gradient, where A and where B dominates.
    let mut dominant = [(0.0, 0.0); 2];
    for i in 0..f.strength.len() {
        let (ga, gb, gf) = (a.strength[i], b.strength[i], f.strength[i]);
        let fused = (gf, f.orientation[i]);
        let qa = preservation((ga, a.orientation[i]), fused);
        let qb = preservation((gb, b.orientation[i]), fused);
        kept += qa * ga + qb * gb;
        total += ga + gb;
        if gf > ga && gf > gb {
            artefacts += (1.0 - qa) * ga + (1.0 - qb) * gb;
        }
        if ga > gb {
            dominant[0].0 += qa * ga;
            dominant[0].1 += ga;
        }
        if gb > ga {
            dominant[1].0 += qb * gb;
            dominant[1].1 += gb;
        }
    }
    let share = |(part, whole): (f64, f64)| if whole > 0.0 { part / whole } else { 1.0 };
    let weighted = |value: f64| (total > 0.0).then(|| value / total);
    EdgeScores {
        qabf: weighted(kept),
        domq: share(dominant[0]).min(share(dominant[1])),
        nabf: weighted(artefacts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(step: f64) -> Plane {
        let data = (0..64).map(|i| if i % 8 < 4 { 20.0 } else { step });
        Plane {
            width: 8,
            height: 8,
            data: data.collect(),
        }
    }

    #[test]
    fn copying_the_weaker_source_shows_in_domq() {
        let (strong, weak) = (plane(200.0), plane(30.0));
        let copy_of_weak = edge_scores(&strong, &weak, &weak);
        let copy_of_strong = edge_scores(&strong, &weak, &strong);
        assert!(copy_of_weak.domq < 0.5 && copy_of_strong.domq > copy_of_weak.domq);
        assert!(copy_of_strong.qabf > copy_of_weak.qabf);
    }

    #[test]
    fn edges_in_neither_source_are_artefacts() {
        let (edge, flat) = (plane(220.0), plane(20.0));
        assert!(edge_scores(&flat, &flat, &edge).nabf > Some(0.1));
        assert!(edge_scores(&edge, &edge, &edge).nabf < Some(0.01));
    }
}
