//! Runs one stage of the frame path a given number of times, for a counter of instructions:
//! `instructions STAGE TIMES`. `board/bench-arm.sh` takes the difference of two runs, which leaves
//! out what happens once. Without arguments it lists the stages.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark has no interface"
)]

#[path = "../common/mod.rs"]
mod common;
mod kernels;

use std::hint::black_box;
use std::path::Path as FilePath;
use std::time::Duration;

use filmd::acquire::unpack::{self, BufferLayout, PixelFormat, Quantization, packed_to_rgb};
use filmd::acquire::{PairSource, open_source};
use filmd::align::{AlignedPair, Aligner, Calibration};
use filmd::clean::{BlurFollower, Cleaner, Sharpener, Sharpening};
use filmd::config::{
    CleanConfig, CleanMode, Config, Mode, Palette, SourceConfig, SyntheticConfig, Task,
};
use filmd::describe::Guidance;
use filmd::frame::{Counts, FramePair, Picture, Size};
use filmd::fuse::FusedFrame;
use filmd::fuse::{
    ClassicFuser, Composer, DisplaySettings, FuseStage, Fuser, Manifest, NetworkFuser,
};
use filmd::metrics::{Marks, Metrics};
use filmd::present::{self, Filter, Overlay, Scaler};

/// Names and what they mean; a `conv` has outputs, inputs and kernel, `r` with a residual.
const STAGES: [&str; 25] = [
    "unpack",
    "clean-on",
    "clean-auto",
    "clean-visible",
    "align",
    "luma",
    "sharpen",
    "sharpen-look",
    "network-int8",
    "network-text",
    "network-f32",
    "classic",
    "compose",
    "stage",
    "overlay",
    "xrgb",
    "cells-quantise",
    "cells-pool",
    "cells-upsample",
    "cells-blend",
    "conv-32-32-3",
    "conv-32-32-1r",
    "conv-32-48-3",
    "conv-48-48-3",
    "conv-48-48-1r",
];

/// What the stages work on.
struct Scene {
    size: Size,
    pair: FramePair,
    aligner: Aligner,
    aligned: AlignedPair,
    calibration: Calibration,
}

impl Scene {
    fn new() -> Self {
        let scene = SyntheticConfig {
            unpaced: true,
            ..SyntheticConfig::default()
        };
        let mut source: Box<dyn PairSource> =
            open_source(&SourceConfig::Synthetic(scene), &CleanConfig::default())
                .expect("the synthetic scene");
        let calibration = source.info().calibration.clone().expect("a calibration");
        let size = Config::default().output.size();
        let pair = source.next_pair(Duration::from_secs(60)).expect("a pair");
        let mut aligner = Aligner::new(&calibration, None, size).expect("an aligner");
        let mut aligned = AlignedPair::new(size);
        aligner.align(&pair, &mut aligned);
        Self {
            size,
            pair,
            aligner,
            aligned,
            calibration,
        }
    }

    /// Luma of the visible picture.
    fn visible(&self) -> Picture {
        Composer::new(self.size)
            .luma_planes(&self.aligned)
            .1
            .clone()
    }

    /// With one text after the other.
    fn fuse(&self, mut fuser: Box<dyn Fuser>, texts: &[Guidance], times: usize) {
        let mut composer = Composer::new(self.size);
        let (infrared, visible) = composer.luma_planes(&self.aligned);
        let mut fused = Picture::grey(self.size);
        for guidance in texts.iter().cycle().take(times) {
            fuser
                .fuse(infrared, visible, guidance, &mut fused)
                .expect("a fused frame");
        }
    }

    fn network(&self, name: &str, tasks: &[Task], times: usize) {
        let (manifest, fuser) = (manifest(), self.fuser(name));
        let texts: Vec<Guidance> = tasks
            .iter()
            .map(|&task| manifest.neutral(task).expect("neutral guidance"))
            .collect();
        self.fuse(fuser, &texts, times);
    }

    fn fuser(&self, name: &str) -> Box<dyn Fuser> {
        let fuser = NetworkFuser::new(&manifest(), Some(name), self.size);
        Box::new(fuser.expect("the network"))
    }

    /// From a pair to the picture as the daemon does it by default, with the tone map and
    /// between two fades.
    fn stage(&mut self, times: usize) {
        let (config, metrics) = (Config::default(), Metrics::default());
        let fuser = Some(self.fuser("film-edge-int8"));
        let mut stage = FuseStage::new(&config, &self.calibration, fuser).expect("a stage");
        let guidance = manifest().neutral(Task::Ivf).expect("neutral guidance");
        let mut out = FusedFrame {
            picture: Picture::rgb(self.size),
            timestamp: Default::default(),
            sequence: 0,
            mode: Mode::Fused,
            marks: Marks::default(),
            sources: None,
        };
        for _ in 0..times {
            for frame in [&mut self.pair.infrared, &mut self.pair.visible] {
                let frame = frame.as_mut().and_then(|frame| frame.get_mut());
                let frame = frame.expect("both frames");
                frame.timestamp = frame.timestamp.plus(Duration::from_millis(33));
            }
            stage.run(&self.pair, &guidance, Mode::Fused, &mut out, &metrics);
        }
        assert!(!out.marks.classic, "the network failed");
        black_box(out);
    }

    /// The thermal camera's counts.
    fn clean(&self, mode: CleanMode, times: usize) {
        let config = CleanConfig {
            mode,
            ..CleanConfig::default()
        };
        let infrared = self.pair.infrared.as_ref().expect("an infrared frame");
        let counts = infrared.counts.as_ref().expect("counts");
        let mut work = counts.data.clone();
        let mut cleaner = Cleaner::new(&config, counts.size);
        for _ in 0..times {
            work.copy_from_slice(&counts.data);
            black_box(cleaner.live_counts(counts.size, &mut work, 8.0));
        }
        black_box(work);
    }

    /// What is measured of the visible picture.
    fn measure_visible(&self, times: usize) {
        let visible = self.pair.visible.as_ref().expect("a visible frame");
        let mut cleaner = Cleaner::new(&CleanConfig::default(), self.size);
        for _ in 0..times {
            black_box(cleaner.measure_visible(&visible.picture));
        }
    }

    fn compose(&self, times: usize) {
        let (mut composer, mut fused) = (Composer::new(self.size), Picture::grey(self.size));
        // Colours are dressed in the luma of a fusion: black would leave room for none.
        let (infrared, visible) = composer.luma_planes(&self.aligned);
        ClassicFuser::new(self.size)
            .fuse(infrared, visible, &Guidance::none(Task::Ivf), &mut fused)
            .expect("a fused frame");
        let mut out = Picture::rgb(self.size);
        let view = DisplaySettings {
            task: Task::Ivf,
            mode: Mode::Fused,
            palette: Palette::Ironbow,
        };
        for _ in 0..times {
            composer.compose(view, &self.aligned, &fused, &mut out);
        }
    }
}

fn manifest() -> Manifest {
    Manifest::load(FilePath::new("models/manifest.toml")).expect("the manifest")
}

/// What two cameras deliver: YUYV of the output's size, Y16 of 160 x 120.
fn unpack(size: Size, times: usize) {
    let bytes: Vec<u8> = (0..size.area() * 2).map(|i| (i * 37 % 251) as u8).collect();
    let layout = |size: Size| BufferLayout {
        size,
        stride: size.width * 2,
        telemetry_rows: 0,
    };
    let small = Size::new(160, 120);
    let (mut rgb, mut counts) = (Picture::rgb(size), Counts::new(small));
    for _ in 0..times {
        let (yuyv, limited) = (PixelFormat::Yuyv, Quantization::Limited);
        packed_to_rgb(&layout(size), yuyv, limited, &bytes, &mut rgb).expect("a picture");
        let bytes = &bytes[..small.area() * 2];
        unpack::counts(&layout(small), PixelFormat::Y16, bytes, &mut counts).expect("counts");
    }
    black_box((rgb, counts));
}

fn xrgb(size: Size, times: usize) {
    let picture = Picture::rgb(size);
    let mut scaler = Scaler::new(size, size, Filter::Bilinear, present::PixelOrder::Xrgb8888);
    let mut target = vec![0; size.area() * 4];
    for _ in 0..times {
        scaler.scale(&picture, &mut target, size.width * 4);
    }
    black_box(target);
}

fn overlay(size: Size, times: usize) {
    let (mut overlay, mut picture) = (Overlay::new(size), Picture::rgb(size));
    let info = common::overlay_info();
    for _ in 0..times {
        overlay.draw(&mut picture, &info);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let (Some(stage), Some(times)) = (arguments.next(), arguments.next()) else {
        println!("stages: {}", STAGES.join(" "));
        return;
    };
    let times: usize = times.parse().expect("a number of times");
    if stage.starts_with("conv-") {
        return kernels::convolution(&stage, times);
    }
    if let Some(kernel) = stage.strip_prefix("cells-") {
        return kernels::cells(kernel, times);
    }
    let mut scene = Scene::new();
    match stage.as_str() {
        "align" => {
            for _ in 0..times {
                scene.aligner.align(&scene.pair, &mut scene.aligned);
            }
        }
        "luma" => {
            let mut composer = Composer::new(scene.size);
            for _ in 0..times {
                black_box(composer.luma_planes(&scene.aligned));
            }
        }
        "sharpen" => {
            let mut sharpener = Sharpener::new(scene.size);
            let mut picture = scene.visible();
            let all = Sharpening {
                strength: 1.0,
                deviation: 1.5,
            };
            for _ in 0..times {
                sharpener.apply(&mut picture, all);
            }
            black_box(picture);
        }
        "sharpen-look" => {
            let (mut follower, picture) = (BlurFollower::default(), scene.visible());
            follower.follow(&picture, 0.0);
            for _ in 0..times {
                black_box(follower.follow(&picture, 0.0));
            }
        }
        "network-int8" => scene.network("film-edge-int8", &[Task::Ivf], times),
        "network-text" => scene.network("film-edge-int8", &[Task::Ivf, Task::Mef], times),
        "network-f32" => scene.network("film-edge", &[Task::Ivf], times),
        "stage" => scene.stage(times),
        "classic" => {
            let guidance = Guidance::none(Task::Ivf);
            scene.fuse(Box::new(ClassicFuser::new(scene.size)), &[guidance], times);
        }
        "clean-on" => scene.clean(CleanMode::On, times),
        "clean-auto" => scene.clean(CleanMode::Auto, times),
        "clean-visible" => scene.measure_visible(times),
        "compose" => scene.compose(times),
        "unpack" => unpack(scene.size, times),
        "overlay" => overlay(scene.size, times),
        "xrgb" => xrgb(scene.size, times),
        _ => println!("stages: {}", STAGES.join(" ")),
    }
}
