//! Weights in the order of a path's kernel, and what they have to be.
//!
//! Input: weights `[outputs, inputs, kernel, kernel]`. Output: the same, packed. Thread: any. Blocks:
//! never. Allocates: the packed weights. Fails when: a number is out of range. Not its job: the
//! orders of aarch64.

#[cfg(target_arch = "aarch64")]
use super::aarch64;
use super::{BLOCK, ConvShape, Kind};

/// Sums of more products than this might leave `i32`.
const MOST_PRODUCTS: usize = 1 << 16;

/// Weights, per block of [`BLOCK`] outputs and per tap of the window.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Packed {
    /// `[input][output]`
    Plain(Vec<i16>),
    /// In the order of [`aarch64::pack_products`].
    #[cfg(target_arch = "aarch64")]
    Products(Vec<i8>),
    /// In the order of [`aarch64::pack_dots`].
    #[cfg(target_arch = "aarch64")]
    Dots(Vec<i8>),
    /// `[input / 2][output][2]`
    #[cfg(target_arch = "x86_64")]
    Pairs(Vec<i16>),
    /// `[input / 4][output][4]`, and what a sum starts with: features are raised by 128 to be
    /// unsigned, which adds 128 times the sum of the weights.
    #[cfg(target_arch = "x86_64")]
    Quads(Vec<i8>, Vec<i32>),
}

impl Packed {
    /// No weights, for a path.
    pub fn none(path: Kind) -> Self {
        match path {
            Kind::Reference => Self::Plain(Vec::new()),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => Self::Products(Vec::new()),
            #[cfg(target_arch = "aarch64")]
            Kind::Dotprod => Self::Dots(Vec::new()),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => Self::Pairs(Vec::new()),
            #[cfg(target_arch = "x86_64")]
            Kind::AvxVnni | Kind::Avx512 => Self::Quads(Vec::new(), Vec::new()),
        }
    }

    /// Other weights, which fit the shape, in place of those that it has.
    pub fn fill(&mut self, shape: ConvShape, weights: &[i8]) {
        match self {
            Self::Plain(packed) => fill::<1, i16>(packed, shape, weights),
            #[cfg(target_arch = "aarch64")]
            Self::Products(packed) => aarch64::pack_products(packed, shape, weights),
            #[cfg(target_arch = "aarch64")]
            Self::Dots(packed) => aarch64::pack_dots(packed, shape, weights),
            #[cfg(target_arch = "x86_64")]
            Self::Pairs(packed) => fill::<2, i16>(packed, shape, weights),
            #[cfg(target_arch = "x86_64")]
            Self::Quads(packed, start) => {
                fill::<4, i8>(packed, shape, weights);
                start.clear();
                start.extend(
                    weights
                        .chunks_exact(weights.len() / shape.outputs)
                        .map(|of_one| -> i32 { of_one.iter().map(|&w| -128 * i32::from(w)).sum() }),
                );
                start.resize(shape.outputs.next_multiple_of(BLOCK), 0);
            }
        }
    }
}

/// Per block, tap and `N` inputs: `[BLOCK][N]`.
fn fill<const N: usize, W: From<i8> + Copy>(packed: &mut Vec<W>, shape: ConvShape, weights: &[i8]) {
    let (taps, groups) = (shape.kernel * shape.kernel, shape.inputs / N);
    packed.clear();
    let outputs = shape.outputs.next_multiple_of(BLOCK);
    packed.resize(outputs * taps * shape.inputs, W::from(0));
    place::<N, W>(packed, shape, weights, |output, tap, group| {
        let (block, output) = (output / BLOCK, output % BLOCK);
        ((block * taps + tap) * groups + group) * BLOCK + output
    });
}

/// Each `N` weights of inputs side by side: of `(output, tap, group of inputs)` to where `to` says,
/// counted in such groups. `N` divides the inputs.
pub(super) fn place<const N: usize, W: From<i8> + Copy>(
    packed: &mut [W],
    shape: ConvShape,
    weights: &[i8],
    to: impl Fn(usize, usize, usize) -> usize,
) {
    let taps = shape.kernel * shape.kernel;
    let packed = packed.as_chunks_mut::<N>().0;
    for (output, of_one) in weights.chunks_exact(shape.inputs * taps).enumerate() {
        if taps == 1 {
            for (group, weights) in of_one.as_chunks::<N>().0.iter().enumerate() {
                packed[to(output, 0, group)] = weights.map(W::from);
            }
            continue;
        }
        for (group, weights) in of_one.chunks_exact(N * taps).enumerate() {
            for tap in 0..taps {
                let weight = |i: usize| W::from(weights[i * taps + tap]);
                packed[to(output, tap, group)] = std::array::from_fn(weight);
            }
        }
    }
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
