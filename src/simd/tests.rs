use super::*;
use proptest::prelude::*;

fn bytes(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), len)
}

#[test]
fn cubic_weights_interpolate() {
    for f in 0..=255_u8 {
        let w = reference::tap_weights(Sampling::Cubic, f);
        assert_eq!(w.iter().map(|&w| i32::from(w)).sum::<i32>(), TAP_ONE);
        let t = f64::from(f) / 256.0;
        let exact = [
            -0.5 * t * t * t + t * t - 0.5 * t,
            1.5 * t * t * t - 2.5 * t * t + 1.0,
            -1.5 * t * t * t + 2.0 * t * t + 0.5 * t,
            0.5 * t * t * t - 0.5 * t * t,
        ];
        for (w, exact) in w.iter().zip(exact) {
            assert!((f64::from(*w) / f64::from(TAP_ONE) - exact).abs() < 1e-3);
        }
    }
    let straight = reference::tap_weights(Sampling::Cubic, 0);
    assert_eq!(straight, [0, TAP_ONE as i16, 0, 0]);
}

/// Every RGB colour there is, against numpy's way: `rint(r * 0.299f + g * 0.587f + b * 0.114f)`.
#[test]
fn luma_is_rounded_like_the_evaluator_for_every_colour() {
    let mut rgb = vec![0; 256 * 3];
    let mut found = vec![0; 256];
    for r in 0..=255_u8 {
        for g in 0..=255_u8 {
            for (b, px) in rgb.chunks_exact_mut(3).enumerate() {
                px.copy_from_slice(&[r, g, b as u8]);
            }
            luma_from_rgb(&rgb, &mut found);
            for (b, &found) in found.iter().enumerate() {
                let y = f32::from(r) * 0.299 + f32::from(g) * 0.587 + b as f32 * 0.114;
                assert_eq!(found, y.round_ties_even() as u8, "{r} {g} {b}");
            }
        }
    }
}

#[test]
fn sobel_answers_to_a_step_and_not_to_flat() {
    let step = [0, 0, 0, 200, 200, 200];
    let mut out = [9; 6];
    sobel_row([&step; 3], &mut out);
    assert_eq!(out, [0, 0, 200, 200, 0, 0]);
    let (dark, light) = ([0_u8; 3], [100_u8; 3]);
    let mut out = [9; 3];
    sobel_row([&dark, &dark, &light], &mut out);
    assert_eq!(out, [100; 3]);
    let mut one = [9];
    sobel_row([&[7], &[7], &[7]], &mut one);
    assert_eq!(one, [0]);
}

#[test]
fn mirror_reflects_about_the_end_samples() {
    let at = |x| mirror(x, 4);
    let expected = [3, 2, 1, 0, 1, 2, 3, 2, 1, 0];
    let found: Vec<_> = (-3..=6).map(at).collect();
    assert_eq!(found, expected);
    assert_eq!(
        (mirror(-5, 1), mirror(7, 1), mirror(-1, 2), mirror(2, 2)),
        (0, 0, 1, 0)
    );
}

/// Correlation with [1 4 6 4 1] * scale at `x`, mirrored.
fn correlate(row: &[f64], x: isize, scale: f64) -> f64 {
    let taps = [1.0, 4.0, 6.0, 4.0, 1.0];
    let at = |i: usize| row[mirror(x + i as isize - 2, row.len())];
    (0..5).map(|i| taps[i] * scale * at(i)).sum()
}

proptest! {
    #[test]
    fn halving_and_doubling_equal_their_definitions(row in bytes(1..40)) {
        let row: Vec<f32> = row.into_iter().map(f32::from).collect();
        let wide: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
        let mut half = vec![0.0; row.len().div_ceil(2)];
        halve_row(&row, &mut half);
        for (i, &found) in half.iter().enumerate() {
            let wanted = correlate(&wide, 2 * i as isize, 1.0 / 16.0);
            prop_assert!((f64::from(found) - wanted).abs() < 1e-3);
        }
        // A single sample has no neighbour to share with and stays as it is.
        for len in [2 * row.len() - 1, 2 * row.len()].into_iter().filter(|&len| len > 1) {
            let mut spread = vec![0.0; len];
            for (i, &v) in wide.iter().enumerate() {
                spread[2 * i] = v;
            }
            let mut doubled = vec![0.0; len];
            double_row(&row, &mut doubled);
            for (x, &found) in doubled.iter().enumerate() {
                let wanted = correlate(&spread, x as isize, 1.0 / 8.0);
                prop_assert!((f64::from(found) - wanted).abs() < 1e-3, "{x} {found} {wanted}");
            }
        }
    }

    #[test]
    fn rounding_goes_to_even_and_stays_in_range(values in proptest::collection::vec(-600.0..900.0_f32, 1..50)) {
        let mut values = values;
        values.extend([0.5, 1.5, 254.5, 255.5, -0.5]);
        let mut out = vec![0; values.len()];
        round_row(&values, &mut out);
        for (value, out) in values.iter().zip(out) {
            prop_assert_eq!(value.round_ties_even().clamp(0.0, 255.0) as u8, out);
        }
    }

    #[test]
    fn mixing_and_blending_stay_between(a in bytes(30..31), b in bytes(30..31), w in bytes(30..31)) {
        let mut out = vec![0; 30];
        mix(&a, &b, &w, &mut out);
        for i in 0..30 {
            let (x, y, t) = (f64::from(a[i]), f64::from(b[i]), f64::from(w[i]) / 255.0);
            prop_assert!((f64::from(out[i]) - (x * t + y * (1.0 - t))).abs() <= 0.5 + 1e-9);
        }
        let mut mean = b.clone();
        blend(&a, &mut mean);
        for i in 0..30 {
            prop_assert_eq!(u16::from(mean[i]), (u16::from(a[i]) + u16::from(b[i])).div_ceil(2));
        }
    }

    #[test]
    fn the_stronger_detail_is_kept(a in -9.0..9.0_f32, b in -9.0..9.0_f32) {
        let mut kept = [a, 3.0, -3.0];
        keep_stronger(&mut kept, &[b, -3.0, 3.0]);
        prop_assert_eq!(kept, [if a.abs() >= b.abs() { a } else { b }, 3.0, -3.0]);
    }
}
