//! What every path of x86-64 does with its sums, on vectors of 8 values.
//!
//! Input: sums of a block. Output: levels. Thread: any. Blocks: never. Allocates: never. Fails when:
//! slices do not fit (a panic). Not its job: a part of a block, which goes to [`Finish::put`].
//!
//! The same operations in the same order as there. Rounding is the processor's, to the nearest and
//! to even, which Rust programs leave as it is.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_loadl_epi64, _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps,
    _mm256_castsi256_si128, _mm256_cvtepi8_epi32, _mm256_cvtepi16_epi32, _mm256_cvtepi32_ps,
    _mm256_cvtps_epi32, _mm256_extracti128_si256, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_mullo_epi16, _mm256_packs_epi16,
    _mm256_packs_epi32, _mm256_permutevar8x32_epi32, _mm256_set1_ps, _mm256_setr_epi32,
    _mm256_setzero_ps, _mm256_setzero_si256, _mm256_storeu_ps, _mm256_storeu_si256,
};

use super::reference::Finish;
use super::upsample::{Position, Upsampling};
use super::{BLOCK, CELL, Job, Level, Lines};

/// Values of a vector.
const LANES: usize = 8;

/// Vectors of a block.
const VECTORS: usize = BLOCK / LANES;

/// A block of values.
pub type Values = [__m256; VECTORS];

/// [`Finish::put`] for a whole block; a part of one goes there.
///
/// # Safety
/// The processor has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn put<T: Level>(
    finish: &Finish<'_>,
    sums: &[i32; BLOCK],
    x: usize,
    out: &mut [T],
) {
    let at = x * finish.outputs + finish.first;
    // No closure: what calls one here is compiled without AVX2 and cannot be inlined.
    let (residual, fits) = match finish.residual {
        Some((levels, factor)) => {
            let levels = levels[at..].first_chunk::<BLOCK>();
            (Some((levels, factor)), levels.is_some())
        }
        None => (None, true),
    };
    let whole = finish.count == BLOCK && fits;
    let to = match out[at..].first_chunk_mut::<BLOCK>() {
        Some(to) if whole => to,
        _ => return finish.put(sums, x, out),
    };
    let mut values = [_mm256_setzero_ps(); VECTORS];
    for (v, value) in values.iter_mut().enumerate() {
        let first = v * LANES;
        // SAFETY: every array has a block of values, of which these are eight.
        unsafe {
            let sum = _mm256_loadu_si256(sums.as_ptr().add(first).cast::<__m256i>());
            let bias = _mm256_loadu_si256(finish.bias.as_ptr().add(first).cast::<__m256i>());
            let multiplier = _mm256_loadu_ps(finish.multiplier.as_ptr().add(first));
            let sum = _mm256_cvtepi32_ps(_mm256_add_epi32(sum, bias));
            *value = _mm256_mul_ps(sum, multiplier);
            if let Some((Some(levels), factor)) = residual {
                let levels = scaled(levels, first, factor);
                *value = _mm256_add_ps(*value, levels);
            }
            if finish.relu {
                *value = _mm256_max_ps(*value, _mm256_setzero_ps());
            }
            if let Some([factor, addend]) = &finish.modulation {
                let factor = _mm256_loadu_ps(factor.as_ptr().add(first));
                let addend = _mm256_loadu_ps(addend.as_ptr().add(first));
                *value = _mm256_add_ps(_mm256_mul_ps(*value, factor), addend);
            }
        }
    }
    // SAFETY: as this function's own.
    unsafe { T::put_vectors(values, to) }
}

/// The blocks of weights packed in quads, each with what its sums start with, after the lengths
/// that the kernels rely on were asserted.
pub(super) fn blocks_of_quads<'a>(
    job: &Job<'_>,
    (weights, start): (&'a [i8], &'a [i32]),
    lines: Lines<'_, u8>,
) -> impl Iterator<Item = (&'a [i8], &'a [i32; BLOCK])> {
    let shape = job.layer.shape;
    let needed = (job.width + shape.kernel - 1) * shape.inputs;
    assert!(shape.inputs.is_multiple_of(4) && lines.iter().all(|line| line.len() >= needed));
    let size = shape.kernel * shape.kernel * shape.inputs * BLOCK;
    weights.chunks_exact(size).zip(start.as_chunks::<BLOCK>().0)
}

/// The sums of one half of a block, for N cells, to memory.
///
/// # Safety
/// The processor has AVX2; `half` is 0 or 1.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn keep_half<const N: usize>(
    plain: &mut [[i32; BLOCK]; N],
    half: usize,
    sums: &[[__m256i; 2]; N],
) {
    for (plain, sums) in plain.iter_mut().zip(sums) {
        // SAFETY: half a block of 16 sums is two vectors of 8.
        unsafe {
            let to = plain.as_mut_ptr().add(half * BLOCK / 2).cast::<__m256i>();
            _mm256_storeu_si256(to, sums[0]);
            _mm256_storeu_si256(to.add(1), sums[1]);
        }
    }
}

/// Eight levels of a block from `first` on, times `factor`.
///
/// # Safety
/// The processor has AVX2; `first` is at most [`BLOCK`] less eight.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn scaled(levels: &[i8; BLOCK], first: usize, factor: f32) -> __m256 {
    // SAFETY: as this function's own.
    let levels = unsafe { _mm_loadl_epi64(levels.as_ptr().add(first).cast::<__m128i>()) };
    let levels = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(levels));
    _mm256_mul_ps(levels, _mm256_set1_ps(factor))
}

/// [`Level::of`] each for `f32`.
///
/// # Safety
/// The processor has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn put_floats(values: Values, to: &mut [f32; BLOCK]) {
    for (v, value) in values.into_iter().enumerate() {
        // SAFETY: a block is VECTORS vectors of LANES values.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr().add(v * LANES), value) }
    }
}

/// [`Level::of`] each for `i8`.
///
/// # Safety
/// The processor has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn put_levels(values: Values, to: &mut [i8; BLOCK]) {
    let (low, high) = (_mm256_set1_ps(-127.0), _mm256_set1_ps(127.0));
    // Both give the second where the first is no number.
    let level = |value| _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(value, low), high));
    let [a, b, c, d] = values.map(level);
    // Packed within halves of 128 bits: a0 b0 c0 d0, then a1 b1 c1 d1, of four levels each.
    let packed = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    let packed = _mm256_permutevar8x32_epi32(packed, order);
    // SAFETY: a block of levels is one vector.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast::<__m256i>(), packed) }
}

/// One block of channels, of which there are all, of the cells of row `y`.
pub(super) fn upsample_row(
    job: &Upsampling<'_>,
    (positions, grid): (&[Position], &[[i16; BLOCK]]),
    (first, y): (usize, usize),
    out: &mut [i8],
) {
    // SAFETY: this is called for paths that are made only where the processor was detected to have
    // AVX2.
    unsafe { upsample(job, (positions, grid), (first, y), out) }
}

/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
unsafe fn upsample(
    job: &Upsampling<'_>,
    (positions, grid): (&[Position], &[[i16; BLOCK]]),
    (first, y): (usize, usize),
    out: &mut [i8],
) {
    let channels = job.channels();
    let columns = job.width / CELL + 2;
    let features = &job.features[y * job.width * channels..][..out.len()];
    let rows = [0, 1, 2].map(|row| &grid[(y / CELL + row) * columns..][..columns]);
    let cells = out.chunks_exact_mut(channels).enumerate();
    for ((x, out), features) in cells.zip(features.chunks_exact(channels)) {
        let position = &positions[y % CELL * CELL + x % CELL];
        let around = rows.map(|row| row[x / CELL..].first_chunk::<3>());
        let ([Some(above), Some(middle), Some(below)], Some(features), Some(out)) = (
            around,
            features[first..].first_chunk::<BLOCK>(),
            out[first..].first_chunk_mut::<BLOCK>(),
        ) else {
            continue;
        };
        let mut sums = [_mm256_setzero_si256(); 2];
        for (row, grid) in [above, middle, below].into_iter().enumerate() {
            for (column, grid) in grid.iter().enumerate() {
                let taps = &position.taps[row * 3 + column];
                for (half, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: a block of 32 values of 16 bits is two vectors.
                    let (grid, taps) = unsafe {
                        let at = |values: &[i16; BLOCK]| {
                            _mm256_loadu_si256(values.as_ptr().cast::<__m256i>().add(half))
                        };
                        (at(grid), at(taps))
                    };
                    *sum = _mm256_add_epi16(*sum, _mm256_mullo_epi16(grid, taps));
                }
            }
        }
        let mut values = [_mm256_setzero_ps(); VECTORS];
        for (v, value) in values.iter_mut().enumerate() {
            let sums = match v % 2 {
                0 => _mm256_castsi256_si128(sums[v / 2]),
                _ => _mm256_extracti128_si256::<1>(sums[v / 2]),
            };
            let sums = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(sums));
            // SAFETY: every array has a block of values, of which these are eight.
            unsafe {
                let factor = _mm256_loadu_ps(position.factor.as_ptr().add(v * LANES));
                let bias = _mm256_loadu_ps(position.bias.as_ptr().add(v * LANES));
                let added = _mm256_add_ps(bias, _mm256_mul_ps(sums, factor));
                *value = _mm256_add_ps(scaled(features, v * LANES, job.factor), added);
            }
        }
        // SAFETY: as this function's own.
        unsafe { put_levels(values, out) }
    }
}
