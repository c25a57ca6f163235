//! Multi-focus: where each picture is the sharper one.

use serde::Serialize;

use super::grid::luma;
use super::words::{Place, places, regions};
use crate::align::AlignedPair;
use crate::frame::Picture;

/// What two focus settings of one scene show. "First" and "second", since pixels do not tell
/// which lens setting was the nearer one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FocusFacts {
    /// Both sources are there: first, second.
    pub has: (bool, bool),
    /// Where the first is sharper.
    pub first: Vec<Place>,
    /// Where the second is sharper.
    pub second: Vec<Place>,
}

impl FocusFacts {
    pub(super) fn measure(pair: &AlignedPair) -> Self {
        let (a, b) = (sharpness(&pair.infrared), sharpness(&pair.visible));
        // A tenth more: below that a part is flat, or equally sharp in both.
        let sharper = |a: &[[f32; 3]; 3], b: &[[f32; 3]; 3]| {
            regions(std::array::from_fn(|r| {
                std::array::from_fn(|c| a[r][c] > 1.1 * b[r][c] + 0.02)
            }))
        };
        Self {
            has: (pair.has_infrared, pair.has_visible),
            first: sharper(&a, &b),
            second: sharper(&b, &a),
        }
    }

    pub(super) fn sentences(&self) -> Vec<String> {
        if self.has == (true, true) && self.first.is_empty() && self.second.is_empty() {
            return vec!["The first image and the second image are equally sharp.".to_owned()];
        }
        vec![
            sentence("first", self.has.0, &self.first),
            sentence("second", self.has.1, &self.second),
        ]
    }
}

fn sentence(name: &str, there: bool, sharp: &[Place]) -> String {
    match (there, sharp) {
        (false, _) => format!("The {name} image is missing."),
        (true, []) => format!("The {name} image is less sharp."),
        (true, sharp) => format!("The {name} image is sharp {}.", places(sharp)),
    }
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

fn luma_row(picture: &Picture, y: usize, row: &mut [i32]) {
    let pixels = picture.row(y).chunks_exact(picture.channels().max(1));
    for (value, pixel) in row.iter_mut().zip(pixels) {
        *value = match *pixel {
            [r, g, b] => luma(r, g, b) as i32,
            [grey, ..] => i32::from(grey),
            [] => 0,
        };
    }
}

#[cfg(test)]
mod tests {
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
            facts.sentences(),
            [
                "The first image is sharp on the left.",
                "The second image is sharp in the centre and on the right."
            ]
        );
    }

    #[test]
    fn two_equal_pictures_are_equally_sharp() {
        let picture = stripes(|_, _| true);
        let facts = FocusFacts::measure(&AlignedPair::registered(picture.clone(), picture));
        assert_eq!((facts.first.len(), facts.second.len()), (0, 0));
        assert_eq!(
            facts.sentences(),
            ["The first image and the second image are equally sharp."]
        );
    }
}
