//! Where results go that cannot be written.

use std::fs::File;
use std::process::Stdio;

use crate::{data, filmd, said};

#[test]
fn a_report_that_cannot_be_written_fails() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("f.png");
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let visible = data("visible.png");
    let output = filmd()
        .arg("fuse")
        .args([&visible, &visible])
        .args(["--json", "--out"])
        .arg(&out)
        .stdout(full())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("report"), "{}", said(&output));
    let output = filmd()
        .args(["describe", "--no-llm", "--json"])
        .args([&visible, &visible])
        .stdout(full())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}

#[test]
fn standard_error_that_is_gone_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("f.png");
    // Both a refusal and a word about a file.
    for (name, code) in [("lossless_sof3.jpg", 1), ("no_eoi.jpg", 0)] {
        let mut child = filmd()
            .arg("fuse")
            .args([data("visible.png"), data(name)])
            .arg("--out")
            .arg(&out)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}");
    }
    let full = File::options().write(true).open("/dev/full").unwrap();
    let status = filmd()
        .arg("fuse")
        .args([data("visible.png"), data("no_eoi.jpg")])
        .arg("--out")
        .arg(&out)
        .stderr(Stdio::from(full))
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn texts_are_appended_to_regular_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
    for side in [&a, &b] {
        std::fs::create_dir(side).unwrap();
        std::fs::copy(data("visible.png"), side.join("1.png")).unwrap();
    }
    let large = folder.path().join("large.jsonl");
    File::create(&large)
        .unwrap()
        .set_len((1 << 30) + 1)
        .unwrap();
    for (path, word) in [
        ("/dev/zero", "no regular file"),
        (large.to_str().unwrap(), "at most"),
    ] {
        let output = filmd()
            .args(["describe", "--no-llm", "--out", path])
            .args([&a, &b])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(word), "{}", said(&output));
    }
}
