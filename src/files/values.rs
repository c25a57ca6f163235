//! Grey values that are no unsigned 16-bit counts, as absolute temperatures or counts.
//!
//! Input: floats. Output: [`RawGrey`]. Fails when: never. Not its job: reading them.
//!
//! A plain file says no unit. Temperatures of scenes on Earth tell it: 20 can be degrees Celsius and no kelvins, 293
//! kelvins, 29 315 hundredths, 293 150 thousandths.

use super::loaded::{RawGrey, ZERO_KELVIN};
use crate::frame::{Counts, Size};

/// Kelvins a count at the usual resolution, and where the hottest sample does not fit it.
const FINE: f32 = 0.01;
const COARSE: f32 = 0.05;
/// Values that are looked at to tell the unit.
const SAMPLED: usize = 1 << 14;

/// What the values of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Floating point.
    Float(u8),
    /// Signed integers.
    Signed(u8),
    /// Unsigned integers beyond 16 bits.
    Unsigned(u8),
}

impl Source {
    fn name(self) -> String {
        match self {
            Self::Float(bits) => format!("{bits}-bit floats"),
            Self::Signed(bits) => format!("signed {bits}-bit integers"),
            Self::Unsigned(bits) => format!("{bits}-bit integers"),
        }
    }
}

/// A unit: its name, what a value is in kelvins, and what 0 is.
struct Unit(&'static str, f32, f32);

const CELSIUS: Unit = Unit("degrees Celsius", 1.0, -ZERO_KELVIN);
const CENTICELSIUS: Unit = Unit(
    "hundredths of a degree Celsius (assumed)",
    0.01,
    -ZERO_KELVIN,
);
const KELVIN: Unit = Unit("kelvins", 1.0, 0.0);
const CENTIKELVIN: Unit = Unit("hundredths of a kelvin", 0.01, 0.0);
const MILLIKELVIN: Unit = Unit("thousandths of a kelvin", 0.001, 0.0);

/// By the smallest, the median and the largest of the usual values.
fn unit_of(source: Source, [low, median, high]: [f32; 3]) -> Option<Unit> {
    let within = |from: f32, to: f32| low >= from && high <= to;
    match source {
        Source::Float(_) if within(0.0, 1.0) => None,
        Source::Float(_) | Source::Unsigned(_) if within(150_000.0, 3_000_000.0) => {
            Some(MILLIKELVIN)
        }
        Source::Float(_) | Source::Unsigned(_) if within(15_000.0, 150_000.0) => Some(CENTIKELVIN),
        Source::Float(_) if within(180.0, 3_000.0) && median < 2_000.0 => Some(KELVIN),
        Source::Float(_) if within(-100.0, 2_500.0) => Some(CELSIUS),
        Source::Signed(16) if within(-10_000.0, 32_767.0) => Some(CENTICELSIUS),
        Source::Signed(_) if within(150_000.0, 3_000_000.0) => Some(MILLIKELVIN),
        _ => None,
    }
}

/// Brings values to 16 bits. Infinite ones and NaN are missing.
pub fn to_counts(size: Size, values: &[f32], source: Source) -> RawGrey {
    let stride = (values.len() / SAMPLED).max(1) | 1;
    let mut usual: Vec<f32> = values
        .iter()
        .step_by(stride)
        .copied()
        .filter(|v| v.is_finite())
        .collect();
    usual.sort_unstable_by(f32::total_cmp);
    let at = |part: f32| {
        let index = (part * usual.len().saturating_sub(1) as f32) as usize;
        usual.get(index).copied().unwrap_or(0.0)
    };
    let ends = [at(0.01), at(0.5), at(0.99)];
    let unit = unit_of(source, ends);
    let (scale, zero, kelvin) = match &unit {
        Some(Unit(_, kelvins, zero)) => {
            let hottest = ends[2] * kelvins + zero;
            let step = if hottest < 600.0 { FINE } else { COARSE };
            (kelvins / step, zero / step, Some(step))
        }
        None if ends[0] >= 0.0 && ends[2] <= 1.0 => (65_535.0, 0.0, None),
        None => {
            // All that is usual within the middle half of 16 bits.
            let scale = 32_768.0 / (ends[2] - ends[0]).max(f32::MIN_POSITIVE);
            (scale, 16_384.0 - ends[0] * scale, None)
        }
    };
    let whole = values.iter().all(|v| v.is_finite());
    // A cast of a float saturates; NaN becomes 0.
    let data = values.iter().map(|v| (v * scale + zero).round() as u16);
    RawGrey {
        counts: Counts {
            size,
            data: data.collect(),
            kelvin,
        },
        missing: match whole {
            true => Vec::new(),
            false => values.iter().map(|v| !v.is_finite()).collect(),
        },
        linear: (scale, zero),
        read_as: unit.map(|Unit(name, ..)| format!("{}, {name}", source.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[f32], source: Source) -> RawGrey {
        to_counts(Size::new(values.len(), 1), values, source)
    }

    #[test]
    fn temperatures_are_told_by_their_values_in_every_unit() {
        for (source, factor, zero) in [
            (Source::Float(32), 1.0, 0.0),
            (Source::Float(32), 1.0, -ZERO_KELVIN),
            (Source::Float(64), 100.0, -ZERO_KELVIN),
            (Source::Float(32), 1000.0, -ZERO_KELVIN),
            (Source::Unsigned(32), 1000.0, -ZERO_KELVIN),
            (Source::Unsigned(32), 100.0, -ZERO_KELVIN),
            (Source::Signed(16), 100.0, 0.0),
        ] {
            let values: Vec<f32> = (0..300)
                .map(|i| (10.0 + i as f32 * 0.1 + zero) * factor)
                .collect();
            let found = read(&values, source).temperatures().unwrap();
            assert!((found.lowest - 10.0).abs() < 0.02, "{source:?} {found:?}");
            assert!((found.highest - 39.9).abs() < 0.02, "{source:?} {found:?}");
        }
    }

    #[test]
    fn a_value_that_is_none_is_missing() {
        let raw = read(&[20.0, f32::NAN, f32::INFINITY, 30.0], Source::Float(32));
        assert_eq!(raw.missing, [false, true, true, false]);
        assert_eq!(raw.counts.data[0], 29_315);
    }

    #[test]
    fn hot_furnaces_fit() {
        let values: Vec<f32> = (0..100).map(|i| 20.0 + i as f32 * 15.0).collect();
        let raw = read(&values, Source::Float(32));
        assert_eq!(raw.counts.kelvin, Some(COARSE));
        assert!((raw.temperatures().unwrap().highest - 1505.0).abs() < 0.1);
    }

    #[test]
    fn a_picture_from_0_to_1_is_no_temperature() {
        let raw = read(&[0.0, 0.25, 1.0], Source::Float(32));
        assert_eq!(
            (raw.counts.data, raw.read_as),
            (vec![0, 16_384, 65_535], None)
        );
    }
}
