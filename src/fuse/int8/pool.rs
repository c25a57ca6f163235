//! `PoolQuant`: means of 4 x 4 cells, the entry to a guide.
//!
//! Input: features `[h,w,c]`. Output: features `[h/4,w/4,c]`. Thread: fuse. Blocks: never.
//! Allocates: scratch, in the first frames. Fails when: a size is not a multiple of 4. Not its job: the
//! guide.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;

use super::bands::bands;
use super::node::{Built, Form, Operator, Plain, positive, refuse, unresolved, values};
use super::node::{axes, features};
use crate::simd::int8::{CELL, Path, Pool};

#[derive(Debug, Clone)]
pub(super) struct PoolQuant {
    /// From levels of the input to levels of the output.
    factor: f32,
}

pub(super) fn parse(_: &ParsingContext, node: &NodeProto) -> Built {
    let factor = positive(node, "factor")?;
    Ok(unresolved(PoolQuant { factor }))
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

    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        let [_, width, channels] = axes(inputs[0].shape())?;
        let mut out = out.try_as_plain_ram_mut()?;
        let pool = Pool {
            input: values(inputs[0])?,
            width,
            channels,
            factor: self.factor,
            path: Path::best(),
        };
        let row = width / CELL * channels;
        bands(out.as_slice_mut()?, row, |first, out| pool.run(first, out));
        Ok(())
    }
}
