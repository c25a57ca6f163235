//! The kernels of the 8-bit network, each alone, at 640x480.

use std::hint::black_box;

use filmd::simd::int8::{Blend, ConvLayer, ConvShape, Epilogue, Path, Pool, Quantise, Upsampler};

/// Cells of the trunk.
const ROWS: usize = 120;
const COLUMNS: usize = 160;
const CHANNELS: usize = 32;

fn level(i: usize) -> i8 {
    ((i * 37 % 255) as i32 - 127) as i8
}

/// One convolution of a trunk at 640x480: 160 x 120 cells.
pub(super) fn convolution(name: &str, times: usize) {
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
    let weights: Vec<i8> = (0..shape.outputs * shape.inputs * shape.kernel * shape.kernel)
        .map(level)
        .collect();
    let (bias, multiplier) = (vec![5; shape.outputs], vec![1e-4; shape.outputs]);
    let with_residual = name.ends_with('r');
    let constants = (&bias[..], &multiplier[..]);
    let layer =
        ConvLayer::new(shape, &weights, constants, !with_residual, Path::best()).expect("a layer");
    let cells = ROWS * COLUMNS;
    let input: Vec<i8> = (0..cells * shape.inputs).map(level).collect();
    let residual = vec![3; cells * shape.outputs];
    let epilogue = Epilogue {
        residual: with_residual.then_some((&residual[..], 0.5)),
        modulation: None,
    };
    let mut out = vec![0_i8; cells * shape.outputs];
    for _ in 0..times {
        layer.run(&input, (ROWS, COLUMNS), &epilogue, &mut out);
    }
    black_box(out);
}

/// What is not a convolution; upsampling is of one guide, and there are two.
pub(super) fn cells(name: &str, times: usize) {
    let (width, pixels) = (COLUMNS * 4, ROWS * COLUMNS * 16);
    let [a, b] = [37, 91].map(|step| -> Vec<f32> {
        let pixel = |i: usize| (i * step % 256) as f32 / 255.0;
        (0..pixels).map(pixel).collect()
    });
    let features: Vec<i8> = (0..ROWS * COLUMNS * CHANNELS).map(level).collect();
    let mut out = vec![0_i8; pixels * 3];
    let same = &mut vec![0_i8; features.len()];
    let grid = &mut vec![0_i8; features.len() / 16];
    let taps: Vec<f32> = (0..CHANNELS * 16 * 9).map(|i| i as f32 * 1e-6).collect();
    let (bias, scales) = (vec![0.1; CHANNELS * 16], (0.02, 0.02));
    let upsampler =
        Upsampler::new(CHANNELS, &taps, &bias, scales, Path::best()).expect("an upsampler");
    let maps: Vec<f32> = (0..2 * pixels)
        .map(|i| f32::from(level(i)) / 40.0)
        .collect();
    let mut fused = vec![0.0; pixels];
    let (planes, path): ([&[f32]; 2], _) = ([&a, &b], Path::best());
    let quantise = Quantise {
        planes,
        width,
        steps: 255.0,
        floor: 0.6,
        path,
    };
    let pool = Pool {
        input: &features,
        width: COLUMNS,
        channels: CHANNELS,
        factor: 0.9,
        path,
    };
    let blend = Blend {
        maps: &maps,
        planes,
        width,
        detail: 0.5,
        dead_zone: 1.0 / 255.0,
        path,
    };
    for _ in 0..times {
        match name {
            "quantise" => quantise.run(0, &mut out),
            "pool" => pool.run(0, grid),
            "upsample" => upsampler.add((&features, 0.9), grid, (ROWS, COLUMNS), same),
            _ => blend.run(&mut fused),
        }
    }
    black_box((out, same, grid, fused));
}
