//! Rows of the table about brackets and foci.

use std::path::{Path, PathBuf};

use crate::{apart, data, fused, refused};

const BRACKET: [&str; 2] = ["--task", "mef"];

#[test]
fn a_hand_held_bracket_is_aligned_and_put_in_order() {
    let [u, o] = ["u.png", "o.png"].map(data);
    let found = fused(&[&u, &o], &BRACKET);
    let shift = &found.report["aligned"][0]["shift"];
    assert!(
        (shift[0].as_f64().unwrap().abs() - 8.0).abs() < 0.5,
        "{shift}"
    );
    assert!(
        (shift[1].as_f64().unwrap().abs() - 6.0).abs() < 0.5,
        "{shift}"
    );
    let off = fused(&[&u, &o], &["--task", "mef", "--align", "off"]);
    assert_eq!(off.report["aligned"], serde_json::Value::Null);
    assert!(apart(&off.luma, &found.luma) > 2.0);
    // Swapped: the same roles, in the place of the last one.
    let swapped = fused(&[&o, &u], &BRACKET);
    assert_eq!(swapped.report["order"], serde_json::json!([1, 0]));
    assert_eq!(found.report["order"], serde_json::Value::Null);
}

/// A part of the textured picture, shifted and scaled about its middle, by nearest pixels of a large one.
fn view(folder: &Path, name: &str, (dx, dy): (f64, f64), scale: f64, gain: f64) -> PathBuf {
    let light = |x: f64, y: f64| {
        let waves = (x * 0.11).sin() + (y * 0.13).cos() + (x * 0.031 + y * 0.047).sin() * 1.5;
        let blobs = ((x * 0.05).sin() * (y * 0.06).sin() > 0.3) as u8 as f64;
        (100.0 + 22.0 * waves + 40.0 * blobs) * gain
    };
    let picture = image::RgbImage::from_fn(300, 220, |x, y| {
        let (u, v) = (
            (f64::from(x) - 149.5 - dx) / scale,
            (f64::from(y) - 109.5 - dy) / scale,
        );
        let value = light(u, v);
        image::Rgb([value, value * 0.9, value * 0.8].map(|v| v.clamp(0.0, 255.0) as u8))
    });
    let path = folder.join(name);
    picture.save(&path).unwrap();
    path
}

#[test]
fn three_exposures_give_what_aligned_ones_give() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, shift, gain| view(folder.path(), name, shift, 1.0, gain);
    let still =
        [("a", 0.35), ("b", 1.0), ("c", 2.0)].map(|(n, g)| of(&format!("{n}.png"), (0.0, 0.0), g));
    let moved = [
        of("d.png", (7.0, -4.0), 0.35),
        of("e.png", (-5.0, 9.0), 1.0),
        of("f.png", (0.0, 0.0), 2.0),
    ];
    let fuse = |paths: &[PathBuf; 3]| {
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        fused(&paths, &BRACKET)
    };
    let (expected, found) = (fuse(&still), fuse(&moved));
    assert_eq!(expected.report["aligned"][0]["moved"], false);
    assert_eq!(found.report["aligned"][1]["moved"], true);
    let off = apart(&found.luma, &expected.luma);
    assert!(off < 3.0, "{off}");
}

#[test]
fn focus_breathing_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let near = view(folder.path(), "n.png", (1.0, 0.5), 1.035, 1.0);
    let far = view(folder.path(), "f.png", (0.0, 0.0), 1.0, 1.0);
    let found = fused(&[&near, &far], &["--task", "mff"]);
    let scale = found.report["aligned"][0]["scale"].as_f64().unwrap();
    assert!((scale - 1.035).abs() < 0.004, "{scale}");
    let expected = image::open(&far).unwrap().to_luma8();
    assert!(apart(&found.luma, &expected) < 4.0);
}

#[test]
fn what_is_no_stack_is_said() {
    let [u, o] = ["u.png", "o.png"].map(data);
    let said = refused(&[&u, &o, &u], &[]);
    assert!(said.contains("--task mef and mff"), "{said}");
    let ten: Vec<&Path> = [u.as_path()].repeat(10);
    assert!(refused(&ten, &BRACKET).contains("2 to 9"));
    // Pictures of two things: a word, and a result.
    let other = fused(
        &[&data("mri.png"), &data("pet_rgba_white_hidden.png")],
        &["--task", "mff"],
    );
    let aligned = &other.report["aligned"][0]["moved"];
    assert!(
        aligned != true || !other.said.is_empty(),
        "{}",
        other.report
    );
}
