use super::*;

const SIZE: Size = Size {
    width: 240,
    height: 180,
};

/// Blobs and edges of many sizes, seen through a motion and an exposure.
fn scene(motion: Motion, gain: f64) -> Picture {
    let mut picture = Picture::grey(SIZE);
    let mut state = 7u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    let blobs: Vec<[f64; 4]> = (0..60)
        .map(|_| {
            [
                random() * 300.0 - 150.0,
                random() * 240.0 - 120.0,
                4.0 + random() * 22.0,
                random() * 120.0 - 50.0,
            ]
        })
        .collect();
    for y in 0..SIZE.height {
        for x in 0..SIZE.width {
            // The point of the scene that this pixel of the moved picture shows.
            let (mut u, mut v) = (x as f64 - 119.5, y as f64 - 89.5);
            (u, v) = (u - motion.shift.0, v - motion.shift.1);
            let (sin, cos) = (-motion.turn).to_radians().sin_cos();
            (u, v) = (
                (cos * u - sin * v) / motion.scale,
                (sin * u + cos * v) / motion.scale,
            );
            let mut light = 70.0 + 0.2 * u;
            for [bx, by, radius, height] in &blobs {
                let d = (u - bx).hypot(v - by);
                light += height / (1.0 + ((d - radius) / 0.8).exp());
            }
            picture.row_mut(y)[x] = (light * gain).clamp(0.0, 255.0).round() as u8;
        }
    }
    picture
}

#[test]
fn a_bracket_is_aligned_whatever_its_exposures() {
    let reference = scene(Motion::NONE, 1.0);
    for (dx, dy, turn, scale) in [
        (6.0, 8.0, 0.0, 1.0),
        (-11.0, 3.5, 1.5, 1.0),
        (2.0, -1.0, 0.0, 1.03),
        (-17.0, 12.0, -2.0, 0.98),
    ] {
        let motion = Motion {
            shift: (dx, dy),
            turn,
            scale,
        };
        for gain in [0.3, 1.0, 2.2] {
            let other = scene(motion, gain);
            let Found::Moved(found) = find(&reference, &other) else {
                panic!("{motion:?} at {gain}: {:?}", find(&reference, &other));
            };
            let off = Motion {
                shift: (found.shift.0 - dx, found.shift.1 - dy),
                turn: found.turn - turn,
                scale: 1.0 + found.scale - scale,
            };
            assert!(off.reach(SIZE) < 0.9, "{motion:?} at {gain}: {found:?}");
        }
    }
}

#[test]
fn pictures_that_lie_over_each_other_are_left() {
    let reference = scene(Motion::NONE, 1.0);
    for gain in [0.3, 1.0, 2.2] {
        assert_eq!(find(&reference, &scene(Motion::NONE, gain)), Found::Still);
    }
    let flat = Picture::grey(SIZE);
    assert!(!matches!(find(&flat, &flat), Found::Moved(_)));
    for (w, h) in [(1, 1), (3, 500), (40, 2)] {
        let small = Picture::grey(Size::new(w, h));
        assert!(!matches!(find(&small, &small), Found::Moved(_)));
    }
}

#[test]
fn pictures_of_other_things_are_not_moved() {
    let mut other = scene(Motion::NONE, 1.0);
    other.data_mut().reverse();
    let found = find(&scene(Motion::NONE, 1.0), &other);
    assert!(matches!(found, Found::Unsure(_)), "{found:?}");
}

#[test]
fn the_moved_picture_lies_over_the_reference_to_its_edges() {
    let reference = scene(Motion::NONE, 1.0);
    let motion = Motion {
        shift: (7.0, -5.0),
        turn: 1.0,
        scale: 1.02,
    };
    let back = moved(&scene(motion, 0.5), &reference, motion);
    let expected = scene(Motion::NONE, 0.5);
    let off = back.data().iter().zip(expected.data());
    let mean = off.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / SIZE.area() as f64;
    assert!(mean < 1.0, "{mean}");
}
