//! Each stage of the frame path at 640x480, one thread. `cargo bench` compares with the last run.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a benchmark has no interface"
)]

mod common;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use filmd::acquire::{PairSource, open_source};
use filmd::align::{AlignedPair, Aligner};
use filmd::channel::Watch;
use filmd::clean::Cleaner;
use filmd::config::{
    CleanConfig, CleanMode, Config, Mode, Palette, SourceConfig, SyntheticConfig, Task,
};
use filmd::describe::{Facts, Guidance};
use filmd::frame::{Counts, Picture};
use filmd::fuse::{ClassicFuser, Composer, DisplaySettings, Fuser, Manifest, NetworkFuser, Tone};
use filmd::present::Overlay;

fn source() -> Box<dyn PairSource> {
    let scene = SyntheticConfig {
        unpaced: true,
        ..SyntheticConfig::default()
    };
    open_source(&SourceConfig::Synthetic(scene), &CleanConfig::default())
        .expect("the synthetic scene")
}

fn neutral() -> (Manifest, Guidance) {
    let manifest = Manifest::load(Path::new("models/manifest.toml")).expect("the manifest");
    let guidance = manifest.neutral(Task::Ivf).expect("neutral guidance");
    (manifest, guidance)
}

/// What the thermal camera's counts cost, with every part at work (on) and where they are found clean (auto), and a
/// file of the visible camera's size.
fn clean(c: &mut Criterion, counts: &Counts) {
    for mode in [CleanMode::On, CleanMode::Auto] {
        let config = CleanConfig {
            mode,
            ..CleanConfig::default()
        };
        let mut cleaner = Cleaner::new(&config, counts.size);
        let mut work = counts.data.clone();
        c.bench_function(
            &format!("clean: counts of {}, {mode:?}", counts.size),
            |b| {
                b.iter(|| {
                    work.copy_from_slice(&counts.data);
                    cleaner.live_counts(counts.size, &mut work, 8.0)
                });
            },
        );
        let size = Config::default().output.size();
        let picture: Vec<u8> = (0..size.area()).map(|i| (i * 37 % 97) as u8 + 60).collect();
        let mut work = picture.clone();
        let mut cleaner = Cleaner::new(&config, size);
        c.bench_function(&format!("clean: still picture of {size}, {mode:?}"), |b| {
            b.iter(|| {
                work.copy_from_slice(&picture);
                cleaner.still(size, &mut work)
            });
        });
    }
}

fn before_fusion(c: &mut Criterion) {
    let mut source = source();
    let calibration = source
        .info()
        .calibration
        .clone()
        .expect("the scene knows its own");
    c.bench_function("acquire: synthetic pair", |b| {
        b.iter(|| black_box(source.next_pair(Duration::from_secs(1))).is_ok());
    });
    let pair = source.next_pair(Duration::from_secs(1)).expect("a pair");
    let counts = pair
        .infrared
        .as_ref()
        .and_then(|frame| frame.counts.clone());
    clean(c, &counts.expect("the scene has counts"));
    let size = Config::default().output.size();
    let mut aligner = Aligner::new(&calibration, None, size).expect("a calibration");
    let mut aligned = AlignedPair::new(size);
    c.bench_function("align: both pictures", |b| {
        b.iter(|| aligner.align(&pair, &mut aligned))
    });
    c.bench_function("describe: facts", |b| {
        b.iter(|| black_box(Facts::measure(Task::Ivf, &aligned)));
    });
}

fn from_fusion_on(c: &mut Criterion) {
    let size = Config::default().output.size();
    let mut source = source();
    let calibration = source
        .info()
        .calibration
        .clone()
        .expect("the scene knows its own");
    let mut aligned = AlignedPair::new(size);
    let pair = source.next_pair(Duration::from_secs(1)).expect("a pair");
    Aligner::new(&calibration, None, size)
        .expect("a calibration")
        .align(&pair, &mut aligned);

    let (manifest, neutral) = neutral();
    let mut composer = Composer::new(size);
    c.bench_function("fuse: luma of both", |b| {
        b.iter(|| composer.luma_planes(&aligned).0.data()[0]);
    });
    let (a, b) = composer.luma_planes(&aligned);
    let (infrared, visible, mut fused) = (a.clone(), b.clone(), Picture::grey(size));
    let network = |name| Box::new(NetworkFuser::new(&manifest, name, size).expect("the network"));
    let fusers: [Box<dyn Fuser>; 3] = [
        Box::new(ClassicFuser::new(size)),
        network(None),
        network(Some("film-edge-int8")),
    ];
    for mut fuser in fusers {
        let name = format!("fuse: {}", fuser.name());
        c.bench_function(&name, |b| {
            b.iter(|| {
                fuser
                    .fuse(&infrared, &visible, &neutral, &mut fused)
                    .is_ok()
            });
        });
    }
    let tone = Tone::new(Config::default().tone, Task::Ivf, size);
    let mut tone = tone.expect("the tone map is on for ivf");
    let mut mapped = fused.clone();
    c.bench_function("tone: map", |b| {
        b.iter(|| {
            mapped.copy_from(&fused);
            tone.apply_alone(&mut mapped);
        });
    });
    let mut out = Picture::rgb(size);
    for mode in Mode::ALL {
        let view = DisplaySettings {
            task: Task::Ivf,
            mode,
            palette: Palette::Ironbow,
        };
        c.bench_function(&format!("compose: {}", mode.name()), |b| {
            b.iter(|| composer.compose(view, &aligned, &fused, &mut out));
        });
    }
}

fn presenting(c: &mut Criterion) {
    let size = Config::default().output.size();
    let (mut overlay, mut picture) = (Overlay::new(size), Picture::rgb(size));
    let info = common::overlay_info();
    c.bench_function("present: overlay", |b| {
        b.iter(|| overlay.draw(&mut picture, &info))
    });
    let watch = Watch::new(neutral().1);
    c.bench_function("guidance: read by the frame path", |b| {
        b.iter(|| black_box(watch.get()))
    });
}

criterion_group!(benches, before_fusion, from_fusion_on, presenting);
criterion_main!(benches);
