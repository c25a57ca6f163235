//! Which requests a pair needs, and what becomes of them.

use super::*;
use crate::align::AlignedPair;
use crate::clean::LevelsWanted;
use crate::describe::request::understand;
use crate::frame::{Picture, Size};
use proptest::prelude::*;

const SIZE: Size = Size::new(160, 120);

/// Squares of `low` and `high` luma.
fn board(low: u8, high: u8) -> Picture {
    let mut picture = Picture::grey(SIZE);
    for y in 0..SIZE.height {
        for (x, v) in picture.row_mut(y).iter_mut().enumerate() {
            *v = if (x / 8 + y / 8) % 2 == 0 { low } else { high };
        }
    }
    picture
}

fn plan_for(text: &str, task: Task, visible: (u8, u8)) -> Plan {
    let pair = AlignedPair::registered(board(40, 200), board(visible.0, visible.1));
    let facts = Facts::measure(task, &pair);
    Plan::new(&understand(text), &facts, &Need::measure(&pair, &facts))
}

fn plan(text: &str, visible: (u8, u8)) -> Plan {
    plan_for(text, Task::Ivf, visible)
}

const DARK: (u8, u8) = (5, 60);
const DAY: (u8, u8) = (60, 190);
const HAZY: (u8, u8) = (150, 180);
const WHITE: (u8, u8) = (120, 255);

#[test]
fn a_fault_is_mended_only_where_it_is_measured() {
    for (text, faulty) in [
        ("Brighten the picture.", DARK),
        ("Remove the haze.", HAZY),
        ("The visible image is over-exposed.", WHITE),
        ("Suppress the glare.", WHITE),
    ] {
        let (needed, spare) = (plan(text, faulty), plan(text, DAY));
        assert!(
            !needed.is_neutral() && needed.answers[0].accepted,
            "{text}: {needed:?}"
        );
        assert!(
            spare.is_neutral() && !spare.answers[0].accepted,
            "{text}: {spare:?}"
        );
        let reason = spare.answers[0].reason.as_deref().unwrap_or_default();
        assert!(reason.starts_with("not needed: the picture"), "{reason}");
    }
}

#[test]
fn the_network_reads_its_own_words() {
    let plan = plan("It's so dark, brighten it, and sharpen the edges.", DARK);
    let text = plan.text.unwrap();
    let end =
        "The visible image shows texture everywhere. The fused image should sharpen the edges.";
    assert!(text.ends_with(end), "{text}");
    assert!(text.starts_with("The infrared image shows "), "{text}");
    assert_eq!(plan.controls.levels[1].brighten, 0.9);
}

#[test]
fn levels_are_set_for_the_source_and_by_degree() {
    let levels = |text: &str, visible| plan(text, visible).controls.levels;
    assert_eq!(levels("Brighten it slightly.", DARK)[1].brighten, 0.4);
    assert_eq!(levels("Remove the haze.", HAZY)[1].dehaze, 0.9);
    assert_eq!(
        levels("The visible image is over-exposed.", WHITE)[1].darken,
        0.9
    );
    assert_eq!(
        levels("Brighten the picture.", DAY),
        [LevelsWanted::default(); 2]
    );
    let pair = AlignedPair::registered(board(100, 110), board(60, 190));
    let facts = Facts::measure(Task::Ivf, &pair);
    let need = Need::measure(&pair, &facts);
    let plan = Plan::new(&understand("Raise the infrared contrast."), &facts, &need);
    assert_eq!(plan.controls.levels[0].contrast, 0.9, "{plan:?}");
}

#[test]
fn a_description_mends_what_a_sensor_broke_and_no_more() {
    let described = |text: &str| {
        let pair = AlignedPair::registered(board(40, 200), board(5, 60));
        let facts = Facts::measure(Task::Ivf, &pair);
        let need = Need {
            noise: [true, false],
            ..Need::measure(&pair, &facts)
        };
        Plan::of_description(text, &facts, &need)
    };
    let plan = described(
        "The infrared image has strong vertical stripes and shows warm objects. The visible image is dark. \
         The fused image should suppress the noise of the infrared image and preserve the warm objects.",
    );
    assert_eq!(plan.text, None);
    assert_eq!(plan.controls.levels, [LevelsWanted::default(); 2]);
    assert_eq!(plan.controls.emphasis, None);
    assert!(plan.controls.denoise[0] > 0.0, "{plan:?}");
    assert!(described("The visible image is dark. Brighten it.").is_neutral());
}

#[test]
fn people_are_raised_beside_the_network_by_degree_and_place() {
    let strength = |text: &str| {
        plan(text, DAY)
            .controls
            .emphasis
            .map(|e| (e.strength, e.place))
    };
    assert_eq!(strength("Bring out the people."), Some((1.0, None)));
    assert_eq!(
        strength("Bring out the people slightly."),
        Some((0.5, None))
    );
    assert_eq!(
        strength("Strongly highlight the warm objects on the left."),
        Some((1.6, Some(Place::Left)))
    );
    let two = "Show people on the left and people on the right.";
    assert_eq!(strength(two), Some((1.0, None)));
    assert_eq!(plan("Bring out the people.", DAY).text, None);
    assert_eq!(strength("Do not show people."), None);
}

#[test]
fn a_missing_source_takes_no_request() {
    let mut pair = AlignedPair::registered(board(40, 200), board(5, 60));
    pair.has_infrared = false;
    let facts = Facts::measure(Task::Ivf, &pair);
    let plan = Plan::new(
        &understand("Bring out the people."),
        &facts,
        &Need::measure(&pair, &facts),
    );
    assert!(plan.is_neutral(), "{plan:?}");
}

#[test]
fn other_tasks_keep_their_neutral_sentence() {
    for task in [Task::Mif, Task::Mef, Task::Mff] {
        for text in [
            "Bring out the people.",
            "Brighten it.",
            "Sharpen the picture.",
            "Show the bone.",
        ] {
            let plan = plan_for(text, task, DARK);
            assert!(plan.is_neutral(), "{task:?} {text}: {plan:?}");
        }
    }
    assert!(plan_for("Highlight the bone.", Task::Mif, DAY).answers[0].accepted);
    assert!(!plan_for("Highlight the people.", Task::Mif, DAY).answers[0].accepted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_text_without_a_request_changes_nothing(text in ".{0,200}", dark in any::<bool>()) {
        let plan = plan(&text, if dark { DARK } else { DAY });
        prop_assert!(!plan.answers.is_empty() || plan.is_neutral());
        let controls = plan.controls;
        prop_assert!(controls.denoise.iter().all(|d| (0.0..=1.0).contains(d)));
        prop_assert!((0.0..=1.0).contains(&controls.sharpen));
        prop_assert!(controls.emphasis.is_none_or(|e| (0.0..=2.0).contains(&e.strength)));
    }

    #[test]
    fn words_of_requests_in_any_order_stay_within_bounds(
        words in prop::collection::vec(prop::sample::select(vec![
            "no", "not", "people", "haze", "remove", "show", "dark", "brighten", "keep", "the", "and",
            ",", ".", "strongly", "on the left", "too", "is", "image", "noise", "make", "but",
        ]), 0..14),
    ) {
        let plan = plan(&words.join(" "), DARK);
        prop_assert!(plan.text.as_ref().is_none_or(|t| t.starts_with("The infrared image ")));
        prop_assert!(plan.answers.len() <= 18);
    }
}
