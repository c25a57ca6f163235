//! The align stage: both pictures of a pair brought over each other, at the output size.
//!
//! Input: [`FramePair`]. Output: [`AlignedPair`]. Thread: fuse. Blocks: never. Allocates: when a
//! source comes in a size for the first time or after another one. Fails when: made for a
//! calibration that cannot be used. Not its job: luma, colours.

use super::area::AreaShrink;
use super::geometry::Geometry;
use super::remap::RemapTable;
use super::{AlignError, AlignedPair, Calibration, Heat};
use crate::frame::{FramePair, Picture, Size};

/// A source with more than this many pixels to an output pixel, on either axis, is first shrunk
/// by area averaging; below, every source pixel still enters a bilinear sample.
const SHRINK_FROM: f64 = 1.25;

/// Aligns pairs. The visible picture is scaled to the output (and its lens undone); the infrared
/// picture is warped over it.
#[derive(Debug)]
pub struct Aligner {
    infrared: Side,
    visible: Side,
    nudge: (i32, i32),
    /// The infrared camera's geometry by its calibration.
    calibrated: Geometry,
}

/// One camera: its geometry, and what was made for the last size of its pictures.
#[derive(Debug)]
struct Side {
    geometry: Geometry,
    output: Size,
    warp: Option<Warp>,
}

#[derive(Debug)]
struct Warp {
    source: Size,
    shrink: Option<(AreaShrink, Picture)>,
    table: RemapTable,
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
        let side = |geometry| Side {
            geometry,
            output,
            warp: None,
        };
        let calibrated = Geometry::infrared(calibration, preset, output)?;
        Ok(Self {
            infrared: side(calibrated),
            visible: side(Geometry::visible(calibration, output)),
            nudge: (0, 0),
            calibrated,
        })
    }

    /// Moves the infrared picture by so many output pixels right and down from where the
    /// calibration has it. Its table is made anew with the next pair where that changed.
    pub fn set_nudge(&mut self, nudge: (i32, i32)) {
        if nudge == self.nudge {
            return;
        }
        self.nudge = nudge;
        self.infrared.geometry = self.calibrated.moved(nudge);
        self.infrared.warp = None;
    }

    /// Aligns a pair into `out`. A missing source keeps the last picture and clears its `has_*`;
    /// an empty picture counts as missing.
    pub fn align(&mut self, pair: &FramePair, out: &mut AlignedPair) {
        let infrared = pair.infrared.as_deref().map(|frame| &frame.picture);
        let visible = pair.visible.as_deref().map(|frame| &frame.picture);
        self.align_pictures(infrared, visible, out);
    }

    /// The raw counts of the pair's infrared frame over the visible picture; clears `heat` where
    /// there are none.
    pub fn align_counts(&mut self, pair: &FramePair, heat: &mut Heat) {
        let counts = pair.infrared.as_deref().and_then(|f| f.counts.as_ref());
        match counts.filter(|c| c.size.area() > 0 && c.data.len() == c.size.area()) {
            None => heat.clear(),
            Some(counts) => heat.fill(counts, |linear, out| self.infrared.apply(linear, out)),
        }
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
            self.infrared.apply(source, &mut out.infrared);
            self.infrared.put_coverage(out);
        }
        if let Some(source) = visible {
            self.visible.apply(source, &mut out.visible);
        }
    }
}

impl Side {
    fn apply(&mut self, source: &Picture, out: &mut Picture) {
        if self
            .warp
            .as_ref()
            .is_some_and(|w| w.source != source.size())
        {
            self.warp = None;
        }
        let (geometry, output) = (&self.geometry, self.output);
        let make = || Warp::new(geometry, source.size(), output);
        self.warp.get_or_insert_with(make).apply(source, out);
    }

    fn put_coverage(&self, out: &mut AlignedPair) {
        match self.warp.as_ref().and_then(|w| w.table.coverage()) {
            Some(coverage) => {
                out.coverage.copy_from(coverage);
                out.is_covered = false;
            }
            None if out.is_covered && out.coverage.size() == self.output => {}
            None => {
                out.coverage.reshape(self.output, 1);
                out.coverage.data_mut().fill(255);
                out.is_covered = true;
            }
        }
    }
}

impl Warp {
    fn new(geometry: &Geometry, source: Size, output: Size) -> Self {
        let (across, down) = geometry.positions(source).step(output);
        let shrunk = |len: usize, step: f64| match step > SHRINK_FROM {
            true => ((len as f64 / step).round() as usize).clamp(1, len),
            false => len,
        };
        let to = Size::new(shrunk(source.width, across), shrunk(source.height, down));
        let shrink = (to != source).then(|| (AreaShrink::new(source, to), Picture::rgb(to)));
        Self {
            source,
            shrink,
            table: RemapTable::new(&geometry.positions(to), to, output),
        }
    }

    fn apply(&mut self, source: &Picture, out: &mut Picture) {
        match &mut self.shrink {
            None => self.table.apply(source, out),
            Some((shrink, shrunk)) => {
                shrink.apply(source, shrunk);
                self.table.apply(shrunk, out);
            }
        }
    }
}

#[cfg(test)]
#[path = "aligner_tests.rs"]
mod tests;
