//! `filmd describe`: what the guiding text says about a pair.
//!
//! Input: two files. Output: facts, paragraph, who wrote it. Thread: main. Blocks: yes. Fails
//! when: a file or the describer cannot be used. Not its job: fusing.

use std::path::PathBuf;

use anyhow::Result;
use filmd::config::Task;
use filmd::describe::{Facts, Origin, Prompt, paragraph};
use filmd::fuse::Manifest;
use serde_json::json;

use crate::offline::{ask, open_describer};
use crate::pair_files::read_pair;

/// Say what two pictures show, as the guiding text would.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Source A: infrared, functional or CT, under-exposed, near focus
    a: PathBuf,
    /// Source B: visible, MRI, over-exposed, far focus
    b: PathBuf,
    /// What they are
    #[arg(long, value_enum, default_value_t)]
    task: Task,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Do without the language model: the measured facts as a paragraph (needs no other program)
    #[arg(long)]
    no_llm: bool,
    /// The models' manifest, where it is not in a usual place
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Scale A to the size of B even where their aspect ratios differ
    #[arg(long)]
    stretch: bool,
}

/// Runs the command.
///
/// # Errors
/// Files that cannot be used; without `--no-llm` a describer that is not there or fails.
pub fn run(args: &Args) -> Result<()> {
    let pair = read_pair(&args.a, &args.b, args.stretch)?;
    let facts = Facts::measure(args.task, &pair);
    let sentences = facts.sentences();
    let (text, origin, ms, tokens) = if args.no_llm {
        let text = paragraph(args.task, &sentences);
        (text, Origin::Template, None, None)
    } else {
        let manifest = Manifest::find(args.manifest.as_deref())?;
        let mut describer = open_describer(&manifest, true, None, manifest.guidance_shape().0)?;
        let prompt = Prompt::Facts(sentences.clone());
        let said = ask(describer.as_mut(), args.task, prompt)?;
        let ms = (said.took.as_secs_f64() * 1e3).round();
        (said.text, said.origin, Some(ms), Some(said.features.rows))
    };
    if args.json {
        let report = json!({
            "a": args.a, "b": args.b, "task": args.task.name(),
            "facts": facts, "sentences": sentences,
            "text": text, "origin": origin, "tokens": tokens, "ms": ms,
        });
        say!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    say!("facts:");
    for sentence in &sentences {
        say!("  {sentence}");
    }
    let writer = match origin {
        Origin::Llm => "the language model",
        Origin::Template => "the template",
        Origin::User => "you",
        Origin::Neutral => "nobody",
    };
    say!("text (by {writer}):\n  {text}");
    Ok(())
}
