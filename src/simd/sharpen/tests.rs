use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Extremes beside each other overshoot most.
fn level() -> impl Strategy<Value = i16> {
    prop_oneof![Just(0), Just(255 << FRACTION), 0..=MOST]
}

fn grey() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0), Just(255), any::<u8>()]
}

/// Up to the whole of 2^15, spread any way.
fn weights() -> impl Strategy<Value = Weights> {
    [0_i32..=100, 0..=100, 0..=100, 1..=100].prop_map(|[a, b, c, centre]| {
        let sum = centre + 2 * (a + b + c);
        let part = |share: i32| ((share << 15) / sum).min(32767) as i16;
        [part(centre), part(a), part(b), part(c)]
    })
}

proptest! {
    #[test]
    fn a_row_is_blurred_as_by_the_reference(padded in vec(level(), 6..120), weights in weights()) {
        let mut wanted = vec![0; padded.len() - 2 * REACH];
        let mut found = wanted.clone();
        reference::blur_across(&padded, &weights, &mut wanted);
        blur_across(&padded, &weights, &mut found);
        prop_assert!(wanted.iter().all(|&v| (0..=MOST).contains(&v)), "{:?}", wanted);
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn an_estimate_is_corrected_as_by_the_reference(
        samples in vec((vec(level(), TAPS), grey(), 0_i16..=255 << FRACTION), 0..70),
        weights in weights(),
    ) {
        let rows: [Vec<i16>; TAPS] =
            std::array::from_fn(|tap| samples.iter().map(|(column, ..)| column[tap]).collect());
        let rows = rows.each_ref().map(Vec::as_slice);
        let levels: Vec<u8> = samples.iter().map(|sample| sample.1).collect();
        let mut wanted: Vec<i16> = samples.iter().map(|sample| sample.2).collect();
        let mut found = wanted.clone();
        reference::correct(rows, &weights, &levels, &mut wanted);
        correct(rows, &weights, &levels, &mut found);
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn a_row_is_limited_as_by_the_reference(
        samples in vec((grey(), grey(), grey(), 0_i16..=255 << FRACTION), 1..70),
        strength in 0_i16..=i16::MAX,
    ) {
        let plane = |of: fn(&(u8, u8, u8, i16)) -> u8| -> Vec<u8> { samples.iter().map(of).collect() };
        let rows = [plane(|s| s.0), plane(|s| s.1), plane(|s| s.2)];
        let n = samples.len();
        let (mut low, mut high) = (vec![0; n + 2], vec![0; n + 2]);
        extremes(rows.each_ref().map(Vec::as_slice), &mut low[1..=n], &mut high[1..=n]);
        (low[0], low[n + 1], high[0], high[n + 1]) = (low[1], low[n], high[1], high[n]);
        let estimate: Vec<i16> = samples.iter().map(|s| s.3).collect();
        let bounds = Bounds { row: &rows[1], low: &low, high: &high };
        let (mut wanted, mut found) = (vec![0; n], vec![0; n]);
        reference::limit(bounds, &estimate, strength, &mut wanted);
        limit(bounds, &estimate, strength, &mut found);
        prop_assert_eq!(&found, &wanted);
        for x in 0..n {
            let least = i32::from(*low[x..x + 3].iter().min().unwrap());
            let most = i32::from(*high[x..x + 3].iter().max().unwrap());
            let range = 2 * least - most..=2 * most - least;
            prop_assert!(range.contains(&i32::from(found[x])), "{} in {:?}", found[x], range);
        }
    }
}

#[test]
fn no_strength_changes_nothing() {
    let row: Vec<u8> = (0..=255).collect();
    let (low, high) = (vec![0; 258], vec![255; 258]);
    let bounds = Bounds {
        row: &row,
        low: &low,
        high: &high,
    };
    let mut out = vec![0; 256];
    limit(bounds, &vec![255 << FRACTION; 256], 0, &mut out);
    assert_eq!(out, row);
}

#[test]
#[should_panic(expected = "left == right")]
fn a_row_without_its_border_is_refused() {
    blur_across(&[0; 20], &[32767, 0, 0, 0], &mut [0; 20]);
}
