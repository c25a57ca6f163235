//! Attention against its definition, in `f64`.

use super::super::*;
use super::{floats, levels};

const CHANNELS: usize = 20;
const HEADS: usize = 2;
const SIZE: usize = 6;
const SCALES: Scales = Scales {
    input: 0.03,
    output: 0.01,
};

struct Case {
    /// Query, output.
    weights: [Vec<f32>; 2],
    bias: [Vec<f32>; 2],
    keys: [Vec<f32>; HEADS],
    values: [Vec<f32>; HEADS],
    closed: Vec<f32>,
    input: Vec<i8>,
}

fn dot(a: impl Iterator<Item = f64>, b: &[f32]) -> f64 {
    a.zip(b).map(|(a, &b)| a * f64::from(b)).sum()
}

impl Case {
    fn new(rows: usize, open: usize, cells: usize) -> Self {
        let inner = HEADS * SIZE;
        let closed = |row| if row < open { 0.0 } else { -1e4 };
        let matrix = |seed| floats(seed, rows * SIZE, 0.01);
        Self {
            weights: [1, 3].map(|seed| floats(seed, inner * CHANNELS, 0.004)),
            bias: [floats(2, inner, 0.004), floats(4, CHANNELS, 0.004)],
            keys: [matrix(5), matrix(6)],
            values: [matrix(7), matrix(8)],
            closed: (0..rows).map(closed).collect(),
            input: levels(9, cells * CHANNELS),
        }
    }

    fn made(&self, path: Path) -> Attention {
        let [query, out] = [0, 1].map(|n| (&self.weights[n][..], &self.bias[n][..]));
        Attention::new(HEADS, query, out, SCALES, path).unwrap()
    }

    fn prepare(&self, made: &Attention, prepared: &mut PreparedText) -> Result<(), String> {
        let text = TextRows {
            keys: &self.keys.each_ref().map(|m| &m[..]),
            values: &self.values.each_ref().map(|m| &m[..]),
            closed: &self.closed,
        };
        made.prepare(prepared, &text)
    }

    fn run(&self, path: Path) -> Vec<i8> {
        let (made, mut out) = (self.made(path), vec![99; self.input.len()]);
        let mut prepared = made.room();
        self.prepare(&made, &mut prepared).unwrap();
        made.run(&prepared, &self.input, &mut out);
        out
    }

    /// Levels before they are rounded, straight from the definition, each with how far from it rounding of
    /// keys, powers and values may lead.
    ///
    /// The mean m of values V by powers p moves by the sum of p (V - m) e / the sum of p, where e is by
    /// what part of itself a power is wrong (and by a tenth more, for what is smaller than that): by as much
    /// as its score is, where each weight of the key is wrong by half a level (a 127th of the largest), and
    /// by half of a 255th and a thousandth of the largest power. Values are wrong by half a level.
    fn defined(&self) -> Vec<[f64; 2]> {
        let mut levels = Vec::new();
        let [query, out] = &self.weights;
        for cell in self.input.chunks(CHANNELS) {
            let x = || cell.iter().map(|&c| f64::from(c) * f64::from(SCALES.input));
            let reach: f64 = x().map(f64::abs).sum();
            let mut sums: Vec<[f64; 2]> = x().map(|x| [x, 0.0]).collect();
            for (h, (keys, values)) in self.keys.iter().zip(&self.values).enumerate() {
                let inner = || h * SIZE..(h + 1) * SIZE;
                let asked: Vec<f64> = inner()
                    .map(|o| dot(x(), &query[o * CHANNELS..]) + f64::from(self.bias[0][o]))
                    .collect();
                let score = |(key, &closed): (&[f32], &f32)| {
                    dot(asked.iter().copied(), key) + f64::from(closed)
                };
                let scores: Vec<f64> = keys.chunks(SIZE).zip(&self.closed).map(score).collect();
                let most = scores.iter().copied().fold(f64::MIN, f64::max);
                let powers: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
                let sum: f64 = powers.iter().sum();
                let wrong = |key: &[f32], power: f64| {
                    let weight = |c| dot(inner().map(|o| f64::from(query[o * CHANNELS + c])), key);
                    let largest = (0..CHANNELS).map(|c| weight(c).abs()).fold(0.0, f64::max);
                    let rounded = if power > 0.0 {
                        0.5 / 255.0 + 0.001
                    } else {
                        0.0
                    };
                    power * reach * largest / 254.0 + rounded
                };
                let wrong: Vec<f64> = (keys.chunks(SIZE).zip(&powers))
                    .map(|(key, &power)| wrong(key, power))
                    .collect();
                for (c, [level, far]) in sums.iter_mut().enumerate() {
                    let weights = &out[c * HEADS * SIZE..][inner()];
                    let values: Vec<f64> = values
                        .chunks(SIZE)
                        .map(|row| dot(row.iter().map(|&v| f64::from(v)), weights))
                        .collect();
                    let terms = values.iter().zip(&powers);
                    let mean = terms.map(|(v, p)| v * p).sum::<f64>() / sum;
                    let moved = values.iter().zip(&wrong);
                    let moved: f64 = moved.map(|(v, w)| (v - mean).abs() * w).sum();
                    let largest = values.iter().map(|v| v.abs()).fold(0.0, f64::max);
                    *level += mean;
                    *far += moved / sum * 1.1 + largest / 254.0;
                }
            }
            let output = f64::from(SCALES.output);
            levels.extend(sums.iter().zip(&self.bias[1]).map(|([value, far], &bias)| {
                let level = (value + f64::from(bias)) / output;
                [level.clamp(-127.0, 127.0), far / output]
            }));
        }
        levels
    }
}

/// The largest part that errors have of what they may be, and their mean.
fn compared(found: &[i8], defined: &[[f64; 2]]) -> [f64; 2] {
    let mut most: f64 = 0.0;
    let mut sum = 0.0;
    for (&found, &[level, far]) in found.iter().zip(defined) {
        let error = (f64::from(found) - level).abs();
        most = most.max(error / (0.5 + far));
        sum += error;
    }
    [most, sum / found.len() as f64]
}

#[test]
fn it_is_the_softmax_of_products() {
    let mut means = Vec::new();
    let all = (1..=64).map(|rows| (rows, rows));
    for (rows, open) in all.chain([(19, 7), (19, 0), (64, 33), (64, 0)]) {
        let case = Case::new(rows, open, 5);
        let found = case.run(Path::REFERENCE);
        for path in Path::available() {
            assert_eq!(case.run(path), found, "{}", path.name());
        }
        let [most, mean] = compared(&found, &case.defined());
        assert!(most <= 1.0, "{open} of {rows}: {most}");
        means.push(mean);
    }
    // The last rounding alone: a quarter of a level, where it is not at an end of the range.
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    assert!(mean < 0.3, "{mean}");
}

#[test]
fn what_was_told_before_leaves_nothing() {
    for path in Path::available() {
        let mut prepared = Case::new(64, 64, 83).made(path).room();
        for (rows, open) in [(64, 60), (64, 3), (64, 3), (19, 7), (64, 48), (1, 1)] {
            let case = Case::new(rows, open, 83);
            let (made, mut out) = (case.made(path), vec![99; case.input.len()]);
            case.prepare(&made, &mut prepared).unwrap();
            made.run(&prepared, &case.input, &mut out);
            assert_eq!(out, case.run(path), "{open} of {rows}, {}", path.name());
        }
    }
}

#[test]
fn keys_that_are_all_zero_say_the_mean_and_too_large_ones_are_refused() {
    let mut case = Case::new(20, 20, 3);
    let made = case.made(Path::best());
    let mut prepared = made.room();
    for keys in &mut case.keys {
        keys.fill(0.0);
    }
    let [most, _] = compared(&case.run(Path::best()), &case.defined());
    assert!(most <= 1.0, "{most}");
    case.keys[1][3] = 1e30;
    assert!(case.prepare(&made, &mut prepared).is_err());
    case.keys[1][3] = 1e-30;
    assert!(case.prepare(&made, &mut prepared).is_ok());
}

#[test]
fn sizes_and_numbers_that_do_not_fit_are_refused() {
    let case = Case::new(1, 1, 1);
    let [wq, wo] = &case.weights;
    let [bq, bo] = &case.bias;
    let refused =
        |heads, query, out| Attention::new(heads, query, out, SCALES, Path::best()).is_err();
    assert!(!refused(HEADS, (wq, bq), (wo, bo)));
    assert!(refused(0, (wq, bq), (wo, bo)));
    assert!(refused(5, (wq, bq), (wo, bo)));
    assert!(refused(HEADS, (&wq[1..], bq), (wo, bo)));
    assert!(refused(HEADS, (wq, bq), (wo, &[f32::NAN; CHANNELS])));
    // Channels that are no multiple of 4.
    let (wq, wo) = (&wq[..18 * 12], &wo[..18 * 12]);
    assert!(refused(HEADS, (wq, bq), (wo, &bo[..18])));
}
