//! Operators in order, and the tensors between them.

use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::TractErrorContext;

use super::node::{Resolved, refuse};

/// Inputs of one operator: two of each head, and two; an array holds them.
pub(super) const MOST_INPUTS: usize = 2 * super::attention::MOST_HEADS + 2;

/// Where an input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// Of the graph's inputs that one.
    Input(usize),
    /// What an operator wrote.
    Output(usize),
}

/// One operator, and the tensors that it reads and writes.
#[derive(Debug)]
pub(super) struct Step {
    /// As the graph calls it, for errors.
    pub name: String,
    pub operator: Resolved,
    pub inputs: Vec<Operand>,
    /// The tensor that it writes.
    pub out: usize,
    /// Sees the guidance and no picture.
    pub of_text: bool,
}

/// What the operators write.
#[derive(Debug)]
pub(super) struct Outputs(
    /// Each is there but while it is written.
    pub Vec<Option<Tensor>>,
);

impl Outputs {
    /// One of its tensors.
    pub fn get(&self, n: usize) -> TractResult<&Tensor> {
        self.0[n].as_ref().context("a tensor is missing")
    }

    /// The one that the step writes.
    pub fn of(&mut self, step: &Step) -> TractResult<&mut Tensor> {
        self.0[step.out].as_mut().context("a tensor is missing")
    }

    /// Has the step write it.
    pub fn run(&mut self, step: &Step, inputs: &[Arc<Tensor>]) -> TractResult<()> {
        let Some(mut out) = self.0[step.out].take() else {
            return refuse("a tensor is missing");
        };
        let done = self.write(step, inputs, &mut out);
        self.0[step.out] = Some(out);
        done.map_err(|error| error.context(format!("node {}", step.name)))
    }

    fn write(&self, step: &Step, inputs: &[Arc<Tensor>], out: &mut Tensor) -> TractResult<()> {
        let mut from = [&*inputs[0]; MOST_INPUTS];
        for (from, operand) in from.iter_mut().zip(&step.inputs) {
            *from = match *operand {
                Operand::Input(n) => &inputs[n],
                Operand::Output(n) => self.get(n)?,
            };
        }
        step.operator.run(&from[..step.inputs.len()], out)
    }
}
