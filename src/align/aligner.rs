//! The align stage: both pictures of a pair brought over each other, at the output size.
//!
//! Input: [`FramePair`]. Output: [`AlignedPair`]. Thread: fuse. Blocks: never. Allocates: when a
//! source comes in a size for the first time or after another one. Fails when: made for a
//! calibration that cannot be used. Not its job: luma, colours.

use super::counts::CountsAligner;
use super::geometry::Geometry;
use super::warp::{Movable, Side};
use super::{AlignError, AlignedPair, Calibration, Heat};
use crate::frame::{FramePair, Picture, Size};

/// Aligns pairs. The visible picture is scaled to the output (and its lens undone); the infrared
/// picture is warped over it.
#[derive(Debug)]
pub struct Aligner {
    infrared: Movable,
    visible: Side,
}

impl Aligner {
    /// For pictures of size `output`, with the distance `preset` named or without.
    ///
    /// # Errors
    /// [`AlignError::Unusable`] and [`AlignError::NoPreset`].
    pub fn new(
        calibration: &Calibration,
        preset: Option<&str>,
        output: Size,
    ) -> Result<Self, AlignError> {
        calibration.check()?;
        if output.area() == 0 {
            return Err(AlignError::Unusable(format!(
                "the output size {output} is empty"
            )));
        }
        let infrared = Geometry::infrared(calibration, preset, output)?;
        Ok(Self {
            infrared: Movable::new(infrared, output),
            visible: Side::new(Geometry::visible(calibration, output), output),
        })
    }

    /// Moves the infrared picture by so many output pixels right and down from where the
    /// calibration has it. Its table is made anew with the next pair where that changed.
    pub fn set_nudge(&mut self, nudge: (i32, i32)) {
        self.infrared.set_nudge(nudge);
    }

    /// What brings the counts of infrared frames over the same pictures.
    pub fn for_counts(&self) -> CountsAligner {
        CountsAligner::new(self.infrared.anew())
    }

    /// Aligns a pair into `out`. A missing source keeps the last picture and clears its `has_*`;
    /// an empty picture counts as missing.
    pub fn align(&mut self, pair: &FramePair, out: &mut AlignedPair) {
        let infrared = pair.infrared.as_deref().map(|frame| &frame.picture);
        let visible = pair.visible.as_deref().map(|frame| &frame.picture);
        self.align_pictures(infrared, visible, out);
        for (to, frame) in out
            .condition
            .iter_mut()
            .zip([&pair.infrared, &pair.visible])
        {
            *to = frame
                .as_deref()
                .map_or_else(Default::default, |frame| frame.condition);
        }
    }

    /// Takes the raw counts of the pair's infrared frame over, as they are; see [`CountsAligner`].
    pub fn keep_counts(&self, pair: &FramePair, heat: &mut Heat) {
        let counts = pair.infrared.as_deref().and_then(|f| f.counts.as_ref());
        heat.keep(counts, self.infrared.nudge());
    }

    /// As [`Aligner::align`], for pictures that came without a camera.
    pub fn align_pictures(
        &mut self,
        infrared: Option<&Picture>,
        visible: Option<&Picture>,
        out: &mut AlignedPair,
    ) {
        let there = |picture: &&Picture| picture.size().area() > 0;
        let (infrared, visible) = (infrared.filter(there), visible.filter(there));
        out.has_infrared = infrared.is_some();
        out.has_visible = visible.is_some();
        if let Some(source) = infrared {
            let infrared = self.infrared.side();
            infrared.apply(source, &mut out.infrared);
            infrared.put_coverage(out);
        }
        if let Some(source) = visible {
            self.visible.apply(source, &mut out.visible);
        }
    }
}

#[cfg(test)]
#[path = "aligner_tests.rs"]
mod tests;
