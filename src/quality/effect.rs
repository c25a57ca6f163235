//! What a text changed in a fused picture, against the fusion of the same pair without it.

use serde::{Deserialize, Serialize};

use super::luma;
use crate::frame::Picture;

/// Share of the infrared picture that counts as its warm targets.
const WARM_SHARE: f32 = 0.03;
/// Half widths of the boxes around a target: left out, and compared with it; pixels.
const NEAR: usize = 3;
const AROUND: usize = 12;

/// The difference that a text makes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Change of the mean luma, grey levels.
    pub luma: f32,
    /// Mean absolute change of a pixel, grey levels.
    pub change: f32,
    /// Contrast of the warmest 3 % of the infrared picture to what is 4 to 12 pixels around them, as a
    /// multiple of what it was; `None` where they had none.
    pub warm_contrast: Option<f32>,
    /// Change of the standard deviation of noise (Immerkær 1996), grey levels.
    pub noise: f32,
    /// Mean absolute step between neighbours, as a multiple of what it was; `None` for a flat picture.
    pub detail: Option<f32>,
}

impl Effect {
    /// Compares two fusions of one pair, all of one size.
    pub fn measure(infrared: &Picture, before: &Picture, after: &Picture) -> Self {
        let [infrared, before, after] = [infrared, before, after].map(luma);
        let mean = |p: &Picture| p.data().iter().map(|v| f64::from(*v)).sum::<f64>();
        let count = before.data().len().max(1) as f64;
        let moved = before.data().iter().zip(after.data());
        let moved: u64 = moved.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let targets = Targets::of(&infrared);
        let warm = [&before, &after].map(|p| targets.contrast(p));
        let steps = [&before, &after].map(detail);
        let ratio = |[from, to]: [f64; 2], least: f64| (from > least).then(|| (to / from) as f32);
        Self {
            luma: ((mean(&after) - mean(&before)) / count) as f32,
            change: (moved as f64 / count) as f32,
            warm_contrast: ratio(warm, 0.5),
            noise: (noise(&after) - noise(&before)) as f32,
            detail: ratio(steps, 1e-6),
        }
    }
}

/// Pixels of warm targets, and those around them.
struct Targets {
    warm: Vec<bool>,
    around: Vec<bool>,
}

impl Targets {
    fn of(infrared: &Picture) -> Self {
        let (width, height) = (infrared.width(), infrared.height());
        let mut histogram = [0u32; 256];
        for v in infrared.data() {
            histogram[usize::from(*v)] += 1;
        }
        let most = (WARM_SHARE * (width * height) as f32) as u32;
        let mut sum = 0;
        let above = histogram.iter().rposition(|n| {
            sum += n;
            sum > most
        });
        let limit = above.unwrap_or(255);
        let warm: Vec<bool> = infrared
            .data()
            .iter()
            .map(|v| usize::from(*v) > limit)
            .collect();
        let near = widened(&warm, width, NEAR);
        let mut around = widened(&warm, width, AROUND);
        around.iter_mut().zip(near).for_each(|(a, n)| *a &= !n);
        Self { warm, around }
    }

    /// Mean of the targets less the mean around them.
    fn contrast(&self, picture: &Picture) -> f64 {
        let mean = |mask: &[bool]| {
            let chosen = picture.data().iter().zip(mask).filter(|(_, m)| **m);
            let (sum, n) = chosen.fold((0.0, 0.0), |(s, n), (v, _)| (s + f64::from(*v), n + 1.0));
            if n > 0.0 { sum / n } else { 0.0 }
        };
        if self.warm.contains(&true) && self.around.contains(&true) {
            mean(&self.warm) - mean(&self.around)
        } else {
            0.0
        }
    }
}

/// Every pixel with one of `mask` at most `by` pixels away along both axes.
fn widened(mask: &[bool], width: usize, by: usize) -> Vec<bool> {
    let height = mask.len() / width.max(1);
    let along = |mask: &[bool], lines: usize, length: usize, at: &dyn Fn(usize, usize) -> usize| {
        let mut out = vec![false; mask.len()];
        for line in 0..lines {
            for i in 0..length {
                if mask[at(line, i)] {
                    for j in i.saturating_sub(by)..(i + by + 1).min(length) {
                        out[at(line, j)] = true;
                    }
                }
            }
        }
        out
    };
    let rows = along(mask, height, width, &|y, x| y * width + x);
    along(&rows, width, height, &|x, y| y * width + x)
}

/// Mean absolute step to the right and down.
fn detail(picture: &Picture) -> f64 {
    let (width, height) = (picture.width(), picture.height());
    let (mut sum, mut count) = (0u64, 0u64);
    for y in 0..height {
        let row = picture.row(y);
        sum += row
            .windows(2)
            .map(|w| u64::from(w[0].abs_diff(w[1])))
            .sum::<u64>();
        count += width.saturating_sub(1) as u64;
        if y > 0 {
            let above = picture.row(y - 1);
            sum += row
                .iter()
                .zip(above)
                .map(|(a, b)| u64::from(a.abs_diff(*b)))
                .sum::<u64>();
            count += width as u64;
        }
    }
    sum as f64 / count.max(1) as f64
}

/// Immerkær, "Fast noise variance estimation", CVIU 64(2), 1996.
fn noise(picture: &Picture) -> f64 {
    let (width, height) = (picture.width(), picture.height());
    if width < 3 || height < 3 {
        return 0.0;
    }
    let mut sum = 0u64;
    for y in 1..height - 1 {
        let rows = [picture.row(y - 1), picture.row(y), picture.row(y + 1)];
        for x in 1..width - 1 {
            let at = |r: usize, dx: usize| i64::from(rows[r][x + dx - 1]);
            let corners = at(0, 0) + at(0, 2) + at(2, 0) + at(2, 2);
            let sides = at(0, 1) + at(2, 1) + at(1, 0) + at(1, 2);
            sum += (corners - 2 * sides + 4 * at(1, 1)).unsigned_abs();
        }
    }
    let count = ((width - 2) * (height - 2)) as f64;
    std::f64::consts::FRAC_PI_2.sqrt() * sum as f64 / (6.0 * count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    /// Grey 60 with a square of `target` in the middle.
    fn scene(target: u8) -> Picture {
        let mut picture = Picture::grey(Size::new(64, 48));
        picture.data_mut().fill(60);
        for y in 20..26 {
            picture.row_mut(y)[28..36].fill(target);
        }
        picture
    }

    #[test]
    fn nothing_changed_is_no_effect() {
        let same = Effect::measure(&scene(200), &scene(100), &scene(100));
        assert_eq!((same.luma, same.change, same.noise), (0.0, 0.0, 0.0));
        assert_eq!((same.warm_contrast, same.detail), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn a_raised_target_and_a_lighter_picture_are_told() {
        let raised = Effect::measure(&scene(200), &scene(100), &scene(140));
        assert_eq!(raised.warm_contrast, Some(2.0));
        let mut lighter = scene(100);
        lighter.data_mut().iter_mut().for_each(|v| *v += 10);
        let lighter = Effect::measure(&scene(200), &scene(100), &lighter);
        assert!((lighter.luma - 10.0).abs() < 1e-4 && (lighter.change - 10.0).abs() < 1e-4);
        assert_eq!(lighter.warm_contrast, Some(1.0));
    }

    #[test]
    fn pictures_of_one_pixel_have_no_contrast() {
        let dot = Picture::grey(Size::new(1, 1));
        let effect = Effect::measure(&dot, &dot, &dot);
        assert_eq!((effect.warm_contrast, effect.detail), (None, None));
    }
}
