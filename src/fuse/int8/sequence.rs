//! A network all of whose operators are filmd's: run without tract, in tensors of its own.
//!
//! Input: tract's typed graph; then pictures and guidance as tensors. Output: the fused picture's
//! tensor. Thread: fuse. Blocks: until all bands are done. Allocates: when made. Fails when: what the
//! text becomes is not finite. Not its job: sizes, which tract checked when the graph was read.
//!
//! The network is a list of operators, each with the tensor that it writes: one whose values nobody
//! needs any more. Those that see the guidance alone keep theirs ([`Hearing`]).

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::prelude::*;

use super::hearing::Hearing;
use super::node::{Form, Resolved};
use super::steps::{MOST_INPUTS, Made, Origin, Step};
use crate::fuse::Shown;

/// A network as a list of operators.
#[derive(Debug)]
pub(in crate::fuse) struct Sequence {
    hearing: Hearing,
    /// All others.
    steps: Vec<Step>,
    made: Made,
    fused: usize,
}

impl Sequence {
    /// Of a graph whose input number `guidance` is the text's and whose others are pictures; `None`
    /// where it has another operator than filmd's.
    ///
    /// # Errors
    /// Where a tensor cannot be made.
    pub fn of(model: &TypedModel, guidance: usize) -> TractResult<Option<Self>> {
        let Some(layout) = Layout::of(model, guidance)? else {
            return Ok(None);
        };
        let &[output] = model.output_outlets()? else {
            return Ok(None);
        };
        let Some(&Origin::Made(fused)) = layout.origins.get(&output) else {
            return Ok(None);
        };
        let tensor = |form: &Form| Tensor::zero_dt(form.0, &form.1).map(Some);
        let made = Made(layout.made.iter().map(tensor).collect::<TractResult<_>>()?);
        let (of_text, steps) = layout.steps.into_iter().partition(|step| step.of_text);
        Ok(Some(Self {
            hearing: Hearing::new(guidance, of_text, &made)?,
            steps,
            made,
            fused,
        }))
    }

    /// Fuses; the tensors are the graph's inputs, of which the text's may hold anything.
    ///
    /// # Errors
    /// Where the text becomes values that are not finite; the next run begins anew.
    pub fn run(
        &mut self,
        inputs: &mut [Arc<Tensor>; 3],
        guidance: &Shown<'_>,
    ) -> TractResult<&Tensor> {
        self.hearing.hear(inputs, guidance, &mut self.made)?;
        for step in &self.steps {
            self.made.run(step, &inputs[..])?;
        }
        self.made.get(self.fused)
    }
}

/// Which operator reads and writes what.
#[derive(Default)]
struct Layout {
    origins: HashMap<OutletId, Origin>,
    steps: Vec<Step>,
    made: Vec<Form>,
    /// For each of `made`, how many inputs still read it.
    readers: Vec<usize>,
}

impl Layout {
    fn of(model: &TypedModel, guidance: usize) -> TractResult<Option<Self>> {
        let mut layout = Self::default();
        for (n, &outlet) in model.input_outlets()?.iter().enumerate() {
            layout.origins.insert(outlet, Origin::Given(n));
        }
        for id in model.eval_order()? {
            let node = model.node(id);
            // Inputs have their place, and constants are inside the operators that take them.
            if node.inputs.is_empty() {
                continue;
            }
            if layout.add(model, node, guidance).is_none() {
                return Ok(None);
            }
        }
        Ok(Some(layout))
    }

    fn add(&mut self, model: &TypedModel, node: &TypedNode, guidance: usize) -> Option<()> {
        let operator = node.op_as::<Resolved>()?.clone();
        let inputs = node.inputs.iter().map(|i| self.origins.get(i).copied());
        let inputs: Vec<Origin> = inputs.collect::<Option<_>>()?;
        let [output] = &node.outputs[..] else {
            return None;
        };
        if inputs.len() > MOST_INPUTS {
            return None;
        }
        let of_text = inputs.iter().all(|&input| self.is_text(input, guidance));
        let shape = output.fact.shape.as_concrete()?;
        let out = self.place((output.fact.datum_type, shape.into()));
        let outlet = OutletId::new(node.id, 0);
        self.origins.insert(outlet, Origin::Made(out));
        // The last one's reader is whoever runs the network, the text's are the frames to come.
        let lasts = of_text || model.outputs.contains(&outlet);
        self.readers[out] = output.successors.len() + usize::from(lasts);
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
            of_text,
        });
        Some(())
    }

    /// Whether it is the guidance, or was made of it alone.
    fn is_text(&self, origin: Origin, guidance: usize) -> bool {
        match origin {
            Origin::Given(n) => n == guidance,
            Origin::Made(n) => self.steps.iter().any(|step| step.out == n && step.of_text),
        }
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
