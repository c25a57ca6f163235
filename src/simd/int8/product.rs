//! Products of `f32` matrices with rows of values: a text's, or one cell's.
//!
//! Input: rows of values. Output: rows of values. Thread: any. Blocks: never. Allocates:
//! [`Product::new`]; scratch, see [`lend`]. Fails when: slices do not fit (a panic: a caller's mistake).
//! Not its job: what the rows mean.
//!
//! Single additions and multiplications in the order of the inputs: the same bytes everywhere.

use super::scratch::lend;
use super::{Path, Portable};

/// Values that are computed together; sizes are padded to whole ones.
pub(super) const LANES: usize = 16;

pub(super) type Lanes = [f32; LANES];

/// Rows that are computed together: a sum waits for its last addition, several do not wait for each
/// other, and they share the weights that are loaded.
pub(super) const TOGETHER: usize = 4;

/// One of each of them.
pub(super) type Four<T> = [T; TOGETHER];

/// A matrix for rows of values: per 16 outputs, per input.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    inputs: usize,
    outputs: usize,
    weights: Vec<Lanes>,
    bias: Vec<f32>,
}

impl Product {
    /// Of `weight(output, input)`.
    pub fn new(inputs: usize, bias: &[f32], weight: impl Fn(usize, usize) -> f32) -> Self {
        let outputs = bias.len();
        let mut weights = vec![[0.0; LANES]; Matrix::lanes(inputs, outputs)];
        Matrix::fill(&mut weights, inputs, outputs, weight);
        let mut bias = bias.to_vec();
        bias.resize(outputs.div_ceil(LANES) * LANES, 0.0);
        Self {
            inputs,
            outputs,
            weights,
            bias,
        }
    }

    /// Length of what [`Product::of`] gives.
    pub(super) fn padded(&self) -> usize {
        self.bias.len()
    }

    /// Inputs and outputs.
    pub fn size(&self) -> (usize, usize) {
        (self.inputs, self.outputs)
    }

    /// Of each row of `inputs` values in `text` a row of `outputs` values in `out`, with `relu` none
    /// below zero. Four rows that are all zero cost nothing.
    pub fn rows(&self, text: &[f32], relu: bool, out: &mut [f32], path: Path) {
        path.run(Rows {
            product: self,
            text,
            relu,
            out,
        });
    }

    /// See [`Matrix::of`].
    #[inline(always)]
    pub(super) fn of(&self, inputs: &[f32], out: &mut [f32]) {
        self.matrix().of(&self.bias, inputs, out);
    }

    /// See [`Matrix::of_four`].
    #[inline(always)]
    pub(super) fn of_four(&self, inputs: Four<&[f32]>, out: Four<&mut [f32]>) {
        self.matrix().of_four(&self.bias, inputs, out);
    }

    #[inline(always)]
    fn matrix(&self) -> Matrix<'_> {
        Matrix {
            inputs: self.inputs,
            weights: &self.weights,
        }
    }
}

struct Rows<'a> {
    product: &'a Product,
    text: &'a [f32],
    relu: bool,
    out: &'a mut [f32],
}

impl Portable for Rows<'_> {
    #[inline(always)]
    fn run(self) {
        let Product {
            inputs, outputs, ..
        } = *self.product;
        let padded = self.product.padded();
        let mut found = lend(0.0, padded * TOGETHER);
        let rows = self.text.chunks(inputs * TOGETHER);
        for (out, rows) in self.out.chunks_mut(outputs * TOGETHER).zip(rows) {
            let found = &mut found[..rows.len() / inputs * padded];
            let is_zero = |row: &[f32]| row.iter().all(|&value| value == 0.0);
            if is_zero(rows) {
                for found in found.chunks_exact_mut(padded) {
                    found.copy_from_slice(&self.product.bias);
                }
            } else if rows.len() == inputs * TOGETHER {
                let (rows, found) = (four(rows, inputs), four_mut(found, padded));
                self.product.of_four(rows, found);
            } else {
                for (row, found) in rows.chunks(inputs).zip(found.chunks_mut(padded)) {
                    self.product.of(row, found);
                }
            }
            for (out, found) in out.chunks_mut(outputs).zip(found.chunks(padded)) {
                for (to, &value) in out.iter_mut().zip(found) {
                    // Not `max`, which would hide a value that is no number.
                    *to = if self.relu && value < 0.0 { 0.0 } else { value };
                }
            }
        }
    }
}

/// Weights of a [`Product`], wherever they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub inputs: usize,
    pub weights: &'a [Lanes],
}

impl Matrix<'_> {
    /// Length of its weights.
    pub fn lanes(inputs: usize, outputs: usize) -> usize {
        outputs.div_ceil(LANES) * inputs
    }

    /// Fills weights that are all zero.
    pub fn fill(
        weights: &mut [Lanes],
        inputs: usize,
        outputs: usize,
        weight: impl Fn(usize, usize) -> f32,
    ) {
        for (output, input) in (0..outputs * inputs).map(|i| (i / inputs, i % inputs)) {
            weights[output / LANES * inputs + input][output % LANES] = weight(output, input);
        }
    }

    /// Of a row of inputs a row of outputs, padded as `bias` is.
    #[inline(always)]
    pub fn of(&self, bias: &[f32], inputs: &[f32], out: &mut [f32]) {
        for ((to, start), weights) in blocks(out).zip(starts(bias)).zip(self.blocks()) {
            let mut sums = *start;
            for (&x, weights) in inputs.iter().zip(weights) {
                add(&mut sums, x, weights);
            }
            *to = sums;
        }
    }

    /// The same of [`TOGETHER`] rows. Written out: of an array of sums compilers make memory.
    #[inline(always)]
    pub fn of_four(&self, bias: &[f32], inputs: Four<&[f32]>, out: Four<&mut [f32]>) {
        let [a, b, c, d] = inputs;
        let [to_a, to_b, to_c, to_d] = out.map(blocks);
        let to = to_a.zip(to_b).zip(to_c.zip(to_d));
        for ((to, start), weights) in to.zip(starts(bias)).zip(self.blocks()) {
            let [mut sum_a, mut sum_b, mut sum_c, mut sum_d] = [*start; TOGETHER];
            let rows = a.iter().zip(b).zip(c.iter().zip(d));
            for (weights, ((&a, &b), (&c, &d))) in weights.iter().zip(rows) {
                add(&mut sum_a, a, weights);
                add(&mut sum_b, b, weights);
                add(&mut sum_c, c, weights);
                add(&mut sum_d, d, weights);
            }
            let ((to_a, to_b), (to_c, to_d)) = to;
            (*to_a, *to_b, *to_c, *to_d) = (sum_a, sum_b, sum_c, sum_d);
        }
    }

    /// The weights of 16 outputs after the other.
    #[inline(always)]
    fn blocks(&self) -> std::slice::ChunksExact<'_, Lanes> {
        self.weights.chunks_exact(self.inputs)
    }
}

#[inline(always)]
fn add(sums: &mut Lanes, x: f32, weights: &Lanes) {
    for i in 0..LANES {
        sums[i] += x * weights[i];
    }
}

#[inline(always)]
fn starts(bias: &[f32]) -> std::slice::Iter<'_, Lanes> {
    bias.as_chunks::<LANES>().0.iter()
}

#[inline(always)]
fn blocks(out: &mut [f32]) -> std::slice::IterMut<'_, Lanes> {
    out.as_chunks_mut::<LANES>().0.iter_mut()
}

/// The parts of `length` that [`TOGETHER`] rows have of `whole`.
#[inline(always)]
pub(super) fn four<T>(whole: &[T], length: usize) -> Four<&[T]> {
    std::array::from_fn(|i| &whole[i * length..][..length])
}

/// The same of what is written to.
#[inline(always)]
pub(super) fn four_mut<T>(whole: &mut [T], length: usize) -> Four<&mut [T]> {
    let mut parts = whole.chunks_exact_mut(length);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}
