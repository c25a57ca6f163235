use super::*;
use proptest::prelude::*;

/// Deterministic levels in -127..=127.
fn levels(seed: u32, len: usize) -> Vec<i8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 24) as i32 - 128).clamp(-127, 127) as i8
    };
    (0..len).map(|_| next()).collect()
}

fn floats(seed: u32, len: usize, scale: f32) -> Vec<f32> {
    let levels = levels(seed, len);
    levels.iter().map(|&v| f32::from(v) * scale).collect()
}

/// Everything that one convolution takes.
struct Case {
    shape: ConvShape,
    size: (usize, usize),
    weights: Vec<i8>,
    bias: Vec<i32>,
    multiplier: Vec<f32>,
    relu: bool,
    input: Vec<i8>,
    residual: Option<(Vec<i8>, f32)>,
    modulation: Option<[Vec<f32>; 2]>,
}

impl Case {
    fn new(shape: ConvShape, size: (usize, usize), flags: u8, seed: u32) -> Self {
        let cells = size.0 * size.1;
        let per_output = shape.inputs * shape.kernel * shape.kernel;
        // So that most sums use the range and some leave it.
        let multiplier = floats(seed + 1, shape.outputs, 1.0)
            .iter()
            .map(|v| (v.abs() + 20.0) / (127.0 * 127.0 * (per_output as f32).sqrt()))
            .collect();
        Self {
            shape,
            size,
            weights: levels(seed, shape.outputs * per_output),
            bias: levels(seed + 2, shape.outputs)
                .iter()
                .map(|&v| i32::from(v) * 97)
                .collect(),
            multiplier,
            relu: flags & 1 != 0,
            input: levels(seed + 3, cells * shape.inputs),
            residual: (flags & 2 != 0).then(|| (levels(seed + 4, cells * shape.outputs), 0.37)),
            modulation: (flags & 4 != 0).then(|| {
                let factor = floats(seed + 5, shape.outputs, 0.02);
                [factor, floats(seed + 6, shape.outputs, 0.1)]
            }),
        }
    }

    fn run<T: Level>(&self, path: Path, zero: T) -> Vec<T> {
        let constants = (&self.bias[..], &self.multiplier[..]);
        let layer = ConvLayer::new(self.shape, &self.weights, constants, self.relu, path).unwrap();
        let mut out = vec![zero; self.size.0 * self.size.1 * self.shape.outputs];
        let epilogue = Epilogue {
            residual: self.residual.as_ref().map(|(r, factor)| (&r[..], *factor)),
            modulation: self.modulation.as_ref().map(|m| [&m[0][..], &m[1][..]]),
        };
        layer.run(&self.input, self.size, &epilogue, &mut out);
        out
    }

    /// Straight from the definition.
    fn naive(&self) -> Vec<f32> {
        let (height, width) = self.size;
        let ConvShape {
            outputs,
            inputs,
            kernel,
        } = self.shape;
        let mut out = Vec::new();
        for (y, x, o) in (0..height * width * outputs)
            .map(|i| (i / outputs / width, i / outputs % width, i % outputs))
        {
            let mut sum = self.bias[o];
            for (i, ky, kx) in (0..inputs * kernel * kernel)
                .map(|n| (n / (kernel * kernel), n / kernel % kernel, n % kernel))
            {
                let (yy, xx) = (y + ky, x + kx);
                let edge = kernel / 2;
                if yy < edge || xx < edge || yy - edge >= height || xx - edge >= width {
                    continue;
                }
                let at = ((yy - edge) * width + xx - edge) * inputs + i;
                let weight = self.weights[((o * inputs + i) * kernel + ky) * kernel + kx];
                sum += i32::from(self.input[at]) * i32::from(weight);
            }
            let mut value = sum as f32 * self.multiplier[o];
            if let Some((residual, factor)) = &self.residual {
                value += f32::from(residual[(y * width + x) * outputs + o]) * factor;
            }
            if self.relu {
                value = value.max(0.0);
            }
            if let Some([factor, addend]) = &self.modulation {
                value = value * factor[o] + addend[o];
            }
            out.push(value);
        }
        out
    }
}

fn shapes() -> impl Strategy<Value = (ConvShape, (usize, usize), u8, u32)> {
    let shape = (1..71_usize, 1..12_usize, prop_oneof![Just(1), Just(3)]).prop_map(
        |(outputs, quads, kernel)| ConvShape {
            outputs,
            inputs: quads * 4,
            kernel,
        },
    );
    (shape, (1..6_usize, 1..22_usize), 0..8_u8, 0..1000_u32)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_path_gives_the_bytes_of_the_definition((shape, size, flags, seed) in shapes()) {
        let case = Case::new(shape, size, flags, seed);
        let values = case.naive();
        let rounded: Vec<i8> = values
            .iter()
            .map(|v| v.round_ties_even().clamp(-127.0, 127.0) as i8)
            .collect();
        for path in Path::available() {
            prop_assert_eq!(&case.run(path, 0_i8), &rounded, "{}", path.name());
            // Bits, but for the sign of a zero, which a ReLU may choose.
            prop_assert_eq!(&case.run(path, 0.0_f32), &values, "{}", path.name());
        }
    }

    #[test]
    fn rounding_goes_to_even_within_the_range(value in -300.0..300.0_f32) {
        let expected = value.round_ties_even().clamp(-127.0, 127.0) as i8;
        prop_assert_eq!(i8::of(value), expected);
        let half = value.trunc() + 0.5;
        prop_assert_eq!(i8::of(half), half.round_ties_even().clamp(-127.0, 127.0) as i8);
    }

    #[test]
    fn sigmoid_is_the_sigmoid(x in -30.0..30.0_f32) {
        let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
        prop_assert!((f64::from(cells::sigmoid(x)) - exact).abs() < 3e-7);
    }
}

#[test]
fn a_whole_range_of_features_and_weights_does_not_overflow() {
    let shape = ConvShape {
        outputs: 32,
        inputs: 64,
        kernel: 3,
    };
    let mut case = Case::new(shape, (3, 9), 0, 1);
    case.weights.fill(-127);
    for level in [127, -127] {
        case.input.fill(level);
        let values = case.naive();
        for path in Path::available() {
            assert_eq!(case.run(path, 0.0_f32), values, "{}", path.name());
        }
    }
}

#[test]
fn a_value_that_is_no_number_has_a_level() {
    assert_eq!(i8::of(f32::NAN), -127);
    assert_eq!(
        (i8::of(f32::INFINITY), i8::of(f32::NEG_INFINITY)),
        (127, -127)
    );
}

#[test]
fn numbers_out_of_range_are_refused() {
    let shape = |outputs, inputs, kernel| ConvShape {
        outputs,
        inputs,
        kernel,
    };
    let made = |shape: ConvShape, weight, bias, multiplier| {
        let weights = vec![weight; 4 * 4];
        let constants = (&[bias; 4][..], &[multiplier; 4][..]);
        ConvLayer::new(shape, &weights, constants, false, Path::best()).map(|layer| layer.shape())
    };
    let good = shape(4, 4, 1);
    assert_eq!(made(good, 1, 1, 1.0), Ok(good));
    for (shape, weight, bias, multiplier) in [
        (shape(4, 4, 2), 1, 1, 1.0),
        (shape(4, 4, 3), 1, 1, 1.0),
        (shape(4, 6, 1), 1, 1, 1.0),
        (shape(4, 0, 1), 1, 1, 1.0),
        (shape(0, 4, 1), 1, 1, 1.0),
        (shape(4, usize::MAX - 3, 3), 1, 1, 1.0),
        (good, -128, 1, 1.0),
        (good, 1, i32::MIN, 1.0),
        (good, 1, 1, f32::NAN),
        (good, 1, 1, f32::INFINITY),
        (good, 1, 1, -1.0),
    ] {
        assert!(made(shape, weight, bias, multiplier).is_err(), "{shape:?}");
    }
}

#[test]
fn cells_hold_their_pixels_in_depth_order() {
    let (width, height) = (8, 4);
    let a: Vec<f32> = (0..32).map(|v| v as f32 / 255.0).collect();
    let b: Vec<f32> = (0..32).map(|v| (255 - v) as f32 / 255.0).collect();
    let mut cells = vec![0; 2 * width * height];
    quantise_cells([&a, &b], width, 255.0, &mut cells);
    for y in 0..height {
        for x in 0..width {
            for plane in 0..2 {
                let at = x / CELL * 32 + depth_order(plane, y % CELL, x % CELL);
                let level = [y * width + x, 255 - (y * width + x)][plane] as i32;
                // Level -128 is not in the range.
                assert_eq!(i32::from(cells[at]), (level - 128).max(-127));
            }
        }
    }
}

#[test]
fn pooling_takes_means_into_planes() {
    let (height, width, channels) = (4, 8, 3);
    let input = levels(5, height * width * channels);
    let mut out = vec![0.0; channels * 2];
    pool_cells(&input, (height, width, channels), 0.25, &mut out);
    for c in 0..channels {
        for coarse in 0..2 {
            let mut sum = 0.0;
            for (y, x) in (0..16).map(|i| (i / 4, coarse * 4 + i % 4)) {
                sum += f32::from(input[(y * width + x) * channels + c]);
            }
            assert!((out[c * 2 + coarse] - sum / 16.0 * 0.25).abs() < 1e-5);
        }
    }
}

#[test]
fn upsampling_equals_a_depthwise_convolution() {
    // A whole block of channels and a part of one.
    let (rows, columns, channels, scale) = (2, 3, 37, 0.5_f32);
    let weights = floats(1, channels * 16 * 9, 0.01);
    let bias = floats(2, channels * 16, 0.01);
    let grid = floats(3, channels * rows * columns, 0.02);
    let (height, width) = (rows * 4, columns * 4);
    let features = levels(4, height * width * channels);
    let mut out = vec![0; features.len()];
    let made = |path| Upsampler::new(channels, &weights, &bias, scale, path).unwrap();
    made(Path::REFERENCE).add((&features, 0.8), &grid, (height, width), &mut out);
    for path in Path::available() {
        let mut same = vec![0; features.len()];
        made(path).add((&features, 0.8), &grid, (height, width), &mut same);
        assert_eq!(same, out, "{}", path.name());
    }
    let mut used = 0;
    for (i, &found) in out.iter().enumerate() {
        let (y, x, c) = (i / channels / width, i / channels % width, i % channels);
        let position = y % 4 * 4 + x % 4;
        let mut value = bias[c * 16 + position];
        for (ky, kx) in (0..9).map(|t| (t / 3, t % 3)) {
            let (yy, xx) = (y / 4 + ky, x / 4 + kx);
            if (1..=rows).contains(&yy) && (1..=columns).contains(&xx) {
                let g = grid[(c * rows + yy - 1) * columns + xx - 1];
                value += weights[(c * 16 + position) * 9 + ky * 3 + kx] * g;
            }
        }
        let value = f32::from(features[i]) * 0.8 + value / scale;
        assert!((f32::from(found) - value.clamp(-127.0, 127.0)).abs() < 0.51);
        used += usize::from(found != 0);
    }
    assert!(used > out.len() / 2);
    let path = Path::best();
    assert!(Upsampler::new(channels, &weights, &bias, 0.0, path).is_err());
    assert!(Upsampler::new(channels, &weights[1..], &bias, 1.0, path).is_err());
    assert!(Upsampler::new(0, &[], &[], 1.0, path).is_err());
}

#[test]
fn softmax_is_the_softmax() {
    let mut values = floats(3, 3 * 19, 0.1);
    values[20] = -1e4;
    values[41] = 90.0;
    let mut out = vec![0.0; values.len()];
    softmax_rows(&values, 19, &mut out);
    for (row, out) in values.chunks(19).zip(out.chunks(19)) {
        let most = f64::from(row.iter().copied().fold(f32::MIN, f32::max));
        let sum: f64 = row.iter().map(|&x| (f64::from(x) - most).exp()).sum();
        for (&x, &found) in row.iter().zip(out) {
            let exact = (f64::from(x) - most).exp() / sum;
            assert!((f64::from(found) - exact).abs() < 1e-6, "{found} {exact}");
        }
    }
}

#[test]
fn blending_follows_the_maps() {
    let (width, height) = (8, 4);
    let maps = floats(7, 2 * width * height, 0.03);
    let (a, b) = (floats(8, 32, 0.004), floats(9, 32, 0.004));
    let mut out = vec![9.0; width * height];
    blend_cells(&maps, [&a, &b], width, 0.5, &mut out);
    for (i, &found) in out.iter().enumerate() {
        let (y, x) = (i / width, i % width);
        let map = |plane| maps[x / CELL * 32 + depth_order(plane, y % CELL, x % CELL)];
        let weight = 1.0 / (1.0 + (-map(0)).exp());
        let expected = b[i] + weight * (a[i] - b[i]) + map(1).clamp(-0.5, 0.5);
        assert!((found - expected.clamp(0.0, 1.0)).abs() < 1e-6);
    }
}
