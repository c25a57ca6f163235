use super::*;
use crate::frame::Size;
use proptest::prelude::*;

fn one(rgb: [u8; 3]) -> Picture {
    Picture::from_data(Size::new(1, 1), 3, rgb.to_vec()).unwrap()
}

fn grey(y: u8) -> Picture {
    Picture::from_data(Size::new(1, 1), 1, vec![y]).unwrap()
}

fn recombined(task: Task, a: &Picture, b: &Picture, y: u8) -> [u8; 3] {
    let mut out = Picture::grey(Size::new(1, 1));
    recombine(task, a, b, &grey(y), &mut out);
    out.data().try_into().unwrap()
}

fn luma_of(rgb: [u8; 3]) -> f64 {
    0.299 * f64::from(rgb[0]) + 0.587 * f64::from(rgb[1]) + 0.114 * f64::from(rgb[2])
}

/// Through Cb and Cr in floating point, BT.601 full range; the gamut rule as documented.
fn reference(chroma: [f64; 2], y: f64) -> [f64; 3] {
    let [cb, cr] = chroma;
    let d = [
        1.402 * cr,
        -(0.299 * 1.402 * cr + 0.114 * 1.772 * cb) / 0.587,
        1.772 * cb,
    ];
    let fits = d.map(|d| match d {
        d if d > 255.5 - y => (255.5 - y) / d,
        d if d < -y - 0.5 => (y + 0.5) / -d,
        _ => 1.0,
    });
    let saturation = fits.iter().copied().fold(1.0, f64::min);
    d.map(|d| (y + d * saturation).clamp(0.0, 255.0))
}

fn chroma(rgb: [u8; 3]) -> [f64; 2] {
    let y = luma_of(rgb);
    [
        (f64::from(rgb[2]) - y) / 1.772,
        (f64::from(rgb[0]) - y) / 1.402,
    ]
}

fn close(found: [u8; 3], wanted: [f64; 3], by: f64) -> bool {
    found
        .iter()
        .zip(wanted)
        .all(|(f, w)| (f64::from(*f) - w).abs() <= by)
}

/// Cut off instead of rounded, differences were up to 1.3 from the reference, in four of a million pixels.
#[test]
fn differences_of_two_exposures_are_rounded() {
    let found = recombined(Task::Mef, &one([138, 59, 153]), &one([21, 98, 84]), 6);
    assert_eq!(found, [0, 1, 50]);
}

proptest! {
    /// Blocks in which all colours fit, in which some do not, and the tail of the last one.
    #[test]
    fn a_row_is_dressed_as_each_of_its_pixels(
        pixels in prop::collection::vec(any::<([u8; 3], u8)>(), 1..150),
        spread in 1_i32..=255,
    ) {
        let source: Vec<u8> = pixels.iter().flat_map(|(rgb, _)| *rgb).collect();
        // Near its own luma a colour fits.
        let near = |(rgb, y): &([u8; 3], u8)| {
            let luma = luma_of(*rgb).round() as i32;
            (luma + (i32::from(*y) - 128) * spread / 255).clamp(0, 255) as u8
        };
        let fused: Vec<u8> = pixels.iter().map(near).collect();
        let (mut all, mut each) = (vec![7; source.len()], vec![9; source.len()]);
        dress(Path::best(), &source, &fused, &mut all);
        dress_each(&source, &fused, &mut each);
        prop_assert_eq!(all, each);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn one_source_equals_the_reference(rgb in any::<[u8; 3]>(), y: u8) {
        let found = recombined(Task::Ivf, &grey(9), &one(rgb), y);
        let wanted = reference(chroma(rgb), f64::from(y));
        prop_assert!(close(found, wanted, 0.75), "{found:?} {wanted:?}");
        let swapped = recombined(Task::Mif, &one(rgb), &grey(9), y);
        prop_assert_eq!(found, swapped);
    }

    #[test]
    fn two_exposures_equal_the_reference(a in any::<[u8; 3]>(), b in any::<[u8; 3]>(), y: u8) {
        let found = recombined(Task::Mef, &one(a), &one(b), y);
        let (ca, cb) = (chroma(a), chroma(b));
        let weigh = |i: usize| {
            let sum = ca[i].abs() + cb[i].abs();
            if sum < 1e-9 { 0.0 } else { (ca[i] * ca[i].abs() + cb[i] * cb[i].abs()) / sum }
        };
        let wanted = reference([weigh(0), weigh(1)], f64::from(y));
        prop_assert!(close(found, wanted, 1.0), "{found:?} {wanted:?}");
    }

    #[test]
    fn luma_is_kept(a in any::<[u8; 3]>(), b in any::<[u8; 3]>(), y: u8) {
        for task in Task::ALL {
            let found = recombined(task, &one(a), &one(b), y);
            prop_assert!((luma_of(found) - f64::from(y)).abs() <= 1.0, "{task:?} {found:?}");
            let mut back = Picture::grey(Size::new(1, 1));
            luma(&one(found), &mut back);
            prop_assert!(back.data()[0].abs_diff(y) <= 1);
        }
    }

    #[test]
    fn grey_stays_grey_and_colours_come_back(rgb in any::<[u8; 3]>(), g: u8, y: u8) {
        for task in Task::ALL {
            prop_assert_eq!(recombined(task, &one([g; 3]), &one([g; 3]), y), [y; 3]);
            prop_assert_eq!(recombined(task, &grey(g), &grey(g), y), [y; 3]);
            // The fused luma is the sources' own.
            let mut own = Picture::grey(Size::new(1, 1));
            luma(&one(rgb), &mut own);
            let found = recombined(task, &one(rgb), &one(rgb), own.data()[0]);
            prop_assert!(close(found, rgb.map(f64::from), 1.0), "{task:?} {found:?}");
        }
    }

    #[test]
    fn hue_is_kept_at_the_gamut(rgb in any::<[u8; 3]>(), y: u8) {
        let found = recombined(Task::Ivf, &grey(0), &one(rgb), y);
        let order = |v: [u8; 3]| [v[0] >= v[1], v[1] >= v[2], v[0] >= v[2]];
        let (before, after) = (order(rgb), order(found));
        for c in 0..3 {
            let (i, j) = [(0, 1), (1, 2), (0, 2)][c];
            prop_assert!(before[c] == after[c] || found[i].abs_diff(found[j]) <= 1);
        }
    }
}

#[test]
fn the_sharp_sources_colour_wins() {
    // The fused luma is that of the first source: red, blurred to grey-blue in the second.
    let (sharp, blurred) = (one([200, 40, 40]), one([80, 110, 200]));
    let mut own = Picture::grey(Size::new(1, 1));
    luma(&sharp, &mut own);
    let found = recombined(Task::Mff, &sharp, &blurred, own.data()[0]);
    assert!(close(found, [200.0, 40.0, 40.0], 3.0), "{found:?}");
}

#[test]
fn a_washed_out_exposure_gives_way() {
    let (dark, washed) = (one([90, 30, 10]), one([255, 255, 255]));
    let found = recombined(Task::Mef, &dark, &washed, 120);
    assert!(found[0] > found[1] && found[1] > found[2], "{found:?}");
    assert!(found[0] > 160, "{found:?}");
}

#[test]
fn each_task_takes_the_colours_it_should() {
    let (colour, plain) = (
        Picture::rgb(Size::new(1, 1)),
        Picture::grey(Size::new(1, 1)),
    );
    let of = |task, a: &Picture, b: &Picture| Chroma::of(task, a, b);
    assert_eq!(of(Task::Ivf, &colour, &colour), Chroma::Visible);
    assert_eq!(of(Task::Ivf, &colour, &plain), Chroma::Grey);
    assert_eq!(of(Task::Mif, &colour, &colour), Chroma::Infrared);
    assert_eq!(of(Task::Mif, &plain, &colour), Chroma::Visible);
    assert_eq!(of(Task::Mef, &colour, &plain), Chroma::Infrared);
    assert_eq!(of(Task::Mef, &colour, &colour), Chroma::Saturated);
    assert_eq!(of(Task::Mff, &colour, &colour), Chroma::Nearer);
    for task in Task::ALL {
        assert_eq!(of(task, &plain, &plain), Chroma::Grey);
    }
}
