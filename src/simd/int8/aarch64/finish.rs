//! What is done to the sums of a tile: the operations of [`super::super::reference::Finish`], in
//! their order, on vectors.
//!
//! Input: sums with their bias. Output: levels or values. Thread: any. Blocks: never. Allocates:
//! never. Fails when: slices do not fit (a panic). Not its job: sums.

use std::arch::aarch64::{
    float32x4_t, int32x4_t, vaddq_f32, vcvtnq_s32_f32, vcvtq_f32_s32, vdupq_n_f32, vget_high_s8,
    vget_low_s8, vget_low_s16, vld1q_f32, vld1q_s8, vmaxnmq_f32, vmovl_high_s16, vmovl_s8,
    vmovl_s16, vmulq_f32, vqmovn_high_s16, vqmovn_high_s32, vqmovn_s16, vqmovn_s32, vst1q_f32,
    vst1q_s8, vst1q_s32,
};

use super::super::{Job, Level};
use super::{BLOCK, TILE, VECTORS};

/// A block of values.
pub type Values = [float32x4_t; VECTORS];

/// A block of sums.
pub(super) type Sums = [int32x4_t; VECTORS];

/// The values themselves.
#[inline(always)]
pub fn put_floats(values: Values, to: &mut [f32; BLOCK]) {
    for (to, &value) in to.as_chunks_mut::<4>().0.iter_mut().zip(&values) {
        // SAFETY: the target has NEON; a chunk has the four values that a vector has.
        unsafe { vst1q_f32(to.as_mut_ptr(), value) }
    }
}

/// Rounded half to even within `low`..=127, NaN to `low`; `low` is a level.
#[inline(always)]
pub fn put_levels([a, b, c, d]: Values, low: f32, to: &mut [i8; BLOCK]) {
    // SAFETY: the target has NEON; the array has the 16 levels that a vector has.
    unsafe {
        // Of a number and NaN, maxnm gives the number. Conversion and narrowing saturate.
        let low = vdupq_n_f32(low);
        let (a, b) = (vmaxnmq_f32(a, low), vmaxnmq_f32(b, low));
        let (c, d) = (vmaxnmq_f32(c, low), vmaxnmq_f32(d, low));
        let first = vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(a)), vcvtnq_s32_f32(b));
        let second = vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(c)), vcvtnq_s32_f32(d));
        vst1q_s8(to.as_mut_ptr(), vqmovn_high_s16(vqmovn_s16(first), second));
    }
}

/// A block's constants in one row of the output.
pub(super) struct Finish<'a> {
    /// What sums start with.
    pub bias: &'a [i32; BLOCK],
    multiplier: &'a [f32; BLOCK],
    relu: bool,
    modulation: Option<[[f32; BLOCK]; 2]>,
    /// The row of the residual.
    residual: Option<(&'a [i8], f32)>,
    /// Cells of the row.
    width: usize,
    outputs: usize,
    /// First output channel, and how many of the block there are.
    first: usize,
    count: usize,
}

fn padded(values: &[f32]) -> [f32; BLOCK] {
    let mut block = [0.0; BLOCK];
    let count = values.len().min(BLOCK);
    block[..count].copy_from_slice(&values[..count]);
    block
}

#[inline(always)]
pub(super) fn vectors(values: &[f32; BLOCK]) -> Values {
    let values = values.as_ptr();
    // SAFETY: the target has NEON; a block has that many vectors.
    unsafe {
        [
            vld1q_f32(values),
            vld1q_f32(values.add(4)),
            vld1q_f32(values.add(8)),
            vld1q_f32(values.add(12)),
        ]
    }
}

/// 16 levels as values.
///
/// # Safety
/// There are that many.
#[inline(always)]
pub(super) unsafe fn widen(levels: *const i8) -> Values {
    // SAFETY: the target has NEON; the rest as this function's own.
    unsafe {
        let levels = vld1q_s8(levels);
        let (low, high) = (
            vmovl_s8(vget_low_s8(levels)),
            vmovl_s8(vget_high_s8(levels)),
        );
        [
            vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
            vcvtq_f32_s32(vmovl_high_s16(low)),
            vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
            vcvtq_f32_s32(vmovl_high_s16(high)),
        ]
    }
}

impl<'a> Finish<'a> {
    pub fn new(job: &Job<'a>, y: usize, block: usize) -> Self {
        let (layer, epilogue) = (job.layer, job.epilogue);
        let outputs = layer.shape.outputs;
        let (row, first) = (job.width * outputs, block * BLOCK);
        Self {
            bias: &layer.bias.as_chunks().0[block],
            multiplier: &layer.multiplier.as_chunks().0[block],
            relu: layer.relu,
            modulation: epilogue
                .modulation
                .map(|both| both.map(|values| padded(&values[first..]))),
            residual: epilogue
                .residual
                .map(|(values, factor)| (&values[y * row..(y + 1) * row], factor)),
            width: job.width,
            outputs,
            first,
            count: BLOCK.min(outputs - first),
        }
    }

    /// The sums of a tile from cell x on to their outputs in the row `out`; cells behind the end of
    /// the row are dropped.
    #[inline(always)]
    pub fn put<T: Level>(&self, sums: &[Sums; TILE], x: usize, out: &mut [T]) {
        assert!(x < self.width && out.len() == self.width * self.outputs);
        if self.count == BLOCK && x + TILE <= self.width {
            // SAFETY: the cells are inside the row, and the block is a whole one.
            unsafe { self.put_block(sums, x, out) }
        } else {
            // A copy, so that the sums themselves can stay in registers.
            let sums = *sums;
            self.put_part(&sums, x, out);
        }
    }

    /// # Safety
    /// Cells x to x + TILE are inside the row `out`, and outputs to first + BLOCK inside each.
    #[inline(always)]
    unsafe fn put_block<T: Level>(&self, sums: &[Sums; TILE], x: usize, out: &mut [T]) {
        let first = x * self.outputs + self.first;
        // SAFETY: the target has NEON; a residual has the output's size (`ConvLayer::run` asserts
        // it), and every access is to outputs that this function's own condition names.
        unsafe {
            let multiplier = vectors(self.multiplier);
            let mut values = [multiplier; TILE];
            for n in 0..TILE {
                for i in 0..VECTORS {
                    values[n][i] = vmulq_f32(vcvtq_f32_s32(sums[n][i]), multiplier[i]);
                }
            }
            if let Some((residual, factor)) = self.residual {
                let (residual, factor) = (residual.as_ptr().add(first), vdupq_n_f32(factor));
                for (n, values) in values.iter_mut().enumerate() {
                    let residual = widen(residual.add(n * self.outputs));
                    for i in 0..VECTORS {
                        values[i] = vaddq_f32(values[i], vmulq_f32(residual[i], factor));
                    }
                }
            }
            // Where nothing is between them, a ReLU and the lower bound of levels are one.
            let bounded = T::BOUNDED && self.modulation.is_none();
            if self.relu && !bounded {
                let zero = vdupq_n_f32(0.0);
                for value in values.as_flattened_mut() {
                    *value = vmaxnmq_f32(*value, zero);
                }
            }
            if let Some([factor, addend]) = &self.modulation {
                let (factor, addend) = (vectors(factor), vectors(addend));
                for values in &mut values {
                    for i in 0..VECTORS {
                        values[i] = vaddq_f32(vmulq_f32(values[i], factor[i]), addend[i]);
                    }
                }
            }
            let low = if self.relu && bounded { 0.0 } else { -127.0 };
            let out = out.as_mut_ptr().add(first);
            for (n, values) in values.into_iter().enumerate() {
                let to = out.add(n * self.outputs).cast::<[T; BLOCK]>();
                T::put_vectors(values, low, &mut *to);
            }
        }
    }

    /// As [`Self::put`], where outputs fill no block or cells no tile.
    #[cold]
    #[inline(never)]
    fn put_part<T: Level>(&self, sums: &[Sums; TILE], x: usize, out: &mut [T]) {
        for (n, sums) in sums.iter().take(self.width - x).enumerate() {
            let mut plain = [0_i32; BLOCK];
            for (i, &sums) in sums.iter().enumerate() {
                // SAFETY: the target has NEON; a block has that many vectors.
                unsafe { vst1q_s32(plain.as_mut_ptr().add(i * 4), sums) }
            }
            for i in 0..self.count {
                let at = (x + n) * self.outputs + self.first + i;
                let mut value = plain[i] as f32 * self.multiplier[i];
                if let Some((residual, factor)) = self.residual {
                    value += f32::from(residual[at]) * factor;
                }
                if self.relu {
                    value = if value > 0.0 { value } else { 0.0 };
                }
                if let Some([factor, addend]) = &self.modulation {
                    value = value * factor[i] + addend[i];
                }
                out[at] = T::of(value);
            }
        }
    }
}
