//! The film-describe process as filmd sees it: what it is started with, what is said to it, when it is stopped.

mod backoff;
mod child;
mod client;
mod control_group;
mod launch;
mod models;
mod pauser;
pub mod protocol;
pub mod view;

use std::path::PathBuf;

pub use client::ProcessDescriber;
pub use control_group::{ControlGroup, Limits};
pub use launch::Launch;
pub use models::{ModelFile, ModelFiles, ModelSpec, model_folders};
pub use pauser::{DescriberPauser, FramePriority};

use super::{DescribeError, Describer};
use crate::config::DescribeConfig;

/// Address space film-describe may have beside its model files, bytes: programs and contexts take
/// a third of it.
const MEMORY: u64 = 512 << 20;
/// Memory it may hold beside them in a control group of its own, bytes; it takes a quarter of it.
const RESIDENT: u64 = 160 << 20;
/// And for looking at pictures.
const VISION: u64 = 512 << 20;

/// The describer the configuration asks for; `rows` is what the network takes. Nothing is
/// started before the first call.
///
/// # Errors
/// [`DescribeError::Absent`] where it is switched off, or the text encoder's file or the program
/// is not there: guidance stays neutral then. A missing language model is no error: the template's
/// text is encoded instead.
pub fn open(
    config: &DescribeConfig,
    files: &ModelFiles,
    rows: usize,
) -> Result<Box<dyn Describer>, DescribeError> {
    if !config.enabled {
        return Err(DescribeError::Absent(
            "describe.enabled is false".to_owned(),
        ));
    }
    let Some(encoder) = files.encoder.clone() else {
        let folders: Vec<_> = files
            .searched
            .iter()
            .map(|f| f.display().to_string())
            .collect();
        return Err(DescribeError::Absent(format!(
            "the text encoder's file is in none of these folders: {}; fetch it (make run does) or \
             set describe.models",
            folders.join(", ")
        )));
    };
    let program = match &config.program {
        Some(program) => program.clone(),
        None => beside_this_program()?,
    };
    let llm = files.llm.clone().filter(|_| config.llm);
    let mmproj = files.mmproj.clone().filter(|_| llm.is_some());
    let memory = match config.memory_mb {
        Some(mb) => mb << 20,
        None => {
            let seeing = mmproj.as_ref().map_or(0, |file| VISION + size_of(file));
            MEMORY + size_of(&encoder) + llm.as_ref().map_or(0, size_of) + seeing
        }
    };
    let launch = Launch {
        program,
        llm,
        mmproj,
        encoder,
        max_rows: rows,
        memory: Some(memory),
    };
    let group = ControlGroup::of_this_process(Limits {
        memory: config
            .memory_mb
            .map_or_else(|| memory - MEMORY + RESIDENT, |mb| mb << 20),
        cpu_weight: config.cpu_weight,
    });
    let describer = ProcessDescriber::new(launch).with_deadline(config.deadline());
    Ok(Box::new(describer.in_group(group)))
}

fn size_of(file: &ModelFile) -> u64 {
    std::fs::metadata(&file.path).map_or(0, |m| m.len())
}

fn beside_this_program() -> Result<PathBuf, DescribeError> {
    let found = std::env::current_exe()
        .ok()
        .map(|exe| exe.with_file_name("film-describe"));
    match found {
        Some(program) if program.is_file() => Ok(program),
        other => Err(DescribeError::Absent(format!(
            "film-describe is not beside this program{}; install it or set describe.program",
            other.map_or_else(String::new, |p| format!(" ({})", p.display()))
        ))),
    }
}
