//! Folders in which some files cannot be used.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use crate::{data, filmd, said};

fn png(path: &Path, side: u32) {
    let picture = image::RgbImage::from_fn(side, side, |x, y| {
        image::Rgb([x as u8, y as u8, (x * y) as u8])
    });
    picture.save(path).unwrap();
}

/// A PNG that says it is 100000 x 100000.
fn bomb(path: &Path) {
    png(path, 4);
    let mut bytes = std::fs::read(path).unwrap();
    bytes[16..20].copy_from_slice(&100_000u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&100_000u32.to_be_bytes());
    let mut crc = !0u32;
    for byte in &bytes[12..29] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    bytes[29..33].copy_from_slice(&(!crc).to_be_bytes());
    std::fs::write(path, bytes).unwrap();
}

/// Two folders of twelve pairs, four of which cannot be fused.
fn fill(a: &Path, b: &Path, latin1: &OsStr) {
    for side in [a, b] {
        std::fs::create_dir(side).unwrap();
        (0..7).for_each(|i| png(&side.join(format!("good{i}.png")), 96));
        png(&side.join(latin1), 64);
        for name in ["torn.png", "fifo.png", "bomb.png"] {
            png(&side.join(name), 64);
        }
        let large = image::GrayImage::from_fn(7680, 4320, |x, _| image::Luma([(x / 30) as u8]));
        large.save(side.join("large.png")).unwrap();
    }
    std::fs::write(
        a.join("torn.png"),
        &std::fs::read(b.join("torn.png")).unwrap()[..90],
    )
    .unwrap();
    std::fs::remove_file(a.join("fifo.png")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(a.join("fifo.png"))
            .status()
            .unwrap()
            .success()
    );
    bomb(&a.join("bomb.png"));
}

#[test]
fn one_bad_file_takes_no_other_with_it_even_with_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b, out] = ["a", "b", "out"].map(|name| folder.path().join(name));
    let latin1 = OsStr::from_bytes(b"latin1_\xe9.png");
    fill(&a, &b, latin1);
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -v 1000000; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_filmd"),
            "fuse",
        ])
        .args([&a, &b])
        .arg("--out")
        .arg(&out)
        .arg("--json")
        .output()
        .unwrap();
    let words = said(&output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    for (name, why) in [
        ("torn.png", "damaged"),
        ("fifo.png", "is not a file"),
        ("bomb.png", "too large"),
        ("large.png", "memory"),
    ] {
        let line = words
            .lines()
            .find(|line| line.contains(&format!("a/{name} + ")));
        assert!(
            line.is_some_and(|line| line.contains(why)),
            "{name}: {words}"
        );
    }
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 8, "{words}");
    assert!(out.join(latin1).is_file());
    // Every line is JSON, and the odd name is shown.
    let lines = String::from_utf8(output.stdout).unwrap();
    let names: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["a"].to_string())
        .collect();
    assert_eq!(names.len(), 12);
    assert!(
        names
            .iter()
            .any(|name| name.contains("latin1_\u{fffd}.png")),
        "{names:?}"
    );
}

#[test]
fn suffixes_and_left_out_files() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["DJI_0001_T.JPG", "DJI_0001_V.JPG", "DJI_0002_T.JPG"] {
        let picture = image::open(data("visible.png")).unwrap();
        picture
            .save_with_format(folder.path().join(name), image::ImageFormat::Jpeg)
            .unwrap();
    }
    std::fs::write(folder.path().join("notes.txt"), "none").unwrap();
    let out = tempfile::tempdir().unwrap();
    let output = filmd()
        .arg("fuse")
        .arg(folder.path())
        .args(["--suffixes", "_T,_V", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(out.path().join("DJI_0001.png").is_file());
    assert!(said(&output).contains("DJI_0002"), "{}", said(&output));
    let two = tempfile::tempdir().unwrap();
    png(&two.path().join("DJI_0001_V.png"), 32);
    std::fs::write(two.path().join("scan.dcm"), [0; 200]).unwrap();
    let output = filmd()
        .arg("fuse")
        .args([folder.path(), two.path()])
        .args(["--suffixes", "_T,_V", "--stretch", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("scan.dcm (no picture)"),
        "{}",
        said(&output)
    );
}
