//! Multi-focus: where each picture is the sharper one.

use serde::Serialize;

use super::grid::luma_row;
use super::words::{Place, Sentence, places, regions};
use super::{Rated, rated};
use crate::align::AlignedPair;
use crate::frame::Picture;

/// A tenth more: below that a part is flat, or equally sharp in both.
const SHARPER: f32 = 1.1;

/// What two focus settings of one scene show. "First" and "second", since pixels do not tell
/// which lens setting was the nearer one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FocusFacts {
    /// Both sources are there: first, second.
    pub has: (bool, bool),
    /// Where the first is sharper.
    pub first: Rated<Vec<Place>>,
    /// Where the second is sharper.
    pub second: Rated<Vec<Place>>,
    /// Natural logarithm of the first's sharpness over the second's, of 3x3 equal parts.
    pub ratio: [[f32; 3]; 3],
}

impl FocusFacts {
    pub(super) fn measure(pair: &AlignedPair) -> Self {
        let (a, b) = (sharpness(&pair.infrared), sharpness(&pair.visible));
        let sharper = |a: &[[f32; 3]; 3], b: &[[f32; 3]; 3]| {
            let mask: [[bool; 3]; 3] = std::array::from_fn(|r| {
                std::array::from_fn(|c| a[r][c] > SHARPER * b[r][c] + 0.02)
            });
            let (mut sum, mut n) = (0.0, 0.0f32);
            for i in (0..9).filter(|i| mask[i / 3][i % 3]) {
                sum += (a[i / 3][i % 3] / b[i / 3][i % 3].max(0.1)).ln();
                n += 1.0;
            }
            let sure = if n == 0.0 {
                0.7
            } else {
                0.5 + (sum / n).min(0.45)
            };
            rated(regions(mask), sure)
        };
        let ratio = std::array::from_fn(|r| {
            std::array::from_fn(|c| (a[r][c].max(0.1) / b[r][c].max(0.1)).ln())
        });
        Self {
            has: (pair.has_infrared, pair.has_visible),
            first: sharper(&a, &b),
            second: sharper(&b, &a),
            ratio,
        }
    }

    pub(super) fn sentences(&self) -> Vec<Sentence> {
        let equal = self.first.value.is_empty() && self.second.value.is_empty();
        if self.has == (true, true) && equal {
            return vec![Sentence::fixed(
                "The first image and the second image are equally sharp",
            )];
        }
        vec![
            sentence("first", self.has.0, &self.first.value, &self.second.value),
            sentence("second", self.has.1, &self.second.value, &self.first.value),
        ]
    }
}

fn sentence(name: &str, there: bool, sharp: &[Place], others: &[Place]) -> Sentence {
    if !there {
        return Sentence::fixed(format!("The {name} image is missing"));
    }
    let mut sentence = match sharp {
        [] => return Sentence::fixed(format!("The {name} image is less sharp")),
        // Parts were counted, not a border drawn: only then both statements can be true.
        sharp if sharp.len() >= 3 && !others.is_empty() => {
            return Sentence::fixed(format!("The {name} image is sharper in most parts"));
        }
        sharp => Sentence::fixed(format!("The {name} image is sharp {}", places(sharp))),
    };
    let blurred: Vec<Place> = others
        .iter()
        .filter(|p| !sharp.contains(p))
        .copied()
        .collect();
    if !blurred.is_empty() && blurred.len() < 3 {
        sentence.add(format!("is blurred {}", places(&blurred)), 0.5);
    }
    sentence
}

/// Mean absolute Laplacian (0..=255 scale) of 3x3 equal parts, on every second row.
fn sharpness(picture: &Picture) -> [[f32; 3]; 3] {
    let (w, h) = (picture.width(), picture.height());
    let mut sums = [[(0u64, 0u64); 3]; 3];
    if w < 3 || h < 3 {
        return [[0.0; 3]; 3];
    }
    let mut rows = [vec![0i32; w], vec![0; w], vec![0; w]];
    for y in (1..h - 1).step_by(2) {
        for (offset, row) in rows.iter_mut().enumerate() {
            luma_row(picture, y + offset - 1, row);
        }
        let [above, here, below] = &rows;
        for (column, cell) in sums[(y * 3 / h).min(2)].iter_mut().enumerate() {
            let from = (column * w / 3).max(1);
            let to = ((column + 1) * w / 3).min(w - 1);
            for x in from..to {
                let laplacian = 4 * here[x] - here[x - 1] - here[x + 1] - above[x] - below[x];
                cell.0 += u64::from(laplacian.unsigned_abs());
                cell.1 += 1;
            }
        }
    }
    sums.map(|row| row.map(|(sum, n)| sum as f32 / n.max(1) as f32))
}

#[cfg(test)]
mod tests {
    use super::super::words::fit;
    use super::*;
    use crate::frame::Size;

    fn stripes(sharp: impl Fn(usize, usize) -> bool) -> Picture {
        let mut picture = Picture::grey(Size::new(90, 60));
        for y in 0..60 {
            for x in 0..90 {
                let swing = if sharp(x, y) { 60 } else { 3 };
                picture.row_mut(y)[x] = if (x / 2) % 2 == 0 {
                    128 + swing
                } else {
                    128 - swing
                };
            }
        }
        picture
    }

    #[test]
    fn the_sharp_third_is_named() {
        let facts = FocusFacts::measure(&AlignedPair::registered(
            stripes(|x, _| x < 30),
            stripes(|x, _| x >= 30),
        ));
        assert_eq!(
            fit(&facts.sentences(), 99),
            [
                "The first image is sharp on the left and is blurred in the centre and on the right.",
                "The second image is sharp in the centre and on the right and is blurred on the left."
            ]
        );
    }

    #[test]
    fn two_equal_pictures_are_equally_sharp() {
        let picture = stripes(|_, _| true);
        let facts = FocusFacts::measure(&AlignedPair::registered(picture.clone(), picture));
        assert_eq!((facts.first.value.len(), facts.second.value.len()), (0, 0));
        assert_eq!(
            fit(&facts.sentences(), 99),
            ["The first image and the second image are equally sharp."]
        );
    }
}
