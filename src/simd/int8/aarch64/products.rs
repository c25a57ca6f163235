//! By `smull`, `smlal2` and `sadalp`: 16 products of bytes by three instructions. Every aarch64
//! processor.
//!
//! Input and output: see [`super`]. Thread: any. Blocks: never. Allocates: never. Fails when:
//! never. Not its job: lengths, which [`super`] asserts.
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
#[expect(clippy::too_many_lines, reason = "assembly names a register a line")]
unsafe fn sums_of_part(
    window: &Window,
    weights: *const i8,
    bias: &[i32; 4],
) -> [[int32x4_t; 4]; TILE] {
    let mut sums = [[zero(); 4]; TILE];
    // SAFETY: reads what the function's own conditions name and writes nothing.
    unsafe {
        asm!(
            // Loads of four bytes put zeros into the other twelve.
            "ldp s12, s13, [{bias}]",
            "ldp s14, s15, [{bias}, #8]",
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
            products!("v4", ["v28" "v29" "v30" "v31"]),
            "add {cell}, {cell}, #16",
            "add {weights}, {weights}, #64",
            "subs {left}, {left}, #1",
            "b.ne 3b",
            "subs {rows}, {rows}, #1",
            "b.ne 2b",
            bias = in(reg) bias.as_ptr(),
            weights = inout(reg) weights => _,
            lines = inout(reg) window.lines.as_ptr() => _,
            rows = inout(reg) window.rows => _,
            steps = in(reg) window.steps,
            left = out(reg) _,
            cell = out(reg) _,
            b = in(reg) window.distance,
            c = in(reg) window.distance * 2,
            d = in(reg) window.distance * 3,
            e = in(reg) window.distance * 4,
            out("v0") _,
            out("v1") _,
            out("v2") _,
            out("v3") _,
            out("v4") _,
            out("v5") _,
            out("v6") _,
            out("v7") _,
            out("v8") _,
            out("v9") _,
            out("v12") sums[0][0],
            out("v13") sums[0][1],
            out("v14") sums[0][2],
            out("v15") sums[0][3],
            out("v16") sums[1][0],
            out("v17") sums[1][1],
            out("v18") sums[1][2],
            out("v19") sums[1][3],
            out("v20") sums[2][0],
            out("v21") sums[2][1],
            out("v22") sums[2][2],
            out("v23") sums[2][3],
            out("v24") sums[3][0],
            out("v25") sums[3][1],
            out("v26") sums[3][2],
            out("v27") sums[3][3],
            out("v28") sums[4][0],
            out("v29") sums[4][1],
            out("v30") sums[4][2],
            out("v31") sums[4][3],
            options(pure, readonly, nostack)
        );
    }
    sums
}
