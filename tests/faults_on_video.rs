//! Real faults of M3SVD's videos are named and mended, and pictures without faults are neither: M3SVD's
//! clean ones, and the pairs of two other cameras.
//!
//! Skipped, loudly, without `../shared/data` (FILMD_SHARED for another place of `../shared`).

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where something is not as it must be, and says what it measured"
)]

use std::path::{Path, PathBuf};

use filmd::align::AlignedPair;
use filmd::clean::{EdgeWidths, Sharpener, Sharpening};
use filmd::config::Task;
use filmd::describe::Facts;
use filmd::files::read_picture;
use filmd::frame::Picture;
use filmd::fuse::color;

/// Words of the faults that the sentences name.
const FAULTS: [&str; 4] = ["nois", "stripes", "shading", "blurred"];

fn data(part: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("FILMD_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let found = shared.join("data").join(part);
    if found.is_dir() {
        return Some(found);
    }
    eprintln!("SKIPPED: {} is not there", found.display());
    None
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// The pairs of two folders with files of the same order, every so many-th.
fn pairs(a: &Path, b: &Path, step: usize) -> impl Iterator<Item = (Picture, Picture)> + use<> {
    let both: Vec<(PathBuf, PathBuf)> = files(a).into_iter().zip(files(b)).step_by(step).collect();
    both.into_iter()
        .map(|(a, b)| (read_picture(&a).unwrap(), read_picture(&b).unwrap()))
}

/// The share of pairs whose sentences say any of `words`.
fn named(pairs: impl Iterator<Item = (Picture, Picture)>, words: &[&str]) -> f32 {
    let (mut all, mut found) = (0, 0);
    for (a, b) in pairs {
        let facts = Facts::measure(Task::Ivf, &AlignedPair::registered(a, b));
        let text = facts.sentences().join(" ");
        let says = words.iter().any(|word| text.contains(word));
        if says {
            eprintln!("{text}");
        }
        (all, found) = (all + 1, found + usize::from(says));
    }
    found as f32 / all as f32
}

fn grey(picture: &Picture) -> Picture {
    let mut luma = Picture::grey(picture.size());
    color::luma(picture, &mut luma);
    luma
}

fn sharpened(picture: &Picture) -> Picture {
    let mut luma = grey(picture);
    let blur = EdgeWidths::of(luma.data(), luma.width()).blur();
    let sharpening = Sharpening::of(blur.unwrap_or_default(), 0.0);
    Sharpener::new(luma.size()).apply(&mut luma, sharpening);
    luma
}

/// dB; 99 for the same picture.
fn psnr(a: &Picture, b: &Picture) -> f64 {
    let squares = a.data().iter().zip(b.data());
    let sum: f64 = squares
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum();
    let mean = sum / a.data().len() as f64;
    (10.0 * (255.0_f64.powi(2) / mean).log10()).min(99.0)
}

#[test]
fn faults_are_named_where_they_are() {
    let Some(m3svd) = data("m3svd") else { return };
    let pairs = |a: &str, b: &str| pairs(&m3svd.join(a), &m3svd.join(b), 2);
    let striped = || pairs("infrared_noise", "visible_Enhance");
    let both = || pairs("infrared_noise", "visible_Blur");
    for (what, share) in [
        ("stripes", named(striped(), &["vertical stripes"])),
        ("noise", named(striped(), &["nois"])),
        (
            "blur",
            named(pairs("infrared_Enhance", "visible_Blur"), &["blurred"]),
        ),
        ("stripes of both", named(both(), &["vertical stripes"])),
        ("blur of both", named(both(), &["blurred"])),
    ] {
        eprintln!("{what}: {share}");
        assert!(share >= 0.9, "{what}: {share}");
    }
    let clean = named(pairs("infrared_Enhance", "visible_Enhance"), &FAULTS);
    assert!(clean <= 0.05, "{clean}");
}

#[test]
fn pictures_of_other_cameras_have_no_faults_that_are_not_there() {
    for set in ["roadscene171", "tno_rest"] {
        let Some(folder) = data(&format!("train/{set}")) else {
            return;
        };
        let share = named(pairs(&folder.join("a"), &folder.join("b"), 1), &FAULTS);
        eprintln!("{set}: {share}");
        assert!(share <= 0.05, "{set}: {share}");
    }
}

#[test]
fn blur_is_taken_back_and_sharp_pictures_stay() {
    let Some(m3svd) = data("m3svd") else { return };
    let (sharp, soft) = (m3svd.join("visible_Enhance"), m3svd.join("visible_Blur"));
    let (mut gain, mut all) = (0.0, 0.0);
    for (sharp, soft) in pairs(&sharp, &soft, 3) {
        let wanted = grey(&sharp);
        assert!(psnr(&sharpened(&sharp), &wanted) >= 45.0);
        gain += psnr(&sharpened(&soft), &wanted) - psnr(&grey(&soft), &wanted);
        all += 1.0;
    }
    eprintln!("nearer to the sharp picture by {:.2} dB", gain / all);
    assert!(gain / all >= 1.5);
    let Some(road) = data("train/roadscene171/b") else {
        return;
    };
    for path in files(&road) {
        let picture = read_picture(&path).unwrap();
        let found = psnr(&sharpened(&picture), &grey(&picture));
        assert!(found >= 45.0, "{}: {found}", path.display());
    }
}
