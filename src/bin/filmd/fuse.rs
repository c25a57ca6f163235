//! `filmd fuse`: picture files in, fused picture files out.
//!
//! Input: two files or two folders. Output: a file or a folder of them; JSON lines. Fails when: a file, a
//! model or the describer cannot be used; in folders the other pairs go on. Not its job: alignment; files
//! are taken to be registered.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use filmd::align::AlignedPair;
use filmd::clock::Clock;
use filmd::config::{CleanMode, Engine, Task, ToneConfig, ToneMode};
use filmd::describe::{Guidance, Origin};
use filmd::files::{check_output, write_picture};
use filmd::folders::pair_folders;
use filmd::frame::{Picture, Size};
use filmd::quality::Effect;
use serde_json::{Value, json};

use crate::offline::{Offline, Settings, TextSource};
use crate::pair_files::{PairCleaner, progress_bar, read_pair};

/// Fuse picture files: two pictures into one, or two folders into a third.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Source A: infrared, functional or CT, under-exposed, near focus; a file or a folder
    a: PathBuf,
    /// Source B: visible, MRI, over-exposed, far focus; its size is kept
    b: PathBuf,
    /// The fused picture (.png, .jpg, .tif, .bmp), or a folder
    #[arg(long, short, value_name = "FILE|DIR")]
    out: PathBuf,
    /// What is fused
    #[arg(long, value_enum, default_value_t)]
    task: Task,
    #[command(flatten)]
    text: TextArgs,
    /// Print one JSON line a pair
    #[arg(long)]
    json: bool,
    /// A network of the manifest by name, or an ONNX file: one of filmd's, or the published FILM
    /// network from models/import_film.py
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
    /// A text encoder to use instead of the manifest's (GGUF of a BERT; needs film-describe)
    #[arg(long, value_name = "FILE", conflicts_with = "features")]
    encoder: Option<PathBuf>,
    /// The models' manifest, where it is not in a usual place
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The text-guided network, or classic fusion without text
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Raise the fused picture's contrast: off, auto (infrared and visible only) or a strength
    /// from 0 to 2 for any task; auto has strength 1
    #[arg(long, value_name = "off|auto|STRENGTH", default_value = "off", value_parser = tone)]
    tone: ToneConfig,
    /// Take stripes, grain and dead pixels from infrared, and grain from visible pictures (--task ivf): where
    /// they were clearly measured (auto), by whatever was measured (on), or not (off)
    #[arg(long, value_enum, default_value_t)]
    clean: CleanMode,
    /// Scale A to the size of B even where their aspect ratios differ
    #[arg(long)]
    stretch: bool,
}

/// The value of `--tone`.
fn tone(text: &str) -> Result<ToneConfig, String> {
    match text {
        "off" => Ok(ToneConfig::OFF),
        "auto" => Ok(ToneConfig::default()),
        _ => match text.parse() {
            Ok(strength) if (0.0..=2.0).contains(&strength) => Ok(ToneConfig {
                mode: ToneMode::On,
                strength,
            }),
            _ => Err("off, auto or a number from 0 to 2 was expected".to_owned()),
        },
    }
}

/// Where the guiding text comes from.
#[derive(Debug, Clone, clap::Args)]
#[group(multiple = false)]
pub struct TextArgs {
    /// Guide by this text (needs film-describe)
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub text: Option<String>,
    /// Guide each pair by a description that the language model writes (needs film-describe)
    #[arg(long)]
    pub describe: bool,
    /// Guide each pair by the language model's answers to questions, each with its own weight;
    /// those of a TOML file, or the shipped ones (needs film-describe)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub questions: Option<Option<PathBuf>>,
    /// Guide by text features encoded elsewhere: a .npy file of f32, (tokens, features) or
    /// (1, tokens, features), or a folder with NAME.npy for each pair
    #[arg(long, value_name = "FILE|DIR")]
    pub features: Option<PathBuf>,
    /// Guide by the task's neutral sentence; this is the default
    #[arg(long)]
    pub neutral: bool,
}

impl TextArgs {
    fn source(&self) -> TextSource {
        match (&self.text, &self.features, &self.questions) {
            (Some(text), ..) => TextSource::User(text.clone()),
            (None, Some(features), _) => TextSource::Features(features.clone()),
            (None, None, Some(file)) => TextSource::Questions(file.clone()),
            (None, None, None) if self.describe => TextSource::Describe,
            (None, None, None) => TextSource::Neutral,
        }
    }
}

/// One pair's files.
struct Job {
    a: PathBuf,
    b: PathBuf,
    out: PathBuf,
}

/// What is the same for all pairs.
struct Work {
    offline: Offline,
    cleaner: Option<PairCleaner>,
}

/// Runs the command.
///
/// # Errors
/// What stopped the work; for folders, after all pairs, how many failed.
pub fn run(args: &Args) -> Result<()> {
    let folders = (args.a.is_dir(), args.b.is_dir());
    if folders.0 != folders.1 {
        bail!(
            "{} and {} must be two files or two folders",
            args.a.display(),
            args.b.display()
        );
    }
    let jobs = if folders.0 {
        folder_jobs(args)?
    } else {
        vec![file_job(args)?]
    };
    let offline = Offline::new(Settings {
        task: args.task,
        engine: args.engine,
        manifest: args.manifest.as_deref(),
        model: args.model.as_deref(),
        text: args.text.source(),
        tone: args.tone,
        encoder: args.encoder.as_deref(),
        clean: args.clean,
    })?;
    if let Some(asked) = offline.asked()
        && let Some(reason) = asked.user_text.understood.reason
    {
        eprintln!("filmd: {reason}; the neutral sentence guides");
    }
    let mut work = Work {
        offline,
        cleaner: PairCleaner::new(args.task, args.clean),
    };
    if !folders.0 {
        let report = fuse_one(args, &mut work, &jobs[0])?;
        if args.json {
            say!("{report}");
        }
        return Ok(());
    }
    fuse_folder(args, &mut work, &jobs)
}

fn fuse_folder(args: &Args, work: &mut Work, jobs: &[Job]) -> Result<()> {
    let bar = progress_bar(jobs.len());
    let mut failed = 0;
    for job in jobs {
        bar.set_message(job.b.display().to_string());
        let result = fuse_one(args, work, job);
        if let Err(error) = &result {
            failed += 1;
            let said = format!("{} + {}: {error:#}", job.a.display(), job.b.display());
            bar.suspend(|| eprintln!("{said}"));
        }
        if args.json {
            let line = result.unwrap_or_else(|error| {
                json!({
                    "a": job.a, "b": job.b, "out": null,
                    "task": args.task.name(), "error": format!("{error:#}"),
                })
            });
            bar.suspend(|| say!("{line}"));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !args.json {
        say!(
            "{} of {} pairs fused into {}",
            jobs.len() - failed,
            jobs.len(),
            args.out.display()
        );
    }
    if failed > 0 {
        bail!("{failed} of {} pairs failed", jobs.len());
    }
    Ok(())
}

fn fuse_one(args: &Args, work: &mut Work, job: &Job) -> Result<Value> {
    let Work { offline, cleaner } = work;
    let files = (job.a.as_path(), job.b.as_path());
    let mut pair = read_pair(files, args.stretch, cleaner.as_mut())?;
    let name = job.b.file_stem().unwrap_or_default().to_string_lossy();
    let guidance = offline.guidance(&pair, &name)?;
    if let (Some(cleaner), true) = (cleaner.as_mut(), guidance.controls.denoise != [0.0; 2]) {
        // The text asks for less noise than the measured strength leaves.
        cleaner.set_denoise(guidance.controls.denoise);
        pair = read_pair(files, args.stretch, Some(cleaner))?;
        cleaner.set_denoise([0.0; 2]);
    }
    offline.prepare(pair.visible.size(), &guidance)?;
    let clock = Clock;
    let start = clock.now();
    let picture = offline.fuse(&pair, &guidance)?;
    let ms = clock.now().since(start).as_secs_f64() * 1e3;
    write_picture(&job.out, &picture)?;
    let Size { width, height } = picture.size();
    // Classic fusion listens to nobody, so it has no text; that of a features file is not known.
    let (text, origin) = match (&args.text.text, offline.asked()) {
        (Some(text), Some(_)) => (json!(text), json!(Origin::User)),
        _ if offline.takes_text() && args.text.features.is_none() => {
            (json!(guidance.text), json!(guidance.origin))
        }
        _ => (Value::Null, Value::Null),
    };
    let mut report = json!({
        "a": job.a, "b": job.b, "out": job.out,
        "width": width, "height": height, "channels": picture.channels(),
        "task": args.task.name(), "fuser": offline.fuser_name(),
        "condition": cleaner.is_some().then_some(pair.condition),
        "text": text, "origin": origin, "features": args.text.features, "ms": (ms * 100.0).round() / 100.0,
        "sharpened": offline.sharpened(),
    });
    if args.json {
        let effect = effect(offline, &pair, &guidance, &picture)?;
        let asked = offline.asked().map(|asked| asked.report(effect.as_ref()));
        if let (Some(Value::Object(asked)), Some(report)) = (asked, report.as_object_mut()) {
            report.extend(asked);
        }
    }
    Ok(report)
}

/// What a user's text changed against the neutral sentence; `None`: nothing of it took effect.
fn effect(
    offline: &mut Offline,
    pair: &AlignedPair,
    guidance: &Guidance,
    picture: &Picture,
) -> Result<Option<Effect>> {
    let Some(asked) = offline.asked().filter(|asked| !asked.plan.is_neutral()) else {
        return Ok(None);
    };
    let mut neutral = asked.neutral.clone();
    if neutral.version() == guidance.version() && neutral.controls == guidance.controls {
        return Ok(None);
    }
    neutral.controls = Default::default();
    let without = offline.fuse(pair, &neutral)?;
    Ok(Some(Effect::measure(&pair.infrared, &without, picture)))
}

fn file_job(args: &Args) -> Result<Job> {
    let out = if args.out.is_dir() {
        let stem = args.b.file_stem().context("source B names no file")?;
        args.out.join(format!("{}.png", stem.to_string_lossy()))
    } else {
        args.out.clone()
    };
    check_output(&out)?;
    for source in [&args.a, &args.b] {
        if is_same(source, &out) {
            bail!(
                "--out {} would overwrite a source; name another file",
                out.display()
            );
        }
    }
    Ok(Job {
        a: args.a.clone(),
        b: args.b.clone(),
        out,
    })
}

fn folder_jobs(args: &Args) -> Result<Vec<Job>> {
    let found = pair_folders(&args.a, &args.b)?;
    if let Some(unmatched) = found.unmatched() {
        eprintln!("{unmatched}");
    }
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    for source in [&args.a, &args.b] {
        if is_same(source, &args.out) {
            bail!(
                "--out {} would overwrite the sources; name another folder",
                args.out.display()
            );
        }
    }
    let jobs = found.pairs.into_iter().map(|pair| Job {
        a: pair.a,
        b: pair.b,
        out: args.out.join(format!("{}.png", pair.stem)),
    });
    Ok(jobs.collect())
}

fn is_same(x: &Path, y: &Path) -> bool {
    match (x.canonicalize(), y.canonicalize()) {
        (Ok(x), Ok(y)) => x == y,
        _ => false,
    }
}
