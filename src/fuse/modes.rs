//! What is shown: one RGB picture by mode.
//!
//! Input: an [`AlignedPair`] and its fused luma. Output: RGB. Thread: fuse. Blocks: never.
//! Allocates: when made; later only where a picture never was that large before. Fails when:
//! sizes differ (a panic: a caller's mistake). Not its job: the overlay's text.

use super::color;
use super::palette::{Lut, lut_of};
use crate::align::AlignedPair;
use crate::align::area::AreaShrink;
use crate::config::{Mode, Palette, Task};
use crate::frame::{Picture, Size};
use crate::simd;

/// Edges weaker than this are mostly sensor noise and are not drawn.
const EDGE_FLOOR: u8 = 10;
/// Edges are drawn in a colour that no palette but rainbow has, and in white over rainbow.
const EDGE: [u8; 3] = [96, 255, 128];
const EDGE_ON_RAINBOW: [u8; 3] = [255; 3];
/// The inset's side is this part of the picture's.
const INSET: usize = 3;
const BORDER: [u8; 3] = [235; 3];

/// What to show and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DisplaySettings {
    /// What is fused: tells whose colours count.
    pub task: Task,
    /// What is shown.
    pub mode: Mode,
    /// Colours of thermal values; the other tasks' sources show their own colours.
    pub palette: Palette,
}

/// Makes the shown picture; owns the scratch pictures for it.
///
/// For each pair: [`Composer::luma_planes`], then a fuser where [`Composer::needs_fusion`], then
/// [`Composer::compose`].
#[derive(Debug)]
pub struct Composer {
    /// Luma of source A as aligned.
    thermal: Picture,
    /// The same with source B where A has no view.
    infrared: Picture,
    visible: Picture,
    /// The planes of the pair before.
    before: [Picture; 2],
    /// The last pair's plane of source A was `infrared`, not `thermal`.
    mixed: bool,
    edges: Vec<u8>,
    /// Source A in colours.
    colours: Picture,
    shrink: AreaShrink,
    inset: Picture,
}

impl Composer {
    /// For pictures of `size`, which is not empty.
    pub fn new(size: Size) -> Self {
        let part = |side: usize| (side / INSET).max(1);
        let inset = Size::new(part(size.width), part(size.height));
        Self {
            thermal: Picture::grey(size),
            infrared: Picture::grey(size),
            visible: Picture::grey(size),
            before: [Picture::grey(size), Picture::grey(size)],
            mixed: false,
            edges: vec![0; size.width],
            colours: Picture::rgb(size),
            shrink: AreaShrink::new(size, inset),
            inset: Picture::rgb(inset),
        }
    }

    /// Luma of source A and of source B, to fuse. Where A has no view its luma is B's, and a
    /// missing source's is the other one's, so that fusion has nothing to choose there.
    pub fn luma_planes(&mut self, aligned: &AlignedPair) -> (&Picture, &Picture) {
        self.luma_planes_with(aligned, (|_: &mut Picture| {}, |_: &mut Picture| {}))
    }

    /// The same; each closure may change the luma of its source first, where that is there: A, then B.
    pub fn luma_planes_with(
        &mut self,
        aligned: &AlignedPair,
        change: (impl FnOnce(&mut Picture), impl FnOnce(&mut Picture)),
    ) -> (&Picture, &Picture) {
        self.set_aside();
        if aligned.has_infrared {
            color::luma(&aligned.infrared, &mut self.thermal);
            change.0(&mut self.thermal);
        }
        if aligned.has_visible {
            color::luma(&aligned.visible, &mut self.visible);
            change.1(&mut self.visible);
        }
        match (aligned.has_infrared, aligned.has_visible) {
            (true, true) if aligned.is_covered => {}
            (true, true) => {
                self.mixed = true;
                self.infrared.reshape(self.thermal.size(), 1);
                let (ours, theirs) = (self.thermal.data(), self.visible.data());
                let weight = aligned.coverage.data();
                simd::mix(ours, theirs, weight, self.infrared.data_mut());
            }
            (true, false) => self.visible.copy_from(&self.thermal),
            (false, true) => self.thermal.copy_from(&self.visible),
            (false, false) => {}
        }
        self.planes()
    }

    /// What [`Composer::luma_planes`] made last.
    pub fn planes(&self) -> (&Picture, &Picture) {
        let infrared = match self.mixed {
            true => &self.infrared,
            false => &self.thermal,
        };
        (infrared, &self.visible)
    }

    /// What it had made of the pair before; black where there was none.
    pub fn planes_before(&self) -> [&Picture; 2] {
        self.before.each_ref()
    }

    /// The planes become those of the pair before, without a copy.
    fn set_aside(&mut self) {
        let infrared = match std::mem::take(&mut self.mixed) {
            true => &mut self.infrared,
            false => &mut self.thermal,
        };
        std::mem::swap(infrared, &mut self.before[0]);
        std::mem::swap(&mut self.visible, &mut self.before[1]);
    }

    /// Whether [`Composer::compose`] will look at the fused luma.
    pub fn needs_fusion(mode: Mode, aligned: &AlignedPair) -> bool {
        mode == Mode::Fused && aligned.has_infrared && aligned.has_visible
    }

    /// Puts the shown picture into `out`, which becomes RGB. [`Composer::luma_planes`] was called
    /// for this pair; `fused` is only looked at where [`Composer::needs_fusion`]. With one source
    /// missing every mode shows the other one alone; with both missing `out` is black.
    pub fn compose(
        &mut self,
        view: DisplaySettings,
        aligned: &AlignedPair,
        fused: &Picture,
        out: &mut Picture,
    ) {
        out.reshape(self.visible.size(), 3);
        match (aligned.has_infrared, aligned.has_visible) {
            (true, true) => self.compose_both(view, aligned, fused, out),
            (true, false) => paint_source_a(&self.thermal, view, aligned, out),
            (false, true) => paint(&aligned.visible, out),
            (false, false) => out.data_mut().fill(0),
        }
    }

    fn compose_both(
        &mut self,
        view: DisplaySettings,
        aligned: &AlignedPair,
        fused: &Picture,
        out: &mut Picture,
    ) {
        match view.mode {
            Mode::Fused => {
                let (infrared, visible) = (&aligned.infrared, &aligned.visible);
                color::recombine(view.task, infrared, visible, fused, out);
            }
            Mode::Visible => paint(&aligned.visible, out),
            Mode::Thermal => paint_source_a(&self.thermal, view, aligned, out),
            Mode::Blend => self.blend(view, aligned, out),
            Mode::Edges => {
                paint_source_a(&self.thermal, view, aligned, out);
                self.draw_edges(view, out);
            }
            Mode::PictureInPicture => {
                paint(&aligned.visible, out);
                self.draw_inset(view, aligned, out);
            }
        }
    }

    fn blend(&mut self, view: DisplaySettings, aligned: &AlignedPair, out: &mut Picture) {
        match view.task {
            Task::Ivf => paint_palette(&self.thermal, lut_of(view.palette), &mut self.colours),
            _ => paint(&aligned.infrared, &mut self.colours),
        }
        paint(&aligned.visible, out);
        if aligned.is_covered {
            simd::blend(self.colours.data(), out.data_mut());
            return;
        }
        let pixels = out
            .data_mut()
            .chunks_exact_mut(3)
            .zip(self.colours.data().chunks_exact(3));
        for ((px, colour), &seen) in pixels.zip(aligned.coverage.data()) {
            for (sample, &colour) in px.iter_mut().zip(colour) {
                *sample = weigh(colour, *sample, seen / 2);
            }
        }
    }

    fn draw_edges(&mut self, view: DisplaySettings, out: &mut Picture) {
        let rainbow = view.task == Task::Ivf && view.palette == Palette::Rainbow;
        let ink = if rainbow { EDGE_ON_RAINBOW } else { EDGE };
        let last = self.visible.height() - 1;
        for y in 0..=last {
            let rows = [y.saturating_sub(1), y, (y + 1).min(last)].map(|y| self.visible.row(y));
            simd::sobel_row(rows, &mut self.edges);
            for (px, &edge) in out.row_mut(y).chunks_exact_mut(3).zip(&self.edges) {
                let weight = edge.saturating_sub(EDGE_FLOOR).saturating_mul(2);
                for (sample, ink) in px.iter_mut().zip(ink) {
                    *sample = weigh(ink, *sample, weight);
                }
            }
        }
    }

    fn draw_inset(&mut self, view: DisplaySettings, aligned: &AlignedPair, out: &mut Picture) {
        self.paint_small(view, aligned);
        let (whole, inset) = (out.size(), self.inset.size());
        let margin = whole.width.min(whole.height) / 40;
        let left = whole.width.saturating_sub(inset.width + margin);
        // Below the overlay's title, above its text.
        let top = (whole.height / 15 + margin).min(whole.height.saturating_sub(inset.height));
        let thick = if inset.width.min(inset.height) >= 16 {
            2
        } else {
            0
        };
        for y in 0..inset.height {
            let edge_row = y < thick || y + thick >= inset.height;
            let row = &mut out.row_mut(top + y)[left * 3..(left + inset.width) * 3];
            row.copy_from_slice(self.inset.row(y));
            for (x, px) in row.chunks_exact_mut(3).enumerate() {
                if edge_row || x < thick || x + thick >= inset.width {
                    px.copy_from_slice(&BORDER);
                }
            }
        }
    }

    /// Source A in its colours, at the inset's size.
    fn paint_small(&mut self, view: DisplaySettings, aligned: &AlignedPair) {
        paint_source_a(&self.thermal, view, aligned, &mut self.colours);
        self.shrink.apply(&self.colours, &mut self.inset);
    }
}

/// Source A in its colours: the palette's for thermal values, else its own; black where it has
/// no view.
fn paint_source_a(
    thermal: &Picture,
    view: DisplaySettings,
    aligned: &AlignedPair,
    out: &mut Picture,
) {
    match view.task {
        Task::Ivf => paint_palette(thermal, lut_of(view.palette), out),
        _ => paint(&aligned.infrared, out),
    }
    if aligned.is_covered {
        return;
    }
    let pixels = out.data_mut().chunks_exact_mut(3);
    for (px, &seen) in pixels.zip(aligned.coverage.data()) {
        for sample in px {
            *sample = weigh(*sample, 0, seen);
        }
    }
}

/// `a` where `weight` is 255, `b` where it is 0.
fn weigh(a: u8, b: u8, weight: u8) -> u8 {
    let (a, b, weight) = (u32::from(a), u32::from(b), u32::from(weight));
    ((a * weight + b * (255 - weight) + 127) / 255) as u8
}

/// A picture of 1 or 3 channels as RGB.
fn paint(picture: &Picture, out: &mut Picture) {
    out.reshape(picture.size(), 3);
    match picture.channels() {
        1 => {
            for (px, &grey) in out.data_mut().chunks_exact_mut(3).zip(picture.data()) {
                px.fill(grey);
            }
        }
        _ => out.data_mut().copy_from_slice(picture.data()),
    }
}

fn paint_palette(grey: &Picture, lut: &Lut, out: &mut Picture) {
    out.reshape(grey.size(), 3);
    for (px, &level) in out.data_mut().chunks_exact_mut(3).zip(grey.data()) {
        px.copy_from_slice(&lut[usize::from(level)]);
    }
}

#[cfg(test)]
#[path = "modes_tests.rs"]
mod tests;
