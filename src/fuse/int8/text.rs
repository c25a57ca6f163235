//! `TextClosed`, `TextMean`, `TextLinear`: what the text becomes before it meets the picture.
//!
//! Input: guidance f32 `[1,rows,features]`, or what one of these made of it. Output: f32, see each.
//! Thread: fuse. Blocks: never. Allocates: scratch, the first time. Fails when: types or shapes do not fit. Not its
//! job: values that are not finite, which the operators refuse that read them.
//!
//! They run where the text is another than the last frame's; in a fade only what follows on the mean
//! ([`Fading`]). Each sum is taken in the order of the rows or the features, so that every processor
//! gives the same bytes.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;

use super::node::{
    Built, Fading, Form, Operator, Parsed, Plain, positive, refuse, unresolved, values,
};
use crate::simd::int8::{Path, Product};

/// Rows and features of a text.
fn text<T: Clone>(shape: &[T]) -> TractResult<[T; 2]> {
    match shape {
        [_, rows, features] => Ok([rows.clone(), features.clone()]),
        _ => refuse(format!("{} axes; a text has three", shape.len())),
    }
}

/// [`text`] of an operator's only input.
fn text_form(inputs: &[Form]) -> TractResult<[usize; 2]> {
    let [(kind, shape)] = inputs else {
        return refuse(format!("inputs {inputs:?}; one text fits"));
    };
    let [rows, features] = text(shape)?;
    if *kind == f32::datum_type() && shape[0] == 1 && rows > 0 && features > 0 {
        return Ok([rows, features]);
    }
    refuse(format!("a text {inputs:?}"))
}

/// The rows of an operator's only input.
fn rows<'t>(inputs: &[&'t Tensor]) -> TractResult<std::slice::ChunksExact<'t, f32>> {
    let [_, features] = text(inputs[0].shape())?;
    Ok(values::<f32>(inputs[0])?.chunks_exact(features))
}

/// Whether a row is used: 0 where it is all zero, else 1, with a steep slope between.
fn used(row: &[f32], slope: f32) -> f32 {
    let mut magnitude = 0.0;
    for value in row {
        magnitude += value.abs();
        // It only grows.
        if magnitude * slope >= 1.0 {
            return 1.0;
        }
    }
    (magnitude * slope).min(1.0)
}

/// To `[1,1,1,rows]`: 0 for a row that is used, `-closed` for one that is not.
#[derive(Debug, Clone)]
pub(super) struct TextClosed {
    slope: f32,
    closed: f32,
}

pub(super) fn parse_closed(_: &ParsingContext, node: &NodeProto) -> Built {
    Ok(unresolved(TextClosed {
        slope: positive(node, "slope")?,
        closed: positive(node, "closed")?,
    }))
}

impl Plain for TextClosed {
    const INPUTS: usize = 1;

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        let [rows, _] = text(&shapes[0])?;
        let one = TDim::from(1);
        Ok((
            f32::datum_type(),
            tvec!(one.clone(), one.clone(), one, rows),
        ))
    }
}

impl Operator for TextClosed {
    const NAME: &'static str = "TextClosed";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let [rows, _] = text_form(inputs)?;
        Ok((f32::datum_type(), tvec!(1, 1, 1, rows)))
    }

    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        let mut out = out.try_as_plain_ram_mut()?;
        for (to, row) in out.as_slice_mut::<f32>()?.iter_mut().zip(rows(inputs)?) {
            *to = (used(row, self.slope) - 1.0) * self.closed;
        }
        Ok(())
    }

    fn fading(&self) -> Option<Fading> {
        Some(Fading::Larger)
    }
}

/// To `[1,1,features]`: the mean of the rows that are used.
#[derive(Debug, Clone)]
pub(super) struct TextMean {
    slope: f32,
}

pub(super) fn parse_mean(_: &ParsingContext, node: &NodeProto) -> Built {
    let slope = positive(node, "slope")?;
    Ok(unresolved(TextMean { slope }))
}

impl Plain for TextMean {
    const INPUTS: usize = 1;

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        let [_, features] = text(&shapes[0])?;
        let one = TDim::from(1);
        Ok((f32::datum_type(), tvec!(one.clone(), one, features)))
    }
}

impl Operator for TextMean {
    const NAME: &'static str = "TextMean";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let [_, features] = text_form(inputs)?;
        Ok((f32::datum_type(), tvec!(1, 1, features)))
    }

    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        let mut out = out.try_as_plain_ram_mut()?;
        let out = out.as_slice_mut::<f32>()?;
        out.fill(0.0);
        let mut count = 0.0;
        // Rows that are not used are zero.
        for row in rows(inputs)? {
            count += used(row, self.slope);
            for (sum, value) in out.iter_mut().zip(row) {
                *sum += value;
            }
        }
        for sum in out {
            *sum /= f32::max(count, 1.0);
        }
        Ok(())
    }

    fn fading(&self) -> Option<Fading> {
        Some(Fading::Mean)
    }
}

#[derive(Debug, Clone)]
struct Attributes {
    relu: bool,
}

pub(super) fn parse_linear(_: &ParsingContext, node: &NodeProto) -> Built {
    let relu = node.get_attr_opt::<i64>("relu")?.unwrap_or(0) != 0;
    Ok(unresolved(Attributes { relu }))
}

impl Parsed for Attributes {
    type Into = TextLinear;

    fn constants(&self) -> Vec<bool> {
        vec![false, true, true]
    }

    fn with(&self, constants: &[Arc<Tensor>]) -> TractResult<TextLinear> {
        let [weights, bias] = constants else {
            return refuse("weights and bias are needed");
        };
        let &[features, outputs] = weights.shape() else {
            return refuse(format!("weights of shape {:?}", weights.shape()));
        };
        if bias.len() != outputs || outputs == 0 || features == 0 {
            return refuse(format!(
                "{} biases for weights of shape {:?}",
                bias.len(),
                weights.shape()
            ));
        }
        let (weights, bias) = (values::<f32>(weights)?, values(bias)?);
        let weight = |output, input| weights[input * outputs + output];
        Ok(TextLinear {
            product: Product::new(features, bias, weight),
            relu: self.relu,
        })
    }

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        let [rows, _] = text(&shapes[0])?;
        let [_, outputs] = &shapes[1][..] else {
            return refuse("weights [features,outputs] are needed");
        };
        Ok((
            f32::datum_type(),
            tvec!(TDim::from(1), rows, outputs.clone()),
        ))
    }
}

/// To `[1,rows,outputs]`: each row by constants, weights f32 `[features,outputs]` and bias f32
/// `[outputs]`; with `relu` nothing below zero.
#[derive(Debug)]
pub(super) struct TextLinear {
    product: Product,
    relu: bool,
}

impl Operator for TextLinear {
    const NAME: &'static str = "TextLinear";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let [rows, found] = text_form(inputs)?;
        let (features, outputs) = self.product.size();
        if found != features {
            return refuse(format!("rows of {found} features; {features} fit"));
        }
        Ok((f32::datum_type(), tvec!(1, rows, outputs)))
    }

    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        let mut out = out.try_as_plain_ram_mut()?;
        let (text, out) = (values::<f32>(inputs[0])?, out.as_slice_mut::<f32>()?);
        self.product.rows(text, self.relu, out, Path::best());
        Ok(())
    }

    fn fading(&self) -> Option<Fading> {
        (!self.relu).then_some(Fading::Rows)
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
