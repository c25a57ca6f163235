//! The convolution for x86-64 with AVX-VNNI: 32 products an instruction, for processors that have
//! these in 256 bits alone (Intel since Alder Lake, AMD since Zen 5).
//!
//! Input and output: see [`super`]. Thread: any. Blocks: never. Allocates: never. Fails when:
//! slices do not fit (a panic). Not its job: the other paths' 512 bits.
//!
//! AVX-512 with VL and VNNI has the same instruction under another encoding. It stands in for the
//! tests' sake where a processor has no AVX-VNNI, so that the kernel runs on more machines than it
//! is chosen on.

use std::arch::x86_64::{
    __m256i, _mm256_dpbusd_avx_epi32, _mm256_dpbusd_epi32, _mm256_loadu_si256, _mm256_set1_epi32,
};

use super::reference::Finish;
use super::{BLOCK, Job, Level, Lines, x86};

/// Cells side by side: with half a block of outputs 8 sums in registers, two vectors of weights.
const TILE: usize = 4;

/// Vectors of weights of one block, for four inputs.
const VECTORS: usize = BLOCK / 8;

/// Whether either encoding is there.
pub(super) fn detected() -> bool {
    is_x86_feature_detected!("avxvnni") || evex()
}

fn evex() -> bool {
    is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512vnni")
}

/// Row `y` of the output, from features raised by 128.
pub(super) fn row_checked<T: Level>(
    job: &Job<'_>,
    packed: (&[i8], &[i32]),
    lines: Lines<'_, u8>,
    y: usize,
    out: &mut [T],
) {
    for (block, packed) in x86::blocks_of_quads(job, packed, lines).enumerate() {
        let finish = Finish::new(job, y, block);
        // SAFETY: weights are packed in quads only for paths that were detected to have these
        // features, here either of two; the lengths that `row` relies on were asserted or chosen
        // above.
        unsafe {
            if evex() {
                evex::row(job, packed, lines, &finish, out);
            } else {
                vex::row(job, packed, lines, &finish, out);
            }
        }
    }
}

/// Both encodings of one kernel: the features and the instruction's name differ.
macro_rules! kernel {
    ($name:ident, $features:literal, $dot:ident) => {
        mod $name {
            use super::*;

            /// # Safety
            /// The processor has the features; every line has `width + kernel - 1` cells of
            /// `inputs` features and `weights` a whole block.
            #[target_feature(enable = $features)]
            pub(super) unsafe fn row<T: Level>(
                job: &Job<'_>,
                packed: (&[i8], &[i32; BLOCK]),
                lines: Lines<'_, u8>,
                finish: &Finish<'_>,
                out: &mut [T],
            ) {
                by_tiles!(x to job.width, N of TILE, {
                    // SAFETY: as this function's own; cells x to x + N are inside the row.
                    unsafe { tile::<T, N>(job, packed, lines, (finish, x), out) };
                });
            }

            /// # Safety
            /// As of [`row`]; cells x to x + N are inside the row.
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn tile<T: Level, const N: usize>(
                job: &Job<'_>,
                packed: (&[i8], &[i32; BLOCK]),
                lines: Lines<'_, u8>,
                (finish, x): (&Finish<'_>, usize),
                out: &mut [T],
            ) {
                let mut plain = [[0_i32; BLOCK]; N];
                for half in 0..2 {
                    // SAFETY: as this function's own.
                    let sums = unsafe { half_block::<N>(job, packed, lines, half, x) };
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
            #[target_feature(enable = $features)]
            unsafe fn half_block<const N: usize>(
                job: &Job<'_>,
                (weights, start): (&[i8], &[i32; BLOCK]),
                lines: Lines<'_, u8>,
                half: usize,
                x: usize,
            ) -> [[__m256i; 2]; N] {
                let (inputs, kernel) = (job.layer.shape.inputs, job.layer.shape.kernel);
                // SAFETY: half a block of 16 sums is two vectors of 8.
                let start = unsafe {
                    let start = start.as_ptr().add(half * BLOCK / 2).cast::<__m256i>();
                    [_mm256_loadu_si256(start), _mm256_loadu_si256(start.add(1))]
                };
                let mut sums = [start; N];
                let mut quad_index = 0;
                for line in &lines[..kernel] {
                    for column in 0..kernel {
                        // SAFETY: the last feature read below is that of cell x + N - 1 + column,
                        // which the line has; the weights have VECTORS vectors for each four
                        // inputs of each tap.
                        unsafe {
                            let cells = line.as_ptr().add((x + column) * inputs);
                            for quad in 0..inputs / 4 {
                                let weight = weights.as_ptr().cast::<__m256i>();
                                let weight = weight.add(quad_index * VECTORS + half * 2);
                                let both = [
                                    _mm256_loadu_si256(weight),
                                    _mm256_loadu_si256(weight.add(1)),
                                ];
                                quad_index += 1;
                                for (n, sums) in sums.iter_mut().enumerate() {
                                    let four = cells.add(n * inputs + quad * 4).cast::<i32>();
                                    let features = _mm256_set1_epi32(four.read_unaligned());
                                    sums[0] = $dot(sums[0], features, both[0]);
                                    sums[1] = $dot(sums[1], features, both[1]);
                                }
                            }
                        }
                    }
                }
                sums
            }
        }
    };
}

kernel!(vex, "avx2,avxvnni", _mm256_dpbusd_avx_epi32);
kernel!(evex, "avx2,avx512vl,avx512vnni", _mm256_dpbusd_epi32);
