//! What all operators share: the way from an ONNX node to one of tract's typed nodes.
//!
//! Input: a [`Parsed`] node. Output: a [`Resolved`] in tract's graph. Thread: any. Blocks: never.
//! Allocates: output tensors, where tract runs it ([`super::Sequence`] has its own). Fails when: arity,
//! types or shapes do not fit. Not its job: what an operator computes.

use std::fmt::Debug;
use std::sync::Arc;

use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;

/// Type and shape of a tensor.
pub(super) type Form = (DatumType, TVec<usize>);

/// What tract's register wants of a parser.
pub(super) type Built = TractResult<(Box<dyn InferenceOp>, Vec<String>)>;

/// An operator with its constants.
pub(super) trait Operator: Debug + Send + Sync + 'static {
    /// As the graph calls it.
    const NAME: &'static str;

    /// The output's form, where the inputs' fit.
    fn form(&self, inputs: &[Form]) -> TractResult<Form>;

    /// Computes the whole output, which may hold anything, from inputs of fitting forms.
    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()>;

    /// What becomes of the output while one text takes over from another, where all it sees is the
    /// guidance; `None`: it has to be computed.
    fn fading(&self) -> Option<Fading> {
        None
    }
}

/// How an output of a fade comes from those of its two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fading {
    /// Each row of a text becomes one, by a matrix and a bias.
    Rows,
    /// It is a mean of the rows.
    Mean,
    /// Where either has the larger value: a row is used where either text uses it.
    Larger,
}

/// An [`Operator`] of any kind.
trait AnyOperator: Debug + Send + Sync {
    fn name(&self) -> &'static str;
    fn form(&self, inputs: &[Form]) -> TractResult<Form>;
    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()>;
    fn fading(&self) -> Option<Fading>;
}

impl<O: Operator> AnyOperator for O {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn form(&self, inputs: &[Form]) -> TractResult<Form> {
        Operator::form(self, inputs)
    }

    fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        Operator::run(self, inputs, out)
    }

    fn fading(&self) -> Option<Fading> {
        Operator::fading(self)
    }
}

/// A node's attributes, before its inputs are known.
pub(super) trait Parsed: Debug + Clone + Send + Sync + 'static {
    /// What it becomes.
    type Into: Operator;

    /// Which of the inputs are constants; the others are handed to [`Operator::run`]. The length
    /// is the number of inputs.
    fn constants(&self) -> Vec<bool>;

    /// Makes the operator of its constants.
    fn with(&self, constants: &[Arc<Tensor>]) -> TractResult<Self::Into>;

    /// The output's type and shape from the shapes of all inputs, whose number is right.
    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)>;
}

/// An operator without constants: its attributes are all it is made of.
pub(super) trait Plain: Operator + Clone {
    /// How many it takes.
    const INPUTS: usize;

    /// As [`Parsed::infer`].
    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)>;
}

impl<T: Plain> Parsed for T {
    type Into = Self;

    fn constants(&self) -> Vec<bool> {
        vec![false; Self::INPUTS]
    }

    fn with(&self, _: &[Arc<Tensor>]) -> TractResult<Self> {
        Ok(self.clone())
    }

    fn infer(&self, shapes: &[TVec<TDim>]) -> TractResult<(DatumType, TVec<TDim>)> {
        Plain::infer(self, shapes)
    }
}

/// An error with a message.
pub(super) fn refuse<T>(what: impl Into<String>) -> TractResult<T> {
    Err(TractError::msg(what.into()))
}

/// A positive finite attribute.
pub(super) fn positive(node: &NodeProto, name: &str) -> TractResult<f32> {
    let value: f32 = node.get_attr(name)?;
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    refuse(format!("{name} is {value}; a positive number is needed"))
}

/// As [`positive`], for an attribute that may be absent.
pub(super) fn positive_if_any(node: &NodeProto, name: &str) -> TractResult<Option<f32>> {
    match node.get_attr_opt::<f32>(name)? {
        Some(_) => positive(node, name).map(Some),
        None => Ok(None),
    }
}

/// The values of a tensor of that type.
pub(super) fn values<T: Datum>(tensor: &Tensor) -> TractResult<&[T]> {
    tensor.try_as_plain_ram()?.as_slice::<T>()
}

/// Refuses values that are not finite: they would vanish in the rounding to levels.
pub(super) fn finite(values: &[f32]) -> TractResult<&[f32]> {
    // A sum of squares is finite only if all are, and takes no branch; huge values are refused.
    if values.iter().map(|v| v * v).sum::<f32>().is_finite() {
        return Ok(values);
    }
    refuse("features of the text or the guides are not finite")
}

/// Height, width and channels of features.
pub(super) fn axes<T: Clone>(shape: &[T]) -> TractResult<[T; 3]> {
    match shape {
        [h, w, c] => Ok([h.clone(), w.clone(), c.clone()]),
        _ => refuse(format!("{} axes; features have three", shape.len())),
    }
}

/// [`axes`] of a form of levels.
pub(super) fn features(form: &Form) -> TractResult<[usize; 3]> {
    let shape = axes(&form.1)?;
    if form.0 == i8::datum_type() && shape.iter().all(|&n| n > 0) {
        return Ok(shape);
    }
    refuse(format!("features {form:?}"))
}

/// An [`Expansion`] of a parsed node.
#[derive(Debug, Clone)]
struct Unresolved<P>(P);

impl<P: Parsed> Expansion for Unresolved<P> {
    fn name(&self) -> StaticName {
        P::Into::NAME.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        let wanted = self.0.constants().len();
        if inputs.len() != wanted || outputs.len() != 1 {
            return refuse(format!(
                "{} has {} inputs and {} outputs; {wanted} and one are needed",
                P::Into::NAME,
                inputs.len(),
                outputs.len()
            ));
        }
        let shapes = inputs.iter().map(|input| &input.shape);
        solver.given_all(shapes, move |solver, shapes: Vec<TVec<TDim>>| {
            let (kind, shape) = self.0.infer(&shapes)?;
            solver.equals(&outputs[0].datum_type, kind)?;
            solver.equals(&outputs[0].shape, shape)
        })
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let is_constant = self.0.constants();
        if inputs.len() != is_constant.len() {
            return refuse(format!("{prefix} has {} inputs", inputs.len()));
        }
        let (mut constants, mut others) = (Vec::new(), TVec::new());
        for (&input, is_constant) in inputs.iter().zip(is_constant) {
            if !is_constant {
                others.push(input);
            } else if let Some(value) = &model.outlet_fact(input)?.konst {
                constants.push(Arc::clone(value));
            } else {
                return refuse(format!("an input of {prefix} has to be a constant"));
            }
        }
        let operator = self.0.with(&constants);
        let operator = operator.map_err(|error| error.context(format!("node {prefix}")))?;
        model.wire_node(prefix, Resolved(Arc::new(operator)), &others)
    }
}

/// tract's node for an operator.
#[derive(Debug, Clone)]
pub(super) struct Resolved(Arc<dyn AnyOperator>);

impl Resolved {
    /// As [`Operator::run`].
    pub fn run(&self, inputs: &[&Tensor], out: &mut Tensor) -> TractResult<()> {
        self.0.run(inputs, out)
    }

    /// As [`Operator::fading`].
    pub fn fading(&self) -> Option<Fading> {
        self.0.fading()
    }
}

/// The same operator, not one that computes the same: tract asks in order to merge nodes.
impl PartialEq for Resolved {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
    }
}

impl Eq for Resolved {}

impl Op for Resolved {
    fn name(&self) -> StaticName {
        self.0.name().into()
    }

    op_as_typed_op!();
}

impl EvalOp for Resolved {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let forms: TVec<Form> = inputs
            .iter()
            .map(|input| (input.datum_type(), input.shape().into()))
            .collect();
        let (kind, shape) = self.0.form(&forms)?;
        let inputs: TVec<&Tensor> = inputs.iter().map(|input| &**input).collect();
        let mut out = Tensor::zero_dt(kind, &shape)?;
        self.run(&inputs, &mut out)?;
        Ok(tvec!(out.into_tvalue()))
    }
}

impl TypedOp for Resolved {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let mut forms = TVec::new();
        for input in inputs {
            let Some(shape) = input.shape.as_concrete() else {
                return refuse(format!("{} takes no open shape, {input:?}", self.0.name()));
            };
            forms.push((input.datum_type, shape.into()));
        }
        let form = self.0.form(&forms);
        let (kind, shape) = form.map_err(|error| error.context(self.0.name()))?;
        Ok(tvec!(kind.fact(&*shape)))
    }
}

/// What tract's register wants.
pub(super) fn unresolved(parsed: impl Parsed) -> (Box<dyn InferenceOp>, Vec<String>) {
    (expand(Unresolved(parsed)), vec![])
}
