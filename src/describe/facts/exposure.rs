//! Multi-exposure: which picture is the darker one, and where each keeps details or clips.

use serde::Serialize;

use super::grid::{Grid, Spread};
use super::words::{Place, Sentence, places, regions};
use super::{Rated, rated};
use crate::align::AlignedPair;

/// Cells darker or lighter than this show nothing.
const BLACK: f32 = 0.05;
const WHITE: f32 = 0.95;
/// Part of a ninth that has to be clipped for the ninth to be.
const MOSTLY: f32 = 0.6;
/// How many times the detail of the other one.
const BETTER: f32 = 1.1;

/// One exposure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exposure {
    /// Mean luma, 0..=1.
    pub mean: f32,
    /// Share of the picture that is black, and that is white.
    pub clipped: (f32, f32),
    /// Where it is black.
    pub black: Vec<Place>,
    /// Where it is white.
    pub white: Vec<Place>,
    /// Where it shows more detail than the other.
    pub detailed: Rated<Vec<Place>>,
}

/// What two exposures of one scene show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExposureFacts {
    /// Both sources are there: A, B.
    pub has: (bool, bool),
    /// Source A is the lighter of the two, against the convention.
    pub swapped: Rated<bool>,
    /// Source A.
    pub a: Exposure,
    /// Source B.
    pub b: Exposure,
}

impl ExposureFacts {
    pub(super) fn measure(pair: &AlignedPair) -> Self {
        let (a, b) = (Grid::luma(&pair.infrared), Grid::luma(&pair.visible));
        let (first, second) = (exposure(&a, &b), exposure(&b, &a));
        let away = (first.mean - second.mean).abs();
        Self {
            has: (pair.has_infrared, pair.has_visible),
            swapped: rated(first.mean > second.mean, 0.5 + (away * 5.0).min(0.45)),
            a: first,
            b: second,
        }
    }

    pub(super) fn sentences(&self) -> Vec<Sentence> {
        let (first, second) = if self.swapped.value {
            ("over-exposed", "under-exposed")
        } else {
            ("under-exposed", "over-exposed")
        };
        vec![
            sentence(first, self.has.0, &self.a, &self.b),
            sentence(second, self.has.1, &self.b, &self.a),
        ]
    }
}

fn exposure(own: &Grid, other: &Grid) -> Exposure {
    let share = |test: &dyn Fn(f32) -> bool| {
        let clipped = own.values.iter().filter(|v| test(**v)).count();
        clipped as f32 / own.values.len().max(1) as f32
    };
    let (parts, others) = (own.ninths(), other.ninths());
    let part = |test: &dyn Fn(Spread, Spread) -> bool| -> [[bool; 3]; 3] {
        std::array::from_fn(|r| std::array::from_fn(|c| test(parts[r][c], others[r][c])))
    };
    let detailed = part(&|own, other| own.deviation > BETTER * other.deviation);
    // How much more, over the parts where it is more.
    let (mut more, mut n) = (0.0, 0.0f32);
    for i in 0..9 {
        let (r, c) = (i / 3, i % 3);
        if detailed[r][c] {
            more += (parts[r][c].deviation / others[r][c].deviation.max(0.005)).ln();
            n += 1.0;
        }
    }
    let sure = 0.5 + (more / n.max(1.0)).min(0.45);
    let places = |test: &dyn Fn(f32) -> bool| regions(mostly(own, test));
    Exposure {
        mean: own.spread().mean,
        clipped: (share(&|v| v < BLACK), share(&|v| v > WHITE)),
        black: places(&|v| v < BLACK),
        white: places(&|v| v > WHITE),
        detailed: rated(regions(detailed), sure),
    }
}

/// Ninths of which most cells pass `test`.
fn mostly(grid: &Grid, test: &dyn Fn(f32) -> bool) -> [[bool; 3]; 3] {
    let passed = Grid {
        width: grid.width,
        height: grid.height,
        values: grid
            .values
            .iter()
            .map(|v| f32::from(u8::from(test(*v))))
            .collect(),
    };
    passed
        .ninths()
        .map(|row| row.map(|part| part.mean >= MOSTLY))
}

fn sentence(name: &str, there: bool, own: &Exposure, other: &Exposure) -> Sentence {
    if !there {
        return Sentence::fixed(format!("The {name} image is missing"));
    }
    let detailed = &own.detailed.value;
    // A part that is partly clipped may still be the more detailed one: that is what counts.
    let only = |clipped: &[Place]| -> Vec<Place> {
        let kept = clipped.iter().filter(|place| !detailed.contains(place));
        kept.copied().collect()
    };
    let (how, clipped) = match only(&own.black) {
        black if black.is_empty() => ("white", only(&own.white)),
        black => ("black", black),
    };
    let keeps = own.detailed.says(|places| !places.is_empty());
    let all = clipped.len() >= 3;
    let clipped = (!clipped.is_empty()).then(|| format!("is {how} {}", places(&clipped)));
    // Both cannot keep more than the other in one place.
    let most = detailed.len() >= 3 && other.detailed.says(|places| !places.is_empty());
    let keeps = keeps.then(|| match most {
        true => "keeps the details in most parts".to_owned(),
        false => format!("keeps the details {}", places(detailed)),
    });
    match (clipped, keeps) {
        (None, None) if !detailed.is_empty() => Sentence::fixed(format!(
            "The {name} image shows about as many details as the other"
        )),
        (None, None) => Sentence::fixed(format!("The {name} image keeps few details")),
        (Some(clipped), None) => Sentence::fixed(format!("The {name} image {clipped}")),
        (clipped, Some(keeps)) => {
            let mut sentence = Sentence::fixed(format!("The {name} image {keeps}"));
            // "Everywhere" leaves no place that is clipped, or that keeps anything.
            if let Some(clipped) = clipped.filter(|_| detailed.len() < 3 && !all) {
                sentence.add(clipped, 0.8);
            }
            sentence
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::fit;
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
    fn details_somewhere_and_white_everywhere_are_not_said_together() {
        let all = vec![Place::Left, Place::Centre, Place::Right];
        let mut own = Exposure {
            mean: 0.9,
            clipped: (0.0, 0.7),
            black: Vec::new(),
            white: all,
            detailed: rated(vec![Place::Top], 0.9),
        };
        let mut other = own.clone();
        other.detailed.value.clear();
        let said = |own: &Exposure, other: &Exposure| {
            sentence("over-exposed", true, own, other).parts().join(" ")
        };
        assert_eq!(
            said(&own, &other),
            "The over-exposed image keeps the details at the top."
        );
        own.detailed.value.clear();
        assert_eq!(
            said(&own, &other),
            "The over-exposed image is white everywhere."
        );
    }

    #[test]
    fn everywhere_is_said_of_one_picture_only_if_the_other_keeps_nothing() {
        let keeps = |detailed: &[Place]| Exposure {
            mean: 0.5,
            clipped: (0.0, 0.0),
            black: Vec::new(),
            white: Vec::new(),
            detailed: rated(detailed.to_vec(), 0.9),
        };
        let all = keeps(&[Place::Left, Place::Centre, Place::Right]);
        let said = |other: &Exposure| sentence("over-exposed", true, &all, other).parts();
        assert_eq!(
            said(&keeps(&[])),
            ["The over-exposed image keeps the details everywhere."]
        );
        assert_eq!(
            said(&keeps(&[Place::Centre])),
            ["The over-exposed image keeps the details in most parts."]
        );
    }

    #[test]
    fn clipped_and_detailed_sides_are_told() {
        let under = halves((2, 2), (90, 60));
        let over = halves((120, 60), (253, 2));
        let facts = ExposureFacts::measure(&pair(under.clone(), over.clone()));
        let text = fit(&facts.sentences(), 99);
        assert_eq!(
            text,
            [
                "The under-exposed image keeps the details on the right and is black on the left.",
                "The over-exposed image keeps the details on the left and in the centre and is white on the right."
            ]
        );
        let swapped = ExposureFacts::measure(&pair(over, under));
        assert!(swapped.swapped.says(|swapped| *swapped));
        assert!(fit(&swapped.sentences(), 0)[0].starts_with("The over-exposed image keeps"));
    }
}
