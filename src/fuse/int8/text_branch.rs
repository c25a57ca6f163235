//! Caches what the network computes from the text alone; recomputed when the text changes.
//!
//! Input: the guidance, or two and how far one has taken over. Output: the tensors that the text's
//! operators write. Thread: fuse. Blocks: never. Allocates: when made. Fails when: an operator does. Not
//! its job: the pictures.
//!
//! In a fade the guidance changes with each frame. The operators that read it compute a matrix product of
//! each row, or a mean of rows. So they run once for each of the two texts, and a frame interpolates their
//! outputs, a few thousand values ([`GuidanceBlend`]). Operators behind the mean of rows run in each frame.

use std::sync::Arc;

use tract_onnx::prelude::*;

use super::node::{Fading, values};
use super::steps::{Operand, Outputs, Step};
use crate::describe::Guidance;
use crate::fuse::tensors::overwrite;
use crate::fuse::{EffectiveGuidance, GuidanceBlend};

/// The operators that see the guidance and no picture.
#[derive(Debug)]
pub(super) struct TextBranch {
    /// The graph's input that is the guidance.
    guidance: usize,
    /// Those that see the guidance itself, and the others.
    first: Vec<Step>,
    others: Vec<Step>,
    /// Version of what they ran for.
    cached_version: Option<u64>,
    /// Where all of the first ones can be faded.
    fade: Option<FadeEnds>,
}

/// What the first operators made of the two texts of a fade.
#[derive(Debug)]
struct FadeEnds {
    fadings: Vec<Fading>,
    from: FadeEnd,
    to: FadeEnd,
}

#[derive(Debug)]
struct FadeEnd {
    version: Option<u64>,
    outputs: Vec<Tensor>,
}

impl TextBranch {
    /// Of the operators that write into `made`.
    pub fn new(guidance: usize, steps: Vec<Step>, outputs: &Outputs) -> TractResult<Self> {
        let sees_it = |step: &Step| step.inputs.iter().all(|&i| i == Operand::Input(guidance));
        let (first, others): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(sees_it);
        let fadings = first.iter().map(|step| step.operator.fading());
        let fade = match fadings.collect::<Option<_>>() {
            Some(fadings) => Some(FadeEnds {
                fadings,
                from: FadeEnd::new(&first, outputs)?,
                to: FadeEnd::new(&first, outputs)?,
            }),
            None => None,
        };
        Ok(Self {
            guidance,
            first,
            others,
            cached_version: None,
            fade,
        })
    }

    /// Writes what becomes of `guidance` into `made`, where that is not what is there.
    pub fn update(
        &mut self,
        inputs: &mut [Arc<Tensor>; 3],
        guidance: &EffectiveGuidance<'_>,
        outputs: &mut Outputs,
    ) -> TractResult<()> {
        let version = guidance.version();
        if self.cached_version == Some(version) {
            return Ok(());
        }
        match (guidance, self.fade.take()) {
            (EffectiveGuidance::Blend(blend), Some(mut ends)) => {
                let done = self.begin(inputs, blend, &mut ends, outputs);
                let done = done.and_then(|()| ends.write(blend, &self.first, outputs));
                self.fade = Some(ends);
                self.cached_version = None;
                done?;
            }
            (_, fade) => {
                self.cached_version = None;
                self.fade = fade;
                self.first(inputs, guidance, outputs)?;
            }
        }
        for step in &self.others {
            outputs.run(step, inputs)?;
        }
        self.cached_version = Some(version);
        Ok(())
    }

    /// Has the first operators see `guidance`.
    fn first(
        &self,
        inputs: &mut [Arc<Tensor>; 3],
        guidance: &EffectiveGuidance<'_>,
        outputs: &mut Outputs,
    ) -> TractResult<()> {
        let arrived = self.fade.as_ref().map(|ends| &ends.to);
        if let Some(end) = arrived.filter(|end| end.version == Some(guidance.version())) {
            return end.put(&self.first, outputs);
        }
        let text = &mut inputs[self.guidance];
        overwrite(text, |to| guidance.write(to)).map_err(TractError::msg)?;
        for step in &self.first {
            outputs.run(step, inputs)?;
        }
        Ok(())
    }

    /// Makes the ends of a fade that are not there.
    fn begin(
        &self,
        inputs: &mut [Arc<Tensor>; 3],
        blend: &GuidanceBlend<'_>,
        ends: &mut FadeEnds,
        outputs: &mut Outputs,
    ) -> TractResult<()> {
        let is = |end: &FadeEnd, text: &Guidance| end.version == Some(text.version());
        if is(&ends.from, blend.from) && is(&ends.to, blend.to) {
            return Ok(());
        }
        let texts = [(&mut ends.from, blend.from), (&mut ends.to, blend.to)];
        for (n, (end, text)) in texts.into_iter().enumerate() {
            // A fade begins from what is shown.
            if n > 0 || self.cached_version != Some(text.version()) {
                self.first(inputs, &EffectiveGuidance::Text(text), outputs)?;
            }
            end.take(text, &self.first, outputs)?;
        }
        Ok(())
    }
}

impl FadeEnds {
    /// Writes what lies between them.
    fn write(
        &self,
        blend: &GuidanceBlend<'_>,
        steps: &[Step],
        outputs: &mut Outputs,
    ) -> TractResult<()> {
        let ends = self.from.outputs.iter().zip(&self.to.outputs);
        for ((step, fading), (from, to)) in steps.iter().zip(&self.fadings).zip(ends) {
            let both = [values::<f32>(from)?, values::<f32>(to)?];
            let columns = from.shape().last().copied().unwrap_or(1);
            let mut out = outputs.of(step)?.try_as_plain_ram_mut()?;
            let out = out.as_slice_mut::<f32>()?;
            match fading {
                Fading::Rows => blend.rows(both, columns, out),
                Fading::Mean => blend.whole(both, out),
                Fading::Larger => {
                    for (out, (&from, &to)) in out.iter_mut().zip(both[0].iter().zip(both[1])) {
                        *out = if to > from { to } else { from };
                    }
                }
            }
        }
        Ok(())
    }
}

impl FadeEnd {
    fn new(steps: &[Step], outputs: &Outputs) -> TractResult<Self> {
        let same = |step: &Step| {
            let tensor = outputs.get(step.out)?;
            Tensor::zero_dt(tensor.datum_type(), tensor.shape())
        };
        Ok(Self {
            version: None,
            outputs: steps.iter().map(same).collect::<TractResult<_>>()?,
        })
    }

    /// Takes what the steps have made of a text.
    fn take(&mut self, text: &Guidance, steps: &[Step], outputs: &Outputs) -> TractResult<()> {
        self.version = None;
        for (to, step) in self.outputs.iter_mut().zip(steps) {
            copy(outputs.get(step.out)?, to)?;
        }
        self.version = Some(text.version());
        Ok(())
    }

    /// Gives it back.
    fn put(&self, steps: &[Step], outputs: &mut Outputs) -> TractResult<()> {
        for (from, step) in self.outputs.iter().zip(steps) {
            copy(from, outputs.of(step)?)?;
        }
        Ok(())
    }
}

fn copy(from: &Tensor, to: &mut Tensor) -> TractResult<()> {
    let mut to = to.try_as_plain_ram_mut()?;
    to.as_slice_mut::<f32>()?.copy_from_slice(values(from)?);
    Ok(())
}
