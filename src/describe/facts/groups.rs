//! Warm objects that a sentence names together: of one kind, in one third of the picture.

use serde::Serialize;

use super::warm::Motion;
use super::warm::{Distance, Shape, WarmObject};
use super::words::{Place, count};

/// Warm objects of one shape in one third of the picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// How many.
    pub count: usize,
    /// Of these, how many the visible picture does not show.
    pub hidden: usize,
    /// Their shape.
    pub shape: Shape,
    /// Left, centre or right.
    pub place: Place,
    /// Of all of them; `Middle` where they differ.
    pub distance: Distance,
    /// All are hot.
    pub hot: bool,
    /// Of all of them; `None` where they differ, or nobody knows.
    pub motion: Option<Motion>,
    /// Share of the picture they cover, 0..=1.
    pub area: f32,
}

/// The groups, those that cover most first.
pub(super) fn groups<'a>(objects: impl Iterator<Item = &'a WarmObject>) -> Vec<Group> {
    let mut found: Vec<Group> = Vec::new();
    for object in objects {
        let same = |g: &&mut Group| {
            g.shape == object.shape && g.place == object.place && g.hot == object.hot
        };
        let hidden = usize::from(!object.in_visible);
        match found.iter_mut().find(same) {
            Some(group) => {
                group.count += 1;
                group.hidden += hidden;
                group.area += object.area();
                if group.distance != object.distance {
                    group.distance = Distance::Middle;
                }
                if group.motion != object.motion {
                    group.motion = None;
                }
            }
            None => found.push(Group {
                count: 1,
                hidden,
                shape: object.shape,
                place: object.place,
                distance: object.distance,
                hot: object.hot,
                motion: object.motion,
                area: object.area(),
            }),
        }
    }
    found.sort_by(|a, b| b.area.total_cmp(&a.area));
    found
}

impl Group {
    /// "two warm upright objects on the left"; `detailed` adds near or far, and the motion.
    pub fn phrase(&self, detailed: bool) -> String {
        let shape = match self.shape {
            Shape::Upright => "upright ",
            Shape::Wide => "wide ",
            Shape::Small => "small ",
            Shape::Compact => "",
        };
        let distance = match self.distance {
            _ if !detailed => "",
            Distance::Near => "nearby ",
            Distance::Middle => "",
            Distance::Far => "distant ",
        };
        let motion = match self.motion {
            Some(Motion::Left) if detailed => " moving left",
            Some(Motion::Right) if detailed => " moving right",
            Some(Motion::Approaching) if detailed => " approaching",
            Some(Motion::Receding) if detailed => " moving away",
            _ => "",
        };
        format!(
            "{} {distance}{} {shape}object{}{motion} {}",
            count(self.count),
            if self.hot { "hot" } else { "warm" },
            if self.count == 1 { "" } else { "s" },
            self.place.phrase()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(shape: Shape, place: Place, motion: Option<Motion>) -> WarmObject {
        WarmObject {
            bounds: [0.0, 0.0, 0.1, 0.2],
            shape,
            place,
            distance: Distance::Far,
            celsius: None,
            hot: false,
            apart: true,
            in_visible: true,
            motion,
            confidence: 1.0,
        }
    }

    #[test]
    fn equals_are_counted_and_differences_are_not_said() {
        let objects = [
            object(Shape::Upright, Place::Left, Some(Motion::Left)),
            object(Shape::Upright, Place::Left, Some(Motion::Right)),
            object(Shape::Wide, Place::Left, Some(Motion::Approaching)),
        ];
        let said: Vec<String> = groups(objects.iter())
            .iter()
            .map(|g| g.phrase(true))
            .collect();
        assert_eq!(
            said,
            [
                "two distant warm upright objects on the left",
                "one distant warm wide object approaching on the left"
            ]
        );
        assert_eq!(
            groups(objects[2..].iter())[0].phrase(false),
            "one warm wide object on the left"
        );
    }
}
