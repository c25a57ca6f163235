use filmd::clock::Timestamp;
use filmd::config::Mode;
use filmd::fuse::SourceViews;
use filmd::metrics::Marks;

use super::*;

const SIZE: Size = Size::new(64, 48);

fn frame(sequence: u64, sources: bool) -> FusedFrame {
    let mut picture = Picture::rgb(SIZE);
    picture.data_mut().fill(sequence as u8);
    FusedFrame {
        timestamp: Timestamp::from_nanos(sequence * 33_000_000),
        sequence,
        mode: Mode::Fused,
        marks: Marks::default(),
        sources: sources.then(|| SourceViews {
            visible: picture.clone(),
            thermal: Picture::grey(Size::new(16, 12)),
            aligned: Picture::grey(SIZE),
        }),
        picture,
    }
}

fn names(files: &[PathBuf]) -> Vec<&str> {
    files
        .iter()
        .map(|p| p.file_name().unwrap().to_str().unwrap())
        .collect()
}

#[test]
fn a_run_leaves_its_last_frame_a_sheet_and_a_clip() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made/for/it");
    let mut screen = RecordingScreen::new(&out, Task::Ivf);
    for n in 0..40 {
        screen.show(&frame(n, true)).unwrap();
    }
    let files = screen.finish().unwrap();
    assert_eq!(
        names(&files),
        ["fused.png", "contact-sheet.png", "clip.gif"]
    );
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 3);
    let last = image::load_from_memory(&std::fs::read(&files[0]).unwrap()).unwrap();
    assert_eq!(last.as_bytes(), frame(39, false).picture.data());
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        assert!(
            image::load_from_memory(&bytes).is_ok(),
            "{}",
            file.display()
        );
    }
}

#[test]
fn frames_without_sources_give_no_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let mut screen = RecordingScreen::new(folder.path(), Task::Ivf);
    screen.show(&frame(1, false)).unwrap();
    assert_eq!(names(&screen.finish().unwrap()), ["fused.png", "clip.gif"]);
}

#[test]
fn without_a_frame_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut screen = RecordingScreen::new(&out, Task::Ivf);
    assert!(screen.finish().unwrap().is_empty());
    assert!(!out.exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let out = file.join("out");
    let mut screen = RecordingScreen::new(&out, Task::Ivf);
    screen.show(&frame(1, true)).unwrap();
    let error = screen.finish().unwrap_err();
    assert!(matches!(&error, PresentError::Write { path, .. } if *path == out));
    assert!(error.to_string().contains("file/out"), "{error}");
}
