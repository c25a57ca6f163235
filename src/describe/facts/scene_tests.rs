use super::super::words::fit;
use super::*;
use crate::describe::Light;
use crate::frame::{Picture, Size};

const SIZE: Size = Size::new(640, 480);

fn scene() -> AlignedPair {
    let mut pair = AlignedPair::registered(Picture::grey(SIZE), Picture::rgb(SIZE));
    pair.infrared.data_mut().fill(60);
    pair.visible.data_mut().fill(20);
    pair
}

/// The same with counts, which nobody stretched.
fn counted(mut pair: AlignedPair) -> AlignedPair {
    pair.heat.is_there = true;
    pair.heat.picture = pair.infrared.clone();
    pair
}

fn fill(picture: &mut Picture, (x, y): (usize, usize), (w, h): (usize, usize), value: u8) {
    let channels = picture.channels();
    for row in y..y + h {
        picture.row_mut(row)[x * channels..(x + w) * channels].fill(value);
    }
}

fn text(facts: &SceneFacts) -> String {
    fit(&facts.sentences(), 99).join(" ")
}

#[test]
fn warm_objects_are_counted_placed_and_shaped() {
    let mut pair = scene();
    fill(&mut pair.infrared, (40, 150), (30, 110), 220);
    fill(&mut pair.infrared, (120, 160), (30, 100), 220);
    fill(&mut pair.infrared, (280, 300), (120, 60), 200);
    let said = text(&SceneFacts::measure(&counted(pair)));
    assert!(
        said.starts_with(
            "The infrared image shows one warm wide object in the centre and two warm upright \
             objects on the left."
        ),
        "{said}"
    );
}

#[test]
fn of_a_stretched_picture_nothing_is_counted() {
    let begins = |pair: &AlignedPair, with: &str| {
        let said = text(&SceneFacts::measure(pair));
        assert!(said.starts_with(with), "{said}");
        // Whether the visible picture hides anything, a stretched picture does not tell.
        assert!(!said.contains("hides"), "{said}");
    };
    let mut pair = scene();
    begins(
        &pair,
        "The infrared image shows no warm objects that stand out and has low contrast.",
    );
    fill(&mut pair.infrared, (40, 150), (30, 110), 220);
    begins(
        &pair,
        "The infrared image shows a warm upright object on the left.",
    );
    fill(&mut pair.infrared, (540, 160), (30, 100), 220);
    fill(&mut pair.infrared, (280, 300), (120, 60), 200);
    begins(
        &pair,
        "The infrared image shows warm upright objects on the left and on the right and warm \
         areas in the centre.",
    );
    fill(&mut pair.infrared, (40, 150), (600, 120), 60);
    fill(&mut pair.infrared, (280, 300), (120, 60), 200);
    begins(&pair, "The infrared image shows warm areas in the centre.");
}

#[test]
fn a_warm_half_of_the_picture_is_no_object() {
    let mut pair = scene();
    fill(&mut pair.infrared, (0, 240), (640, 240), 180);
    assert_eq!(SceneFacts::measure(&pair).groups(), []);
}

#[test]
fn noise_is_no_object() {
    let mut pair = scene();
    for (i, v) in pair.infrared.data_mut().iter_mut().enumerate() {
        *v = 60 + ((i.wrapping_mul(2_654_435_761) >> 7) % 41) as u8;
    }
    assert_eq!(SceneFacts::measure(&pair).groups(), []);
}

#[test]
fn glare_is_small_and_saturated_and_a_sky_is_neither() {
    let mut pair = scene();
    fill(&mut pair.visible, (500, 200), (40, 40), 255);
    let facts = SceneFacts::measure(&pair).visible;
    assert_eq!(
        (facts.light.value, &facts.glare.value[..]),
        (Light::Dark, &[Place::Right][..])
    );
    let mut pair = scene();
    fill(&mut pair.visible, (0, 0), (640, 200), 255);
    assert_eq!(SceneFacts::measure(&pair).visible.glare.value, []);
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
    assert_eq!(SceneFacts::measure(&pair).visible.haze.value.len(), 3);
    // A road is flat and pale, too, and nothing hides behind it.
    for y in 0..320 {
        for x in 0..640 {
            pair.visible.row_mut(y)[x * 3..][..3].fill((x % 200) as u8);
        }
    }
    assert_eq!(SceneFacts::measure(&pair).visible.haze.value, []);
    pair.visible.data_mut().fill(150);
    pair.infrared.data_mut().fill(60);
    assert!(SceneFacts::measure(&pair).visible.haze.value.is_empty());
}
