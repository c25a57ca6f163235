//! Golden pictures: three moments of the synthetic scene in every mode, by classic fusion.
//!
//! No tolerance: our own stages compute in integers, or in f32 by single additions and
//! multiplications in a fixed order, which IEEE 754 rounds alike on every processor (invariant 12).
//! A difference is a change of behaviour; where it is wanted, make new files with
//! `FILMD_BLESS=1 cargo test --release --test golden` and look at them.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::path::PathBuf;
use std::time::Duration;

use filmd::acquire::open_source;
use filmd::config::{Config, Engine, Mode, OutputConfig, SourceConfig, SyntheticConfig, Task};
use filmd::describe::Guidance;
use filmd::files::{read_picture, write_picture};
use filmd::frame::Picture;
use filmd::fuse::FuseStage;
use filmd::fuse::FusedFrame;
use filmd::metrics::{Marks, Metrics};

/// Pairs of the scene, at 30 a second.
const MOMENTS: [usize; 3] = [0, 60, 150];

fn golden(mode: Mode) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(format!("{}.png", mode.name()))
}

/// The moments of one mode, below each other, 160 x 120 each: small enough to be kept in git.
fn render(mode: Mode) -> Picture {
    let mut config = Config {
        source: SourceConfig::Synthetic(SyntheticConfig {
            unpaced: true,
            ..SyntheticConfig::default()
        }),
        output: OutputConfig {
            width: 160,
            height: 120,
        },
        ..Config::default()
    };
    config.fuse.engine = Engine::Classic;
    let mut source = open_source(&config.source, &config.clean).unwrap();
    let calibration = source.info().calibration.clone().unwrap();
    let mut stage = FuseStage::new(&config, &calibration, None).unwrap();
    let guidance = Guidance::none(Task::Ivf);
    let size = config.output.size();
    let mut frame = FusedFrame {
        picture: Picture::rgb(size),
        timestamp: Default::default(),
        sequence: 0,
        mode,
        marks: Marks::default(),
        sources: None,
    };
    let mut data = Vec::new();
    for n in 0..=MOMENTS[MOMENTS.len() - 1] {
        let pair = source.next_pair(Duration::from_secs(5)).unwrap();
        if MOMENTS.contains(&n) {
            stage.run(&pair, &guidance, mode, &mut frame, &Metrics::default());
            data.extend_from_slice(frame.picture.data());
        }
    }
    let all = filmd::frame::Size::new(size.width, size.height * MOMENTS.len());
    Picture::from_data(all, 3, data).unwrap()
}

#[test]
fn the_scene_looks_as_it_did() {
    for mode in Mode::ALL {
        let (path, picture) = (golden(mode), render(mode));
        if std::env::var_os("FILMD_BLESS").is_some() {
            write_picture(&path, &picture).unwrap();
            continue;
        }
        let expected = read_picture(&path).unwrap();
        assert_eq!(expected.size(), picture.size());
        let pairs = expected.data().iter().zip(picture.data());
        let differ = pairs.filter(|(a, b)| a != b).count();
        assert_eq!(differ, 0, "samples of {} differ", path.display());
    }
}

#[test]
fn two_runs_give_the_same_bytes() {
    assert_eq!(render(Mode::Fused), render(Mode::Fused));
}
