//! What changed in a scene between the first and the last looks of some seconds.
//!
//! Input: looks in the order of time. Output: [`Change`]s. Fewer than four looks tell nothing. Not its job:
//! keeping looks. Only what all first looks and all last looks agree on is a change: an outline that comes
//! and goes is none.

use serde::Serialize;

use super::warm::{Shape, WarmObject};
use super::words::{Place, count};
use super::{Facts, SAY, SceneFacts};

/// Looks at each end that have to agree: one alone may be wrong.
const AGREE: usize = 2;
/// In the order in which they are told.
const PLACES: [Place; 3] = [Place::Left, Place::Centre, Place::Right];

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// An object that was not there.
    Appeared,
    /// An object that is no longer there.
    Left,
    /// An object in another third of the picture.
    Moved,
    /// An object of 60 degrees Celsius or more where none was so warm.
    Hot,
    /// The visible picture is lighter or darker.
    Light,
}

/// A change, in words without a capital letter and a full stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its kind.
    pub event: ChangeKind,
    /// "one warm upright object appeared on the left".
    pub text: String,
}

/// The changes from the first of `looks` to the last; what came before what went.
pub(in crate::describe) fn changes(looks: &[&Facts]) -> Vec<Change> {
    let scenes: Vec<&SceneFacts> = looks
        .iter()
        .filter_map(|facts| match facts {
            Facts::Ivf(scene) if scene.has == (true, true) => Some(scene),
            _ => None,
        })
        .collect();
    if scenes.len() < 2 * AGREE {
        return Vec::new();
    }
    let (before, after) = (&scenes[..AGREE], &scenes[scenes.len() - AGREE..]);
    let mut found = Vec::new();
    // Parts of a stretched picture come and go with its range: they are no events.
    if !scenes.iter().any(|scene| scene.stretched) {
        found.extend(objects(before, after));
        found.extend(hot(before, after));
    }
    found.extend(light(before, after));
    found
}

fn is_sure(object: &WarmObject) -> bool {
    object.confidence > SAY && object.shape != Shape::Small
}

fn at(scene: &SceneFacts, place: Place) -> impl Iterator<Item = &WarmObject> {
    let sure = scene.warm.iter().filter(|o| is_sure(o));
    sure.filter(move |o| o.place == place)
}

/// The least and the most objects at a place.
fn span(scenes: &[&SceneFacts], place: Place) -> (usize, usize) {
    let counts = scenes.iter().map(|scene| at(scene, place).count());
    let least = counts.clone().min().unwrap_or(0);
    (least, counts.max().unwrap_or(0))
}

fn objects(before: &[&SceneFacts], after: &[&SceneFacts]) -> Vec<Change> {
    let spans = PLACES.map(|place| (span(before, place), span(after, place)));
    let mut came = spans.map(|((_, most), (least, _))| least.saturating_sub(most));
    let mut went = spans.map(|((least, _), (_, most))| least.saturating_sub(most));
    let mut found = Vec::new();
    for to in 0..PLACES.len() {
        // From the nearest third first.
        let mut others: Vec<usize> = (0..PLACES.len()).filter(|&from| from != to).collect();
        others.sort_by_key(|from| from.abs_diff(to));
        for from in others {
            let moved = came[to].min(went[from]);
            if moved > 0 {
                came[to] -= moved;
                went[from] -= moved;
                let (from, to) = (PLACES[from], PLACES[to]);
                found.push(Change {
                    event: ChangeKind::Moved,
                    text: format!(
                        "{} moved from {} to {}",
                        name(moved, after, to),
                        noun(from),
                        noun(to)
                    ),
                });
            }
        }
    }
    for (i, place) in PLACES.into_iter().enumerate() {
        if came[i] > 0 {
            found.push(Change {
                event: ChangeKind::Appeared,
                text: format!(
                    "{} appeared {}",
                    name(came[i], after, place),
                    place.phrase()
                ),
            });
        }
        if went[i] > 0 {
            let verb = if went[i] == 1 { "is" } else { "are" };
            found.push(Change {
                event: ChangeKind::Left,
                text: format!(
                    "{} {} {verb} gone",
                    name(went[i], before, place),
                    place.phrase()
                ),
            });
        }
    }
    found
}

/// "two warm upright objects", by what all at the place are.
fn name(number: usize, scenes: &[&SceneFacts], place: Place) -> String {
    let all = |test: &dyn Fn(&WarmObject) -> bool| {
        let mut objects = scenes.iter().flat_map(|scene| at(scene, place)).peekable();
        objects.peek().is_some() && objects.all(test)
    };
    let shape = if all(&|o| o.shape == Shape::Upright) {
        "upright "
    } else if all(&|o| o.shape == Shape::Wide) {
        "wide "
    } else {
        ""
    };
    format!(
        "{} {} {shape}object{}",
        count(number),
        if all(&|o| o.hot) { "hot" } else { "warm" },
        if number == 1 { "" } else { "s" }
    )
}

const fn noun(place: Place) -> &'static str {
    match place {
        Place::Left => "the left",
        Place::Centre => "the centre",
        Place::Right => "the right",
        Place::Top => "the top",
        Place::Bottom => "the bottom",
    }
}

/// As many objects as before, of which one is hot now.
fn hot(before: &[&SceneFacts], after: &[&SceneFacts]) -> Option<Change> {
    let is_hot = |scene: &&SceneFacts, place| at(scene, place).any(|o| o.hot);
    let place = PLACES.into_iter().find(|&place| {
        span(before, place) == span(after, place)
            && !before.iter().any(|scene| is_hot(scene, place))
            && after.iter().all(|scene| is_hot(scene, place))
    })?;
    Some(Change {
        event: ChangeKind::Hot,
        text: format!("one object {} became hot", place.phrase()),
    })
}

fn light(before: &[&SceneFacts], after: &[&SceneFacts]) -> Option<Change> {
    let agreed = |scenes: &[&SceneFacts]| {
        let light = scenes.first()?.visible.light.value;
        let same = |s: &&SceneFacts| s.visible.light.says(|l| *l == light);
        scenes.iter().all(same).then_some(light)
    };
    let (from, to) = (agreed(before)?, agreed(after)?);
    (from != to).then(|| Change {
        event: ChangeKind::Light,
        text: format!("the light changed from {} to {}", from.word(), to.word()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Distance;
    use super::super::light::Light;
    use super::*;
    use crate::align::AlignedPair;
    use crate::config::Task;
    use crate::frame::{Picture, Size};

    fn look(objects: &[(Place, Shape, bool)], light: Light) -> Facts {
        let size = Size::new(32, 32);
        let pair = AlignedPair::registered(Picture::grey(size), Picture::rgb(size));
        let Facts::Ivf(mut scene) = Facts::measure(Task::Ivf, &pair) else {
            panic!("another task");
        };
        scene.stretched = false;
        scene.visible.light.value = light;
        scene.visible.light.confidence = 0.9;
        scene.warm = objects
            .iter()
            .map(|&(place, shape, hot)| WarmObject {
                bounds: [0.0, 0.0, 0.1, 0.2],
                shape,
                place,
                distance: Distance::Middle,
                celsius: None,
                hot,
                apart: true,
                in_visible: true,
                motion: None,
                confidence: 0.9,
            })
            .collect();
        Facts::Ivf(scene)
    }

    const PERSON: (Place, Shape, bool) = (Place::Left, Shape::Upright, false);
    const CAR: (Place, Shape, bool) = (Place::Right, Shape::Wide, false);

    fn between(before: &[(Place, Shape, bool)], after: &[(Place, Shape, bool)]) -> Vec<String> {
        let (a, b) = (look(before, Light::Dark), look(after, Light::Dark));
        let all = changes(&[&a, &a, &b, &b]);
        all.into_iter().map(|c| c.text).collect()
    }

    #[test]
    fn what_came_went_moved_and_became_hot_is_told() {
        assert_eq!(
            between(&[], &[PERSON, PERSON]),
            ["two warm upright objects appeared on the left"]
        );
        assert_eq!(
            between(&[CAR], &[]),
            ["one warm wide object on the right is gone"]
        );
        let there = (Place::Centre, Shape::Upright, false);
        assert_eq!(
            between(&[PERSON, CAR], &[there, CAR]),
            ["one warm upright object moved from the left to the centre"]
        );
        let burning = (Place::Right, Shape::Wide, true);
        assert_eq!(
            between(&[CAR], &[burning]),
            ["one object on the right became hot"]
        );
        assert_eq!(
            between(&[], &[burning]),
            ["one hot wide object appeared on the right"]
        );
        assert!(between(&[PERSON, CAR], &[PERSON, CAR]).is_empty());
        // An outline that looks different now is the same thing.
        let turned = (Place::Right, Shape::Compact, false);
        assert!(between(&[CAR], &[turned]).is_empty());
    }

    #[test]
    fn objects_of_a_stretched_picture_are_no_events() {
        let stretched = |objects: &[_], light| {
            let Facts::Ivf(mut scene) = look(objects, light) else {
                panic!("another task");
            };
            scene.stretched = true;
            Facts::Ivf(scene)
        };
        let (a, b) = (
            stretched(&[], Light::Dark),
            stretched(&[PERSON], Light::Bright),
        );
        let told = changes(&[&a, &a, &b, &b]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].event, ChangeKind::Light);
    }

    #[test]
    fn light_changes_where_it_is_sure() {
        let (dark, lit) = (look(&[], Light::Dark), look(&[], Light::WellLit));
        let told = changes(&[&dark, &dark, &lit, &lit]);
        assert_eq!(told[0].event, ChangeKind::Light);
        assert_eq!(told[0].text, "the light changed from dark to well lit");
        assert!(changes(&[&dark, &lit, &dark, &lit]).is_empty());
    }

    #[test]
    fn what_comes_and_goes_is_no_change_and_three_looks_tell_nothing() {
        let (none, one) = (look(&[], Light::Dark), look(&[PERSON], Light::Dark));
        assert!(changes(&[&none, &none, &one]).is_empty());
        assert!(changes(&[&none, &one, &none, &one]).is_empty());
        assert!(changes(&[&one, &none, &one, &one]).is_empty());
        assert_eq!(changes(&[&none, &none, &one, &one]).len(), 1);
        let speck = look(&[(Place::Left, Shape::Small, false)], Light::Dark);
        assert!(changes(&[&none, &none, &speck, &speck]).is_empty());
    }
}
