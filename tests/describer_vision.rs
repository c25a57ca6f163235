//! A language model that sees (tiny, of random weights, by models/tiny_vision.py): the pictures
//! have a say, the facts stay the facts, and a vision encoder that does not fit costs sight only.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test's helpers fail by panicking and speak to whoever reads the test's output"
)]

mod describer_common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use describer_common::{PROGRAM, facts, models, sha256};
use filmd::clock::Clock;
use filmd::config::{DescribeConfig, Task, VisionConfig};
use filmd::describe::process::view::{View, ViewKind};
use filmd::describe::words::faithful;
use filmd::describe::{
    DescribeRequest, Describer, Description, Launch, ModelFile, ModelFiles, Origin,
    ProcessDescriber, Prompt, open,
};
use filmd::frame::{Picture, Size};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/vision")
        .join(name)
}

fn unchecked(path: PathBuf) -> ModelFile {
    ModelFile { path, sha256: None }
}

fn launch(llm: ModelFile, mmproj: Option<ModelFile>) -> Option<ProcessDescriber> {
    Some(ProcessDescriber::new(Launch {
        program: PROGRAM.into(),
        llm: Some(llm),
        mmproj,
        encoder: models().encoder?,
        max_rows: 64,
        memory: None,
    }))
}

/// A picture of noise; `seed` decides which.
fn noise(kind: ViewKind, weight: f32, mut seed: u32) -> View {
    let mut picture = Picture::rgb(Size::new(160, 120));
    for value in picture.data_mut() {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *value = (seed >> 24) as u8;
    }
    View::of(kind, weight, &picture)
}

fn plain(kind: ViewKind, weight: f32, level: u8) -> View {
    let mut picture = Picture::grey(Size::new(640, 480));
    picture.data_mut().fill(level);
    View::of(kind, weight, &picture)
}

fn seeing(views: Vec<View>) -> DescribeRequest {
    DescribeRequest { views, ..facts() }
}

/// Asks until the process is up again after whatever happened to it.
fn answer(describer: &mut ProcessDescriber, request: &DescribeRequest) -> Description {
    for _ in 0..400 {
        describer.tend();
        match describer.describe(request) {
            Ok(description) => return description,
            Err(error) => eprintln!("  not yet: {error}"),
        }
        Clock.sleep_until(Clock.now().plus(Duration::from_millis(100)));
    }
    panic!("never answered");
}

fn sentences(request: &DescribeRequest) -> &[String] {
    match &request.text {
        Prompt::Facts(sentences) => sentences,
        _ => &[],
    }
}

#[test]
fn pictures_have_a_say_and_the_facts_stay_the_facts() {
    let mmproj = unchecked(fixture("mmproj.gguf"));
    let Some(mut describer) = launch(unchecked(fixture("text.gguf")), Some(mmproj)) else {
        return;
    };
    let mut texts = BTreeSet::new();
    for seed in 0..6 {
        let request = seeing(vec![
            noise(ViewKind::Infrared, 1.0, seed),
            plain(ViewKind::Visible, 1.0, 40 * seed as u8),
            noise(ViewKind::Fused, 0.5, seed + 100),
        ]);
        let first = answer(&mut describer, &request);
        assert_eq!(first.origin, Origin::Llm, "{:?}", describer.note());
        faithful::check(Task::Ivf, sentences(&request), &first.text).unwrap();
        let second = answer(&mut describer, &request);
        assert_eq!(
            (&first.text, &first.features),
            (&second.text, &second.features)
        );
        texts.insert(first.text);
    }
    assert_eq!(describer.note(), None);
    assert!(
        texts.len() > 1,
        "the pictures change nothing in {} texts: {texts:?}",
        6
    );
    // Sentences alone, and one picture alone, go as well.
    for views in [Vec::new(), vec![plain(ViewKind::Visible, 0.3, 90)]] {
        let said = answer(&mut describer, &seeing(views));
        assert_eq!(said.origin, Origin::Llm);
    }
    assert_eq!(describer.starts(), 1);
}

#[test]
fn questions_look_at_the_same_pictures_again() {
    let mmproj = unchecked(fixture("mmproj.gguf"));
    let Some(mut describer) = launch(unchecked(fixture("text.gguf")), Some(mmproj)) else {
        return;
    };
    let pair = filmd::align::AlignedPair::registered(
        Picture::grey(Size::new(320, 240)),
        Picture::rgb(Size::new(320, 240)),
    );
    let facts = filmd::describe::Facts::measure(Task::Ivf, &pair);
    let questions = filmd::describe::words::questions::Questions::shipped().unwrap();
    let answers = questions.answer_within(&facts, 64);
    assert!(answers.len() > 1);
    let request = DescribeRequest {
        text: Prompt::Answers {
            answers,
            by_llm: true,
        },
        ..seeing(vec![
            noise(ViewKind::Infrared, 1.0, 1),
            noise(ViewKind::Visible, 1.0, 2),
        ])
    };
    let first = answer(&mut describer, &request);
    let second = answer(&mut describer, &request);
    assert_eq!(first.origin, Origin::Llm, "{:?}", describer.note());
    assert_eq!(first.text, second.text);
}

#[test]
fn a_vision_encoder_that_does_not_fit_costs_sight_only() {
    let folder = tempfile::tempdir().unwrap();
    let sound = std::fs::read(fixture("mmproj.gguf")).unwrap();
    let written = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let third = written("third.gguf", &sound[..sound.len() / 3]);
    let header = written("header.gguf", &sound[..100]);
    let mut changed = sound.clone();
    changed[200] ^= 0x55;
    let changed = written("changed.gguf", &changed);
    let with_sum = |path: PathBuf| ModelFile {
        path,
        sha256: Some(sha256(&sound)),
    };
    for (mmproj, expected) in [
        (unchecked("/nonexistent.gguf".into()), "cannot open"),
        (unchecked(PROGRAM.into()), "no GGUF"),
        (unchecked(fixture("text.gguf")), "no mmproj"),
        (with_sum(third.clone()), "SHA-256"),
        (with_sum(changed), "SHA-256"),
        (unchecked(third), "llama.cpp cannot use"),
        (unchecked(header), "header"),
    ] {
        let Some(mut describer) = launch(unchecked(fixture("text.gguf")), Some(mmproj)) else {
            return;
        };
        let request = seeing(vec![noise(ViewKind::Visible, 1.0, 1)]);
        let said = answer(&mut describer, &request);
        let note = describer.note().unwrap();
        assert!(
            note.contains("vision: ") && note.contains(expected),
            "{note}"
        );
        assert_eq!((said.origin, describer.starts()), (Origin::Llm, 1));
    }
}

#[test]
fn a_vision_encoder_of_another_model_is_told_apart() {
    let Some(llm) = models().llm else { return };
    let mmproj = unchecked(fixture("mmproj.gguf"));
    let Some(mut describer) = launch(llm, Some(mmproj)) else {
        return;
    };
    let request = seeing(vec![noise(ViewKind::Visible, 1.0, 1)]);
    let said = answer(&mut describer, &request);
    let note = describer.note().unwrap();
    assert!(note.contains("another"), "{note}");
    assert_eq!((said.origin, describer.starts()), (Origin::Llm, 1));
}

#[test]
fn the_configuration_names_a_model_that_sees() {
    let Some(encoder) = models().encoder else {
        return;
    };
    let sum = |name: &str| Some(sha256(&std::fs::read(fixture(name)).unwrap()));
    let config = DescribeConfig {
        program: Some(PROGRAM.into()),
        vision: Some(VisionConfig {
            model: fixture("text.gguf"),
            model_sha256: sum("text.gguf"),
            mmproj: fixture("mmproj.gguf"),
            mmproj_sha256: sum("mmproj.gguf"),
            infrared: 1.0,
            visible: 1.0,
            fused: 0.0,
        }),
        ..DescribeConfig::default()
    };
    let files = ModelFiles {
        encoder: Some(encoder),
        ..ModelFiles::find(&config, None, None)
    };
    // With its memory limit.
    let mut describer = open(&config, &files, 64).unwrap();
    let request = seeing(vec![noise(ViewKind::Infrared, 1.0, 3)]);
    let said = describer.describe(&request).unwrap();
    assert_eq!((said.origin, describer.note()), (Origin::Llm, None));
}
