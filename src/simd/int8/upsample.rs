//! Times-4 upsampling of a coarse grid, added to features.
//!
//! Input and output: levels `[height, width, channels]`; slices whose sizes are asserted. Thread:
//! any. Blocks: never. Allocates: [`Upsampler::new`], and a copy of the coarse grid in
//! [`Upsampler::add`], see [`lend`]. Fails when: slices do not fit (a panic: a caller's mistake). Not its job:
//! what the grid holds.
//!
//! Single `f32` additions and multiplications in the order written: the same bytes everywhere.

use super::cells::PIXELS;
use super::scratch::{Lent, lend};
use super::{BLOCK, CELL, Level, Path, Portable};

/// Times-4 upsampling by a depthwise 3x3 to 16 sub-positions, and its sum with features.
#[derive(Debug, Clone, PartialEq)]
pub struct Upsampler {
    channels: usize,
    path: Path,
    /// Per block of channels, per sub-position.
    packed: Vec<Position>,
}

/// What one of the 16 sub-positions does, for a block of channels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Position {
    /// Taps in steps of their own per channel: at most 127 each and 255 together, so that the sum
    /// of nine products with levels fits 16 bits.
    pub(super) taps: [[i16; BLOCK]; 9],
    /// From such a sum to the output's levels.
    pub(super) factor: [f32; BLOCK],
    /// In the output's levels.
    pub(super) bias: [f32; BLOCK],
}

impl Position {
    const EMPTY: Self = Self {
        taps: [[0; BLOCK]; 9],
        factor: [0.0; BLOCK],
        bias: [0.0; BLOCK],
    };

    /// Sets channel `c` from taps in the output's levels per level of the grid.
    fn set(&mut self, c: usize, taps: [f32; 9], bias: f32) {
        let largest = taps.iter().fold(0.0, |most: f32, tap| most.max(tap.abs()));
        let sum: f32 = taps.iter().map(|tap| tap.abs()).sum();
        // Rounding adds at most a half to each of nine.
        let step = (largest / 127.0).max(sum / 250.0).max(f32::MIN_POSITIVE);
        for (to, tap) in self.taps.iter_mut().zip(taps) {
            to[c] = i16::from(i8::of(tap / step));
        }
        (self.factor[c], self.bias[c]) = (step, bias);
    }
}

/// What [`Upsampler::add`] works on.
#[derive(Debug)]
pub struct Upsampling<'a> {
    upsampler: &'a Upsampler,
    pub(super) features: &'a [i8],
    pub(super) factor: f32,
    /// Per block of channels, with a border of zeros.
    grid: Lent<[i16; BLOCK]>,
    pub(super) width: usize,
}

impl Upsampling<'_> {
    /// Channels of features and grid.
    #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
    pub(super) fn channels(&self) -> usize {
        self.upsampler.channels
    }
}

impl Upsampler {
    /// Weights `[channels * 16, 1, 3, 3]` and bias `[channels * 16]` of the depthwise convolution;
    /// `scales` are the values of one level of the grid and of the output.
    ///
    /// # Errors
    /// A sentence, where sizes do not fit or a number is not finite.
    pub fn new(
        channels: usize,
        weights: &[f32],
        bias: &[f32],
        (grid_scale, scale): (f32, f32),
        path: Path,
    ) -> Result<Self, String> {
        if channels == 0 || channels > 4096 {
            return Err(format!("{channels} channels; 1 to 4096 are needed"));
        }
        if weights.len() != channels * PIXELS * 9 || bias.len() != channels * PIXELS {
            return Err(format!(
                "{} weights and {} biases for {channels} channels; {} and {} are needed",
                weights.len(),
                bias.len(),
                channels * PIXELS * 9,
                channels * PIXELS
            ));
        }
        let scaled = |v: &f32| v / scale;
        let finite = |values: &[f32], by: f32| values.iter().all(|v| scaled(&(v * by)).is_finite());
        if !finite(weights, grid_scale) || !finite(bias, 1.0) {
            return Err("a weight, a bias or a scale is not finite".to_owned());
        }
        let mut packed = vec![Position::EMPTY; channels.div_ceil(BLOCK) * PIXELS];
        let rows = bias.iter().zip(weights.as_chunks::<9>().0).enumerate();
        for (row, (bias, taps)) in rows {
            let (c, position) = (row / PIXELS, row % PIXELS);
            let taps = taps.map(|tap| scaled(&(tap * grid_scale)));
            packed[c / BLOCK * PIXELS + position].set(c % BLOCK, taps, scaled(bias));
        }
        Ok(Self {
            channels,
            path,
            packed,
        })
    }

    /// Channels of features and grid.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// `out` = `features` times `factor` (from their levels to the output's) plus the upsampled
    /// `grid`: features and output `[height, width, channels]`, grid `[height/4, width/4,
    /// channels]`.
    pub fn add(&self, features: (&[i8], f32), grid: &[i8], size: (usize, usize), out: &mut [i8]) {
        assert!(out.len() == size.0 * size.1 * self.channels);
        self.prepare(features, grid, size).run(0, out);
    }

    /// [`Upsampler::add`] in parts.
    pub fn prepare<'a>(
        &'a self,
        (features, factor): (&'a [i8], f32),
        grid: &[i8],
        (height, width): (usize, usize),
    ) -> Upsampling<'a> {
        assert!(height.is_multiple_of(CELL) && width.is_multiple_of(CELL));
        assert!(features.len() == height * width * self.channels);
        assert!(grid.len() * PIXELS == features.len());
        Upsampling {
            upsampler: self,
            features,
            factor,
            grid: blocks_of(grid, (height / CELL, width / CELL)),
            width,
        }
    }
}

impl Upsampling<'_> {
    /// The rows from `first` on for which `out` has room, whole rows of the grid.
    pub fn run(&self, first: usize, out: &mut [i8]) {
        let row = self.width * self.upsampler.channels;
        assert!(first.is_multiple_of(CELL) && out.len().is_multiple_of(row * CELL));
        assert!(first * row + out.len() <= self.features.len());
        self.upsampler.path.run(Band {
            job: self,
            first,
            out,
        });
    }
}

struct Band<'a> {
    job: &'a Upsampling<'a>,
    first: usize,
    out: &'a mut [i8],
}

/// Levels of cells to blocks of channels per cell, with a border of zeros.
fn blocks_of(grid: &[i8], (rows, columns): (usize, usize)) -> Lent<[i16; BLOCK]> {
    let cells = (rows + 2) * (columns + 2);
    let channels = grid.len() / (rows * columns).max(1);
    let mut blocks = lend([0; BLOCK], channels.div_ceil(BLOCK) * cells);
    for (at, levels) in grid.chunks_exact(channels.max(1)).enumerate() {
        let cell = (at / columns + 1) * (columns + 2) + at % columns + 1;
        for (block, levels) in levels.chunks(BLOCK).enumerate() {
            for (to, &level) in blocks[block * cells + cell].iter_mut().zip(levels) {
                *to = i16::from(level);
            }
        }
    }
    blocks
}

impl Portable for Band<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { job, first, out } = self;
        let (channels, width) = (job.upsampler.channels, job.width);
        let blocks = job.upsampler.packed.chunks_exact(PIXELS);
        let cells = job.grid.len() / blocks.len().max(1);
        for (block, (positions, grid)) in blocks.zip(job.grid.chunks_exact(cells)).enumerate() {
            #[cfg(target_arch = "aarch64")]
            if BLOCK <= channels - block * BLOCK && job.upsampler.path != Path::REFERENCE {
                let rows = (first, &mut *out);
                super::aarch64::upsample_block(job, (positions, grid), block * BLOCK, rows);
                continue;
            }
            #[cfg(target_arch = "x86_64")]
            if BLOCK <= channels - block * BLOCK && job.upsampler.path != Path::REFERENCE {
                for (y, out) in (first..).zip(out.chunks_exact_mut(width * channels)) {
                    let place = (block * BLOCK, y);
                    super::x86::upsample_row(job, (positions, grid), place, out);
                }
                continue;
            }
            for (y, out) in (first..).zip(out.chunks_exact_mut(width * channels)) {
                upsample_row(job, (positions, grid), (block * BLOCK, y), out);
            }
        }
    }
}

/// Row `y` of the channels of a block, which begins at channel `first`.
#[inline(always)]
fn upsample_row(
    job: &Upsampling<'_>,
    (positions, grid): (&[Position], &[[i16; BLOCK]]),
    (first, y): (usize, usize),
    out: &mut [i8],
) {
    let (channels, width) = (job.upsampler.channels, job.width);
    let columns = width / CELL + 2;
    let count = BLOCK.min(channels - first);
    for (x, out) in out.chunks_exact_mut(channels).enumerate() {
        let position = &positions[y % CELL * CELL + x % CELL];
        let corner = y / CELL * columns + x / CELL;
        let mut sums = [0_i16; BLOCK];
        for (row, taps) in position.taps.chunks_exact(3).enumerate() {
            let grid = &grid[corner + row * columns..][..3];
            for (grid, tap) in grid.iter().zip(taps) {
                for i in 0..BLOCK {
                    sums[i] += grid[i] * tap[i];
                }
            }
        }
        let mut values = position.bias;
        for i in 0..BLOCK {
            values[i] += f32::from(sums[i]) * position.factor[i];
        }
        let features = &job.features[(y * width + x) * channels + first..][..count];
        let out = &mut out[first..first + count];
        if let (Some(from), Some(to)) = (features.first_chunk(), out.first_chunk_mut()) {
            finish::<BLOCK>(from, job.factor, &values, to);
        } else {
            for ((to, &from), &value) in out.iter_mut().zip(features).zip(&values) {
                finish(&[from], job.factor, &[value], std::array::from_mut(to));
            }
        }
    }
}

#[inline(always)]
fn finish<const N: usize>(from: &[i8; N], factor: f32, values: &[f32; N], to: &mut [i8; N]) {
    for i in 0..N {
        to[i] = i8::of(f32::from(from[i]) * factor + values[i]);
    }
}
