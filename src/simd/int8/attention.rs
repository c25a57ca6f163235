//! Cross-attention from the cells of a coarse grid to the rows of a text (Vaswani et al. 2017,
//! section 3.2), in `f32`.
//!
//! Input: levels `[cells, channels]`; keys and values of the text. Output: levels `[cells,
//! channels]`: the input plus what the text says to it. Thread: any. Blocks: never. Allocates:
//! [`Attention::new`]; some kilobytes a call, see [`lend`]. Fails when: [`Attention::new`] says so; slices do not
//! fit (a panic: a caller's mistake). Not its job: keys and values.
//!
//! Single `f32` additions and multiplications in the order written: the same bytes everywhere. Rows
//! that the text does not use cost nothing.

use super::exponential::exponential;
use super::product::{Four, LANES, Lanes, Matrix, Product, TOGETHER, four, four_mut};
use super::scratch::{Lent, lend, lend_within};
use super::{Level, Path, Portable};

/// Weights of the query and of the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    channels: usize,
    heads: usize,
    /// Of a head.
    size: usize,
    query: Product,
    out: Product,
    path: Path,
}

/// Keys and values of a text's rows.
#[derive(Debug)]
pub struct TextRows<'a> {
    /// Per head `[rows, size]`.
    pub keys: &'a [&'a [f32]],
    /// Per head `[rows, size]`.
    pub values: &'a [&'a [f32]],
    /// Below zero where a row is not used.
    pub closed: &'a [f32],
}

/// How levels and values belong together.
#[derive(Debug, Clone, Copy)]
pub struct Scales {
    /// Value of one level of the input.
    pub input: f32,
    /// Value of one level of the output.
    pub output: f32,
}

impl Attention {
    /// Query weights `[heads * size, channels]` (times the scale of the scores), output weights
    /// `[channels, heads * size]`, each with its bias.
    ///
    /// # Errors
    /// A sentence, where sizes do not fit or a number is not finite.
    pub fn new(
        heads: usize,
        (query, query_bias): (&[f32], &[f32]),
        (out, out_bias): (&[f32], &[f32]),
        path: Path,
    ) -> Result<Self, String> {
        let (inner, channels) = (query_bias.len(), out_bias.len());
        let all = [query, query_bias, out, out_bias];
        if heads == 0 || inner == 0 || inner % heads != 0 || inner > 4096 {
            return Err(format!("{heads} heads of {inner} values"));
        }
        if channels == 0
            || channels > 4096
            || [query, out].iter().any(|w| w.len() != inner * channels)
        {
            return Err(format!(
                "{} and {} weights for {channels} channels and {inner} values",
                query.len(),
                out.len()
            ));
        }
        if !all.iter().copied().flatten().all(|v| v.is_finite()) {
            return Err("a weight or a bias is not finite".to_owned());
        }
        Ok(Self {
            channels,
            heads,
            size: inner / heads,
            query: Product::new(channels, query_bias, |o, i| query[o * channels + i]),
            out: Product::new(inner, out_bias, |o, i| out[o * inner + i]),
            path,
        })
    }

    /// Channels of input and output.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Heads, and values of each.
    pub fn heads(&self) -> (usize, usize) {
        (self.heads, self.size)
    }

    /// Room for what all heads say to a cell, with the lanes that the last one overwrites.
    fn found(&self) -> usize {
        self.heads * self.size.next_multiple_of(LANES)
    }

    /// Makes it ready for a text.
    pub fn prepare(&self, scales: Scales, rows: &TextRows<'_>) -> Told<'_> {
        assert!(rows.keys.len() == self.heads && rows.values.len() == self.heads);
        let of_head = |m: &&[f32]| m.len() == rows.closed.len() * self.size;
        assert!(rows.keys.iter().all(of_head) && rows.values.iter().all(of_head));
        let used = used(rows.closed);
        let (size, count) = (self.size, used.len());
        let (most, heads) = (rows.closed.len(), self.heads);
        let lanes = |rows| Matrix::lanes(size, rows) + Matrix::lanes(rows, size);
        let padded = |n: usize| n.next_multiple_of(LANES);
        let (lanes, most_lanes) = (lanes(count), lanes(most));
        let mut told = Told {
            attention: self,
            scales,
            weights: lend_within([0.0; LANES], lanes * heads, most_lanes * heads),
            closed: lend_within(f32::NEG_INFINITY, padded(count), padded(most)),
            no_bias: lend(0.0, padded(size)),
            used: count,
            rows: most,
        };
        told.closed[..count].fill(0.0);
        for (h, weights) in told.weights.chunks_exact_mut(lanes).enumerate() {
            let (scores, values) = weights.split_at_mut(Matrix::lanes(size, count));
            let (keys, found) = (rows.keys[h], rows.values[h]);
            Matrix::fill(scores, size, count, |row, i| keys[used[row] * size + i]);
            Matrix::fill(values, count, size, |o, row| found[used[row] * size + o]);
        }
        told
    }
}

/// An attention and a text.
#[derive(Debug)]
pub struct Told<'a> {
    attention: &'a Attention,
    scales: Scales,
    /// Of each head: keys, for the scores; values.
    weights: Lent<Lanes>,
    /// Where a score starts: 0 for each row, endlessly low for the lanes behind the last one, whose
    /// power then adds nothing to a sum of at least 1.
    closed: Lent<f32>,
    /// Zeros, where a value starts.
    no_bias: Lent<f32>,
    /// Rows of the text that are used, and all.
    used: usize,
    rows: usize,
}

impl Told<'_> {
    /// The heads, one after the other.
    #[inline(always)]
    fn heads(&self) -> impl Iterator<Item = Head<'_>> {
        let (size, used) = (self.attention.size, self.used);
        let lanes = Matrix::lanes(size, used);
        let each = self.weights.len() / self.attention.heads;
        self.weights.chunks_exact(each).map(move |weights| Head {
            scores: Matrix {
                inputs: size,
                outputs: used,
                weights: &weights[..lanes],
            },
            values: Matrix {
                inputs: used,
                outputs: size,
                weights: &weights[lanes..],
            },
            closed: &self.closed,
            no_bias: &self.no_bias,
        })
    }

    /// [`TOGETHER`] cells; where there are fewer, what the others had is computed again, for nothing.
    #[inline(always)]
    fn cells(&self, features: &[i8], out: &mut [i8], scratch: &mut Scratch) {
        let Self {
            attention, scales, ..
        } = *self;
        let (channels, size) = (attention.channels, attention.size);
        let (queries, found) = (attention.query.padded(), attention.found());
        for (value, &level) in scratch.values.iter_mut().zip(features) {
            *value = f32::from(level) * scales.input;
        }
        let query = four_mut(&mut scratch.query, queries);
        (attention.query).of_four(four(&scratch.values, channels), query);
        for (h, head) in self.heads().enumerate() {
            let at = h * size;
            let query = four(&scratch.query, queries).map(|query| &query[at..at + size]);
            let found = four_mut(&mut scratch.found, found).map(|found| &mut found[at..]);
            head.attend(query, &mut scratch.scores, found);
        }
        let inner = attention.heads * size;
        let values = four(&scratch.found, found).map(|found| &found[..inner]);
        let padded = attention.out.padded();
        (attention.out).of_four(values, four_mut(&mut scratch.told, padded));
        let per_level = 1.0 / scales.output;
        let told = scratch.told.chunks_exact(padded);
        let values = scratch.values.chunks_exact(channels);
        for ((out, values), told) in out.chunks_mut(channels).zip(values).zip(told) {
            for ((to, &value), &more) in out.iter_mut().zip(values).zip(told) {
                *to = i8::of((value + more) * per_level);
            }
        }
    }

    /// `out` = `features` of some cells plus the attention's output, in the output's levels.
    pub fn run(&self, features: &[i8], out: &mut [i8]) {
        let channels = self.attention.channels;
        assert!(features.len() == out.len() && out.len().is_multiple_of(channels));
        self.attention.path.run(Attend {
            told: self,
            features,
            out,
        });
    }
}

struct Attend<'a> {
    told: &'a Told<'a>,
    features: &'a [i8],
    out: &'a mut [i8],
}

impl Portable for Attend<'_> {
    #[inline(always)]
    fn run(self) {
        let mut scratch = Scratch::new(self.told);
        let length = self.told.attention.channels * TOGETHER;
        for (out, features) in self
            .out
            .chunks_mut(length)
            .zip(self.features.chunks(length))
        {
            self.told.cells(features, out, &mut scratch);
        }
    }
}

/// What lies between the levels of some cells: each for [`TOGETHER`] of them, one after the other.
struct Scratch {
    values: Lent<f32>,
    query: Lent<f32>,
    scores: Lent<f32>,
    found: Lent<f32>,
    told: Lent<f32>,
}

impl Scratch {
    fn new(told: &Told<'_>) -> Self {
        let attention = told.attention;
        let [used, rows] = [told.used, told.rows].map(|n| n.next_multiple_of(LANES));
        Self {
            values: lend(0.0, TOGETHER * attention.channels),
            query: lend(0.0, TOGETHER * attention.query.padded()),
            scores: lend_within(0.0, TOGETHER * used, TOGETHER * rows),
            found: lend(0.0, TOGETHER * attention.found()),
            told: lend(0.0, TOGETHER * attention.out.padded()),
        }
    }
}

/// The rows that are used; all where none is: their mean is what an empty text says.
fn used(closed: &[f32]) -> Lent<usize> {
    let mut used = lend(0, closed.len());
    let mut count = 0;
    for row in (0..closed.len()).filter(|&row| closed[row] > -1.0) {
        used[count] = row;
        count += 1;
    }
    if count > 0 {
        used.truncate(count);
    } else {
        used.iter_mut().enumerate().for_each(|(row, to)| *to = row);
    }
    used
}

/// One head's side of the text.
#[derive(Debug, Clone, Copy)]
struct Head<'a> {
    scores: Matrix<'a>,
    values: Matrix<'a>,
    closed: &'a [f32],
    no_bias: &'a [f32],
}

impl Head<'_> {
    /// Softmax of the scores, and the values' mean by it into the front of `out`.
    #[inline(always)]
    fn attend(&self, queries: Four<&[f32]>, scores: &mut [f32], mut out: Four<&mut [f32]>) {
        let rows = self.scores.outputs;
        let padded = rows.next_multiple_of(LANES);
        (self.scores).of_four(self.closed, queries, four_mut(scores, padded));
        let mut shares = [0.0; TOGETHER];
        for (share, scores) in shares.iter_mut().zip(scores.chunks_exact_mut(padded)) {
            *share = 1.0 / powers(scores);
        }
        let scores = four(scores, padded).map(|scores| &scores[..rows]);
        // Lanes behind the head's values are overwritten by the next head, or not read.
        let found = out.each_mut().map(|out| &mut **out);
        (self.values).of_four(self.no_bias, scores, found);
        for (share, out) in shares.iter().zip(out) {
            for value in &mut out[..self.values.outputs] {
                *value *= share;
            }
        }
    }
}

/// Makes powers of scores, the largest 1; returns their sum. By whole lanes: one after the other, the
/// last few would take longer than all before them.
#[inline(always)]
fn powers(scores: &mut [f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut most = [f32::NEG_INFINITY; LANES];
    for part in scores.as_chunks::<LANES>().0 {
        for i in 0..LANES {
            most[i] = larger(most[i], part[i]);
        }
    }
    let most = halved(most, larger);
    let mut sums = [0.0; LANES];
    for part in scores.as_chunks_mut::<LANES>().0 {
        for i in 0..LANES {
            part[i] = exponential(part[i] - most);
            sums[i] += part[i];
        }
    }
    halved(sums, |a, b| a + b)
}

/// All lanes by one operation, each half with the other: a chain of them would be waited for.
#[inline(always)]
fn halved(mut lanes: Lanes, of_two: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = of_two(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}
