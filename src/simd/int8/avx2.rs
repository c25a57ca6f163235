//! The convolution for x86-64 with AVX2: 16 products of 16-bit features an instruction.
//!
//! Input and output: see [`super`]. Thread: any. Blocks: never. Allocates: never. Fails when:
//! slices do not fit (a panic). Not its job: detection (a [`super::Path`] is made only where the
//! processor has it).

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256,
};

use super::reference::Finish;
use super::{BLOCK, Job, Level, Lines, Portable, x86};

/// Cells side by side: with half a block of outputs 8 sums in registers, two vectors of weights.
const TILE: usize = 4;

/// Vectors of weights of one block, for two inputs.
const VECTORS: usize = BLOCK / 8;

/// Row `y` of the output.
pub(super) fn row_checked<T: Level>(
    job: &Job<'_>,
    weights: &[i16],
    lines: Lines<'_, i16>,
    y: usize,
    out: &mut [T],
) {
    let shape = job.layer.shape;
    let needed = (job.width + shape.kernel - 1) * shape.inputs;
    assert!(shape.inputs.is_multiple_of(2) && lines.iter().all(|line| line.len() >= needed));
    let size = shape.kernel * shape.kernel * shape.inputs * BLOCK;
    for (block, weights) in weights.chunks_exact(size).enumerate() {
        let finish = Finish::new(job, y, block);
        // SAFETY: weights are packed in pairs only for the path that was detected to have these
        // features; the lengths that `row` relies on were asserted or chosen above.
        unsafe {
            match shape.inputs {
                32 => row::<T, 32>(job, weights, lines, &finish, out),
                48 => row::<T, 48>(job, weights, lines, &finish, out),
                _ => row::<T, 0>(job, weights, lines, &finish, out),
            }
        }
    }
}

/// For `I` inputs a cell, so that distances are known when it is compiled; 0: for any number.
///
/// # Safety
/// The processor has the features; `I` is 0 or the layer's inputs; every line has `width + kernel - 1` cells of `inputs` features
/// and `weights` a whole block.
#[target_feature(enable = "avx2")]
unsafe fn row<T: Level, const I: usize>(
    job: &Job<'_>,
    weights: &[i16],
    lines: Lines<'_, i16>,
    finish: &Finish<'_>,
    out: &mut [T],
) {
    by_tiles!(x to job.width, N of TILE, {
        // SAFETY: as this function's own, and cells x to x + N are inside the row.
        unsafe { tile::<T, N, I>(job, weights, lines, (finish, x), out) };
    });
}

/// # Safety
/// As of [`row`]; cells x to x + N are inside the row.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn tile<T: Level, const N: usize, const I: usize>(
    job: &Job<'_>,
    weights: &[i16],
    lines: Lines<'_, i16>,
    (finish, x): (&Finish<'_>, usize),
    out: &mut [T],
) {
    let mut plain = [[0_i32; BLOCK]; N];
    for half in 0..2 {
        // SAFETY: as this function's own.
        let sums = unsafe { half_block::<N, I>(job, weights, lines, half, x) };
        // SAFETY: as this function's own; there are two halves.
        unsafe { x86::keep_half(&mut plain, half, &sums) };
    }
    for (n, sums) in plain.iter().enumerate() {
        // SAFETY: as this function's own.
        unsafe { x86::put(finish, sums, x + n, out) };
    }
}

/// The sums of half a block for N cells.
///
/// # Safety
/// As of [`tile`].
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn half_block<const N: usize, const I: usize>(
    job: &Job<'_>,
    weights: &[i16],
    lines: Lines<'_, i16>,
    half: usize,
    x: usize,
) -> [[__m256i; 2]; N] {
    let shape = job.layer.shape;
    let (inputs, kernel) = (if I > 0 { I } else { shape.inputs }, shape.kernel);
    let mut sums = [[_mm256_setzero_si256(); 2]; N];
    let mut pair_index = 0;
    for line in &lines[..kernel] {
        for column in 0..kernel {
            // SAFETY: the last feature read below is that of cell x + N - 1 + column, which
            // the line has; the weights have VECTORS vectors for each two inputs of each tap.
            unsafe {
                let cells = line.as_ptr().add((x + column) * inputs);
                for pair in 0..inputs / 2 {
                    let weight = weights.as_ptr().cast::<__m256i>();
                    let weight = weight.add(pair_index * VECTORS + half * 2);
                    let both = [
                        _mm256_loadu_si256(weight),
                        _mm256_loadu_si256(weight.add(1)),
                    ];
                    pair_index += 1;
                    for (n, sums) in sums.iter_mut().enumerate() {
                        let two = cells.add(n * inputs + pair * 2).cast::<i32>();
                        let features = _mm256_set1_epi32(two.read_unaligned());
                        for (sum, &weights) in sums.iter_mut().zip(&both) {
                            let products = _mm256_madd_epi16(features, weights);
                            *sum = _mm256_add_epi32(*sum, products);
                        }
                    }
                }
            }
        }
    }
    sums
}

/// Runs a kernel compiled with AVX2.
pub(super) fn run(kernel: impl Portable) {
    #[target_feature(enable = "avx2")]
    fn wide(kernel: impl Portable) {
        kernel.run();
    }
    // SAFETY: this is called for paths that are made only where the processor was detected to have
    // the feature; nothing else in there is unsafe.
    unsafe { wide(kernel) }
}
