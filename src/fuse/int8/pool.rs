//! `PoolDequant`: means of 4 x 4 cells as planes, the entry to a guide.
//!
//! Input: features `[h,w,c]`. Output: f32 `[1,c,h/4,w/4]`. Thread: fuse. Blocks: never. Allocates:
//! its output. Fails when: a size is not a multiple of 4. Not its job: the guide.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;

use super::node::{Form, Operator, Plain, positive, refuse, unresolved, values};
use crate::simd::int8::{CELL, pool_cells};

#[derive(Debug, Clone)]
pub(super) struct PoolDequant {
    /// Value of one level.
    scale: f32,
}

pub(super) fn parse(
    _: &ParsingContext,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let scale = positive(node, "scale")?;
    Ok(unresolved(PoolDequant { scale }))
}

impl Plain for PoolDequant {
    const INPUTS: usize = 1;

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        let [height, width, channels] = &shapes[0][..] else {
            return refuse(format!("features of shape {:?}", shapes[0]));
        };
        let (height, width) = (height.clone() / CELL, width.clone() / CELL);
        let shape = tvec!(1.to_dim(), channels.clone(), height, width);
        Ok((f32::datum_type(), shape))
    }
}

impl Operator for PoolDequant {
    const NAME: &'static str = "PoolDequant";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        match inputs {
            [(kind, shape)] if *kind == i8::datum_type() => match shape[..] {
                [h, w, c] if h % CELL == 0 && w % CELL == 0 && h * w * c > 0 => {
                    Ok((f32::datum_type(), tvec!(1, c, h / CELL, w / CELL)))
                }
                _ => refuse(format!("features of shape {shape:?}")),
            },
            _ => refuse(format!("inputs {inputs:?}")),
        }
    }

    fn run(&self, inputs: &[TValue], out: &mut Tensor) -> TractResult<()> {
        let &[height, width, channels] = inputs[0].shape() else {
            return refuse("features have three axes");
        };
        let mut out = out.try_as_plain_ram_mut()?;
        let size = (height, width, channels);
        pool_cells(values(&inputs[0])?, size, self.scale, out.as_slice_mut()?);
        Ok(())
    }
}
