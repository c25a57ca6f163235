//! A new text takes over from the last one little by little, so that the picture never jumps.
//!
//! Input: the guidance in force and the frame's timestamp. Output: the guidance to fuse the frame
//! with. Thread: fuse. Blocks: never. Allocates: when the first guidance comes, and when its shape
//! changes. Fails when: never. Not its job: choosing the guidance.
//!
//! The token features themselves are faded, so the network runs once a frame as ever. A row that
//! is all zero is masked inside the network, and a row that is not counts fully however small it
//! is; so rows must not grow out of zero. While two texts of different length are faded, the
//! shorter one's rows are repeated up to the longer one's length instead. See `faded`.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::describe::Guidance;

/// Fades between guidances of one task and shape.
#[derive(Debug)]
pub struct GuidanceFade {
    duration: Duration,
    state: Option<State>,
}

#[derive(Debug)]
struct State {
    /// What the last frame was fused with.
    shown: Guidance,
    /// Where the fade began, and where it goes to.
    from: Vec<f32>,
    to: Vec<f32>,
    start: Timestamp,
    running: bool,
}

impl GuidanceFade {
    /// A fade over `duration`; zero: each guidance at once.
    pub fn new(duration: Duration) -> Self {
        Self {
            duration,
            state: None,
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
            start: at,
            running: false,
        });
        state.step(wanted, at, self.duration);
        if state.running { &state.shown } else { wanted }
    }
}

impl State {
    fn fits(&self, wanted: &Guidance) -> bool {
        self.shown.task == wanted.task && self.shown.shape() == wanted.shape()
    }

    fn step(&mut self, wanted: &Guidance, at: Timestamp, duration: Duration) {
        if self.to != wanted.values() {
            self.from.copy_from_slice(self.shown.values());
            self.to.copy_from_slice(wanted.values());
            self.start = at;
            self.running = true;
        }
        if !self.running {
            return;
        }
        let gone = at.since(self.start);
        let dim = self.shown.shape().1;
        if gone >= duration {
            self.shown.values_mut().copy_from_slice(&self.to);
            self.running = false;
            return;
        }
        // Both below 2^53, so the quotient is the same on every processor.
        let part = (gone.as_nanos() as f64 / duration.as_nanos() as f64) as f32;
        fill_faded(&self.from, &self.to, dim, part, self.shown.values_mut());
    }
}

/// Rows of `dim` values: `part` of the way from one text to the other. The shorter text's rows are
/// repeated: a repeated row shifts the attention's weights a little, where a row that begins as
/// almost nothing would take the full weight of a token.
fn fill_faded(from: &[f32], to: &[f32], dim: usize, part: f32, out: &mut [f32]) {
    let (rows_from, rows_to) = (used(from, dim), used(to, dim));
    let rows = rows_from.max(rows_to);
    for (i, row) in out.chunks_exact_mut(dim).enumerate() {
        if i >= rows {
            row.fill(0.0);
            continue;
        }
        let a = &from[i % rows_from * dim..][..dim];
        let b = &to[i % rows_to * dim..][..dim];
        for (value, (a, b)) in row.iter_mut().zip(a.iter().zip(b)) {
            *value = a + (b - a) * part;
        }
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

    fn fade() -> GuidanceFade {
        GuidanceFade::new(Duration::from_secs(1))
    }

    #[test]
    fn the_first_guidance_is_taken_at_once() {
        let a = guidance(Task::Ivf, &[[1.0, 2.0]]);
        assert_eq!(fade().step(&a, at(500)).values(), a.values());
    }

    #[test]
    fn a_new_one_takes_over_evenly_and_then_holds_exactly() {
        let (a, b) = (
            guidance(Task::Ivf, &[[0.0, 2.0], [1.0, 1.0]]),
            guidance(Task::Ivf, &[[4.0, -2.0], [3.0, 0.1]]),
        );
        let mut fade = fade();
        fade.step(&a, at(0));
        assert_eq!(fade.step(&b, at(100)).values(), a.values());
        let half = fade.step(&b, at(600)).values();
        assert_eq!(half[..4], [2.0, 0.0, 2.0, 0.55]);
        assert_eq!(half[4..], [0.0; 4]);
        assert_eq!(fade.step(&b, at(1100)).values(), b.values());
        assert_eq!(fade.step(&b, at(9000)).values(), b.values());
    }

    #[test]
    fn a_shorter_text_is_repeated_while_it_fades() {
        let (a, b) = (
            guidance(Task::Ivf, &[[8.0, 8.0]]),
            guidance(Task::Ivf, &[[4.0, 4.0], [2.0, 2.0], [0.0, 1.0]]),
        );
        let mut fade = fade();
        fade.step(&a, at(0));
        assert_eq!(
            fade.step(&b, at(0)).values(),
            [8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 0.0, 0.0]
        );
        let half = fade.step(&b, at(500)).values();
        assert_eq!(half, [6.0, 6.0, 5.0, 5.0, 4.0, 4.5, 0.0, 0.0]);
        assert_eq!(fade.step(&b, at(1000)).values(), b.values());
    }

    #[test]
    fn a_swap_during_a_fade_goes_on_from_what_is_shown() {
        let of = |v: f32| guidance(Task::Ivf, &[[v, 1.0]]);
        let (a, b, c) = (of(0.0), of(8.0), of(-2.0));
        let mut fade = fade();
        fade.step(&a, at(0));
        fade.step(&b, at(0));
        assert_eq!(fade.step(&b, at(500)).values()[0], 4.0);
        assert_eq!(fade.step(&c, at(500)).values()[0], 4.0);
        assert_eq!(fade.step(&c, at(1000)).values()[0], 1.0);
        assert_eq!(fade.step(&c, at(1500)).values(), c.values());
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
        let mut at_once = GuidanceFade::new(Duration::ZERO);
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
