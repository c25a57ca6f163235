//! When no frame comes: how long that counts as silence, and what is shown then.

use std::time::Duration;

use super::empty_frame;
use crate::clock::Timestamp;
use crate::frame::{Picture, Size};
use crate::fuse::FusedFrame;
use crate::metrics::Marks;
use crate::present::no_signal;

/// After so long without a frame the picture is old.
const SILENCE: Duration = Duration::from_millis(490);
/// A source may be slow: so many of its intervals are no silence, but this long always is.
const INTERVALS: u32 = 3;
const MOST: Duration = Duration::from_secs(5);

/// Follows the frames and keeps the last picture.
pub(super) struct Silence {
    /// The last picture before anything was written on it; black before the first.
    last: Picture,
    /// When it came; at first, when the thread began.
    at: Timestamp,
    interval: Duration,
    card: FusedFrame,
}

impl Silence {
    /// Begins at `now`.
    pub fn new(size: Size, now: Timestamp) -> Self {
        Self {
            last: Picture::rgb(size),
            at: now,
            interval: Duration::ZERO,
            card: FusedFrame {
                timestamp: now,
                marks: marks(),
                ..empty_frame(size, None)
            },
        }
    }

    /// A frame came.
    pub fn keep(&mut self, frame: &FusedFrame, now: Timestamp) {
        self.last.copy_from(&frame.picture);
        (self.card.mode, self.card.sequence) = (frame.mode, frame.sequence);
        self.card.timestamp = frame.timestamp;
        self.interval = now.since(self.at);
        self.at = now;
    }

    /// Whether it has been silent for so long that the picture is old.
    pub fn lasts(&self, now: Timestamp) -> bool {
        let slow = (INTERVALS * self.interval).min(MOST);
        now.since(self.at) >= SILENCE.max(slow)
    }

    /// What to show, and to hand to whoever asks for a snapshot.
    pub fn card(&mut self, now: Timestamp) -> &FusedFrame {
        self.card.picture.copy_from(&self.last);
        no_signal(&mut self.card.picture, now.since(self.at));
        &self.card
    }
}

/// Both sources are missing.
pub(super) fn marks() -> Marks {
    Marks {
        no_infrared: true,
        no_visible: true,
        ..Marks::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> FusedFrame {
        let size = Size::new(320, 240);
        let mut frame = Silence::new(size, Timestamp::ZERO).card;
        frame.picture.data_mut().fill(160);
        frame
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp::ZERO.plus(Duration::from_millis(ms))
    }

    #[test]
    fn half_a_second_without_a_frame_is_silence_and_one_ends_it() {
        let mut silence = Silence::new(Size::new(320, 240), at(0));
        for n in 1..10 {
            silence.keep(&frame(), at(40 * n));
        }
        assert!(!silence.lasts(at(360 + 480)));
        assert!(silence.lasts(at(360 + 500)));
        let first = silence.card(at(1400)).picture.clone();
        let second = silence.card(at(2400)).picture.clone();
        assert_ne!(first.data(), second.data(), "it says how old it is");
        assert!(first.data()[0] < 160 / 2);
        silence.keep(&frame(), at(3000));
        silence.keep(&frame(), at(3040));
        assert!(!silence.lasts(at(3500)));
    }

    #[test]
    fn a_slow_source_is_not_silent_between_two_frames() {
        let mut silence = Silence::new(Size::new(320, 240), at(0));
        silence.keep(&frame(), at(1000));
        silence.keep(&frame(), at(2000));
        assert!(!silence.lasts(at(4500)));
        assert!(silence.lasts(at(5000)));
        silence.keep(&frame(), at(62_000));
        assert!(silence.lasts(at(67_000)));
    }

    #[test]
    fn without_a_first_frame_it_is_silent_as_well() {
        let mut silence = Silence::new(Size::new(320, 240), at(0));
        assert!(silence.lasts(at(500)));
        assert!(
            silence
                .card(at(500))
                .picture
                .data()
                .iter()
                .any(|v| *v > 200)
        );
    }
}
