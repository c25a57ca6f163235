use std::path::PathBuf;

use super::*;
use crate::align::AlignedPair;
use crate::config::Task;
use crate::describe::Facts;
use crate::frame::Size;

/// By models/tiny_detector.py: red is a person, green a car, in 4x4 cells.
const TINY: &[u8] = include_bytes!("../../../tests/data/detector/detector.onnx");

fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// A black picture with blocks (left, top, width, height, colour).
fn picture(size: Size, blocks: &[(usize, usize, usize, usize, [u8; 3])]) -> Picture {
    let mut picture = Picture::rgb(size);
    let width = size.width;
    for &(left, top, w, h, colour) in blocks {
        for y in top..top + h {
            for x in left..left + w {
                picture.data_mut()[3 * (y * width + x)..][..3].copy_from_slice(&colour);
            }
        }
    }
    picture
}

#[test]
fn things_are_named_where_they_are_whatever_the_pictures_shape() {
    let (_folder, path) = file("tiny.onnx", TINY);
    // Each cell of the network is 32 pixels of a picture of 128x96, which lies 8 of its rows down.
    let seen = picture(
        Size::new(128, 96),
        &[(0, 16, 32, 32, [255, 0, 0]), (96, 48, 32, 32, [0, 255, 0])],
    );
    let mut detector = Detector::new(DetectorConfig::of(path));
    let objects = detector.objects(&seen);
    assert_eq!(detector.complaint(), None);
    let mut found: Vec<_> = objects.iter().map(|o| (o.class, o.x, o.y)).collect();
    found.sort_by_key(|o| o.0);
    let [(car, cx, cy), (person, px, py)] = found[..] else {
        panic!("{found:?}");
    };
    assert_eq!((car, person), ("car", "person"));
    for (found, truth) in [
        (cx, 112.0 / 128.0),
        (cy, 64.0 / 96.0),
        (px, 16.0 / 128.0),
        (py, 32.0 / 96.0),
    ] {
        assert!((found - truth).abs() < 0.01, "{objects:?}");
    }
    let mut pair = AlignedPair::registered(Picture::grey(seen.size()), seen);
    (pair.has_infrared, pair.has_visible) = (true, true);
    let mut facts = Facts::measure(Task::Ivf, &pair);
    detector.name(&mut facts, &pair);
    let text = facts.sentences().join(" ");
    assert!(
        text.contains("shows one car on the right and one person on the left")
            || text.contains("shows one person on the left and one car on the right"),
        "{text}"
    );
}

#[test]
fn nothing_is_named_in_a_grey_or_an_empty_picture_that_shows_nothing() {
    let (_folder, path) = file("tiny.onnx", TINY);
    let mut detector = Detector::new(DetectorConfig::of(path));
    for picture in [
        Picture::grey(Size::new(50, 70)),
        Picture::rgb(Size::new(1, 1)),
        Picture::rgb(Size::new(0, 0)),
    ] {
        assert_eq!(detector.objects(&picture), []);
        assert_eq!(detector.complaint(), None);
    }
    // Grey is red and green alike: each cell is one thing, not two.
    let mut white = Picture::grey(Size::new(64, 64));
    white.data_mut().fill(255);
    assert_eq!(detector.objects(&white).len(), 16);
}

#[test]
fn a_file_that_is_no_detector_is_named_and_costs_nothing_but_the_nouns() {
    let (_folder, torn) = file("torn.onnx", &TINY[..TINY.len() / 2]);
    let (_other, network) = file(
        "film.onnx",
        include_bytes!("../../../models/film-edge.onnx"),
    );
    let (_third, whole) = file("tiny.onnx", TINY);
    let wrong_sum = DetectorConfig {
        sha256: Some("ab".repeat(32)),
        ..DetectorConfig::of(whole)
    };
    for (config, part) in [
        (
            DetectorConfig::of("/nowhere/at.onnx".into()),
            "cannot read it",
        ),
        (DetectorConfig::of(torn), "cannot be used"),
        (DetectorConfig::of(network), "3 inputs"),
        (wrong_sum, "SHA-256"),
    ] {
        let name = config.model.display().to_string();
        let mut detector = Detector::new(config);
        assert_eq!(detector.objects(&Picture::rgb(Size::new(8, 8))), []);
        let said = detector.complaint().unwrap().to_owned();
        assert!(said.contains(&name) && said.contains(part), "{said}");
        assert!(said.contains("name another one"), "{said}");
        // Not read again for every description.
        assert_eq!(detector.load().unwrap_err(), said);
    }
}
