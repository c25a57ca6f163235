//! The convolution for x86-64 with AVX-512 and its VNNI: 64 products an instruction.
//!
//! Input and output: see [`super`]. Thread: any. Blocks: never. Allocates: never. Fails when:
//! slices do not fit (a panic). Not its job: detection (a [`super::Path`] is made only where the
//! processor has it).

use std::arch::x86_64::{
    __m512i, _mm256_castpd_ps, _mm512_add_epi32, _mm512_castps_pd, _mm512_castps512_ps256,
    _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_extractf64x4_pd, _mm512_loadu_ps,
    _mm512_loadu_si512, _mm512_mul_ps, _mm512_set1_epi32, _mm512_storeu_si512,
};

use super::reference::Finish;
use super::{BLOCK, Job, Level, Lines, Portable, x86};

/// Cells side by side: 16 sums in registers, two vectors of weights.
const TILE: usize = 8;

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
        // SAFETY: weights are packed in quads only for the path that was detected to have these
        // features; the lengths that `row` relies on were asserted or chosen above.
        unsafe {
            match job.layer.shape.inputs {
                32 => row::<T, 32>(job, packed, lines, &finish, out),
                48 => row::<T, 48>(job, packed, lines, &finish, out),
                _ => row::<T, 0>(job, packed, lines, &finish, out),
            }
        }
    }
}

/// For `I` inputs a cell, so that distances are known when it is compiled; 0: for any number.
///
/// # Safety
/// The processor has the features; `I` is 0 or the layer's inputs; every line has `width + kernel - 1` cells of `inputs` features
/// and `weights` a whole block.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn row<T: Level, const I: usize>(
    job: &Job<'_>,
    packed: (&[i8], &[i32; BLOCK]),
    lines: Lines<'_, u8>,
    finish: &Finish<'_>,
    out: &mut [T],
) {
    by_tiles!(x to job.width, N of TILE, {
        // SAFETY: as this function's own, and cells x to x + N are inside the row.
        unsafe { tile::<T, N, I>(job, packed, lines, (finish, x), out) };
    });
}

/// # Safety
/// As of [`row`]; cells x to x + N are inside the row.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn tile<T: Level, const N: usize, const I: usize>(
    job: &Job<'_>,
    packed: (&[i8], &[i32; BLOCK]),
    lines: Lines<'_, u8>,
    (finish, x): (&Finish<'_>, usize),
    out: &mut [T],
) {
    // SAFETY: as this function's own.
    let sums = unsafe { block::<N, I>(job, packed, lines, x) };
    if finish.is_plain() {
        // SAFETY: a block of constants is two vectors of 16.
        let (bias, multiplier) = unsafe {
            let bias = finish.bias.as_ptr().cast::<__m512i>();
            let multiplier = finish.multiplier.as_ptr();
            (
                [_mm512_loadu_si512(bias), _mm512_loadu_si512(bias.add(1))],
                [
                    _mm512_loadu_ps(multiplier),
                    _mm512_loadu_ps(multiplier.add(16)),
                ],
            )
        };
        for (n, sums) in sums.iter().enumerate() {
            let at = (x + n) * finish.outputs + finish.first;
            if let Some(to) = out[at..].first_chunk_mut::<BLOCK>() {
                let value = |i: usize| {
                    let sum = _mm512_cvtepi32_ps(_mm512_add_epi32(sums[i], bias[i]));
                    _mm512_mul_ps(sum, multiplier[i])
                };
                let [a, b] = [value(0), value(1)];
                let high = |v| _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(v)));
                let low = |v| _mm512_castps512_ps256(v);
                // SAFETY: as this function's own.
                unsafe { T::put_vectors([low(a), high(a), low(b), high(b)], to) }
            }
        }
        return;
    }
    let mut plain = [[0_i32; BLOCK]; N];
    // To memory by a loop of its own: one that is too long to be unrolled would keep the sums there
    // all the time.
    for (plain, sums) in plain.iter_mut().zip(&sums) {
        // SAFETY: a block of 32 sums is two vectors of 16.
        unsafe {
            let to = plain.as_mut_ptr().cast::<__m512i>();
            _mm512_storeu_si512(to, sums[0]);
            _mm512_storeu_si512(to.add(1), sums[1]);
        }
    }
    for (n, sums) in plain.iter().enumerate() {
        // SAFETY: as this function's own.
        unsafe { x86::put(finish, sums, x + n, out) };
    }
}

/// The sums of a block for N cells.
///
/// # Safety
/// As of [`tile`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn block<const N: usize, const I: usize>(
    job: &Job<'_>,
    (weights, start): (&[i8], &[i32; BLOCK]),
    lines: Lines<'_, u8>,
    x: usize,
) -> [[__m512i; 2]; N] {
    let shape = job.layer.shape;
    let (inputs, kernel) = (if I > 0 { I } else { shape.inputs }, shape.kernel);
    let mut weight = weights.as_ptr().cast::<__m512i>();
    // SAFETY: a block of 32 sums is two vectors of 16.
    let start = unsafe {
        let start = start.as_ptr().cast::<__m512i>();
        [_mm512_loadu_si512(start), _mm512_loadu_si512(start.add(1))]
    };
    let mut sums = [start; N];
    for line in &lines[..kernel] {
        for column in 0..kernel {
            // SAFETY: the last feature read below is that of cell x + N - 1 + column, which
            // the line has; the weights have two vectors for each four inputs of each tap.
            unsafe {
                let cells = line.as_ptr().add((x + column) * inputs);
                for quad in 0..inputs / 4 {
                    let both = [
                        _mm512_loadu_si512(weight),
                        _mm512_loadu_si512(weight.add(1)),
                    ];
                    weight = weight.add(2);
                    for (n, sums) in sums.iter_mut().enumerate() {
                        let four = cells.add(n * inputs + quad * 4).cast::<i32>();
                        let features = _mm512_set1_epi32(four.read_unaligned());
                        sums[0] = _mm512_dpbusd_epi32(sums[0], features, both[0]);
                        sums[1] = _mm512_dpbusd_epi32(sums[1], features, both[1]);
                    }
                }
            }
        }
    }
    sums
}

/// Runs a kernel compiled with AVX-512.
pub(super) fn run(kernel: impl Portable) {
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn wide(kernel: impl Portable) {
        kernel.run();
    }
    // SAFETY: this is called for the path that is made only where the processor was detected to
    // have the features; nothing else in there is unsafe.
    unsafe { wide(kernel) }
}
