//! The text encoder: features of every token, MiniLM's last hidden state.
//!
//! `[CLS]` and `[SEP]` are rows too and nothing is normalised, as in training.

use std::num::NonZeroU32;

use anyhow::{Context, bail};
use filmd::describe::TokenFeatures;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::{LlamaContextParams, LlamaPoolingType};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

/// Tokens at once; attention is not causal, so a text goes in one batch. A longer batch aborts.
const MOST: usize = 256;
/// Bytes of a text. The tokeniser is not made for books.
pub const MOST_BYTES: usize = 8192;

/// Model and context.
pub struct Encoder<'a> {
    model: &'a LlamaModel,
    context: LlamaContext<'a>,
    batch: LlamaBatch<'static>,
    dim: usize,
}

impl<'a> Encoder<'a> {
    /// Makes a context, one thread.
    pub fn new(backend: &LlamaBackend, model: &'a LlamaModel) -> anyhow::Result<Self> {
        let kind = model
            .meta_val_str("general.architecture")
            .unwrap_or_default();
        if kind != "bert" {
            bail!("the model is of type {kind:?}, bert is needed");
        }
        let most = MOST.min(model.n_ctx_train() as usize);
        let tokens = NonZeroU32::new(u32::try_from(most)?).context("the model has no context")?;
        let params = LlamaContextParams::default()
            .with_n_ctx(Some(tokens))
            .with_n_batch(tokens.get())
            .with_n_ubatch(tokens.get())
            .with_n_threads(1)
            .with_n_threads_batch(1)
            .with_embeddings(true)
            .with_pooling_type(LlamaPoolingType::None);
        let context = model.new_context(backend, params)?;
        Ok(Self {
            model,
            context,
            batch: LlamaBatch::new(most, 1),
            dim: usize::try_from(model.n_embd_out())?,
        })
    }

    /// Features a token.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The model's own name.
    pub fn name(&self) -> String {
        name(self.model)
    }

    /// The text that is left of `text` to fit `max_rows`, and its features. Sentences are left
    /// out from the last but one on, since the last one carries the wish.
    pub fn encode(
        &mut self,
        text: &str,
        max_rows: usize,
    ) -> anyhow::Result<(String, TokenFeatures)> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            bail!("the text is empty");
        }
        if text.len() > MOST_BYTES {
            bail!(
                "the text has {} bytes, at most {MOST_BYTES} can be encoded",
                text.len()
            );
        }
        let most = max_rows.min(self.batch_size());
        let (text, tokens) = self.fit(&text, most)?;
        Ok((text, self.features(&tokens)?))
    }

    fn batch_size(&self) -> usize {
        self.context.n_ubatch().min(self.context.n_ctx()) as usize
    }

    fn fit(&self, text: &str, most: usize) -> anyhow::Result<(String, Vec<LlamaToken>)> {
        let mut kept = sentences(text);
        loop {
            let text = kept.join(" ");
            let tokens = self.model.vocab().tokenize(text.as_bytes(), true, false);
            if tokens.len() <= most {
                return Ok((text, tokens));
            }
            if kept.len() < 2 {
                bail!(
                    "the text has a sentence of {} tokens, at most {most} can guide",
                    tokens.len()
                );
            }
            kept.remove(kept.len() - 2);
        }
    }

    fn features(&mut self, tokens: &[LlamaToken]) -> anyhow::Result<TokenFeatures> {
        self.batch.clear();
        for (position, token) in (0..).zip(tokens) {
            self.batch.add(*token, position, &[0], true)?;
        }
        self.context.clear_kv_cache();
        self.context.decode(&mut self.batch)?;
        let mut values = Vec::with_capacity(tokens.len() * self.dim);
        for row in 0..tokens.len() {
            values.extend_from_slice(self.context.embeddings_ith(i32::try_from(row)?)?);
        }
        if values.len() != tokens.len() * self.dim || !values.iter().all(|v| v.is_finite()) {
            bail!("the text encoder gave features that make no sense");
        }
        Ok(TokenFeatures {
            rows: tokens.len(),
            dim: self.dim,
            values,
        })
    }
}

/// The model's own name, for messages.
pub fn name(model: &LlamaModel) -> String {
    model
        .meta_val_str("general.name")
        .unwrap_or_else(|_| "unnamed".to_owned())
}

/// Sentences with their stops; a text without one is one sentence.
fn sentences(text: &str) -> Vec<&str> {
    text.split_inclusive(['.', '!', '?'])
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_keep_their_stops() {
        assert_eq!(sentences("A b. C d! E"), ["A b.", "C d!", "E"]);
        assert_eq!(sentences("no stop"), ["no stop"]);
    }
}
