//! One level of a pyramid: the rank of each pixel's luma, and which pixels have one.

use crate::frame::{Picture, Size};

/// Luma that an exposure cut off has no rank of its own.
const CLIPPED: std::ops::RangeInclusive<u8> = 4..=250;

/// Ranks 0..=255, or negative where the luma is cut off.
#[derive(Debug)]
pub struct Level {
    pub size: Size,
    luma: Vec<u8>,
    pub ranks: Vec<f32>,
}

impl Level {
    /// Of a grey picture.
    pub fn new(picture: &Picture) -> Self {
        Self::of(picture.size(), picture.data().to_vec())
    }

    fn of(size: Size, luma: Vec<u8>) -> Self {
        let rank = ranks(&luma);
        let raw: Vec<f32> = luma
            .iter()
            .map(|v| {
                if CLIPPED.contains(v) {
                    rank[usize::from(*v)]
                } else {
                    -1.0
                }
            })
            .collect();
        Self {
            size,
            luma,
            ranks: raw,
        }
    }

    /// Half as wide and high: means of four.
    pub fn halved(&self) -> Self {
        let size = Size::new(self.size.width / 2, self.size.height / 2);
        let mut luma = Vec::with_capacity(size.area());
        for y in 0..size.height {
            let (above, below) = (2 * y * self.size.width, (2 * y + 1) * self.size.width);
            for x in 0..size.width {
                let at = |row: usize, x: usize| u32::from(self.luma[row + x]);
                let sum = at(above, 2 * x)
                    + at(above, 2 * x + 1)
                    + at(below, 2 * x)
                    + at(below, 2 * x + 1);
                luma.push(((sum + 2) / 4) as u8);
            }
        }
        Self::of(size, luma)
    }

    /// The rank between pixels and its slope to the right and down; `None`: outside, or beside what is cut off.
    pub fn at(&self, x: f64, y: f64) -> Option<(f32, f32, f32)> {
        let Size { width, height } = self.size;
        let inside = x >= 0.0 && y >= 0.0 && x < (width - 1) as f64 && y < (height - 1) as f64;
        if !inside {
            return None;
        }
        let (u, v) = (x as usize, y as usize);
        let (p, q) = ((x - u as f64) as f32, (y - v as f64) as f32);
        let row = &self.ranks[v * width + u..v * width + u + 2];
        let next = &self.ranks[(v + 1) * width + u..(v + 1) * width + u + 2];
        let (a, b, c, d) = (row[0], row[1], next[0], next[1]);
        if a < 0.0 || b < 0.0 || c < 0.0 || d < 0.0 {
            return None;
        }
        let (top, bottom) = (a + p * (b - a), c + p * (d - c));
        let across = (1.0 - q) * (b - a) + q * (d - c);
        Some((top + q * (bottom - top), across, bottom - top))
    }
}

/// The middle rank, 0..=255, of each luma among all pixels.
pub fn ranks(luma: &[u8]) -> [f32; 256] {
    let mut histogram = [0u32; 256];
    for &v in luma {
        histogram[usize::from(v)] += 1;
    }
    let total = luma.len().max(1) as f32;
    let mut below = 0;
    histogram.map(|n| {
        let middle = below as f32 + n as f32 / 2.0;
        below += n;
        255.0 * middle / total
    })
}
