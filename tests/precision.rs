//! The shipped network in 8 bit against the shipped network in f32, and the bytes of its trunk.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::path::Path;
use std::time::Duration;

use filmd::acquire::open_source;
use filmd::align::{AlignedPair, Aligner};
use filmd::clock::Timestamp;
use filmd::config::{FuseConfig, SourceConfig, SyntheticConfig, Task};
use filmd::describe::{Guidance, Origin, TokenFeatures};
use filmd::frame::{Picture, Size};
use filmd::fuse::{EffectiveGuidance, Fuser, GuidanceBlend, GuidanceFade, Manifest, NetworkFuser};
use filmd::pipeline::fuse_team;
use filmd::simd::int8::{
    Blend, ConvLayer, ConvShape, Epilogue, Path as Kernels, Pool, Quantise, Upsampler,
};
use filmd::simd::luma_from_rgb;
use sha2::{Digest, Sha256};
use tract_onnx::prelude::Framework as _;

/// Least likeness of both precisions, in dB.
const LEAST: f64 = 42.0;

fn manifest() -> Manifest {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/manifest.toml");
    Manifest::load(&path).unwrap()
}

/// Luma of the synthetic scene's pair at that moment.
fn pair(size: Size, moment: usize) -> [Picture; 2] {
    let source = SourceConfig::Synthetic(SyntheticConfig {
        unpaced: true,
        ..SyntheticConfig::default()
    });
    let mut source = open_source(&source, &Default::default()).unwrap();
    let calibration = source.info().calibration.clone().unwrap();
    let mut aligner = Aligner::new(&calibration, None, size).unwrap();
    let mut aligned = AlignedPair::new(size);
    for _ in 0..moment {
        source.next_pair(Duration::from_secs(5)).unwrap();
    }
    let pair = source.next_pair(Duration::from_secs(5)).unwrap();
    aligner.align(&pair, &mut aligned);
    [&aligned.infrared, &aligned.visible].map(|picture| {
        let mut luma = Picture::grey(size);
        match picture.channels() {
            1 => luma.data_mut().copy_from_slice(picture.data()),
            _ => luma_from_rgb(picture.data(), luma.data_mut()),
        }
        luma
    })
}

fn psnr(a: &Picture, b: &Picture) -> f64 {
    let differences = a.data().iter().zip(b.data());
    let squares = differences.map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2));
    let mean = squares.sum::<f64>() / a.data().len() as f64;
    10.0 * (255.0_f64.powi(2) / mean).log10()
}

/// Pictures of a task, made of the synthetic pair: as they are; the visible one under- and
/// over-exposed; the visible one with its left and with its right half out of focus.
fn sources(task: Task, [infrared, visible]: &[Picture; 2]) -> [Picture; 2] {
    let with = |f: &dyn Fn(usize, usize) -> u8| {
        let mut out = Picture::grey(visible.size());
        let width = visible.width();
        for (i, v) in out.data_mut().iter_mut().enumerate() {
            *v = f(i % width, i / width);
        }
        out
    };
    let at = |x: usize, y: usize| f32::from(visible.row(y)[x]);
    let blurred = |x: usize, y: usize| {
        let (xs, ys) = (
            x.max(2).min(visible.width() - 3),
            y.max(2).min(visible.height() - 3),
        );
        let sum: f32 = (0..25).map(|i| at(xs + i % 5 - 2, ys + i / 5 - 2)).sum();
        (sum / 25.0) as u8
    };
    let half = visible.width() / 2;
    match task {
        Task::Mef => [
            with(&|x, y| (at(x, y) * 0.5) as u8),
            with(&|x, y| (at(x, y) * 3.0).min(255.0) as u8),
        ],
        Task::Mff => [
            with(&|x, y| {
                if x < half {
                    blurred(x, y)
                } else {
                    at(x, y) as u8
                }
            }),
            with(&|x, y| {
                if x < half {
                    at(x, y) as u8
                } else {
                    blurred(x, y)
                }
            }),
        ],
        _ => [infrared.clone(), visible.clone()],
    }
}

/// Every task's sentence drives the scales and shifts to other places; it goes with pictures of its
/// task, as ranges were fitted to such.
#[test]
fn both_precisions_agree() {
    let manifest = manifest();
    let size = Size::new(320, 240);
    let mut fusers = ["film-edge", "film-edge-int8"]
        .map(|name| NetworkFuser::new(&manifest, Some(name), size).unwrap());
    let scene = pair(size, 60);
    for task in [Task::Ivf, Task::Mif, Task::Mef, Task::Mff] {
        let guidance = manifest.neutral(task).unwrap();
        let [a, b] = sources(task, &scene);
        let [wide, narrow] = fusers.each_mut().map(|fuser| {
            let mut fused = Picture::grey(size);
            fuser.fuse(&a, &b, &guidance, &mut fused).unwrap();
            fused
        });
        let likeness = psnr(&wide, &narrow);
        assert!(likeness >= LEAST, "{}: {likeness:.1} dB", task.name());
        // Equal pictures would say that one network was compared with itself.
        assert!(likeness < 90.0, "{}", task.name());
    }
}

#[test]
fn the_same_frame_gives_the_same_bytes() {
    let manifest = manifest();
    let size = Size::new(70, 50);
    let [a, b] = pair(size, 0);
    let guidance = manifest.neutral(Task::Ivf).unwrap();
    let run = || {
        let mut fuser = NetworkFuser::new(&manifest, Some("film-edge-int8"), size).unwrap();
        let mut fused = Picture::grey(size);
        fuser.fuse(&a, &b, &guidance, &mut fused).unwrap();
        fused
    };
    assert_eq!(run(), run());
}

/// The first `most` tokens of what guides a task, said of infrared and visible pictures.
fn sentence(task: Task, most: usize) -> Guidance {
    let neutral = manifest().neutral(task).unwrap();
    let (rows, dim) = neutral.shape();
    let used = neutral.values().chunks_exact(dim);
    let used = used.filter(|row| row.iter().any(|&v| v != 0.0)).count();
    let features = TokenFeatures {
        rows: used.min(most),
        dim,
        values: neutral.values()[..used.min(most) * dim].to_vec(),
    };
    Guidance::new(&features, (rows, dim), "", Origin::User, Task::Ivf).unwrap()
}

/// What lies between two texts, as features.
fn written(between: &GuidanceBlend<'_>) -> Guidance {
    let (rows, dim) = between.from.shape();
    let mut values = vec![0.0; rows * dim];
    between.write(&mut values);
    let features = TokenFeatures { rows, dim, values };
    Guidance::new(&features, (rows, dim), "", Origin::User, Task::Ivf).unwrap()
}

/// Mean difference and largest one, in levels.
fn apart(a: &Picture, b: &Picture) -> (f64, u8) {
    let differences = a.data().iter().zip(b.data()).map(|(a, b)| a.abs_diff(*b));
    let sum: u64 = differences.clone().map(u64::from).sum();
    let mean = sum as f64 / a.data().len() as f64;
    (mean, differences.max().unwrap_or(0))
}

/// The 8-bit network hears two texts once and fades what it made of them; the other way is to hear
/// what lies between them in each frame. Texts of one length: products of `f32` round otherwise, which
/// in most frames changes nothing and now and then moves a weight of attention by one of its 127 levels. Of other lengths, the mean of a stretched text is not
/// the text's: pictures differ on the way, and jump no more.
#[test]
fn a_fade_of_what_was_made_of_texts_is_one_of_the_texts() {
    let size = Size::new(160, 112);
    let [infrared, visible] = pair(size, 9);
    for lengths in [[12; 3], [20, 9, 14]] {
        let tasks = [Task::Ivf, Task::Mff, Task::Mef];
        let texts: [Guidance; 3] = std::array::from_fn(|i| sentence(tasks[i], lengths[i]));
        let network = || NetworkFuser::new(&manifest(), Some("film-edge-int8"), size).unwrap();
        let (mut faded, mut plain) = (network(), network());
        let mut fade = GuidanceFade::new(Duration::from_secs(1), size);
        let still = Picture::grey(size);
        let [mut out, mut other] = [still.clone(), still.clone()];
        let (mut between, mut steps, mut before) = (0, [0.0_f64; 2], None);
        let mut sum = 0.0;
        for n in 0..120 {
            // The third one comes before the second one is reached.
            let wanted = &texts[usize::from(n > 4) + usize::from(n > 24)];
            fade.step(wanted, Timestamp::ZERO.plus(Duration::from_millis(40 * n)));
            match fade.shown(wanted) {
                EffectiveGuidance::Text(text) => {
                    faded.fuse(&infrared, &visible, text, &mut out).unwrap();
                    plain.fuse(&infrared, &visible, text, &mut other).unwrap();
                    assert_eq!(out, other, "frame {n}: one text");
                }
                EffectiveGuidance::Blend(both) => {
                    between += 1;
                    faded
                        .fuse_shown(
                            &infrared,
                            &visible,
                            &EffectiveGuidance::Blend(both),
                            &mut out,
                        )
                        .unwrap();
                    let text = written(&both);
                    plain.fuse(&infrared, &visible, &text, &mut other).unwrap();
                    let (mean, largest) = apart(&out, &other);
                    if lengths[0] == lengths[1] {
                        assert!(mean <= 0.4 && largest <= 3, "frame {n}: {mean}, {largest}");
                        sum += mean;
                    }
                }
            }
            let now = [out.clone(), other.clone()];
            if let Some(before) = before.replace(now.clone()) {
                for ((step, now), before) in steps.iter_mut().zip(&now).zip(&before) {
                    *step = step.max(apart(now, before).0);
                }
            }
            fade.look([&still, &still]);
            fade.observe([[&still, &still]; 2], &mut still.clone());
        }
        assert!(between > 40, "{between} frames of a fade");
        assert!(sum <= 0.03 * f64::from(between), "{sum} in {between}");
        assert!(steps[0] < 1.1 * steps[1], "{steps:?}");
        assert!(steps[1] > 0.5, "{steps:?}: the texts change nothing");
    }
}

fn digest(values: &[f32]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let digest = Sha256::digest(&bytes);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// The trunk's operators in a row, with made-up weights, on every path: one digest for all
/// processors. Attention has its own test beside the kernel.
#[test]
fn the_trunk_has_the_same_bytes_on_every_processor() {
    const DIGEST: &str = "c88f0086a1ef56a12d043158aecb5ae6dcd08bd939562cd2e5de8e63bca9ce10";
    let (size, cells) = (Size::new(48, 32), (8, 12));
    let [a, b] = pair(size, 30).map(|picture| {
        let to_unit = |&v: &u8| f32::from(v) / 255.0;
        picture.data().iter().map(to_unit).collect::<Vec<f32>>()
    });
    let weight = |i: usize| ((i * 7919 + 13) % 251) as i32 - 125;
    let floats = |n: usize, scale: f32| (0..n).map(|i| weight(i) as f32 * scale).collect();
    for path in Kernels::available() {
        let layer = |inputs: usize, kernel: usize, multiplier: f32, relu: bool| {
            let shape = ConvShape {
                outputs: 32,
                inputs,
                kernel,
            };
            let products = 32 * inputs * kernel * kernel;
            let weights: Vec<i8> = (0..products).map(|i| weight(i) as i8).collect();
            let bias: Vec<i32> = (0..32).map(|i| weight(i) * 50).collect();
            let constants = (&bias[..], &[multiplier; 32][..]);
            ConvLayer::new(shape, &weights, constants, relu, path).unwrap()
        };
        let mut pixels = vec![0; 3 * size.area()];
        let quantise = Quantise {
            planes: [&a, &b],
            width: size.width,
            steps: 255.0,
            floor: 0.6,
            path,
        };
        quantise.run(0, &mut pixels);
        let mut features = vec![0; 2 * size.area()];
        let plain = Epilogue::default();
        layer(48, 3, 2e-4, true).run(&pixels, cells, &plain, &mut features);
        let mut wide = features.clone();
        layer(32, 3, 2e-4, true).run(&features, cells, &plain, &mut wide);
        let residual = Epilogue {
            residual: Some((&features, 0.6)),
            modulation: Some([&[0.9; 32], &[3.5; 32]]),
        };
        let mut mixed = vec![0; wide.len()];
        layer(32, 1, 4e-4, false).run(&wide, cells, &residual, &mut mixed);
        let mut grid = vec![0; mixed.len() / 16];
        let pool = Pool {
            input: &mixed,
            width: cells.1,
            channels: 32,
            factor: 0.9,
            path,
        };
        pool.run(0, &mut grid);
        let (taps, bias): (Vec<f32>, Vec<f32>) = (floats(512 * 9, 0.003), floats(512, 0.01));
        let upsampler = Upsampler::new(32, &taps, &bias, (0.02, 0.02), path).unwrap();
        let mut guided = vec![0; mixed.len()];
        upsampler.add((&mixed, 0.8), &grid, cells, &mut guided);
        let mut maps = vec![0.0; guided.len()];
        layer(32, 3, 1e-5, false).run(&guided, cells, &plain, &mut maps);
        let mut fused = vec![0.0; size.area()];
        let blend = Blend {
            maps: &maps,
            planes: [&a, &b],
            width: size.width,
            detail: 0.5,
            dead_zone: 1.0 / 255.0,
            path,
        };
        blend.run(&mut fused);
        assert_eq!(digest(&fused), DIGEST, "{}", path.name());
        let used = fused.iter().filter(|v| **v > 0.0 && **v < 1.0).count();
        assert!(used > fused.len() / 4, "{used}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_picture() {
    let size = Size::new(208, 144);
    let [infrared, visible] = pair(size, 5);
    let manifest = manifest();
    let guidance = manifest.neutral(Task::Ivf).unwrap();
    let mut alone = None;
    for threads in [1, 2, 3, 5] {
        let config = FuseConfig {
            threads: Some(threads),
            ..FuseConfig::default()
        };
        let team = fuse_team(&config).unwrap();
        assert_eq!(team.size(), threads);
        let network = NetworkFuser::new(&manifest, Some("film-edge-int8"), size).unwrap();
        let mut network = network.with_team(team);
        let mut fused = Picture::grey(size);
        // Twice: the second one is written into tensors of the first.
        for _ in 0..2 {
            fused.data_mut().fill(0);
            network
                .fuse(&infrared, &visible, &guidance, &mut fused)
                .unwrap();
            let alone = alone.get_or_insert_with(|| fused.clone());
            assert_eq!(&fused, alone, "{threads} threads");
        }
    }
    let alone = alone.unwrap();
    assert!(alone.data().iter().max() > alone.data().iter().min());
}

/// `models/eval_macs.py` gives up at an operator that it has no count for, and no test here runs it.
#[test]
fn the_script_that_counts_multiplications_knows_every_operator() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let script = std::fs::read_to_string(models.join("eval_macs.py")).unwrap();
    let network = models.join("film-edge-int8.onnx");
    let graph = tract_onnx::onnx().proto_model_for_path(network).unwrap();
    let nodes = graph.graph.unwrap().node;
    let own = nodes.iter().filter(|node| !node.domain.is_empty());
    let names: std::collections::BTreeSet<_> = own.map(|node| &node.op_type).collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        let entry = format!("\"{name}\",");
        assert!(script.contains(&entry), "{name}");
    }
}
