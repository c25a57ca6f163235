//! A network that is filmd's operators but for what the text alone decides: run without tract, in
//! tensors of its own.
//!
//! Input: tract's typed graph; then pictures and guidance as tensors. Output: the fused picture's
//! tensor. Thread: fuse. Blocks: until all bands are done. Allocates: when made; and small pieces
//! inside tract where the guidance is not the last frame's. Fails when: what the text becomes is not
//! finite. Not its job: sizes, which tract checked when the graph was read.
//!
//! Matrices for the attention, gains and shifts hang on the guidance alone. tract computes them when
//! the guidance changes, which it does in a fade and not between fades. What comes after is a list of
//! operators, each with the tensor that it writes: one whose values nobody needs any more.

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::TractErrorContext;

use super::node::{Form, Resolved, refuse, values};

/// Inputs of one operator: two of each head, and two; an array holds them.
const MOST_INPUTS: usize = 2 * super::attention::MOST_HEADS + 2;

/// Where an input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Of the graph's inputs that one.
    Picture(usize),
    /// What tract made of the guidance.
    Text(usize),
    /// What an operator wrote.
    Made(usize),
}

#[derive(Debug)]
struct Step {
    /// As the graph calls it, for errors.
    name: String,
    operator: Resolved,
    inputs: Vec<Origin>,
    out: usize,
}

/// A network as a list of operators.
#[derive(Debug)]
pub(in crate::fuse) struct Sequence {
    text: Arc<TypedRunnableModel>,
    state: TypedSimpleState,
    guidance: usize,
    /// The guidance that `told` was made of; empty: none.
    heard: Vec<f32>,
    told: TVec<TValue>,
    steps: Vec<Step>,
    /// Each is there but while it is written.
    made: Vec<Option<Tensor>>,
    fused: usize,
}

impl Sequence {
    /// Of a graph whose input number `guidance` is the text's and whose others are pictures; `None`
    /// where another operator than filmd's works on pictures.
    ///
    /// # Errors
    /// Where tract cannot prepare the text's part.
    pub fn of(model: &TypedModel, guidance: usize) -> TractResult<Option<Self>> {
        let Some(layout) = Layout::of(model, guidance)? else {
            return Ok(None);
        };
        let (&[output], inputs) = (model.output_outlets()?, model.input_outlets()?) else {
            return Ok(None);
        };
        let Some(&Origin::Made(fused)) = layout.origins.get(&output) else {
            return Ok(None);
        };
        let text = model.clone().with_output_outlets(&layout.text)?;
        let text = text.with_input_outlets(&inputs[guidance..=guidance])?;
        let text = text.into_optimized()?.into_runnable()?;
        let tensor = |form: &Form| Tensor::zero_dt(form.0, &form.1).map(Some);
        Ok(Some(Self {
            state: text.spawn()?,
            text,
            guidance,
            heard: Vec::new(),
            told: TVec::new(),
            steps: layout.steps,
            made: layout.made.iter().map(tensor).collect::<TractResult<_>>()?,
            fused,
        }))
    }

    /// Fuses; the tensors are the graph's inputs.
    ///
    /// # Errors
    /// Where the text becomes values that are not finite; the next run begins anew.
    pub fn run(&mut self, inputs: &[Arc<Tensor>]) -> TractResult<&Tensor> {
        self.listen(&inputs[self.guidance])?;
        for step in &self.steps {
            let Some(mut out) = self.made[step.out].take() else {
                return refuse("a tensor is missing");
            };
            let mut from = [&*inputs[0]; MOST_INPUTS];
            for (from, origin) in from.iter_mut().zip(&step.inputs) {
                *from = match *origin {
                    Origin::Picture(n) => &inputs[n],
                    Origin::Text(n) => &self.told[n],
                    Origin::Made(n) => self.made[n].as_ref().context("a tensor is missing")?,
                };
            }
            let done = step.operator.run(&from[..step.inputs.len()], &mut out);
            self.made[step.out] = Some(out);
            done.map_err(|error| error.context(format!("node {}", step.name)))?;
        }
        self.made[self.fused]
            .as_ref()
            .context("a tensor is missing")
    }

    /// Has tract look at a guidance that it has not seen in the last frame.
    fn listen(&mut self, guidance: &Arc<Tensor>) -> TractResult<()> {
        let new = values::<f32>(guidance)?;
        if self.heard == new {
            return Ok(());
        }
        self.heard.clear();
        match self.state.run(tvec!(Arc::clone(guidance).into_tvalue())) {
            Ok(told) => self.told = told,
            Err(error) => {
                // It keeps values of the broken run.
                self.state = self.text.spawn()?;
                return Err(error);
            }
        }
        self.heard.extend_from_slice(new);
        Ok(())
    }
}

/// Which operator reads and writes what.
#[derive(Default)]
struct Layout {
    origins: HashMap<OutletId, Origin>,
    text: Vec<OutletId>,
    steps: Vec<Step>,
    made: Vec<Form>,
    /// For each of `made`, how many inputs still read it.
    readers: Vec<usize>,
}

impl Layout {
    fn of(model: &TypedModel, guidance: usize) -> TractResult<Option<Self>> {
        let mut layout = Self::default();
        for (n, &outlet) in model.input_outlets()?.iter().enumerate() {
            if n != guidance {
                layout.origins.insert(outlet, Origin::Picture(n));
            }
        }
        for id in model.eval_order()? {
            let node = model.node(id);
            // What sees no picture is the text's.
            if node.inputs.iter().any(|i| layout.origins.contains_key(i))
                && layout.add(model, node).is_none()
            {
                return Ok(None);
            }
        }
        Ok(Some(layout))
    }

    fn add(&mut self, model: &TypedModel, node: &TypedNode) -> Option<()> {
        let operator = node.op_as::<Resolved>()?.clone();
        let inputs: Vec<Origin> = node.inputs.iter().map(|&i| self.origin(i)).collect();
        let [output] = &node.outputs[..] else {
            return None;
        };
        if inputs.len() > MOST_INPUTS {
            return None;
        }
        let shape = output.fact.shape.as_concrete()?;
        let out = self.place((output.fact.datum_type, shape.into()));
        let outlet = OutletId::new(node.id, 0);
        self.origins.insert(outlet, Origin::Made(out));
        // The last one's reader is whoever runs the network.
        let is_last = model.outputs.contains(&outlet);
        self.readers[out] = output.successors.len() + usize::from(is_last);
        for origin in &inputs {
            if let Origin::Made(n) = *origin {
                self.readers[n] -= 1;
            }
        }
        self.steps.push(Step {
            name: node.name.clone(),
            operator,
            inputs,
            out,
        });
        Some(())
    }

    fn origin(&mut self, outlet: OutletId) -> Origin {
        if let Some(&origin) = self.origins.get(&outlet) {
            return origin;
        }
        let at = self.text.iter().position(|&known| known == outlet);
        Origin::Text(at.unwrap_or_else(|| {
            self.text.push(outlet);
            self.text.len() - 1
        }))
    }

    /// A tensor of that form that nobody will read any more, or a new one.
    fn place(&mut self, form: Form) -> usize {
        let free = |n: &usize| self.readers[*n] == 0 && self.made[*n] == form;
        let found = (0..self.made.len()).find(free);
        found.unwrap_or_else(|| {
            self.made.push(form);
            self.readers.push(0);
            self.made.len() - 1
        })
    }
}
