//! Every path, in bands of any height, gives the bytes of the reference at once.

use proptest::prelude::*;

use super::super::*;
use super::{Case, floats, levels, shapes};

/// `whole` in bands of so many rows.
fn banded<T: Copy>(
    whole: &[T],
    row: usize,
    band: usize,
    mut each: impl FnMut(usize, &mut [T]),
) -> Vec<T> {
    let mut out = whole.to_vec();
    for (n, out) in out.chunks_mut(band * row).enumerate() {
        each(n * band, out);
    }
    out
}

/// Rows and columns of cells, a band's rows, a seed.
fn maps() -> impl Strategy<Value = (usize, usize, usize, u32)> {
    (1..6_usize, 1..20_usize, 1..5_usize, 0..1000_u32)
}

fn planes(seed: u32, pixels: usize) -> [Vec<f32>; 2] {
    [1, 2].map(|plane| {
        let levels = floats(seed + plane, pixels, 1.0 / 200.0);
        levels.iter().map(|v| v + 0.5).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_convolution((shape, size, flags, seed) in shapes(), band in 1..4_usize) {
        let case = Case::new(shape, size, flags, seed);
        let whole = case.run(Path::REFERENCE, 0_i8);
        let constants = (&case.bias[..], &case.multiplier[..]);
        let epilogue = Epilogue {
            residual: case.residual.as_ref().map(|(r, factor)| (&r[..], *factor)),
            modulation: case.modulation.as_ref().map(|m| [&m[0][..], &m[1][..]]),
        };
        for path in Path::available() {
            let layer = ConvLayer::new(shape, &case.weights, constants, case.relu, path).unwrap();
            let row = size.1 * shape.outputs;
            let found = banded(&vec![99; whole.len()], row, band, |first, out| {
                layer.run_rows(&case.input, size, &epilogue, first, out);
            });
            prop_assert_eq!(&found, &whole, "{}", path.name());
        }
    }

    #[test]
    fn pixels_to_cells((rows, columns, band, seed) in maps()) {
        let [a, b] = planes(seed, rows * columns * 16);
        let quantise = |path| Quantise {
            planes: [&a, &b],
            width: columns * CELL,
            steps: 255.0,
            floor: 0.6,
            path,
        };
        let mut whole = vec![0; rows * columns * 48];
        quantise(Path::REFERENCE).run(0, &mut whole);
        for path in Path::available() {
            let found = banded(&vec![99; whole.len()], columns * 48, band, |first, out| {
                quantise(path).run(first, out);
            });
            prop_assert_eq!(&found, &whole, "{}", path.name());
        }
    }

    #[test]
    fn means_of_cells((rows, columns, band, seed) in maps(), channels in 1..40_usize) {
        let input = levels(seed, rows * columns * 16 * channels);
        let pool = |path| Pool {
            input: &input,
            width: columns * CELL,
            channels,
            factor: 2.3,
            path,
        };
        let mut whole = vec![0; rows * columns * channels];
        pool(Path::REFERENCE).run(0, &mut whole);
        for path in Path::available() {
            let found = banded(&vec![99; whole.len()], columns * channels, band, |first, out| {
                pool(path).run(first, out);
            });
            prop_assert_eq!(&found, &whole, "{}", path.name());
        }
    }

    #[test]
    fn upsampling((rows, columns, band, seed) in maps(), channels in 1..70_usize) {
        let weights = floats(seed, channels * 16 * 9, 0.01);
        let bias = floats(seed + 1, channels * 16, 0.01);
        let grid = levels(seed + 2, rows * columns * channels);
        let features = levels(seed + 3, grid.len() * 16);
        let size = (rows * CELL, columns * CELL);
        let made = |path| Upsampler::new(channels, &weights, &bias, (0.02, 0.5), path).unwrap();
        let mut whole = vec![0; features.len()];
        made(Path::REFERENCE).add((&features, 0.8), &grid, size, &mut whole);
        for path in Path::available() {
            let upsampler = made(path);
            let job = upsampler.prepare((&features, 0.8), &grid, size);
            let row = CELL * size.1 * channels;
            let found = banded(&vec![99; whole.len()], row, band, |first, out| {
                job.run(first * CELL, out);
            });
            prop_assert_eq!(&found, &whole, "{}", path.name());
        }
    }

    #[test]
    fn attention(
        cells in 1..90_usize,
        (heads, size) in (1..4_usize, 1..20_usize),
        (rows, unused) in (1..65_usize, 0..65_usize),
        seed in 0..999_u32,
    ) {
        let (channels, inner) = (20, heads * size);
        let [wq, wo] = [0, 1].map(|n| floats(seed + n, inner * channels, 0.004));
        let (bq, bo) = (floats(seed + 2, inner, 0.004), floats(seed + 3, channels, 0.004));
        let text: Vec<Vec<f32>> = (0..2 * heads)
            .map(|n| floats(seed + 4 + n as u32, rows * size, 0.01))
            .collect();
        let text: Vec<&[f32]> = text.iter().map(|matrix| &matrix[..]).collect();
        let closed: Vec<f32> = (0..rows)
            .map(|row| if row + unused < rows { 0.0 } else { -1e4 })
            .collect();
        let all = vec![0.0; rows];
        let rows = |closed| TextRows { keys: &text[..heads], values: &text[heads..], closed };
        let scales = Scales { input: 0.03, output: 0.05 };
        let features = levels(seed, cells * channels);
        let attend = |path| {
            let made = Attention::new(heads, (&wq, &bq), (&wo, &bo), scales, path).unwrap();
            let mut prepared = made.room();
            // What it was told before leaves nothing.
            made.prepare(&mut prepared, &rows(&all)).unwrap();
            made.prepare(&mut prepared, &rows(&closed)).unwrap();
            banded(&vec![99; features.len()], channels, 43, |first, out| {
                made.run(&prepared, &features[first * channels..][..out.len()], out);
            })
        };
        let whole = attend(Path::REFERENCE);
        for path in Path::available() {
            prop_assert_eq!(&attend(path), &whole, "{}", path.name());
        }
    }

    #[test]
    fn products(inputs in 1..50_usize, outputs in 1..40_usize, relu: bool, seed in 0..999_u32) {
        let (weights, bias) = (floats(seed, inputs * outputs, 0.01), floats(seed + 1, outputs, 0.1));
        let product = Product::new(inputs, &bias, |output, input| weights[output * inputs + input]);
        let mut text = floats(seed + 2, 4 * inputs, 0.02);
        text[inputs..2 * inputs].fill(0.0);
        let rows = |path| {
            let mut out = vec![9.0; 4 * outputs];
            product.rows(&text, relu, &mut out, path);
            out
        };
        let whole = rows(Path::REFERENCE);
        for (n, &found) in whole.iter().enumerate() {
            let (row, output) = (n / outputs * inputs, n % outputs);
            let terms = (0..inputs).map(|i| text[row + i] * weights[output * inputs + i]);
            let sum = terms.fold(bias[output], |sum, term| sum + term);
            prop_assert_eq!(found, if relu { sum.max(0.0) } else { sum });
        }
        for path in Path::available() {
            prop_assert_eq!(&rows(path), &whole, "{}", path.name());
        }
    }

    #[test]
    fn blending((rows, columns, band, seed) in maps()) {
        let pixels = rows * columns * 16;
        let [a, b] = planes(seed, pixels);
        let maps = floats(seed, 2 * pixels, 0.03);
        let blend = |path| Blend {
            maps: &maps,
            planes: [&a, &b],
            width: columns * CELL,
            detail: 0.4,
            dead_zone: 0.01,
            path,
        };
        let mut whole = vec![9.0; pixels];
        blend(Path::REFERENCE).run(&mut whole);
        for path in Path::available() {
            let blend = blend(path);
            let (row, border) = (columns * 16, blend.columns());
            let mut means = vec![[0.0; 2]; blend.means()];
            let weights = banded(&vec![9.0; pixels], row, band, |first, out| {
                let means = &mut means[(first + 1) * border..][..out.len() / row * border];
                blend.weigh(first, out, means);
            });
            let found = banded(&weights, row, band, |first, out| {
                blend.mix(first, &means, out);
            });
            prop_assert_eq!(&found, &whole, "{}", path.name());
        }
    }

    #[test]
    fn grey_levels_and_back(values in proptest::collection::vec(-0.2..1.2_f32, 0..70), at in 0..70_usize) {
        let mut spoilt = values.clone();
        if let Some(value) = spoilt.get_mut(at) {
            *value = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][at % 3];
        }
        for path in Path::available() {
            let mut grey = vec![9; values.len()];
            prop_assert!(grey_row(&values, &mut grey, path));
            for (&grey, value) in grey.iter().zip(&values) {
                let nearest = (value * 255.0).clamp(0.0, 255.0);
                prop_assert!((f32::from(grey) - nearest).abs() <= 0.501, "{}", path.name());
            }
            let mut unit = vec![9.0; grey.len()];
            unit_row(&grey, &mut unit, path);
            let expected: Vec<f32> = grey.iter().map(|&v| f32::from(v) / 255.0).collect();
            prop_assert_eq!(unit, expected);
            let mut found = vec![9; values.len()];
            prop_assert_eq!(grey_row(&spoilt, &mut found, path), at >= values.len());
            let mut reference = vec![9; values.len()];
            let _ = grey_row(&spoilt, &mut reference, Path::REFERENCE);
            prop_assert_eq!(found, reference);
        }
    }
}
