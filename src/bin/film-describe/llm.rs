//! The language model: greedy text along a grammar.
//!
//! The examples of a task are read once and kept as sequence 0; each request copies that state
//! to sequence 1, which costs nothing, and goes on from there. One thread and a fixed batch
//! size, so that the same facts give the same text.

use std::num::NonZeroU32;

use anyhow::{Context, bail};
use filmd::clock::{Clock, Timestamp};
use filmd::config::Task;
use filmd::describe::protocol::Asked;
use filmd::describe::{ask, prompt};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data::LlamaTokenData;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;

const CONTEXT: u32 = 768;
/// Tokens between two looks at the clock. A larger batch than the context's aborts.
const CHUNK: usize = 64;
/// Candidates tried before the whole vocabulary.
const TOP: usize = 512;
const PREFIX: i32 = 0;
const WORK: i32 = 1;

/// Whose examples are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Examples {
    Paragraphs(Task),
    Answers(Task),
}

impl Examples {
    const fn text(self) -> &'static str {
        match self {
            Self::Paragraphs(task) => prompt::prefix(task),
            Self::Answers(task) => ask::prefix(task),
        }
    }
}

/// Model and context.
pub struct Llm<'a> {
    model: &'a LlamaModel,
    context: LlamaContext<'a>,
    /// Whose examples sequence 0 holds, and how many tokens they are.
    prefix: Option<(Examples, usize)>,
    /// Figures of the last paragraph, for --once.
    pub last: String,
}

impl<'a> Llm<'a> {
    /// Makes a context, one thread.
    pub fn new(backend: &LlamaBackend, model: &'a LlamaModel) -> anyhow::Result<Self> {
        if model.n_ctx_train() < CONTEXT {
            bail!(
                "the model reads {} tokens, {CONTEXT} are needed",
                model.n_ctx_train()
            );
        }
        if model
            .meta_val_str("general.architecture")
            .is_ok_and(|kind| kind == "bert")
        {
            bail!("the model is a text encoder");
        }
        let chunk = u32::try_from(CHUNK)?;
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(CONTEXT))
            .with_n_batch(chunk)
            .with_n_ubatch(chunk)
            .with_n_threads(1)
            .with_n_threads_batch(1)
            .with_n_seq_max(2)
            .with_kv_unified(true);
        Ok(Self {
            model,
            context: model.new_context(backend, params)?,
            prefix: None,
            last: String::new(),
        })
    }

    /// The model's own name.
    pub fn name(&self) -> String {
        super::encoder::name(self.model)
    }

    /// A paragraph of `sentences`. Fails when the time is up, when it does not fit the context,
    /// or when the model fails; the next call starts clean.
    pub fn paragraph(
        &mut self,
        task: Task,
        sentences: &[String],
        max_tokens: usize,
        deadline: Timestamp,
    ) -> anyhow::Result<String> {
        let request = prompt::request(sentences)?;
        let grammar = prompt::grammar(task, sentences)?;
        let examples = Examples::Paragraphs(task);
        self.along(examples, (&request, &grammar), max_tokens, deadline)
    }

    /// The answer to one question; fails as [`Llm::paragraph`] does.
    pub fn answer(
        &mut self,
        task: Task,
        asked: &Asked,
        max_tokens: usize,
        deadline: Timestamp,
    ) -> anyhow::Result<String> {
        let request = ask::request(&asked.question, &asked.sentences)?;
        let grammar = ask::grammar(task, &asked.sentences, asked.wish)?;
        let examples = Examples::Answers(task);
        self.along(examples, (&request, &grammar), max_tokens, deadline)
    }

    fn along(
        &mut self,
        examples: Examples,
        (request, grammar): (&str, &str),
        max_tokens: usize,
        deadline: Timestamp,
    ) -> anyhow::Result<String> {
        let result = self
            .recall(examples, deadline)
            .and_then(|used| self.write(request, grammar, used, (max_tokens, deadline)));
        if result.is_err() {
            // Whatever state it was left in.
            self.context.clear_kv_cache();
            self.prefix = None;
        }
        result
    }

    /// Sequence 0 holds the examples; returns how many tokens they are.
    fn recall(&mut self, examples: Examples, deadline: Timestamp) -> anyhow::Result<usize> {
        if let Some((held, used)) = self.prefix
            && held == examples
        {
            return Ok(used);
        }
        self.prefix = None;
        self.context.clear_kv_cache();
        let vocab = self.model.vocab();
        let tokens = vocab.tokenize(examples.text().as_bytes(), true, false);
        self.read(&tokens, 0, PREFIX, deadline)?;
        self.prefix = Some((examples, tokens.len()));
        Ok(tokens.len())
    }

    /// Feeds tokens from `position` on; the last one's logits are kept.
    fn read(
        &mut self,
        tokens: &[LlamaToken],
        position: usize,
        sequence: i32,
        deadline: Timestamp,
    ) -> anyhow::Result<()> {
        if position + tokens.len() > CONTEXT as usize {
            bail!("the facts do not fit {CONTEXT} tokens");
        }
        let mut batch = LlamaBatch::new(CHUNK, 1);
        let end = position + tokens.len();
        for (chunk, begin) in tokens.chunks(CHUNK).zip((position..).step_by(CHUNK)) {
            if Clock.now() >= deadline {
                bail!("no time left");
            }
            batch.clear();
            for (token, at) in chunk.iter().zip(begin..) {
                batch.add(*token, i32::try_from(at)?, &[sequence], at + 1 == end)?;
            }
            self.context.decode(&mut batch)?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        request: &str,
        grammar: &str,
        used: usize,
        (max_tokens, deadline): (usize, Timestamp),
    ) -> anyhow::Result<String> {
        let begun = Clock.now();
        let vocab = self.model.vocab();
        self.context.clear_kv_cache_seq(Some(1), None, None)?;
        self.context.kv_cache_seq_cp(PREFIX, WORK, None, None)?;
        let tokens = vocab.tokenize(request.as_bytes(), false, false);
        if tokens.is_empty() {
            bail!("the request has no token");
        }
        self.read(&tokens, used, WORK, deadline)?;
        let read = Clock.now();
        let mut grammar = LlamaSampler::grammar(self.model, grammar, "root")
            .context("the grammar is not accepted")?;
        let begin = used + tokens.len();
        let room = (CONTEXT as usize).saturating_sub(begin);
        let mut text = Vec::new();
        for written in 0..max_tokens.min(room) {
            let token = self.next(&mut grammar)?;
            text.extend(vocab.token_to_piece(token, false, None));
            if text.ends_with(b"\n") {
                self.last = format!(
                    "read {} tokens in {} ms, wrote {} in {} ms",
                    tokens.len(),
                    read.since(begun).as_millis(),
                    written + 1,
                    Clock.now().since(read).as_millis()
                );
                return Ok(String::from_utf8(text)
                    .context("the model wrote no UTF-8")?
                    .trim()
                    .to_owned());
            }
            grammar.accept(token);
            self.read(&[token], begin + written, WORK, deadline)?;
        }
        bail!(
            "the paragraph did not end within {} tokens",
            max_tokens.min(room)
        )
    }

    /// The likeliest token the grammar allows. Masking the whole vocabulary costs more than the
    /// model itself, so the likeliest is tried alone first, then the best few hundred.
    fn next(&self, grammar: &mut LlamaSampler) -> anyhow::Result<LlamaToken> {
        let vocab = self.model.vocab();
        let mut candidates: Vec<LlamaTokenData> = self.context.candidates_ith(-1).collect();
        let better = |a: &LlamaTokenData, b: &LlamaTokenData| b.logit().total_cmp(&a.logit());
        for count in [1, TOP, candidates.len()] {
            let count = count.min(candidates.len());
            if count == 0 {
                bail!("the model has no vocabulary");
            }
            if count < candidates.len() {
                candidates.select_nth_unstable_by(count - 1, better);
            }
            let mut tried = LlamaTokenDataArray::new(candidates[..count].to_vec(), false);
            tried.apply_sampler(grammar);
            let allowed = tried
                .data
                .iter()
                // An end-of-text token has no bytes: the grammar lets it pass when it is done.
                .filter(|c| c.logit().is_finite() && !vocab.is_eog(c.id()))
                .min_by(|a, b| better(a, b));
            if let Some(token) = allowed {
                return Ok(token.id());
            }
        }
        bail!("the grammar allows no token")
    }
}
