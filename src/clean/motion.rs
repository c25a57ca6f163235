//! How much of the scene has moved since the last picture, by a sixteenth of its rows.

use super::rows::row;
use crate::frame::Size;

/// Rows from one that is looked at to the next.
const STRIDE: usize = 16;

/// Rows of the last picture.
#[derive(Debug)]
pub(super) struct Motion {
    size: Size,
    last: Vec<u16>,
    primed: bool,
}

impl Motion {
    pub fn new(size: Size) -> Self {
        let rows = size.height.div_ceil(STRIDE);
        Self {
            size,
            last: vec![0; rows * size.width],
            primed: false,
        }
    }

    /// Forgets the last picture.
    pub fn reset(&mut self) {
        self.primed = false;
    }

    /// The part of the samples that differ by more than `limit` from the last picture's, 0..=1; 0 for the first.
    pub fn follow(&mut self, plane: &[u16], limit: f32) -> f32 {
        let width = self.size.width;
        let (limit, mut moved) = (limit as u16, 0);
        for (i, last) in self.last.chunks_exact_mut(width).enumerate() {
            let new = row(plane, width, i * STRIDE);
            let differ = last
                .iter()
                .zip(new)
                .filter(|(a, b)| a.abs_diff(**b) > limit);
            moved += differ.count();
            last.copy_from_slice(new);
        }
        let known = std::mem::replace(&mut self.primed, true);
        if known {
            moved as f32 / self.last.len().max(1) as f32
        } else {
            0.0
        }
    }
}
