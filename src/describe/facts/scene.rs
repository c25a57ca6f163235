//! Infrared and visible: light, contrast, glare, haze; warm objects.

use serde::Serialize;

use super::blobs::{Blob, components};
use super::grid::Grid;
use super::words::{Place, count, list, places, regions};
use crate::align::AlignedPair;

/// How light the visible picture is; the limits are those of the training texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// Mean luma below 0.22.
    Dark,
    /// Below 0.42.
    Dim,
    /// From 0.42.
    WellLit,
}

/// Outline of a warm object. No more than that: a post and a person are both upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Clearly taller than wide.
    Upright,
    /// Clearly wider than tall.
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

/// Warm objects of one shape in one third of the picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WarmGroup {
    /// How many.
    pub count: usize,
    /// Their shape.
    pub shape: Shape,
    /// Left, centre or right.
    pub place: Place,
    /// Of the largest.
    pub distance: Distance,
    /// Share of the picture they cover, 0..=1.
    pub area: f32,
}

/// What the infrared and the visible picture show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SceneFacts {
    /// Both sources are there: infrared, visible.
    pub has: (bool, bool),
    /// Light of the visible picture.
    pub light: Light,
    /// The visible picture's luma deviates by less than 0.1.
    pub low_contrast: bool,
    /// Thirds with small saturated blobs.
    pub glare: Vec<Place>,
    /// The visible picture is flat and pale where the infrared one has structure.
    pub haze: bool,
    /// Where the visible picture has texture, by thirds; empty: nowhere.
    pub texture: Vec<Place>,
    /// The infrared picture's luma deviates by less than 0.05.
    pub infrared_flat: bool,
    /// Warm objects, those that cover most first.
    pub warm: Vec<WarmGroup>,
}

impl SceneFacts {
    pub(super) fn measure(pair: &AlignedPair) -> Self {
        let infrared = Grid::luma(&pair.infrared);
        let visible = Grid::luma(&pair.visible);
        let spread = visible.spread();
        Self {
            has: (pair.has_infrared, pair.has_visible),
            light: match spread.mean {
                mean if mean < 0.22 => Light::Dark,
                mean if mean < 0.42 => Light::Dim,
                _ => Light::WellLit,
            },
            low_contrast: spread.deviation < 0.1,
            glare: glare(&visible),
            haze: haze(&Grid::darkest_channel(&pair.visible), &visible, &infrared),
            texture: texture(&visible),
            infrared_flat: infrared.spread().deviation < 0.05,
            warm: warm_groups(&infrared),
        }
    }

    pub(super) fn sentences(&self) -> Vec<String> {
        vec![self.infrared_sentence(), self.visible_sentence()]
    }

    fn infrared_sentence(&self) -> String {
        if !self.has.0 {
            return "The infrared image is missing.".to_owned();
        }
        // Two groups fit the guidance; the others are the smaller ones.
        let groups: Vec<_> = self.warm.iter().take(2).map(WarmGroup::phrase).collect();
        if groups.is_empty() {
            let flat = if self.infrared_flat {
                " and has low contrast"
            } else {
                ""
            };
            return format!("The infrared image shows no warm objects{flat}.");
        }
        format!("The infrared image shows {}.", list(&groups))
    }

    fn visible_sentence(&self) -> String {
        if !self.has.1 {
            return "The visible image is missing.".to_owned();
        }
        let light = match self.light {
            Light::Dark => "is dark",
            Light::Dim => "is dim",
            Light::WellLit => "is well lit",
        };
        let mut parts = vec![light.to_owned()];
        if self.haze {
            parts.push("has haze".to_owned());
        } else if self.low_contrast {
            parts.push("has low contrast".to_owned());
        }
        if !self.glare.is_empty() {
            parts.push(format!("has glare {}", places(&self.glare)));
        }
        // One place is what the guidance's rows leave room for beside the warm objects.
        if self.glare.is_empty() && !self.texture.is_empty() {
            parts.push(format!("shows texture {}", places(&self.texture)));
        }
        format!("The visible image {}.", list(&parts))
    }
}

impl WarmGroup {
    /// "two warm upright objects on the left".
    fn phrase(&self) -> String {
        let shape = match self.shape {
            Shape::Upright => "upright ",
            Shape::Wide => "wide ",
            Shape::Small => "small ",
            Shape::Compact => "",
        };
        let s = if self.count == 1 { "" } else { "s" };
        let distance = match self.distance {
            Distance::Near => "nearby ",
            Distance::Middle => "",
            Distance::Far => "distant ",
        };
        format!(
            "{} {distance}warm {shape}object{s} {}",
            count(self.count),
            self.place.phrase()
        )
    }
}

/// Hot cells: nearer to the brightest than to the median, and above their surroundings, so that
/// a warm road or wall is ground and not an object. A threshold in units of scatter finds nothing
/// in the locally stretched pictures that many thermal cameras give.
fn warm_groups(infrared: &Grid) -> Vec<WarmGroup> {
    let median = infrared.quantile(0.5);
    let threshold = median + (0.55 * (infrared.quantile(0.995) - median)).max(0.15);
    let surroundings = infrared.box_mean(infrared.width.max(infrared.height) / 8);
    let mask: Vec<bool> = infrared
        .values
        .iter()
        .zip(&surroundings.values)
        .map(|(&v, &around)| v > threshold && v > around + 0.15)
        .collect();
    let cells = (infrared.width * infrared.height) as f32;
    let mut objects = components(infrared, &mask);
    objects.retain(|b| b.area >= 3 && (b.area as f32) < 0.15 * cells);
    // Specks beside real objects are clutter.
    let largest = objects.first().map_or(0, |b| b.area);
    objects.retain(|b| b.area * 7 >= largest);
    let mut groups: Vec<WarmGroup> = Vec::new();
    for blob in objects {
        let shape = shape(&blob);
        let place = Place::column(blob.x, infrared.width);
        let area = blob.area as f32 / cells;
        match groups
            .iter_mut()
            .find(|g| g.shape == shape && g.place == place)
        {
            Some(group) => {
                group.count += 1;
                group.area += area;
            }
            None => groups.push(WarmGroup {
                count: 1,
                shape,
                place,
                distance: distance(&blob, infrared.height),
                area,
            }),
        }
    }
    groups.sort_by(|a, b| b.area.total_cmp(&a.area));
    groups
}

fn shape(blob: &Blob) -> Shape {
    let (w, h) = (blob.width() as f32, blob.height() as f32);
    if blob.area < 9 {
        Shape::Small
    } else if h >= 1.5 * w {
        Shape::Upright
    } else if w >= 1.4 * h {
        Shape::Wide
    } else {
        Shape::Compact
    }
}

fn distance(blob: &Blob, height: usize) -> Distance {
    let tall = blob.height() as f32 / height as f32;
    let foot = (blob.bottom + 1) as f32 / height as f32;
    if tall >= 0.33 || (foot >= 0.8 && tall >= 0.1) {
        Distance::Near
    } else if tall < 0.1 && foot <= 0.6 {
        Distance::Far
    } else {
        Distance::Middle
    }
}

/// Thirds with saturated blobs that are small and lie in darker surroundings; a bright sky is
/// large, or touches the top, or shines through trees.
fn glare(visible: &Grid) -> Vec<Place> {
    let surroundings = visible.box_mean(visible.width.max(visible.height) / 8);
    let mask: Vec<bool> = visible.values.iter().map(|&v| v > 0.94).collect();
    let cells = (visible.width * visible.height) as f32;
    let mut found: Vec<Place> = components(visible, &mask)
        .iter()
        .filter(|b| b.area >= 3 && (b.area as f32) < 0.06 * cells && b.top > 0)
        .filter(|b| surroundings.at((b.left + b.right) / 2, (b.top + b.bottom) / 2) < 0.6)
        .map(|b| Place::column(b.x, visible.width))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A third of the parts pale (even their darkest colour), flat in the visible picture and
/// structured in the infrared one.
fn haze(darkest: &Grid, visible: &Grid, infrared: &Grid) -> bool {
    let (pale, flat, structured) = (darkest.ninths(), visible.ninths(), infrared.ninths());
    let hazy = (0..9)
        .filter(|i| {
            let (r, c) = (i / 3, i % 3);
            (0.35..0.9).contains(&pale[r][c].mean)
                && flat[r][c].deviation < 0.04
                && structured[r][c].deviation > 0.08
        })
        .count();
    hazy >= 3
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

    const SIZE: Size = Size::new(640, 480);

    fn scene() -> AlignedPair {
        let mut pair = AlignedPair::registered(Picture::grey(SIZE), Picture::rgb(SIZE));
        pair.infrared.data_mut().fill(60);
        pair.visible.data_mut().fill(20);
        pair
    }

    fn fill(picture: &mut Picture, (x, y): (usize, usize), (w, h): (usize, usize), value: u8) {
        let channels = picture.channels();
        for row in y..y + h {
            picture.row_mut(row)[x * channels..(x + w) * channels].fill(value);
        }
    }

    #[test]
    fn warm_objects_are_counted_placed_and_shaped() {
        let mut pair = scene();
        fill(&mut pair.infrared, (40, 150), (30, 110), 220);
        fill(&mut pair.infrared, (120, 160), (30, 100), 220);
        fill(&mut pair.infrared, (280, 300), (120, 60), 200);
        assert_eq!(
            SceneFacts::measure(&pair).sentences()[0],
            "The infrared image shows one warm wide object in the centre and two warm upright \
             objects on the left."
                .replace("  ", " ")
        );
    }

    #[test]
    fn a_warm_half_of_the_picture_is_no_object() {
        let mut pair = scene();
        fill(&mut pair.infrared, (0, 240), (640, 240), 180);
        assert_eq!(SceneFacts::measure(&pair).warm, []);
    }

    #[test]
    fn noise_is_no_object() {
        let mut pair = scene();
        for (i, v) in pair.infrared.data_mut().iter_mut().enumerate() {
            *v = 60 + ((i.wrapping_mul(2_654_435_761) >> 7) % 41) as u8;
        }
        assert_eq!(SceneFacts::measure(&pair).warm, []);
    }

    #[test]
    fn glare_is_small_and_saturated_and_a_sky_is_neither() {
        let mut pair = scene();
        fill(&mut pair.visible, (500, 200), (40, 40), 255);
        let facts = SceneFacts::measure(&pair);
        assert_eq!(
            (facts.light, &facts.glare[..]),
            (Light::Dark, &[Place::Right][..])
        );
        let mut pair = scene();
        fill(&mut pair.visible, (0, 0), (640, 200), 255);
        assert_eq!(SceneFacts::measure(&pair).glare, []);
    }

    #[test]
    fn a_flat_pale_picture_over_infrared_structure_is_hazy() {
        let mut pair = scene();
        pair.visible.data_mut().fill(150);
        for y in 0..480 {
            for x in 0..640 {
                pair.infrared.row_mut(y)[x] = if (x / 40 + y / 40) % 2 == 0 { 60 } else { 140 };
            }
        }
        assert!(SceneFacts::measure(&pair).haze);
        pair.infrared.data_mut().fill(60);
        assert!(!SceneFacts::measure(&pair).haze);
    }
}
