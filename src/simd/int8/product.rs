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
    /// below zero. Rows that are all zero cost nothing.
    pub fn rows(&self, text: &[f32], relu: bool, out: &mut [f32], path: Path) {
        path.run(Rows {
            product: self,
            text,
            relu,
            out,
        });
    }

    #[inline(always)]
    pub(super) fn of(&self, inputs: &[f32], out: &mut [f32]) {
        let matrix = Matrix {
            inputs: self.inputs,
            outputs: self.outputs,
            weights: &self.weights,
        };
        matrix.of(&self.bias, inputs, out);
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
        let mut found = lend(0.0, self.product.padded());
        let rows = self.text.chunks_exact(inputs);
        for (out, row) in self.out.chunks_exact_mut(outputs).zip(rows) {
            if row.iter().all(|&value| value == 0.0) {
                found.copy_from_slice(&self.product.bias);
            } else {
                self.product.of(row, &mut found);
            }
            for (to, &value) in out.iter_mut().zip(found.iter()) {
                // Not `max`, which would hide a value that is no number.
                *to = if self.relu && value < 0.0 { 0.0 } else { value };
            }
        }
    }
}

/// Weights of a [`Product`], wherever they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub inputs: usize,
    pub outputs: usize,
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

    #[inline(always)]
    pub fn of(&self, bias: &[f32], inputs: &[f32], out: &mut [f32]) {
        let blocks = self.weights.chunks_exact(self.inputs);
        let starts = bias.as_chunks::<LANES>().0;
        let out = out.as_chunks_mut::<LANES>().0;
        for ((to, start), weights) in out.iter_mut().zip(starts).zip(blocks) {
            let mut sums = *start;
            for (&x, weights) in inputs.iter().zip(weights) {
                for i in 0..LANES {
                    sums[i] += x * weights[i];
                }
            }
            *to = sums;
        }
    }
}
