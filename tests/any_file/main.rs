//! Files as people have them, through the program's own entry: each row of a table of reports, and another
//! member of its kind. The expected values are those of a clean file, not of an earlier run.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test ends where something is not as it must be"
)]

#[path = "../common/mod.rs"]
mod common;
mod folders;
mod live;
mod mutations;
mod output;
mod pictures;
mod scene;
mod stacks;
mod thermal;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file of tests/data/files.
fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/files")
        .join(name)
}

fn filmd() -> Command {
    Command::new(env!("CARGO_BIN_EXE_filmd"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a fusion gave.
struct Fused {
    /// Its luma, row by row, and its size.
    luma: image::GrayImage,
    rgb: image::RgbImage,
    report: serde_json::Value,
    said: String,
}

/// Fuses files and expects a result.
fn fused(sources: &[&Path], more: &[&str]) -> Fused {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("f.png");
    let output = filmd()
        .arg("fuse")
        .args(sources)
        .args(["--json", "--out"])
        .arg(&out)
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let picture = image::open(&out).unwrap();
    Fused {
        luma: picture.to_luma8(),
        rgb: picture.to_rgb8(),
        report: serde_json::from_slice(&output.stdout).unwrap(),
        said: said(&output),
    }
}

/// Fuses files, expects a refusal and gives back its words.
fn refused(sources: &[&Path], more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("f.png");
    let output = filmd()
        .arg("fuse")
        .args(sources)
        .arg("--out")
        .arg(&out)
        .args(more)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(!out.exists());
    said(&output)
}

/// The mean over the pixels that `which` takes.
fn mean(picture: &image::GrayImage, which: impl Fn(u32, u32) -> bool) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        if which(x, y) {
            sum += f64::from(pixel[0]);
            n += 1.0;
        }
    }
    sum / f64::max(n, 1.0)
}

/// The mean difference of two pictures of one size.
fn apart(a: &image::GrayImage, b: &image::GrayImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let off = a.as_raw().iter().zip(b.as_raw());
    off.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.as_raw().len() as f64
}
