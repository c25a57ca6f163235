//! Pictures brought to another size, with the right aspect, row by row.
//!
//! Input: a grey or RGB [`Picture`]. Output: rows of [`PixelOrder`] samples in any memory, written once and
//! in order, never read: the scan-out buffers of displays are slow to read. Thread: present. Blocks: never.
//! Allocates: in [`Scaler::new`]. A target too short is filled as far as it goes. Not its job: the bars
//! beside the picture.

use crate::frame::{Picture, Size};

/// A part of a picture, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Columns left of it.
    pub x: usize,
    /// Rows above it.
    pub y: usize,
    /// Its size.
    pub size: Size,
}

/// The largest rectangle of the aspect of `src` inside `dst`, in the middle. Its sides are at
/// least 1 where those of `dst` are; square pixels are taken for granted.
pub fn fit(src: Size, dst: Size) -> Rect {
    if src.area() == 0 || dst.area() == 0 {
        let size = Size::new(0, 0);
        return Rect { x: 0, y: 0, size };
    }
    let scaled = |side: usize, by: usize, of: usize| (side * by + of / 2) / of;
    let size = if src.width * dst.height >= src.height * dst.width {
        let height = scaled(src.height, dst.width, src.width);
        Size::new(dst.width, height.clamp(1, dst.height))
    } else {
        let width = scaled(src.width, dst.height, src.height);
        Size::new(width.clamp(1, dst.width), dst.height)
    };
    Rect {
        x: (dst.width - size.width) / 2,
        y: (dst.height - size.height) / 2,
        size,
    }
}

/// How values between pixels are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// The nearest pixel: shows what a small sensor really gave.
    Nearest,
    /// Weighted by distance; at half size the mean of four pixels.
    Bilinear,
}

/// Samples of a target pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red, nothing: DRM's XRGB8888, little-endian.
    Xrgb8888,
}

impl PixelOrder {
    /// Bytes a pixel.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Xrgb8888 => 4,
        }
    }
}

/// The two source positions of a target position and the weight of the second, in 1/256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tap {
    first: u32,
    second: u32,
    weight: u16,
}

fn taps(src: usize, dst: usize, filter: Filter) -> Vec<Tap> {
    let last = src.saturating_sub(1);
    let index = |n: usize| u32::try_from(n.min(last)).unwrap_or(u32::MAX);
    (0..dst)
        .map(|n| {
            // Centre of target pixel n in the source, in 1/256 of a pixel from the first centre.
            let centre = ((2 * n + 1) * src * 128 / dst).saturating_sub(128);
            let nearest = (2 * n + 1) * src / (2 * dst);
            match filter {
                Filter::Nearest => Tap {
                    first: index(nearest),
                    second: index(nearest),
                    weight: 0,
                },
                Filter::Bilinear => Tap {
                    first: index(centre / 256),
                    second: index(centre / 256 + 1),
                    weight: u16::try_from(centre % 256).unwrap_or(0),
                },
            }
        })
        .collect()
}

/// A source row at the target's width and layout.
#[derive(Debug)]
struct Row {
    source: Option<u32>,
    samples: Vec<u8>,
}

/// Scales pictures of one size to one other size.
#[derive(Debug)]
pub struct Scaler {
    src: Size,
    dst: Size,
    layout: PixelOrder,
    columns: Vec<Tap>,
    rows: Vec<Tap>,
    // Enlarging, one source row serves several target rows: it is widened once.
    cache: [Row; 2],
}

impl Scaler {
    /// From `src` to `dst` pixels.
    pub fn new(src: Size, dst: Size, filter: Filter, layout: PixelOrder) -> Self {
        let row = || Row {
            source: None,
            samples: vec![0; dst.width * layout.bytes()],
        };
        Self {
            src,
            dst,
            layout,
            columns: taps(src.width, dst.width, filter),
            rows: taps(src.height, dst.height, filter),
            cache: [row(), row()],
        }
    }

    /// Size of the pictures it takes.
    pub fn src(&self) -> Size {
        self.src
    }

    /// Writes `picture` to `target`, whose rows are `pitch` bytes apart, from its first byte on.
    /// A picture of another size than [`Scaler::src`] is not written.
    pub fn scale(&mut self, picture: &Picture, target: &mut [u8], pitch: usize) {
        let bytes = self.dst.width * self.layout.bytes();
        if picture.size() != self.src || self.src.area() == 0 || bytes == 0 || pitch < bytes {
            return;
        }
        if self.src == self.dst && (picture.channels(), self.layout) == (3, PixelOrder::Rgb) {
            for (out, row) in target.chunks_mut(pitch).zip(picture.data().chunks(bytes)) {
                if let Some(out) = out.get_mut(..bytes) {
                    out.copy_from_slice(row);
                }
            }
            return;
        }
        for row in &mut self.cache {
            row.source = None;
        }
        for (n, out) in target.chunks_mut(pitch).take(self.dst.height).enumerate() {
            let Some(out) = out.get_mut(..bytes) else {
                return;
            };
            let tap = self.rows[n];
            self.widen(picture, tap.first, 0);
            if tap.weight == 0 {
                out.copy_from_slice(&self.cache[0].samples);
                continue;
            }
            self.widen(picture, tap.second, 1);
            let [above, below] = &self.cache;
            let pairs = above.samples.iter().zip(&below.samples);
            for (out, (&a, &b)) in out.iter_mut().zip(pairs) {
                *out = mix(a, b, tap.weight);
            }
        }
    }

    /// Makes `cache[slot]` hold source row `y`.
    fn widen(&mut self, picture: &Picture, y: u32, slot: usize) {
        if self.cache[slot].source == Some(y) {
            return;
        }
        // Going down the picture, the lower row of the pair before is the upper one now.
        if slot == 0 {
            self.cache.swap(0, 1);
            if self.cache[0].source == Some(y) {
                return;
            }
        }
        let row = &mut self.cache[slot];
        row.source = Some(y);
        let source = picture.row(y as usize);
        match (picture.channels(), self.layout) {
            (1, PixelOrder::Rgb) => widen::<1, 3>(source, &mut row.samples, &self.columns, [0; 3]),
            (1, PixelOrder::Xrgb8888) => {
                widen::<1, 4>(source, &mut row.samples, &self.columns, [0; 3]);
            }
            (_, PixelOrder::Rgb) => {
                widen::<3, 3>(source, &mut row.samples, &self.columns, [0, 1, 2])
            }
            (_, PixelOrder::Xrgb8888) => {
                widen::<3, 4>(source, &mut row.samples, &self.columns, [2, 1, 0]);
            }
        }
    }
}

/// `order[c]` is the source channel of target channel `c`.
fn widen<const IN: usize, const OUT: usize>(
    source: &[u8],
    target: &mut [u8],
    columns: &[Tap],
    order: [usize; 3],
) {
    let (source, _) = source.as_chunks::<IN>();
    let (target, _) = target.as_chunks_mut::<OUT>();
    if columns.len() == source.len() {
        // One pixel of the source each: no taps to look up.
        for (out, pixel) in target.iter_mut().zip(source) {
            for (out, &channel) in out.iter_mut().zip(&order) {
                *out = pixel[channel];
            }
        }
        return;
    }
    for (out, tap) in target.iter_mut().zip(columns) {
        let (a, b) = (&source[tap.first as usize], &source[tap.second as usize]);
        for (out, &channel) in out.iter_mut().zip(&order) {
            *out = mix(a[channel], b[channel], tap.weight);
        }
    }
}

/// `a` and `b` weighted by 256 - `weight` and `weight`, rounded.
fn mix(a: u8, b: u8, weight: u16) -> u8 {
    let sum = u16::from(a) * (256 - weight) + u16::from(b) * weight;
    // At most 255 * 256: the rounding term cannot overflow.
    ((sum + 128) >> 8) as u8
}

#[cfg(test)]
#[path = "scale_tests.rs"]
mod tests;
