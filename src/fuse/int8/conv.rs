//! `ConvQuant`: convolution, bias, residual, ReLU, modulation by the text, requantisation.
//!
//! Input: features `[h,w,i]`; constants: weights `[o,i,k,k]` i8, bias `[o]` i32, multiplier `[o]`
//! f32; with `residual_scale`: features `[h,w,o]`; with `shift_scale`: gain and shift, o values
//! each. Output: features `[h,w,o]`, or f32 of the same shape with `raw`. Thread: fuse. Blocks:
//! never. Allocates: scratch, in the first frames. Fails when: a number is out of range. Not its job: the kernels.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;

use super::bands::bands;
use super::node::{Form, Operator, Parsed, finite, positive_if_any, refuse, unresolved, values};
use crate::simd::int8::{ConvLayer, ConvShape, Epilogue, Level, Path, lend};

#[derive(Debug, Clone)]
struct Attributes {
    kernel: usize,
    relu: bool,
    raw: bool,
    residual: Option<f32>,
    shift: Option<f32>,
}

pub(super) fn parse(
    _: &ParsingContext,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let kernel: i64 = node.get_attr("kernel")?;
    if kernel != 1 && kernel != 3 {
        return refuse(format!("kernel is {kernel}; 1 or 3 is needed"));
    }
    let flag = |name| Ok::<_, TractError>(node.get_attr_opt::<i64>(name)?.unwrap_or(0) != 0);
    Ok(unresolved(Attributes {
        kernel: kernel as usize,
        relu: flag("relu")?,
        raw: flag("raw")?,
        residual: positive_if_any(node, "residual_scale")?,
        shift: positive_if_any(node, "shift_scale")?,
    }))
}

fn output_type(raw: bool) -> DatumType {
    if raw {
        f32::datum_type()
    } else {
        i8::datum_type()
    }
}

impl Parsed for Attributes {
    type Into = ConvQuant;

    fn constants(&self) -> Vec<bool> {
        let mut constants = vec![false, true, true, true];
        constants.extend(self.residual.map(|_| false));
        constants.extend(self.shift.iter().flat_map(|_| [false, false]));
        constants
    }

    fn with(&self, constants: &[Arc<Tensor>]) -> TractResult<ConvQuant> {
        let [weights, bias, multiplier] = constants else {
            return refuse("weights, bias and multiplier are needed");
        };
        let &[outputs, inputs, height, width] = weights.shape() else {
            return refuse(format!("weights of shape {:?}", weights.shape()));
        };
        if (height, width) != (self.kernel, self.kernel) {
            return refuse(format!("weights of shape {:?}", weights.shape()));
        }
        let shape = ConvShape {
            outputs,
            inputs,
            kernel: self.kernel,
        };
        let each = (values::<i32>(bias)?, values::<f32>(multiplier)?);
        let weights = values::<i8>(weights)?;
        match ConvLayer::new(shape, weights, each, self.relu, Path::best()) {
            Ok(layer) => Ok(ConvQuant {
                layer,
                attributes: self.clone(),
            }),
            Err(what) => refuse(what),
        }
    }

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        let ([height, width, _], [outputs, _, _, _]) = (&shapes[0][..], &shapes[1][..]) else {
            return refuse("features [h,w,c] and weights [o,i,k,k] are needed");
        };
        let shape = tvec!(height.clone(), width.clone(), outputs.clone());
        Ok((output_type(self.raw), shape))
    }
}

#[derive(Debug)]
pub(super) struct ConvQuant {
    layer: ConvLayer,
    attributes: Attributes,
}

impl Operator for ConvQuant {
    const NAME: &'static str = "ConvQuant";

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        let ConvShape {
            outputs,
            inputs: channels,
            ..
        } = self.layer.shape();
        let Some((features, rest)) = inputs.split_first() else {
            return refuse("no input");
        };
        let &[height, width, found] = &features.1[..] else {
            return refuse(format!("features of shape {:?}", features.1));
        };
        if features.0 != i8::datum_type() || found != channels {
            return refuse(format!("features {features:?}; {channels} channels fit"));
        }
        let shape: TVec<usize> = tvec!(height, width, outputs);
        let (residual, modulation) = rest.split_at(
            rest.len()
                .min(usize::from(self.attributes.residual.is_some())),
        );
        for form in residual {
            if form.0 != i8::datum_type() || form.1 != shape {
                return refuse(format!("residual {form:?}; {shape:?} fits"));
            }
        }
        for form in modulation {
            let length: usize = form.1.iter().product();
            if form.0 != f32::datum_type() || length != outputs {
                return refuse(format!("gain or shift {form:?}; {outputs} values fit"));
            }
        }
        Ok((output_type(self.attributes.raw), shape))
    }

    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        let mut inputs = inputs.iter();
        let mut next = || inputs.next().context("an input is missing");
        let features = next()?;
        let residual = match self.attributes.residual {
            Some(factor) => Some((values::<i8>(next()?)?, factor)),
            None => None,
        };
        let mut shift = lend(0.0, self.layer.shape().outputs);
        let modulation = match self.attributes.shift {
            Some(scale) => {
                let gain = finite(values::<f32>(next()?)?)?;
                let values = finite(values::<f32>(next()?)?)?;
                for (to, value) in shift.iter_mut().zip(values) {
                    *to = value * scale;
                }
                Some([gain, &shift[..]])
            }
            None => None,
        };
        let epilogue = Epilogue {
            residual,
            modulation,
        };
        let &[height, width, _] = features.shape() else {
            return refuse("features have three axes");
        };
        let (size, features) = ((height, width), values::<i8>(features)?);
        let mut out = out.try_as_plain_ram_mut()?;
        if self.attributes.raw {
            self.convolve::<f32>(features, size, &epilogue, out.as_slice_mut()?);
        } else {
            self.convolve::<i8>(features, size, &epilogue, out.as_slice_mut()?);
        }
        Ok(())
    }
}

impl ConvQuant {
    fn convolve<T: Level>(
        &self,
        features: &[i8],
        size: (usize, usize),
        epilogue: &Epilogue<'_>,
        out: &mut [T],
    ) {
        bands(out, size.1 * self.layer.shape().outputs, |first, out| {
            self.layer.run_rows(features, size, epilogue, first, out);
        });
    }
}
