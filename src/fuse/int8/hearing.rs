//! What a network makes of its text, made when the text is another.
//!
//! Input: the guidance, or two and how far one has taken over. Output: the tensors that the text's
//! operators write. Thread: fuse. Blocks: never. Allocates: when made. Fails when: an operator does. Not
//! its job: the pictures.
//!
//! In a fade the text is another in each frame. But what operators make of the guidance itself is
//! a matrix's product with each row, or a mean of rows, so it is made of the two texts once, and what
//! lies between them is a few thousand values and not the products of as many rows as the texts have
//! with all weights ([`Between`]). What follows on the mean of rows, of one row, runs each time.

use std::sync::Arc;

use tract_onnx::prelude::*;

use super::node::{Fading, values};
use super::steps::{Made, Origin, Step};
use crate::describe::Guidance;
use crate::fuse::tensors::overwrite;
use crate::fuse::{Between, Shown};

/// The operators that see the guidance and no picture.
#[derive(Debug)]
pub(super) struct Hearing {
    /// The graph's input that is the guidance.
    guidance: usize,
    /// Those that see the guidance itself, and the others.
    first: Vec<Step>,
    others: Vec<Step>,
    /// Version of what they ran for.
    heard: Option<u64>,
    /// Where all of the first ones can be faded.
    fade: Option<Ends>,
}

/// What the first operators made of the two texts of a fade.
#[derive(Debug)]
struct Ends {
    fadings: Vec<Fading>,
    from: End,
    to: End,
}

#[derive(Debug)]
struct End {
    version: Option<u64>,
    made: Vec<Tensor>,
}

impl Hearing {
    /// Of the operators that write into `made`.
    pub fn new(guidance: usize, steps: Vec<Step>, made: &Made) -> TractResult<Self> {
        let sees_it = |step: &Step| step.inputs.iter().all(|&i| i == Origin::Given(guidance));
        let (first, others): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(sees_it);
        let fadings = first.iter().map(|step| step.operator.fading());
        let fade = match fadings.collect::<Option<_>>() {
            Some(fadings) => Some(Ends {
                fadings,
                from: End::new(&first, made)?,
                to: End::new(&first, made)?,
            }),
            None => None,
        };
        Ok(Self {
            guidance,
            first,
            others,
            heard: None,
            fade,
        })
    }

    /// Writes what becomes of `guidance` into `made`, where that is not what is there.
    pub fn hear(
        &mut self,
        inputs: &mut [Arc<Tensor>; 3],
        guidance: &Shown<'_>,
        made: &mut Made,
    ) -> TractResult<()> {
        let version = guidance.version();
        if self.heard == Some(version) {
            return Ok(());
        }
        match (guidance, self.fade.take()) {
            (Shown::Between(between), Some(mut ends)) => {
                let done = self.begin(inputs, between, &mut ends, made);
                let done = done.and_then(|()| ends.write(between, &self.first, made));
                self.fade = Some(ends);
                self.heard = None;
                done?;
            }
            (_, fade) => {
                self.heard = None;
                self.fade = fade;
                self.first(inputs, guidance, made)?;
            }
        }
        for step in &self.others {
            made.run(step, inputs)?;
        }
        self.heard = Some(version);
        Ok(())
    }

    /// Has the first operators see `guidance`.
    fn first(
        &self,
        inputs: &mut [Arc<Tensor>; 3],
        guidance: &Shown<'_>,
        made: &mut Made,
    ) -> TractResult<()> {
        let arrived = self.fade.as_ref().map(|ends| &ends.to);
        if let Some(end) = arrived.filter(|end| end.version == Some(guidance.version())) {
            return end.put(&self.first, made);
        }
        let text = &mut inputs[self.guidance];
        overwrite(text, |to| guidance.write(to)).map_err(TractError::msg)?;
        for step in &self.first {
            made.run(step, inputs)?;
        }
        Ok(())
    }

    /// Makes the ends of a fade that are not there.
    fn begin(
        &self,
        inputs: &mut [Arc<Tensor>; 3],
        between: &Between<'_>,
        ends: &mut Ends,
        made: &mut Made,
    ) -> TractResult<()> {
        let is = |end: &End, text: &Guidance| end.version == Some(text.version());
        if is(&ends.from, between.from) && is(&ends.to, between.to) {
            return Ok(());
        }
        let texts = [(&mut ends.from, between.from), (&mut ends.to, between.to)];
        for (n, (end, text)) in texts.into_iter().enumerate() {
            // A fade begins from what is shown.
            if n > 0 || self.heard != Some(text.version()) {
                self.first(inputs, &Shown::Text(text), made)?;
            }
            end.take(text, &self.first, made)?;
        }
        Ok(())
    }
}

impl Ends {
    /// Writes what lies between them.
    fn write(&self, between: &Between<'_>, steps: &[Step], made: &mut Made) -> TractResult<()> {
        let ends = self.from.made.iter().zip(&self.to.made);
        for ((step, fading), (from, to)) in steps.iter().zip(&self.fadings).zip(ends) {
            let both = [values::<f32>(from)?, values::<f32>(to)?];
            let columns = from.shape().last().copied().unwrap_or(1);
            let mut out = made.of(step)?.try_as_plain_ram_mut()?;
            let out = out.as_slice_mut::<f32>()?;
            match fading {
                Fading::Rows => between.rows(both, columns, out),
                Fading::Mean => between.whole(both, out),
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

impl End {
    fn new(steps: &[Step], made: &Made) -> TractResult<Self> {
        let same = |step: &Step| {
            let tensor = made.get(step.out)?;
            Tensor::zero_dt(tensor.datum_type(), tensor.shape())
        };
        Ok(Self {
            version: None,
            made: steps.iter().map(same).collect::<TractResult<_>>()?,
        })
    }

    /// Takes what the steps have made of a text.
    fn take(&mut self, text: &Guidance, steps: &[Step], made: &Made) -> TractResult<()> {
        self.version = None;
        for (to, step) in self.made.iter_mut().zip(steps) {
            copy(made.get(step.out)?, to)?;
        }
        self.version = Some(text.version());
        Ok(())
    }

    /// Gives it back.
    fn put(&self, steps: &[Step], made: &mut Made) -> TractResult<()> {
        for (from, step) in self.made.iter().zip(steps) {
            copy(from, made.of(step)?)?;
        }
        Ok(())
    }
}

fn copy(from: &Tensor, to: &mut Tensor) -> TractResult<()> {
    let mut to = to.try_as_plain_ram_mut()?;
    to.as_slice_mut::<f32>()?.copy_from_slice(values(from)?);
    Ok(())
}
