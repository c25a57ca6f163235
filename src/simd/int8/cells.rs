//! Between planes of pixels and features of cells: 4 x 4 pixels are a cell, 4 x 4 cells are a
//! coarse cell.
//!
//! Input and output: slices whose sizes are asserted. Thread: any. Blocks: never. Allocates:
//! [`Upsampler::new`], and a copy of the coarse grid in [`Upsampler::add`]. Fails when: slices do
//! not fit (a panic: a caller's mistake). Not its job: the convolution.
//!
//! Single `f32` additions and multiplications in the order written: the same bytes everywhere.

use super::{CELL, Level};

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
    assert!(width > 0 && width % CELL == 0);
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
    assert!(height % CELL == 0 && width % CELL == 0 && channels > 0);
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
    /// `[16 sub-positions][9 taps][channels]`, in the output's levels.
    weights: Vec<f32>,
    /// `[16 sub-positions][channels]`, in the output's levels.
    bias: Vec<f32>,
}

impl Upsampler {
    /// Weights `[channels * 16, 1, 3, 3]` and bias `[channels * 16]` of the depthwise convolution,
    /// divided by the output's scale.
    ///
    /// # Errors
    /// A sentence, where sizes do not fit or a number is not finite.
    pub fn new(channels: usize, weights: &[f32], bias: &[f32], scale: f32) -> Result<Self, String> {
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
        let mut packed = Self {
            channels,
            weights: Vec::with_capacity(weights.len()),
            bias: Vec::with_capacity(bias.len()),
        };
        for position in 0..PIXELS {
            for tap in 0..9 {
                let of = |c: usize| weights[(c * PIXELS + position) * 9 + tap] / scale;
                packed.weights.extend((0..channels).map(of));
            }
            let of = |c: usize| bias[c * PIXELS + position] / scale;
            packed.bias.extend((0..channels).map(of));
        }
        let mut all = packed.weights.iter().chain(&packed.bias);
        if all.all(|value| value.is_finite()) {
            Ok(packed)
        } else {
            Err("a weight, a bias or the scale is not finite".to_owned())
        }
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
        let channels = self.channels;
        assert!(height % CELL == 0 && width % CELL == 0);
        assert!(features.len() == height * width * channels && out.len() == features.len());
        assert!(grid.len() * PIXELS == features.len());
        let (rows, columns) = (height / CELL, width / CELL);
        let padded = padded_cells(grid, (rows, columns), channels);
        let mut values = vec![0.0; channels];
        for y in 0..height {
            for x in 0..width {
                let position = y % CELL * CELL + x % CELL;
                values.copy_from_slice(&self.bias[position * channels..][..channels]);
                for tap in 0..9 {
                    let at = (y / CELL + tap / 3) * (columns + 2) + x / CELL + tap % 3;
                    let cell = &padded[at * channels..][..channels];
                    let weights = &self.weights[(position * 9 + tap) * channels..][..channels];
                    for ((value, &g), &w) in values.iter_mut().zip(cell).zip(weights) {
                        *value += g * w;
                    }
                }
                let at = (y * width + x) * channels;
                let features = &features[at..at + channels];
                let out = &mut out[at..at + channels];
                for ((to, &value), &feature) in out.iter_mut().zip(&values).zip(features) {
                    *to = i8::of(f32::from(feature) * factor + value);
                }
            }
        }
    }
}

/// Planes to cells, with a border of zeros.
fn padded_cells(grid: &[f32], (rows, columns): (usize, usize), channels: usize) -> Vec<f32> {
    let mut padded = vec![0.0; (rows + 2) * (columns + 2) * channels];
    for (c, plane) in grid.chunks_exact(rows * columns).enumerate() {
        for (at, &value) in plane.iter().enumerate() {
            let cell = (at / columns + 1) * (columns + 2) + at % columns + 1;
            padded[cell * channels + c] = value;
        }
    }
    padded
}

/// fused = clip(b + w (a - b) + d), with w the sigmoid of the first 16 channels of `maps`
/// `[height/4, width/4, 32]` and d the other 16 within `detail`; planes of `width` pixels a row.
pub fn blend_cells(maps: &[f32], planes: [&[f32]; 2], width: usize, detail: f32, out: &mut [f32]) {
    assert!(width > 0 && width % CELL == 0 && out.len() % (width * CELL) == 0);
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

/// 1 / (1 + e^-x) within 3e-7, without a mathematical library: those differ in the last bit.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    let t = within(x, -20.0, 20.0) * -std::f32::consts::LOG2_E;
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
    let power = f32::from_bits(127_u32.wrapping_add(integer) << 23);
    1.0 / (1.0 + series * power)
}
