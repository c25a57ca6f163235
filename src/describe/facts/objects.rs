//! Things that a detector names in the visible picture, in words.

use serde::Serialize;

use super::words::{Place, column, count, list};

/// Groups that a sentence has room for.
const SAID: usize = 2;

/// A thing with a name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedObject {
    /// What it is, one of it: "person".
    pub class: &'static str,
    /// 0..=1.
    pub confidence: f32,
    /// Middle, share of the picture's width.
    pub x: f32,
    /// Middle, share of the picture's height.
    pub y: f32,
    /// Share of the picture that its box covers.
    pub area: f32,
}

impl NamedObject {
    /// Left, centre or right.
    pub fn place(&self) -> Place {
        column(self.x, 1)
    }
}

/// "two persons on the left and one car on the right": those that cover most; `None` of nothing.
pub(super) fn phrase(objects: &[NamedObject]) -> Option<String> {
    let mut groups: Vec<(&str, Place, usize, f32)> = Vec::new();
    for object in objects {
        let (class, place) = (object.class, object.place());
        match groups.iter_mut().find(|g| (g.0, g.1) == (class, place)) {
            Some(group) => (group.2, group.3) = (group.2 + 1, group.3 + object.area),
            None => groups.push((class, place, 1, object.area)),
        }
    }
    groups.sort_by(|a, b| b.3.total_cmp(&a.3));
    let said = groups.iter().take(SAID).map(|&(class, place, n, _)| {
        let name = if n == 1 {
            class.to_owned()
        } else {
            plural(class)
        };
        format!("{} {name} {}", count(n), place.phrase())
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| list(&said))
}

/// More than one of a class.
fn plural(class: &str) -> String {
    if let Some(of) = class.strip_prefix("pair ") {
        return format!("pairs {of}");
    }
    match class {
        "sheep" | "broccoli" => class.to_owned(),
        "mouse" => "mice".to_owned(),
        "knife" => "knives".to_owned(),
        _ if class.ends_with('s') || class.ends_with("ch") || class.ends_with("sh") => {
            format!("{class}es")
        }
        _ => format!("{class}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(class: &'static str, x: f32, area: f32) -> NamedObject {
        NamedObject {
            class,
            confidence: 0.9,
            x,
            y: 0.5,
            area,
        }
    }

    #[test]
    fn things_of_one_kind_in_one_third_are_named_together_the_largest_first() {
        assert_eq!(phrase(&[]), None);
        let all = [
            object("car", 0.9, 0.02),
            object("person", 0.1, 0.03),
            object("person", 0.2, 0.03),
            object("dog", 0.5, 0.001),
        ];
        let said = phrase(&all).unwrap();
        assert_eq!(said, "two persons on the left and one car on the right");
    }

    #[test]
    fn more_than_one_is_good_english() {
        for (one, more) in [
            ("person", "persons"),
            ("bus", "buses"),
            ("bench", "benches"),
            ("toothbrush", "toothbrushes"),
            ("wine glass", "wine glasses"),
            ("knife", "knives"),
            ("sheep", "sheep"),
            ("pair of skis", "pairs of skis"),
        ] {
            assert_eq!(plural(one), more);
        }
    }
}
