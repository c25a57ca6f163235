use super::*;
use crate::align::{Lens, Preset};
use crate::frame::{Frame, Pool, Shared};

const OUTPUT: Size = Size::new(64, 48);
const THERMAL: Size = Size::new(16, 12);

/// A bright square of 8x8 output pixels whose middle is at `(x, y)`, in a picture of `size` that
/// shows the same view as the output.
fn square(size: Size, channels: usize, (x, y): (f64, f64)) -> Picture {
    let mut picture = Picture::new(size, channels);
    let sx = OUTPUT.width as f64 / size.width as f64;
    let sy = OUTPUT.height as f64 / size.height as f64;
    for v in 0..size.height {
        for u in 0..size.width {
            let (px, py) = ((u as f64 + 0.5) * sx, (v as f64 + 0.5) * sy);
            let inside = (px - x).abs() < 4.0 && (py - y).abs() < 4.0;
            let level = if inside { 220 } else { 20 };
            picture.row_mut(v)[u * channels..(u + 1) * channels].fill(level);
        }
    }
    picture
}

/// The middle of what is brighter than 120, pixel areas counted from the corner.
fn middle(picture: &Picture) -> (f64, f64) {
    let (mut sum, mut at) = (0.0, (0.0, 0.0));
    for y in 0..picture.height() {
        for x in 0..picture.width() {
            if picture.row(y)[x * picture.channels()] > 120 {
                sum += 1.0;
                at.0 += x as f64 + 0.5;
                at.1 += y as f64 + 0.5;
            }
        }
    }
    (at.0 / sum, at.1 / sum)
}

fn near(found: (f64, f64), wanted: (f64, f64), by: f64) -> bool {
    (found.0 - wanted.0).abs() <= by && (found.1 - wanted.1).abs() <= by
}

fn frame(pool: &Pool<Frame>, picture: &Picture) -> Option<Shared<Frame>> {
    let mut frame = pool.take()?;
    frame.picture.copy_from(picture);
    Some(frame.share())
}

#[test]
fn identity_brings_every_size_to_the_output() {
    let mut aligner = Aligner::new(&Calibration::identity(), None, OUTPUT).unwrap();
    let mut out = AlignedPair::new(OUTPUT);
    // Replays of mixed sizes: larger, smaller, another aspect, the same, and back.
    let sizes = [
        (640, 480),
        (16, 12),
        (128, 48),
        (64, 48),
        (90, 70),
        (640, 480),
    ];
    for (w, h) in sizes {
        let source = square(Size::new(w, h), 3, (40.0, 16.0));
        let thermal = square(Size::new(h, w), 1, (40.0, 16.0));
        aligner.align_pictures(Some(&thermal), Some(&source), &mut out);
        assert_eq!((out.visible.size(), out.visible.channels()), (OUTPUT, 3));
        assert_eq!((out.infrared.size(), out.infrared.channels()), (OUTPUT, 1));
        assert!(near(middle(&out.visible), (40.0, 16.0), 0.51), "{w}x{h}");
        assert!(near(middle(&out.infrared), (40.0, 16.0), 2.1), "{w}x{h}");
        assert!(out.is_covered);
    }
    let same = square(OUTPUT, 3, (20.0, 20.0));
    aligner.align_pictures(Some(&same), Some(&same), &mut out);
    assert_eq!((&out.visible, &out.infrared), (&same, &same));
}

#[test]
fn infrared_is_warped_over_visible() {
    // The infrared camera sees the scene 5 of its pixels further right.
    let h = [
        0.25,
        0.0,
        -0.375 + 2.0,
        0.0,
        0.25,
        -0.375 - 1.0,
        0.0,
        0.0,
        1.0,
    ];
    let near_by = Preset {
        name: "near".into(),
        distance_m: Some(2.0),
        homography: None,
        shift: Some([1.0, 0.0]),
    };
    let calibration = Calibration::from_homography(h, THERMAL, OUTPUT).with_presets(vec![near_by]);
    let visible = square(OUTPUT, 3, (28.0, 28.0));
    let infrared = square(THERMAL, 1, (28.0 + 8.0, 28.0 - 4.0));
    let mut out = AlignedPair::new(OUTPUT);
    let mut aligner = Aligner::new(&calibration, None, OUTPUT).unwrap();
    aligner.align_pictures(Some(&infrared), Some(&visible), &mut out);
    assert!(near(middle(&out.infrared), middle(&out.visible), 0.3));
    assert!(!out.is_covered);
    assert_eq!(out.coverage.row(24)[63], 0);
    assert_eq!(out.coverage.row(24)[10], 255);
    let mut copy = AlignedPair::new(Size::new(1, 1));
    copy.copy_from(&out);
    assert_eq!(
        (&copy.infrared, &copy.coverage),
        (&out.infrared, &out.coverage)
    );
    assert!(!copy.is_covered && copy.has_infrared && copy.has_visible);

    let mut aligner = Aligner::new(&calibration, Some("near"), OUTPUT).unwrap();
    aligner.align_pictures(Some(&infrared), Some(&visible), &mut out);
    assert!(near(middle(&out.infrared), (24.0, 28.0), 0.3));
}

#[test]
fn a_calibration_holds_for_scaled_pictures() {
    let h = [
        0.25,
        0.0,
        -0.375 + 2.0,
        0.0,
        0.25,
        -0.375 - 1.0,
        0.0,
        0.0,
        1.0,
    ];
    let calibration = Calibration::from_homography(h, THERMAL, OUTPUT);
    let output = Size::new(128, 96);
    let mut aligner = Aligner::new(&calibration, None, output).unwrap();
    let mut out = AlignedPair::new(output);
    // Twice the infrared size, half the visible size, twice the output.
    let infrared = square(Size::new(32, 24), 1, (36.0, 24.0));
    let visible = square(Size::new(32, 24), 1, (28.0, 28.0));
    aligner.align_pictures(Some(&infrared), Some(&visible), &mut out);
    assert!(near(middle(&out.infrared), (56.0, 56.0), 0.6));
    assert!(near(middle(&out.visible), (56.0, 56.0), 0.6));
}

#[test]
fn lenses_are_undone() {
    let lens = Lens {
        fx: 50.0,
        fy: 50.0,
        cx: 31.5,
        cy: 23.5,
        k1: -0.2,
        k2: 0.0,
        p1: 0.0,
        p2: 0.0,
    };
    let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let calibration =
        Calibration::from_homography(identity, OUTPUT, OUTPUT).with_lenses(Some(lens), Some(lens));
    let mut aligner = Aligner::new(&calibration, None, OUTPUT).unwrap();
    let mut out = AlignedPair::new(OUTPUT);
    let distorted = lens.distort((52.0, 40.0));
    let source = square(OUTPUT, 1, (distorted.0 + 0.5, distorted.1 + 0.5));
    aligner.align_pictures(Some(&source), Some(&source), &mut out);
    assert!(
        near(middle(&out.visible), (52.5, 40.5), 0.8),
        "{:?}",
        middle(&out.visible)
    );
    assert_eq!(out.visible, out.infrared);
}

#[test]
fn a_missing_source_keeps_its_last_picture() {
    let pool = Pool::new(4, || Frame::new(OUTPUT, 3, false));
    let picture = square(OUTPUT, 3, (20.0, 20.0));
    let mut aligner = Aligner::new(&Calibration::identity(), None, OUTPUT).unwrap();
    let mut out = AlignedPair::new(OUTPUT);
    let mut pair = FramePair {
        infrared: frame(&pool, &picture),
        visible: frame(&pool, &picture),
        ..FramePair::default()
    };
    aligner.align(&pair, &mut out);
    assert!(out.has_infrared && out.has_visible);
    pair.infrared = None;
    aligner.align(&pair, &mut out);
    assert!(!out.has_infrared && out.has_visible);
    assert_eq!(out.infrared, picture);
    // An empty picture is no picture.
    pair.visible = frame(&pool, &Picture::rgb(Size::new(0, 3)));
    aligner.align(&pair, &mut out);
    assert!(!out.has_visible);
    assert_eq!(out.visible, picture);
}

#[test]
fn unusable_calibrations_are_refused() {
    let flat = Calibration::from_homography([0.0; 9], THERMAL, OUTPUT);
    assert!(matches!(
        Aligner::new(&flat, None, OUTPUT),
        Err(AlignError::Unusable(_))
    ));
    let identity = Calibration::identity();
    let missing = Aligner::new(&identity, Some("near"), OUTPUT).unwrap_err();
    assert!(matches!(missing, AlignError::NoPreset { .. }));
    assert!(Aligner::new(&identity, None, Size::new(0, 9)).is_err());
}

#[test]
fn a_nudge_moves_the_thermal_picture_by_output_pixels_and_back() {
    let mut aligner = Aligner::new(&Calibration::identity(), None, OUTPUT).unwrap();
    let mut out = AlignedPair::new(OUTPUT);
    let thermal = square(OUTPUT, 1, (30.0, 20.0));
    let visible = square(OUTPUT, 3, (30.0, 20.0));
    for (nudge, wanted) in [
        ((0, 0), (30.0, 20.0)),
        ((5, -3), (35.0, 17.0)),
        ((-7, 0), (23.0, 20.0)),
        ((0, 0), (30.0, 20.0)),
    ] {
        aligner.set_nudge(nudge);
        aligner.align_pictures(Some(&thermal), Some(&visible), &mut out);
        let found = middle(&out.infrared);
        assert!(near(found, wanted, 0.01), "{nudge:?}: {found:?}");
        assert!(near(middle(&out.visible), (30.0, 20.0), 0.01));
    }
}

#[test]
fn counts_lie_where_the_picture_of_their_frame_was_shown() {
    let mut aligner = Aligner::new(&Calibration::identity(), None, OUTPUT).unwrap();
    let mut for_counts = aligner.for_counts();
    let (mut out, mut heat) = (AlignedPair::new(OUTPUT), Heat::new(OUTPUT));
    let pool = Pool::new(2, || Frame::new(OUTPUT, 1, true));
    let picture = square(OUTPUT, 1, (30.0, 20.0));
    for nudge in [(0, 0), (5, -3), (0, 0)] {
        let mut infrared = pool.take().unwrap();
        infrared.picture.copy_from(&picture);
        let counts = infrared.counts.as_mut().unwrap();
        for (count, &level) in counts.data.iter_mut().zip(picture.data()) {
            *count = 7000 + 4 * u16::from(level);
        }
        let pair = FramePair {
            infrared: Some(infrared.share()),
            ..FramePair::default()
        };
        aligner.set_nudge(nudge);
        aligner.align(&pair, &mut out);
        aligner.keep_counts(&pair, &mut heat);
        for_counts.align(&mut heat);
        assert!(heat.is_there);
        let (shown, found) = (middle(&out.infrared), middle(&heat.picture));
        assert!(
            near(found, shown, 0.01),
            "{nudge:?}: {found:?} and not {shown:?}"
        );
    }
    // A frame without counts leaves none of the last one.
    aligner.keep_counts(&FramePair::default(), &mut heat);
    for_counts.align(&mut heat);
    assert!(!heat.is_there);
}
