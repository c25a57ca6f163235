//! Raw infrared counts brought over the pictures that the fuse thread aligned.
//!
//! Input: a [`Heat`] with counts of a frame. Output: its picture, at the output size. Thread: guide, so
//! that the frame path does no more than copy the counts, which are few. Blocks: never. Allocates: for the
//! first counts, after a nudge, and for a larger camera. Not its job: what is warm (see `describe::facts`).

use super::Heat;
use super::warp::Movable;

/// Aligns counts as the aligner that it came from aligns that camera's pictures.
#[derive(Debug)]
pub struct CountsAligner(Movable);

impl CountsAligner {
    pub(super) fn new(infrared: Movable) -> Self {
        Self(infrared)
    }

    /// Makes the picture of the counts that `heat` keeps; nothing where it keeps none.
    pub fn align(&mut self, heat: &mut Heat) {
        let Some(nudge) = heat.kept() else {
            return;
        };
        self.0.set_nudge(nudge);
        let side = self.0.side();
        heat.fill(|linear, out| side.apply(linear, out));
    }
}
