//! The language model: greedy choices among wordings.
//!
//! The examples of a task are read once and kept as sequence 0; each request copies that state
//! to sequence 1, which costs nothing, and goes on from there. What all wordings say next is read
//! in one batch, not written token by token. One thread and a fixed batch size, so that the same
//! facts give the same text. A model that sees reads the same text once for each picture, in a
//! sequence of its own, and writes what their mixed probabilities say.

use std::num::NonZeroU32;

use anyhow::{Context, bail};
use filmd::clock::{Clock, Timestamp};
use filmd::config::Task;
use filmd::describe::process::protocol::Asked;
use filmd::describe::process::view::{MAX_VIEWS, View};
use filmd::describe::words::wording::{Ahead, Wording};
use filmd::describe::words::{ask, prompt};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data::LlamaTokenData;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;

use crate::eyes::Eyes;
use crate::mix::Mixture;

const CONTEXT: u32 = 768;
/// Tokens between two looks at the clock. A larger batch than the context's aborts.
const CHUNK: usize = 64;
/// Candidates tried before the whole vocabulary.
const TOP: usize = 512;
const PREFIX: i32 = 0;
/// The same with pictures: three of 256 tokens and the examples beside as many texts.
const SEEING_CONTEXT: u32 = 4 * CONTEXT;
/// A picture comes in one batch.
const SEEING_CHUNK: usize = 512;
/// First of the sequences that are written to.
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

/// A sequence that has read all but the request.
#[derive(Debug, Clone, Copy)]
struct Reader {
    sequence: i32,
    /// Where the request begins.
    begin: usize,
    weight: f64,
}

/// Pictures that have been read.
struct Seen {
    after: Examples,
    views: Vec<View>,
    readers: Vec<Reader>,
}

/// Model and context.
pub struct Llm<'a> {
    model: &'a LlamaModel,
    context: LlamaContext<'a>,
    eyes: Option<Eyes<'a>>,
    /// What sequences from [`WORK`] on hold, where pictures were read.
    seen: Option<Seen>,
    /// Tokens a sequence may have.
    room: usize,
    /// Whose examples sequence 0 holds, and how many tokens they are.
    prefix: Option<(Examples, usize)>,
    /// Figures of the last paragraph, for --once.
    pub last: String,
}

impl<'a> Llm<'a> {
    /// Makes a context, one thread.
    pub fn new(
        backend: &LlamaBackend,
        model: &'a LlamaModel,
        eyes: Option<Eyes<'a>>,
    ) -> anyhow::Result<Self> {
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
        let (cells, chunk, sequences) = match eyes {
            Some(_) => (SEEING_CONTEXT, SEEING_CHUNK, 1 + MAX_VIEWS),
            None => (CONTEXT, CHUNK, 2),
        };
        let chunk = u32::try_from(chunk)?;
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(cells))
            .with_n_batch(chunk)
            .with_n_ubatch(chunk)
            .with_n_threads(1)
            .with_n_threads_batch(1)
            .with_n_seq_max(u32::try_from(sequences)?)
            .with_kv_unified(true);
        Ok(Self {
            model,
            context: model.new_context(backend, params)?,
            eyes,
            seen: None,
            room: cells.min(model.n_ctx_train()) as usize,
            prefix: None,
            last: String::new(),
        })
    }

    /// It looks at pictures.
    pub fn sees(&self) -> bool {
        self.eyes.is_some()
    }

    /// The model's own name.
    pub fn name(&self) -> String {
        super::encoder::name(self.model)
    }

    /// A paragraph of `sentences`. Fails when the time is up, when it does not fit the context,
    /// or when the model fails; the next call starts clean.
    pub fn paragraph(
        &mut self,
        (task, views): (Task, &[View]),
        sentences: &[String],
        limits: (usize, Timestamp),
    ) -> anyhow::Result<String> {
        let request = prompt::request(sentences)?;
        let wording = prompt::wording(task, sentences)?;
        let examples = Examples::Paragraphs(task);
        self.along((examples, views), (&request, &wording), limits)
    }

    /// The answer to one question; fails as [`Llm::paragraph`] does.
    pub fn answer(
        &mut self,
        (task, views): (Task, &[View]),
        asked: &Asked,
        limits: (usize, Timestamp),
    ) -> anyhow::Result<String> {
        let request = ask::request(&asked.question, &asked.sentences)?;
        let wording = ask::wording(task, &asked.sentences, asked.is_advice)?;
        let examples = Examples::Answers(task);
        self.along((examples, views), (&request, &wording), limits)
    }

    fn along(
        &mut self,
        (examples, views): (Examples, &[View]),
        (request, wording): (&str, &Wording),
        limits: (usize, Timestamp),
    ) -> anyhow::Result<String> {
        let result = self
            .recall(examples, limits.1)
            .and_then(|used| self.look(examples, views, used, limits.1))
            .and_then(|readers| self.write(request, wording, &readers, limits));
        if result.is_err() {
            // Whatever state it was left in.
            self.context.clear_kv_cache();
            self.prefix = None;
            self.seen = None;
        }
        result
    }

    /// One sequence with the examples and each of the pictures, or one with the examples alone.
    fn look(
        &mut self,
        examples: Examples,
        views: &[View],
        used: usize,
        deadline: Timestamp,
    ) -> anyhow::Result<Vec<Reader>> {
        if let Some(seen) = &self.seen
            && seen.after == examples
            && seen.views == views
        {
            // Another question about the same pictures.
            for Reader {
                sequence, begin, ..
            } in &seen.readers
            {
                let (sequence, begin) = (u32::try_from(*sequence)?, u32::try_from(*begin)?);
                self.context
                    .clear_kv_cache_seq(Some(sequence), Some(begin), None)?;
            }
            return Ok(seen.readers.clone());
        }
        self.seen = None;
        for sequence in WORK..=i32::try_from(MAX_VIEWS)? {
            if sequence == WORK || self.eyes.is_some() {
                let sequence = u32::try_from(sequence)?;
                self.context
                    .clear_kv_cache_seq(Some(sequence), None, None)?;
            }
        }
        let mut readers = Vec::with_capacity(MAX_VIEWS);
        if let Some(eyes) = &mut self.eyes {
            for (sequence, view) in (WORK..).zip(views) {
                if Clock.now() >= deadline {
                    bail!("no time left");
                }
                self.context.kv_cache_seq_cp(PREFIX, sequence, None, None)?;
                let space = (used, self.room);
                readers.push(Reader {
                    sequence,
                    begin: eyes.show(view, &mut self.context, space, sequence)?,
                    weight: f64::from(view.weight),
                });
            }
        }
        if readers.is_empty() {
            self.context.kv_cache_seq_cp(PREFIX, WORK, None, None)?;
            return Ok(vec![Reader {
                sequence: WORK,
                begin: used,
                weight: 1.0,
            }]);
        }
        self.seen = Some(Seen {
            after: examples,
            views: views.to_vec(),
            readers: readers.clone(),
        });
        Ok(readers)
    }

    /// Sequence 0 holds the examples; returns how many tokens they are.
    fn recall(&mut self, examples: Examples, deadline: Timestamp) -> anyhow::Result<usize> {
        if let Some((held, used)) = self.prefix
            && held == examples
        {
            return Ok(used);
        }
        self.prefix = None;
        self.seen = None;
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
        if position + tokens.len() > self.room {
            bail!("the facts do not fit {} tokens", self.room);
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
        wording: &Wording,
        readers: &[Reader],
        (max_tokens, deadline): (usize, Timestamp),
    ) -> anyhow::Result<String> {
        let begun = Clock.now();
        let vocab = self.model.vocab();
        let mut unread = vocab.tokenize(request.as_bytes(), false, false);
        if unread.is_empty() {
            bail!("the request has no token");
        }
        let mut grammar = LlamaSampler::grammar(self.model, &wording.grammar(), "root")
            .context("the grammar is not accepted")?;
        let (asked, mut read, mut chosen) = (unread.len(), 0, 0);
        let mut text = Vec::new();
        while !text.ends_with(b"\n") {
            // A token may end within a character: what is ahead is seen at the next one.
            let ahead = std::str::from_utf8(&text)
                .map(|text| wording.ahead(text))
                .unwrap_or_default();
            if ahead.text.ends_with('\n') {
                text.extend(ahead.text.as_bytes());
                break;
            }
            for token in self.certain(&ahead) {
                text.extend(vocab.token_to_piece(token, false, None));
                grammar.accept(token);
                unread.push(token);
            }
            if read + unread.len() >= asked + max_tokens {
                bail!("the paragraph did not end within {max_tokens} tokens");
            }
            let candidates = self.read_all(&unread, read, readers, deadline)?;
            read += unread.len();
            let token = self.next(&mut grammar, candidates)?;
            text.extend(vocab.token_to_piece(token, false, None));
            grammar.accept(token);
            unread = vec![token];
            chosen += 1;
        }
        self.last = format!(
            "read {read} tokens, {chosen} times asked for the next, in {} ms",
            Clock.now().since(begun).as_millis()
        );
        Ok(String::from_utf8(text)
            .context("the model wrote no UTF-8")?
            .trim()
            .to_owned())
    }

    /// Tokens that must come next, as the tokenizer cuts them wherever the wordings part. None
    /// where it adds something of its own: the grammar then leads token by token.
    fn certain(&self, ahead: &Ahead) -> Vec<LlamaToken> {
        let vocab = self.model.vocab();
        let mut common: Option<Vec<LlamaToken>> = None;
        for next in &ahead.next {
            let text = format!("{}{next}", ahead.text);
            let tokens = vocab.tokenize(text.as_bytes(), false, false);
            let Some(common) = &mut common else {
                common = Some(tokens);
                continue;
            };
            let pairs = common.iter().zip(&tokens);
            let same = pairs.take_while(|(a, b)| a == b).count();
            common.truncate(same);
        }
        let common = common.unwrap_or_default();
        let spelt: Vec<u8> = (common.iter())
            .flat_map(|&token| vocab.token_to_piece(token, false, None))
            .collect();
        if ahead.text.as_bytes().starts_with(&spelt) {
            common
        } else {
            Vec::new()
        }
    }

    /// All readers read the tokens, `after` those that follow where the request begins; what
    /// comes next.
    fn read_all(
        &mut self,
        tokens: &[LlamaToken],
        after: usize,
        readers: &[Reader],
        deadline: Timestamp,
    ) -> anyhow::Result<Vec<LlamaTokenData>> {
        let mut mixture = Mixture::default();
        for reader in readers {
            self.read(tokens, reader.begin + after, reader.sequence, deadline)?;
            if readers.len() > 1 {
                mixture.add(self.context.get_logits_ith(-1), reader.weight);
            }
        }
        Ok(self.candidates(readers, &mixture))
    }

    /// The mixture's, or, where there is nothing to mix, the last decoded ones.
    fn candidates(&self, readers: &[Reader], mixture: &Mixture) -> Vec<LlamaTokenData> {
        if readers.len() < 2 {
            return self.context.candidates_ith(-1).collect();
        }
        (0..)
            .zip(mixture.logits())
            .map(|(id, logit)| LlamaTokenData::new(LlamaToken(id), logit, 0.0))
            .collect()
    }

    /// The likeliest token the grammar allows. Masking the whole vocabulary costs more than the
    /// model itself, so the likeliest is tried alone first, then the best few hundred.
    fn next(
        &self,
        grammar: &mut LlamaSampler,
        mut candidates: Vec<LlamaTokenData>,
    ) -> anyhow::Result<LlamaToken> {
        let vocab = self.model.vocab();
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
