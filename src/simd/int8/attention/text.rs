//! What a text becomes before cells meet it: the weights of two kinds of convolutions.
//!
//! Input: keys and values of the rows. Output: [`PreparedText`]. Thread: any. Blocks: never. Allocates: where
//! there was no text of as many rows before; scratch, see [`lend`]. Fails when: a weight is out of
//! range. Not its job: cells.
//!
//! In a fade there is another text in every frame, so this has to be fast, too.

use super::super::product::{LANES, Lanes, Matrix, Product, TOGETHER, four_mut};
use super::super::scratch::{Lent, lend, lend_within};
use super::super::{ConvLayer, ConvShape, Level, Portable};
use super::cells::{LOWEST, UNIT};
use super::{Attention, PreparedText, TextRows};

/// Largest level of a weight.
const TOP: f32 = 127.0;

/// Where the score of a row starts is a number of products up to this, so that its sum with them is
/// exact in `f32`, too.
const FURTHEST: f32 = 2_097_152.0;

/// Scores beyond this, in their unit, are too far from each other for `f32`.
const MOST_SCORE: f32 = 1024.0;

/// A text's side of a convolution while it is made.
struct Weights {
    /// `[outputs, inputs]`
    weights: Lent<i8>,
    bias: Lent<i32>,
    multiplier: Lent<f32>,
}

impl Weights {
    /// All zero, with place for the layer of [`PreparedText::most`] rows.
    fn new(outputs: usize, inputs: usize, most: (usize, usize)) -> Self {
        Self {
            weights: lend_within(0, outputs * inputs, most.0 * most.1),
            bias: lend_within(0, outputs, most.0),
            multiplier: lend_within(1.0, outputs, most.0),
        }
    }

    fn into(self, layer: &mut ConvLayer, inputs: usize) -> Result<(), String> {
        let shape = ConvShape {
            outputs: self.bias.len(),
            inputs,
            kernel: 1,
        };
        layer.refill(shape, &self.weights, (&self.bias, &self.multiplier))
    }
}

impl Attention {
    /// Makes `told`, from [`Attention::room`], ready for a text; nothing where it is already.
    ///
    /// # Errors
    /// A sentence, where keys or values are so large that scores are no numbers; it knows no text then.
    pub fn prepare(&self, prepared: &mut PreparedText, rows: &TextRows<'_>) -> Result<(), String> {
        assert!(rows.keys.len() == self.heads && rows.values.len() == self.heads);
        let of_head = |m: &&[f32]| m.len() == rows.closed.len() * self.size;
        assert!(rows.keys.iter().all(of_head) && rows.values.iter().all(of_head));
        if prepared.knows(rows) {
            return Ok(());
        }
        prepared.text.clear();
        let most = rows.closed.len().next_multiple_of(LANES);
        if prepared.most < most {
            // Once as long as can be, so that nothing has to grow when a longer text comes.
            self.fill(prepared, rows, (most, most), &[])?;
            prepared.most = most;
        }
        let used = used(rows.closed);
        let padded = used.len().next_multiple_of(LANES);
        self.fill(prepared, rows, (padded, prepared.most), &used)?;
        for part in rows.parts() {
            prepared.text.extend_from_slice(part);
        }
        Ok(())
    }

    /// All layers for the rows that are used, padded to `padded`.
    fn fill(
        &self,
        prepared: &mut PreparedText,
        rows: &TextRows<'_>,
        (padded, most): (usize, usize),
        used: &[usize],
    ) -> Result<(), String> {
        prepared.rows = padded;
        let (channels, heads) = (self.channels, self.heads);
        let mut made = Weights::new(heads * padded, channels, (heads * most, channels));
        let mut largest = 0.0;
        for (h, keys) in rows.keys.iter().enumerate() {
            self.path.run(Keys {
                fold: &self.keys[h],
                keys: keys.chunks_exact(self.size),
                used,
                input: self.scales.input,
                weights: &mut made.weights[h * padded * channels..][..padded * channels],
                bias: &mut made.bias[h * padded..][..padded],
                multiplier: &mut made.multiplier[h * padded..][..padded],
                largest: &mut largest,
            });
        }
        if largest.is_nan() || largest > MOST_SCORE {
            return Err(format!("scores of a text up to {}", largest / UNIT));
        }
        made.into(&mut prepared.scores, channels)?;
        let outputs = self.out_bias.len();
        for (h, layer) in prepared.values.iter_mut().enumerate() {
            let mut made = Weights::new(outputs, padded, (outputs, most));
            self.path.run(Values {
                attention: self,
                head: h,
                values: rows.values[h],
                used,
                rows: (padded, most),
                made: &mut made,
            });
            made.into(layer, padded)?;
        }
        Ok(())
    }
}

impl PreparedText {
    /// Whether it was made for this text.
    fn knows(&self, rows: &TextRows<'_>) -> bool {
        let mut text = &self.text[..];
        for part in rows.parts() {
            match text.split_at_checked(part.len()) {
                Some((same, rest)) if same == part => text = rest,
                _ => return false,
            }
        }
        !self.text.is_empty()
    }
}

impl TextRows<'_> {
    fn parts(&self) -> impl Iterator<Item = &[f32]> {
        let matrices = self.keys.iter().chain(self.values);
        matrices.copied().chain([self.closed])
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

/// The largest of their magnitudes.
#[inline(always)]
fn largest(values: &[Lanes]) -> f32 {
    let mut most = [0.0; LANES];
    for part in values {
        for i in 0..LANES {
            let value = part[i].abs();
            most[i] = if value > most[i] { value } else { most[i] };
        }
    }
    super::cells::halved(most, |a, b| if b > a { b } else { a })
}

/// Weights and starts of one head's scores.
struct Keys<'a> {
    fold: &'a Product,
    keys: std::slice::ChunksExact<'a, f32>,
    used: &'a [usize],
    /// Value of one level of the input.
    input: f32,
    weights: &'a mut [i8],
    bias: &'a mut [i32],
    multiplier: &'a mut [f32],
    /// Made the largest score that might be, if it is larger.
    largest: &'a mut f32,
}

impl Portable for Keys<'_> {
    #[inline(always)]
    fn run(self) {
        let channels = self.fold.size().1 - LANES;
        let wide = self.fold.padded();
        // Rows that are not there have a score below all others.
        self.bias[self.used.len()..].fill(LOWEST);
        let mut folded = lend(0.0, TOGETHER * wide);
        let weights = self.weights.chunks_mut(TOGETHER * channels);
        let bias = self.bias.chunks_mut(TOGETHER);
        let multiplier = self.multiplier.chunks_mut(TOGETHER);
        let rows = self.used.chunks(TOGETHER);
        for (((rows, weights), bias), multiplier) in rows.zip(weights).zip(bias).zip(multiplier) {
            let key = |i: usize| {
                let row = rows[i.min(rows.len() - 1)];
                self.keys.clone().nth(row).unwrap_or_default()
            };
            let keys = [key(0), key(1), key(2), key(3)];
            self.fold.of_four(keys, four_mut(&mut folded, wide));
            let to = weights.chunks_exact_mut(channels).zip(bias).zip(multiplier);
            for (folded, ((weights, bias), multiplier)) in
                folded.chunks_exact(wide).take(rows.len()).zip(to)
            {
                let (start, folded) = folded.split_at(LANES);
                let start = start[0] / self.input;
                let most = largest(folded.as_chunks().0);
                let score = most * channels as f32 * 128.0 + start.abs();
                let score = score * self.input * UNIT;
                if score > *self.largest || score.is_nan() {
                    *self.largest = score;
                }
                // A start that is too far for a fine weight has a coarser one.
                let level = f32::max(most / TOP, start.abs() / FURTHEST).max(f32::MIN_POSITIVE);
                let levels = 1.0 / level;
                for (weight, value) in weights.iter_mut().zip(folded) {
                    *weight = i8::of(value * levels);
                }
                *bias = rounded(start * levels);
                *multiplier = level * self.input * UNIT;
            }
        }
    }
}

/// To the nearest integer, see [`Level`] for `i8`; up to 2^22.
#[inline(always)]
fn rounded(value: f32) -> i32 {
    (value + 12_582_912.0).to_bits() as i32 - 12_582_912_f32.to_bits() as i32
}

/// Weights of what one head says.
struct Values<'a> {
    attention: &'a Attention,
    head: usize,
    /// `[rows, size]`
    values: &'a [f32],
    used: &'a [usize],
    /// As many as weights have, and the most that they might have.
    rows: (usize, usize),
    made: &'a mut Weights,
}

impl Portable for Values<'_> {
    #[inline(always)]
    fn run(self) {
        let Attention {
            heads,
            size,
            scales,
            ..
        } = *self.attention;
        let (rows, most) = self.rows;
        let zeros = lend_within(0.0, rows, most);
        let lanes = |rows| Matrix::lanes(size, rows);
        let mut weights = lend_within([0.0; LANES], lanes(rows), lanes(most));
        for (n, &row) in self.used.iter().enumerate() {
            let (block, lane) = (n / LANES, n % LANES);
            let to = &mut weights[block * size..][..size];
            for (to, &value) in to.iter_mut().zip(&self.values[row * size..][..size]) {
                to[lane] = value;
            }
        }
        let matrix = Matrix {
            inputs: size,
            weights: &weights,
        };
        let mut folded = lend_within(0.0, TOGETHER * rows, TOGETHER * most);
        let inner = heads * size;
        for (n, out) in self
            .attention
            .out
            .chunks_exact(TOGETHER * inner)
            .enumerate()
        {
            let of_one = |i: usize| &out[i * inner + self.head * size..][..size];
            let inputs = [of_one(0), of_one(1), of_one(2), of_one(3)];
            matrix.of_four(&zeros, inputs, four_mut(&mut folded, rows));
            for (i, folded) in folded.chunks_exact(rows).enumerate() {
                let output = n * TOGETHER + i;
                let level = (largest(folded.as_chunks().0) / TOP).max(f32::MIN_POSITIVE);
                let levels = 1.0 / level;
                let weights = &mut self.made.weights[output * rows..][..rows];
                let mut sum = 0;
                for (weight, value) in weights.iter_mut().zip(folded) {
                    *weight = i8::of(value * levels);
                    sum += i32::from(*weight);
                }
                // Powers of 0 to 255 are levels from -128 on.
                self.made.bias[output] = sum * 128;
                self.made.multiplier[output] = level / scales.output;
            }
        }
    }
}
