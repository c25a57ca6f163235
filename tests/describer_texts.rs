//! Real pairs through facts, language model and encoder: what comes out is what was measured.
//!
//! `FILMD_PAIRS=10 cargo test --test describer_texts -- --nocapture` prints more of them to read.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test's helpers fail by panicking and speak to whoever reads the test's output"
)]

mod describer_common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use describer_common::{PROGRAM, models, shared};
use filmd::align::AlignedPair;
use filmd::clock::Clock;
use filmd::config::Task;
use filmd::describe::{
    DescribeRequest, Describer, Facts, Launch, Origin, ProcessDescriber, Prompt, paragraph,
};
use filmd::frame::{Picture, Size};

const SETS: [(Task, &str); 6] = [
    (Task::Ivf, "roadscene171"),
    (Task::Mif, "harvard_ct"),
    (Task::Mif, "harvard_pet"),
    (Task::Mif, "harvard_spect"),
    (Task::Mef, "mefb_half"),
    (Task::Mff, "mfifb_half"),
];

fn picture(path: &Path, size: Size) -> Picture {
    let picture = image::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (w, h) = (size.width as u32, size.height as u32);
    let filter = image::imageops::FilterType::Triangle;
    let rgb = image::imageops::resize(&picture.to_rgb8(), w, h, filter);
    Picture::from_data(size, 3, rgb.into_raw()).unwrap()
}

/// A pair at the size of its second picture.
fn pair(folder: &Path, name: &str) -> AlignedPair {
    let (a, b) = (folder.join("a").join(name), folder.join("b").join(name));
    let (w, h) = image::image_dimensions(&b).unwrap();
    let size = Size::new(w as usize, h as usize);
    AlignedPair::registered(picture(&a, size), picture(&b, size))
}

/// `count` names spread over a folder.
fn names(folder: &Path, count: usize) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.join("b"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let step = (names.len() / count.max(1)).max(1);
    names.into_iter().step_by(step).take(count).collect()
}

fn data() -> Option<PathBuf> {
    let folder = shared()?.join("data/train");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no {}", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn every_fact_of_a_real_pair_is_in_the_models_text() {
    let Some(data) = data() else { return };
    let files = models();
    let (Some(llm), Some(encoder)) = (files.llm, files.encoder) else {
        return;
    };
    let count = std::env::var("FILMD_PAIRS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    let launch = Launch {
        program: PROGRAM.into(),
        llm: Some(llm),
        encoder,
        max_rows: 64,
        mmproj: None,
        memory: None,
    };
    let mut describer = ProcessDescriber::new(launch);
    for (task, set) in SETS {
        let folder = data.join(set);
        for name in names(&folder, count) {
            let pair = pair(&folder, &name);
            let begun = Clock.now();
            let facts = Facts::measure(task, &pair);
            let measured = Clock.now().since(begun);
            let sentences = facts.sentences();
            let request = DescribeRequest {
                task,
                text: Prompt::Facts(sentences.clone()),
                deadline: Duration::from_secs(120),
                views: Vec::new(),
            };
            let answer = describer.describe(&request).unwrap();
            println!(
                "{set}/{name} {}: facts {measured:?}, text {:?}, {} rows\n  {}\n  T: {}",
                pair.visible.size(),
                answer.took,
                answer.features.rows,
                answer.text,
                paragraph(task, &sentences),
            );
            assert_eq!(answer.origin, Origin::Llm);
            assert!(answer.features.rows <= 64);
            for sentence in &sentences {
                // Verb and joint are the model's choice; what follows the verb is not.
                let fact = sentence.split_once(" image ").unwrap().1;
                let fact = fact
                    .strip_prefix("shows ")
                    .unwrap_or(fact)
                    .trim_end_matches('.');
                assert!(answer.text.contains(fact), "{fact:?} in {:?}", answer.text);
            }
            assert_eq!(answer.text.matches("The fused image should ").count(), 1);
            assert!(answer.text.ends_with('.'));
        }
    }
    println!("process: {:?}", describer.process());
}

#[test]
fn odd_facts_are_spelled_as_they_are() {
    let files = models();
    let (Some(llm), Some(encoder)) = (files.llm, files.encoder) else {
        return;
    };
    let launch = Launch {
        program: PROGRAM.into(),
        llm: Some(llm),
        encoder,
        max_rows: 64,
        mmproj: None,
        memory: None,
    };
    let mut describer = ProcessDescriber::new(launch);
    // What is special in GBNF, in the model's own tokens and in UTF-8 of several bytes.
    let odd = [
        r#"The "first" image shows a \ and [a-z] | ::= # {3} (x)*?"#,
        "Über 30 °C \u{1F525} <|im_end|> at the top",
    ];
    let request = DescribeRequest {
        task: Task::Mff,
        text: Prompt::Facts(odd.map(str::to_owned).to_vec()),
        deadline: Duration::from_secs(120),
        views: Vec::new(),
    };
    let answer = describer.describe(&request).unwrap();
    assert_eq!(answer.origin, Origin::Llm, "{:?}", describer.note());
    for part in [
        r#"The "first" image"#,
        r"a \ and [a-z] | ::= # {3} (x)*?",
        odd[1],
    ] {
        assert!(answer.text.contains(part), "{part:?} in {:?}", answer.text);
    }
    // Task by task, the examples are read anew.
    let request = DescribeRequest {
        task: Task::Mef,
        text: Prompt::Facts(vec![
            "The under-exposed image is black everywhere.".to_owned(),
        ]),
        ..request
    };
    let first = describer.describe(&request).unwrap();
    let second = describer.describe(&request).unwrap();
    assert_eq!((first.origin, &first.text), (Origin::Llm, &second.text));
    assert_eq!(first.features, second.features);
}

/// `filmd fuse --questions=FILE`: the answers' text is reported, and another weight of the same
/// answers is another picture.
#[test]
fn files_are_fused_by_answers_to_questions() {
    let files = models();
    let (Some(_), Some(_)) = (files.llm, files.encoder) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut warm = image::GrayImage::from_pixel(160, 128, image::Luma([60]));
    for (x, y) in (20..40).flat_map(|x| (40..110).map(move |y| (x, y))) {
        warm.put_pixel(x, y, image::Luma([230]));
    }
    warm.save(path("a.png")).unwrap();
    image::GrayImage::from_fn(160, 128, |x, y| image::Luma([20 + (x * y % 40) as u8]))
        .save(path("b.png"))
        .unwrap();
    let fuse = |weight: f32| {
        let questions = format!(
            "[[ivf]]\nlevel = \"object\"\nquestion = \"What is warm?\"\nfacts = [\"warm\"]\n\
             weight = 1.0\n[[ivf]]\nlevel = \"wish\"\nquestion = \"What should it do?\"\n\
             weight = {weight:?}\n"
        );
        std::fs::write(path("q.toml"), questions).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_filmd"))
            .args(["fuse", &path("a.png"), &path("b.png"), "--json", "--out"])
            .arg(path("f.png"))
            .arg(format!("--questions={}", path("q.toml")))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (report, image::open(path("f.png")).unwrap())
    };
    let ((report, first), (_, again), (_, other)) = (fuse(1.0), fuse(1.0), fuse(0.2));
    let text = report["text"].as_str().unwrap();
    assert!(text.contains("a warm upright object on the left"), "{text}");
    assert!(text.contains("The fused image should "), "{text}");
    assert!(!text.contains("visible image is"), "{text}");
    assert_eq!(report["origin"], "llm");
    assert!(first == again && first != other);
}
