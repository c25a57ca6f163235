//! Whatever a text says, the picture holds: the real program on small pictures of all four tasks.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::path::Path;
use std::process::Command;

use image::{GrayImage, Luma};
use serde_json::Value;

/// Texts that are no request, or one for nothing.
const INDIFFERENT: &[&str] = &[
    "Hello",
    "7",
    "red",
    "Lorem ipsum dolor sit amet.",
    "Bonjour tout le monde.",
    "\u{4f60}\u{597d}",
    "https://example.com/a?b=c",
    "Keep it dark.",
    "Do not change anything.",
    "Keep the night look.",
    "My name is Anna.",
    "dark",
    "Do not show people.",
];

const WIDTH: u32 = 128;
const HEIGHT: u32 = 96;

/// Stripes of two levels, with an upright object of a third.
fn picture(levels: [u8; 3]) -> GrayImage {
    GrayImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let is_object = (50..62).contains(&x) && (30..66).contains(&y);
        let stripe = usize::from((x / 6 + y / 10) % 2 == 0);
        Luma([if is_object { levels[2] } else { levels[stripe] }])
    })
}

struct Fused {
    data: Vec<u8>,
    report: Value,
}

impl Fused {
    fn mean(&self) -> f64 {
        self.data.iter().map(|v| f64::from(*v)).sum::<f64>() / self.data.len() as f64
    }
}

/// Fuses the pair of a folder by a text, or by the neutral sentence.
fn fuse(folder: &Path, task: &str, text: Option<&str>) -> Fused {
    let out = folder.join("f.png");
    let mut command = Command::new(env!("CARGO_BIN_EXE_filmd"));
    command.args(["fuse", "--json", "--task", task, "--manifest"]);
    command.arg(common::manifest());
    command.args([folder.join("a.png"), folder.join("b.png")]);
    command.arg("--out").arg(&out);
    if let Some(text) = text {
        command.args(["--text", text]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text:?}: {said}");
    Fused {
        data: image::open(&out).unwrap().to_luma8().into_raw(),
        report: serde_json::from_slice(&output.stdout).unwrap(),
    }
}

fn pair(a: [u8; 3], b: [u8; 3]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    picture(a).save(folder.path().join("a.png")).unwrap();
    picture(b).save(folder.path().join("b.png")).unwrap();
    folder
}

#[test]
fn a_text_that_asks_for_nothing_changes_no_byte() {
    let folder = pair([30, 50, 230], [20, 70, 40]);
    for task in ["ivf", "mif", "mef", "mff"] {
        let neutral = fuse(folder.path(), task, None);
        assert_eq!(neutral.report.get("not_understood"), None);
        let most = if task == "ivf" { INDIFFERENT.len() } else { 3 };
        for text in &INDIFFERENT[INDIFFERENT.len() - most..] {
            let fused = fuse(folder.path(), task, Some(text));
            assert!(
                fused.data == neutral.data,
                "{task}: {text} changed the picture"
            );
            assert_eq!(fused.report["not_understood"], true, "{text}");
            assert_eq!(fused.report["changed"], Value::Null, "{text}");
        }
    }
}

#[test]
fn a_wish_for_people_is_told_and_leaves_the_other_tasks_alone() {
    let folder = pair([30, 50, 230], [20, 70, 40]);
    let text = "Bring out the people on the left slightly.";
    let report = fuse(folder.path(), "ivf", Some(text)).report;
    let understood = &report["understood"][0];
    for (key, value) in [
        ("kind", "people"),
        ("degree", "slightly"),
        ("place", "left"),
    ] {
        assert_eq!(understood[key], value, "{report}");
    }
    assert_eq!(understood["accepted"], true, "{report}");
    assert!(report["changed"]["luma"].is_number(), "{report}");
    for task in ["mif", "mef", "mff"] {
        let neutral = fuse(folder.path(), task, None);
        let fused = fuse(folder.path(), task, Some(text));
        assert!(fused.data == neutral.data, "{task} changed");
        assert_eq!(fused.report["understood"][0]["accepted"], false);
    }
}

#[test]
fn light_comes_where_it_is_dark_and_nowhere_else() {
    if common::encoder().is_none() || common::film_describe().is_none() {
        return;
    }
    let text = "It is too dark, brighten the picture.";
    let dark = pair([30, 50, 230], [4, 40, 20]);
    let change =
        fuse(dark.path(), "ivf", Some(text)).mean() - fuse(dark.path(), "ivf", None).mean();
    // Beyond rounding; how much is measured on real pairs (models/README.md).
    assert!(change > 1.0, "{change}");
    let day = pair([30, 50, 230], [90, 190, 120]);
    let neutral = fuse(day.path(), "ivf", None);
    let fused = fuse(day.path(), "ivf", Some(text));
    assert!(fused.data == neutral.data);
    assert_eq!(
        fused.report["understood"][0]["reason"],
        "not needed: the picture is not dark"
    );
}
