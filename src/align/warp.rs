//! One camera's way to the output: its geometry, and the tables made for the size of its pictures.
//!
//! Input: pictures of one camera. Output: the same at the output size. Thread: fuse, and guide for counts.
//! Blocks: never. Allocates: when a picture comes in a size for the first time or after another one. Not
//! its job: which camera it is.

use super::AlignedPair;
use super::area::AreaShrink;
use super::geometry::Geometry;
use super::remap::RemapTable;
use crate::frame::{Picture, Size};

/// A source with more than this many pixels to an output pixel, on either axis, is first shrunk
/// by area averaging; below, every source pixel still enters a bilinear sample.
const SHRINK_FROM: f64 = 1.25;

/// A camera whose picture can be moved from where the calibration has it.
#[derive(Debug)]
pub(super) struct Movable {
    side: Side,
    nudge: (i32, i32),
    calibrated: Geometry,
}

/// One camera: its geometry, and what was made for the last size of its pictures.
#[derive(Debug)]
pub(super) struct Side {
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

impl Movable {
    pub fn new(calibrated: Geometry, output: Size) -> Self {
        Self {
            side: Side::new(calibrated, output),
            nudge: (0, 0),
            calibrated,
        }
    }

    /// The same, at the calibration's place and with no tables yet.
    pub fn anew(&self) -> Self {
        Self::new(self.calibrated, self.side.output)
    }

    pub fn side(&mut self) -> &mut Side {
        &mut self.side
    }

    pub fn nudge(&self) -> (i32, i32) {
        self.nudge
    }

    /// Output pixels right and down.
    pub fn set_nudge(&mut self, nudge: (i32, i32)) {
        if nudge == self.nudge {
            return;
        }
        self.nudge = nudge;
        self.side = Side::new(self.calibrated.moved(nudge), self.side.output);
    }
}

impl Side {
    pub fn new(geometry: Geometry, output: Size) -> Self {
        Self {
            geometry,
            output,
            warp: None,
        }
    }

    /// Brings `source` to the output.
    pub fn apply(&mut self, source: &Picture, out: &mut Picture) {
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

    /// Where the output has a view of the source last applied.
    pub fn put_coverage(&self, out: &mut AlignedPair) {
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
