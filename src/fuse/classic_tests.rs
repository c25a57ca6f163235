use super::*;
use crate::config::Task;
use crate::describe::{Guidance, Origin, TokenFeatures};
use proptest::prelude::*;

fn guidance() -> Guidance {
    let features = TokenFeatures {
        rows: 1,
        dim: 1,
        values: vec![0.0],
    };
    Guidance::new(&features, (1, 1), "", Origin::Neutral, Task::Ivf).unwrap()
}

fn fuse(a: &Picture, b: &Picture) -> Picture {
    let mut fused = Picture::grey(a.size());
    let mut fuser = ClassicFuser::new(a.size());
    // Twice: nothing of one frame may be left in the next.
    fuser.fuse(b, a, &guidance(), &mut fused).unwrap();
    fuser.fuse(a, b, &guidance(), &mut fused).unwrap();
    fused
}

fn noise(size: Size, seed: u64) -> Picture {
    let mut state = seed | 1;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let data = std::iter::repeat_with(next).take(size.area());
    Picture::from_data(size, 1, data.collect()).unwrap()
}

/// The definition, on whole pictures in `f64`: correlate, take or spread every second sample.
mod definition {
    use super::super::mirror;

    type Grid = Vec<Vec<f64>>;

    fn transpose(x: &Grid) -> Grid {
        (0..x[0].len())
            .map(|i| x.iter().map(|row| row[i]).collect())
            .collect()
    }

    fn correlate(x: &Grid, scale: f64) -> Grid {
        let taps = [1.0, 4.0, 6.0, 4.0, 1.0].map(|t| t / 16.0 * scale);
        let at = |row: &[f64], i: usize| -> f64 {
            let tap = |k: usize| taps[k] * row[mirror(i as isize + k as isize - 2, row.len())];
            (0..5).map(tap).sum()
        };
        let rows = x.iter();
        rows.map(|row| (0..row.len()).map(|i| at(row, i)).collect())
            .collect()
    }

    fn down(x: &Grid) -> Grid {
        let mut x = x.clone();
        for _ in 0..2 {
            let smooth = correlate(&x, 1.0);
            let kept: Grid = smooth
                .iter()
                .map(|row| row.iter().copied().step_by(2).collect())
                .collect();
            x = transpose(&kept);
        }
        x
    }

    fn up(x: &Grid, (w, h): (usize, usize)) -> Grid {
        let spread = |x: &Grid, len: usize| -> Grid {
            let row = |row: &Vec<f64>| {
                (0..len)
                    .map(|i| if i % 2 == 0 { row[i / 2] } else { 0.0 })
                    .collect()
            };
            correlate(&x.iter().map(row).collect(), 2.0)
        };
        spread(&transpose(&spread(&transpose(x), h)), w)
    }

    fn shape(x: &Grid) -> (usize, usize) {
        (x[0].len(), x.len())
    }

    fn zip(a: &Grid, b: &Grid, f: impl Fn(f64, f64) -> f64) -> Grid {
        let rows = a.iter().zip(b);
        rows.map(|(a, b)| a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect())
            .collect()
    }

    /// The fused grid, and the least difference of two details' magnitudes.
    pub fn fuse(a: &Grid, b: &Grid, levels: usize) -> (Grid, f64) {
        if levels == 0 {
            return (zip(a, b, |a, b| (a + b) / 2.0), f64::INFINITY);
        }
        let (low_a, low_b) = (down(a), down(b));
        let detail = |x: &Grid, low: &Grid| zip(x, &up(low, shape(x)), |x, u| x - u);
        let (detail_a, detail_b) = (detail(a, &low_a), detail(b, &low_b));
        let kept = zip(
            &detail_a,
            &detail_b,
            |a, b| if a.abs() >= b.abs() { a } else { b },
        );
        let (low, least) = fuse(&low_a, &low_b, levels - 1);
        let margins = zip(&detail_a, &detail_b, |a, b| (a.abs() - b.abs()).abs());
        let least = margins.into_iter().flatten().fold(least, f64::min);
        (zip(&kept, &up(&low, shape(a)), |d, u| d + u), least)
    }
}

fn grid(x: &Picture) -> Vec<Vec<f64>> {
    let rows = (0..x.height()).map(|y| x.row(y).iter().map(|&v| f64::from(v)).collect());
    rows.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn equals_the_definition(w in 1..70_usize, h in 1..70_usize, seed in any::<u64>()) {
        let size = Size::new(w, h);
        let (a, b) = (noise(size, seed), noise(size, seed.wrapping_add(0x1234_5678)));
        let levels = ((w.min(h) as f64 / 4.0).log2().trunc().max(0.0) as usize).min(4);
        let (wanted, least) = definition::fuse(&grid(&a), &grid(&b), levels);
        // Which of two details is kept where they are as strong as each other is for rounding to say.
        prop_assume!(least > 1e-3);
        let found = fuse(&a, &b);
        for (y, row) in wanted.iter().enumerate() {
            for (x, wanted) in row.iter().enumerate() {
                let wanted = wanted.clamp(0.0, 255.0);
                let found = f64::from(found.row(y)[x]);
                prop_assert!((found - wanted).abs() <= 0.51, "{x} {y}: {found} {wanted}");
            }
        }
    }

    #[test]
    fn a_picture_fused_with_itself_is_itself(w in 1..90_usize, h in 1..90_usize, seed in any::<u64>()) {
        let picture = noise(Size::new(w, h), seed);
        prop_assert_eq!(&fuse(&picture, &picture), &picture);
    }
}

#[test]
fn equals_an_independent_implementation() {
    let size = Size::new(12, 9);
    let make = |f: fn(usize, usize) -> usize| {
        let data = (0..size.area()).map(|i| (f(i % 12, i / 12) % 256) as u8);
        Picture::from_data(size, 1, data.collect()).unwrap()
    };
    let a = make(|x, y| x * 37 + y * 91 + x * y * 13);
    let b = make(|x, y| x * x * 7 + y * 53 + 128);
    // numpy and scipy, the definition above written down a second time by other hands.
    let golden: [[u8; 12]; 9] = [
        [24, 57, 87, 186, 241, 51, 217, 0, 42, 177, 51, 197],
        [108, 175, 204, 244, 31, 80, 182, 15, 235, 232, 87, 0],
        [229, 246, 11, 49, 170, 234, 235, 70, 173, 239, 51, 49],
        [15, 42, 66, 237, 58, 213, 33, 31, 228, 187, 11, 89],
        [86, 195, 27, 115, 203, 10, 88, 211, 27, 143, 18, 62],
        [206, 51, 162, 248, 255, 64, 35, 232, 239, 198, 190, 220],
        [47, 187, 12, 255, 54, 88, 204, 29, 177, 253, 153, 13],
        [240, 252, 22, 242, 110, 244, 246, 245, 188, 243, 185, 243],
        [45, 57, 226, 111, 0, 224, 31, 171, 242, 194, 240, 219],
    ];
    let fused = fuse(&a, &b);
    for (found, wanted) in fused.data().iter().zip(golden.as_flattened()) {
        assert!(found.abs_diff(*wanted) <= 1, "{found} {wanted}");
    }
}

#[test]
fn a_picture_of_another_shape_is_refused() {
    let size = Size::new(8, 8);
    let mut fuser = ClassicFuser::new(size);
    let (good, small) = (Picture::grey(size), Picture::grey(Size::new(8, 7)));
    let mut out = Picture::grey(size);
    let error = fuser
        .fuse(&small, &good, &guidance(), &mut out)
        .unwrap_err();
    assert!(error.to_string().contains("8x7"), "{error}");
    let rgb = Picture::rgb(size);
    assert!(fuser.fuse(&good, &rgb, &guidance(), &mut out).is_err());
    let mut out = small;
    assert!(fuser.fuse(&good, &good, &guidance(), &mut out).is_err());
}
