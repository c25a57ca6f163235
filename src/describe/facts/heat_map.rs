//! The infrared picture as a grid of contrasts: how much warmer a cell is than what is round it.
//!
//! Input: [`AlignedPair`]. Output: [`HeatMap`]. Not its job: objects.
//!
//! Three kinds of source, from good to poor: counts that are temperatures, counts, and a grey
//! picture that somebody has stretched. Thresholds are kelvins for the first and parts of the
//! picture's own range for the others; only the first tells how warm something is.

use super::grid::Grid;
use super::words::{Place, regions};
use crate::align::{AlignedPair, Heat};

/// Cells along the longer side: a person of ten pixels in a 160-pixel camera keeps its outline.
pub(super) const CELLS: usize = 160;

/// What the infrared values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Counts that are temperatures; values are kelvins.
    Radiometric,
    /// Counts; values are parts of their range.
    Linear,
    /// Grey after a range mapping that nobody told us.
    Stretched,
}

/// Thresholds, in the map's unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Above the ground: the warmest part of an object.
    pub seed: f32,
    /// Above what is round it: the same.
    pub local: f32,
    /// Above what is round it: the least of an object.
    pub weak: f32,
    /// Surroundings colder than the ground by this count as no colder, ...
    cold: f32,
    /// Part of its largest contrast that belongs to an object.
    pub share: f32,
    /// ... and warmer by this as no warmer.
    warm: f32,
}

/// Contrasts, and the scale they are measured by.
#[derive(Debug)]
pub(super) struct HeatMap<'a> {
    /// Kelvins, or 0..=1.
    pub grid: Grid,
    /// Above the surroundings.
    pub contrast: Grid,
    /// The ground's value.
    pub ground: f32,
    pub kind: Kind,
    pub scale: Scale,
    heat: &'a Heat,
}

impl<'a> HeatMap<'a> {
    pub fn new(pair: &'a AlignedPair) -> Self {
        let heat = &pair.heat;
        let kind = match (heat.is_there, heat.kelvin) {
            (false, _) => Kind::Stretched,
            (true, None) => Kind::Linear,
            (true, Some(_)) => Kind::Radiometric,
        };
        let picture = if heat.is_there {
            &heat.picture
        } else {
            &pair.infrared
        };
        let mut grid = Grid::luma_in(picture, CELLS);
        if kind == Kind::Radiometric {
            let kelvin = 255.0 * heat.step * heat.kelvin.unwrap_or(0.0);
            grid.values.iter_mut().for_each(|v| *v *= kelvin);
        }
        let ground = ground(&grid);
        let scale = scale(&grid, kind);
        let mut contrast = contrast(&grid, ground, scale);
        if !pair.is_covered {
            let coverage = Grid::luma_in(&pair.coverage, CELLS);
            for (value, covered) in contrast.values.iter_mut().zip(&coverage.values) {
                if *covered < 0.9 {
                    *value = 0.0;
                }
            }
        }
        Self {
            grid,
            contrast,
            ground,
            kind,
            scale,
            heat,
        }
    }

    /// Degrees Celsius of a value of the grid, where values are temperatures.
    pub fn celsius(&self, value: f32) -> Option<f32> {
        if self.kind != Kind::Radiometric {
            return None;
        }
        let per_grey = self.heat.step * self.heat.kelvin?;
        self.heat.celsius(value / per_grey)
    }

    /// Where much is warm, by thirds; empty: nowhere.
    pub fn warm_areas(&self) -> Vec<Place> {
        let least = self.ground.max(self.grid.quantile(0.5)) + 0.6 * self.scale.seed;
        let warm = Grid {
            width: self.grid.width,
            height: self.grid.height,
            values: self
                .grid
                .values
                .iter()
                .map(|v| f32::from(u8::from(*v > least)))
                .collect(),
        };
        let parts = warm.ninths();
        let most = parts.iter().flatten().map(|p| p.mean).fold(0.0, f32::max);
        if most < 0.05 {
            return Vec::new();
        }
        regions(parts.map(|row| row.map(|part| part.mean > 0.6 * most)))
    }

    /// The largest value that the scale does not cut.
    pub fn top(&self) -> f32 {
        match self.kind {
            Kind::Radiometric => 254.0 * self.heat.step * self.heat.kelvin.unwrap_or(0.0),
            Kind::Linear | Kind::Stretched => 1.0,
        }
    }
}

/// The 40 % quantile of the lower half, where people and cars are the exception.
fn ground(grid: &Grid) -> f32 {
    let lower = grid.part(0..grid.width, grid.height / 2..grid.height);
    lower.quantile(0.4)
}

fn scale(grid: &Grid, kind: Kind) -> Scale {
    if kind == Kind::Radiometric {
        return Scale {
            seed: 8.0,
            local: 7.2,
            weak: 2.5,
            cold: 2.0,
            share: 0.22,
            warm: 6.0,
        };
    }
    let median = grid.quantile(0.5);
    let unit = (0.55 * (grid.quantile(0.995) - median)).max(0.15);
    Scale {
        seed: unit,
        local: 0.9 * unit,
        // A stretched wall is nearly as white as a person: less than this would join everything.
        weak: 0.7 * unit,
        cold: 0.25 * unit,
        share: 0.5,
        warm: 0.75 * unit,
    }
}

/// Each cell less the warmest of: the ground, the rest of its row, its neighbourhood. A house
/// before a cold sky stands out from its neighbourhood's mean, and from nothing else.
fn contrast(grid: &Grid, ground: f32, scale: Scale) -> Grid {
    let mut clipped = grid.clone();
    for value in &mut clipped.values {
        *value = value.clamp(ground - scale.cold, ground + scale.warm);
    }
    let around = clipped.box_mean(grid.width.max(grid.height) / 16);
    let mut values = Vec::with_capacity(grid.values.len());
    for y in 0..grid.height {
        let row = grid.part(0..grid.width, y..y + 1);
        let least = row.quantile(0.4).max(ground);
        values.extend((0..grid.width).map(|x| grid.at(x, y) - around.at(x, y).max(least)));
    }
    Grid {
        width: grid.width,
        height: grid.height,
        values,
    }
}
