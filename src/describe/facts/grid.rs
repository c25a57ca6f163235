//! A picture reduced to a small grid, and the numbers the facts are made from.

use std::ops::Range;

use crate::frame::Picture;

/// Most cells along a side: a person of ten pixels in a 640x480 picture keeps two cells.
const MAX_CELLS: usize = 128;

/// Cell means, 0..=1, rows from the top.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

/// Mean and standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub mean: f32,
    pub deviation: f32,
}

impl Grid {
    /// Luma (BT.601 weights), averaged over square cells.
    pub fn luma(picture: &Picture) -> Self {
        Self::luma_in(picture, MAX_CELLS)
    }

    /// The same, with at most `cells` cells along a side.
    pub fn luma_in(picture: &Picture, cells: usize) -> Self {
        Self::reduce(picture, cells, luma_of)
    }

    /// How coloured: the largest less the smallest of R, G, B. All zero for a grey picture.
    pub fn colour(picture: &Picture) -> Self {
        Self::reduce(picture, MAX_CELLS, |pixel| match *pixel {
            [r, g, b] => u32::from(r.max(g).max(b) - r.min(g).min(b)),
            _ => 0,
        })
    }

    /// The smallest of R, G, B: high all over where haze or smoke lies over a scene.
    pub fn darkest_channel(picture: &Picture) -> Self {
        Self::reduce(picture, MAX_CELLS, |pixel| {
            u32::from(pixel.iter().copied().min().unwrap_or(0))
        })
    }

    fn reduce(picture: &Picture, cells: usize, value: impl Fn(&[u8]) -> u32) -> Self {
        let (w, h) = (picture.width(), picture.height());
        let step = w.max(h).div_ceil(cells).max(1);
        let (width, height) = (w.div_ceil(step), h.div_ceil(step));
        let mut sums = vec![0u32; width * height];
        for y in 0..h {
            let row = &mut sums[y / step * width..][..width];
            let cells = picture.row(y).chunks(step * picture.channels().max(1));
            for (sum, cell) in row.iter_mut().zip(cells) {
                *sum += cell
                    .chunks_exact(picture.channels().max(1))
                    .map(&value)
                    .sum::<u32>();
            }
        }
        let values = sums
            .iter()
            .enumerate()
            .map(|(i, &sum)| {
                // Cells at the right and lower border may hold fewer pixels.
                let across = step.min(w - i % width * step);
                let down = step.min(h - i / width * step);
                sum as f32 / (across * down) as f32 / 255.0
            })
            .collect();
        Self {
            width,
            height,
            values,
        }
    }

    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    pub fn spread(&self) -> Spread {
        spread(&self.values)
    }

    /// A part as a grid of its own.
    pub fn part(&self, columns: Range<usize>, rows: Range<usize>) -> Self {
        let (width, height) = (columns.len(), rows.len());
        let mut values = Vec::with_capacity(width * height);
        for y in rows {
            values.extend_from_slice(&self.values[y * self.width..][columns.clone()]);
        }
        Self {
            width,
            height,
            values,
        }
    }

    /// Mean and deviation of a part; zeros for an empty one.
    pub fn spread_in(&self, columns: Range<usize>, rows: Range<usize>) -> Spread {
        self.part(columns, rows).spread()
    }

    /// The value that `share` (0..=1) of the cells stay below; 0 for an empty grid.
    pub fn quantile(&self, share: f32) -> f32 {
        if self.values.is_empty() {
            return 0.0;
        }
        let mut values = self.values.clone();
        let at = ((values.len() - 1) as f32 * share.clamp(0.0, 1.0)).round() as usize;
        *values.select_nth_unstable_by(at, f32::total_cmp).1
    }

    /// Mean and deviation of each of 3x3 equal parts; zeros where the grid is too small for one.
    pub fn ninths(&self) -> [[Spread; 3]; 3] {
        let part = |i: usize, n: usize| i * n / 3..(i + 1) * n / 3;
        std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                self.spread_in(part(column, self.width), part(row, self.height))
            })
        })
    }

    /// Mean over a square of `2 * radius + 1` cells around each cell, by running sums.
    pub fn box_mean(&self, radius: usize) -> Self {
        let (w, h) = (self.width, self.height);
        let mut table = vec![0.0f64; (w + 1) * (h + 1)];
        for y in 0..h {
            let mut row = 0.0;
            for x in 0..w {
                row += f64::from(self.at(x, y));
                table[(y + 1) * (w + 1) + x + 1] = table[y * (w + 1) + x + 1] + row;
            }
        }
        let mut values = Vec::with_capacity(self.values.len());
        for y in 0..h {
            let (top, bottom) = (y.saturating_sub(radius), (y + radius + 1).min(h));
            for x in 0..w {
                let (left, right) = (x.saturating_sub(radius), (x + radius + 1).min(w));
                let sum = table[bottom * (w + 1) + right] + table[top * (w + 1) + left]
                    - table[top * (w + 1) + right]
                    - table[bottom * (w + 1) + left];
                values.push((sum / ((bottom - top) * (right - left)) as f64) as f32);
            }
        }
        Self {
            width: w,
            height: h,
            values,
        }
    }
}

/// BT.601 luma, 0..=255.
pub(super) fn luma(r: u8, g: u8, b: u8) -> u32 {
    (77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b)) >> 8
}

fn spread(values: &[f32]) -> Spread {
    if values.is_empty() {
        return Spread {
            mean: 0.0,
            deviation: 0.0,
        };
    }
    let n = values.len() as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n;
    Spread {
        mean,
        deviation: variance.max(0.0).sqrt(),
    }
}

/// Luma of a pixel of one or three channels, 0..=255.
fn luma_of(pixel: &[u8]) -> u32 {
    match *pixel {
        [r, g, b] => luma(r, g, b),
        [grey, ..] => u32::from(grey),
        [] => 0,
    }
}

/// Luma of row `y`, 0..=255.
pub(super) fn luma_row(picture: &Picture, y: usize, row: &mut [i32]) {
    let pixels = picture.row(y).chunks_exact(picture.channels().max(1));
    for (value, pixel) in row.iter_mut().zip(pixels) {
        *value = luma_of(pixel) as i32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;
    use proptest::prelude::*;

    #[test]
    fn border_cells_hold_the_mean_of_their_own_pixels() {
        // 257 columns: step 3, the last cell is two pixels wide.
        let mut picture = Picture::grey(Size::new(257, 2));
        picture.data_mut().fill(51);
        let grid = Grid::luma(&picture);
        assert_eq!((grid.width, grid.height), (86, 1));
        assert!(grid.values.iter().all(|v| (v - 0.2).abs() < 1e-6));
    }

    #[test]
    fn colour_is_zero_for_grey_and_not_for_red() {
        let grey = Picture::grey(Size::new(8, 8));
        assert_eq!(Grid::colour(&grey).spread().mean, 0.0);
        let red = Picture::from_data(Size::new(1, 1), 3, vec![255, 0, 0]).unwrap();
        assert_eq!(Grid::colour(&red).at(0, 0), 1.0);
    }

    proptest! {
        #[test]
        fn box_mean_is_the_mean_of_the_box(
            w in 1usize..12, h in 1usize..12, radius in 0usize..5, seed in any::<u32>(),
        ) {
            let values: Vec<f32> = (0..w * h)
                .map(|i| ((i as u32).wrapping_mul(2_654_435_761) ^ seed) as f32 / u32::MAX as f32)
                .collect();
            let grid = Grid { width: w, height: h, values };
            let mean = grid.box_mean(radius);
            for y in 0..h {
                for x in 0..w {
                    let mut sum = 0.0;
                    let mut n = 0.0;
                    for v in y.saturating_sub(radius)..(y + radius + 1).min(h) {
                        for u in x.saturating_sub(radius)..(x + radius + 1).min(w) {
                            sum += grid.at(u, v);
                            n += 1.0;
                        }
                    }
                    prop_assert!((mean.at(x, y) - sum / n).abs() < 1e-4);
                }
            }
        }

        #[test]
        fn any_size_reduces_within_bounds(w in 1usize..700, h in 1usize..40, rgb in any::<bool>()) {
            let picture = Picture::new(Size::new(w, h), if rgb { 3 } else { 1 });
            let grid = Grid::luma(&picture);
            prop_assert!(grid.width <= MAX_CELLS && grid.height <= MAX_CELLS);
            prop_assert_eq!(grid.values.len(), grid.width * grid.height);
        }
    }
}
