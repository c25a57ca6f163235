//! What the facts say of 200 frames of the synthetic scene with random people and cars, against
//! what is truly there: number, place, kind; and against motion and visibility.
//!
//! Too small to be asked for, and no error where it is found: what covers less than 24 thermal
//! pixels, but for the lamp.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where something is not as it must be, and says what it measured"
)]

use filmd::acquire::SyntheticScene;
use filmd::acquire::synthetic::{INFRARED, PixelBox, TruthKind, TruthObject, VISIBLE};
use filmd::align::{AlignedPair, Aligner, CountsAligner};
use filmd::config::Task;
use filmd::describe::{Facts, Motion, SceneFacts, Shape, WarmObject};
use filmd::frame::{Frame, FramePair, Pool};

const FPS: f64 = 30.0;
/// Visible pixels: where a found middle may lie beside the true outline.
const SLACK: f32 = 8.0;

/// Renders, aligns and measures frames.
struct Bench {
    scene: SyntheticScene,
    aligner: Aligner,
    counts: CountsAligner,
    infrared: Pool<Frame>,
    visible: Pool<Frame>,
}

impl Bench {
    fn new(seed: u64, fire: bool) -> Self {
        let aligner = Aligner::new(&SyntheticScene::calibration(), None, VISIBLE).unwrap();
        Self {
            scene: SyntheticScene::random(seed, FPS, fire),
            counts: aligner.for_counts(),
            aligner,
            infrared: Pool::new(1, || Frame::new(INFRARED, 1, true)),
            visible: Pool::new(1, || Frame::new(VISIBLE, 3, false)),
        }
    }

    fn pair(&mut self, number: u64) -> AlignedPair {
        let mut infrared = self.infrared.take().unwrap();
        let mut visible = self.visible.take().unwrap();
        self.scene.render_infrared(number, &mut infrared);
        self.scene.render_visible(number, &mut visible);
        let frames = FramePair {
            infrared: Some(infrared.share()),
            visible: Some(visible.share()),
            ..FramePair::default()
        };
        let mut pair = AlignedPair::new(VISIBLE);
        self.aligner.align(&frames, &mut pair);
        self.aligner.keep_counts(&frames, &mut pair.heat);
        self.counts.align(&mut pair.heat);
        pair
    }

    fn facts(&mut self, number: u64) -> SceneFacts {
        match Facts::measure(Task::Ivf, &self.pair(number)) {
            Facts::Ivf(facts) => facts,
            other => panic!("{other:?}"),
        }
    }
}

fn outline(object: &TruthObject) -> PixelBox {
    object.visible_box.unwrap()
}

/// Has to be found; the rest may be.
fn is_asked(object: &TruthObject) -> bool {
    let Some(found) = object.infrared_box else {
        return false;
    };
    object.kind == TruthKind::Lamp
        || (found.right - found.left) * (found.bottom - found.top) >= 24.0
}

fn middle(object: &WarmObject) -> f32 {
    (object.bounds[0] + object.bounds[2]) / 2.0 * VISIBLE.width as f32
}

fn is_at(object: &WarmObject, truth: &PixelBox) -> bool {
    let (top, bottom) = (
        object.bounds[1] * VISIBLE.height as f32,
        object.bounds[3] * VISIBLE.height as f32,
    );
    let across = truth.left - SLACK..=truth.right + SLACK;
    across.contains(&middle(object)) && top < truth.bottom + SLACK && bottom > truth.top - SLACK
}

fn column(x: f32) -> usize {
    (x * 3.0 / VISIBLE.width as f32) as usize
}

/// A quarter of the outline lies in the third: who stands across a border is in both.
fn reaches(place: &PixelBox, third: usize) -> bool {
    let width = VISIBLE.width as f32 / 3.0;
    let (left, right) = (third as f32 * width, (third + 1) as f32 * width);
    let inside = place.right.min(right) - place.left.max(left);
    inside >= 0.25 * (place.right - place.left)
}

/// Shapes that the kind may have, seen from afar or from near.
fn may_look(kind: TruthKind, shape: Shape) -> bool {
    match kind {
        TruthKind::Person => matches!(shape, Shape::Upright | Shape::Small),
        TruthKind::Vehicle => matches!(shape, Shape::Wide | Shape::Compact | Shape::Small),
        TruthKind::Fire => matches!(shape, Shape::Upright | Shape::Compact),
        TruthKind::Lamp => shape == Shape::Small,
    }
}

#[derive(Debug, Default)]
struct Score {
    frames: u32,
    counted: u32,
    placed: u32,
    /// By the third that holds the true middle alone.
    strictly: u32,
    objects: u32,
    found: u32,
    shaped: u32,
    invented: u32,
    hidden_right: u32,
    hidden: u32,
}

impl Score {
    /// One frame: each true object has exactly one found one, and nothing is left over.
    fn add(&mut self, name: &str, facts: &SceneFacts, truth: &[TruthObject]) {
        let said: Vec<&WarmObject> = facts.warm.iter().filter(|o| o.confidence >= 0.5).collect();
        let mut free = vec![true; said.len()];
        let (mut counted, mut placed, mut strictly) = (true, true, true);
        for object in truth.iter().filter(|o| o.visible_box.is_some()) {
            let place = outline(object);
            let found = (0..said.len()).find(|&i| free[i] && is_at(said[i], &place));
            self.objects += u32::from(is_asked(object));
            let Some(i) = found else {
                if is_asked(object) {
                    eprintln!("{name}: not found: {:?} {place:?}", object.kind);
                    (counted, placed, strictly) = (false, false, false);
                }
                continue;
            };
            free[i] = false;
            self.found += u32::from(is_asked(object));
            let third = said[i].place as usize;
            strictly &= column((place.left + place.right) / 2.0) == third;
            if !reaches(&place, third) {
                eprintln!(
                    "{name}: {:?} {place:?} said {:?}",
                    object.kind, said[i].place
                );
                placed = false;
            }
            if may_look(object.kind, said[i].shape) {
                self.shaped += 1;
            } else {
                eprintln!("{name}: {:?} called {:?}", object.kind, said[i]);
            }
            if object.kind == TruthKind::Person {
                self.hidden += u32::from(!said[i].in_visible);
                self.hidden_right += u32::from(!object.seen_in_visible && !said[i].in_visible);
            }
        }
        for (object, free) in said.iter().zip(free) {
            if free {
                eprintln!("{name}: invented {object:?}");
                self.invented += 1;
                counted = false;
            }
        }
        self.frames += 1;
        self.counted += u32::from(counted);
        self.placed += u32::from(placed);
        self.strictly += u32::from(strictly);
    }
}

/// The middles of `episodes` episodes of each scene (seed, with a fire).
fn score(scenes: &[(u64, bool)], episodes: u64) -> Score {
    let mut score = Score::default();
    for &(seed, fire) in scenes {
        let mut bench = Bench::new(seed, fire);
        for episode in 0..episodes {
            let number = bench.scene.middle(episode);
            let facts = bench.facts(number);
            let truth = bench.scene.truth(number).objects;
            score.add(&format!("seed {seed}, frame {number}"), &facts, &truth);
        }
    }
    eprintln!(
        "{} frames: counts right in {}, places in {} (by the middle alone {}); {} of {} objects found, {} invented, shape \
         as its kind {} times; people said to be hidden from the visible picture are {} of {} times",
        score.frames,
        score.counted,
        score.placed,
        score.strictly,
        score.found,
        score.objects,
        score.invented,
        score.shaped,
        score.hidden_right,
        score.hidden,
    );
    score
}

#[test]
fn counts_and_places_are_right_and_nothing_is_invented() {
    let score = score(&[(7, true), (11, false)], 100);
    assert_eq!(score.frames, 200);
    assert!(score.counted >= 190 && score.placed >= 190);
    assert_eq!(score.invented, 0);
    assert!(score.hidden_right * 10 >= score.hidden * 8 && score.hidden > 10);
}

/// Scenes that no threshold was ever tuned on (those from 20261124 on were: before, the lamp was
/// missed against a cold sky, and counts were right in 167 frames of 200). `FILMD_SEED=N` measures
/// those from N on.
#[test]
fn the_same_holds_on_scenes_that_nothing_was_tuned_on() {
    let first = std::env::var("FILMD_SEED").map_or(424_242, |n| n.parse().unwrap());
    let scenes: Vec<(u64, bool)> = (first..first + 20).map(|s| (s, s % 2 == 0)).collect();
    let score = score(&scenes, 10);
    assert_eq!(score.frames, 200);
    assert!(score.counted >= 190 && score.placed >= 190);
    // A car of which two parts are too far apart to be joined is said to be two objects: one in
    // about 200 frames.
    assert!(score.invented <= 1, "{}", score.invented);
}

#[test]
fn walkers_go_where_they_are_said_to_go() {
    let (mut right, mut wrong, mut silent) = (0, 0, 0);
    let mut bench = Bench::new(7, false);
    for episode in 0..60 {
        let number = bench.scene.middle(episode);
        let before = Facts::Ivf(bench.facts(number - 20));
        let mut now = Facts::Ivf(bench.facts(number));
        now.follow(&before, 20.0 / FPS as f32);
        let Facts::Ivf(now) = now else { unreachable!() };
        let moment = bench.scene.moment(number);
        let truth = bench.scene.truth(number).objects;
        for (person, object) in moment.people().iter().zip(&truth) {
            let place = outline(object);
            let Some(found) = now.warm.iter().find(|o| is_at(o, &place)) else {
                continue;
            };
            let expected = if person.heading > 0.0 {
                Motion::Right
            } else {
                Motion::Left
            };
            match found.motion {
                Some(motion) if motion == expected => right += 1,
                Some(Motion::Still) | None => silent += 1,
                Some(_) => wrong += 1,
            }
        }
    }
    eprintln!("walkers: {right} right, {wrong} wrong, {silent} not said");
    assert!(right >= 9 * (right + wrong) / 10 && right > 60);
}

#[test]
fn temperatures_are_near_the_truth() {
    let mut bench = Bench::new(7, true);
    let mut checked = 0;
    for episode in 0..30 {
        let number = bench.scene.middle(episode);
        let facts = bench.facts(number);
        for object in bench.scene.truth(number).objects {
            let place = outline(&object);
            let near = |o: &&WarmObject| is_at(o, &place);
            let Some(found) = facts.warm.iter().find(near) else {
                continue;
            };
            let celsius = found.celsius.unwrap();
            match object.kind {
                // The lens spreads a far head over its neighbours: colder, never hotter.
                TruthKind::Person => assert!((12.0..36.0).contains(&celsius), "{found:?}"),
                TruthKind::Fire => assert!(found.hot, "{found:?}"),
                TruthKind::Vehicle | TruthKind::Lamp => continue,
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}
