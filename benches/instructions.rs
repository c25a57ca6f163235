//! Runs one stage of the frame path a given number of times, for a counter of instructions:
//! `instructions STAGE TIMES`. `board/bench-arm.sh` takes the difference of two runs, which leaves
//! out what happens once. Without arguments it lists the stages.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark has no interface"
)]

use std::hint::black_box;
use std::path::Path as FilePath;
use std::time::Duration;

use filmd::acquire::{PairSource, open_source};
use filmd::align::{AlignedPair, Aligner};
use filmd::config::{Config, Mode, Palette, SourceConfig, SyntheticConfig, Task};
use filmd::describe::{Guidance, Origin};
use filmd::frame::{FramePair, Picture, Size};
use filmd::fuse::{ClassicFuser, Composer, Fuser, Manifest, NetworkFuser, View};
use filmd::metrics::Marks;
use filmd::present::{Overlay, OverlayInfo};
use filmd::simd::int8::{ConvLayer, ConvShape, Epilogue, Path};

/// Names and what they mean; a `conv` has outputs, inputs and kernel, `r` with a residual.
const STAGES: [&str; 12] = [
    "align",
    "luma",
    "network-int8",
    "network-f32",
    "classic",
    "compose",
    "overlay",
    "conv-32-32-3",
    "conv-32-32-1r",
    "conv-48-48-3",
    "conv-48-48-1r",
    "conv-32-48-3",
];

/// What the stages work on.
struct Scene {
    size: Size,
    pair: FramePair,
    aligner: Aligner,
    aligned: AlignedPair,
}

impl Scene {
    fn new() -> Self {
        let scene = SyntheticConfig {
            unpaced: true,
            ..SyntheticConfig::default()
        };
        let mut source: Box<dyn PairSource> =
            open_source(&SourceConfig::Synthetic(scene)).expect("the synthetic scene");
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
        }
    }

    fn fuse(&self, mut fuser: Box<dyn Fuser>, guidance: &Guidance, times: usize) {
        let mut composer = Composer::new(self.size);
        let (infrared, visible) = composer.luma_planes(&self.aligned);
        let mut fused = Picture::grey(self.size);
        for _ in 0..times {
            fuser
                .fuse(infrared, visible, guidance, &mut fused)
                .expect("a fused frame");
        }
    }

    fn network(&self, name: &str, times: usize) {
        let manifest = Manifest::load(FilePath::new("models/manifest.toml")).expect("the manifest");
        let guidance = manifest.neutral(Task::Ivf).expect("neutral guidance");
        let fuser = NetworkFuser::new(&manifest, Some(name), self.size).expect("the network");
        self.fuse(Box::new(fuser), &guidance, times);
    }

    fn compose(&self, times: usize) {
        let (mut composer, fused) = (Composer::new(self.size), Picture::grey(self.size));
        let mut out = Picture::rgb(self.size);
        let view = View {
            task: Task::Ivf,
            mode: Mode::Fused,
            palette: Palette::Ironbow,
        };
        for _ in 0..times {
            composer.compose(view, &self.aligned, &fused, &mut out);
        }
    }
}

fn overlay(size: Size, times: usize) {
    let (mut overlay, mut picture) = (Overlay::new(size), Picture::rgb(size));
    let info = OverlayInfo {
        mode: Mode::Fused,
        task: Task::Ivf,
        fps: 30.0,
        text: "The infrared image shows two warm upright objects on the left.",
        origin: Origin::Llm,
        marks: Marks::default(),
        detail: true,
    };
    for _ in 0..times {
        overlay.draw(&mut picture, &info);
    }
}

/// One convolution of a trunk at 640x480: 160 x 120 cells.
fn convolution(name: &str, times: usize) {
    let numbers: Vec<usize> = name
        .trim_end_matches('r')
        .split('-')
        .skip(1)
        .map(|number| number.parse().expect("a number"))
        .collect();
    let shape = ConvShape {
        outputs: numbers[0],
        inputs: numbers[1],
        kernel: numbers[2],
    };
    let level = |i: usize| ((i * 37 % 255) as i32 - 127) as i8;
    let weights: Vec<i8> = (0..shape.outputs * shape.inputs * shape.kernel * shape.kernel)
        .map(level)
        .collect();
    let (bias, multiplier) = (vec![5; shape.outputs], vec![1e-4; shape.outputs]);
    let with_residual = name.ends_with('r');
    let constants = (&bias[..], &multiplier[..]);
    let layer =
        ConvLayer::new(shape, &weights, constants, !with_residual, Path::best()).expect("a layer");
    let cells = 120 * 160;
    let input: Vec<i8> = (0..cells * shape.inputs).map(level).collect();
    let residual = vec![3; cells * shape.outputs];
    let epilogue = Epilogue {
        residual: with_residual.then_some((&residual[..], 0.5)),
        modulation: None,
    };
    let mut out = vec![0_i8; cells * shape.outputs];
    for _ in 0..times {
        layer.run(&input, (120, 160), &epilogue, &mut out);
    }
    black_box(out);
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let (Some(stage), Some(times)) = (arguments.next(), arguments.next()) else {
        println!("stages: {}", STAGES.join(" "));
        return;
    };
    let times: usize = times.parse().expect("a number of times");
    if stage.starts_with("conv-") {
        return convolution(&stage, times);
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
        "network-int8" => scene.network("film-edge-int8", times),
        "network-f32" => scene.network("film-edge", times),
        "classic" => {
            let guidance = Guidance::none(Task::Ivf);
            scene.fuse(Box::new(ClassicFuser::new(scene.size)), &guidance, times);
        }
        "compose" => scene.compose(times),
        "overlay" => overlay(scene.size, times),
        _ => println!("stages: {}", STAGES.join(" ")),
    }
}
