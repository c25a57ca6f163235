use super::*;
use proptest::prelude::*;

use crate::config::Task;
use crate::describe::{Origin, TokenFeatures};

/// Four rows of two features, as many used as given.
fn guidance(task: Task, rows: &[[f32; 2]]) -> Guidance {
    let features = TokenFeatures {
        rows: rows.len(),
        dim: 2,
        values: rows.concat(),
    };
    Guidance::new(&features, (4, 2), "", Origin::User, task).unwrap()
}

fn at(ms: u64) -> Timestamp {
    Timestamp::ZERO.plus(Duration::from_millis(ms))
}

const SIZE: Size = Size::new(16, 16);

fn fade() -> GuidanceFade {
    GuidanceFade::new(Duration::from_secs(1), SIZE)
}

/// A step, and the values that the frame is fused with.
fn step(fade: &mut GuidanceFade, wanted: &Guidance, at: Timestamp) -> Vec<f32> {
    fade.step(wanted, at);
    written(&fade.shown(wanted))
}

fn written(shown: &EffectiveGuidance<'_>) -> Vec<f32> {
    let (rows, dim) = shown.shape();
    let mut values = vec![9.0; rows * dim];
    shown.write(&mut values);
    values
}

/// Frame after frame of a picture that answers to the first value with `slope` levels a unit,
/// until the guidance is `wanted`; the values shown.
fn run(
    fade: &mut GuidanceFade,
    wanted: &Guidance,
    ms: std::ops::Range<u64>,
    slope: f32,
) -> Vec<Vec<f32>> {
    let mut shown = Vec::new();
    for now in ms.step_by(20) {
        let values = step(fade, wanted, at(now));
        let level = 20.0 + values[0] * slope;
        let mut fused = Picture::from_data(SIZE, 1, vec![level as u8; SIZE.area()]).unwrap();
        let source = Picture::grey(SIZE);
        fade.look([&source, &source]);
        fade.observe([[&source, &source]; 2], &mut fused);
        shown.push(values);
    }
    shown
}

#[test]
fn the_first_guidance_is_taken_at_once() {
    let a = guidance(Task::Ivf, &[[1.0, 2.0]]);
    assert_eq!(step(&mut fade(), &a, at(500)), a.values());
}

#[test]
fn a_new_one_takes_over_in_its_time_and_then_holds_exactly() {
    let (a, b) = (
        guidance(Task::Ivf, &[[0.0, 2.0], [1.0, 1.0]]),
        guidance(Task::Ivf, &[[4.0, -2.0], [3.0, 0.1]]),
    );
    let mut fade = fade();
    fade.step(&a, at(0));
    let shown = run(&mut fade, &b, 100..3000, 1.0);
    assert_eq!(shown[0], a.values(), "the fade begins where it was");
    assert!(shown.windows(2).all(|two| two[1][0] >= two[0][0]));
    // Steps grow until time is the limit: 20 ms of a second.
    let largest = shown.windows(2).map(|two| two[1][0] - two[0][0]);
    assert!((largest.fold(0.0, f32::max) - 4.0 * 0.02).abs() < 1e-5);
    let arrived = shown.iter().position(|v| v == b.values()).unwrap();
    assert!((50..60).contains(&arrived), "{arrived} frames of 20 ms");
    assert!(shown[arrived..].iter().all(|v| v == b.values()));
    // Both rows go the same part of the way; unused ones stay unused.
    for v in &shown {
        assert!((v[0] / 4.0 - (v[2] - 1.0) / 2.0).abs() < 1e-5 && v[4..] == [0.0; 4]);
    }
}

#[test]
fn where_the_picture_answers_strongly_the_fade_is_slower() {
    let (a, b) = (
        guidance(Task::Ivf, &[[0.0, 1.0]]),
        guidance(Task::Ivf, &[[1.0, 1.0]]),
    );
    let mut fade = fade();
    fade.step(&a, at(0));
    let shown = run(&mut fade, &b, 0..8000, 120.0);
    let change = shown.windows(2).map(|two| (two[1][0] - two[0][0]) * 120.0);
    let largest = change.fold(0.0, f32::max);
    assert!(largest > 0.5 && largest < 2.0, "{largest} levels a frame");
    assert_eq!(shown.last().unwrap(), b.values());
}

/// A text of as many rows as `most`, each of `dim` values, as many used as given.
fn text(rows: &[f32], dim: usize, most: usize) -> Guidance {
    let features = TokenFeatures {
        rows: rows.len() / dim,
        dim,
        values: rows.to_vec(),
    };
    Guidance::new(&features, (most, dim), "", Origin::User, Task::Ivf).unwrap()
}

fn between<'a>(from: &'a Guidance, to: &'a Guidance, part: f32) -> GuidanceBlend<'a> {
    GuidanceBlend {
        from,
        to,
        part,
        version: 0,
        used: [used(from), used(to)],
    }
}

/// The text of those one-value rows at another length.
fn stretched(rows: &[f32], length: usize) -> Vec<f32> {
    let (from, to) = (
        text(rows, 1, length + 1),
        text(&vec![1.0; length], 1, length + 1),
    );
    let mut out = written(&EffectiveGuidance::Blend(between(&from, &to, 0.0)));
    assert_eq!(out.pop(), Some(0.0), "an unused row stays unused");
    out
}

#[test]
fn a_shorter_text_is_stretched_while_it_fades() {
    assert_eq!(stretched(&[5.0], 3), [5.0; 3]);
    assert_eq!(stretched(&[1.0, 2.0, 3.0], 3), [1.0, 2.0, 3.0]);
    assert_eq!(stretched(&[1.0, 2.0], 4), [1.0, 2.0, 1.0, 2.0]);
    let four = stretched(&[1.0, 2.5, 4.0], 4);
    let apart = four
        .iter()
        .zip([1.0, 2.0, 3.0, 4.0])
        .map(|(a, b)| (a - b).abs());
    assert!(apart.fold(0.0, f32::max) < 1e-6, "{four:?}");
    // Five copies of two for nine rows.
    let nine = stretched(&[2.0, 4.0], 9);
    let mean = nine.iter().sum::<f32>() / 9.0;
    assert!((mean - 3.0).abs() < 0.15, "{nine:?}");
}

#[test]
fn both_texts_count_by_how_far_the_fade_is() {
    let (a, b) = (text(&[8.0, 8.0], 2, 2), text(&[4.0, 4.0, 2.0, 6.0], 2, 2));
    let values = |a, b, part| written(&EffectiveGuidance::Blend(between(a, b, part)));
    assert_eq!(values(&a, &b, 0.5), [6.0, 6.0, 5.0, 7.0]);
    assert_eq!(values(&b, &a, 0.25), [5.0, 5.0, 3.5, 6.5]);
}

#[test]
fn what_a_matrix_makes_of_rows_is_faded_as_the_rows_are() {
    let (a, b) = (
        text(&[1.0, 2.0, -3.0, 0.5], 2, 6),
        text(&[0.5, -1.0, 2.0, 4.0, 1.0, 1.0, -2.0, 3.0, 0.1, 0.2], 2, 6),
    );
    let made = |values: &[f32]| -> Vec<f32> {
        let rows = values.chunks_exact(2);
        rows.flat_map(|v| [v[0] - 2.0 * v[1] + 0.5, 3.0 * v[0] + v[1], 1.0 - v[1]])
            .collect()
    };
    for part in [0.0, 0.3, 0.9] {
        let both = between(&a, &b, part);
        let expected = made(&written(&EffectiveGuidance::Blend(both)));
        let mut found = vec![9.0; expected.len()];
        both.rows([&made(a.values()), &made(b.values())], 3, &mut found);
        // A row that neither uses is closed, whatever is in it.
        for (found, expected) in found.iter().zip(expected).take(5 * 3) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }
}

#[test]
fn the_same_text_come_again_is_nothing_new() {
    let (a, b) = (
        guidance(Task::Ivf, &[[1.0, 2.0]]),
        guidance(Task::Ivf, &[[1.0, 2.0]]),
    );
    assert_ne!(a.version(), b.version());
    let mut fade = fade();
    fade.step(&a, at(0));
    fade.step(&b, at(20));
    assert!(!fade.waits && matches!(fade.shown(&b), EffectiveGuidance::Text(_)));
    assert_eq!(fade.shown(&b).version(), b.version());
}

#[test]
fn each_step_of_a_fade_has_a_version_of_its_own() {
    let (a, b, c) = (
        guidance(Task::Ivf, &[[1.0, 2.0]]),
        guidance(Task::Ivf, &[[3.0, 2.0]]),
        guidance(Task::Ivf, &[[5.0, 2.0]]),
    );
    let mut fade = fade();
    fade.step(&a, at(0));
    let mut versions = Vec::new();
    for now in 1..20 {
        let wanted = if now < 10 { &b } else { &c };
        fade.step(wanted, at(20 * now));
        let shown = fade.shown(wanted);
        if let (EffectiveGuidance::Blend(between), 10) = (shown, now) {
            assert_eq!(versions.last(), Some(&between.from.version()));
        }
        versions.push(shown.version());
        let (source, mut fused) = (Picture::grey(SIZE), Picture::grey(SIZE));
        fade.look([&source, &source]);
        fade.observe([[&source, &source]; 2], &mut fused);
    }
    assert_eq!(versions[0], a.version(), "it waits");
    let mut sorted = versions.clone();
    sorted.dedup();
    assert_eq!(sorted, versions);
}

#[test]
fn a_swap_during_a_fade_goes_on_from_what_is_shown() {
    let of = |v: f32| guidance(Task::Ivf, &[[v, 1.0]]);
    let (a, b, c) = (of(0.0), of(8.0), of(-2.0));
    let mut fade = fade();
    fade.step(&a, at(0));
    let shown = run(&mut fade, &b, 0..500, 1.0);
    let reached = shown.last().unwrap()[0];
    assert!(reached > 1.0 && reached < 7.0);
    let shown = run(&mut fade, &c, 500..2500, 1.0);
    assert_eq!(shown[0][0], reached);
    assert_eq!(shown.last().unwrap(), c.values());
}

#[test]
fn another_task_or_shape_and_no_duration_take_it_at_once() {
    let a = guidance(Task::Ivf, &[[1.0, 2.0]]);
    let other = guidance(Task::Mff, &[[7.0, 2.0]]);
    let none = Guidance::none(Task::Mff);
    let mut fade = fade();
    fade.step(&a, at(0));
    assert_eq!(step(&mut fade, &other, at(33)), other.values());
    assert_eq!(step(&mut fade, &none, at(66)), none.values());
    let mut at_once = GuidanceFade::new(Duration::ZERO, SIZE);
    let b = guidance(Task::Ivf, &[[5.0, 2.0]]);
    at_once.step(&a, at(0));
    assert_eq!(step(&mut at_once, &b, at(33)), b.values());
}

#[test]
fn a_new_text_waits_for_a_frame_to_be_compared_with() {
    let (a, b) = (
        guidance(Task::Ivf, &[[0.0, 2.0]]),
        guidance(Task::Ivf, &[[4.0, 2.0]]),
    );
    let mut fade = fade();
    let held = |shown: &[Vec<f32>]| shown.iter().filter(|v| v[0] == 0.0).count();
    run(&mut fade, &a, 0..100, 1.0);
    assert!(!fade.rate.has_last(), "nothing is looked at between fades");
    // One frame to be looked at, and the first of the fade, which stands at its beginning.
    assert_eq!(held(&run(&mut fade, &b, 100..200, 1.0)), 2);
    // Where nobody looks it does not wait for ever.
    let mut fade = self::fade();
    fade.step(&a, at(0));
    let shown: Vec<f32> = (1..6).map(|n| step(&mut fade, &b, at(20 * n))[0]).collect();
    assert!(shown[1] == 0.0 && shown[4] > 0.0, "{shown:?}");
    // A text that was taken back has nothing to wait for.
    let mut fade = self::fade();
    fade.step(&a, at(0));
    fade.step(&b, at(20));
    run(&mut fade, &a, 40..80, 1.0);
    assert!(!fade.waits && !fade.rate.has_last());
}

#[test]
fn time_that_goes_back_holds_the_start() {
    let (a, b) = (
        guidance(Task::Ivf, &[[1.0, 2.0]]),
        guidance(Task::Ivf, &[[5.0, 2.0]]),
    );
    let mut fade = fade();
    fade.step(&a, at(5000));
    fade.step(&b, at(5000));
    assert_eq!(step(&mut fade, &b, at(100)), a.values());
}

/// How a picture answers to a guidance from 0 to 1: levels at even distances, between which it goes
/// evenly, or leaps halfway; and what it adds at the very end of the way.
#[derive(Debug, Clone)]
struct Response {
    levels: Vec<f32>,
    leaps: Vec<bool>,
    at_the_end: f32,
}

impl Response {
    fn level(&self, guidance: f32) -> u8 {
        if guidance == 1.0 {
            return (self.levels[self.leaps.len()] + self.at_the_end) as u8;
        }
        let at = guidance.clamp(0.0, 0.9999) * self.leaps.len() as f32;
        let (knot, rest) = (at as usize, at.fract());
        let rest = if self.leaps[knot] { rest.round() } else { rest };
        (self.levels[knot] + (self.levels[knot + 1] - self.levels[knot]) * rest) as u8
    }

    fn picture(both: &[Self; 2], guidance: f32) -> Picture {
        let levels = both.each_ref().map(|response| response.level(guidance));
        let data = (0..SIZE.area()).map(|i| levels[i / 8 % 2]).collect();
        Picture::from_data(SIZE, 1, data).unwrap()
    }
}

fn responses() -> impl Strategy<Value = Response> {
    (2..6_usize)
        .prop_flat_map(|parts| {
            (
                prop::collection::vec(80.0..160.0_f32, parts + 1),
                prop::collection::vec(any::<bool>(), parts),
                -20.0..20.0_f32,
            )
        })
        .prop_map(|(levels, leaps, at_the_end)| Response {
            levels,
            leaps,
            at_the_end,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_picture_jumps_whatever_it_answers_and_every_fade_arrives(
        left in responses(),
        right in responses(),
        frame_ms in 5..200_u64,
        turn_back in 0..60_u64,
    ) {
        let both = [left, right];
        let (a, b) = (guidance(Task::Ivf, &[[0.0, 1.0]]), guidance(Task::Ivf, &[[1.0, 1.0]]));
        let mut fade = fade();
        let source = Picture::grey(SIZE);
        let mut before: Option<Picture> = None;
        // To the second text, back before or after it is reached, and there again.
        for n in 0..5000 {
            let wanted = if n == 0 || (turn_back..2 * turn_back).contains(&n) { &a } else { &b };
            let value = step(&mut fade, wanted, at(n * frame_ms))[0];
            let mut fused = Response::picture(&both, value);
            fade.look([&source, &source]);
        fade.observe([[&source, &source]; 2], &mut fused);
            if let Some(before) = before {
                let pairs = before.data().iter().zip(fused.data());
                let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
                prop_assert!(sum <= 2 * SIZE.area() as u32, "{sum} at frame {n}, {value}");
            }
            before = Some(fused);
        }
        prop_assert_eq!(before, Some(Response::picture(&both, 1.0)));
    }
}

/// A warm block and a bright edge that move over a ground that stands still, and how two texts weigh
/// the sources.
struct Moving {
    weights: [f32; 2],
    speed: usize,
}

const WIDE: Size = Size::new(96, 64);

impl Moving {
    fn sources(&self, n: usize) -> [Picture; 2] {
        let at = 8 + n * self.speed % 64;
        let draw = |paint: &dyn Fn(usize, usize) -> u8| {
            let data = (0..WIDE.area()).map(|i| paint(i % WIDE.width, i / WIDE.width));
            Picture::from_data(WIDE, 1, data.collect()).unwrap()
        };
        let warm = |x, y| (at..at + 12).contains(&x) && (20..44).contains(&y);
        [
            draw(&|x, y| if warm(x, y) { 230 } else { 40 }),
            draw(&|x, y| {
                if x.abs_diff(at + 16) < 3 && y > 30 {
                    210
                } else {
                    90 + (x % 8) as u8
                }
            }),
        ]
    }

    /// What the network makes of it: up to half of the way it answers as to the first text, then as
    /// to the second.
    fn fused(&self, n: usize, value: f32) -> Picture {
        let [mut a, b] = self.sources(n);
        let weight = self.weights[usize::from(value > 0.5)];
        for (a, b) in a.data_mut().iter_mut().zip(b.data()) {
            *a = (f32::from(*a) * weight + f32::from(*b) * (1.0 - weight)) as u8;
        }
        a
    }
}

/// What is shown lies between what the network makes of this frame with either text: whatever is
/// mixed in, it is no ghost of the frame before.
#[test]
fn in_a_moving_scene_nothing_is_shown_that_neither_text_would_show() {
    let (a, b) = (
        guidance(Task::Ivf, &[[0.0, 1.0]]),
        guidance(Task::Ivf, &[[1.0, 1.0]]),
    );
    for speed in [1, 2, 5, 11] {
        let scene = Moving {
            weights: [0.15, 0.9],
            speed,
        };
        let mut fade = GuidanceFade::new(Duration::from_secs(1), WIDE);
        let mut held = 0;
        for n in 0..400 {
            let wanted = if n < 5 { &a } else { &b };
            let value = step(&mut fade, wanted, at(n as u64 * 33))[0];
            let mut shown = scene.fused(n, value);
            let sources = [n, n.saturating_sub(1)].map(|n| scene.sources(n));
            let sources = sources.each_ref().map(|two| two.each_ref());
            fade.look(sources[0]);
            held += usize::from(fade.observe(sources, &mut shown));
            let either = [0.0, 1.0].map(|value| scene.fused(n, value));
            let pairs = either[0].data().iter().zip(either[1].data());
            for (i, (&v, (&x, &y))) in shown.data().iter().zip(pairs).enumerate() {
                let between = x.min(y).saturating_sub(1)..=x.max(y).saturating_add(1);
                assert!(
                    between.contains(&v),
                    "speed {speed}, frame {n}, pixel {i}: {v} {between:?}"
                );
            }
            assert!(n < 399 || shown == either[1]);
        }
        assert!(held > 5, "nothing was held back: nothing was tested");
    }
}

#[test]
fn after_frames_of_another_kind_nothing_old_is_mixed_in() {
    let of = |task, v| guidance(task, &[[v, 1.0]]);
    let (a, b) = (of(Task::Ivf, 0.0), of(Task::Ivf, 1.0));
    let flat = |level| Picture::from_data(SIZE, 1, vec![level; SIZE.area()]).unwrap();
    let source = Picture::grey(SIZE);
    let shown = |fade: &mut GuidanceFade, wanted: &Guidance, ms, level| {
        fade.step(wanted, at(ms));
        let mut fused = flat(level);
        fade.look([&source, &source]);
        fade.observe([[&source, &source]; 2], &mut fused);
        fused.data()[0]
    };
    let begun = || {
        let mut fade = fade();
        assert_eq!(shown(&mut fade, &a, 0, 100), 100);
        assert_eq!(shown(&mut fade, &b, 10, 100), 100, "the new text waits");
        assert!(shown(&mut fade, &b, 20, 150) < 105);
        fade
    };
    let mut fade = begun();
    assert!(shown(&mut fade, &b, 40, 150) < 110);
    fade.skip();
    assert_eq!(shown(&mut fade, &b, 60, 150), 150);
    let mut fade = begun();
    assert_eq!(shown(&mut fade, &of(Task::Mff, 0.0), 40, 200), 200);
}
