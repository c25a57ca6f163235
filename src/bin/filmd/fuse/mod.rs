//! `filmd fuse`: picture files in, fused picture files out.
//!
//! Input: files or two folders. Output: a file or a folder of them; JSON lines. Fails when: a file, a
//! model or the describer cannot be used; in folders the other pairs go on. Not its job: finding how two cameras
//! lie to each other; their files are taken to be registered, or a calibration says how.

mod jobs;
mod stack;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use filmd::align::{AlignedPair, Calibration};
use filmd::clock::Clock;
use filmd::config::{CleanMode, Engine, Task, ToneConfig, ToneMode};
use filmd::describe::{Guidance, Origin};
use filmd::files::{Beside, guard, write_picture_with};
use filmd::frame::{Picture, Size};
use filmd::quality::Effect;
use filmd::range::window::Window;
use serde_json::{Value, json};

use crate::offline::{Offline, Settings, TextSource};
use crate::pair_files::{PairCleaner, progress_bar};
use crate::sources::Reading;
use jobs::{Job, jobs_of};
use stack::{Placing, Stack};

/// Fuse picture files: two pictures (or a stack) into one, or two folders into a third.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Source A (infrared, functional or CT, under-exposed, near focus), then B (visible, MRI,
    /// over-exposed, far focus; its size is kept): files or folders. One file: a FLIR picture that
    /// holds both. Up to 9 files: exposures or foci
    #[arg(value_name = "SOURCE", required = true, num_args = 1..)]
    sources: Vec<PathBuf>,
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
    #[command(flatten)]
    placing: PlacingArgs,
    #[command(flatten)]
    values: ValueArgs,
}

/// How sources come to lie over each other, and which belong together.
#[derive(Debug, Clone, clap::Args)]
struct PlacingArgs {
    /// Bring exposures and foci (mef, mff) over the last picture: shift, small turn and scale
    #[arg(long, value_enum, default_value_t)]
    align: Align,
    /// Lay A over B by a calibration file, as live video does (ivf, mif)
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// Pair names by what they end in: x_T.jpg of the first folder with x_V.jpg of the second,
    /// which may be the same folder
    #[arg(long, value_name = "A,B", value_parser = suffixes)]
    suffixes: Option<(String, String)>,
}

/// Which values of deep pictures are shown.
#[derive(Debug, Clone, clap::Args)]
struct ValueArgs {
    /// What is black and white of an infrared source A of more than 8 bits: degrees Celsius where
    /// its temperatures are known, else counts; without it the live camera's rule holds
    #[arg(long, value_name = "LOW,HIGH", value_parser = range, allow_hyphen_values = true)]
    range: Option<(f32, f32)>,
    /// The values of a medical source A of 16 bits that are shown, in its counts; without it a
    /// brain's window for what looks like a CT, else nearly all values
    #[arg(long, value_name = "CENTRE,WIDTH", value_parser = window, allow_hyphen_values = true)]
    window: Option<Window>,
    /// Source A shows what is hot dark
    #[arg(long)]
    black_hot: bool,
}

/// Whether exposures and foci are aligned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Align {
    /// Where it is clear how they lie.
    #[default]
    Auto,
    /// Never.
    Off,
}

/// Two numbers with a comma between them.
fn two(text: &str) -> Option<(f32, f32)> {
    let (a, b) = text.split_once(',')?;
    let (a, b): (f32, f32) = (a.trim().parse().ok()?, b.trim().parse().ok()?);
    (a.is_finite() && b.is_finite()).then_some((a, b))
}

/// The value of `--range`.
fn range(text: &str) -> Result<(f32, f32), String> {
    two(text)
        .filter(|(low, high)| low < high)
        .ok_or_else(|| "two numbers were expected, the lower one first, such as 15,35".to_owned())
}

/// The value of `--window`.
fn window(text: &str) -> Result<Window, String> {
    two(text)
        .filter(|(_, width)| *width >= 1.0)
        .map(|(centre, width)| Window { centre, width })
        .ok_or_else(|| {
            "a centre and a width of at least 1 were expected, such as 1064,400".to_owned()
        })
}

/// The value of `--suffixes`.
fn suffixes(text: &str) -> Result<(String, String), String> {
    match text.split_once(',') {
        Some((a, b)) if a != b && !b.contains(',') => Ok((a.to_owned(), b.to_owned())),
        _ => Err("two different endings were expected, such as _T,_V".to_owned()),
    }
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

/// What is the same for all pairs.
struct Work {
    offline: Offline,
    cleaner: Option<PairCleaner>,
    reading: Reading,
    calibration: Option<Calibration>,
    /// What was said of files already; those of one camera are alike.
    said: HashSet<String>,
}

/// Runs the command.
///
/// # Errors
/// What stopped the work; for folders, after all pairs, how many failed.
pub fn run(args: &Args) -> Result<()> {
    check(args)?;
    let (jobs, folders) = jobs_of(args)?;
    let calibration = args.placing.calibration.as_deref();
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
        complain!("filmd: {reason}; the neutral sentence guides");
    }
    let mut work = Work {
        offline,
        cleaner: PairCleaner::new(args.task, args.clean),
        reading: Reading {
            task: args.task,
            range: args.values.range,
            window: args.values.window,
            black_hot: args.values.black_hot,
        },
        calibration: calibration.map(Calibration::load).transpose()?,
        said: HashSet::new(),
    };
    if !folders {
        let report = fuse_one(args, &mut work, &jobs[0])?;
        if args.json {
            deliver!("{report}").context("cannot write the report")?;
        }
        return Ok(());
    }
    fuse_folder(args, &mut work, &jobs)
}

/// Options that belong to another task.
fn check(args: &Args) -> Result<()> {
    let stack = matches!(args.task, Task::Mef | Task::Mff);
    if args.placing.calibration.is_some() && stack {
        bail!(
            "--calibration is for two cameras (--task ivf or mif); exposures and foci are aligned by --align"
        );
    }
    if (args.values.range.is_some() || args.values.black_hot) && args.task != Task::Ivf {
        bail!("--range and --black-hot are for infrared sources (--task ivf)");
    }
    if args.values.window.is_some() && args.task != Task::Mif {
        bail!("--window is for medical sources (--task mif)");
    }
    Ok(())
}

fn fuse_folder(args: &Args, work: &mut Work, jobs: &[Job]) -> Result<()> {
    let bar = progress_bar(jobs.len());
    let mut failed = 0;
    for job in jobs {
        bar.set_message(job.name.clone());
        let result = fuse_one(args, work, job);
        let shown: Vec<String> = job.sources.iter().map(job_text).collect();
        if let Err(error) = &result {
            failed += 1;
            bar.suspend(|| complain!("{}: {error:#}", shown.join(" + ")));
        }
        if args.json {
            let line = result.unwrap_or_else(|error| {
                json!({
                    "a": shown.first(), "b": shown.last(), "out": null,
                    "task": args.task.name(), "error": format!("{error:#}"),
                })
            });
            bar.suspend(|| deliver!("{line}"))
                .context("cannot write the report")?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !args.json {
        let out = args.out.display();
        let (total, fused) = (jobs.len(), jobs.len() - failed);
        say!("{fused} of {total} pairs fused into {out}");
    }
    if failed > 0 {
        bail!("{failed} of {} pairs failed", jobs.len());
    }
    Ok(())
}

/// A path for a message or JSON; what is no UTF-8 in it becomes the replacement character.
fn job_text(path: impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}

/// Fuses one job. A panic of a stage is an error of this job.
fn fuse_one(args: &Args, work: &mut Work, job: &Job) -> Result<Value> {
    match guard::without_panic(|| fuse_job(args, work, job)) {
        Ok(result) => result,
        Err(words) => {
            work.offline.forget();
            work.cleaner = PairCleaner::new(args.task, args.clean);
            bail!("filmd failed on these files ({words}); please report it")
        }
    }
}

fn fuse_job(args: &Args, work: &mut Work, job: &Job) -> Result<Value> {
    let placing = Placing {
        stretch: args.stretch,
        align: args.placing.align == Align::Auto,
        calibration: work.calibration.as_ref(),
    };
    let Work {
        offline, cleaner, ..
    } = work;
    let mut stack = stack::read(job, &work.reading, placing, cleaner.as_mut())?;
    let guidance = offline.guidance(&stack.pair, &job.name)?;
    if let (Some(cleaner), true) = (cleaner.as_mut(), guidance.controls.denoise != [0.0; 2]) {
        // The text asks for less noise than the measured strength leaves.
        cleaner.set_denoise(guidance.controls.denoise);
        stack = stack::read(job, &work.reading, placing, Some(cleaner))?;
        cleaner.set_denoise([0.0; 2]);
    }
    say_notes(&mut work.said, job, &stack);
    let clock = Clock;
    offline.prepare(stack.pair.visible.size(), &guidance)?;
    let start = clock.now();
    let mut picture = offline.fuse(&stack.pair, &guidance)?;
    for next in stack.pictures.drain(..).skip(2) {
        // Dark first, as the network knows it.
        let pair = AlignedPair::registered(next, picture);
        picture = offline.fuse(&pair, &guidance)?;
    }
    only_where_seen(&mut picture, &stack.pair);
    let ms = clock.now().since(start).as_secs_f64() * 1e3;
    let beside = Beside {
        profile: stack.profile.as_deref(),
        exif: stack.exif.as_deref(),
    };
    write_picture_with(&job.out, &picture, beside)?;
    report(args, work, job, (&stack, &guidance, &picture, ms))
}

/// Beyond the view of source A, which a calibration tells, the result is source B.
fn only_where_seen(picture: &mut Picture, pair: &AlignedPair) {
    if pair.is_covered || pair.coverage.size() != picture.size() {
        return;
    }
    let (channels, of_b) = (picture.channels(), pair.visible.channels());
    let pixels = picture.data_mut().chunks_exact_mut(channels);
    let visible = pair.visible.data().chunks_exact(of_b);
    for ((pixel, visible), &seen) in pixels.zip(visible).zip(pair.coverage.data()) {
        for (c, value) in pixel.iter_mut().enumerate() {
            let (a, b) = (u32::from(*value), u32::from(visible[c.min(of_b - 1)]));
            let seen = u32::from(seen);
            *value = ((a * seen + b * (255 - seen) + 127) / 255) as u8;
        }
    }
}

/// What was special about the files, each thing once.
fn say_notes(said: &mut HashSet<String>, job: &Job, stack: &Stack) {
    for (index, notes) in stack.about.notes.iter().enumerate() {
        let path = job.sources.get(index).or(job.sources.last()).map(job_text);
        for note in notes {
            if said.insert(note.clone()) {
                complain!("filmd: {}: {note}", path.as_deref().unwrap_or_default());
            }
        }
    }
}

fn report(
    args: &Args,
    work: &mut Work,
    job: &Job,
    (stack, guidance, picture, ms): (&Stack, &Guidance, &Picture, f64),
) -> Result<Value> {
    let Work {
        offline, cleaner, ..
    } = work;
    let Size { width, height } = picture.size();
    // Classic fusion listens to nobody, so it has no text; that of a features file is not known.
    let (text, origin) = match (&args.text.text, offline.asked()) {
        (Some(text), Some(_)) => (json!(text), json!(Origin::User)),
        _ if offline.takes_text() && args.text.features.is_none() => {
            (json!(guidance.text), json!(guidance.origin))
        }
        _ => (Value::Null, Value::Null),
    };
    let shown: Vec<String> = job.sources.iter().map(job_text).collect();
    let about = &stack.about;
    let features = args.text.features.as_ref().map(job_text);
    let mut report = json!({
        "a": shown.first(), "b": shown.last(), "sources": shown, "out": job_text(&job.out),
        "width": width, "height": height, "channels": picture.channels(),
        "task": args.task.name(), "fuser": offline.fuser_name(),
        "condition": cleaner.is_some().then_some(stack.pair.condition),
        "text": text, "origin": origin, "features": features, "ms": (ms * 100.0).round() / 100.0,
        "sharpened": offline.sharpened(),
        "notes": about.notes, "temperatures": about.temperatures,
        "aligned": about.aligned, "order": about.order,
    });
    if args.json {
        let effect = effect(offline, &stack.pair, guidance, picture)?;
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
