//! `filmd describe`: what the guiding text says about a pair, or about a folder of pairs.
//!
//! Input: two files, or two folders. Output: facts, paragraph, who wrote it; for folders JSON
//! lines. Thread: main. Blocks: yes. Fails when: a file or the describer cannot be used.
//! Not its job: fusing.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use filmd::config::{Modality, Task};
use filmd::describe::questions::Questions;
use filmd::describe::{Describer, Facts, Origin, Prompt, TokenFeatures, paragraph};
use filmd::fuse::Manifest;
use serde_json::{Value, json};

use crate::describe_set::{self, Output};
use crate::offline::{ask, open_describer};
use crate::pair_files::read_pair;

/// Say what two pictures show, as the guiding text would; or all pairs of two folders.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Source A: infrared, functional or CT, under-exposed, near focus; a file or a folder
    a: PathBuf,
    /// Source B: visible, MRI, over-exposed, far focus
    b: PathBuf,
    /// What they are
    #[arg(long, value_enum, default_value_t)]
    task: Task,
    /// Medical: what source A is, where the colours should not decide
    #[arg(long, value_enum, default_value = "auto")]
    modality: Modality,
    /// Folders: append one JSON line a pair to this file; pairs that have a line are left out
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Folders: write the features of each text's tokens into this folder, as NumPy files
    #[arg(long, value_name = "DIR", requires = "out")]
    features: Option<PathBuf>,
    /// Questions that the facts answer (TOML), instead of the shipped ones
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Do without the language model: the measured facts as a paragraph (needs no other program,
    /// but for --features)
    #[arg(long)]
    no_llm: bool,
    /// The models' manifest, where it is not in a usual place
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Scale A to the size of B even where their aspect ratios differ
    #[arg(long)]
    stretch: bool,
}

/// What was found out about a pair.
struct Said {
    report: Value,
    sentences: Vec<String>,
    text: String,
    origin: Origin,
    features: Option<TokenFeatures>,
}

/// Runs the command.
///
/// # Errors
/// Files that cannot be used; without `--no-llm` a describer that is not there or fails.
pub fn run(args: &Args) -> Result<()> {
    let folders = (args.a.is_dir(), args.b.is_dir());
    let (a, b) = (args.a.display(), args.b.display());
    if folders.0 != folders.1 {
        bail!("{a} and {b} must be two files or two folders");
    }
    if folders.0 != args.out.is_some() {
        bail!(
            "{a} is a {}",
            if folders.0 {
                "folder: name a file for the texts with --out F.jsonl"
            } else {
                "file, and --out is for two folders; --json prints what it would write"
            }
        );
    }
    let mut describer = if args.no_llm && args.features.is_none() {
        None
    } else {
        let manifest = Manifest::find(args.manifest.as_deref())?;
        let rows = manifest.guidance_shape().0;
        Some(open_describer(&manifest, !args.no_llm, None, rows)?)
    };
    let questions = read_questions(args.questions.as_deref())?;
    let mut describe =
        |a: &Path, b: &Path| describe_pair(args, describer.as_mut(), &questions, (a, b));
    let Some(lines) = &args.out else {
        return show(args, &describe(&args.a, &args.b)?);
    };
    let output = Output {
        lines,
        features: args.features.as_deref(),
        task: args.task,
    };
    describe_set::run((&args.a, &args.b), &output, |a, b| {
        let said = describe(a, b)?;
        Ok((said.report, said.features))
    })
}

fn read_questions(path: Option<&Path>) -> Result<Questions> {
    let Some(path) = path else {
        return Ok(Questions::shipped()?);
    };
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    Questions::parse(&text).with_context(|| shown.to_string())
}

fn describe_pair(
    args: &Args,
    describer: Option<&mut Box<dyn Describer>>,
    questions: &Questions,
    (a, b): (&Path, &Path),
) -> Result<Said> {
    let pair = read_pair(a, b, args.stretch)?;
    let facts = Facts::measure_as(args.task, args.modality, &pair);
    let sentences = facts.sentences();
    let answers = questions.answer(&facts);
    let template = paragraph(args.task, &sentences);
    let (mut text, mut origin) = (template.clone(), Origin::Template);
    let (mut ms, mut features) = (None, None);
    if let Some(describer) = describer {
        let prompt = if args.no_llm {
            Prompt::Text(template.clone())
        } else {
            Prompt::Facts(sentences.clone())
        };
        let said = ask(describer.as_mut(), args.task, prompt)
            .context("no text for this pair; --no-llm does without the language model")?;
        ms = Some((said.took.as_secs_f64() * 1e3).round());
        text = said.text;
        origin = if args.no_llm { origin } else { said.origin };
        features = Some(TokenFeatures::clone(&said.features));
    }
    let size = pair.visible.size();
    let report = json!({
        "a": a, "b": b, "task": args.task.name(), "width": size.width, "height": size.height,
        "facts": facts, "sentences": sentences, "answers": answers, "template": template,
        "text": text, "origin": origin, "tokens": features.as_ref().map(|f| f.rows), "ms": ms,
    });
    Ok(Said {
        report,
        sentences,
        text,
        origin,
        features,
    })
}

fn show(args: &Args, said: &Said) -> Result<()> {
    if args.json {
        say!("{}", serde_json::to_string_pretty(&said.report)?);
        return Ok(());
    }
    say!("facts:");
    for sentence in &said.sentences {
        say!("  {sentence}");
    }
    let writer = match said.origin {
        Origin::Llm => "the language model",
        Origin::Template => "the template",
        Origin::User => "you",
        Origin::Neutral => "nobody",
    };
    say!("text (by {writer}):\n  {}", said.text);
    Ok(())
}
