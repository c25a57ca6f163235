//! By `sdot`: 16 products of bytes an instruction, four to a sum. Armv8.2 and later.
//!
//! Input and output: see [`super`]. Thread: any. Blocks: never. Allocates: never. Not its job: lengths,
//! which [`super`] asserts.
//!
//! Assembly, since all 32 vector registers have a use: 20 sums, the features of 5 cells, two pairs
//! of weights. Compiled from intrinsics (those for `sdot` are not stable), a third of the
//! instructions were spills.

use std::arch::asm;

use super::finish::Sums;
use super::{BLOCK, TILE, Window, zero};

/// For 4 outputs: a quad of features of the 5 cells in v0 to v4, times weights.
macro_rules! dots {
    ($quad:literal, $weights:literal, [$($sum:literal)*]) => {
        dots!(@ $quad, $weights, ["v0" "v1" "v2" "v3" "v4"], [$($sum)*])
    };
    (@ $quad:literal, $weights:literal, [$($cell:literal)*], [$($sum:literal)*]) => {
        concat!($(
            "sdot ", $sum, ".4s, ", $weights, ".16b, ", $cell, ".4b[", $quad, "]\n"
        ),*)
    };
}

/// For 16 outputs: a quad of features. One pair of weights is loaded while the other is in use, so
/// that a processor that works in order need not wait; for the same reason no load moves its
/// pointer.
macro_rules! quad {
    ($quad:literal, $next:literal, $after:literal) => {
        concat!(
            "ldp q7, q8, [{weights}, #", $next, "]\n",
            dots!($quad, "v5", ["v12" "v16" "v20" "v24" "v28"]),
            dots!($quad, "v6", ["v13" "v17" "v21" "v25" "v29"]),
            "ldp q5, q6, [{weights}, #", $after, "]\n",
            dots!($quad, "v7", ["v14" "v18" "v22" "v26" "v30"]),
            dots!($quad, "v8", ["v15" "v19" "v23" "v27" "v31"]),
        )
    };
}

/// The sums of the products under the window and the bias.
///
/// # Safety
/// The processor has `dotprod`; the conditions of [`Window`] hold; `weights` are in the order of
/// [`super::pack_dots`], with [`super::AHEAD`] bytes behind them.
#[inline(always)]
pub(super) unsafe fn sums(
    window: &Window,
    weights: *const i8,
    bias: &[i32; BLOCK],
) -> [Sums; TILE] {
    // SAFETY: reads what the function's own conditions name and writes nothing.
    unsafe {
        sums_of_window!(
            window, weights, bias,
            start: [".arch_extension dotprod", "ldp q12, q13, [{bias}]", "ldp q14, q15, [{bias}, #32]", "ldp q5, q6, [{weights}]"],
            step: [
                "ldr q0, [{cell}]",
                "ldr q1, [{cell}, {b}]",
                "ldr q2, [{cell}, {c}]",
                "ldr q3, [{cell}, {d}]",
                "ldr q4, [{cell}, {e}]",
                quad!("0", "32", "64"),
                quad!("1", "96", "128"),
                quad!("2", "160", "192"),
                quad!("3", "224", "256")
            ],
            "256",
            scratch: ["v0" "v1" "v2" "v3" "v4" "v5" "v6" "v7" "v8"]
        )
    }
}
