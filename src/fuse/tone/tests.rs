use std::time::Duration;

use super::*;
use proptest::prelude::*;

const ON: ToneConfig = ToneConfig {
    mode: ToneMode::On,
    strength: 1.0,
};

fn at(frame: u64) -> Timestamp {
    Timestamp::ZERO.plus(Duration::from_micros(33_333 * frame))
}

/// A dim background with texture; noise-free, the same in each frame.
fn background(size: Size) -> Picture {
    let mut picture = Picture::grey(size);
    for y in 0..size.height {
        for (x, v) in picture.row_mut(y).iter_mut().enumerate() {
            let wave = (x * 7 + y * 13) % 64 + (x / 40 + y / 30) % 2 * 30;
            *v = 40 + wave as u8;
        }
    }
    picture
}

/// A hot square; `false` for the pixels that it covers.
fn with_object(picture: &Picture, left: usize, side: usize) -> (Picture, Vec<bool>) {
    let (mut with, size) = (picture.clone(), picture.size());
    let mut outside = vec![true; size.area()];
    for y in size.height / 4..(size.height / 4 + side).min(size.height) {
        for x in left.min(size.width)..(left + side).min(size.width) {
            with.row_mut(y)[x] = 250;
            outside[y * size.width + x] = false;
        }
    }
    (with, outside)
}

#[test]
fn auto_maps_infrared_visible_only_and_off_maps_nothing() {
    let size = Size::new(64, 64);
    let made = |mode, strength, task| {
        let config = ToneConfig { mode, strength };
        Tone::new(config, task, size).is_some()
    };
    for task in Task::ALL {
        assert!(!made(ToneMode::Off, 1.0, task));
        assert_eq!(made(ToneMode::Auto, 1.0, task), task == Task::Ivf);
        assert!(made(ToneMode::On, 0.5, task));
        assert!(!made(ToneMode::On, 0.0, task));
    }
    assert!(Tone::new(ToneConfig::OFF, Task::Ivf, size).is_none());
}

#[test]
fn contrast_rises_and_rises_with_strength() {
    let size = Size::new(320, 240);
    let plain = background(size);
    let deviation = |picture: &Picture| {
        let values = picture.data().iter().map(|&v| f64::from(v));
        let mean = values.clone().sum::<f64>() / size.area() as f64;
        (values.map(|v| (v - mean).powi(2)).sum::<f64>() / size.area() as f64).sqrt()
    };
    let mut last = deviation(&plain);
    for strength in [0.5, 1.0, 1.5] {
        let mut mapped = plain.clone();
        let config = ToneConfig { strength, ..ON };
        let mut tone = Tone::new(config, Task::Ivf, size).unwrap();
        tone.apply_alone(&mut mapped);
        assert!(deviation(&mapped) > last * 1.05);
        last = deviation(&mapped);
    }
}

#[test]
fn a_picture_by_itself_does_not_depend_on_those_before() {
    let size = Size::new(120, 90);
    let mut tone = Tone::new(ON, Task::Ivf, size).unwrap();
    let mut first = background(size);
    tone.apply_alone(&mut first);
    tone.apply_alone(&mut Picture::grey(Size::new(33, 50)));
    let mut again = background(size);
    tone.apply_alone(&mut again);
    assert_eq!(first, again);
}

#[test]
fn flat_pictures_stay_as_they_are() {
    let size = Size::new(40, 40);
    for level in [0, 1, 100, 254, 255] {
        let mut flat = Picture::from_data(size, 1, vec![level; size.area()]).unwrap();
        Tone::new(ON, Task::Ivf, size)
            .unwrap()
            .apply_alone(&mut flat);
        assert!(
            flat.data().iter().all(|v| v.abs_diff(level) <= 1),
            "{level}"
        );
    }
}

/// A hot object drives in and stays: the background may follow, but slowly and not far.
#[test]
#[expect(clippy::print_stderr, reason = "says what it measured")]
fn nothing_pumps_when_a_hot_object_enters() {
    let size = Size::new(320, 240);
    let plain = background(size);
    for side in [20, 60, 120] {
        let mut tone = Tone::new(ON, Task::Ivf, size).unwrap();
        let mut before: Option<(Picture, Vec<bool>)> = None;
        let mut first: Option<Picture> = None;
        let (mut most, mut drift) = (0.0_f64, 0.0_f64);
        for n in 0..150 {
            // Comes in at full size from frame 30 on, four pixels a frame, up to the middle.
            let left = size
                .width
                .saturating_sub(4 * (n as usize).saturating_sub(30));
            let (mut now, outside) = with_object(&plain, left.max(size.width / 2), side);
            tone.apply(&mut now, at(n), i32::MAX);
            if let (Some((last, seen)), Some(first)) = (&before, &first) {
                let both: Vec<bool> = seen.iter().zip(&outside).map(|(a, b)| *a && *b).collect();
                most = most.max(change(last, &now, &both));
                drift = drift.max(change(first, &now, &both));
            }
            first.get_or_insert_with(|| now.clone());
            before = Some((now, outside));
        }
        eprintln!(
            "object of {side} px: background changes by at most {most:.3} levels a frame, \
             {drift:.2} in all"
        );
        assert!(most < 1.0, "{most} levels in a frame");
        assert!(drift < 8.0, "{drift} levels in all");
    }
}

/// Mean absolute difference of the pixels marked.
fn change(a: &Picture, b: &Picture, where_: &[bool]) -> f64 {
    let pairs = a.data().iter().zip(b.data()).zip(where_);
    let (sum, n) = pairs
        .filter(|(_, marked)| **marked)
        .fold((0.0, 0.0), |(sum, n), ((a, b), _)| {
            (sum + f64::from(a.abs_diff(*b)), n + 1.0)
        });
    sum / n
}

#[test]
fn the_same_video_gives_the_same_bytes() {
    let size = Size::new(96, 64);
    let run = || {
        let mut tone = Tone::new(ON, Task::Ivf, size).unwrap();
        let mut all = Vec::new();
        for n in 0..20 {
            let (mut now, _) = with_object(&background(size), 90 - 3 * n, 30);
            tone.apply(&mut now, at(n as u64), i32::MAX);
            all.extend_from_slice(now.data());
        }
        all
    };
    assert_eq!(run(), run());
}

proptest! {
    #[test]
    fn no_pixel_changes_by_more_than_the_bound(
        width in 1_usize..80,
        height in 1_usize..80,
        strength in 0.01_f64..2.0,
        seed in any::<u32>(),
    ) {
        let size = Size::new(width, height);
        let mut picture = Picture::grey(size);
        let mut state = seed;
        for v in picture.data_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *v = (state >> 24) as u8;
        }
        let before = picture.clone();
        let config = ToneConfig { strength, ..ON };
        if let Some(mut tone) = Tone::new(config, Task::Ivf, size) {
            tone.apply_alone(&mut picture);
        }
        for (a, b) in before.data().iter().zip(picture.data()) {
            prop_assert!(a.abs_diff(*b) <= params::CHANGE_MAX);
        }
    }
}
