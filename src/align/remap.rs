//! A picture resampled by a table made beforehand.
//!
//! Input: a picture of a fixed size, 1 or 3 channels. Output: a picture of the table's size. Thread: fuse.
//! Blocks: never. Allocates: when made. Not its job: shrinking by more than a little (see `area`); where
//! the table comes from (see `geometry`).
//!
//! Positions are rounded to 1/256 pixel and all arithmetic is integer, so every processor gives
//! the same bytes. Outside the source its edge repeats; [`coverage`](RemapTable::coverage) tells
//! where that is.

use super::geometry::Positions;
use crate::frame::{Picture, Size};
use crate::simd::{self, AxisTap, PAD, SUBPIXEL, Sampling, Taps};

/// From this many output pixels a source pixel on, bilinear magnification shows the source's
/// lattice and the smoother kernel is used.
const CUBIC_FROM: f64 = 1.5;

/// A precomputed resampling. Three kinds, from cheap to general, that give the same samples where
/// more than one applies.
#[derive(Debug, Clone)]
pub struct RemapTable {
    source: Size,
    output: Size,
    sampling: Sampling,
    kind: Kind,
    coverage: Option<Picture>,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Pixel for pixel.
    Copy,
    /// Columns and rows apart: any scaling and shift.
    Axes(Axes),
    /// A position a pixel.
    Free(Free),
}

#[derive(Debug, Clone)]
struct Axes {
    columns: Vec<AxisTap>,
    rows: Vec<AxisTap>,
    // Source rows sampled at the columns; source row `y` lies in slot `y % 4`.
    sampled: [Vec<i32>; 4],
}

#[derive(Debug, Clone)]
struct Free {
    offsets: Vec<u32>,
    fractions: Vec<[u8; 2]>,
    padded: Vec<u8>,
}

impl RemapTable {
    /// A table from a source of size `source` to `output`; neither is empty.
    pub(super) fn new(positions: &Positions, source: Size, output: Size) -> Self {
        let (across, down) = positions.step(output);
        let magnified = across.max(down) * CUBIC_FROM <= 1.0;
        let sampling = if magnified {
            Sampling::Cubic
        } else {
            Sampling::Bilinear
        };
        Self::with_sampling(positions, (source, output), sampling)
    }

    fn with_sampling(
        positions: &Positions,
        (source, output): (Size, Size),
        sampling: Sampling,
    ) -> Self {
        let kind = if positions.is_axis_aligned() {
            Axes::new(positions, (source, output), sampling).into_kind(source)
        } else {
            Kind::Free(Free::new(positions, source, output))
        };
        Self {
            source,
            output,
            sampling,
            kind,
            coverage: super::coverage::of(positions, source, output),
        }
    }

    /// Size of the source.
    pub fn source(&self) -> Size {
        self.source
    }

    /// Size of the result.
    pub fn output(&self) -> Size {
        self.output
    }

    /// How samples between pixels are made.
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// Where the source lies in the output: 255 inside, 0 outside, a short ramp inside its border.
    /// `None` where it fills the output.
    pub fn coverage(&self) -> Option<&Picture> {
        self.coverage.as_ref()
    }

    /// Resamples `source`, of the size this was made for, into `out`, which takes its channels.
    pub fn apply(&mut self, source: &Picture, out: &mut Picture) {
        debug_assert_eq!(source.size(), self.source);
        let channels = source.channels();
        out.reshape(self.output, channels);
        match &mut self.kind {
            Kind::Copy => out.data_mut().copy_from_slice(source.data()),
            Kind::Axes(axes) => axes.apply(source, out),
            Kind::Free(free) => free.apply(self.sampling, source, out),
        }
    }
}

/// The position rounded to 1/256 pixel and drawn into an axis of `len` pixels: whole and fraction.
fn quantise(position: f64, len: usize) -> (usize, u8) {
    let last = ((len - 1) * SUBPIXEL) as f64;
    // `max` and `min` also turn NaN (a point on a lens' horizon) into an end.
    let units = (position * SUBPIXEL as f64 + 0.5)
        .floor()
        .max(0.0)
        .min(last) as usize;
    (units / SUBPIXEL, (units % SUBPIXEL) as u8)
}

impl Axes {
    fn new(positions: &Positions, (source, output): (Size, Size), sampling: Sampling) -> Self {
        let column = |x: usize| {
            let at = quantise(positions.at(x as f64, 0.0).0, source.width);
            AxisTap::new(sampling, at, source.width)
        };
        let row = |y: usize| {
            let at = quantise(positions.at(0.0, y as f64).1, source.height);
            AxisTap::new(sampling, at, source.height)
        };
        Self {
            columns: (0..output.width).map(column).collect(),
            rows: (0..output.height).map(row).collect(),
            sampled: std::array::from_fn(|_| vec![0; output.width * 3]),
        }
    }

    fn into_kind(self, source: Size) -> Kind {
        let direct = |taps: &[AxisTap], len: usize| {
            let straight = |(i, tap): (usize, &AxisTap)| {
                tap.weights[1] == simd::TAP_ONE as i16 && tap.indices[1] as usize == i
            };
            taps.len() == len && taps.iter().enumerate().all(straight)
        };
        if direct(&self.columns, source.width) && direct(&self.rows, source.height) {
            Kind::Copy
        } else {
            Kind::Axes(self)
        }
    }

    fn apply(&mut self, source: &Picture, out: &mut Picture) {
        let samples = out.width() * out.channels();
        // The source row in each slot.
        let mut held = [usize::MAX; 4];
        for (y, tap) in self.rows.iter().enumerate() {
            let slots = tap.indices.map(|row| row as usize % 4);
            for (&row, &slot) in tap.indices.iter().zip(&slots) {
                let row = row as usize;
                if held[slot] != row {
                    let sampled = &mut self.sampled[slot][..samples];
                    simd::sample_row(source.channels(), source.row(row), &self.columns, sampled);
                    held[slot] = row;
                }
            }
            let rows = slots.map(|slot| &self.sampled[slot][..samples]);
            simd::combine_rows(rows, tap.weights, out.row_mut(y));
        }
    }
}

impl Free {
    fn new(positions: &Positions, source: Size, output: Size) -> Self {
        let stride = padded_size(source).width;
        let mut offsets = Vec::with_capacity(output.area());
        let mut fractions = Vec::with_capacity(output.area());
        for y in 0..output.height {
            for x in 0..output.width {
                let (u, v) = positions.at(x as f64, y as f64);
                let (column, fx) = quantise(u, source.width);
                let (row, fy) = quantise(v, source.height);
                // With the border before it, the tap before pixel i has index i.
                offsets.push((row * stride + column) as u32);
                fractions.push([fx, fy]);
            }
        }
        Self {
            offsets,
            fractions,
            padded: vec![0; padded_size(source).area() * 3],
        }
    }

    fn apply(&mut self, sampling: Sampling, source: &Picture, out: &mut Picture) {
        let padded = padded_size(source.size());
        let channels = source.channels();
        pad(source, &mut self.padded[..padded.area() * channels]);
        let taps = Taps {
            offsets: &self.offsets,
            fractions: &self.fractions,
        };
        let samples = &self.padded[..padded.area() * channels];
        simd::remap(
            (sampling, channels),
            samples,
            padded.width,
            taps,
            out.data_mut(),
        );
    }
}

fn padded_size(source: Size) -> Size {
    let border = PAD.before + PAD.after;
    Size::new(source.width + border, source.height + border)
}

/// Copies `source` into `padded`, its edges repeated over the border.
fn pad(source: &Picture, padded: &mut [u8]) {
    let channels = source.channels();
    let stride = padded_size(source.size()).width * channels;
    let body = PAD.before * channels..(PAD.before + source.width()) * channels;
    for (y, padded) in padded.chunks_exact_mut(stride).enumerate() {
        let row = source.row(y.saturating_sub(PAD.before).min(source.height() - 1));
        padded[body.clone()].copy_from_slice(row);
        let (first, last) = (&row[..channels], &row[row.len() - channels..]);
        for pixel in padded[..body.start].chunks_exact_mut(channels) {
            pixel.copy_from_slice(first);
        }
        for pixel in padded[body.end..].chunks_exact_mut(channels) {
            pixel.copy_from_slice(last);
        }
    }
}

#[cfg(test)]
#[path = "remap_tests.rs"]
mod tests;
