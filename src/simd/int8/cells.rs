//! Between planes of pixels and features of cells: 4 x 4 pixels are a cell, 4 x 4 cells are a
//! coarse cell.
//!
//! Input and output: slices whose sizes are asserted. Thread: any. Blocks: never. Allocates: some
//! rows, see [`lend`]. Fails when: slices do not fit (a panic: a caller's mistake). Not its job: the convolution.
//!
//! Single `f32` additions and multiplications in the order written: the same bytes everywhere.

use super::activity::Activity;
use super::scratch::lend;
use super::{CELL, Level, Path, Portable};

/// Pixels of a cell.
pub(super) const PIXELS: usize = CELL * CELL;

/// Channels of the features of two planes and their activity.
const FEATURES: usize = 3 * PIXELS;

/// Where [`Quantise::run`] puts pixel (dy, dx) of plane `plane`, and [`super::Blend::run`] finds it.
pub fn depth_order(plane: usize, dy: usize, dx: usize) -> usize {
    plane * PIXELS + dy * CELL + dx
}

/// What [`Quantise::run`] works on: two planes of `width` pixels a row, in 0..=1.
#[derive(Debug, Clone, Copy)]
pub struct Quantise<'a> {
    /// Both planes.
    pub planes: [&'a [f32]; 2],
    /// Pixels a row, a multiple of 4.
    pub width: usize,
    /// Levels from 0 to 1, at most 255.
    pub steps: f32,
    /// Gradient energy that counts as none.
    pub floor: f32,
    /// How it is computed.
    pub path: Path,
}

impl Quantise<'_> {
    /// Features `[height/4, width/4, 48]`, of which `out` gets the rows from `first` on for which
    /// it has room: pixel values times `steps`, less 128, in -127..=127; then which plane is the
    /// more active (see `activity`).
    pub fn run(&self, first: usize, out: &mut [i8]) {
        let row = self.width / CELL * FEATURES;
        assert!(self.width > 0 && self.width.is_multiple_of(CELL));
        assert!(out.len().is_multiple_of(row));
        let pixels = self.planes[0].len();
        assert!(self.planes[1].len() == pixels && pixels.is_multiple_of(self.width * CELL));
        assert!(first * row + out.len() <= pixels * 3);
        if out.is_empty() {
            return;
        }
        self.path.run(QuantiseRows {
            whole: *self,
            first,
            out,
        });
    }
}

struct QuantiseRows<'a> {
    whole: Quantise<'a>,
    first: usize,
    out: &'a mut [i8],
}

impl Portable for QuantiseRows<'_> {
    #[inline(always)]
    fn run(self) {
        let Quantise {
            planes,
            width,
            steps,
            floor,
            ..
        } = self.whole;
        let mut activity = Activity::new(planes, width, (steps, floor), self.first * CELL);
        let mut levels = lend(0, width);
        let rows = self.out.chunks_exact_mut(width / CELL * FEATURES);
        for (y, row) in (self.first..).zip(rows) {
            let (cells, _) = row.as_chunks_mut::<FEATURES>();
            for dy in 0..CELL {
                for (i, plane) in planes.iter().enumerate() {
                    let pixels = &plane[(y * CELL + dy) * width..][..width];
                    for (to, &pixel) in levels.iter_mut().zip(pixels) {
                        *to = i8::of(pixel * steps - 128.0);
                    }
                    spread(&levels, depth_order(i, dy, 0), cells);
                }
                activity.next_row(&mut levels);
                spread(&levels, depth_order(2, dy, 0), cells);
            }
        }
    }
}

/// A row of pixels to its places in the cells.
#[inline(always)]
fn spread(levels: &[i8], at: usize, cells: &mut [[i8; FEATURES]]) {
    for (cell, levels) in cells.iter_mut().zip(levels.as_chunks::<CELL>().0) {
        cell[at..at + CELL].copy_from_slice(levels);
    }
}

/// What [`Pool::run`] works on: features `[height, width, channels]`.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    /// The features.
    pub input: &'a [i8],
    /// Cells a row, a multiple of 4.
    pub width: usize,
    /// Of the features.
    pub channels: usize,
    /// From the input's levels to the output's.
    pub factor: f32,
    /// How it is computed.
    pub path: Path,
}

impl Pool<'_> {
    /// Means of 4 x 4 cells, times `factor`: features `[height/4, width/4, channels]`, of which
    /// `out` gets the rows from `first` on for which it has room.
    pub fn run(&self, first: usize, out: &mut [i8]) {
        let row = self.width / CELL * self.channels;
        assert!(self.width.is_multiple_of(CELL) && row > 0 && out.len().is_multiple_of(row));
        let input = &self.input[first * row * PIXELS..][..out.len() * PIXELS];
        let whole = Self { input, ..*self };
        self.path.run(PoolRows { whole, out });
    }
}

struct PoolRows<'a> {
    whole: Pool<'a>,
    out: &'a mut [i8],
}

impl Portable for PoolRows<'_> {
    #[inline(always)]
    fn run(self) {
        match self.whole.channels {
            32 => pool::<32>(self),
            _ => pool::<1>(self),
        }
    }
}

/// `N` channels together, of which there is a multiple.
#[inline(always)]
fn pool<const N: usize>(rows: PoolRows<'_>) {
    let Pool {
        input,
        width,
        channels,
        factor,
        ..
    } = rows.whole;
    let factor = factor / PIXELS as f32;
    let bands = input.chunks_exact(CELL * width * channels);
    let out = rows.out.chunks_exact_mut(width / CELL * channels);
    for (band, out) in bands.zip(out) {
        for (x, out) in out.chunks_exact_mut(channels).enumerate() {
            for (part, to) in out.as_chunks_mut::<N>().0.iter_mut().enumerate() {
                let mut sums = [0_i16; N]; // of at most 16 * 127
                for (dy, dx) in (0..PIXELS).map(|i| (i / CELL, i % CELL)) {
                    let cell = (dy * width + x * CELL + dx) * channels + part * N;
                    for (sum, &value) in sums.iter_mut().zip(&band[cell..cell + N]) {
                        *sum += i16::from(value);
                    }
                }
                for (to, sum) in to.iter_mut().zip(sums) {
                    *to = i8::of(f32::from(sum) * factor);
                }
            }
        }
    }
}
