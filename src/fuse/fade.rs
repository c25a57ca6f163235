//! A new text takes over from the last one little by little, so that the picture never jumps.
//!
//! Input: the guidance in force and the frame's timestamp; then what came of it. Output: the
//! guidance to fuse the frame with. Thread: fuse. Blocks: never. Allocates: when made, when the
//! first guidance comes, and when its shape changes. Fails when: never. Not its job: choosing the
//! guidance.
//!
//! The token features themselves are faded, so the network runs once a frame, but for the rare frame
//! that a step changed too much. A row that
//! is all zero is masked inside the network, and a row that is not counts fully however small it
//! is; so rows must not grow out of zero. While two texts of different length are faded, the
//! shorter one is stretched to the length of the longer one instead: repeated a whole number of
//! times, which neither attention nor a mean of rows notices, and resampled along its rows by what
//! is left. With the first network and texts of 5 to 51 tokens that by itself changed the picture
//! by 0.9 levels at most, repeating single rows by up to 5; the present one may answer to it with some
//! levels, which are spread over frames ([`GuidanceFade::settle`]). The way is gone at an even
//! speed, or slower where the picture would change too much (`pace`): a step that did is taken back,
//! and the frame fused again.

mod pace;

use std::time::Duration;

use self::pace::Pace;

use crate::clock::Timestamp;
use crate::describe::Guidance;
use crate::frame::{Picture, Size};

/// How often a frame may be fused again because its text went too far.
pub const RETRIES: usize = 3;

/// Frames after a fade in which the picture is still kept from jumping.
const SETTLE: usize = 90;

/// Fades between guidances of one task and shape.
#[derive(Debug)]
pub struct GuidanceFade {
    duration: Duration,
    pace: Pace,
    state: Option<State>,
    /// Frames for which a change may still be the last text's.
    settling: usize,
}

#[derive(Debug)]
struct State {
    /// What the last frame was fused with.
    shown: Guidance,
    /// Where the fade began, and where it goes to.
    from: Vec<f32>,
    to: Vec<f32>,
    /// Time of the last frame.
    last: Timestamp,
    /// While a fade runs.
    way: Option<Way>,
}

/// How far a fade is: 0..1 of its way.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    gone: f64,
    step: f64,
}

impl GuidanceFade {
    /// A fade over at least `duration` of pictures of `size`; zero: each guidance at once.
    pub fn new(duration: Duration, size: Size) -> Self {
        Self {
            duration,
            pace: Pace::new(size),
            state: None,
            settling: 0,
        }
    }

    /// The guidance for the frame taken `at`, where `wanted` is in force. The first guidance, one
    /// of another shape and one for another task are taken at once.
    pub fn step<'a>(&'a mut self, wanted: &'a Guidance, at: Timestamp) -> &'a Guidance {
        if self.duration.is_zero() {
            return wanted;
        }
        if self.state.as_ref().is_some_and(|s| !s.fits(wanted)) {
            self.state = None;
        }
        let state = self.state.get_or_insert_with(|| State {
            shown: wanted.clone(),
            from: wanted.values().to_vec(),
            to: wanted.values().to_vec(),
            last: at,
            way: None,
        });
        let passed = at.since(state.last).as_nanos() as f64 / self.duration.as_nanos() as f64;
        state.last = state.last.max(at);
        if state.to != wanted.values() {
            state.start(wanted);
            self.pace.start();
        } else if let Some(way) = state.way {
            state.go_on(way, self.pace.step(passed));
        }
        if state.way.is_some() {
            &state.shown
        } else {
            wanted
        }
    }

    /// Tells what the frame of the last [`GuidanceFade::step`] became: infrared, visible and fused
    /// luma, of the fade's size. Where the text changed the picture too much, gives a guidance
    /// nearer to the last frame's, to fuse this frame with again; not at the `last` try.
    pub fn observe(&mut self, pictures: [&Picture; 3], last: bool) -> Option<&Guidance> {
        let state = self.state.as_mut()?;
        let way = state.way.unwrap_or_default();
        self.settling = match state.way {
            Some(_) => SETTLE,
            None => self.settling.saturating_sub(1),
        };
        let shorter = self.pace.observe(pictures, way.step, last)?;
        let gone = way.gone - way.step + shorter;
        state.way = Some(Way {
            gone,
            step: shorter,
        });
        state.fill(gone as f32);
        Some(&state.shown)
    }

    /// Spreads over some frames what no step can: at its ends a fade goes from a text to the same text
    /// stretched, and a network may answer to that with a jump.
    pub fn settle(&mut self, fused: &mut Picture) {
        if self.state.is_some() {
            self.pace.settle(fused, self.settling > 0);
        }
    }
}

impl State {
    fn fits(&self, wanted: &Guidance) -> bool {
        self.shown.task == wanted.task && self.shown.shape() == wanted.shape()
    }

    fn start(&mut self, wanted: &Guidance) {
        self.from.copy_from_slice(self.shown.values());
        self.to.copy_from_slice(wanted.values());
        self.way = Some(Way::default());
        self.fill(0.0);
    }

    fn go_on(&mut self, way: Way, step: f64) {
        let gone = way.gone + step;
        if gone < 1.0 {
            self.way = Some(Way { gone, step });
            self.fill(gone as f32);
        } else {
            self.shown.values_mut().copy_from_slice(&self.to);
            self.way = None;
        }
    }

    fn fill(&mut self, part: f32) {
        let dim = self.shown.shape().1;
        fill_faded(&self.from, &self.to, dim, part, self.shown.values_mut());
    }
}

/// Rows of `dim` values: `part` of the way from one text to the other, the shorter one stretched
/// to the length of the longer one.
fn fill_faded(from: &[f32], to: &[f32], dim: usize, part: f32, out: &mut [f32]) {
    let (from, to) = (Stretched::new(from, dim), Stretched::new(to, dim));
    let rows = from.used.max(to.used);
    for (i, row) in out.chunks_exact_mut(dim).enumerate() {
        if i >= rows {
            row.fill(0.0);
            continue;
        }
        let ((a0, a1, at), (b0, b1, bt)) = (from.row(i, rows), to.row(i, rows));
        let between = |x: f32, y: f32, t: f32| x + (y - x) * t;
        for (d, value) in row.iter_mut().enumerate() {
            *value = between(between(a0[d], a1[d], at), between(b0[d], b1[d], bt), part);
        }
    }
}

/// A text's used rows, for reading at another length.
#[derive(Clone, Copy)]
struct Stretched<'a> {
    values: &'a [f32],
    dim: usize,
    used: usize,
}

impl<'a> Stretched<'a> {
    fn new(values: &'a [f32], dim: usize) -> Self {
        let used = used(values, dim);
        Self { values, dim, used }
    }

    /// Row `i` of `rows`: the two rows that it lies between, and where.
    fn row(&self, i: usize, rows: usize) -> (&'a [f32], &'a [f32], f32) {
        let copies = ((2 * rows + self.used) / (2 * self.used)).max(1);
        // Of the copies' rows, the first is the first and the last is the last.
        let (last, intervals) = (copies * self.used - 1, (rows - 1).max(1));
        let position = i * last;
        let (below, rest) = (position / intervals, position % intervals);
        let row = |n: usize| &self.values[n.min(last) % self.used * self.dim..][..self.dim];
        (row(below), row(below + 1), rest as f32 / intervals as f32)
    }
}

/// Rows up to the last one that is not all zero; at least one.
fn used(values: &[f32], dim: usize) -> usize {
    let mut rows = values.chunks_exact(dim);
    let last = rows.rposition(|row| row.iter().any(|&v| v != 0.0));
    last.map_or(1, |i| i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let values = fade.step(wanted, at(now)).values().to_vec();
            let level = 20.0 + values[0] * slope;
            let fused = Picture::from_data(SIZE, 1, vec![level as u8; SIZE.area()]).unwrap();
            let source = Picture::grey(SIZE);
            fade.observe([&source, &source, &fused], true);
            shown.push(values);
        }
        shown
    }

    #[test]
    fn the_first_guidance_is_taken_at_once() {
        let a = guidance(Task::Ivf, &[[1.0, 2.0]]);
        assert_eq!(fade().step(&a, at(500)).values(), a.values());
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

    /// The text of those one-value rows at another length.
    fn stretched(rows: &[f32], length: usize) -> Vec<f32> {
        let mut out = vec![9.0; length + 1];
        let (mut from, mut to) = (rows.to_vec(), vec![1.0; length]);
        from.resize(length + 1, 0.0);
        to.resize(length + 1, 0.0);
        fill_faded(&from, &to, 1, 0.0, &mut out);
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
        let (a, b) = ([8.0, 8.0, 0.0, 0.0], [4.0, 4.0, 2.0, 6.0]);
        let mut out = [9.0; 4];
        fill_faded(&a, &b, 2, 0.5, &mut out);
        assert_eq!(out, [6.0, 6.0, 5.0, 7.0]);
        fill_faded(&b, &a, 2, 0.25, &mut out);
        assert_eq!(out, [5.0, 5.0, 3.5, 6.5]);
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
        assert_eq!(fade.step(&other, at(33)).values(), other.values());
        assert_eq!(fade.step(&none, at(66)).values(), none.values());
        let mut at_once = GuidanceFade::new(Duration::ZERO, SIZE);
        let b = guidance(Task::Ivf, &[[5.0, 2.0]]);
        at_once.step(&a, at(0));
        assert_eq!(at_once.step(&b, at(33)).values(), b.values());
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
        assert_eq!(fade.step(&b, at(100)).values(), a.values());
    }
}
