//! Medical: which modality source A is, and where it is strong. Brightness and place only.

use serde::Serialize;

use super::grid::Grid;
use super::words::{Place, places};
use crate::align::AlignedPair;

/// What source A can be told to be from its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Coloured: PET or SPECT through a colour table. Which of the two, pixels do not tell.
    Functional,
    /// Grey.
    Ct,
}

/// What the functional or CT picture and the MRI show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MedicalFacts {
    /// Both sources are there: A, MRI.
    pub has: (bool, bool),
    /// What source A is.
    pub modality: Modality,
    /// Sides on which source A is strong; two: both sides alike; empty: nothing there.
    pub strong: Vec<Place>,
    /// Mean of source A left and right of the middle, 0..=1.
    pub sides: (f32, f32),
    /// The MRI has structure (its luma deviates by 0.05 or more).
    pub tissue: bool,
}

impl MedicalFacts {
    pub(super) fn measure(pair: &AlignedPair) -> Self {
        let colour = Grid::colour(&pair.infrared).spread().mean;
        let modality = if colour > 0.02 {
            Modality::Functional
        } else {
            Modality::Ct
        };
        let grid = Grid::luma(&pair.infrared);
        let sides = halves(&grid);
        Self {
            has: (pair.has_infrared, pair.has_visible),
            modality,
            strong: strong(sides),
            sides,
            tissue: Grid::luma(&pair.visible).spread().deviation >= 0.05,
        }
    }

    pub(super) fn sentences(&self) -> Vec<String> {
        vec![self.first_sentence(), self.mri_sentence()]
    }

    fn first_sentence(&self) -> String {
        let (name, what) = match self.modality {
            Modality::Functional => ("functional", "high activity"),
            Modality::Ct => ("CT", "bright bone"),
        };
        if !self.has.0 {
            return "The functional or CT image is missing.".to_owned();
        }
        match self.strong.as_slice() {
            [] => format!("The {name} image is dark."),
            [_, _] => format!("The {name} image shows {what} on both sides."),
            one => format!("The {name} image shows {what} {}.", places(one)),
        }
    }

    fn mri_sentence(&self) -> String {
        let what = match (self.has.1, self.tissue) {
            (false, _) => "is missing",
            (true, false) => "has low contrast",
            (true, true) => "shows the structure of the soft tissue",
        };
        format!("The MRI image {what}.")
    }
}

/// Mean left and right of the middle column.
fn halves(grid: &Grid) -> (f32, f32) {
    let (mut left, mut right, mut n) = (0.0, 0.0, 0);
    for y in 0..grid.height {
        for x in 0..grid.width / 2 {
            left += grid.at(x, y);
            right += grid.at(grid.width - 1 - x, y);
            n += 1;
        }
    }
    let n = n.max(1) as f32;
    (left / n, right / n)
}

/// A tenth more on one side is what a viewer notices.
fn strong((left, right): (f32, f32)) -> Vec<Place> {
    if left.max(right) < 0.01 {
        Vec::new()
    } else if left > 1.1 * right {
        vec![Place::Left]
    } else if right > 1.1 * left {
        vec![Place::Right]
    } else {
        vec![Place::Left, Place::Right]
    }
}

#[cfg(test)]
mod tests {
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
        let facts = MedicalFacts::measure(&pair(3, [200, 40, 0], [90, 20, 0]));
        assert_eq!(
            facts.sentences(),
            [
                "The functional image shows high activity on the left.",
                "The MRI image shows the structure of the soft tissue."
            ]
        );
    }

    #[test]
    fn grey_means_ct_also_when_stored_as_rgb() {
        for channels in [1, 3] {
            let facts = MedicalFacts::measure(&pair(channels, [200; 3], [200; 3]));
            assert_eq!(facts.modality, Modality::Ct);
            assert_eq!(facts.strong.len(), 2);
        }
    }

    #[test]
    fn a_black_picture_is_called_dark() {
        let facts = MedicalFacts::measure(&pair(1, [0; 3], [0; 3]));
        assert_eq!(facts.sentences()[0], "The CT image is dark.");
    }
}
