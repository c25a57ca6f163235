//! The metrics are those of the Python yardstick: on generated pictures against committed
//! numbers, and on real pairs of each task against the script itself where it is at hand.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, which say loudly what is skipped"
)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use filmd::files::{read_picture, write_picture};
use filmd::folders::pair_folders;
use filmd::frame::{Picture, Size};
use filmd::quality::{Metric, Scores, evaluate, luma};

const TOLERANCE: f64 = 1e-3;
const PAIRS_A_TASK: usize = 10;

/// The formulas of tests/data/quality/make_golden.py.
fn source(size: Size, seed: i64) -> Picture {
    let mut picture = Picture::grey(size);
    for (i, v) in picture.data_mut().iter_mut().enumerate() {
        let (x, y) = ((i % size.width) as i64, (i / size.width) as i64);
        let far = (x - 10 * seed).pow(2) + (y - 7 * seed).pow(2);
        let blob = (180 - far / (5 + seed)).max(0);
        let stripes = if (x + seed * y) / 6 % 2 == 0 { 40 } else { 0 };
        let noise = ((x * 73_856_093) ^ (y * 19_349_663) ^ (seed * 83_492_791)) / 8192 % 16;
        *v = (blob + stripes + noise).min(255) as u8;
    }
    picture
}

fn fuse(rule: &str, a: &Picture, b: &Picture) -> Picture {
    let mut fused = Picture::grey(a.size());
    for (i, v) in fused.data_mut().iter_mut().enumerate() {
        let (a, b) = (i32::from(a.data()[i]), i32::from(b.data()[i]));
        let (mean, high) = ((a + b) / 2, a.max(b));
        *v = match rule {
            "copy" => a,
            "mean" => mean,
            "max" => high,
            _ => (3 * high - 2 * mean - 20).clamp(0, 255),
        } as u8;
    }
    fused
}

/// Every metric's deviation that is beyond the tolerance.
fn deviations(ours: &Scores, theirs: impl Fn(&str) -> f64) -> Vec<String> {
    let mut found = Vec::new();
    for metric in Metric::ALL {
        let (name, theirs) = (metric.name(), theirs(metric.name()));
        let ours = ours.get(metric);
        // 1e-6: the script's CSV has six digits, and shares may be zero.
        if !ours.is_some_and(|v| (v - theirs).abs() <= TOLERANCE * theirs.abs() + 1e-6) {
            found.push(format!("{name}: ours {ours:?}, the yardstick's {theirs}"));
        }
    }
    found
}

#[test]
fn generated_pictures_score_as_committed() {
    let text = include_str!("data/quality/golden.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    assert_eq!(cases.len(), 16);
    for case in &cases {
        let length = |key: &str| case[key].as_u64().unwrap() as usize;
        let size = Size::new(length("width"), length("height"));
        let rule = case["rule"].as_str().unwrap();
        let (a, b) = (source(size, 1), source(size, 4));
        let ours = evaluate(&a, &b, &fuse(rule, &a, &b)).unwrap();
        let wrong = deviations(&ours, |name| case["scores"][name].as_f64().unwrap());
        assert!(wrong.is_empty(), "{size} {rule}: {wrong:#?}");
    }
}

fn shared() -> PathBuf {
    std::env::var_os("FILMD_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    )
}

/// The interpreter, where it has what the script needs.
fn python() -> Option<PathBuf> {
    let program = std::env::var_os("FILMD_PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    let checked = Command::new(&program)
        .args(["-c", "import numpy, scipy, PIL"])
        .output();
    checked
        .is_ok_and(|output| output.status.success())
        .then_some(program)
}

/// Runs the script on three folders; scores by stem.
fn yardstick(python: &Path, script: &Path, root: &Path) -> HashMap<String, Vec<f64>> {
    let csv = root.join("scores.csv");
    let mut command = Command::new(python);
    command.arg(script).arg("--csv").arg(&csv);
    for folder in ["a", "b", "f"] {
        command.arg(format!("--{folder}")).arg(root.join(folder));
    }
    let names: Vec<&str> = Metric::ALL.iter().map(|m| m.name()).collect();
    command.arg("--metrics").arg(names.join(","));
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(csv).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let mut cells = line.split(',');
        let name = cells.next().unwrap().to_owned();
        (name, cells.map(|cell| cell.parse().unwrap()).collect())
    });
    rows.collect()
}

#[test]
fn real_pairs_of_each_task_score_as_the_yardstick_says() {
    let script = shared().join("eval/fusion_metrics.py");
    let data = shared().join("data/train");
    let Some(python) = python() else {
        eprintln!("SKIPPED: no python3 with numpy, scipy and PIL (name one in FILMD_PYTHON)");
        return;
    };
    if !script.is_file() || !data.is_dir() {
        eprintln!("SKIPPED: no yardstick and data under FILMD_SHARED");
        return;
    }
    let sets = [
        ("ivf", vec!["roadscene171"]),
        ("mif", vec!["harvard_ct", "harvard_pet", "harvard_spect"]),
        ("mef", vec!["mefb_half"]),
        ("mff", vec!["mfifb_half"]),
    ];
    for (task, sets) in sets {
        let root = tempfile::tempdir().unwrap();
        for folder in ["a", "b", "f"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        let mut ours = HashMap::new();
        for set in &sets {
            let folder = data.join(set);
            let found = pair_folders(&folder.join("a"), &folder.join("b")).unwrap();
            let wanted = PAIRS_A_TASK.div_ceil(sets.len());
            let step = (found.pairs.len() / wanted).max(1);
            for (i, pair) in found
                .pairs
                .iter()
                .step_by(step)
                .take(wanted + 2)
                .enumerate()
            {
                let (a, b) = (
                    read_picture(&pair.a).unwrap(),
                    read_picture(&pair.b).unwrap(),
                );
                if a.size() != b.size() {
                    continue;
                }
                let rule = ["max", "mean", "overshoot", "copy"][i % 4];
                let fused = fuse(rule, &luma(&a), &luma(&b));
                // Decoders of JPEG differ, so both sides read what ours decoded.
                let name = format!("{set}-{}", pair.stem);
                for (folder, picture) in [("a", &a), ("b", &b), ("f", &fused)] {
                    let path = root.path().join(folder).join(format!("{name}.png"));
                    write_picture(&path, picture).unwrap();
                }
                ours.insert(name, evaluate(&a, &b, &fused).unwrap());
            }
        }
        assert!(ours.len() >= PAIRS_A_TASK, "{task}: {} pairs", ours.len());
        let theirs = yardstick(&python, &script, root.path());
        assert_eq!(theirs.len(), ours.len(), "{task}");
        for (name, scores) in &ours {
            let row = &theirs[name];
            let wrong = deviations(scores, |metric| {
                let column = Metric::ALL.iter().position(|m| m.name() == metric);
                row[column.unwrap()]
            });
            assert!(wrong.is_empty(), "{task} {name}: {wrong:#?}");
        }
    }
}
