//! The visible picture: light, contrast, glare, haze, texture.
//!
//! Input: the visible picture, the infrared one for haze. Output: [`VisibleFacts`]. Not its job: what is in
//! it.

use serde::Serialize;

use super::blobs::components;
use super::grid::Grid;
use super::words::{Place, column, regions};
use super::{Rated, SAY, rated};
use crate::align::AlignedPair;

/// How light the visible picture is, by its mean luma and by what lies overhead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// Below 0.22.
    Dark,
    /// Below 0.36.
    Dim,
    /// Lighter in the mean, but only some parts are light, and what lies overhead is not: a night
    /// among lamps, which the camera exposed for, a cave. What shines is not told.
    Uneven,
    /// Below 0.5.
    Moderate,
    /// Below 0.68.
    WellLit,
    /// From 0.68.
    Bright,
}

impl Light {
    /// As sentences say it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Dim => "dim",
            Self::Uneven => "unevenly lit",
            Self::Moderate => "moderately lit",
            Self::WellLit => "well lit",
            Self::Bright => "bright",
        }
    }
}

/// Upper limits of the levels but the last.
const LEVELS: [(f32, Light); 4] = [
    (0.22, Light::Dark),
    (0.36, Light::Dim),
    (0.5, Light::Moderate),
    (0.68, Light::WellLit),
];

/// By day the sky, or what lies before it, is nearly as light as anything. Where the upper quarter
/// is darker than this, 0 being the picture's black and 1 its white, few things are light.
const OVERHEAD: f32 = 0.5;

/// What the visible picture is like.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VisibleFacts {
    /// Its light.
    pub light: Rated<Light>,
    /// Luma of the 95 % quantile less that of the 5 % quantile, 0..=1.
    pub contrast: f32,
    /// `contrast` is low, as the picture is flat.
    pub low_contrast: Rated<bool>,
    /// Thirds with small saturated spots in darker surroundings; empty: none. In doubt by day,
    /// when sky between leaves and white paint are such spots, too.
    pub glare: Rated<Vec<Place>>,
    /// Where it is flat and pale and the infrared picture has structure; empty: nowhere.
    pub haze: Rated<Vec<Place>>,
    /// Where it has texture; empty: nowhere, all: everywhere.
    pub texture: Vec<Place>,
}

impl VisibleFacts {
    /// `visible` and `infrared` are the grids of the two pictures.
    pub(super) fn measure(pair: &AlignedPair, visible: &Grid, infrared: &Grid) -> Self {
        let light = light(visible.spread().mean, overhead(visible));
        let contrast = visible.quantile(0.95) - visible.quantile(0.05);
        let darkest = Grid::darkest_channel(&pair.visible);
        Self {
            light,
            contrast,
            low_contrast: beyond(0.3, contrast, 0.1),
            glare: glare(visible, light.value > Light::Uneven),
            haze: haze(&darkest, visible, infrared),
            texture: texture(visible),
        }
    }
}

/// `value > limit`; sure where it is `doubt` away from it.
fn beyond(value: f32, limit: f32, doubt: f32) -> Rated<bool> {
    let sure = 0.5 + 0.45 * ((value - limit).abs() / doubt).min(1.0);
    rated(value > limit, sure)
}

fn light(mean: f32, overhead: f32) -> Rated<Light> {
    let level = LEVELS
        .iter()
        .find(|(limit, _)| mean < *limit)
        .map_or(Light::Bright, |(_, level)| *level);
    let away = LEVELS
        .iter()
        .map(|(limit, _)| (mean - limit).abs())
        .fold(1.0, f32::min);
    let sure = 0.6 + 0.35 * (away / 0.04).min(1.0);
    if level > Light::Uneven && overhead < OVERHEAD {
        let deep = ((OVERHEAD - overhead) / 0.1).min(1.0);
        return rated(Light::Uneven, 0.6 + 0.35 * deep);
    }
    rated(level, sure)
}

/// How light the lightest part of the upper quarter is, from the picture's darkest (0) to its
/// lightest (1): which exposure and range mapping leave as it is. 1 for a flat picture.
fn overhead(visible: &Grid) -> f32 {
    let upper = visible.part(0..visible.width, 0..visible.height.div_ceil(4));
    let (black, white) = (visible.quantile(0.01), visible.quantile(0.995));
    if white - black < 0.1 {
        return 1.0;
    }
    (upper.quantile(0.75) - black) / (white - black)
}

/// Thirds with saturated blobs that are small and lie in darker surroundings; a bright sky is
/// large, or touches the top, or shines through trees.
fn glare(visible: &Grid, by_day: bool) -> Rated<Vec<Place>> {
    let surroundings = visible.box_mean(visible.width.max(visible.height) / 8);
    let mask: Vec<bool> = visible.values.iter().map(|&v| v > 0.94).collect();
    let cells = (visible.width * visible.height) as f32;
    let mut largest = 0;
    let mut found: Vec<Place> = components(visible, &mask)
        .iter()
        .filter(|b| b.area >= 4 && (b.area as f32) < 0.06 * cells && b.top > 0)
        .filter(|b| surroundings.at((b.left + b.right) / 2, (b.top + b.bottom) / 2) < 0.6)
        .map(|b| {
            largest = largest.max(b.area);
            column(b.x, visible.width)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    let sure = if found.is_empty() {
        0.8
    } else if by_day {
        SAY
    } else {
        0.5 + 0.45 * (largest as f32 / 40.0).min(1.0)
    };
    rated(found, sure)
}

/// Parts that are pale (even their darkest colour), flat in the visible picture and structured in
/// the infrared one; two at least. Haze grows with distance: below alone there is a road, above
/// alone the sky.
fn haze(darkest: &Grid, visible: &Grid, infrared: &Grid) -> Rated<Vec<Place>> {
    let (pale, flat, structured) = (darkest.ninths(), visible.ninths(), infrared.ninths());
    let hazy: [[bool; 3]; 3] = std::array::from_fn(|r| {
        std::array::from_fn(|c| {
            (0.35..0.9).contains(&pale[r][c].mean)
                && flat[r][c].deviation < 0.04
                && structured[r][c].deviation > 0.08
        })
    });
    let parts = hazy.iter().flatten().filter(|h| **h).count();
    if parts < 2 || hazy[1] == [false; 3] {
        return rated(Vec::new(), 0.7);
    }
    rated(regions(hazy), (0.4 + 0.1 * parts as f32).min(0.9))
}

fn texture(visible: &Grid) -> Vec<Place> {
    let parts = visible.ninths();
    let largest = parts
        .iter()
        .flatten()
        .map(|p| p.deviation)
        .fold(0.0, f32::max);
    if largest < 0.03 {
        return Vec::new();
    }
    regions(parts.map(|row| row.map(|part| part.deviation > 0.6 * largest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Picture, Size};

    const SIZE: Size = Size::new(320, 240);

    #[test]
    fn light_has_five_levels_and_is_less_sure_between_them() {
        let levels = [0.1, 0.3, 0.4, 0.6, 0.9].map(|mean| light(mean, 1.0).value);
        assert!(levels.is_sorted_by(|a, b| a < b), "{levels:?}");
        assert!(light(0.22, 1.0).confidence < light(0.1, 1.0).confidence);
    }

    /// `sky` above, `ground` below, and spots on it.
    fn street([sky, ground, spot]: [u8; 3]) -> Grid {
        let mut picture = Picture::grey(SIZE);
        for y in 0..SIZE.height {
            picture.row_mut(y).fill(if y < 100 { sky } else { ground });
            if (120..140).contains(&y) {
                for x in [30, 150, 270] {
                    picture.row_mut(y)[x..x + 20].fill(spot);
                }
            }
        }
        Grid::luma(&picture)
    }

    #[test]
    fn a_long_exposed_night_is_not_well_lit() {
        let lit = |grid: &Grid| light(grid.spread().mean, overhead(grid)).value;
        for gain in [1.0f32, 0.8] {
            // Pale all over, as a camera makes a night of it, and in whichever range.
            let street = |levels: [f32; 3]| street(levels.map(|level| (level * gain) as u8));
            assert_eq!(lit(&street([90.0, 150.0, 255.0])), Light::Uneven);
            assert_ne!(lit(&street([220.0, 130.0, 255.0])), Light::Uneven);
        }
        assert_eq!(lit(&street([10, 15, 255])), Light::Dark);
        assert_ne!(lit(&Grid::luma(&Picture::grey(SIZE))), Light::Uneven);
        assert!(light(0.5, 0.48).confidence < light(0.5, 0.2).confidence);
    }

    #[test]
    fn spots_glare_at_night_and_are_in_doubt_by_day() {
        let found = |sky, ground, by_day| glare(&street([sky, ground, 255]), by_day);
        assert!(found(60, 80, false).says(|places| places.len() == 3));
        let day = found(200, 80, true);
        assert!(day.value.len() == 3 && !day.says(|places| !places.is_empty()));
    }
}
