//! A network all of whose operators are filmd's: run without tract, in tensors of its own.
//!
//! Input: tract's typed graph; then pictures and guidance as tensors. Output: the fused picture's
//! tensor. Thread: fuse. Blocks: until all bands are done. Allocates: when made. Fails when: what the
//! text becomes is not finite. Not its job: sizes, which tract checked when the graph was read.
//!
//! The network is a list of operators, each with the tensor that it writes: one whose values nobody
//! needs any more. Those that see the guidance alone keep theirs ([`TextBranch`]).

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::prelude::*;

use super::node::{Form, Resolved};
use super::steps::{MOST_INPUTS, Operand, Outputs, Step};
use super::text_branch::TextBranch;
use crate::fuse::EffectiveGuidance;

/// A network as a list of operators.
#[derive(Debug)]
pub(in crate::fuse) struct Sequence {
    text_branch: TextBranch,
    /// All others.
    steps: Vec<Step>,
    outputs: Outputs,
    fused: usize,
}

impl Sequence {
    /// Of a graph whose input number `guidance` is the text's and whose others are pictures; `None`
    /// where it has another operator than filmd's.
    ///
    /// # Errors
    /// Where a tensor cannot be made.
    pub fn of(model: &TypedModel, guidance: usize) -> TractResult<Option<Self>> {
        let Some(wiring) = Wiring::of(model, guidance)? else {
            return Ok(None);
        };
        let &[output] = model.output_outlets()? else {
            return Ok(None);
        };
        let Some(&Operand::Output(fused)) = wiring.operands.get(&output) else {
            return Ok(None);
        };
        let tensor = |form: &Form| Tensor::zero_dt(form.0, &form.1).map(Some);
        let outputs = Outputs(
            wiring
                .outputs
                .iter()
                .map(tensor)
                .collect::<TractResult<_>>()?,
        );
        let (of_text, steps) = wiring.steps.into_iter().partition(|step| step.of_text);
        Ok(Some(Self {
            text_branch: TextBranch::new(guidance, of_text, &outputs)?,
            steps,
            outputs,
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
        guidance: &EffectiveGuidance<'_>,
    ) -> TractResult<&Tensor> {
        self.text_branch
            .update(inputs, guidance, &mut self.outputs)?;
        for step in &self.steps {
            self.outputs.run(step, &inputs[..])?;
        }
        self.outputs.get(self.fused)
    }
}

/// Which operator reads and writes what.
#[derive(Default)]
struct Wiring {
    operands: HashMap<OutletId, Operand>,
    steps: Vec<Step>,
    outputs: Vec<Form>,
    /// For each of `made`, how many inputs still read it.
    readers: Vec<usize>,
}

impl Wiring {
    fn of(model: &TypedModel, guidance: usize) -> TractResult<Option<Self>> {
        let mut wiring = Self::default();
        for (n, &outlet) in model.input_outlets()?.iter().enumerate() {
            wiring.operands.insert(outlet, Operand::Input(n));
        }
        for id in model.eval_order()? {
            let node = model.node(id);
            // Inputs have their place, and constants are inside the operators that take them.
            if node.inputs.is_empty() {
                continue;
            }
            if wiring.add(model, node, guidance).is_none() {
                return Ok(None);
            }
        }
        Ok(Some(wiring))
    }

    fn add(&mut self, model: &TypedModel, node: &TypedNode, guidance: usize) -> Option<()> {
        let operator = node.op_as::<Resolved>()?.clone();
        let inputs = node.inputs.iter().map(|i| self.operands.get(i).copied());
        let inputs: Vec<Operand> = inputs.collect::<Option<_>>()?;
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
        self.operands.insert(outlet, Operand::Output(out));
        // The last one's reader is whoever runs the network, the text's are the frames to come.
        let lasts = of_text || model.outputs.contains(&outlet);
        self.readers[out] = output.successors.len() + usize::from(lasts);
        for operand in &inputs {
            if let Operand::Output(n) = *operand {
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
    fn is_text(&self, operand: Operand, guidance: usize) -> bool {
        match operand {
            Operand::Input(n) => n == guidance,
            Operand::Output(n) => self.steps.iter().any(|step| step.out == n && step.of_text),
        }
    }

    /// A tensor of that form that nobody will read any more, or a new one.
    fn place(&mut self, form: Form) -> usize {
        let free = |n: &usize| self.readers[*n] == 0 && self.outputs[*n] == form;
        let found = (0..self.outputs.len()).find(free);
        found.unwrap_or_else(|| {
            self.outputs.push(form);
            self.readers.push(0);
            self.outputs.len() - 1
        })
    }
}
