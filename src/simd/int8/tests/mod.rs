mod attention;
mod bands;

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
        prop_assert!((f64::from(exponential::sigmoid(x)) - exact).abs() < 3e-7);
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

fn quantised(planes: [&[f32]; 2], width: usize, out: &mut [i8]) {
    let quantise = Quantise {
        planes,
        width,
        steps: 255.0,
        floor: 0.6,
        path: Path::REFERENCE,
    };
    quantise.run(0, out);
}

#[test]
fn cells_hold_their_pixels_in_depth_order() {
    let (width, height) = (8, 4);
    let a: Vec<f32> = (0..32).map(|v| v as f32 / 255.0).collect();
    let b: Vec<f32> = (0..32).map(|v| (255 - v) as f32 / 255.0).collect();
    let mut cells = vec![0; 3 * width * height];
    quantised([&a, &b], width, &mut cells);
    for y in 0..height {
        for x in 0..width {
            for plane in 0..2 {
                let at = x / CELL * 48 + depth_order(plane, y % CELL, x % CELL);
                let level = [y * width + x, 255 - (y * width + x)][plane] as i32;
                // Level -128 is not in the range.
                assert_eq!(i32::from(cells[at]), (level - 128).max(-127));
            }
        }
    }
}

/// Sum of |gx| + |gy| over 3 x 3 pixels, straight from the definition, in steps.
fn energy(plane: &[f32], width: usize, y: usize, x: usize) -> f32 {
    let height = plane.len() / width;
    let at = |y: isize, x: isize| {
        let y = y.clamp(0, height as isize - 1) as usize;
        (plane[y * width + x.clamp(0, width as isize - 1) as usize] * 255.0).round()
    };
    let mut sum = 0.0;
    for (y, x) in (0..9).map(|i| (y as isize + i / 3 - 1, x as isize + i % 3 - 1)) {
        if y < 0 || x < 0 || y >= height as isize || x >= width as isize {
            continue;
        }
        let slope = |f: &dyn Fn(isize) -> f32| f(-1) + 2.0 * f(0) + f(1);
        sum += slope(&|d| at(y + d, x + 1) - at(y + d, x - 1)).abs();
        sum += slope(&|d| at(y + 1, x + d) - at(y - 1, x + d)).abs();
    }
    sum
}

#[test]
fn the_third_plane_says_which_source_is_the_more_active() {
    let (width, height) = (12, 8);
    let pixels = |seed, scale: f32| -> Vec<f32> {
        levels(seed, width * height)
            .iter()
            .map(|&v| ((f32::from(v) + 127.0) * scale).round() / 255.0)
            .collect()
    };
    let (mut a, b) = (pixels(1, 1.0), pixels(2, 0.3));
    a[..width * 3].fill(0.5); // flat: b is the more active one there
    let mut cells = vec![0; 3 * width * height];
    quantised([&a, &b], width, &mut cells);
    let mut seen = [false; 2];
    for (y, x) in (0..width * height).map(|i| (i / width, i % width)) {
        let [ea, eb] = [&a, &b].map(|plane| energy(plane, width, y, x));
        let expected = ((ea - eb) / (ea + eb + 0.6 * 255.0) * 127.5).round_ties_even();
        let cell = (y / CELL * width / CELL + x / CELL) * 48;
        let found = cells[cell + depth_order(2, y % CELL, x % CELL)];
        assert_eq!(f32::from(found), expected.clamp(-127.0, 127.0), "{y} {x}");
        seen[usize::from(found > 0)] |= found.unsigned_abs() > 50;
    }
    assert!(seen[0] && seen[1]);
    // Equal sources, whatever they hold, are equally active.
    quantised([&a, &a], width, &mut cells);
    assert!(
        cells
            .chunks(48)
            .all(|cell| cell[32..].iter().all(|&v| v == 0))
    );
}

#[test]
fn pooling_takes_means() {
    let (height, width, channels) = (8, 8, 3);
    let input = levels(5, height * width * channels);
    let mut out = vec![0; channels * 4];
    let pool = Pool {
        input: &input,
        width,
        channels,
        factor: 3.0,
        path: Path::REFERENCE,
    };
    pool.run(0, &mut out);
    for (i, &found) in out.iter().enumerate() {
        let (row, column, c) = (i / 6, i / 3 % 2, i % 3);
        let mut sum = 0.0;
        for (y, x) in (0..16).map(|i| (row * 4 + i / 4, column * 4 + i % 4)) {
            sum += f32::from(input[(y * width + x) * channels + c]);
        }
        let expected = (sum / 16.0 * 3.0).clamp(-127.0, 127.0);
        assert!((f32::from(found) - expected).abs() <= 0.5 + 1e-3);
    }
}

#[test]
fn upsampling_equals_a_depthwise_convolution() {
    // A whole block of channels and a part of one.
    let (rows, columns, channels, scale) = (2, 3, 37, 0.5_f32);
    let weights = floats(1, channels * 16 * 9, 0.01);
    let bias = floats(2, channels * 16, 0.01);
    let (grid, step) = (levels(3, rows * columns * channels), 0.02_f32);
    let (height, width) = (rows * 4, columns * 4);
    let features = levels(4, height * width * channels);
    let mut out = vec![0; features.len()];
    let made = |path| Upsampler::new(channels, &weights, &bias, (step, scale), path).unwrap();
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
                let g = step * f32::from(grid[((yy - 1) * columns + xx - 1) * channels + c]);
                value += weights[(c * 16 + position) * 9 + ky * 3 + kx] * g;
            }
        }
        let value = f32::from(features[i]) * 0.8 + value / scale;
        // Taps are rounded to a 250th of their sum, here of about 9 * 0.6 / 25 levels of the grid.
        assert!((f32::from(found) - value.clamp(-127.0, 127.0)).abs() < 1.0);
        used += usize::from(found != 0);
    }
    assert!(used > out.len() / 2);
    let path = Path::best();
    assert!(Upsampler::new(channels, &weights, &bias, (step, 0.0), path).is_err());
    assert!(Upsampler::new(channels, &weights[1..], &bias, (step, 1.0), path).is_err());
    assert!(Upsampler::new(0, &[], &[], (1.0, 1.0), path).is_err());
}

/// Means over cells, brought up bilinearly with zeros around the grid, at pixel (y, x).
fn coarse(plane: &[f32], width: usize, y: usize, x: usize) -> f32 {
    let (rows, columns) = (plane.len() / width / CELL, width / CELL);
    let mean = |row: usize, column: usize| {
        let pixel = |i: usize| plane[(row * CELL + i / 4) * width + column * CELL + i % 4];
        (0..16).map(pixel).sum::<f32>() / 16.0
    };
    // Distance of a cell's centre, in cells.
    let share = |cell: usize, at: usize| {
        let centre = cell as f32 * 4.0 + 1.5;
        (1.0 - (centre - at as f32).abs() / 4.0).max(0.0)
    };
    (0..rows * columns)
        .map(|i| (i / columns, i % columns))
        .map(|(r, c)| mean(r, c) * share(r, y) * share(c, x))
        .sum()
}

#[test]
fn blending_follows_the_maps() {
    let (width, height) = (16, 12);
    let size = width * height;
    let maps = floats(7, 2 * size, 0.03);
    let [a, b] = [8, 9].map(|seed| -> Vec<f32> {
        let levels = floats(seed, size, 0.003);
        levels.iter().map(|v| v + 0.5).collect()
    });
    let mut out = vec![9.0; size];
    let blend = Blend {
        maps: &maps,
        planes: [&a, &b],
        width,
        detail: 0.5,
        dead_zone: 0.1,
        path: Path::REFERENCE,
    };
    blend.run(&mut out);
    let map = |plane, y: usize, x: usize| {
        let cell = (y / CELL * width / CELL + x / CELL) * 32;
        maps[cell + depth_order(plane, y % CELL, x % CELL)]
    };
    // The soft threshold, by its definition.
    let detail = |d: f32| d.signum() * (d.abs().min(0.5) - 0.1).max(0.0);
    let at = |i: usize| (i / width, i % width);
    let weights: Vec<f32> = (0..size)
        .map(|i| 1.0 / (1.0 + (-map(0, at(i).0, at(i).1)).exp()))
        .collect();
    let differences: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    let mut inside = 0;
    for (i, &found) in out.iter().enumerate() {
        let (y, x) = at(i);
        let [w, c] = [&weights, &differences].map(|plane| coarse(plane, width, y, x));
        let expected =
            b[i] + weights[i] * differences[i] + (w - weights[i]) * c + detail(map(1, y, x));
        assert!((found - expected.clamp(0.0, 1.0)).abs() < 1e-5, "{y} {x}");
        inside += usize::from(found > 0.0 && found < 1.0);
    }
    assert!(inside > size / 3);
}
