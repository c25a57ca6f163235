//! Warm objects: outlines in the map of contrasts, joined where they are parts of one thing.
//!
//! Input: [`HeatMap`], the visible grid. Output: [`WarmObject`]s. Not its job: naming them; a post and a
//! person are both upright.

use serde::Serialize;

use super::blobs::{Blob, components};
use super::grid::Grid;
use super::heat_map::{HeatMap, Kind};
use super::words::{Place, column};

/// The way of an object, as the viewer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Motion {
    /// Where it was.
    Still,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// It grows.
    Approaching,
    /// It shrinks.
    Receding,
}

/// Most outlines looked at; a picture with more is clutter.
const MOST: usize = 64;
/// Cells below which an outline is noise, and below which it has no shape.
const NOISE: usize = 4;
const SHAPELESS: usize = 20;
/// Least difference to its sides, as a part of their light, that shows in the visible picture.
const SEEN: f32 = 0.075;
/// Least difference to either side of what stands apart, as a part of a core's threshold.
const APART: f32 = 0.6;
/// Where the mean of so many cells each way is so many kelvins colder than the ground, there is
/// sky, and so much of the thresholds suffices: a lit lamp is found, a lit window is not.
const SKY_RADIUS: usize = 3;
const SKY_COLDER: f32 = 8.0;
const SKY_SHARE: f32 = 0.65;
/// From here on something is called hot, degrees Celsius.
const HOT: f32 = 60.0;

/// Outline of a warm object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Clearly taller than wide, like a person.
    Upright,
    /// Clearly wider than tall, like a vehicle.
    Wide,
    /// Too few cells to have an outline.
    Small,
    /// None of these.
    Compact,
}

/// A guess from size and from where an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Distance {
    /// A third of the picture tall, or reaching its lower fifth.
    Near,
    /// Neither.
    Middle,
    /// Below a tenth of the picture tall and ending in its upper 60 %.
    Far,
}

/// One warm object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WarmObject {
    /// Left, top, right, bottom; parts of the picture, 0..=1.
    pub bounds: [f32; 4],
    /// Its outline.
    pub shape: Shape,
    /// Left, centre or right.
    pub place: Place,
    /// Near or far.
    pub distance: Distance,
    /// Of its warmest part, degrees Celsius, where the camera tells temperatures. What is hotter
    /// than the scale has the scale's end.
    pub celsius: Option<f32>,
    /// 60 degrees Celsius or more.
    pub hot: bool,
    /// It is colder on both sides, of which neither is the picture's edge: a thing, and no piece
    /// of a wall.
    pub apart: bool,
    /// The visible picture shows something there, too.
    pub in_visible: bool,
    /// Where it goes, once it was seen before.
    pub motion: Option<Motion>,
    /// That it is an object at all, 0..=1.
    pub confidence: f32,
}

impl WarmObject {
    /// Share of the picture, 0..=1.
    pub fn area(&self) -> f32 {
        let [left, top, right, bottom] = self.bounds;
        (right - left) * (bottom - top)
    }
}

/// The warm objects of a map, largest first. `visible` has the map's shape.
pub(super) fn find(map: &HeatMap<'_>, visible: &Grid) -> Vec<WarmObject> {
    let mut parts = outlines(map);
    if map.kind == Kind::Radiometric {
        join(&mut parts);
    }
    parts.retain(|p| p.cells >= NOISE);
    let clutter = parts.len() > 10 && map.kind != Kind::Radiometric;
    let mut found: Vec<WarmObject> = parts
        .iter()
        .map(|part| object(map, visible, part, clutter))
        .collect();
    if map.kind != Kind::Radiometric {
        // Specks beside real objects are clutter.
        let largest = parts.iter().map(|p| p.cells).max().unwrap_or(0);
        let mut cells = parts.iter().map(|p| p.cells);
        found.retain(|_| cells.next().is_some_and(|n| n * 7 >= largest));
    }
    found.sort_by(|a, b| b.area().total_cmp(&a.area()));
    found
}

/// Part of an object, or all of it; edges are inclusive cells.
#[derive(Debug, Clone, Copy)]
struct Part {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    cells: usize,
    /// Sum of its columns.
    columns: usize,
    /// Largest contrast and value.
    peak: f32,
    warmest: f32,
}

impl Part {
    fn width(&self) -> usize {
        self.right - self.left + 1
    }

    fn height(&self) -> usize {
        self.bottom - self.top + 1
    }

    fn is_upright(&self) -> bool {
        self.height() >= 8 && 10 * self.height() > 16 * self.width()
    }

    fn join(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
            cells: self.cells + other.cells,
            columns: self.columns + other.columns,
            peak: self.peak.max(other.peak),
            warmest: self.warmest.max(other.warmest),
        }
    }
}

/// Each warm core, grown to all round it that is a fifth as warm: a fire lights no meadow, and a
/// person keeps their legs. The warmest come first and own what they reach.
fn outlines(map: &HeatMap<'_>) -> Vec<Part> {
    let (grid, contrast) = (&map.grid, &map.contrast);
    let core = cores(map);
    let peak = |blob: &Blob| {
        let rows = blob.top..=blob.bottom;
        rows.flat_map(|y| (blob.left..=blob.right).map(move |x| (x, y)))
            .filter(|&(x, y)| core[y * grid.width + x])
            .map(|(x, y)| (contrast.at(x, y), (x, y)))
            .fold(
                (0.0, (blob.left, blob.top)),
                |a, b| if b.0 > a.0 { b } else { a },
            )
    };
    let mut cores: Vec<(f32, (usize, usize))> = components(grid, &core)
        .iter()
        .take(MOST)
        .map(peak)
        .collect();
    cores.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut free = vec![true; grid.values.len()];
    let mut found = Vec::new();
    for (peak, from) in cores {
        if free[from.1 * grid.width + from.0] {
            let level = map.scale.weak.max(map.scale.share * peak);
            found.push(grow(map, &mut free, from, level));
        }
    }
    found
}

/// The warmest part of each object. What is small and stands before the sky is warmer than it
/// looks, since the lens mixes it with what is round it: less is asked of it.
fn cores(map: &HeatMap<'_>) -> Vec<bool> {
    let around = map.grid.box_mean(SKY_RADIUS);
    let open = |around: f32| map.kind == Kind::Radiometric && map.ground - around > SKY_COLDER;
    let cells = map.grid.values.iter().zip(&map.contrast.values);
    cells
        .zip(&around.values)
        .map(|((&value, &contrast), &around)| {
            let ask = if open(around) { SKY_SHARE } else { 1.0 };
            value - map.ground > ask * map.scale.seed && contrast > ask * map.scale.local
        })
        .collect()
}

/// The connected cells above `level` round `from`, which are no longer free then.
fn grow(map: &HeatMap<'_>, free: &mut [bool], from: (usize, usize), level: f32) -> Part {
    let (w, h) = (map.grid.width, map.grid.height);
    let mut part = Part {
        left: from.0,
        top: from.1,
        right: from.0,
        bottom: from.1,
        cells: 0,
        columns: 0,
        peak: 0.0,
        warmest: f32::MIN,
    };
    let mut stack = vec![from];
    free[from.1 * w + from.0] = false;
    while let Some((x, y)) = stack.pop() {
        part.cells += 1;
        part.columns += x;
        (part.left, part.right) = (part.left.min(x), part.right.max(x));
        (part.top, part.bottom) = (part.top.min(y), part.bottom.max(y));
        part.peak = part.peak.max(map.contrast.at(x, y));
        part.warmest = part.warmest.max(map.grid.at(x, y));
        for v in y.saturating_sub(1)..(y + 2).min(h) {
            for u in x.saturating_sub(1)..(x + 2).min(w) {
                if free[v * w + u] && map.contrast.at(u, v) > level {
                    free[v * w + u] = false;
                    stack.push((u, v));
                }
            }
        }
    }
    part
}

/// Joins what is one thing: parts above each other (flames), and low parts side by side (the
/// wheels, lights and exhaust of a car). Upright parts stay apart: they are people.
fn join(parts: &mut Vec<Part>) {
    let mut i = 0;
    while i < parts.len() {
        match (0..i).find(|&j| belong(&parts[i], &parts[j])) {
            Some(j) => {
                parts[j] = parts[i].join(&parts[j]);
                parts.swap_remove(i);
                // The joined one may reach others now.
                i = j;
            }
            None => i += 1,
        }
    }
}

fn belong(a: &Part, b: &Part) -> bool {
    let gap = |from: usize, to: usize| from as i64 - to as i64 - 1;
    let across = gap(a.left.max(b.left), a.right.min(b.right));
    let down = gap(a.top.max(b.top), a.bottom.min(b.bottom));
    let narrower = a.width().min(b.width()) as i64;
    let (low, high) = (
        a.height().min(b.height()) as i64,
        a.height().max(b.height()) as i64,
    );
    if -across * 2 >= narrower && down <= (high / 3).max(4) {
        return true;
    }
    if a.is_upright() || b.is_upright() {
        return false;
    }
    let feet = a.bottom.abs_diff(b.bottom) as i64;
    down * 2 <= high
        && across <= (3 * low / 2).max(2)
        && feet <= high.max(2)
        && a.width().max(b.width()) < 60
}

fn object(map: &HeatMap<'_>, visible: &Grid, part: &Part, clutter: bool) -> WarmObject {
    let (w, h) = (map.grid.width as f32, map.grid.height as f32);
    let celsius = map.celsius(part.warmest.min(map.top()));
    WarmObject {
        bounds: [
            part.left as f32 / w,
            part.top as f32 / h,
            (part.right + 1) as f32 / w,
            (part.bottom + 1) as f32 / h,
        ],
        shape: shape(part),
        place: column(
            part.columns as f32 / part.cells as f32 + 0.5,
            map.grid.width,
        ),
        distance: distance(part, map.grid.height),
        celsius,
        hot: celsius.is_some_and(|c| c >= HOT),
        apart: is_apart(map, part),
        // Of a stretched picture an outline may be a part of something that is seen.
        in_visible: map.kind == Kind::Stretched || is_in_visible(visible, part),
        motion: None,
        confidence: confidence(map, part, clutter),
    }
}

fn shape(part: &Part) -> Shape {
    let (w, h) = (part.width() as f32, part.height() as f32);
    if part.cells < SHAPELESS {
        Shape::Small
    } else if h >= 1.5 * w {
        Shape::Upright
    } else if w >= 1.4 * h {
        Shape::Wide
    } else {
        Shape::Compact
    }
}

fn distance(part: &Part, height: usize) -> Distance {
    let tall = part.height() as f32 / height as f32;
    let foot = (part.bottom + 1) as f32 / height as f32;
    if tall >= 0.33 || (foot >= 0.8 && tall >= 0.1) {
        Distance::Near
    } else if tall < 0.1 && foot <= 0.6 {
        Distance::Far
    } else {
        Distance::Middle
    }
}

/// What speaks against an object: a ragged outline, a thin one, one that hangs from the top edge,
/// one as large as a wall, company in dozens, a source that was stretched.
fn confidence(map: &HeatMap<'_>, part: &Part, clutter: bool) -> f32 {
    let (w, h) = (part.width() as f32, part.height() as f32);
    let solidity = part.cells as f32 / (w * h);
    let mut trust = match map.kind {
        Kind::Radiometric => 0.95,
        Kind::Linear => 0.85,
        Kind::Stretched => 0.8,
    };
    if map.kind != Kind::Radiometric || part.cells >= SHAPELESS {
        trust *= ((solidity - 0.15) / 0.25).clamp(0.0, 1.0);
    }
    let against = [
        (w.max(h) > 5.0 * w.min(h), 0.6),
        (part.top == 0, 0.5),
        (
            w * h > 0.12 * (map.grid.width * map.grid.height) as f32,
            0.5,
        ),
        (w > 0.5 * map.grid.width as f32, 0.5),
        (clutter, 0.75),
        (part.cells < SHAPELESS && map.kind == Kind::Stretched, 0.6),
        (part.peak < 1.15 * map.scale.local, 0.8),
    ];
    for (is, factor) in against {
        if is {
            trust *= factor;
        }
    }
    trust
}

/// Most of it is warmer than most of a strip on each side.
fn is_apart(map: &HeatMap<'_>, part: &Part) -> bool {
    let grid = &map.grid;
    let margin = (part.width() / 2 + 1).clamp(2, 6);
    let most =
        |from: usize, to: usize| grid.part(from..to, part.top..part.bottom + 1).quantile(0.6);
    if part.left == 0 || part.right + 1 >= grid.width {
        return false;
    }
    let left = most(part.left.saturating_sub(margin), part.left);
    let right = most(part.right + 1, (part.right + 1 + margin).min(grid.width));
    most(part.left, part.right + 1) - left.max(right) > APART * map.scale.seed
}

/// Row by row, the visible picture is lighter or darker there than beside it, against how light
/// it is round about; a silhouette in the dark is seen, a shape in thick smoke is not.
fn is_in_visible(visible: &Grid, part: &Part) -> bool {
    if part.right >= visible.width || part.bottom >= visible.height {
        return true;
    }
    let margin = (part.width().max(part.height()) / 4).clamp(2, 6);
    let sides = [
        part.left.saturating_sub(margin)..part.left,
        part.right + 1..(part.right + 1 + margin).min(visible.width),
    ];
    let (mut differs, mut light) = (0.0, 0.0);
    for y in part.top..=part.bottom {
        let inside = visible.spread_in(part.left..part.right + 1, y..y + 1).mean;
        let cells: f32 = sides
            .iter()
            .flat_map(|side| side.clone().map(|x| visible.at(x, y)))
            .sum();
        let beside = cells / (sides[0].len() + sides[1].len()).max(1) as f32;
        differs += (inside - beside).abs();
        light += beside;
    }
    let rows = part.height() as f32;
    differs / rows > SEEN * (light / rows + 0.02)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::AlignedPair;
    use crate::frame::{Picture, Size};

    #[test]
    fn a_piece_of_a_wall_does_not_stand_apart() {
        let size = Size::new(160, 120);
        let mut picture = Picture::grey(size);
        picture.data_mut().fill(60);
        let apart = |picture: &Picture, left: usize| {
            let pair = AlignedPair::registered(picture.clone(), Picture::grey(size));
            let part = Part {
                left,
                top: 30,
                right: left + 9,
                bottom: 59,
                cells: 300,
                columns: 0,
                peak: 0.6,
                warmest: 0.9,
            };
            is_apart(&HeatMap::new(&pair), &part)
        };
        for y in 30..60 {
            picture.row_mut(y)[40..50].fill(220);
            picture.row_mut(y)[..10].fill(220);
        }
        assert!(apart(&picture, 40));
        assert!(
            !apart(&picture, 0),
            "what lies beyond the edge is not known"
        );
        for y in 30..60 {
            picture.row_mut(y)[50..80].fill(200);
        }
        assert!(!apart(&picture, 40));
    }
}
