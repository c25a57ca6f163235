//! `SpaceToDepthQuant` and `BlendOutput`: from the two pictures to features, and back to one.
//!
//! Input: pictures f32 `[1,1,H,W]`; for the blend also maps f32 `[H/4,W/4,32]`: the logit of the
//! first picture's weight, then the detail, in depth order. Output: features `[H/4,W/4,48]`: both
//! pictures, then which one is the more active; the fused picture. Thread: fuse. Blocks: never. Allocates: scratch, in the first frames. Fails when: a size is not a
//! multiple of 4. Not its job: what the maps say.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;

use super::bands::{band_rows, bands, each_band, team};
use super::node::{
    Built, Form, Operator, Plain, positive, positive_if_any, refuse, unresolved, values,
};
use crate::simd::int8::{Blend, CELL, Path, Quantise, lend};

/// Channels of two maps.
const MAPS: usize = 2 * CELL * CELL;

/// Channels of two pictures and their activity.
const CHANNELS: usize = 3 * CELL * CELL;

#[derive(Debug, Clone)]
pub(super) struct SpaceToDepthQuant {
    /// Levels from 0.0 to 1.0.
    steps: f32,
    /// Gradient energy that counts as none.
    floor: f32,
}

#[derive(Debug, Clone)]
pub(super) struct BlendOutput {
    /// Bound of the detail.
    detail: f32,
    /// Detail of at most this magnitude is none, and larger one is smaller by it.
    dead_zone: f32,
}

pub(super) fn parse_quantise(_: &ParsingContext, node: &NodeProto) -> Built {
    let (steps, floor) = (positive(node, "steps")?, positive(node, "floor")?);
    if steps > 255.0 {
        return refuse(format!("steps is {steps}; at most 255 fit 8 bits"));
    }
    Ok(unresolved(SpaceToDepthQuant { steps, floor }))
}

pub(super) fn parse_blend(_: &ParsingContext, node: &NodeProto) -> Built {
    let detail = positive(node, "detail")?;
    let dead_zone = positive_if_any(node, "dead_zone")?.unwrap_or_default();
    Ok(unresolved(BlendOutput { detail, dead_zone }))
}

/// Height and width of two pictures.
fn pictures(inputs: &[Form]) -> TractResult<(usize, usize)> {
    if let [first, second] = inputs
        && first == second
        && first.0 == f32::datum_type()
        && let [1, 1, height, width] = first.1[..]
        && height % CELL == 0
        && width % CELL == 0
        && height * width > 0
    {
        return Ok((height, width));
    }
    refuse(format!("pictures {inputs:?}"))
}

impl Plain for SpaceToDepthQuant {
    const INPUTS: usize = 2;

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        let [_, _, height, width] = &shapes[0][..] else {
            return refuse(format!("a picture of shape {:?}", shapes[0]));
        };
        let (height, width) = (height.clone() / CELL, width.clone() / CELL);
        let shape = tvec!(height, width, CHANNELS.to_dim());
        Ok((i8::datum_type(), shape))
    }
}

impl Operator for SpaceToDepthQuant {
    const NAME: &'static str = "SpaceToDepthQuant";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let (height, width) = pictures(inputs)?;
        let shape = tvec!(height / CELL, width / CELL, CHANNELS);
        Ok((i8::datum_type(), shape))
    }

    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        let planes = [values(inputs[0])?, values(inputs[1])?];
        let width = out.shape()[1] * CELL;
        let mut out = out.try_as_plain_ram_mut()?;
        let quantise = Quantise {
            planes,
            width,
            steps: self.steps,
            floor: self.floor,
            path: Path::best(),
        };
        let row = width / CELL * CHANNELS;
        bands(out.as_slice_mut()?, row, |first, out| {
            quantise.run(first, out);
        });
        Ok(())
    }
}

impl Plain for BlendOutput {
    const INPUTS: usize = 3;

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        Ok((f32::datum_type(), shapes[1].clone()))
    }
}

impl Operator for BlendOutput {
    const NAME: &'static str = "BlendOutput";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let Some((maps, pair)) = inputs.split_first() else {
            return refuse("no input");
        };
        let (height, width) = pictures(pair)?;
        let expected: Form = (f32::datum_type(), tvec!(height / CELL, width / CELL, MAPS));
        if *maps != expected {
            return refuse(format!("maps {maps:?}; {expected:?} fit"));
        }
        Ok(pair[0].clone())
    }

    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        let planes = [values(inputs[1])?, values(inputs[2])?];
        let width = inputs[1].shape()[3];
        let mut out = out.try_as_plain_ram_mut()?;
        let blend = Blend {
            maps: values(inputs[0])?,
            planes,
            width,
            detail: self.detail,
            dead_zone: self.dead_zone,
            path: Path::best(),
        };
        blend_on_all(&blend, out.as_slice_mut()?);
        Ok(())
    }
}

/// [`Blend::run`] on all threads: the means of all cells, then what needs them.
fn blend_on_all(blend: &Blend<'_>, out: &mut [f32]) {
    let (team, columns, row) = (team(), blend.columns(), blend.width * CELL);
    let rows = band_rows(&team, out.len() / row);
    let mut means = lend([0.0; 2], blend.means());
    let inner = columns..means.len() - columns;
    let parts = out
        .chunks_mut(rows * row)
        .zip(means[inner].chunks_mut(rows * columns));
    each_band(&team, parts, |n, (weights, means)| {
        blend.weigh(n * rows, weights, means);
    });
    bands(out, row, |first, out| blend.mix(first, &means, out));
}
