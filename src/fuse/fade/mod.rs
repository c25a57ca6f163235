//! Fades from one text's guidance to the next, so that the picture never jumps.
//!
//! Input: the guidance in force and the frame's timestamp; then what came of it. Output: what to fuse the
//! frame with; the picture, held back where it changed too much. Thread: fuse. Blocks: never. Allocates:
//! when made, when the first guidance comes, and when its shape changes. Not its job: choosing the
//! guidance.
//!
//! The token features are faded, or what a network makes of each row of them, so the network runs once
//! a frame. A row that is all zero is masked inside the network, and a row that is not counts fully
//! however small it is; so rows must not grow out of zero. While two texts of different length are
//! faded, the shorter one is stretched to the length of the longer one instead: repeated a whole
//! number of times, which neither attention nor a mean of rows notices, and resampled along its rows
//! by what is left. With the first network and texts of 5 to 51 tokens that by itself changed the picture
//! by 0.9 levels at most, repeating single rows by up to 5; the present one may answer to it with some
//! levels. The fade advances at a constant rate, slower where the picture would change too much; a picture
//! that did change too much is held back (`rate`). Between fades no picture is examined: a new text
//! waits for one frame, with which the first frame of its fade is compared.

mod blend;
mod rate;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::blend::GuidanceBlend;
use self::blend::used;
use self::rate::FadeRate;

use crate::clock::Timestamp;
use crate::describe::{Guidance, next_version};
use crate::frame::{Picture, Size};

/// Frames after a fade in which the picture is still kept from jumping: enough for 120 levels.
const SETTLE: usize = 90;

/// Fades between guidances of one task and shape.
#[derive(Debug)]
pub struct GuidanceFade {
    duration: Duration,
    rate: FadeRate,
    state: Option<State>,
    /// Frames for which a change may still be the last text's.
    settling: usize,
    /// A text waits for this frame to be looked at.
    waits: bool,
    /// This frame was looked at before it was fused, and will be after.
    watches: bool,
}

/// What a frame is guided by.
#[derive(Debug, Clone, Copy)]
pub enum EffectiveGuidance<'a> {
    /// One text.
    Text(&'a Guidance),
    /// Two.
    Blend(GuidanceBlend<'a>),
}

impl EffectiveGuidance<'_> {
    /// Rows and features a row.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::Text(text) => text.shape(),
            Self::Blend(blend) => blend.to.shape(),
        }
    }

    /// As [`Guidance::version`].
    pub fn version(&self) -> u64 {
        match self {
            Self::Text(text) => text.version(),
            Self::Blend(blend) => blend.version,
        }
    }

    /// As [`Guidance::values`].
    pub fn write(&self, out: &mut [f32]) {
        match self {
            Self::Text(text) => out.copy_from_slice(text.values()),
            Self::Blend(blend) => blend.write(out),
        }
    }
}

#[derive(Debug)]
struct State {
    /// Where the last fade began.
    from: Guidance,
    /// Where it goes to, or went to.
    to: Guidance,
    /// Their rows that are used.
    used: [usize; 2],
    /// Of what is shown while a fade runs.
    version: u64,
    /// Lent to a fade that begins before the last one is over.
    spare: Guidance,
    /// Time of the last frame.
    last: Timestamp,
    /// While a fade runs.
    progress: Option<FadeProgress>,
}

/// How far a fade is: 0..1 of its way.
#[derive(Debug, Clone, Copy, Default)]
struct FadeProgress {
    done: f64,
    step: f64,
}

impl GuidanceFade {
    /// A fade over at least `duration` of pictures of `size`; zero: each guidance at once.
    pub fn new(duration: Duration, size: Size) -> Self {
        Self {
            duration,
            rate: FadeRate::new(size),
            state: None,
            settling: 0,
            waits: false,
            watches: false,
        }
    }

    /// Makes ready for the frame taken `at`, where `wanted` is in force. The first guidance, one
    /// of another shape and one for another task are taken at once.
    pub fn step(&mut self, wanted: &Guidance, at: Timestamp) {
        if self.duration.is_zero() {
            return;
        }
        if self.state.as_ref().is_some_and(|s| !s.fits(wanted)) {
            self.state = None;
            self.settling = 0;
            self.skip();
        }
        let state = self.state.get_or_insert_with(|| State::new(wanted, at));
        let passed = at.since(state.last).as_nanos() as f64 / self.duration.as_nanos() as f64;
        state.last = state.last.max(at);
        let is_new = state.is_new(wanted);
        if is_new && !self.rate.has_last() && !self.waits {
            self.waits = true;
            return;
        }
        self.waits = false;
        if is_new {
            state.start(wanted);
            self.rate.start();
        } else if let Some(progress) = state.progress {
            state.go_on(progress, self.rate.step(passed));
        }
    }

    /// What to fuse the frame of the last [`GuidanceFade::step`] with, which was called for `wanted`.
    pub fn shown<'a>(&'a self, wanted: &'a Guidance) -> EffectiveGuidance<'a> {
        match &self.state {
            Some(state) if self.waits || state.progress.is_some() => state.shown(),
            _ => EffectiveGuidance::Text(wanted),
        }
    }

    /// Looks at the sources that are fused after [`GuidanceFade::step`], which the caller has just made: the
    /// network pushes them out of the processor's caches. Luma of infrared and visible, of the fade's size.
    pub fn look(&mut self, sources: [&Picture; 2]) {
        let Some(state) = &self.state else {
            self.watches = false;
            return;
        };
        self.settling = match state.progress {
            Some(_) => SETTLE,
            None => self.settling.saturating_sub(1),
        };
        self.watches = self.settling > 0 || self.waits;
        if self.watches {
            self.rate.look(sources);
        } else {
            self.rate.forget();
        }
    }

    /// A frame was not fused with the guidance: what was shown before it is no longer what the next
    /// one follows on.
    pub fn skip(&mut self) {
        self.rate.forget();
    }

    /// Looks at what the frame of the last [`GuidanceFade::look`] became: its sources and those of the
    /// frame before it, and `fused`, all of the fade's size. Where the text changed `fused` too much, draws what stands
    /// still in it towards the last frame's and has the fade go on from there; then `true`.
    ///
    /// No step avoids all of these: at its ends a fade goes from a text to the same text stretched,
    /// and a network may answer to that with a jump.
    pub fn observe(&mut self, sources: [[&Picture; 2]; 2], fused: &mut Picture) -> bool {
        let Some(state) = self.state.as_mut().filter(|_| self.watches) else {
            return false;
        };
        let step = state.progress.map_or(0.0, |progress| progress.step);
        let (done, held) = self.rate.observe(sources, fused, step, self.settling > 0);
        if let Some(progress) = &mut state.progress {
            progress.done += done - step;
        }
        held
    }
}

impl State {
    fn new(wanted: &Guidance, at: Timestamp) -> Self {
        let [from, to, spare] = [wanted, wanted, wanted].map(Clone::clone);
        Self {
            used: [used(wanted); 2],
            version: wanted.version(),
            from,
            to,
            spare,
            last: at,
            progress: None,
        }
    }

    fn fits(&self, wanted: &Guidance) -> bool {
        self.to.task == wanted.task && self.to.shape() == wanted.shape()
    }

    /// Whether it says something else than what the fade goes to; the same text may come again.
    fn is_new(&mut self, wanted: &Guidance) -> bool {
        if self.to.version() != wanted.version() && self.to.values() == wanted.values() {
            self.to.take_values(wanted);
        }
        self.to.version() != wanted.version()
    }

    fn start(&mut self, wanted: &Guidance) {
        if let Some(progress) = self.progress {
            let shown = GuidanceBlend {
                from: &self.from,
                to: &self.to,
                part: progress.done as f32,
                version: self.version,
                used: self.used,
            };
            self.spare.write(shown.version, |out| shown.write(out));
            std::mem::swap(&mut self.from, &mut self.spare);
            self.used[0] = self.used[0].max(self.used[1]);
        } else {
            std::mem::swap(&mut self.from, &mut self.to);
            self.used[0] = self.used[1];
        }
        self.to.take_values(wanted);
        self.used[1] = used(wanted);
        self.progress = Some(FadeProgress::default());
        self.version = next_version();
    }

    fn go_on(&mut self, progress: FadeProgress, step: f64) {
        let done = progress.done + step;
        self.progress = (done < 1.0).then_some(FadeProgress { done, step });
        self.version = next_version();
    }

    fn shown(&self) -> EffectiveGuidance<'_> {
        match self.progress {
            None => EffectiveGuidance::Text(&self.to),
            Some(progress) => EffectiveGuidance::Blend(GuidanceBlend {
                from: &self.from,
                to: &self.to,
                part: progress.done as f32,
                version: self.version,
                used: self.used,
            }),
        }
    }
}
