use proptest::prelude::*;

use super::*;
use crate::simd::SUBPIXEL;

/// An offset and its fractions.
type Tap = (u32, [u8; 2]);

/// Columns of a picture, its samples, and taps anywhere in it.
fn case() -> impl Strategy<Value = (usize, Vec<u8>, Vec<Tap>)> {
    (4_usize..40, 4_usize..20).prop_flat_map(|(width, height)| {
        // Extremes beside each other overshoot most.
        let sample = prop_oneof![Just(0), Just(255), any::<u8>()];
        let position = (0..=width - 4, 0..=height - 4);
        let offset = position.prop_map(move |(x, y)| (y * width + x) as u32);
        (
            Just(width),
            proptest::collection::vec(sample, width * height),
            proptest::collection::vec((offset, any::<[u8; 2]>()), 0..70),
        )
    })
}

proptest! {
    #[test]
    fn every_sample_is_that_of_the_reference((stride, source, taps) in case()) {
        let (offsets, fractions): (Vec<u32>, Vec<[u8; 2]>) = taps.into_iter().unzip();
        let taps = Taps { offsets: &offsets, fractions: &fractions };
        let mut wanted = vec![0; offsets.len()];
        reference::remap_cubic::<1>(&source, stride, taps, &mut wanted);
        let mut found = vec![0; offsets.len()];
        remap(&source, stride, taps, &mut found);
        prop_assert_eq!(found, wanted);
    }
}

/// Each pair of fractions once, on a checkerboard of the brightest and darkest.
#[test]
fn every_fraction_is_that_of_the_reference() {
    let source: Vec<u8> = (0..16)
        .map(|i| if (i + i / 4) % 2 == 0 { 255 } else { 0 })
        .collect();
    let fractions: Vec<[u8; 2]> = (0..SUBPIXEL * SUBPIXEL)
        .map(|i| [(i % SUBPIXEL) as u8, (i / SUBPIXEL) as u8])
        .collect();
    let taps = Taps {
        offsets: &vec![0; fractions.len()],
        fractions: &fractions,
    };
    let (mut wanted, mut found) = (vec![0; fractions.len()], vec![0; fractions.len()]);
    reference::remap_cubic::<1>(&source, 4, taps, &mut wanted);
    remap(&source, 4, taps, &mut found);
    assert_eq!(found, wanted);
}

#[test]
#[should_panic(expected = "range")]
fn a_tap_outside_of_the_source_is_refused() {
    let taps = Taps {
        offsets: &[0, 1, 0, 0],
        fractions: &[[0, 0]; 4],
    };
    remap(&[0; 16], 4, taps, &mut [0; 4]);
}
