//! `filmd describe`: what the guiding text says about a pair, or about a folder of pairs.
//!
//! Input: two files, or two folders. Output: facts, paragraph, who wrote it; for folders JSON lines. Fails
//! when: a file or the describer cannot be used. Not its job: fusing.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use filmd::config::{CleanMode, DetectorConfig, Modality, Task};
use filmd::describe::words::questions::{Answer, Questions};
use filmd::describe::{
    Describer, Detector, Facts, Origin, Prompt, Segment, TokenFeatures, paragraph,
};
use filmd::fuse::Manifest;
use serde_json::{Value, json};

use crate::describe_set::{self, Output};
use crate::offline::{ask, open_describer};
use crate::pair_files::{PairCleaner, read_pair};

/// Rows of guidance, where no manifest tells.
const ROWS: usize = 64;

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
    /// Answer questions, each a weighted segment of guidance, instead of a paragraph; those of a
    /// TOML file, or the shipped ones
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    questions: Option<Option<PathBuf>>,
    /// Name what the visible picture shows by a detector of the COCO classes (infrared and visible)
    #[arg(long, value_name = "FILE")]
    detector: Option<PathBuf>,
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
    /// Worded answers, where they were asked for.
    segments: Vec<Segment>,
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
    let mut rows = ROWS;
    let mut describer = if args.no_llm && args.features.is_none() {
        None
    } else {
        let manifest = Manifest::find(args.manifest.as_deref())?;
        rows = manifest.guidance_shape().0;
        Some(open_describer(&manifest, !args.no_llm, None, rows)?)
    };
    let questions = Questions::open(args.questions.as_ref().and_then(Option::as_deref))?;
    let mut set = Set {
        args,
        questions,
        rows,
        detector: detector(args)?,
        cleaner: PairCleaner::new(args.task, CleanMode::Auto),
    };
    let mut describe = |a: &Path, b: &Path| set.describe(describer.as_mut(), (a, b));
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

/// What is the same for all pairs.
struct Set<'a> {
    args: &'a Args,
    questions: Questions,
    /// Of guidance.
    rows: usize,
    detector: Option<Detector>,
    cleaner: Option<PairCleaner>,
}

/// Ready to run, where one was named.
fn detector(args: &Args) -> Result<Option<Detector>> {
    let Some(model) = &args.detector else {
        return Ok(None);
    };
    if args.task != Task::Ivf {
        bail!("--detector names what is in the visible picture; it is for --task ivf");
    }
    let mut detector = Detector::new(DetectorConfig::of(model.clone()));
    detector.load().map_err(anyhow::Error::msg)?;
    Ok(Some(detector))
}

impl Set<'_> {
    fn describe(
        &mut self,
        describer: Option<&mut Box<dyn Describer>>,
        (a, b): (&Path, &Path),
    ) -> Result<Said> {
        let (task, by_llm) = (self.args.task, !self.args.no_llm);
        let pair = read_pair((a, b), task, self.args.stretch, self.cleaner.as_mut())?;
        let mut facts = Facts::measure_as(task, self.args.modality, &pair);
        if let Some(detector) = &mut self.detector {
            detector.name(&mut facts, &pair);
            if let Some(complaint) = detector.complaint() {
                bail!("{complaint}");
            }
        }
        let sentences = facts.sentences();
        let answers = self.answers(&facts);
        let prompt = match (&self.args.questions, by_llm) {
            (Some(_), _) => Prompt::Answers {
                answers: answers.clone(),
                by_llm,
            },
            (None, true) => Prompt::Facts(sentences.clone()),
            (None, false) => Prompt::Text(paragraph(task, &sentences)),
        };
        let template = prompt.text(task);
        let (mut text, mut origin) = (template.clone(), Origin::Template);
        let mut segments: Vec<Segment> = Vec::new();
        if self.args.questions.is_some() {
            segments = answers.iter().map(|a| a.unencoded(task)).collect();
        }
        let (mut ms, mut features) = (None, None);
        if let Some(describer) = describer {
            let said = ask(describer.as_mut(), task, prompt)
                .context("no text for this pair; --no-llm does without the language model")?;
            ms = Some((said.took.as_secs_f64() * 1e3).round());
            text = said.text;
            origin = if by_llm { said.origin } else { origin };
            features = Some(TokenFeatures::clone(&said.features));
            segments = said.segments;
        }
        let size = pair.visible.size();
        let mut report = json!({
            "a": a.display().to_string(), "b": b.display().to_string(), "task": task.name(), "width": size.width, "height": size.height,
            "condition": self.cleaner.is_some().then_some(pair.condition), "facts": facts, "sentences": sentences, "answers": answers, "template": template,
            "text": text, "origin": origin, "tokens": features.as_ref().map(|f| f.rows), "ms": ms,
        });
        if self.args.questions.is_some() {
            report["segments"] = json!(segments);
        }
        Ok(Said {
            report,
            sentences,
            text,
            origin,
            features,
            segments,
        })
    }

    /// All answers, or those that fit the guidance where they are to guide.
    fn answers(&self, facts: &Facts) -> Vec<Answer> {
        match self.args.questions {
            Some(_) => self.questions.answer_within(facts, self.rows),
            None => self.questions.answer(facts),
        }
    }
}

fn show(args: &Args, said: &Said) -> Result<()> {
    if args.json {
        return Ok(deliver!("{}", serde_json::to_string_pretty(&said.report)?)?);
    }
    say!("facts:");
    for sentence in &said.sentences {
        say!("  {sentence}");
    }
    let writer = |origin| match origin {
        Origin::Llm => "the language model",
        Origin::Template => "the template",
        Origin::User => "you",
        Origin::Neutral => "nobody",
    };
    for segment in &said.segments {
        say!(
            "{} (weight {}, by {}):\n  {}",
            segment.question,
            segment.weight,
            writer(segment.origin),
            segment.text
        );
    }
    if said.segments.is_empty() {
        say!("text (by {}):\n  {}", writer(said.origin), said.text);
    }
    Ok(())
}
