//! The range of one picture file, by the mapping of live frames.
//!
//! Input: counts. Output: [`Mapped`]. Thread: any. Blocks: never. Allocates: a mapper and the picture.
//! Fails when: never. Not its job: defects (see [`super::defects`]).

use super::{RangeConfig, RangeMapper};
use crate::frame::{Counts, Picture};

/// A picture whose spread is below this part of the least span is flat.
const FLAT: f32 = 0.1;
/// The part of the samples that the bits of a file's counts are told by.
const USUAL: f32 = 0.994;

/// Grey that came of counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// One channel.
    pub picture: Picture,
    /// The counts that are black and white.
    pub limits: (f32, f32),
    /// The source shows (next to) nothing: a closed shutter, a lens cap, fog.
    pub flat: bool,
}

/// The range mapping that suits a file's counts, by their bits, and by their unit where it is known.
pub fn config_of(counts: &Counts) -> RangeConfig {
    RangeConfig::for_counts(bits(&counts.data), counts.kelvin)
}

/// Maps counts as the first frame of a live camera.
pub fn map(counts: &Counts) -> Mapped {
    let config = config_of(counts);
    let mut mapper = RangeMapper::new(config);
    let mut picture = Picture::grey(counts.size);
    mapper.map(&counts.data, picture.data_mut());
    Mapped {
        picture,
        limits: mapper.limits(),
        flat: mapper.spread() < FLAT * config.min_span,
    }
}

/// Maps counts on a straight line from black at `low` to white at `high`.
pub fn map_between(counts: &Counts, (low, high): (f32, f32)) -> Mapped {
    let mut picture = Picture::grey(counts.size);
    let scale = 255.0 / (high - low).max(f32::MIN_POSITIVE);
    for (grey, &count) in picture.data_mut().iter_mut().zip(&counts.data) {
        // A cast of a float saturates.
        *grey = ((f32::from(count) - low) * scale).round() as u8;
    }
    let first = picture.data().first().copied().unwrap_or(0);
    let flat = picture.data().iter().all(|v| *v == first);
    Mapped {
        picture,
        limits: (low, high),
        flat,
    }
}

/// The bits that nearly all counts fit in: 8, 10, 12, 14 or 16, as converters have.
pub fn bits(data: &[u16]) -> u32 {
    let mut lengths = [0usize; 17];
    for &count in data {
        lengths[(16 - count.leading_zeros()) as usize] += 1;
    }
    let mut seen = 0;
    let needed = (USUAL * data.len() as f32) as usize;
    for (length, number) in lengths.into_iter().enumerate() {
        seen += number;
        if seen >= needed.max(1) {
            return (length as u32).max(8).next_multiple_of(2);
        }
    }
    8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    fn counts(value: impl Fn(usize) -> u16) -> Counts {
        let size = Size::new(64, 48);
        Counts {
            size,
            data: (0..size.area()).map(value).collect(),
            kelvin: None,
        }
    }

    fn sigma(picture: &Picture) -> f64 {
        let n = picture.data().len() as f64;
        let mean = picture.data().iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let squares = picture
            .data()
            .iter()
            .map(|v| (f64::from(*v) - mean).powi(2));
        (squares.sum::<f64>() / n).sqrt()
    }

    #[test]
    fn noise_of_twelve_counts_stays_noise_and_a_flat_field_is_said() {
        let noisy = map(&counts(|i| 28_994 + (i * 7919 % 13) as u16));
        assert!(noisy.flat && sigma(&noisy.picture) <= 4.0);
        let closed = map(&counts(|_| 29_000));
        assert!(closed.flat && sigma(&closed.picture) == 0.0);
        let scene = map(&counts(|i| 28_000 + (i % 1500) as u16));
        assert!(!scene.flat && sigma(&scene.picture) > 50.0);
    }

    #[test]
    fn a_range_that_is_given_holds() {
        let picture = map_between(&counts(|i| i as u16), (100.0, 300.0)).picture;
        assert_eq!((picture.data()[100], picture.data()[300]), (0, 255));
        assert_eq!((picture.data()[0], picture.data()[200]), (0, 128));
    }

    #[test]
    fn the_bits_of_counts_are_told_by_nearly_all_of_them() {
        assert_eq!(bits(&[3; 1000]), 8);
        assert_eq!(bits(&[7_500; 1000]), 14);
        let mut with_dead = vec![7_500; 1000];
        with_dead[5] = 65_535;
        assert_eq!(bits(&with_dead), 14);
        assert_eq!(bits(&[]), 8);
    }
}
