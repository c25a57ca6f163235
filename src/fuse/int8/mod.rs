//! Operators for tract: a signed 8-bit trunk by the kernels of [`crate::simd::int8`], and what becomes
//! of the text.
//!
//! Input: nodes of the domain `filmd` in an ONNX graph (`models/quantise.py` writes them). Output:
//! a reader that knows them, and a [`Sequence`] of them. Thread: fuse, and the threads of a team.
//! Blocks: until those are done. Allocates: scratch, in the first frames; see [`Sequence`]. Fails
//! when: a node's attributes, constants or shapes are out of range: loading ends with an error that
//! names the node. Not its job: the kernels.
//!
//! Features are `[height, width, channels]` in i8, a cell of 4 x 4 pixels each; planes are
//! `[1, channels, height, width]` in f32.

mod attention;
mod bands;
mod blend;
mod conv;
mod node;
mod pool;
mod sequence;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod text_branch;
mod upsample;

use tract_onnx::Onnx;

pub(super) use bands::{bands_on, within};
pub(super) use sequence::Sequence;

/// tract's ONNX reader with filmd's operators. tract ignores the domain of a node, so their names
/// are none of the standard's.
pub(super) fn reader() -> Onnx {
    let mut onnx = tract_onnx::onnx();
    let register = &mut onnx.op_register;
    register.insert("SpaceToDepthQuant", blend::parse_quantise);
    register.insert("ConvQuant", conv::parse);
    register.insert("PoolQuant", pool::parse);
    register.insert("AttentionQuant", attention::parse);
    register.insert("UpsampleAdd", upsample::parse);
    register.insert("BlendOutput", blend::parse_blend);
    register.insert("TextClosed", text::parse_closed);
    register.insert("TextMean", text::parse_mean);
    register.insert("TextLinear", text::parse_linear);
    onnx
}
