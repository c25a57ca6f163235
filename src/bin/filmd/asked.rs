//! A user's text for single pairs: what it asks for, and the guidance that it gives each pair.

use std::path::{Path, PathBuf};

use anyhow::Result;
use filmd::align::AlignedPair;
use filmd::describe::request::{Need, Plan, nearest};
use filmd::describe::{Describer, Facts, Guidance, Origin, Prompt, UserText};
use filmd::fuse::Manifest;
use filmd::quality::Effect;
use serde_json::{Value, json};

use crate::graph::Graph;
use crate::offline::{ask, open_describer};

/// A text, read, and what came of it.
pub struct Asked {
    /// The text.
    pub user_text: UserText,
    /// What was done for the last pair.
    pub plan: Plan,
    /// What guides a pair for which nothing is done.
    pub neutral: Guidance,
    manifest: Manifest,
    encoder: Option<PathBuf>,
    describer: Option<Box<dyn Describer>>,
}

impl Asked {
    /// Reads `text`; film-describe is asked where its words alone decide nothing, and where it is there.
    ///
    /// # Errors
    /// The describer's, but for not being there.
    pub fn read(
        text: &str,
        neutral: Guidance,
        manifest: &Manifest,
        (encoder, graph): (Option<&Path>, &Graph),
    ) -> Result<Self> {
        let mut user_text = UserText::read(text);
        let mut describer = None;
        if user_text.understood.is_open {
            describer = open_describer(manifest, false, encoder, graph.most_rows()).ok();
        }
        if let Some(describer) = &mut describer {
            let said = ask(
                describer.as_mut(),
                neutral.task,
                Prompt::Text(user_text.text.clone()),
            )?;
            if let Some(nearest) = nearest(&said.features) {
                user_text.understood = user_text.understood.or_nearest(&user_text.text, &nearest);
            }
        }
        Ok(Self {
            user_text,
            plan: Plan::default(),
            neutral,
            manifest: manifest.clone(),
            encoder: encoder.map(Path::to_owned),
            describer,
        })
    }

    /// The guidance for a pair.
    ///
    /// # Errors
    /// The describer's, where the network is to be guided by a text.
    pub fn guidance(&mut self, pair: &AlignedPair, graph: &Graph) -> Result<Guidance> {
        let task = self.neutral.task;
        let facts = Facts::measure(task, pair);
        let need = Need::measure(pair, &facts);
        self.plan = Plan::new(&self.user_text.understood, &facts, &need);
        let mut guidance = match self.plan.text.clone() {
            None => self.neutral.clone(),
            Some(text) => {
                let said = ask(self.describer(graph)?, task, Prompt::Text(text))?;
                graph.guidance(&said.features, (&said.text, Origin::User), task)?
            }
        };
        guidance.controls = self.plan.controls;
        Ok(guidance)
    }

    fn describer(&mut self, graph: &Graph) -> Result<&mut dyn Describer> {
        let opened = match self.describer.take() {
            Some(describer) => describer,
            None => {
                let encoder = self.encoder.as_deref();
                open_describer(&self.manifest, false, encoder, graph.most_rows())?
            }
        };
        Ok(self.describer.insert(opened).as_mut())
    }

    /// What was understood, as JSON; `effect`: what it changed.
    pub fn report(&self, effect: Option<&Effect>) -> Value {
        let understood = &self.user_text.understood;
        json!({
            "understood": self.plan.answers,
            "not_understood": understood.requests.is_empty(),
            "reason": understood.reason.map(|r| r.to_string()),
            "guided_by": self.plan.text.as_ref().unwrap_or(&self.neutral.text),
            "changed": effect,
        })
    }
}
