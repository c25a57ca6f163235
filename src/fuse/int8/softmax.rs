//! `SoftmaxRows`: the softmax over the last axis, for the attention to the text.
//!
//! Input and output: f32 of one shape. tract's own goes through the mathematical library, value by
//! value. Thread: fuse. Blocks: never. Allocates: its output. Fails when: there is no axis. Not its
//! job: the attention.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;

use super::node::{Form, Operator, Plain, refuse, unresolved, values};
use crate::simd::int8::softmax_rows;

#[derive(Debug, Clone)]
pub(super) struct SoftmaxRows;

pub(super) fn parse(
    _: &ParsingContext,
    _: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    Ok(unresolved(SoftmaxRows))
}

impl Plain for SoftmaxRows {
    const INPUTS: usize = 1;

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        Ok((f32::datum_type(), shapes[0].clone()))
    }
}

impl Operator for SoftmaxRows {
    const NAME: &'static str = "SoftmaxRows";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        match inputs {
            [form] if form.0 == f32::datum_type() && form.1.iter().product::<usize>() > 0 => {
                Ok(form.clone())
            }
            _ => refuse(format!("inputs {inputs:?}")),
        }
    }

    fn run(&self, inputs: &[TValue], out: &mut Tensor) -> TractResult<()> {
        let length = inputs[0].shape().last().copied().unwrap_or(1);
        let mut out = out.try_as_plain_ram_mut()?;
        softmax_rows(values(&inputs[0])?, length, out.as_slice_mut()?);
        Ok(())
    }
}
