//! The fused video holds still where its sources do, and a new text does not make it jump.
//!
//! The shipped network on the synthetic scene, whose camera does not move and whose objects' places
//! are known for every frame. The figures are printed: `cargo test --release --test temporal --
//! --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where something is not as it must be, and says what it measured"
)]

use std::path::Path;
use std::time::Duration;

use filmd::acquire::synthetic::{PixelBox, VISIBLE};
use filmd::acquire::{PairSource, SyntheticScene, open_source};
use filmd::align::AlignedPair;
use filmd::config::{Config, Mode, OutputConfig, SourceConfig, SyntheticConfig, Task, ToneMode};
use filmd::describe::{Guidance, Origin, TokenFeatures};
use filmd::frame::{FramePair, Picture};
use filmd::fuse::FusedFrame;
use filmd::fuse::color::luma;
use filmd::fuse::{FuseStage, Manifest, NetworkFuser};
use filmd::metrics::{Marks, Metrics};

/// The size that flicker is measured at: the camera's own, since scaling down averages noise away.
const WHOLE: (usize, usize) = (640, 480);
const SMALL: (usize, usize) = (320, 256);
/// A change that nobody sees as a jump, grey levels a frame.
const JUMP: f64 = 2.0;
const SEED: u64 = 1;
const FPS: f64 = 30.0;

fn manifest() -> Manifest {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/manifest.toml");
    Manifest::load(&path).unwrap()
}

fn config(tone: ToneMode, fade_ms: u64, size: (usize, usize)) -> Config {
    let mut config = Config {
        source: SourceConfig::Synthetic(SyntheticConfig {
            seed: SEED,
            fps: FPS,
            unpaced: true,
            faults: Vec::new(),
        }),
        output: OutputConfig {
            width: size.0,
            height: size.1,
        },
        ..Config::default()
    };
    config.tone.mode = tone;
    config.fuse.guidance_fade_ms = fade_ms;
    config
}

/// The daemon's own fuse stage on the scene, frame after frame.
struct Video {
    source: Box<dyn PairSource>,
    stage: FuseStage,
    out: FusedFrame,
}

impl Video {
    fn new(config: &Config, first: usize) -> Self {
        let mut source = open_source(&config.source, &config.clean).unwrap();
        let calibration = source.info().calibration.clone().unwrap();
        let size = config.output.size();
        let network = NetworkFuser::new(&manifest(), None, size).unwrap();
        for _ in 0..first {
            source.next_pair(Duration::from_secs(5)).unwrap();
        }
        Self {
            source,
            stage: FuseStage::new(config, &calibration, Some(Box::new(network))).unwrap(),
            out: FusedFrame {
                picture: Picture::rgb(size),
                timestamp: Default::default(),
                sequence: 0,
                mode: Mode::Fused,
                marks: Marks::default(),
                sources: None,
            },
        }
    }

    /// Infrared, visible and fused luma of the next pair.
    fn next(&mut self, guidance: &Guidance) -> [Picture; 3] {
        let pair = self.source.next_pair(Duration::from_secs(5)).unwrap();
        self.fuse(&pair, guidance)
    }

    fn fuse(&mut self, pair: &FramePair, guidance: &Guidance) -> [Picture; 3] {
        let (out, metrics) = (&mut self.out, Metrics::default());
        self.stage.run(pair, guidance, Mode::Fused, out, &metrics);
        assert!(!out.marks.classic);
        let mut aligned = AlignedPair::new(self.stage.fused().size());
        self.stage.share(pair, &mut aligned);
        let mut sources = [&aligned.infrared, &aligned.visible].map(|p| Picture::grey(p.size()));
        luma(&aligned.infrared, &mut sources[0]);
        luma(&aligned.visible, &mut sources[1]);
        let [infrared, visible] = sources;
        [infrared, visible, self.stage.fused().clone()]
    }
}

/// For each pixel of frame `number` the index of the same place's pixel in the frame before:
/// itself, but inside an object's box where that part of the object was.
fn motion(scene: &SyntheticScene, number: u64, like: &Picture) -> Vec<usize> {
    let (width, height) = (like.width(), like.height());
    let mut from: Vec<usize> = (0..width * height).collect();
    let (before, now) = (scene.truth(number - 1).objects, scene.truth(number).objects);
    if before.len() != now.len() {
        return from;
    }
    let scale = (
        width as f32 / VISIBLE.width as f32,
        height as f32 / VISIBLE.height as f32,
    );
    let mut objects: Vec<_> = before.iter().zip(&now).collect();
    objects.sort_by(|a, b| b.1.distance.total_cmp(&a.1.distance));
    for (old, new) in objects {
        let (Some(old), Some(new)) = (old.visible_box, new.visible_box) else {
            continue;
        };
        let inside = |v: f32, end: usize| (v.max(0.0) as usize).min(end);
        for y in inside(new.top * scale.1, height)..inside(new.bottom * scale.1, height) {
            for x in inside(new.left * scale.0, width)..inside(new.right * scale.0, width) {
                let (px, py) = ((x as f32 + 0.5) / scale.0, (y as f32 + 0.5) / scale.1);
                let (u, v) = carried(px, py, new, old);
                let (u, v) = (
                    inside(u * scale.0, width - 1),
                    inside(v * scale.1, height - 1),
                );
                from[y * width + x] = v * width + u;
            }
        }
    }
    from
}

/// Where a point of one box lies in the other.
fn carried(x: f32, y: f32, from: PixelBox, to: PixelBox) -> (f32, f32) {
    let along = |v: f32, (a, b): (f32, f32), (c, d): (f32, f32)| c + (v - a) * (d - c) / (b - a);
    (
        along(x, (from.left, from.right), (to.left, to.right)),
        along(y, (from.top, from.bottom), (to.top, to.bottom)),
    )
}

/// Mean absolute change after warping by the known motion.
fn flicker(before: &Picture, now: &Picture, from: &[usize]) -> f64 {
    let changes = now.data().iter().zip(from);
    let sum: u64 = changes
        .map(|(&v, &at)| u64::from(v.abs_diff(before.data()[at])))
        .sum();
    sum as f64 / from.len() as f64
}

/// Infrared, visible, fused.
fn flickers(tone: ToneMode) -> [f64; 3] {
    const FIRST: usize = 60;
    const FRAMES: usize = 15;
    let config = config(tone, 2000, WHOLE);
    let guidance = manifest().neutral(Task::Ivf).unwrap();
    let scene = SyntheticScene::new(SEED, FPS);
    let mut video = Video::new(&config, FIRST);
    let mut before = video.next(&guidance);
    let mut sums = [0.0; 3];
    for n in 1..=FRAMES {
        let now = video.next(&guidance);
        let from = motion(&scene, (FIRST + n) as u64, &now[2]);
        for (sum, (before, now)) in sums.iter_mut().zip(before.iter().zip(&now)) {
            *sum += flicker(before, now, &from) / FRAMES as f64;
        }
        before = now;
    }
    sums
}

#[test]
fn the_fused_video_flickers_no_more_than_its_sharper_source() {
    for tone in [ToneMode::Off, ToneMode::Auto] {
        let [infrared, visible, fused] = flickers(tone);
        eprintln!(
            "flicker, levels a frame, tone {tone:?}: infrared {infrared:.3}, visible \
             {visible:.3}, their mean {:.3}, fused {fused:.3}",
            (infrared + visible) / 2.0
        );
        assert!(fused > 0.0, "a video without noise tests nothing");
        // Under a neutral text nothing is smoothed that was not measured to be noise, so that what flickers in
        // the sharper source may flicker as much in the fused picture, and no more.
        assert!(fused <= infrared.max(visible), "tone {tone:?}");
    }
}

/// The neutral sentence of a task, cut to so many rows at most, given out as one for ivf.
fn text_of(task: Task, most_rows: usize) -> Guidance {
    let neutral = manifest().neutral(task).unwrap();
    let (tokens, dim) = neutral.shape();
    let rows = neutral.values().chunks_exact(dim);
    let used = rows.filter(|row| row.iter().any(|&v| v != 0.0)).count();
    let rows = used.min(most_rows);
    let features = TokenFeatures {
        rows,
        dim,
        values: neutral.values()[..rows * dim].to_vec(),
    };
    Guidance::new(&features, (tokens, dim), "", Origin::User, Task::Ivf).unwrap()
}

/// What a swap changes from one frame to the next.
#[derive(Debug, Default, Clone, Copy)]
struct Swap {
    /// The largest mean absolute change of a frame.
    mean: f64,
    /// The largest 99th percentile of a frame.
    p99: u8,
    /// Mean absolute change from the first frame to the last.
    whole: f64,
    /// Frames until the picture hardly changed any more; the tone map follows for longer.
    frames: usize,
}

/// Swaps the text in front of a scene that stands still, so that every change is the text's.
fn swap(first: &Guidance, second: &Guidance, fade_ms: u64) -> Swap {
    let mut video = Video::new(&config(ToneMode::Auto, fade_ms, SMALL), 60);
    let mut pair = video.source.next_pair(Duration::from_secs(5)).unwrap();
    let mut now = video.fuse(&pair, first)[2].clone();
    let start = now.clone();
    let mut found = Swap::default();
    // The longest of these fades takes less than 200 frames.
    for n in 1..260 {
        for frame in [&mut pair.infrared, &mut pair.visible] {
            let frame = frame.as_mut().unwrap().get_mut().unwrap();
            frame.timestamp = frame.timestamp.plus(Duration::from_secs_f64(1.0 / FPS));
        }
        let next = video.fuse(&pair, second)[2].clone();
        let (mean, p99) = change(&now, &next);
        if mean > 0.1 {
            found.frames = n;
        } else if n > found.frames + 40 {
            break;
        }
        found.mean = found.mean.max(mean);
        found.p99 = found.p99.max(p99);
        now = next;
    }
    found.whole = change(&start, &now).0;
    found
}

/// Mean and 99th percentile of the absolute difference.
fn change(a: &Picture, b: &Picture) -> (f64, u8) {
    let pairs = a.data().iter().zip(b.data());
    let mut all: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
    let mean = all.iter().map(|&d| f64::from(d)).sum::<f64>() / all.len() as f64;
    all.sort_unstable();
    (mean, all[all.len() * 99 / 100])
}

#[test]
fn a_new_text_does_not_make_the_picture_jump() {
    let fade_ms = Config::default().fuse.guidance_fade_ms;
    let ivf = text_of(Task::Ivf, 64);
    let cases = [
        // As much as a text can do: the sentence of another task.
        ("ivf to multi-exposure", &ivf, &text_of(Task::Mef, 64)),
        ("ivf to multi-focus", &ivf, &text_of(Task::Mff, 64)),
        ("ivf to its first 5 tokens", &ivf, &text_of(Task::Ivf, 5)),
        ("7 tokens of mef to ivf", &text_of(Task::Mef, 7), &ivf),
    ];
    for (name, first, second) in cases {
        let (faded, at_once) = (swap(first, second, fade_ms), swap(first, second, 0));
        eprintln!(
            "{name}: {:.2} levels in all, in {} frames; largest change a frame: faded mean \
             {:.3}, p99 {}; at once mean {:.3}, p99 {}",
            faded.whole, faded.frames, faded.mean, faded.p99, at_once.mean, at_once.p99
        );
        assert!(faded.mean <= JUMP, "{name}");
        assert!(faded.mean < at_once.mean, "{name}: the fade does nothing");
        // It arrives where it would have been without a fade, but for the tone map's dead band.
        let apart = (faded.whole - at_once.whole).abs();
        assert!(apart < 0.5 + 0.05 * at_once.whole, "{name}: {apart}");
    }
}

/// Of the pixels where a source moved, the share that is shown neither as with one text nor as with
/// the other nor in between, by more than rounding and the texts between them account for.
#[test]
fn while_a_text_takes_over_what_moves_leaves_no_ghost() {
    const FRAMES: usize = 120;
    const MOVED: u8 = 24;
    const NEAR: u8 = 12;
    let texts = [text_of(Task::Ivf, 64), text_of(Task::Mef, 64)];
    let fade_ms = Config::default().fuse.guidance_fade_ms;
    let mut faded = Video::new(&config(ToneMode::Off, fade_ms, SMALL), 60);
    let mut alone = [(); 2].map(|()| Video::new(&config(ToneMode::Off, 0, SMALL), 0));
    let mut before = faded.next(&texts[0]);
    let (mut moved, mut ghosts) = (0_u32, 0_u32);
    for _ in 0..FRAMES {
        let pair = faded.source.next_pair(Duration::from_secs(5)).unwrap();
        let now = faded.fuse(&pair, &texts[1]);
        let mut either = alone.iter_mut().zip(&texts);
        let [a, b] = [(); 2].map(|()| {
            let (video, text) = either.next().unwrap();
            let [_, _, fused] = video.fuse(&pair, text);
            fused
        });
        for i in 0..a.data().len() {
            let at = |pictures: &[Picture; 3], n: usize| pictures[n].data()[i];
            if (0..2).any(|n| at(&before, n).abs_diff(at(&now, n)) >= MOVED) {
                let (a, b) = (a.data()[i], b.data()[i]);
                let shown = a.min(b).saturating_sub(NEAR)..=a.max(b).saturating_add(NEAR);
                moved += 1;
                ghosts += u32::from(!shown.contains(&at(&now, 2)));
            }
        }
        before = now;
    }
    let share = f64::from(ghosts) / f64::from(moved.max(1));
    eprintln!("{moved} moving pixels, of which {share:.5} as with neither text");
    assert!(moved > 1000, "a scene that stands still tests nothing");
    assert!(share < 0.01);
}

#[test]
fn the_same_history_of_guidance_gives_the_same_bytes() {
    let (a, b) = (text_of(Task::Ivf, 64), text_of(Task::Mef, 9));
    let run = || {
        let mut video = Video::new(&config(ToneMode::Auto, 200, SMALL), 30);
        let texts = [&a, &a, &b, &b, &b, &a, &a, &a, &a, &a];
        texts.map(|text| video.next(text)[2].clone())
    };
    assert_eq!(run(), run());
}
