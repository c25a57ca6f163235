use std::ops::Range;

use super::params::{DETAIL_CHANGE, DIM, LIFT};
use super::*;
use proptest::prelude::*;

const SIZE: Size = Size::new(320, 240);

fn wanted(strength: f32, place: Option<Place>) -> Emphasis {
    Emphasis { strength, place }
}

fn at(frame: u64) -> Timestamp {
    Timestamp::ZERO.plus(Duration::from_millis(40 * frame))
}

/// Noise of some levels, other in each frame.
fn grain(x: usize, y: usize, frame: u64) -> i32 {
    let mut z = (x as u64) << 40 ^ (y as u64) << 20 ^ frame ^ 0x9E37_79B9_7F4A_7C15;
    for _ in 0..2 {
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    }
    (z >> 61) as i32 - 4
}

fn scene(size: Size, level: impl Fn(usize, usize) -> i32) -> Picture {
    let mut picture = Picture::grey(size);
    for y in 0..size.height {
        for (x, v) in picture.row_mut(y).iter_mut().enumerate() {
            *v = level(x, y).clamp(0, 255) as u8;
        }
    }
    picture
}

fn within(x: usize, y: usize, columns: &Range<usize>, rows: &Range<usize>) -> bool {
    columns.contains(&x) && rows.contains(&y)
}

/// A person of 14 x 40 pixels at these columns.
fn person(left: usize) -> (Range<usize>, Range<usize>) {
    (left..left + 14, 100..140)
}

/// Infrared: persons at some places on a cool ground with a warm wall over the whole left edge.
fn thermal(people: &[usize], frame: u64) -> Picture {
    scene(SIZE, |x, y| {
        let wall = within(x, y, &(0..90), &(0..90));
        let is_person = people.iter().any(|&left| {
            let (columns, rows) = person(left);
            within(x, y, &columns, &rows)
        });
        let level = match (is_person, wall) {
            (true, _) => 190,
            (false, true) => 200,
            _ => 60,
        };
        level + grain(x, y, frame)
    })
}

/// Fused luma that shows little of them.
fn fused(frame: u64) -> Picture {
    scene(SIZE, |x, y| 100 + grain(x, y, frame + 1000))
}

fn mean(picture: &Picture, columns: &Range<usize>, rows: &Range<usize>) -> f64 {
    let pixels = rows
        .clone()
        .flat_map(|y| picture.row(y)[columns.clone()].iter());
    let count = columns.len() * rows.len();
    pixels.map(|&v| f64::from(v)).sum::<f64>() / count as f64
}

/// Change of the mean of an area by an emphasis of a picture by itself.
fn change(
    infrared: &Picture,
    emphasis: Emphasis,
    areas: &[(Range<usize>, Range<usize>)],
) -> Vec<f64> {
    let (before, mut after) = (fused(0), fused(0));
    Emphasiser::new(SIZE).apply_alone(infrared, &mut after, emphasis);
    areas
        .iter()
        .map(|(columns, rows)| mean(&after, columns, rows) - mean(&before, columns, rows))
        .collect()
}

#[test]
fn a_person_is_raised_and_a_wall_is_not() {
    let infrared = thermal(&[200], 0);
    let near = (188..196, 105..135);
    let areas = [person(200), near, (4..86, 4..86), (240..310, 10..230)];
    let found = change(&infrared, wanted(1.0, None), &areas);
    assert!(found[0] > 30.0, "the person: {}", found[0]);
    assert!(found[1] < -10.0, "right around: {}", found[1]);
    assert!(found[2].abs() < 0.5, "the wall: {}", found[2]);
    assert!(found[3].abs() < 0.2, "far away: {}", found[3]);
}

#[test]
fn a_faint_person_of_another_camera_is_raised() {
    // Low contrast as of a camera without AGC; a hot background, of which a person differs little.
    for (ground, body) in [(30, 52), (150, 185)] {
        let (columns, rows) = person(150);
        let infrared = scene(SIZE, |x, y| {
            let warm = within(x, y, &columns, &rows);
            if warm {
                body
            } else {
                ground + grain(x, y, 0) / 2
            }
        });
        let areas = [(columns.clone(), rows.clone()), (10..90, 10..90)];
        let found = change(&infrared, wanted(1.0, None), &areas);
        assert!(found[0] > 20.0, "{ground}, {body}: {}", found[0]);
        assert!(found[1].abs() < 0.2, "{ground}, {body}: {}", found[1]);
    }
}

#[test]
fn grain_alone_is_no_target() {
    let infrared = scene(SIZE, |x, y| 80 + grain(x, y, 3));
    let found = change(&infrared, wanted(2.0, None), &[(0..320, 0..240)]);
    assert!(found[0].abs() < 0.1, "{}", found[0]);
}

#[test]
fn more_strength_raises_more() {
    let infrared = thermal(&[200], 0);
    let raised = [0.25, 0.5, 1.0, 1.6, 2.0].map(|s| {
        let found = change(
            &infrared,
            wanted(s, None),
            &[person(200), (188..196, 105..135)],
        );
        found[0] - found[1]
    });
    assert!(raised.windows(2).all(|w| w[1] > w[0] + 4.0), "{raised:?}");
}

#[test]
fn a_place_is_respected() {
    let (left, right) = (person(40), person(270));
    let infrared = thermal(&[40, 150, 270], 0);
    let areas = [left, person(150), right];
    for (place, own) in [(Place::Left, 0), (Place::Centre, 1), (Place::Right, 2)] {
        let found = change(&infrared, wanted(1.0, Some(place)), &areas);
        for (i, &change) in found.iter().enumerate() {
            assert_eq!(i == own, change > 30.0, "{place:?}: {found:?}");
            assert!(i == own || change.abs() < 0.5, "{place:?}: {found:?}");
        }
    }
    let rows = change(&infrared, wanted(1.0, Some(Place::Top)), &areas);
    assert!(rows.iter().all(|c| c.abs() < 0.5), "{rows:?}");
}

#[test]
fn a_person_at_the_border_of_a_place_is_raised_as_a_whole() {
    // The third ends at 106.7.
    let (columns, rows) = person(100);
    let halves = [
        (columns.start..107, rows.clone()),
        (107..columns.end, rows.clone()),
    ];
    let infrared = thermal(&[100], 0);
    let found = change(&infrared, wanted(1.0, Some(Place::Left)), &halves);
    assert!(found[1] > 0.8 * found[0], "{found:?}");
}

#[test]
fn without_strength_no_byte_changes() {
    let infrared = thermal(&[200], 0);
    let mut emphasiser = Emphasiser::new(SIZE);
    let mut picture = fused(0);
    for strength in [0.0, -1.0, f32::NAN] {
        emphasiser.apply_alone(&infrared, &mut picture, wanted(strength, None));
        for frame in 0..30 {
            let none = (frame % 2 == 0).then_some(wanted(strength, None));
            emphasiser.apply(&infrared, &mut picture, none, at(frame));
        }
    }
    assert_eq!(picture, fused(0));
}

#[test]
fn pictures_of_another_size_are_left_as_they_are() {
    let infrared = thermal(&[200], 0);
    let mut small = Picture::grey(Size::new(64, 48));
    let before = small.clone();
    Emphasiser::new(SIZE).apply_alone(&infrared, &mut small, wanted(1.0, None));
    assert_eq!(small, before);
    let mut empty = Picture::grey(Size::new(0, 0));
    let none = empty.clone();
    Emphasiser::new(empty.size()).apply_alone(&none, &mut empty, wanted(1.0, None));
}

#[test]
fn in_video_the_strength_comes_and_goes_little_by_little() {
    let infrared = thermal(&[200], 0);
    let (columns, rows) = person(200);
    let mut emphasiser = Emphasiser::new(SIZE);
    let mut last = mean(&fused(0), &columns, &rows);
    let (plain, mut highest) = (last, last);
    for frame in 0..60 {
        let mut picture = fused(0);
        let wish = (frame < 30).then_some(wanted(1.0, None));
        emphasiser.apply(&infrared, &mut picture, wish, at(frame));
        let now = mean(&picture, &columns, &rows);
        assert!((now - last).abs() < 6.0, "frame {frame}: {last} to {now}");
        highest = highest.max(now);
        if frame == 15 {
            assert!(now > plain + 30.0, "there after half a second: {now}");
        }
        last = now;
    }
    assert!(
        highest > plain + 30.0 && last == plain,
        "{plain} {highest} {last}"
    );
}

#[test]
fn a_steady_scene_does_not_flicker_beyond_its_sources() {
    // Grain in both sources; after the fade.
    let (columns, rows) = person(200);
    let mut emphasiser = Emphasiser::new(SIZE);
    let mut before: Option<[Picture; 2]> = None;
    let (mut own, mut source) = (0.0, 0.0);
    let mut means = Vec::new();
    for frame in 0..60 {
        let infrared = thermal(&[200], frame);
        let mut picture = fused(frame);
        emphasiser.apply(&infrared, &mut picture, Some(wanted(1.0, None)), at(frame));
        if frame < 30 {
            continue;
        }
        means.push(mean(&picture, &columns, &rows));
        if let Some([last, last_infrared]) = &before {
            let moved = |now: &Picture, last: &Picture| {
                let pairs = now.data().iter().zip(last.data());
                pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>()
            };
            own += moved(&picture, last);
            source += moved(&infrared, last_infrared);
        }
        before = Some([picture, infrared]);
    }
    assert!(own < 1.05 * source, "{own} beside {source}");
    let (low, high) = means
        .iter()
        .fold((f64::MAX, 0.0_f64), |(l, h), &m| (l.min(m), h.max(m)));
    assert!(high - low < 2.0, "the person's mean: {low} to {high}");
}

#[test]
fn a_frozen_infrared_picture_is_emphasised_the_same() {
    let infrared = thermal(&[200], 0);
    let mut emphasiser = Emphasiser::new(SIZE);
    let frames: Vec<Picture> = (0..60)
        .map(|frame| {
            let mut picture = fused(0);
            emphasiser.apply(&infrared, &mut picture, Some(wanted(1.0, None)), at(frame));
            picture
        })
        .collect();
    assert_eq!(frames[50], frames[59]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_picture_stays_within_the_bound(
        width in 1_usize..70,
        height in 1_usize..50,
        seed in 0_u64..1000,
        strength in -1.0_f32..3.0,
        place in 0_usize..6,
    ) {
        let size = Size::new(width, height);
        let places = [Place::Left, Place::Centre, Place::Right, Place::Top, Place::Bottom];
        let any = |salt: u64| scene(size, |x, y| {
            128 + grain(x / 5, y / 7, seed + salt) * 32 + grain(x, y, seed + salt) * 8
        });
        let (infrared, before) = (any(0), any(500));
        let mut after = before.clone();
        let emphasis = wanted(strength, places.get(place).copied());
        Emphasiser::new(size).apply_alone(&infrared, &mut after, emphasis);
        let most = 2 * (LIFT.max(DIM)) + DETAIL_CHANGE + 1;
        for (a, b) in after.data().iter().zip(before.data()) {
            prop_assert!(i32::from(a.abs_diff(*b)) <= most);
        }
        if strength <= 0.0 {
            prop_assert_eq!(after, before);
        }
    }
}
