//! `PoolQuant`, `DequantPlanes` and `AddPlanesQuant`: to the coarse grid of a guide, and through
//! the attention in f32.
//!
//! Input: features `[h,w,c]`; for the addition also planes f32 `[1,c,h,w]`. Output: features
//! `[h/4,w/4,c]`, planes, features. Thread: fuse. Blocks: never. Allocates: its output, sums of a
//! row. Fails when: a size is not a multiple of 4, planes are not finite. Not its job: the
//! attention, the convolutions.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;

use super::node::{Form, Operator, Plain, finite, positive, refuse, unresolved, values};
use crate::simd::int8::{CELL, add_planes, planes_of_cells, pool_cells};

type Built = TractResult<(Box<dyn InferenceOp>, Vec<String>)>;

#[derive(Debug, Clone)]
pub(super) struct PoolQuant {
    /// From levels of the input to levels of the output.
    factor: f32,
}

#[derive(Debug, Clone)]
pub(super) struct DequantPlanes {
    /// Value of one level.
    scale: f32,
}

#[derive(Debug, Clone)]
pub(super) struct AddPlanesQuant {
    /// From levels of the features to levels of the output.
    factor: f32,
    /// Value of one level of the output.
    scale: f32,
}

pub(super) fn parse_pool(_: &ParsingContext, node: &NodeProto) -> Built {
    let factor = positive(node, "factor")?;
    Ok(unresolved(PoolQuant { factor }))
}

pub(super) fn parse_dequant(_: &ParsingContext, node: &NodeProto) -> Built {
    let scale = positive(node, "scale")?;
    Ok(unresolved(DequantPlanes { scale }))
}

pub(super) fn parse_add(_: &ParsingContext, node: &NodeProto) -> Built {
    let (factor, scale) = (positive(node, "factor")?, positive(node, "scale")?);
    Ok(unresolved(AddPlanesQuant { factor, scale }))
}

/// Height, width and channels of features.
fn axes<T: Clone>(shape: &[T]) -> TractResult<[T; 3]> {
    match shape {
        [h, w, c] => Ok([h.clone(), w.clone(), c.clone()]),
        _ => refuse(format!("{} axes; features have three", shape.len())),
    }
}

/// [`axes`] of a form of levels.
fn features(form: &Form) -> TractResult<[usize; 3]> {
    let shape = axes(&form.1)?;
    if form.0 == i8::datum_type() && shape.iter().all(|&n| n > 0) {
        return Ok(shape);
    }
    refuse(format!("features {form:?}"))
}

impl Plain for PoolQuant {
    const INPUTS: usize = 1;

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        let [height, width, channels] = axes(&shapes[0])?;
        let shape = tvec!(height / CELL, width / CELL, channels);
        Ok((i8::datum_type(), shape))
    }
}

impl Operator for PoolQuant {
    const NAME: &'static str = "PoolQuant";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let [input] = inputs else {
            return refuse(format!("inputs {inputs:?}"));
        };
        let [height, width, channels] = features(input)?;
        if height % CELL != 0 || width % CELL != 0 {
            return refuse(format!(
                "features {input:?}; multiples of {CELL} are pooled"
            ));
        }
        let shape = tvec!(height / CELL, width / CELL, channels);
        Ok((i8::datum_type(), shape))
    }

    fn run(&self, inputs: &[TValue], out: &mut Tensor) -> TractResult<()> {
        let [height, width, channels] = axes(inputs[0].shape())?;
        let mut out = out.try_as_plain_ram_mut()?;
        let size = (height, width, channels);
        pool_cells(values(&inputs[0])?, size, self.factor, out.as_slice_mut()?);
        Ok(())
    }
}

impl Plain for DequantPlanes {
    const INPUTS: usize = 1;

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        let [height, width, channels] = axes(&shapes[0])?;
        Ok((
            f32::datum_type(),
            tvec!(1.to_dim(), channels, height, width),
        ))
    }
}

impl Operator for DequantPlanes {
    const NAME: &'static str = "DequantPlanes";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let [input] = inputs else {
            return refuse(format!("inputs {inputs:?}"));
        };
        let [height, width, channels] = features(input)?;
        Ok((f32::datum_type(), tvec!(1, channels, height, width)))
    }

    fn run(&self, inputs: &[TValue], out: &mut Tensor) -> TractResult<()> {
        let [_, _, channels] = axes(inputs[0].shape())?;
        let mut out = out.try_as_plain_ram_mut()?;
        planes_of_cells(
            values(&inputs[0])?,
            channels,
            self.scale,
            out.as_slice_mut()?,
        );
        Ok(())
    }
}

impl Plain for AddPlanesQuant {
    const INPUTS: usize = 2;

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        Ok((i8::datum_type(), shapes[0].clone()))
    }
}

impl Operator for AddPlanesQuant {
    const NAME: &'static str = "AddPlanesQuant";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let [levels, planes] = inputs else {
            return refuse(format!("inputs {inputs:?}"));
        };
        let [height, width, channels] = features(levels)?;
        let expected: Form = (f32::datum_type(), tvec!(1, channels, height, width));
        if *planes != expected {
            return refuse(format!("planes {planes:?}; {expected:?} fit"));
        }
        Ok(levels.clone())
    }

    fn run(&self, inputs: &[TValue], out: &mut Tensor) -> TractResult<()> {
        let [_, _, channels] = axes(inputs[0].shape())?;
        let planes = finite(values(&inputs[1])?)?;
        let mut out = out.try_as_plain_ram_mut()?;
        let levels = (values(&inputs[0])?, self.factor);
        add_planes(
            levels,
            (planes, 1.0 / self.scale),
            channels,
            out.as_slice_mut()?,
        );
        Ok(())
    }
}
