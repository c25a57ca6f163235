//! Cross-attention from the cells of a coarse grid to the rows of a text (Vaswani et al. 2017,
//! section 3.2), by products of bytes.
//!
//! Input: levels `[cells, channels]`; keys and values of the text. Output: levels `[cells,
//! channels]`: the input plus what the text says to it. Thread: any. Blocks: never. Allocates:
//! [`Attention::new`]; the first [`Attention::prepare`] of a [`PreparedText`]; some kilobytes of scratch, see
//! [`super::lend`]. Fails when: [`Attention::new`] and [`Attention::prepare`] say so; slices do not fit
//! (a panic: a caller's mistake). Not its job: keys and values.
//!
//! A score is a key's product with a query, which is a matrix times the cell: all scores are one
//! convolution, whose weights are the keys times that matrix. What the text says is a matrix times the
//! values' mean: one convolution of the rows' shares for each head, whose weights are the values times
//! that one. Both are made when there is another text ([`text`]); cells then meet no other matrix
//! ([`cells`]). Rows that the text does not use cost nothing.
//!
//! Sums of products are exact; the rest is single `f32` additions and multiplications in the order
//! written: the same bytes everywhere.

mod cells;
mod text;

use super::product::{LANES, Product};
use super::{ConvLayer, Path};

/// Weights of the query and of the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    channels: usize,
    heads: usize,
    /// Of a head.
    size: usize,
    /// Per head: from a key to where its score starts, behind that zeros up to [`LANES`], then a
    /// weight of the score per channel.
    keys: Vec<Product>,
    /// `[channels, heads * size]`
    out: Vec<f32>,
    /// In levels of the output, padded to whole [`LANES`].
    out_bias: Vec<f32>,
    scales: Scales,
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scales {
    /// Value of one level of the input.
    pub input: f32,
    /// Value of one level of the output.
    pub output: f32,
}

/// An attention and a text.
#[derive(Debug)]
pub struct PreparedText {
    /// The text it was made for, as it came; empty while there is none.
    text: Vec<f32>,
    /// Rows for which there was room before.
    most: usize,
    /// Rows of a head, padded to whole [`LANES`].
    rows: usize,
    /// From levels of a cell to scores `[heads, rows]`, in the unit of [`cells::UNIT`].
    scores: ConvLayer,
    /// Per head, from powers of the scores to what its values say, in levels of the output; to be
    /// divided by the powers' sum. Channels padded to whole [`LANES`].
    values: Vec<ConvLayer>,
}

impl Attention {
    /// Query weights `[heads * size, channels]` (times the scale of the scores), output weights
    /// `[channels, heads * size]`, each with its bias.
    ///
    /// # Errors
    /// A sentence, where sizes do not fit or a number is out of its range.
    pub fn new(
        heads: usize,
        (query, query_bias): (&[f32], &[f32]),
        (out, out_bias): (&[f32], &[f32]),
        scales: Scales,
        path: Path,
    ) -> Result<Self, String> {
        let (inner, channels) = (query_bias.len(), out_bias.len());
        let all = [query, query_bias, out, out_bias];
        if heads == 0 || inner == 0 || inner % heads != 0 || inner > 4096 {
            return Err(format!("{heads} heads of {inner} values"));
        }
        if channels == 0
            || channels % 4 != 0
            || channels > 4096
            || [query, out].iter().any(|w| w.len() != inner * channels)
        {
            return Err(format!(
                "{} and {} weights for {channels} channels, a multiple of 4, and {inner} values",
                query.len(),
                out.len()
            ));
        }
        if !all.iter().copied().flatten().all(|v| v.is_finite()) {
            return Err("a weight or a bias is not finite".to_owned());
        }
        let size = inner / heads;
        let of_head = |h: usize| {
            Product::new(size, &vec![0.0; LANES + channels], |o, i| {
                let inner = h * size + i;
                match o.checked_sub(LANES) {
                    Some(channel) => query[inner * channels + channel],
                    None if o == 0 => query_bias[inner],
                    None => 0.0,
                }
            })
        };
        let mut out_bias: Vec<f32> = out_bias.iter().map(|b| b / scales.output).collect();
        out_bias.resize(channels.next_multiple_of(LANES), 0.0);
        Ok(Self {
            channels,
            heads,
            size,
            keys: (0..heads).map(of_head).collect(),
            out: out.to_vec(),
            out_bias,
            scales,
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

    /// Room for a text, see [`Attention::prepare`].
    pub fn room(&self) -> PreparedText {
        let empty = || ConvLayer::empty(false, self.path);
        PreparedText {
            text: Vec::new(),
            most: 0,
            rows: 0,
            scores: empty(),
            values: (0..self.heads).map(|_| empty()).collect(),
        }
    }
}
