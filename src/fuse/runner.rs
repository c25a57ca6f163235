//! Who runs a network's graph: a [`Sequence`] of filmd's operators where they are all of it, else tract.
//!
//! Input: a graph as tract read it; input tensors. Output: the output tensor, lent to a reader. Thread:
//! fuse. Blocks: until all bands are done. Allocates: a sequence nothing; tract every
//! intermediate tensor of a run. Fails when: the graph's shapes are others than asked for; a value is
//! not finite. Not its job: pictures.

use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::knobs::KnobScope;
use tract_onnx::tract_hir::infer::Factoid;

use super::EffectiveGuidance;
use super::int8::Sequence;
use super::tensors::{GUIDANCE, overwrite};

#[derive(Debug)]
pub(super) enum Runner {
    Sequence(Sequence),
    Tract {
        plan: Arc<TypedRunnableModel>,
        state: TypedSimpleState,
        /// The input that is the text's.
        guidance: usize,
    },
}

impl Runner {
    /// For inputs of `shapes`, of which that of number `guidance` is the text's and the others are
    /// the pictures', as is the output.
    ///
    /// # Errors
    /// Where the graph has other shapes, or tract cannot run it.
    pub fn of(model: InferenceModel, shapes: [&[usize]; 3], guidance: usize) -> TractResult<Self> {
        let picture = shapes[usize::from(guidance == 0)];
        let typed = typed(model, shapes, picture)?;
        if let Some(sequence) = Sequence::of(&typed, guidance)? {
            return Ok(Self::Sequence(sequence));
        }
        let plan = optimised(typed)?;
        let state = plan.spawn()?;
        Ok(Self::Tract {
            plan,
            state,
            guidance,
        })
    }

    /// Runs on `inputs`, of which the text's is still to be written, and has the output read. After an
    /// error the next run begins anew.
    ///
    /// # Errors
    /// Those of the run and of `read`.
    pub fn run(
        &mut self,
        inputs: &mut [Arc<Tensor>; 3],
        guidance: &EffectiveGuidance<'_>,
        read: impl FnOnce(&Tensor) -> Result<(), String>,
    ) -> Result<(), String> {
        let (plan, state, text) = match self {
            Self::Sequence(sequence) => {
                let fused = sequence.run(inputs, guidance);
                return read(fused.map_err(|error| format!("{error:#}"))?);
            }
            Self::Tract {
                plan,
                state,
                guidance,
            } => (plan, state, *guidance),
        };
        overwrite(&mut inputs[text], |to| guidance.write(to))?;
        let inputs = inputs
            .each_ref()
            .map(|input| Arc::clone(input).into_tvalue());
        let done = match state.run(inputs.into_iter().collect()) {
            Ok(outputs) => outputs
                .first()
                .map_or(Err("no output".to_owned()), |o| read(o)),
            Err(error) => Err(format!("{error:#}")),
        };
        if let Err(what) = &done {
            // The state keeps values of the broken run; without a new one every later frame would
            // fail too.
            match plan.spawn() {
                Ok(new) => *state = new,
                Err(error) => return Err(format!("{what}; no new state: {error:#}")),
            }
        }
        done
    }
}

/// Fixes the inputs' shapes and checks the output's.
fn typed(
    mut model: InferenceModel,
    shapes: [&[usize]; 3],
    picture: &[usize],
) -> TractResult<TypedModel> {
    for (i, shape) in shapes.into_iter().enumerate() {
        check_declared(&model, i, shape)?;
        model.set_input_fact(i, InferenceFact::dt_shape(f32::datum_type(), shape))?;
    }
    // An exporter's note on intermediate shapes may be for another size; the analyser finds out.
    let typed = model.into_typed()?;
    let outputs = typed.output_outlets()?.to_vec();
    if outputs.len() != 1 {
        return Err(TractError::msg(format!(
            "it has {} outputs; one, fused, was expected",
            outputs.len()
        )));
    }
    let fact = typed.outlet_fact(outputs[0])?;
    if fact.datum_type != f32::datum_type() || fact.shape.as_concrete() != Some(picture) {
        return Err(TractError::msg(format!(
            "its output is {fact:?}; {picture:?} f32 was expected"
        )));
    }
    Ok(typed)
}

/// For this processor.
fn optimised(typed: TypedModel) -> TractResult<Arc<TypedRunnableModel>> {
    // A network that works on space-to-depth features is a chain of wide 3x3 convolutions on
    // short rows, which tract's direct convolution runs slower than its matrix product.
    let scope = KnobScope::new([("TRACT_DISABLE_DIRECT_SPATIAL", "true")])?;
    let optimised = scope.enter(|| typed.into_optimized())?;
    optimised.into_runnable()
}

/// Refuses a graph that was exported for another size, before its facts are overwritten.
fn check_declared(model: &InferenceModel, input: usize, shape: &[usize]) -> TractResult<()> {
    let outlet = model.input_outlets()?[input];
    let name = &model.node(outlet.node).name;
    let fact = model.input_fact(input)?;
    let mut dims = fact.shape.dims();
    let fits = shape.iter().all(|&wanted| {
        dims.next()
            .and_then(|dim| dim.concretize())
            .and_then(|dim| dim.to_i64().ok())
            .is_none_or(|dim| dim == wanted as i64)
    });
    if fits && dims.next().is_none() {
        return Ok(());
    }
    let hint = match name.as_str() {
        GUIDANCE => "it was not made for the text encoder of this manifest",
        _ => "export it with free height and width",
    };
    Err(TractError::msg(format!(
        "its input {name} is [{:?}], {shape:?} is needed; {hint}",
        fact.shape
    )))
}
