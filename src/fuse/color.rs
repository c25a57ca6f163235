//! Colour: luma out of the sources, and the fused luma dressed in their colours again.
//!
//! Input: pictures of one size. Output: luma, or RGB. Thread: fuse. Blocks: never. Allocates:
//! only where an output never was that large before. Fails when: sizes differ (a panic: a
//! caller's mistake). Not its job: palettes (see `palette`).
//!
//! Colours are differences to luma, `(R - Y, G - Y, B - Y)`: Cb and Cr of BT.601 are
//! `(B - Y) / 1.772` and `(R - Y) / 1.402`, so a rule for chroma is the same rule here, and a
//! picture dressed in its own colours comes back within one step. All arithmetic is integer.
//!
//! Where luma and colour leave the range of RGB, the colour is drawn towards grey until it fits:
//! luma and hue stay, saturation gives. Clipping the channels would change all three.

use crate::config::Task;
use crate::frame::Picture;
use crate::simd;
use crate::simd::int8::{Path, Portable};

/// Fraction bits of a colour difference.
const SHIFT: u32 = 8;
/// Pixels that are dressed at once.
const BLOCK: usize = 32;
/// Fraction bits of a saturation.
const SATURATION: u32 = 14;

/// Where the fused picture's colours come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chroma {
    /// Nowhere: it is grey.
    Grey,
    /// Source A.
    Infrared,
    /// Source B.
    Visible,
    /// Both, each difference weighed by its own magnitude: the exposure that washed a colour out
    /// gives way to the one that kept it (Prabhakar et al., DeepFuse, ICCV 2017, section 3.3).
    Saturated,
    /// Both, the one whose luma is nearer to the fused luma more: the fused luma follows the
    /// sharp source, and colour blurred over an edge by the other one stays out.
    Nearer,
}

impl Chroma {
    /// The rule for a task and the sources' channels. Infrared-visible: the visible colours.
    /// Medical: those of source A (PET and SPECT are functional maps whose colour is their
    /// meaning), else of B. Two exposures: [`Chroma::Saturated`]; two foci: [`Chroma::Nearer`].
    /// One source in colour is always taken but for infrared, whose colours mean no reflectance.
    pub fn of(task: Task, infrared: &Picture, visible: &Picture) -> Self {
        match (task, infrared.channels() == 3, visible.channels() == 3) {
            (Task::Ivf, _, true) | (_, false, true) => Self::Visible,
            (Task::Ivf, _, false) | (_, false, false) => Self::Grey,
            (Task::Mif, true, _) | (_, true, false) => Self::Infrared,
            (Task::Mef, true, true) => Self::Saturated,
            (Task::Mff, true, true) => Self::Nearer,
        }
    }
}

/// Luma of a picture of 1 or 3 channels into `out`, which becomes a grey picture of its size.
pub fn luma(picture: &Picture, out: &mut Picture) {
    out.reshape(picture.size(), 1);
    match picture.channels() {
        1 => out.data_mut().copy_from_slice(picture.data()),
        _ => simd::luma_from_rgb(picture.data(), out.data_mut()),
    }
}

/// RGB with the luma of `fused` and the colours that [`Chroma::of`] the task takes from the two
/// sources. All of one size; `out` becomes RGB. Its luma is within 1 of `fused`.
pub fn recombine(
    task: Task,
    infrared: &Picture,
    visible: &Picture,
    fused: &Picture,
    out: &mut Picture,
) {
    let size = fused.size();
    assert!(infrared.size() == size && visible.size() == size && fused.channels() == 1);
    out.reshape(size, 3);
    let (a, b) = (infrared.data(), visible.data());
    let (fused, out) = (fused.data(), out.data_mut());
    match Chroma::of(task, infrared, visible) {
        Chroma::Grey => {
            for (px, &y) in out.chunks_exact_mut(3).zip(fused) {
                px.fill(y);
            }
        }
        Chroma::Infrared => dress(Path::best(), a, fused, out),
        Chroma::Visible => dress(Path::best(), b, fused, out),
        Chroma::Saturated => dress_both((a, b), fused, out, saturated),
        Chroma::Nearer => dress_both((a, b), fused, out, nearer),
    }
}

fn dress(path: Path, source: &[u8], fused: &[u8], out: &mut [u8]) {
    path.run(Dress { source, fused, out });
}

struct Dress<'a> {
    source: &'a [u8],
    fused: &'a [u8],
    out: &'a mut [u8],
}

impl Portable for Dress<'_> {
    #[inline(always)]
    fn run(self) {
        let sources = self.source.chunks(3 * BLOCK);
        let blocks = sources.zip(self.fused.chunks(BLOCK));
        for (out, (source, fused)) in self.out.chunks_mut(3 * BLOCK).zip(blocks) {
            if !shift(source, fused, out) {
                dress_each(source, fused, out);
            }
        }
    }
}

/// The colours of a block moved by what their luma lacks: `y + (c - l)` is `c + (y - l)`, one step for
/// all three channels. False where a colour does not fit: then the block has to be dressed again.
/// Without a branch and a quotient, compilers make vector instructions of it.
#[inline(always)]
fn shift(source: &[u8], fused: &[u8], out: &mut [u8]) -> bool {
    let slack = 1 << (SHIFT - 1);
    let mut room = 0;
    let pixels = source.chunks_exact(3).zip(fused);
    for (px, (source, &y)) in out.chunks_exact_mut(3).zip(pixels) {
        let [r, g, b] = [source[0], source[1], source[2]].map(i32::from);
        let (luma, y) = (fine_luma([r, g, b]), i32::from(y) << SHIFT);
        let step = y - luma + slack;
        // As in `fit`; below zero where the brightest or the darkest channel has no room.
        room |= (255 << SHIFT) - (r.max(g).max(b) << SHIFT) - (y - luma) + slack;
        room |= (r.min(g).min(b) << SHIFT) + step;
        px[0] = (r + (step >> SHIFT)).clamp(0, 255) as u8;
        px[1] = (g + (step >> SHIFT)).clamp(0, 255) as u8;
        px[2] = (b + (step >> SHIFT)).clamp(0, 255) as u8;
    }
    room >= 0
}

fn dress_each(source: &[u8], fused: &[u8], out: &mut [u8]) {
    let pixels = source.chunks_exact(3).zip(fused);
    for (px, (source, &y)) in out.chunks_exact_mut(3).zip(pixels) {
        px.copy_from_slice(&fit(i32::from(y), Pixel::of(source).difference));
    }
}

fn dress_both(
    (a, b): (&[u8], &[u8]),
    fused: &[u8],
    out: &mut [u8],
    rule: impl Fn(&Pixel, &Pixel, i32) -> [i32; 3],
) {
    let pixels = a.chunks_exact(3).zip(b.chunks_exact(3)).zip(fused);
    for (px, ((a, b), &y)) in out.chunks_exact_mut(3).zip(pixels) {
        let y = i32::from(y);
        px.copy_from_slice(&fit(y, rule(&Pixel::of(a), &Pixel::of(b), y)));
    }
}

/// A colour as luma and differences to it, in 1/2^SHIFT.
struct Pixel {
    luma: i32,
    difference: [i32; 3],
}

impl Pixel {
    fn of(rgb: &[u8]) -> Self {
        let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(i32::from);
        let luma = fine_luma([r, g, b]);
        Self {
            luma,
            difference: [r, g, b].map(|c| (c << SHIFT) - luma),
        }
    }
}

/// In 1/2^SHIFT.
#[inline(always)]
fn fine_luma([r, g, b]: [i32; 3]) -> i32 {
    (r * 19_595 + g * 38_470 + b * 7_471 + (1 << 7)) >> (16 - SHIFT)
}

/// [`Chroma::Saturated`]: red and blue differences each `(a |a| + b |b|) / (|a| + |b|)`; green
/// follows, since the three weighed by luma's coefficients add up to nothing.
fn saturated(a: &Pixel, b: &Pixel, _fused: i32) -> [i32; 3] {
    let weigh = |a: i32, b: i32| {
        // Four bits less, rounded, so that squares fit; the quotient has them again.
        let (a, b) = ((a + 8) >> 4, (b + 8) >> 4);
        let sum = (a * a.abs() + b * b.abs()) << 4;
        sum.checked_div(a.abs() + b.abs()).unwrap_or(0)
    };
    let red = weigh(a.difference[0], b.difference[0]);
    let blue = weigh(a.difference[2], b.difference[2]);
    // 0.299 / 0.587 and 0.114 / 0.587 in 1/2^14.
    let green = -((red * 8_345 + blue * 3_182 + (1 << 13)) >> 14);
    [red, green, blue]
}

/// [`Chroma::Nearer`]: weights are the squared distances of the *other* source's luma, plus one so
/// that equal sources count alike and no step appears between them.
fn nearer(a: &Pixel, b: &Pixel, fused: i32) -> [i32; 3] {
    let distance = |p: &Pixel| {
        let far = ((p.luma + (1 << (SHIFT - 1))) >> SHIFT) - fused;
        far * far + 1
    };
    let (far_a, far_b) = (distance(a), distance(b));
    let total = far_a + far_b;
    let weight = ((far_b << SHIFT) + total / 2) / total;
    let other = (1 << SHIFT) - weight;
    std::array::from_fn(|c| (a.difference[c] * weight + b.difference[c] * other) >> SHIFT)
}

/// The colour of this luma and these differences (in 1/2^SHIFT), drawn to grey until it fits.
fn fit(luma: i32, difference: [i32; 3]) -> [u8; 3] {
    let [r, g, b] = difference;
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let mut saturation = 1 << SATURATION;
    // Half a step over is the rounding of luma, not a colour out of range; the clamp takes it.
    let slack = 1 << (SHIFT - 1);
    let above = ((255 - luma) << SHIFT) + slack;
    let below = (luma << SHIFT) + slack;
    if most > above {
        saturation = saturation.min((above << SATURATION) / most);
    }
    if -least > below {
        saturation = saturation.min((below << SATURATION) / -least);
    }
    let bits = SHIFT + SATURATION;
    difference.map(|d| {
        let value = (luma << bits) + d * saturation + (1 << (bits - 1));
        (value >> bits).clamp(0, 255) as u8
    })
}

#[cfg(test)]
#[path = "color_tests.rs"]
mod tests;
