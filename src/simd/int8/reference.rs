//! The convolution in plain Rust, and what every path does with its sums.
//!
//! Input and output: see [`super`]. Thread: any. Blocks: never. Allocates: never. Not its job: sizes and
//! checks.

use super::{BLOCK, Job, Level, Lines};

/// Cells side by side that share a load of the weights.
const TILE: usize = 2;

/// One block of outputs: the constants of [`Finish::put`] in one place.
pub(super) struct Finish<'a> {
    pub(super) bias: [i32; BLOCK],
    pub(super) multiplier: [f32; BLOCK],
    pub(super) relu: bool,
    pub(super) modulation: Option<[[f32; BLOCK]; 2]>,
    /// The row of the residual.
    pub(super) residual: Option<(&'a [i8], f32)>,
    pub(super) outputs: usize,
    /// First output channel, and how many of the block there are.
    pub(super) first: usize,
    pub(super) count: usize,
}

fn block_of<T: Copy + Default>(values: &[T], first: usize, count: usize) -> [T; BLOCK] {
    let mut block = [T::default(); BLOCK];
    block[..count].copy_from_slice(&values[first..first + count]);
    block
}

impl<'a> Finish<'a> {
    pub fn new(job: &Job<'a>, y: usize, block: usize) -> Self {
        let (layer, epilogue) = (job.layer, job.epilogue);
        let outputs = layer.shape.outputs;
        let first = block * BLOCK;
        let count = BLOCK.min(outputs - first);
        let row = job.width * outputs;
        Self {
            bias: block_of(&layer.bias, first, count),
            multiplier: block_of(&layer.multiplier, first, count),
            relu: layer.relu,
            modulation: epilogue
                .modulation
                .map(|both| both.map(|values| block_of(values, first, count))),
            residual: epilogue
                .residual
                .map(|(values, factor)| (&values[y * row..(y + 1) * row], factor)),
            outputs,
            first,
            count,
        }
    }

    /// Whether there is a whole block, and nothing to do but bias and multiplier.
    #[cfg(target_arch = "x86_64")]
    pub fn is_plain(&self) -> bool {
        self.count == BLOCK && !self.relu && self.residual.is_none() && self.modulation.is_none()
    }

    /// The sums of cell `x` to its outputs. The order of operations is the contract.
    #[inline(always)]
    pub fn put<T: Level>(&self, sums: &[i32; BLOCK], x: usize, out: &mut [T]) {
        let mut values = [0.0; BLOCK];
        for i in 0..BLOCK {
            values[i] = (sums[i] + self.bias[i]) as f32 * self.multiplier[i];
        }
        let at = x * self.outputs + self.first;
        if let Some((residual, factor)) = self.residual {
            let residual = &residual[at..at + self.count];
            if let Some(whole) = residual.first_chunk::<BLOCK>() {
                for i in 0..BLOCK {
                    values[i] += f32::from(whole[i]) * factor;
                }
            } else {
                for (value, &r) in values.iter_mut().zip(residual) {
                    *value += f32::from(r) * factor;
                }
            }
        }
        if self.relu {
            for value in &mut values {
                *value = if *value > 0.0 { *value } else { 0.0 };
            }
        }
        if let Some([factor, addend]) = &self.modulation {
            for i in 0..BLOCK {
                values[i] = values[i] * factor[i] + addend[i];
            }
        }
        let out = &mut out[at..at + self.count];
        if let Some(whole) = out.first_chunk_mut::<BLOCK>() {
            for i in 0..BLOCK {
                whole[i] = T::of(values[i]);
            }
        } else {
            for (to, &value) in out.iter_mut().zip(&values) {
                *to = T::of(value);
            }
        }
    }
}

/// Row `y` of the output.
pub(super) fn row<T: Level>(
    job: &Job<'_>,
    weights: &[i16],
    lines: Lines<'_, i8>,
    y: usize,
    out: &mut [T],
) {
    let shape = job.layer.shape;
    let size = shape.kernel * shape.kernel * shape.inputs * BLOCK;
    for (block, weights) in weights.chunks_exact(size).enumerate() {
        let finish = Finish::new(job, y, block);
        let mut x = 0;
        while x + TILE <= job.width {
            tile::<T, TILE>(job, weights, lines, (&finish, x), out);
            x += TILE;
        }
        while x < job.width {
            tile::<T, 1>(job, weights, lines, (&finish, x), out);
            x += 1;
        }
    }
}

#[inline]
fn tile<T: Level, const N: usize>(
    job: &Job<'_>,
    weights: &[i16],
    lines: Lines<'_, i8>,
    (finish, x): (&Finish<'_>, usize),
    out: &mut [T],
) {
    let (inputs, kernel) = (job.layer.shape.inputs, job.layer.shape.kernel);
    let mut sums = [[0_i32; BLOCK]; N];
    let (weights, _) = weights.as_chunks::<BLOCK>();
    for tap in 0..kernel * kernel {
        let from = (x + tap % kernel) * inputs;
        let cells = &lines[tap / kernel][from..from + N * inputs];
        for (i, weights) in weights[tap * inputs..(tap + 1) * inputs].iter().enumerate() {
            for (n, sums) in sums.iter_mut().enumerate() {
                let feature = i16::from(cells[n * inputs + i]);
                for (sum, &weight) in sums.iter_mut().zip(weights) {
                    *sum += i32::from(feature) * i32::from(weight);
                }
            }
        }
    }
    for (n, sums) in sums.iter().enumerate() {
        finish.put(sums, x + n, out);
    }
}
