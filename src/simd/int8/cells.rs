//! Between planes of pixels and features of cells: 4 x 4 pixels are a cell, 4 x 4 cells are a
//! coarse cell.
//!
//! Input and output: slices whose sizes are asserted. Thread: any. Blocks: never. Allocates:
//! [`Upsampler::new`], and a copy of the coarse grid in [`Upsampler::add`]. Fails when: slices do
//! not fit (a panic: a caller's mistake). Not its job: the convolution.
//!
//! Single `f32` additions and multiplications in the order written: the same bytes everywhere.

use super::{BLOCK, CELL, Kind, Level, Path};

/// Pixels of a cell.
const PIXELS: usize = CELL * CELL;

/// Channels of the features of two planes.
const FEATURES: usize = 2 * PIXELS;

/// Where [`quantise_cells`] puts pixel (dy, dx) of plane `plane`, and [`blend_cells`] finds it.
pub fn depth_order(plane: usize, dy: usize, dx: usize) -> usize {
    plane * PIXELS + dy * CELL + dx
}

/// Two planes of `height` x `width` pixels in 0..=1 to features `[height/4, width/4, 32]`: pixel
/// values times `steps`, less 128, in -127..=127.
pub fn quantise_cells(planes: [&[f32]; 2], width: usize, steps: f32, out: &mut [i8]) {
    assert!(width > 0 && width.is_multiple_of(CELL));
    assert!(planes.iter().all(|plane| plane.len() == out.len() / 2));
    for (y, row) in out.chunks_exact_mut(width / CELL * FEATURES).enumerate() {
        for (i, plane) in planes.iter().enumerate() {
            for dy in 0..CELL {
                let pixels = &plane[(y * CELL + dy) * width..][..width];
                let at = depth_order(i, dy, 0);
                let (cells, _) = row.as_chunks_mut::<FEATURES>();
                for (cell, pixels) in cells.iter_mut().zip(pixels.as_chunks::<CELL>().0) {
                    for dx in 0..CELL {
                        cell[at + dx] = i8::of(pixels[dx] * steps - 128.0);
                    }
                }
            }
        }
    }
}

/// Means of 4 x 4 cells, times `scale`: features `[height, width, channels]` to planes
/// `[channels, height/4, width/4]`.
pub fn pool_cells(
    input: &[i8],
    (height, width, channels): (usize, usize, usize),
    scale: f32,
    out: &mut [f32],
) {
    assert!(height.is_multiple_of(CELL) && width.is_multiple_of(CELL) && channels > 0);
    assert!(input.len() == height * width * channels && input.len() == out.len() * PIXELS);
    let (coarse_width, plane) = (width / CELL, height / CELL * (width / CELL));
    let scale = scale / PIXELS as f32;
    let mut sums = vec![0_i32; channels];
    for at in 0..plane {
        let (y, x) = (at / coarse_width * CELL, at % coarse_width * CELL);
        sums.fill(0);
        for dy in 0..CELL {
            let cells = &input[((y + dy) * width + x) * channels..][..CELL * channels];
            for cell in cells.chunks_exact(channels) {
                for (sum, &value) in sums.iter_mut().zip(cell) {
                    *sum += i32::from(value);
                }
            }
        }
        for (c, &sum) in sums.iter().enumerate() {
            out[c * plane + at] = sum as f32 * scale;
        }
    }
}

/// Times-4 upsampling by a depthwise 3x3 to 16 sub-positions, and its sum with features.
#[derive(Debug, Clone, PartialEq)]
pub struct Upsampler {
    channels: usize,
    path: Path,
    /// Per block of channels `[16 sub-positions][bias, 9 taps]`, in the output's levels.
    packed: Vec<Position>,
}

/// Bias and weights of the taps, for a block of channels.
pub(super) type Position = [[f32; BLOCK]; 10];

/// What [`Upsampler::add`] works on.
pub(super) struct Upsampling<'a> {
    upsampler: &'a Upsampler,
    pub(super) features: &'a [i8],
    pub(super) factor: f32,
    /// Per block of channels, with a border of zeros.
    grid: Vec<[f32; BLOCK]>,
    pub(super) width: usize,
}

#[cfg(target_arch = "aarch64")]
impl Upsampling<'_> {
    /// Channels of features and grid.
    pub(super) fn channels(&self) -> usize {
        self.upsampler.channels
    }
}

impl Upsampler {
    /// Weights `[channels * 16, 1, 3, 3]` and bias `[channels * 16]` of the depthwise convolution,
    /// divided by the output's scale.
    ///
    /// # Errors
    /// A sentence, where sizes do not fit or a number is not finite.
    pub fn new(
        channels: usize,
        weights: &[f32],
        bias: &[f32],
        scale: f32,
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
        let mut packed = vec![[[0.0; BLOCK]; 10]; channels.div_ceil(BLOCK) * PIXELS];
        let rows = bias.iter().zip(weights.chunks_exact(9)).enumerate();
        for (row, (&bias, taps)) in rows {
            let (c, position) = (row / PIXELS, row % PIXELS);
            let to = &mut packed[c / BLOCK * PIXELS + position];
            to[0][c % BLOCK] = bias / scale;
            for (to, &tap) in to[1..].iter_mut().zip(taps) {
                to[c % BLOCK] = tap / scale;
            }
        }
        if packed
            .as_flattened()
            .as_flattened()
            .iter()
            .all(|v| v.is_finite())
        {
            return Ok(Self {
                channels,
                path,
                packed,
            });
        }
        Err("a weight, a bias or the scale is not finite".to_owned())
    }

    /// Channels of features and grid.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// `out` = `features` times `factor` (from their levels to the output's) plus the upsampled
    /// `grid`: features and output `[height, width, channels]`, grid `[channels, height/4,
    /// width/4]`.
    pub fn add(
        &self,
        (features, factor): (&[i8], f32),
        grid: &[f32],
        (height, width): (usize, usize),
        out: &mut [i8],
    ) {
        assert!(height.is_multiple_of(CELL) && width.is_multiple_of(CELL));
        assert!(features.len() == height * width * self.channels && out.len() == features.len());
        assert!(grid.len() * PIXELS == features.len());
        let job = Upsampling {
            upsampler: self,
            features,
            factor,
            grid: blocks_of(grid, (height / CELL, width / CELL)),
            width,
        };
        match self.path.0 {
            Kind::Reference => upsample(&job, out),
            // With vectors for whole blocks.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon | Kind::Dotprod => upsample(&job, out),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => super::avx2::upsample_checked(&job, out),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => super::avx512::upsample_checked(&job, out),
        }
    }
}

/// Planes to blocks of channels per cell, with a border of zeros.
fn blocks_of(grid: &[f32], (rows, columns): (usize, usize)) -> Vec<[f32; BLOCK]> {
    let cells = (rows + 2) * (columns + 2);
    let channels = grid.len() / (rows * columns).max(1);
    let mut blocks = vec![[0.0; BLOCK]; channels.div_ceil(BLOCK) * cells];
    for (c, plane) in grid.chunks_exact((rows * columns).max(1)).enumerate() {
        for (at, &value) in plane.iter().enumerate() {
            let cell = (at / columns + 1) * (columns + 2) + at % columns + 1;
            blocks[c / BLOCK * cells + cell][c % BLOCK] = value;
        }
    }
    blocks
}

/// Compiled once per path: the same operations in wider registers.
#[inline(always)]
pub(super) fn upsample(job: &Upsampling<'_>, out: &mut [i8]) {
    let (channels, width) = (job.upsampler.channels, job.width);
    let columns = width / CELL + 2;
    let blocks = job.upsampler.packed.chunks_exact(PIXELS);
    let cells = job.grid.len() / blocks.len().max(1);
    for (block, (positions, grid)) in blocks.zip(job.grid.chunks_exact(cells)).enumerate() {
        let first = block * BLOCK;
        let count = BLOCK.min(channels - first);
        #[cfg(target_arch = "aarch64")]
        if count == BLOCK && job.upsampler.path != Path::REFERENCE {
            super::aarch64::upsample_block(job, (positions, grid), first, out);
            continue;
        }
        for (cell, out) in out.chunks_exact_mut(channels).enumerate() {
            let (y, x) = (cell / width, cell % width);
            let [bias, taps @ ..] = &positions[y % CELL * CELL + x % CELL];
            let corner = y / CELL * columns + x / CELL;
            let mut values = *bias;
            for (row, taps) in taps.chunks_exact(3).enumerate() {
                let grid = &grid[corner + row * columns..][..3];
                for (grid, tap) in grid.iter().zip(taps) {
                    for i in 0..BLOCK {
                        values[i] += grid[i] * tap[i];
                    }
                }
            }
            let features = &job.features[cell * channels + first..][..count];
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
}

#[inline(always)]
fn finish<const N: usize>(from: &[i8; N], factor: f32, values: &[f32; N], to: &mut [i8; N]) {
    for i in 0..N {
        to[i] = i8::of(f32::from(from[i]) * factor + values[i]);
    }
}

/// fused = clip(b + w (a - b) + d), with w the sigmoid of the first 16 channels of `maps`
/// `[height/4, width/4, 32]` and d the other 16 within `detail`; planes of `width` pixels a row.
pub fn blend_cells(maps: &[f32], planes: [&[f32]; 2], width: usize, detail: f32, out: &mut [f32]) {
    assert!(width > 0 && width.is_multiple_of(CELL) && out.len().is_multiple_of(width * CELL));
    assert!(maps.len() == 2 * out.len() && planes.iter().all(|p| p.len() == out.len()));
    let row = width / CELL * FEATURES;
    for (y, out) in out.chunks_exact_mut(width).enumerate() {
        let (cells, _) = maps[y / CELL * row..][..row].as_chunks::<FEATURES>();
        let [logit_at, detail_at] = [0, 1].map(|plane| depth_order(plane, y % CELL, 0));
        let [a, b] = planes.map(|plane| plane[y * width..][..width].as_chunks::<CELL>().0);
        let pixels = out.as_chunks_mut::<CELL>().0.iter_mut();
        for (((out, cell), a), b) in pixels.zip(cells).zip(a).zip(b) {
            for i in 0..CELL {
                let weight = sigmoid(cell[logit_at + i]);
                let more = within(cell[detail_at + i], -detail, detail);
                out[i] = within(b[i] + weight * (a[i] - b[i]) + more, 0.0, 1.0);
            }
        }
    }
}

/// NaN becomes `low`.
#[inline(always)]
fn within(value: f32, low: f32, high: f32) -> f32 {
    let value = if value > low { value } else { low };
    if value < high { value } else { high }
}

/// e^x within 3e-7 of its value, without a mathematical library: those differ in the last bit.
/// Beyond +-80 as there.
#[inline(always)]
pub(super) fn exponential(x: f32) -> f32 {
    let t = within(x, -80.0, 80.0) * std::f32::consts::LOG2_E;
    // Rounds, see Level for i8; the low bits are the integer.
    let rounded = t + 12_582_912.0;
    let whole = rounded - 12_582_912.0;
    // 2^f = e^(f ln 2), -0.5 <= f <= 0.5, by its Taylor series.
    let f = (t - whole) * std::f32::consts::LN_2;
    let series = 1.0 / 720.0;
    let series = series * f + 1.0 / 120.0;
    let series = series * f + 1.0 / 24.0;
    let series = series * f + 1.0 / 6.0;
    let series = series * f + 0.5;
    let series = series * f + 1.0;
    let series = series * f + 1.0;
    let integer = rounded.to_bits().wrapping_sub(12_582_912_f32.to_bits());
    series * f32::from_bits(127_u32.wrapping_add(integer) << 23)
}

#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exponential(within(-x, -20.0, 20.0)))
}

/// Each row of `length` values to its softmax: e^x over the sum of them, in 0..=1.
pub fn softmax_rows(values: &[f32], length: usize, out: &mut [f32]) {
    const LANES: usize = 8;
    assert!(length > 0 && values.len() == out.len() && values.len().is_multiple_of(length));
    for (row, out) in values
        .chunks_exact(length)
        .zip(out.chunks_exact_mut(length))
    {
        let largest = |a: f32, &b: &f32| if b > a { b } else { a };
        let most = row.iter().fold(f32::NEG_INFINITY, largest);
        for (to, &x) in out.iter_mut().zip(row) {
            *to = exponential(x - most);
        }
        // Lanes, then their sum: an order that vectors can keep.
        let mut sums = [0.0; LANES];
        for part in out.chunks(LANES) {
            for (sum, &x) in sums.iter_mut().zip(part) {
                *sum += x;
            }
        }
        let sum: f32 = sums.iter().sum();
        for to in out {
            *to /= sum;
        }
    }
}
