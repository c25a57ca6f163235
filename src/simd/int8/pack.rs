//! Weights in the order of a path's kernel, and what they have to be.
//!
//! Input: weights `[outputs, inputs, kernel, kernel]`. Output: the same, packed. Thread: any. Blocks:
//! never. Allocates: the packed weights. Fails when: a number is out of range. Not its job: the
//! orders of aarch64.

use super::{BLOCK, ConvShape};

/// Sums of more products than this might leave `i32`.
const MOST_PRODUCTS: usize = 1 << 16;

/// Per block, tap and `N` inputs: `[BLOCK][N]`.
pub(super) fn pack<const N: usize, W: From<i8>>(shape: ConvShape, weights: &[i8]) -> Vec<W> {
    let taps = shape.kernel * shape.kernel;
    let mut packed = Vec::new();
    for block in 0..shape.outputs.div_ceil(BLOCK) {
        for tap in 0..taps {
            for first in (0..shape.inputs).step_by(N) {
                for output in block * BLOCK..(block + 1) * BLOCK {
                    for input in first..first + N {
                        let at = (output * shape.inputs + input) * taps + tap;
                        let weight = if output < shape.outputs {
                            weights[at]
                        } else {
                            0
                        };
                        packed.push(W::from(weight));
                    }
                }
            }
        }
    }
    packed
}

/// Refuses sizes and numbers for which a sum might leave its range.
pub(super) fn check(
    shape: ConvShape,
    weights: &[i8],
    bias: &[i32],
    multiplier: &[f32],
) -> Result<(), String> {
    let ConvShape {
        outputs,
        inputs,
        kernel,
    } = shape;
    let products = inputs.saturating_mul(kernel * kernel);
    if kernel != 1 && kernel != 3 {
        return Err(format!("a window of {kernel} x {kernel}; 1 or 3 is needed"));
    }
    if inputs == 0 || inputs % 4 != 0 || products > MOST_PRODUCTS {
        return Err(format!(
            "{inputs} input channels; a multiple of 4 up to {} is needed",
            MOST_PRODUCTS / 9
        ));
    }
    if outputs == 0 || outputs > 4096 {
        return Err(format!("{outputs} output channels; 1 to 4096 are needed"));
    }
    if weights.len() != outputs * products || bias.len() != outputs || multiplier.len() != outputs {
        return Err(format!(
            "{} weights, {} biases and {} multipliers; {}, {outputs} and {outputs} are needed",
            weights.len(),
            bias.len(),
            multiplier.len(),
            outputs * products
        ));
    }
    if weights.contains(&i8::MIN) {
        return Err("a weight of -128; -127 to 127 is needed".to_owned());
    }
    // Products of up to MOST_PRODUCTS of 255 * 127 leave room for this beside them.
    if bias.iter().any(|b| b.unsigned_abs() > 1 << 24) {
        return Err("a bias beyond 2^24 products".to_owned());
    }
    if !multiplier.iter().all(|m| m.is_finite() && *m >= 0.0) {
        return Err("a multiplier that is negative or not finite".to_owned());
    }
    Ok(())
}
