//! `AttentionQuant`: what the text says to each cell of a guide's grid, added to it.
//!
//! Input: features `[h,w,c]`; keys f32 `[1,rows,size]` of each head, values of the same shape of
//! each head, and f32 of `rows` numbers, below zero where a row is not used; constants: query weights
//! `[heads*size,c]` with bias, output weights `[c,heads*size]` with bias, f32. Output: features
//! `[h,w,c]`. Thread: fuse. Blocks: never. Allocates: scratch, in the first frames. Fails when: a
//! number is out of range. Not its job: the text's projections.

use std::sync::{Mutex, PoisonError};

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;

use super::bands::bands;
use super::node::{
    Built, Form, Operator, Parsed, features, finite, positive, refuse, unresolved, values,
};
use crate::simd::int8::{Attention, Path, PreparedText, Scales, TextRows};

/// More would be another kind of network.
pub(super) const MOST_HEADS: usize = 16;

#[derive(Debug, Clone)]
struct Attributes {
    heads: usize,
    scales: Scales,
}

pub(super) fn parse(_: &ParsingContext, node: &NodeProto) -> Built {
    let heads: i64 = node.get_attr("heads")?;
    if !(1..=MOST_HEADS as i64).contains(&heads) {
        return refuse(format!("heads is {heads}; 1 to {MOST_HEADS} are needed"));
    }
    let scales = Scales {
        input: positive(node, "input_scale")?,
        output: positive(node, "scale")?,
    };
    Ok(unresolved(Attributes {
        heads: heads as usize,
        scales,
    }))
}

impl Parsed for Attributes {
    type Into = AttentionQuant;

    fn constants(&self) -> Vec<bool> {
        let mut constants = vec![false; 2 + 2 * self.heads];
        constants.extend([true; 4]);
        constants
    }

    fn with(&self, constants: &[Arc<Tensor>]) -> TractResult<AttentionQuant> {
        let [query, query_bias, out, out_bias] = constants else {
            return refuse("two weights and two biases are needed");
        };
        let (query, out) = (
            (values(query)?, values(query_bias)?),
            (values(out)?, values(out_bias)?),
        );
        match Attention::new(self.heads, query, out, self.scales, Path::best()) {
            Ok(attention) => Ok(AttentionQuant {
                prepared: Mutex::new(attention.room()),
                attention,
            }),
            Err(what) => refuse(what),
        }
    }

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        Ok((i8::datum_type(), shapes[0].clone()))
    }
}

#[derive(Debug)]
pub(super) struct AttentionQuant {
    attention: Attention,
    /// Of the last frame's text; it is another one in a fade alone.
    prepared: Mutex<PreparedText>,
}

impl Operator for AttentionQuant {
    const NAME: &'static str = "AttentionQuant";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let [grid, matrices @ .., closed] = inputs else {
            return refuse(format!("inputs {inputs:?}"));
        };
        let (heads, size) = self.attention.heads();
        let [_, _, channels] = features(grid)?;
        if channels != self.attention.channels() || matrices.len() != 2 * heads {
            return refuse(format!("features {grid:?} and {} matrices", matrices.len()));
        }
        let rows: usize = closed.1.iter().product();
        let expected: Form = (f32::datum_type(), tvec!(1, rows, size));
        if rows == 0 || closed.0 != f32::datum_type() || matrices.iter().any(|m| *m != expected) {
            return refuse(format!("keys and values {matrices:?}; {expected:?} fit"));
        }
        Ok(grid.clone())
    }

    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        let [grid, matrices @ .., closed] = inputs else {
            return refuse("features and a text are needed");
        };
        let mut text: [&[f32]; 2 * MOST_HEADS] = [&[][..]; 2 * MOST_HEADS];
        for (to, matrix) in text.iter_mut().zip(matrices) {
            *to = finite(values(matrix)?)?;
        }
        let (keys, values_of) = text[..matrices.len()].split_at(self.attention.heads().0);
        let rows = TextRows {
            keys,
            values: values_of,
            closed: values(closed)?,
        };
        let mut out = out.try_as_plain_ram_mut()?;
        // One whose making was broken off knows no text.
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(what) = self.attention.prepare(&mut prepared, &rows) {
            return refuse(what);
        }
        let prepared = &*prepared;
        let (row, features) = (grid.shape()[1] * self.attention.channels(), values(grid)?);
        bands(out.as_slice_mut()?, row, |first, out| {
            let features = &features[first * row..][..out.len()];
            self.attention.run(prepared, features, out);
        });
        Ok(())
    }
}
