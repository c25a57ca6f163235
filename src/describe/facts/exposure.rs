//! Multi-exposure: which picture is the darker one, and where each keeps details or clips.

use serde::Serialize;

use super::grid::{Grid, Spread};
use super::words::{Place, list, places, regions};
use crate::align::AlignedPair;

/// What two exposures of one scene show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExposureFacts {
    /// Both sources are there: A, B.
    pub has: (bool, bool),
    /// Source A is the lighter of the two, against the convention.
    pub swapped: bool,
    /// Where each shows more detail than the other: A, B.
    pub detailed: (Vec<Place>, Vec<Place>),
    /// Where each is black: A, B.
    pub black: (Vec<Place>, Vec<Place>),
    /// Where each is white: A, B.
    pub white: (Vec<Place>, Vec<Place>),
}

impl ExposureFacts {
    pub(super) fn measure(pair: &AlignedPair) -> Self {
        let (a, b) = (Grid::luma(&pair.infrared), Grid::luma(&pair.visible));
        let swapped = a.spread().mean > b.spread().mean;
        let (a, b) = (a.ninths(), b.ninths());
        let where_ = |test: &dyn Fn(Spread, Spread) -> bool| {
            regions(std::array::from_fn(|r| {
                std::array::from_fn(|c| test(a[r][c], b[r][c]))
            }))
        };
        let black = |part: Spread| part.mean < 0.08 && part.deviation < 0.06;
        let white = |part: Spread| part.mean > 0.92 && part.deviation < 0.06;
        Self {
            has: (pair.has_infrared, pair.has_visible),
            swapped,
            detailed: (
                where_(&|a, b| a.deviation > 1.1 * b.deviation),
                where_(&|a, b| b.deviation > 1.1 * a.deviation),
            ),
            black: (where_(&|a, _| black(a)), where_(&|_, b| black(b))),
            white: (where_(&|a, _| white(a)), where_(&|_, b| white(b))),
        }
    }

    pub(super) fn sentences(&self) -> Vec<String> {
        let (first, second) = if self.swapped {
            ("over-exposed", "under-exposed")
        } else {
            ("under-exposed", "over-exposed")
        };
        vec![
            sentence(
                first,
                self.has.0,
                &self.detailed.0,
                (&self.black.0, &self.white.0),
            ),
            sentence(
                second,
                self.has.1,
                &self.detailed.1,
                (&self.black.1, &self.white.1),
            ),
        ]
    }
}

fn sentence(
    name: &str,
    there: bool,
    detailed: &[Place],
    (black, white): (&[Place], &[Place]),
) -> String {
    if !there {
        return format!("The {name} image is missing.");
    }
    // A part that is partly clipped may still be the more detailed one: that is what counts.
    let only = |clipped: &[Place]| -> Vec<Place> {
        let kept = clipped.iter().filter(|place| !detailed.contains(place));
        kept.copied().collect()
    };
    let (how, clipped) = match only(black) {
        black if black.is_empty() => ("white", only(white)),
        black => ("black", black),
    };
    let mut parts = Vec::new();
    // Both only where both are short: the guidance has 64 rows.
    if !clipped.is_empty() && (detailed.is_empty() || clipped.len() + detailed.len() == 2) {
        parts.push(format!("is {how} {}", places(&clipped)));
    }
    if !detailed.is_empty() {
        parts.push(format!("keeps the details {}", places(detailed)));
    }
    if parts.is_empty() {
        parts.push("keeps few details".to_owned());
    }
    format!("The {name} image {}.", list(&parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Picture, Size};

    /// Left half and right half: (mean, swing) each.
    fn halves(left: (u8, u8), right: (u8, u8)) -> Picture {
        let mut picture = Picture::rgb(Size::new(96, 60));
        for y in 0..60 {
            for x in 0..96 {
                let (mean, swing) = if x < 48 { left } else { right };
                let up = (x / 4 + y / 4) % 2 == 0;
                let v = if up {
                    mean.saturating_add(swing)
                } else {
                    mean.saturating_sub(swing)
                };
                picture.row_mut(y)[x * 3..x * 3 + 3].fill(v);
            }
        }
        picture
    }

    fn pair(infrared: Picture, visible: Picture) -> AlignedPair {
        AlignedPair::registered(infrared, visible)
    }

    #[test]
    fn clipped_and_detailed_sides_are_told() {
        let under = halves((2, 2), (90, 60));
        let over = halves((120, 60), (253, 2));
        let text = ExposureFacts::measure(&pair(under.clone(), over.clone())).sentences();
        assert_eq!(
            text,
            [
                "The under-exposed image is black on the left and keeps the details on the right.",
                "The over-exposed image keeps the details on the left and in the centre."
            ]
        );
        let swapped = ExposureFacts::measure(&pair(over, under));
        assert!(swapped.swapped);
        assert!(swapped.sentences()[0].starts_with("The over-exposed image keeps"));
    }
}
