//! Medical: which modality source A is, where it is strong, how symmetric. Brightness and place
//! only, seen by the viewer; no word about health.

use serde::Serialize;

use super::blobs::components;
use super::grid::Grid;
use super::words::{Place, Sentence, places};
use super::{Rated, rated};
use crate::align::AlignedPair;
use crate::config::Modality;

/// A tenth more on one side is what a viewer notices. Within so much of it nothing is said.
const NOTICED: f32 = 1.1;
const UNSURE: f32 = 0.05;
/// Parts of the largest value from which on something is the head: faint rings round a functional
/// picture are not.
const HEAD: f32 = 0.2;

/// What the functional or CT picture and the MRI show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MedicalFacts {
    /// Both sources are there: A, MRI.
    pub has: (bool, bool),
    /// What source A is: as told, else what its colours tell (PET and SPECT look alike).
    pub modality: Rated<Modality>,
    /// Sides on which source A is strong; two: both sides alike; empty: nothing there.
    pub strong: Rated<Vec<Place>>,
    /// Mean of source A left and right of the middle of what it shows, 0..=1.
    pub sides: (f32, f32),
    /// The half, upper or lower, in which source A is clearly stronger.
    pub half: Rated<Option<Place>>,
    /// Correlation of source A with its mirror image, -1..=1.
    pub symmetry: f32,
    /// The same of the MRI.
    pub mri_symmetry: f32,
    /// Part of what source A shows that has at least 70 % of its largest value, 0..=1.
    pub extent: f32,
    /// The MRI has structure (its luma deviates by 0.05 or more).
    pub tissue: bool,
    /// The MRI's 95 % quantile less its median, 0..=1.
    pub mri_contrast: f32,
}

impl MedicalFacts {
    pub(super) fn measure(pair: &AlignedPair, told: Modality) -> Self {
        let grid = Grid::luma(&pair.infrared);
        let mri = Grid::luma(&pair.visible);
        let head = Head::of(&grid);
        let sides = head.sides(&grid);
        Self {
            has: (pair.has_infrared, pair.has_visible),
            modality: modality(told, Grid::colour(&pair.infrared).spread().mean),
            strong: strong(sides),
            sides,
            half: half(head.halves(&grid)),
            symmetry: symmetry(&grid),
            mri_symmetry: symmetry(&mri),
            extent: extent(&grid),
            tissue: mri.spread().deviation >= 0.05,
            mri_contrast: mri.quantile(0.95) - mri.quantile(0.5),
        }
    }

    pub(super) fn sentences(&self) -> Vec<Sentence> {
        vec![self.first_sentence(), self.mri_sentence()]
    }

    fn first_sentence(&self) -> Sentence {
        if !self.has.0 {
            return Sentence::fixed("The functional or CT image is missing");
        }
        let name = self.modality.value.title();
        let what = match self.modality.value {
            Modality::Ct => "bright bone",
            _ => "high activity",
        };
        let mut sentence = match self.strong.value.as_slice() {
            [] => return Sentence::fixed(format!("The {name} image is dark")),
            // A small difference is none that should be said.
            _ if self.strong.confidence <= super::SAY => {
                Sentence::fixed(format!("The {name} image shows {what}"))
            }
            [_, _] => Sentence::fixed(format!("The {name} image shows {what} on both sides")),
            one => Sentence::fixed(format!("The {name} image shows {what} {}", places(one))),
        };
        if let Rated {
            value: Some(half), ..
        } = self.half
            && self.half.says(|_| true)
        {
            sentence.add(format!("is brighter {}", half.phrase()), 0.7);
        }
        // A skull's thin outline is seldom straight: nothing is said of its symmetry.
        if self.modality.value == Modality::Ct {
            return sentence;
        }
        if self.symmetry > 0.93 && self.strong.value.len() == 2 {
            sentence.add("is symmetric", 0.6);
        } else if self.symmetry < 0.6 {
            sentence.add("is not symmetric", 0.8);
        }
        sentence
    }

    fn mri_sentence(&self) -> Sentence {
        let what = match (self.has.1, self.tissue) {
            (false, _) => "is missing",
            (true, false) => "has low contrast",
            (true, true) => "shows the structure of the soft tissue",
        };
        let mut sentence = Sentence::fixed(format!("The MRI image {what}"));
        if self.has.1 && self.tissue && self.mri_contrast > 0.75 {
            sentence.add("has high contrast", 0.4);
        }
        sentence
    }
}

fn modality(told: Modality, colour: f32) -> Rated<Modality> {
    match told {
        Modality::Auto if colour > 0.02 => {
            rated(Modality::Functional, 0.5 + (colour * 5.0).min(0.45))
        }
        Modality::Auto => rated(Modality::Ct, 0.9 - (colour * 10.0).min(0.3)),
        told => rated(told, 1.0),
    }
}

/// What a picture shows on its black ground, in cells; ends are exclusive.
struct Head {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Head {
    /// The connected parts from [`HEAD`] on that are a tenth as large as the largest (two halves
    /// of a brain; not a table's rim); the whole picture where there is nothing.
    fn of(grid: &Grid) -> Self {
        let least = (grid.quantile(0.999) * HEAD).max(0.01);
        let mask: Vec<bool> = grid.values.iter().map(|v| *v > least).collect();
        let parts = components(grid, &mask);
        let largest = parts.first().map_or(0, |part| part.area);
        let parts = parts.iter().filter(|part| part.area * 10 >= largest);
        let head = parts.map(|part| Self {
            left: part.left,
            top: part.top,
            right: part.right + 1,
            bottom: part.bottom + 1,
        });
        head.reduce(|a, b| Self {
            left: a.left.min(b.left),
            top: a.top.min(b.top),
            right: a.right.max(b.right),
            bottom: a.bottom.max(b.bottom),
        })
        .unwrap_or(Self {
            left: 0,
            top: 0,
            right: grid.width,
            bottom: grid.height,
        })
    }

    fn sides(&self, grid: &Grid) -> (f32, f32) {
        let half = (self.right - self.left) / 2;
        let rows = self.top..self.bottom;
        (
            grid.spread_in(self.left..self.left + half, rows.clone())
                .mean,
            grid.spread_in(self.right - half..self.right, rows).mean,
        )
    }

    fn halves(&self, grid: &Grid) -> (f32, f32) {
        let half = (self.bottom - self.top) / 2;
        let columns = self.left..self.right;
        (
            grid.spread_in(columns.clone(), self.top..self.top + half)
                .mean,
            grid.spread_in(columns, self.bottom - half..self.bottom)
                .mean,
        )
    }

    /// Correlation of the left half with the mirrored right one, about the middle of the head;
    /// 1 where there is nothing to correlate.
    fn symmetry(&self, grid: &Grid) -> f32 {
        let half = (self.right - self.left) / 2;
        let (mut n, mut a, mut b, mut aa, mut bb, mut ab) = (0.0f32, 0.0, 0.0, 0.0, 0.0, 0.0);
        for y in self.top..self.bottom {
            for x in 0..half {
                let (u, v) = (grid.at(self.left + x, y), grid.at(self.right - 1 - x, y));
                n += 1.0;
                (a, b) = (a + u, b + v);
                (aa, bb, ab) = (aa + u * u, bb + v * v, ab + u * v);
            }
        }
        let n = n.max(1.0);
        let (va, vb) = (aa / n - (a / n) * (a / n), bb / n - (b / n) * (b / n));
        if va <= 1e-6 || vb <= 1e-6 {
            return 1.0;
        }
        ((ab / n - a / n * (b / n)) / (va * vb).sqrt()).clamp(-1.0, 1.0)
    }
}

/// Without the finest detail, so that a head held a little askew is symmetric still.
fn symmetry(grid: &Grid) -> f32 {
    let soft = grid.box_mean(grid.width.max(grid.height) / 32);
    Head::of(grid).symmetry(&soft)
}

fn strong((left, right): (f32, f32)) -> Rated<Vec<Place>> {
    let (low, high) = (left.min(right), left.max(right));
    if high < 0.01 {
        return rated(Vec::new(), 0.9);
    }
    let ratio = high / low.max(1e-3);
    let sure = (0.5 + ((ratio - NOTICED).abs() - UNSURE) * 3.0).min(0.95);
    if ratio < NOTICED {
        rated(vec![Place::Left, Place::Right], sure)
    } else if left > right {
        rated(vec![Place::Left], sure)
    } else {
        rated(vec![Place::Right], sure)
    }
}

fn half((upper, lower): (f32, f32)) -> Rated<Option<Place>> {
    let ratio = (upper.max(1e-3) / lower.max(1e-3)).ln();
    // A quarter more.
    let sure = 0.5 + ((ratio.abs() - 0.22).abs() * 2.0).min(0.45);
    let half = match ratio {
        r if r > 0.22 => Some(Place::Top),
        r if r < -0.22 => Some(Place::Bottom),
        _ => None,
    };
    rated(half, sure)
}

fn extent(grid: &Grid) -> f32 {
    let largest = grid.quantile(0.999);
    let shown = grid.values.iter().filter(|v| **v > 0.1 * largest).count();
    let high = grid.values.iter().filter(|v| **v > 0.7 * largest).count();
    if largest < 0.01 {
        return 0.0;
    }
    high as f32 / shown.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::super::words::fit;
    use super::*;
    use crate::frame::{Picture, Size};

    fn pair(channels: usize, left: [u8; 3], right: [u8; 3]) -> AlignedPair {
        let size = Size::new(60, 60);
        let mut infrared = Picture::new(size, channels);
        let mut visible = Picture::grey(size);
        for y in 10..50 {
            for x in 10..50 {
                let colour = if x < 30 { left } else { right };
                infrared.row_mut(y)[x * channels..][..channels]
                    .copy_from_slice(&colour[..channels]);
                visible.row_mut(y)[x] = (x * 5) as u8;
            }
        }
        AlignedPair::registered(infrared, visible)
    }

    #[test]
    fn colour_means_functional_and_the_brighter_side_is_named() {
        let facts = MedicalFacts::measure(&pair(3, [200, 40, 0], [90, 20, 0]), Modality::Auto);
        assert_eq!(
            fit(&facts.sentences(), 0),
            [
                "The functional image shows high activity on the left.",
                "The MRI image shows the structure of the soft tissue."
            ]
        );
    }

    #[test]
    fn grey_means_ct_also_when_stored_as_rgb() {
        for channels in [1, 3] {
            let facts = MedicalFacts::measure(&pair(channels, [200; 3], [200; 3]), Modality::Auto);
            assert_eq!(facts.modality.value, Modality::Ct);
            assert_eq!(facts.strong.value.len(), 2);
        }
    }

    #[test]
    fn a_black_picture_is_called_dark() {
        let facts = MedicalFacts::measure(&pair(1, [0; 3], [0; 3]), Modality::Auto);
        assert_eq!(fit(&facts.sentences(), 0)[0], "The CT image is dark.");
    }

    #[test]
    fn a_told_modality_is_taken_at_its_word() {
        let pair = pair(3, [200, 40, 0], [200, 40, 0]);
        for (told, name) in [(Modality::Pet, "PET"), (Modality::Spect, "SPECT")] {
            let facts = MedicalFacts::measure(&pair, told);
            let text = fit(&facts.sentences(), 0).join(" ");
            assert!(
                text.starts_with(&format!("The {name} image shows high activity on both")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_table_beside_the_head_is_no_side_of_it_and_a_faint_ring_no_half() {
        let mut pair = pair(1, [200; 3], [200; 3]);
        for y in 0..60 {
            pair.infrared.row_mut(y)[57] = 255;
            // Below the head, and fainter than a fifth of it.
            if y > 52 {
                pair.infrared.row_mut(y)[10..50].fill(30);
            }
        }
        let facts = MedicalFacts::measure(&pair, Modality::Auto);
        let said = fit(&facts.sentences(), 99).join(" ");
        assert!(
            said.starts_with("The CT image shows bright bone on both sides. "),
            "{said}"
        );
        assert!(strong((0.5, 0.535)).confidence <= super::super::SAY);
        assert!(strong((0.5, 0.5)).says(|sides| sides.len() == 2));
        assert!(strong((0.5, 0.6)).says(|sides| *sides == [Place::Right]));
    }

    #[test]
    fn a_picture_and_its_mirror_image_are_symmetric_about_the_head() {
        let facts = |left, right| MedicalFacts::measure(&pair(3, left, right), Modality::Auto);
        let even = facts([200, 40, 0], [200, 40, 0]);
        assert!(even.symmetry > 0.93, "{}", even.symmetry);
        let text = fit(&even.sentences(), 99).join(" ");
        assert!(text.contains("is symmetric"), "{text}");
        let mut uneven = pair(3, [0; 3], [0; 3]);
        for y in 10..50 {
            uneven.infrared.row_mut(y)[10 * 3..15 * 3].fill(90);
            uneven.infrared.row_mut(y)[30 * 3..50 * 3].fill((y * 4) as u8);
        }
        let uneven = MedicalFacts::measure(&uneven, Modality::Auto);
        assert!(
            uneven.symmetry < 0.8 && uneven.symmetry < even.symmetry,
            "{}",
            uneven.symmetry
        );
        assert_eq!(uneven.half.value, Some(Place::Bottom));
    }
}
