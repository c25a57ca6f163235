//! `filmd fuse --model` with a graph of the published FILM network: the whole way from
//! models/import_film.py through tract, on a small network with random weights.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn data(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/film");
    text(&folder.join(file)).to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Fuses the test's pair into `out` with these arguments more.
fn fuse(out: &Path, model: &str, more: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_filmd"))
        .args(["fuse", &data("a.png"), &data("b.png"), "--json"])
        .args(["--out", text(out), "--model", model])
        .args(more)
        .output()
        .unwrap();
    let code = output.status.code();
    assert!(matches!(code, Some(0..=100)), "{code:?} {}", said(&output));
    output
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a refusal says; there must be no picture then.
fn refusal(model: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("f.png");
    let output = fuse(&out, model, more);
    assert!(!output.status.success() && !out.exists(), "{more:?}");
    said(&output)
}

fn levels(path: &Path) -> Vec<u8> {
    image::open(path).unwrap().to_luma8().into_raw()
}

/// Text features as a .npy file.
fn features(path: &Path, rows: usize, columns: usize, values: &[f32]) {
    assert_eq!(values.len(), rows * columns);
    let header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    std::fs::write(path, bytes).unwrap();
}

/// Features that differ from row to row and column to column.
fn waves(rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns)
        .map(|i| 3.0 * (i as f32 * 0.7).sin())
        .collect()
}

#[test]
fn the_fused_picture_is_pytorchs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("f.png");
    let model = data("tiny-film.onnx");
    let own = ["--task", "mif", "--features", &data("text.npy")];
    let output = fuse(&out, &model, &own);
    assert!(output.status.success(), "{}", said(&output));
    let expected = levels(Path::new(&data("expected.png")));
    let fused = levels(&out);
    assert_eq!(fused.len(), expected.len());
    assert!(
        fused
            .iter()
            .zip(&expected)
            .all(|(f, e)| f.abs_diff(*e) <= 1)
    );
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["fuser"], "tiny-film");
    assert!(json["features"].as_str().unwrap().ends_with("text.npy"));
    assert!(json["text"].is_null() && json["origin"].is_null());
    // Another text, of another length, must give another picture.
    let other = folder.path().join("other.npy");
    features(&other, 7, 768, &waves(7, 768));
    let output = fuse(&out, &model, &["--task", "mif", "--features", text(&other)]);
    assert!(output.status.success(), "{}", said(&output));
    assert_ne!(levels(&out), fused);
}

#[test]
fn a_text_of_another_kind_is_refused_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let model = data("tiny-film.onnx");
    let file = folder.path().join("t.npy");
    let with_file = |model: &str| refusal(model, &["--task", "mif", "--features", text(&file)]);
    features(&file, 2, 384, &waves(2, 384));
    let found = with_file(&model);
    assert!(found.contains("384") && found.contains("768"), "{found}");
    let mut values = waves(2, 768);
    values[770] = f32::NAN;
    features(&file, 2, 768, &values);
    let found = with_file(&model);
    assert!(found.contains("row 1, column 2 is NaN"), "{found}");
    features(&file, 513, 768, &waves(513, 768));
    let found = with_file(&model);
    assert!(found.contains("513 rows, at most 512"), "{found}");
    std::fs::remove_file(&file).unwrap();
    assert!(with_file(&model).contains("t.npy"));
    for own in [&["--task", "mif"][..], &["--task", "mif", "--text", "Hi."]] {
        let found = refusal(&model, own);
        assert!(
            found.contains("--features") && found.contains("--encoder"),
            "{found}"
        );
    }
    let found = refusal(&model, &["--task", "mif", "--encoder", "/no/such.gguf"]);
    assert!(found.contains("/no/such.gguf"), "{found}");
}

#[test]
fn another_task_too_large_a_picture_and_other_networks_are_told() {
    let own = ["--features", &data("text.npy")];
    let model = data("tiny-film.onnx");
    let found = refusal(&model, &own);
    assert!(found.contains("pass --task mif"), "{found}");
    // An entry appended to a protobuf message counts; the last one wins.
    let folder = tempfile::tempdir().unwrap();
    let huge = folder.path().join("huge.onnx");
    let (key, value) = ("filmd.bytes", "900000000000000");
    let mut entry = vec![0x0a, key.len() as u8];
    entry.extend(key.as_bytes());
    entry.extend([0x12, value.len() as u8]);
    entry.extend(value.as_bytes());
    let mut bytes = std::fs::read(&model).unwrap();
    bytes.extend([0x72, entry.len() as u8]);
    bytes.extend(entry);
    std::fs::write(&huge, bytes).unwrap();
    let found = refusal(text(&huge), &["--task", "mif", own[0], own[1]]);
    assert!(
        found.contains("40x30") && found.contains("smaller"),
        "{found}"
    );
    // filmd's own networks take features from a file as well, of their own encoder.
    let edge = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/film-edge.onnx");
    let found = refusal(text(&edge), &own);
    assert!(found.contains("768") && found.contains("384"), "{found}");
    let mine = folder.path().join("mine.npy");
    features(&mine, 5, 384, &waves(5, 384));
    let out = folder.path().join("f.png");
    let output = fuse(&out, text(&edge), &["--features", text(&mine)]);
    assert!(output.status.success(), "{}", said(&output));
    let found = refusal(&model, &["--engine", "classic", own[0], own[1]]);
    assert!(found.contains("classic fusion takes no text"), "{found}");
}

#[test]
fn folders_of_pairs_find_their_features_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| -> PathBuf { folder.path().join(name) };
    for name in ["a", "b", "text"] {
        std::fs::create_dir(place(name)).unwrap();
    }
    for stem in ["one", "two", "three"] {
        for side in ["a", "b"] {
            let to = place(side).join(format!("{stem}.png"));
            std::fs::copy(data(&format!("{side}.png")), to).unwrap();
        }
    }
    std::fs::copy(data("text.npy"), place("text").join("one.npy")).unwrap();
    features(&place("text").join("two.npy"), 1, 768, &waves(1, 768));
    let (a, b, out) = (place("a"), place("b"), place("out"));
    let output = Command::new(env!("CARGO_BIN_EXE_filmd"))
        .args(["fuse", text(&a), text(&b), "--out", text(&out)])
        .args(["--model", &data("tiny-film.onnx"), "--task", "mif"])
        .args(["--features", text(&place("text"))])
        .output()
        .unwrap();
    let found = said(&output);
    assert!(
        !output.status.success() && found.contains("three.npy"),
        "{found}"
    );
    let one = levels(&out.join("one.png"));
    let expected = levels(Path::new(&data("expected.png")));
    assert!(one.iter().zip(&expected).all(|(f, e)| f.abs_diff(*e) <= 1));
    assert_ne!(levels(&out.join("two.png")), one);
    assert!(!out.join("three.png").exists());
}
