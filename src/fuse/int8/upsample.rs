//! `UpsampleAdd`: what a guide found, brought up four times and added to the trunk.
//!
//! Input: features `[h,w,c]`, grid of features `[h/4,w/4,c]`; constants: depthwise weights
//! `[16c,1,3,3]` and bias `[16c]`. Output: features `[h,w,c]`. Thread: fuse. Blocks: never.
//! Allocates: scratch, in the first frames. Fails when: a number is out of range. Not its job:
//! the guide.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;

use super::bands::bands;
use super::node::{Form, Operator, Parsed, positive, refuse, unresolved, values};
use crate::simd::int8::{CELL, Path, Upsampler};

#[derive(Debug, Clone)]
struct Attributes {
    /// Value of one level of the output.
    scale: f32,
    /// Value of one level of the grid.
    grid_scale: f32,
    /// From levels of the features to levels of the output.
    factor: f32,
}

pub(super) fn parse(
    _: &ParsingContext,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    Ok(unresolved(Attributes {
        scale: positive(node, "scale")?,
        grid_scale: positive(node, "grid_scale")?,
        factor: positive(node, "factor")?,
    }))
}

impl Parsed for Attributes {
    type Into = UpsampleAdd;

    fn constants(&self) -> Vec<bool> {
        vec![false, false, true, true]
    }

    fn with(&self, constants: &[Arc<Tensor>]) -> TractResult<UpsampleAdd> {
        let [weights, bias] = constants else {
            return refuse("weights and bias are needed");
        };
        let channels = bias.len() / (CELL * CELL);
        let (weights, bias) = (values(weights)?, values(bias)?);
        let scales = (self.grid_scale, self.scale);
        match Upsampler::new(channels, weights, bias, scales, Path::best()) {
            Ok(upsampler) => Ok(UpsampleAdd {
                upsampler,
                factor: self.factor,
            }),
            Err(what) => refuse(what),
        }
    }

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        Ok((i8::datum_type(), shapes[0].clone()))
    }
}

#[derive(Debug)]
pub(super) struct UpsampleAdd {
    upsampler: Upsampler,
    factor: f32,
}

impl Operator for UpsampleAdd {
    const NAME: &'static str = "UpsampleAdd";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let [features, grid] = inputs else {
            return refuse(format!("inputs {inputs:?}"));
        };
        let channels = self.upsampler.channels();
        let i8 = i8::datum_type();
        match features.1[..] {
            [h, w, c] if c == channels && h % CELL == 0 && w % CELL == 0 && h * w > 0 => {
                let expected: Form = (i8, tvec!(h / CELL, w / CELL, c));
                if features.0 == i8 && *grid == expected {
                    return Ok(features.clone());
                }
                refuse(format!("inputs {inputs:?}; a grid {expected:?} fits"))
            }
            _ => refuse(format!("features {features:?}; {channels} channels fit")),
        }
    }

    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        let [features, grid] = inputs else {
            return refuse("two inputs are needed");
        };
        let &[height, width, _] = features.shape() else {
            return refuse("features have three axes");
        };
        let grid = values(grid)?;
        let mut out = out.try_as_plain_ram_mut()?;
        let features = (values(features)?, self.factor);
        let upsampling = self.upsampler.prepare(features, grid, (height, width));
        let row = CELL * width * self.upsampler.channels();
        bands(out.as_slice_mut()?, row, |first, out| {
            upsampling.run(first * CELL, out);
        });
        Ok(())
    }
}
