use super::super::words::fit;
use super::*;
use crate::frame::Size;

const SIZE: Size = Size::new(320, 240);

/// Standard deviations in grey levels, and of a Gaussian blur in pixels.
#[derive(Clone, Copy, Default)]
struct Suffers {
    noise: f32,
    columns: f32,
    rows: f32,
    blur: f32,
}

/// Edges at all fractions of a pixel, with faults.
fn picture(suffers: Suffers) -> Picture {
    let mut state = 3_u32;
    let mut gauss = |deviation: f32| -> f32 {
        let sum: f32 = (0..12)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32
            })
            .sum();
        deviation * (sum - 6.0)
    };
    let columns: Vec<f32> = (0..SIZE.width).map(|_| gauss(suffers.columns)).collect();
    let mut picture = Picture::grey(SIZE);
    let edge = |x: f32| 1.0 / (1.0 + (-1.702 * x / suffers.blur.max(0.01)).exp());
    for y in 0..SIZE.height {
        let row = gauss(suffers.rows);
        for (x, v) in picture.row_mut(y).iter_mut().enumerate() {
            let up = ((x as f32 + 0.37 * y as f32) / 64.0).fract() * 64.0;
            let level = 60.0 + 120.0 * (edge(up - 16.0) - edge(up - 48.0));
            *v = (level + columns[x] + row + gauss(suffers.noise)).clamp(0.0, 255.0) as u8;
        }
    }
    picture
}

fn said(limits: &Limits, suffers: Suffers) -> String {
    of(&SourceFaults::measure(
        &picture(suffers),
        &Condition::default(),
        limits,
    ))
}

fn of(faults: &SourceFaults) -> String {
    let mut sentence = Sentence::fixed("It is there");
    faults.say(&mut sentence);
    fit(&[sentence], 99).concat()
}

#[test]
fn a_clean_picture_has_no_faults() {
    for limits in [INFRARED, VISIBLE] {
        assert_eq!(said(&limits, Suffers::default()), "It is there.");
        let little = Suffers {
            noise: 1.5,
            columns: 0.8,
            rows: 0.8,
            blur: 0.4,
        };
        assert_eq!(said(&limits, little), "It is there.");
    }
}

#[test]
fn each_fault_is_named_with_its_strength() {
    let with = |set: fn(&mut Suffers, f32), value: f32| {
        let mut suffers = Suffers::default();
        set(&mut suffers, value);
        suffers
    };
    let noise: fn(&mut Suffers, f32) = |s, v| s.noise = v;
    let columns: fn(&mut Suffers, f32) = |s, v| s.columns = v;
    let rows: fn(&mut Suffers, f32) = |s, v| s.rows = v;
    let blur: fn(&mut Suffers, f32) = |s, v| s.blur = v;
    for (limits, set, value, wanted) in [
        (&INFRARED, noise, 4.2, "is slightly noisy"),
        (&INFRARED, noise, 8.0, "is noisy"),
        (&INFRARED, noise, 14.0, "has strong noise"),
        (&INFRARED, columns, 3.4, "has slight vertical stripes"),
        (&INFRARED, columns, 5.2, "has vertical stripes"),
        (&INFRARED, columns, 9.0, "has strong vertical stripes"),
        (&VISIBLE, rows, 3.9, "has slight horizontal stripes"),
        (&VISIBLE, rows, 6.0, "has horizontal stripes"),
        (&VISIBLE, rows, 10.0, "has strong horizontal stripes"),
        (&VISIBLE, blur, 0.85, "is slightly blurred"),
        (&VISIBLE, blur, 1.2, "is blurred"),
        (&VISIBLE, blur, 2.0, "is strongly blurred"),
    ] {
        let found = said(limits, with(set, value));
        assert_eq!(found, format!("It is there and {wanted}."), "{value}");
    }
    // Soft as thermal pictures are.
    assert_eq!(said(&INFRARED, with(blur, 2.0)), "It is there.");
}

#[test]
fn what_was_measured_before_cleaning_counts() {
    let before = Condition {
        noise: 12.0,
        columns: 9.0,
        shading: 12.0,
        cleaned: true,
        ..Condition::default()
    };
    let faults = SourceFaults::measure(&picture(Suffers::default()), &before, &INFRARED);
    let wanted = "It is there, has strong vertical stripes, has strong noise and has shading.";
    assert_eq!(of(&faults), wanted);
    let clean = Condition {
        noise: 0.3,
        ..Condition::default()
    };
    let noisy = Suffers {
        noise: 9.0,
        ..Suffers::default()
    };
    let faults = SourceFaults::measure(&picture(noisy), &clean, &INFRARED);
    assert_eq!(of(&faults), "It is there.");
}

#[test]
fn a_doubtful_fault_is_kept_and_not_said() {
    let limits = INFRARED.noise;
    assert!(judge(limits[0], limits).confidence <= 0.5);
    assert!(judge(limits[0] * 1.4, limits).confidence > 0.9);
}
