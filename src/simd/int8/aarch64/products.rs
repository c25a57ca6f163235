//! By `smull`, `smlal2` and `sadalp`: 16 products of bytes by three instructions. Every aarch64
//! processor.
//!
//! Input and output: see [`super`]. Thread: any. Blocks: never. Allocates: never. Not its job: lengths,
//! which [`super`] asserts.
//!
//! A weight is within +-127 (checked where a layer is made), so the sum of two products is within
//! 2 * 127 * 128, which 16 bits hold, whatever the features are.
//!
//! Assembly for the same reason as [`super::dots`]: 20 sums, 4 weights, features of two cells and
//! four products.

use std::arch::aarch64::{int32x4_t, vpaddq_s32};
use std::arch::asm;

use super::finish::Sums;
use super::{BLOCK, PART, TILE, VECTORS, Window, zero};

/// For 4 outputs, whose weights are in v0 to v3: 16 features of a cell. Four products at a time,
/// so that none has to be waited for.
macro_rules! products {
    ($cell:literal, [$a:literal $b:literal $c:literal $d:literal]) => {
        concat!(
            products!("smull", ".8b", $cell),
            products!("smlal2", ".16b", $cell),
            "sadalp ",
            $a,
            ".4s, v6.8h\n",
            "sadalp ",
            $b,
            ".4s, v7.8h\n",
            "sadalp ",
            $c,
            ".4s, v8.8h\n",
            "sadalp ",
            $d,
            ".4s, v9.8h\n",
        )
    };
    ($multiply:literal, $bytes:literal, $cell:literal) => {
        concat!(
            $multiply, " v6.8h, ", $cell, $bytes, ", v0", $bytes, "\n", $multiply, " v7.8h, ",
            $cell, $bytes, ", v1", $bytes, "\n", $multiply, " v8.8h, ", $cell, $bytes, ", v2",
            $bytes, "\n", $multiply, " v9.8h, ", $cell, $bytes, ", v3", $bytes, "\n",
        )
    };
}

/// The sums of the products under the window and the bias.
///
/// # Safety
/// The conditions of [`Window`] hold; `weights` are in the order of [`super::pack_products`].
#[inline(always)]
pub(super) unsafe fn sums(
    window: &Window,
    weights: *const i8,
    bias: &[i32; BLOCK],
) -> [Sums; TILE] {
    let mut sums = [[zero(); VECTORS]; TILE];
    let size = window.rows * window.steps * PART;
    for (part, bias) in bias.as_chunks().0.iter().enumerate() {
        // SAFETY: as this function's own; a block of weights has that many parts.
        unsafe {
            let of_part = sums_of_part(window, weights.add(part * size), bias);
            for (sums, [a, b, c, d]) in sums.iter_mut().zip(of_part) {
                sums[part] = vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
            }
        }
    }
    sums
}

/// For each cell and each of 4 outputs, four sums that add up to its products and bias.
///
/// # Safety
/// As of [`sums`], for one part of the weights.
#[inline(always)]
unsafe fn sums_of_part(
    window: &Window,
    weights: *const i8,
    bias: &[i32; 4],
) -> [[int32x4_t; 4]; TILE] {
    // SAFETY: reads what the function's own conditions name and writes nothing. Loads of four bytes put
    // zeros into the other twelve.
    unsafe {
        sums_of_window!(
            window, weights, bias,
            start: ["ldp s12, s13, [{bias}]", "ldp s14, s15, [{bias}, #8]"],
            step: [
                "ldp q0, q1, [{weights}]",
                "ldp q2, q3, [{weights}, #32]",
                "ldr q4, [{cell}]",
                "ldr q5, [{cell}, {b}]",
                products!("v4", ["v12" "v13" "v14" "v15"]),
                "ldr q4, [{cell}, {c}]",
                products!("v5", ["v16" "v17" "v18" "v19"]),
                "ldr q5, [{cell}, {d}]",
                products!("v4", ["v20" "v21" "v22" "v23"]),
                "ldr q4, [{cell}, {e}]",
                products!("v5", ["v24" "v25" "v26" "v27"]),
                products!("v4", ["v28" "v29" "v30" "v31"])
            ],
            "64",
            scratch: ["v0" "v1" "v2" "v3" "v4" "v5" "v6" "v7" "v8" "v9"]
        )
    }
}
