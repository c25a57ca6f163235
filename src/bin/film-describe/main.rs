//! film-describe: the language model and the text encoder of filmd, in a process of their own,
//! since llama.cpp ends the process it runs in on some faults.
//!
//! Input: frames of [`filmd::describe::process::protocol`] on standard input. Output: frames on standard
//! output, words about faults on standard error. Thread: this one only; ggml's threads spin when cores are
//! busy. Blocks: on standard input, and while a model runs. Fails when: a model file is not what was asked
//! for (exit code 78), standard input makes no sense (65). Ends when: standard input does. Not its job:
//! facts; without --mmproj it sees only sentences.

mod confine;
mod encoder;
mod eyes;
mod files;
mod llm;
mod mix;
mod serve;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use filmd::clock::Clock;
use filmd::config::Task;
use filmd::describe::process::protocol::{Call, EncodedText, Message};
use filmd::metrics::resident_bytes;
use llama_cpp_2::llama_backend::LlamaBackend;

/// sysexits: a configuration error, and data that make no sense.
const EX_CONFIG: u8 = 78;
const EX_DATAERR: u8 = 65;

/// Writes the text that guides the fusion. Started by filmd; --once is for trying it by hand.
#[derive(Parser)]
#[command(name = "film-describe", version)]
struct Args {
    /// Language model (GGUF); without it the facts are only encoded.
    #[arg(long, value_name = "FILE")]
    llm: Option<PathBuf>,
    /// The language model's SHA-256; it is not used where the file has another one.
    #[arg(long, value_name = "HEX", requires = "llm")]
    llm_sha256: Option<String>,
    /// The part of the language model that sees (GGUF, "mmproj").
    #[arg(long, value_name = "FILE", requires = "llm")]
    mmproj: Option<PathBuf>,
    /// Its SHA-256; it is not used where the file has another one.
    #[arg(long, value_name = "HEX", requires = "mmproj")]
    mmproj_sha256: Option<String>,
    /// Text encoder (GGUF, a BERT model).
    #[arg(long, value_name = "FILE")]
    encoder: PathBuf,
    /// The text encoder's SHA-256.
    #[arg(long, value_name = "HEX")]
    encoder_sha256: Option<String>,
    /// Most bytes of address space; beyond, loading or writing fails and filmd goes on without.
    #[arg(long, value_name = "BYTES")]
    memory: Option<u64>,
    /// Describe the fact sentences on standard input (one a line, scenes apart by an empty line)
    /// and print the text, then end.
    #[arg(long)]
    once: bool,
    /// Task of --once.
    #[arg(long, value_enum, default_value = "ivf", requires = "once")]
    task: Task,
}

fn main() -> ExitCode {
    confine::confine();
    let args = Args::parse();
    if let Some(bytes) = args.memory {
        confine::limit_memory(bytes);
    }
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The last line is what filmd shows; a closed pipe has nobody to tell.
            let _ = writeln!(std::io::stderr(), "film-describe: {error:#}");
            let garbled = error.downcast_ref::<serve::Garbled>().is_some();
            ExitCode::from(if garbled { EX_DATAERR } else { EX_CONFIG })
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let mut backend = LlamaBackend::init().context("llama.cpp does not start")?;
    backend.void_logs();
    let encoder_model = files::load(&backend, &args.encoder, args.encoder_sha256.as_deref())
        .context("text encoder")?;
    let mut encoder = encoder::Encoder::new(&backend, &encoder_model).context("text encoder")?;
    // A language model that cannot be used is no reason to be without guidance.
    let mut note = None;
    let mut usable = |result: anyhow::Result<llama_cpp_2::model::LlamaModel>| match result {
        Ok(model) => Some(model),
        Err(error) => {
            note = Some(format!("language model: {error:#}"));
            None
        }
    };
    let llm_model = args
        .llm
        .as_ref()
        .and_then(|path| usable(files::load(&backend, path, args.llm_sha256.as_deref())));
    let mut llm = None;
    if let Some(model) = &llm_model {
        let eyes = args.mmproj.as_ref().and_then(|path| {
            let eyes = eyes::Eyes::load(path, args.mmproj_sha256.as_deref(), model);
            eyes.map_err(|error| note = Some(format!("vision: {error:#}")))
                .ok()
        });
        match llm::Llm::new(&backend, model, eyes) {
            Ok(made) => llm = Some(made),
            Err(error) => note = Some(format!("language model: {error:#}")),
        }
    }
    let mut server = serve::Server {
        llm: llm.as_mut(),
        encoder: &mut encoder,
        note,
        encoder_sha256: args.encoder_sha256.clone(),
    };
    if args.once {
        return once(&mut server, args.task);
    }
    server.run(&mut std::io::stdin().lock(), &mut std::io::stdout().lock())
}

fn once(server: &mut serve::Server<'_, '_, '_>, task: Task) -> anyhow::Result<()> {
    let mut input = String::new();
    std::io::stdin()
        .read_to_string(&mut input)
        .context("standard input")?;
    let mut out = std::io::stdout().lock();
    if let Some(note) = &server.note {
        writeln!(out, "note: {note}")?;
    }
    for scene in input.split("\n\n").filter(|s| !s.trim().is_empty()) {
        let begun = Clock.now();
        let cpu = confine::cpu_time();
        let reply = server.answer(Message::Describe(Call {
            task,
            about: scene.lines().map(str::to_owned).collect(),
            max_tokens: 140,
            max_rows: 64,
            deadline_ms: 60_000,
            views: Vec::new(),
        }));
        match reply {
            Some(Message::Description(EncodedText {
                text,
                origin,
                features,
            })) => {
                let took = Clock.now().since(begun);
                writeln!(
                    out,
                    "{text}\n  [{origin:?}, {} rows, {} ms, CPU {} ms{}]",
                    features.rows,
                    took.as_millis(),
                    confine::cpu_time().saturating_sub(cpu).as_millis(),
                    server
                        .llm
                        .as_ref()
                        .map_or(String::new(), |l| format!(", {}", l.last)),
                )?;
            }
            Some(Message::Refused(refusal)) => writeln!(out, "refused: {}", refusal.message)?,
            _ => bail!("no answer"),
        }
    }
    let resident = resident_bytes(std::process::id()).map_or(0, |bytes| bytes >> 20);
    writeln!(
        out,
        "resident: {resident} MiB, CPU {:?}",
        confine::cpu_time().max(Duration::ZERO)
    )?;
    Ok(())
}
