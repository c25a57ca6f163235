//! The convolution for aarch64: signed dot products where the processor has them, products of
//! bytes added in pairs elsewhere.
//!
//! Input and output: see [`super`]. Thread: any. Blocks: never. Allocates: packing. Fails when:
//! slices do not fit (a panic). Not its job: detection (a [`super::Path`] is made only where the
//! processor has it).
//!
//! The cells under one row of the window lie side by side, so their features are one run of
//! `kernel * inputs` bytes. Both kernels take it in steps of [`STEP`]; the weights of the last step
//! are filled up with zeros.

/// Sums of the other cells start as those of the first.
macro_rules! copies {
    ($($first:literal: [$($to:literal)*],)*) => {
        concat!($($("mov ", $to, ".16b, ", $first, ".16b\n",)*)*)
    };
}

/// The sums of a tile under a window, by assembly: what starts the sums, what a step does with 16 features
/// of each cell, how many bytes of weights it takes, and the registers it changes. v12 to v31 are the sums
/// of 5 cells, four vectors each.
macro_rules! sums_of_window {
    ($window:ident, $weights:ident, $bias:ident, start: [$($start:expr),*], step: [$($step:expr),*], $bytes:literal, scratch: [$($scratch:tt)*]) => {{
        let mut sums = [[zero(); 4]; TILE];
        asm!(
            $($start,)*
            copies!(
                "v12": ["v16" "v20" "v24" "v28"],
                "v13": ["v17" "v21" "v25" "v29"],
                "v14": ["v18" "v22" "v26" "v30"],
                "v15": ["v19" "v23" "v27" "v31"],
            ),
            "2:",
            "ldr {cell}, [{lines}], #8",
            "mov {left}, {steps}",
            "3:",
            $($step,)*
            "add {cell}, {cell}, #16",
            concat!("add {weights}, {weights}, #", $bytes),
            "subs {left}, {left}, #1",
            "b.ne 3b",
            "subs {rows}, {rows}, #1",
            "b.ne 2b",
            bias = in(reg) $bias.as_ptr(),
            weights = inout(reg) $weights => _,
            lines = inout(reg) $window.lines.as_ptr() => _,
            rows = inout(reg) $window.rows => _,
            steps = in(reg) $window.steps,
            left = out(reg) _,
            cell = out(reg) _,
            b = in(reg) $window.distance,
            c = in(reg) $window.distance * 2,
            d = in(reg) $window.distance * 3,
            e = in(reg) $window.distance * 4,
            $(out($scratch) _,)*
            out("v12") sums[0][0], out("v13") sums[0][1], out("v14") sums[0][2], out("v15") sums[0][3],
            out("v16") sums[1][0], out("v17") sums[1][1], out("v18") sums[1][2], out("v19") sums[1][3],
            out("v20") sums[2][0], out("v21") sums[2][1], out("v22") sums[2][2], out("v23") sums[2][3],
            out("v24") sums[3][0], out("v25") sums[3][1], out("v26") sums[3][2], out("v27") sums[3][3],
            out("v28") sums[4][0], out("v29") sums[4][1], out("v30") sums[4][2], out("v31") sums[4][3],
            options(pure, readonly, nostack)
        );
        sums
    }};
}

mod dots;
mod finish;
mod products;
mod upsample;

pub use finish::Values;
pub(super) use finish::{put_floats, put_levels};
pub(super) use upsample::upsample_block;

use std::arch::aarch64::{int32x4_t, vdupq_n_s32};

use super::{ConvShape, Job, Level, Lines};
use finish::{Finish, Sums};

/// Outputs that are computed together.
pub const BLOCK: usize = 16;

/// Vectors of four sums in a block.
const VECTORS: usize = BLOCK / 4;

/// Features of a cell that are taken together.
const STEP: usize = 16;

/// Bytes of weights of one step for four outputs.
const PART: usize = STEP * 4;

/// Cells that are computed together.
const TILE: usize = 5;

/// Bytes behind the weights that a kernel may read.
const AHEAD: usize = 32;

/// Features behind the end of a line that a kernel may read: of the last step, and of cells that
/// a row narrower than a tile does not have.
pub(super) fn slack(inputs: usize) -> usize {
    STEP + (TILE - 1) * inputs
}

/// Where the features of a tile are.
///
/// A kernel relies on this: each of the first `rows` lines has `steps` of features at the pointer
/// and at each of the next four `distance`s from it; neither `rows` nor `steps` is 0; and there are
/// `rows * steps` of weights for a block.
struct Window {
    lines: [*const i8; 3],
    rows: usize,
    steps: usize,
    /// Features from one cell to the next.
    distance: usize,
}

/// Four sums, before they are computed.
#[inline(always)]
fn zero() -> int32x4_t {
    // SAFETY: the target has NEON.
    unsafe { vdupq_n_s32(0) }
}

/// Steps of one row of the window.
fn steps(shape: ConvShape) -> usize {
    (shape.kernel * shape.inputs).div_ceil(STEP)
}

/// Bytes of weights of one block.
fn block_size(shape: ConvShape) -> usize {
    shape.kernel * steps(shape) * STEP * BLOCK
}

/// Features side by side whose weights are side by side in both orders. They never belong to two cells.
const QUAD: usize = 4;

/// Per `group` of outputs, row of the window and step: quads of weights, of the output of the group and
/// the quad of the step for which `place` gives where.
fn pack(
    packed: &mut Vec<i8>,
    shape: ConvShape,
    weights: &[i8],
    (group, place): (usize, impl Fn(usize, usize) -> usize),
) {
    let ConvShape {
        outputs,
        inputs,
        kernel,
    } = shape;
    let steps = steps(shape);
    packed.clear();
    packed.resize(outputs.div_ceil(BLOCK) * block_size(shape) + AHEAD, 0);
    super::pack::place::<QUAD, i8>(packed, shape, weights, |output, tap, quad| {
        let (row, column) = (tap / kernel, tap % kernel);
        let quad = column * inputs / QUAD + quad;
        let (step, quad) = (quad / (STEP / QUAD), quad % (STEP / QUAD));
        let step = (output / group * kernel + row) * steps + step;
        step * (STEP / QUAD) * group + place(output % group, quad)
    });
}

/// For [`row_of_dots`], per block, row and step: `[quad of features][output][feature of the quad]`.
pub(super) fn pack_dots(packed: &mut Vec<i8>, shape: ConvShape, weights: &[i8]) {
    let place = |output, quad| quad * BLOCK + output;
    pack(packed, shape, weights, (BLOCK, place));
}

/// For [`row_of_products`], per 4 outputs, row and step: `[output][feature]`.
pub(super) fn pack_products(packed: &mut Vec<i8>, shape: ConvShape, weights: &[i8]) {
    let place = |output, quad| output * (STEP / QUAD) + quad;
    pack(packed, shape, weights, (4, place));
}

/// Row `y` of the output, where the processor has `dotprod`.
pub(super) fn row_of_dots<T: Level>(
    job: &Job<'_>,
    weights: &[i8],
    lines: Lines<'_, i8>,
    y: usize,
    out: &mut [T],
) {
    // SAFETY: weights are packed for dots only for the path that was detected to have them; `row`
    // sees to the other conditions.
    let sums = |window: &_, weights, bias: &_| unsafe { dots::sums(window, weights, bias) };
    row(job, weights, (lines, y), out, sums);
}

/// Row `y` of the output, on any processor.
pub(super) fn row_of_products<T: Level>(
    job: &Job<'_>,
    weights: &[i8],
    lines: Lines<'_, i8>,
    y: usize,
    out: &mut [T],
) {
    // SAFETY: `row` sees to the conditions.
    let sums = |window: &_, weights, bias: &_| unsafe { products::sums(window, weights, bias) };
    row(job, weights, (lines, y), out, sums);
}

/// Puts what `sums_of` gives for tiles of cells, the last one of which overlaps the one before where
/// the width is no multiple.
#[inline(always)]
fn row<T: Level>(
    job: &Job<'_>,
    weights: &[i8],
    (lines, y): (Lines<'_, i8>, usize),
    out: &mut [T],
    sums_of: impl Fn(&Window, *const i8, &[i32; BLOCK]) -> [Sums; TILE],
) {
    let shape = job.layer.shape;
    let (width, distance, size) = (job.width, shape.inputs, block_size(shape));
    let needed = (width + shape.kernel - 1) * distance + slack(distance);
    let blocks = shape.outputs.div_ceil(BLOCK);
    assert!(lines.iter().all(|line| line.len() >= needed));
    assert!(weights.len() == blocks * size + AHEAD);
    for block in 0..blocks {
        let finish = Finish::new(job, y, block);
        let weights = weights[block * size..][..size + AHEAD].as_ptr();
        let mut x = 0;
        while x < width {
            let first = x.min(width.saturating_sub(TILE));
            let window = Window {
                lines: lines.map(|line| line[first * distance..].as_ptr()),
                rows: shape.kernel,
                steps: steps(shape),
                distance,
            };
            let sums = sums_of(&window, weights, finish.bias);
            finish.put(&sums, first, out);
            x += TILE;
        }
    }
}
