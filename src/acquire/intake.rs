//! What every source does to a frame once it is unpacked: cleans it and maps its range.
//!
//! Thread: acquire. Blocks: never. Allocates: when made, and when the picture's size changes.

use std::time::Duration;

use super::Role;
use crate::clean::{Cleaner, Condition};
use crate::clock::Clock;
use crate::config::CleanConfig;
use crate::frame::{Counts, Frame, Size};
use crate::range::{RangeConfig, RangeMapper, still};

/// The grain of the visible picture is measured in one of so many frames.
const VISIBLE_EVERY: u64 = 8;

/// One source's clean-up and range.
#[derive(Debug)]
pub struct Intake {
    role: Role,
    cleaner: Cleaner,
    range: RangeMapper,
    frames: u64,
    last: Condition,
    took: Duration,
}

impl Intake {
    /// For frames of `size`; others cost an allocation. Their counts, where they have any, are mapped by `range`.
    pub fn new(role: Role, config: &CleanConfig, size: Size, range: RangeConfig) -> Self {
        Self {
            role,
            cleaner: Cleaner::new(config, size),
            range: RangeMapper::new(range),
            frames: 0,
            last: Condition::default(),
            took: Duration::ZERO,
        }
    }

    /// Takes the range that suits counts of a file, where no frame was taken yet; allocates then.
    pub fn fit(&mut self, counts: &Counts) {
        if self.frames == 0 {
            self.range = RangeMapper::new(still::config_of(counts));
        }
    }

    /// Forgets what was learnt of the sensor: after its shutter was closed (FFC), and for another camera.
    pub fn reset(&mut self) {
        self.cleaner.reset();
    }

    /// How much more grain is taken than was measured, 0 (none) to 1.
    pub fn set_denoise(&mut self, denoise: f32) {
        self.cleaner.set_denoise(denoise);
    }

    /// Time spent on cleaning since the start.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// What the last frame was measured to suffer from.
    pub fn condition(&self) -> Condition {
        self.last
    }

    /// Cleans a frame with counts and maps them to grey; cleans the picture of one without.
    pub fn take(&mut self, frame: &mut Frame) {
        let start = Clock.now();
        let mut mapping = Duration::ZERO;
        if let Some(counts) = &mut frame.counts {
            frame.picture.reshape(counts.size, 1);
            let grey = frame.picture.data_mut();
            if self.frames == 0 {
                // Sets the range, so that the clean-up knows what a grey level is.
                self.range.map(&counts.data, grey);
            }
            let (low, high) = self.range.limits();
            let a_grey = (high - low) / 255.0;
            self.last = self
                .cleaner
                .live_counts(counts.size, &mut counts.data, a_grey);
            let cleaned = Clock.now();
            self.range.map(&counts.data, grey);
            mapping = Clock.now().since(cleaned);
        } else if self.role == Role::Infrared {
            self.last = self.cleaner.live_picture(&mut frame.picture);
        } else if self.frames.is_multiple_of(VISIBLE_EVERY) {
            self.last = self.cleaner.measure_visible(&frame.picture);
        }
        self.frames += 1;
        frame.condition = self.last;
        self.took += Clock.now().since(start).saturating_sub(mapping);
    }
}
