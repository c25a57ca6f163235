//! The exponential without a mathematical library: those differ in the last bit.
//!
//! Input and output: numbers. Thread: any. Blocks: never. Allocates: never. Not its job: what the numbers
//! mean.

/// NaN becomes `low`.
#[inline(always)]
pub(super) fn within(value: f32, low: f32, high: f32) -> f32 {
    let value = if value > low { value } else { low };
    if value < high { value } else { high }
}

/// e^x within 3e-7 of its value. Beyond +-80 as there.
#[inline(always)]
pub(super) fn exponential(x: f32) -> f32 {
    let t = within(x, -80.0, 80.0) * std::f32::consts::LOG2_E;
    // Rounds, see Level for i8; the low bits are the integer.
    let rounded = t + 12_582_912.0;
    let whole = rounded - 12_582_912.0;
    // 2^f = e^(f ln 2), -0.5 <= f <= 0.5, by its Taylor series.
    let f = (t - whole) * std::f32::consts::LN_2;
    let series = 1.0 / 720.0;
    let series = series * f + 1.0 / 120.0;
    let series = series * f + 1.0 / 24.0;
    let series = series * f + 1.0 / 6.0;
    let series = series * f + 0.5;
    let series = series * f + 1.0;
    let series = series * f + 1.0;
    let integer = rounded.to_bits().wrapping_sub(12_582_912_f32.to_bits());
    series * f32::from_bits(127_u32.wrapping_add(integer) << 23)
}

#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exponential(within(-x, -20.0, 20.0)))
}
