//! What a user gets for bad input: a clear error that names what was found, an exit code that is
//! neither 0 nor 101 (a panic), and nothing half-written.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use image::{ImageBuffer, ImageFormat, Luma, Rgb};

fn filmd(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_filmd"))
        .args(args)
        .output()
        .unwrap();
    assert_ne!(
        output.status.code(),
        Some(101),
        "a panic: {}",
        stderr(&output)
    );
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs, expects a failure, and returns what was said.
fn refused(args: &[&str]) -> String {
    let output = filmd(args);
    assert!(!output.status.success(), "{args:?} was accepted");
    stderr(&output)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A grey ramp and a coloured one, as PNG files of the given sizes.
fn pair(folder: &Path, a: (u32, u32), b: (u32, u32)) -> (String, String) {
    let (pa, pb) = (folder.join("a.png"), folder.join("b.png"));
    ImageBuffer::from_fn(a.0, a.1, |x, y| Luma([(x * 3 + y * 5) as u8]))
        .save(&pa)
        .unwrap();
    ImageBuffer::from_fn(b.0, b.1, |x, y| Rgb([(x * 2) as u8, (y * 2) as u8, 90]))
        .save(&pb)
        .unwrap();
    (text(&pa).to_owned(), text(&pb).to_owned())
}

#[test]
fn a_pair_is_fused_at_the_size_of_b() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = pair(folder.path(), (40, 30), (80, 60));
    let out = folder.path().join("f.png");
    let output = filmd(&["fuse", &a, &b, "--out", text(&out), "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let fused = image::open(&out).unwrap();
    assert_eq!((fused.width(), fused.height()), (80, 60));
    assert!(fused.color().has_color(), "the colour of B is kept");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json.to_string().contains("neutral"), "{json}");
}

#[test]
fn the_tone_map_is_off_for_files_unless_asked_for_and_auto_leaves_medical_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = pair(folder.path(), (64, 48), (64, 48));
    let out = folder.path().join("f.png");
    let fused = |more: &[&str]| {
        let args = ["fuse", &a, &b, "--engine", "classic", "--out", text(&out)];
        let output = filmd(&[&args[..], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        std::fs::read(&out).unwrap()
    };
    let plain = fused(&[]);
    assert_eq!(fused(&["--tone", "off"]), plain);
    assert_eq!(fused(&["--tone", "0"]), plain);
    assert_ne!(fused(&["--tone", "auto"]), plain);
    assert_eq!(fused(&["--tone", "auto"]), fused(&["--tone", "1"]));
    let medical = ["--task", "mif", "--tone"];
    let of = |tone| fused(&[&medical[..], &[tone]].concat());
    assert_eq!(of("auto"), of("off"));
    assert_ne!(of("0.5"), of("off"));
    for wrong in ["on", "2.1", "-1", "nan"] {
        let tone = format!("--tone={wrong}");
        let said = refused(&["fuse", &a, &b, "--out", text(&out), &tone]);
        assert!(said.contains("0 to 2"), "{said}");
    }
}

#[test]
fn an_image_of_one_pixel_is_fused() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = pair(folder.path(), (1, 1), (1, 1));
    let out = folder.path().join("f.png");
    let output = filmd(&["fuse", &a, &b, "--out", text(&out)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(image::image_dimensions(&out).unwrap(), (1, 1));
}

#[test]
fn a_16_bit_png_is_fused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, b) = pair(folder.path(), (64, 64), (64, 64));
    let a = folder.path().join("a16.png");
    ImageBuffer::from_fn(64, 64, |x, y| Luma([29_000_u16 + (x * 16 + y) as u16]))
        .save(&a)
        .unwrap();
    let out = folder.path().join("f.png");
    let output = filmd(&["fuse", text(&a), &b, "--out", text(&out)]);
    assert!(output.status.success(), "{}", stderr(&output));
    let fused = image::open(&out).unwrap().to_luma8();
    let (low, high) = (
        fused.pixels().map(|p| p[0]).min(),
        fused.pixels().map(|p| p[0]).max(),
    );
    assert!(
        high > low,
        "a 16-bit ramp of narrow range must not become flat"
    );
}

#[test]
fn a_pair_of_different_aspect_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = pair(folder.path(), (64, 64), (128, 64));
    let out = folder.path().join("f.png");
    let said = refused(&["fuse", &a, &b, "--out", text(&out)]);
    assert!(said.contains("64x64") && said.contains("128x64"), "{said}");
    assert!(!out.exists());
}

#[test]
fn a_truncated_jpeg_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = pair(folder.path(), (64, 64), (64, 64));
    let jpeg = folder.path().join("torn.jpg");
    image::open(&a)
        .unwrap()
        .save_with_format(&jpeg, ImageFormat::Jpeg)
        .unwrap();
    let bytes = std::fs::read(&jpeg).unwrap();
    std::fs::write(&jpeg, &bytes[..bytes.len() / 3]).unwrap();
    let out = folder.path().join("f.png");
    let said = refused(&["fuse", text(&jpeg), &b, "--out", text(&out)]);
    assert!(said.contains("torn.jpg"), "{said}");
    assert!(!out.exists());
}

#[test]
fn files_that_are_no_pictures_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (a, _) = pair(folder.path(), (64, 64), (64, 64));
    let out = folder.path().join("f.png");
    for (name, bytes) in [("empty.png", &b""[..]), ("text.png", b"no picture at all")] {
        let bad = folder.path().join(name);
        std::fs::write(&bad, bytes).unwrap();
        let said = refused(&["fuse", &a, text(&bad), "--out", text(&out)]);
        assert!(said.contains(name), "{said}");
    }
    let said = refused(&["fuse", &a, "no-such-file.png", "--out", text(&out)]);
    assert!(said.contains("no-such-file.png"), "{said}");
}

#[test]
fn an_empty_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    std::fs::create_dir(&a).unwrap();
    std::fs::create_dir(&b).unwrap();
    let out = folder.path().join("out");
    let said = refused(&["fuse", text(&a), text(&b), "--out", text(&out)]);
    assert!(said.contains(text(&a)), "{said}");
}

/// A copy of the shipped manifest whose network file is something else.
fn manifest_with(folder: &Path, network: &[u8]) -> String {
    let shipped = common::manifest();
    let manifest = folder.join("manifest.toml");
    std::fs::copy(&shipped, &manifest).unwrap();
    std::fs::copy(
        shipped.with_file_name("neutral.f32"),
        folder.join("neutral.f32"),
    )
    .unwrap();
    std::fs::write(folder.join("film-edge-int8.onnx"), network).unwrap();
    text(&manifest).to_owned()
}

#[test]
fn a_corrupt_model_is_refused_by_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = pair(folder.path(), (64, 64), (64, 64));
    let mut bytes =
        std::fs::read(common::manifest().with_file_name("film-edge-int8.onnx")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let manifest = manifest_with(folder.path(), &bytes);
    let out = folder.path().join("f.png");
    let said = refused(&["fuse", &a, &b, "--out", text(&out), "--manifest", &manifest]);
    assert!(
        said.contains("film-edge-int8.onnx") && said.contains("SHA-256"),
        "{said}"
    );
}

#[test]
fn a_missing_language_model_is_said_clearly() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = pair(folder.path(), (64, 64), (64, 64));
    let out = folder.path().join("f.png");
    for by in ["--describe", "--questions"] {
        let output = Command::new(env!("CARGO_BIN_EXE_filmd"))
            .args(["fuse", &a, &b, "--out", text(&out), by])
            .envs(["FILMD_CACHE", "XDG_CACHE_HOME", "HOME"].map(|name| (name, folder.path())))
            .output()
            .unwrap();
        let said = stderr(&output);
        assert!(
            matches!(output.status.code(), Some(code) if code != 0 && code != 101),
            "{said}"
        );
        assert!(said.contains("make models"), "{said}");
    }
}

#[test]
fn questions_that_cannot_be_used_are_refused_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = pair(folder.path(), (64, 64), (64, 64));
    let file = folder.path().join("q.toml");
    std::fs::write(
        &file,
        "[[ivf]]\nlevel = \"wish\"\nquestion = \"?\"\nweight = 7.0\n",
    )
    .unwrap();
    let out = folder.path().join("f.png");
    let questions = format!("--questions={}", text(&file));
    let fuse = ["fuse", &a, &b, "--out", text(&out), &questions];
    let said = refused(&fuse);
    assert!(said.contains("q.toml") && said.contains("weight"), "{said}");
    let both = [&fuse[..], &["--describe"]].concat();
    assert!(refused(&both).contains("cannot be used with"));
}

#[test]
fn an_unknown_key_has_its_place_and_exit_code_78() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("filmd.toml");
    std::fs::write(&file, "[output]\nwidth = 640\nhieght = 480\n").unwrap();
    let output = filmd(&["check", text(&file)]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(
        said.contains("line 3, column 1") && said.contains("hieght"),
        "{said}"
    );
}

#[test]
fn a_camera_that_cannot_be_right_fails_the_check_with_exit_code_78() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("filmd.toml");
    let camera = |role: &str, device: &str, format: &str| {
        format!(
            "[source.{role}]\ndevice = {device:?}\nformat = {format:?}\nwidth = 160\nheight = 120\n"
        )
    };
    for (device, format, word) in [
        ("/dev/video0", "YUYV", "numbers change"),
        ("usb:046d", "YUYV", "lsusb"),
        ("card:webcam", "H264", "H264"),
    ] {
        let (a, b) = (
            camera("infrared", "card:x", "Y16"),
            camera("visible", device, format),
        );
        std::fs::write(&file, format!("[source]\nkind = \"cameras\"\n{a}{b}")).unwrap();
        for command in [
            vec!["check", text(&file)],
            vec!["run", "--config", text(&file)],
        ] {
            let output = filmd(&command);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(78), "{said}");
            assert!(said.contains(word), "{said}");
        }
    }
}

#[test]
fn a_preset_that_the_calibration_lacks_fails_the_check_with_exit_code_78() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("filmd.toml");
    let calibration = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/board/calibration-example.toml"
    );
    let config = format!(
        "[align]\ncalibration = {calibration:?}\npreset = \"no-such\"\n[fuse]\nengine = \"classic\"\n"
    );
    std::fs::write(&file, config).unwrap();
    let output = filmd(&["check", text(&file)]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("no-such"), "{said}");
}

#[test]
fn the_shipped_configuration_passes_the_check() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/board/filmd.toml");
    let output = filmd(&["check", file]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_core_for_a_describer_that_is_off_is_refused() {
    let said = refused(&["bench", "--describer-core", "0"]);
    assert!(said.contains("--describer"), "{said}");
}

#[test]
fn the_demo_refuses_a_rate_of_zero() {
    let said = refused(&["demo", "--headless", "--fps", "0"]);
    assert!(said.contains("source.fps"), "{said}");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/board/filmd.toml");
    let mut child = Command::new(env!("CARGO_BIN_EXE_filmd"))
        .args(["check", file])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_demo_without_its_screen_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_filmd"))
        .args(["demo", "--classic", "--neutral", "--seconds", "5"])
        .env("DISPLAY", ":4711")
        .output()
        .unwrap();
    if cfg!(feature = "window") {
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    }
}
