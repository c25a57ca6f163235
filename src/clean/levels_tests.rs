//! Levels: what each request does to a picture with that fault, and that none does nothing.

use super::*;
use crate::clean::follow::PACE;
use crate::frame::Size;

/// A ramp from `low` to `high` with a fine pattern on it.
fn ramp(low: f32, high: f32) -> Picture {
    let mut picture = Picture::grey(Size::new(256, 64));
    for y in 0..64 {
        for (x, v) in picture.row_mut(y).iter_mut().enumerate() {
            let share = (x + (y % 3)) as f32 / 258.0;
            *v = (255.0 * (low + share * (high - low))).round() as u8;
        }
    }
    picture
}

fn after(mut picture: Picture, wanted: LevelsWanted) -> LumaHistogram {
    Levels::of_picture(&picture, wanted).apply(&mut picture);
    LumaHistogram::of(&picture)
}

fn only(set: impl Fn(&mut LevelsWanted)) -> LevelsWanted {
    let mut wanted = LevelsWanted::default();
    set(&mut wanted);
    wanted
}

#[test]
fn nothing_asked_for_changes_nothing() {
    let picture = ramp(0.1, 0.7);
    let mut same = picture.clone();
    let levels = Levels::of_picture(&picture, LevelsWanted::default());
    levels.apply(&mut same);
    assert_eq!(levels, Levels::SAME);
    assert_eq!(picture.data(), same.data());
}

#[test]
fn a_dark_picture_reaches_white_and_keeps_its_black() {
    let found = after(ramp(0.0, 0.25), only(|w| w.brighten = 1.0));
    assert!(found.quantile(0.99) > 0.9, "{}", found.quantile(0.99));
    assert!(found.quantile(0.01) < 0.05);
    let half = after(ramp(0.0, 0.25), only(|w| w.brighten = 0.5));
    assert!(half.mean > 0.2 && half.mean < found.mean);
}

#[test]
fn a_lamp_does_not_keep_a_night_dark() {
    let mut night = ramp(0.02, 0.15);
    let white = night.data().len() / 30;
    night.data_mut()[..white].fill(255);
    let before = LumaHistogram::of(&night).mean;
    let found = after(night, only(|w| w.brighten = 1.0));
    assert!(found.mean > 1.7 * before, "{before} to {}", found.mean);
}

#[test]
fn a_well_exposed_picture_is_neither_brightened_nor_darkened_much() {
    let before = LumaHistogram::of(&ramp(0.0, 0.9)).mean;
    for wanted in [only(|w| w.brighten = 1.0), only(|w| w.darken = 1.0)] {
        let mean = after(ramp(0.0, 0.9), wanted).mean;
        assert!((mean - before).abs() < 0.05, "{before} to {mean}");
    }
}

#[test]
fn an_over_exposed_picture_gets_darker() {
    let found = after(ramp(0.6, 1.0), only(|w| w.darken = 1.0));
    assert!((found.mean - MEAN).abs() < 0.02, "{}", found.mean);
}

#[test]
fn haze_goes_and_nothing_is_clipped() {
    let found = after(ramp(0.6, 0.8), only(|w| w.dehaze = 1.0));
    assert!(found.deviation > 0.17, "{}", found.deviation);
    assert!((found.mean - MEAN).abs() < 0.02);
    assert!(found.clipped < 0.01);
}

#[test]
fn contrast_is_raised_about_the_mean() {
    let before = LumaHistogram::of(&ramp(0.4, 0.5));
    let found = after(ramp(0.4, 0.5), only(|w| w.contrast = 1.0));
    assert!((found.mean - before.mean).abs() < 0.01);
    assert!(found.deviation > 4.0 * before.deviation);
}

#[test]
fn noise_of_a_flat_picture_is_not_stretched_to_the_whole_range() {
    let found = after(ramp(0.5, 0.51), only(|w| w.contrast = 1.0));
    assert!(found.deviation < 0.02, "{}", found.deviation);
}

#[test]
fn two_requests_follow_each_other() {
    let both = LevelsWanted {
        dehaze: 1.0,
        brighten: 1.0,
        ..LevelsWanted::default()
    };
    let found = after(ramp(0.3, 0.4), both);
    assert!(found.quantile(0.99) > 0.9, "{}", found.quantile(0.99));
}

#[test]
fn a_video_has_its_levels_at_once_and_then_changes_slowly() {
    let dark = ramp(0.0, 0.2);
    let asked = only(|w| w.brighten = 1.0);
    let mut follower = LevelsFollower::default();
    let first = follower.follow(&dark, asked);
    assert_eq!(first, Levels::of_picture(&dark, asked));
    let mut before = first.gain;
    for _ in 0..150 {
        let now = follower.follow(&dark, LevelsWanted::default()).gain;
        assert!(now <= before && before - now <= PACE * before);
        before = now;
    }
    assert_eq!(before, 1.0);
    let mut follower = LevelsFollower::default();
    assert_eq!(
        follower.follow(&dark, LevelsWanted::default()),
        Levels::SAME
    );
    assert!(follower.follow(&dark, asked).gain < 1.5);
}

#[test]
fn the_rounded_form_is_the_formula() {
    for (gain, offset) in [(1.7, -0.2), (0.4, 0.1), (4.9, -2.0), (1.0, 0.3)] {
        let mut picture = Picture::grey(Size::new(256, 1));
        for (v, level) in picture.data_mut().iter_mut().zip(0u8..=255) {
            *v = level;
        }
        Levels { gain, offset }.apply(&mut picture);
        for (&v, level) in picture.data().iter().zip(0u8..) {
            let wanted = (gain * f32::from(level) + 255.0 * offset).clamp(0.0, 255.0);
            let error = (f32::from(v) - wanted).abs();
            assert!(error <= 1.0, "{gain} {offset} {level}: {v}, {wanted}");
        }
    }
}
