use proptest::prelude::*;

use super::super::edges::EdgeWidths;
use super::*;

const SIZE: Size = Size::new(160, 120);

/// Blocks of random grey, 5 pixels a side.
fn blocks() -> Picture {
    let mut picture = Picture::grey(SIZE);
    for y in 0..SIZE.height {
        for (x, v) in picture.row_mut(y).iter_mut().enumerate() {
            let block = (x / 5 + 977 * (y / 5)) as u32;
            *v = 40 + (block.wrapping_mul(2_654_435_761) >> 25) as u8;
        }
    }
    picture
}

/// Blurred by a Gaussian.
fn blurred(picture: &Picture, deviation: f32) -> Picture {
    let weight = |d: isize| (-0.5 * (d as f32 / deviation).powi(2)).exp();
    let (w, h) = (SIZE.width as isize, SIZE.height as isize);
    let pass = |values: Vec<f32>, (dx, dy): (isize, isize)| -> Vec<f32> {
        let mean = |i: isize| {
            let (mut sum, mut total) = (0.0, 0.0);
            for d in -8..=8 {
                let (x, y) = (i % w + d * dx, i / w + d * dy);
                if (0..w).contains(&x) && (0..h).contains(&y) {
                    sum += weight(d) * values[(y * w + x) as usize];
                    total += weight(d);
                }
            }
            sum / total
        };
        (0..w * h).map(mean).collect()
    };
    let values = picture.data().iter().map(|&v| f32::from(v)).collect();
    let values = pass(pass(values, (1, 0)), (0, 1));
    let samples = values.iter().map(|v| v.round() as u8).collect();
    Picture::from_data(SIZE, 1, samples).unwrap()
}

fn error(a: &Picture, b: &Picture) -> f64 {
    let squares = a.data().iter().zip(b.data());
    let sum: f64 = squares
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum();
    (sum / a.data().len() as f64).sqrt()
}

fn sharpened(picture: &Picture, asked: f32) -> Picture {
    let mut out = picture.clone();
    let blur = EdgeWidths::of(picture.data(), SIZE.width).blur();
    let sharpening = Sharpening::of(blur.unwrap_or_default(), asked);
    Sharpener::new(SIZE).apply(&mut out, sharpening);
    out
}

#[test]
fn a_blurred_picture_comes_nearer_to_the_sharp_one() {
    let sharp = blocks();
    for deviation in [1.0, 1.5, 1.9] {
        let soft = blurred(&sharp, deviation);
        let (before, after) = (error(&soft, &sharp), error(&sharpened(&soft, 0.0), &sharp));
        assert!(after < 0.8 * before, "{deviation}: {before} to {after}");
    }
}

#[test]
fn a_sharp_picture_stays_as_it_is_unless_a_text_asks() {
    let sharp = blocks();
    assert_eq!(sharpened(&sharp, 0.0), sharp);
    let asked = error(&sharpened(&sharp, 1.0), &sharp);
    assert!(asked > 0.5, "{asked}");
}

#[test]
fn a_stronger_wish_never_does_less() {
    let blur = Blur {
        sharper: 0.75,
        typical: 1.0,
    };
    let strengths = [0.0, 0.3, 1.0].map(|asked| Sharpening::of(blur, asked).strength);
    assert!(strengths.is_sorted() && strengths[0] > 0.0 && strengths[2] < 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_picture_stays_within_its_neighbours_range(
        w in 1_usize..40, h in 1_usize..12, seed in any::<u32>(),
        strength in 0.0_f32..=1.0, deviation in 0.0_f32..4.0,
    ) {
        let mut state = seed | 1;
        let samples: Vec<u8> = (0..w * h)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        let before = Picture::from_data(Size::new(w, h), 1, samples).unwrap();
        let mut after = before.clone();
        // Made for another size.
        let mut sharpener = Sharpener::new(SIZE);
        let deviation = deviation.clamp(NARROWEST, WIDEST);
        sharpener.apply(&mut after, Sharpening { strength, deviation });
        for y in 0..h {
            for x in 0..w {
                let around = |y: usize| &before.row(y)[x.saturating_sub(1)..(x + 2).min(w)];
                let near: Vec<i32> = (y.saturating_sub(1)..(y + 2).min(h))
                    .flat_map(around)
                    .map(|&v| i32::from(v))
                    .collect();
                let (low, high) = (near.iter().min().unwrap(), near.iter().max().unwrap());
                let found = i32::from(after.row(y)[x]);
                prop_assert!((2 * low - high..=2 * high - low).contains(&found));
            }
        }
    }

    #[test]
    fn a_flat_picture_is_left_flat(level in any::<u8>(), deviation in NARROWEST..=WIDEST) {
        let mut picture = Picture::grey(Size::new(40, 9));
        picture.data_mut().fill(level);
        let before = picture.clone();
        let strength = 1.0;
        Sharpener::new(picture.size()).apply(&mut picture, Sharpening { strength, deviation });
        prop_assert_eq!(picture, before);
    }
}
