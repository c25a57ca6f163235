//! The schema of the models' manifest, its checks, and the checksums of the files it names.
//!
//! Input: TOML tables. Output: entries. Thread: main. Fails when: [`FuseError::Model`]. Not its job: finding
//! and loading ([`super::model`]).

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::FuseError;
use crate::config::Task;

/// One network: an ONNX graph with inputs `infrared` and `visible`, `[1,1,H,W]` in 0..=1, and
/// `guidance`, `[1,tokens,features]`; one output `fused`, `[1,1,H,W]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkEntry {
    /// How configuration and command line call it.
    pub name: String,
    /// The ONNX file, relative to the manifest.
    pub file: PathBuf,
    /// Of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// SPDX expression.
    pub licence: String,
    /// `f32`, say.
    pub precision: String,
    /// What it was trained for.
    pub tasks: Vec<Task>,
    /// Rows of the guidance tensor.
    pub tokens: usize,
    /// Features a row.
    pub features: usize,
    /// Height and width must be multiples of this; other sizes are padded.
    pub multiple_of: usize,
    /// Weights.
    pub parameters: u64,
    /// Multiplications a pixel.
    pub mac_per_pixel: f64,
    /// The text encoder whose features it was trained with.
    pub encoder: String,
}

/// The guidance in use while nobody describes: one text a task, encoded when the network was
/// trained.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeutralEntry {
    /// Little-endian f32 `[tasks, rows, features]`, relative to the manifest.
    pub file: PathBuf,
    /// Of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Token rows a task.
    pub rows: usize,
    /// The order of the tasks in the file.
    pub tasks: Vec<Task>,
    /// What was encoded, in the same order.
    pub texts: Vec<String>,
}

/// What a language model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelRole {
    /// Writes the paragraph.
    Llm,
    /// Turns it into token features.
    Encoder,
}

/// One file of the describer, which models/fetch.py puts into a cache folder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageModelEntry {
    /// Its common name.
    pub name: String,
    /// What it is for.
    pub role: ModelRole,
    /// The file, relative to the folder of language models.
    pub file: PathBuf,
    /// Of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Length of the file.
    pub bytes: u64,
    /// SPDX expression.
    pub licence: String,
    /// The package it comes in.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// Of the package.
    pub package_sha256: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub network: Vec<NetworkEntry>,
    pub neutral: NeutralEntry,
    #[serde(default)]
    pub language_model: Vec<LanguageModelEntry>,
}

/// What the types cannot say.
pub(super) fn check(raw: &Raw) -> Result<(), String> {
    let Some(first) = raw.network.first() else {
        return Err("there is no [[network]]".to_owned());
    };
    for network in &raw.network {
        let name = &network.name;
        check_file(&network.file, &network.sha256).map_err(|what| format!("{name}: {what}"))?;
        if (network.tokens, network.features) != (first.tokens, first.features) {
            return Err(format!(
                "{name} takes guidance of {} x {}, {} takes {} x {}; all networks of a manifest \
                 must take one shape",
                network.tokens, network.features, first.name, first.tokens, first.features
            ));
        }
        let sizes = [network.tokens, network.features, network.multiple_of];
        if sizes.iter().any(|&n| n == 0 || n > 4096) {
            return Err(format!(
                "{name}: tokens, features and multiple_of must be 1 to 4096"
            ));
        }
        if let Some(task) = network
            .tasks
            .iter()
            .find(|t| !raw.neutral.tasks.contains(t))
        {
            return Err(format!(
                "{name} is for the task {}, for which [neutral] has no text",
                task.name()
            ));
        }
    }
    let neutral = &raw.neutral;
    check_file(&neutral.file, &neutral.sha256).map_err(|what| format!("[neutral]: {what}"))?;
    if neutral.tasks.len() != neutral.texts.len() {
        return Err("[neutral]: tasks and texts differ in number".to_owned());
    }
    if neutral.rows == 0 || neutral.rows > 4096 {
        return Err("[neutral]: rows must be 1 to 4096".to_owned());
    }
    for model in &raw.language_model {
        check_file(&model.file, &model.sha256).map_err(|what| format!("{}: {what}", model.name))?;
    }
    Ok(())
}

/// Files stay inside the manifest's folder, whoever wrote the manifest.
fn check_file(file: &Path, sha256: &str) -> Result<(), String> {
    let plain = file
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !plain || file.as_os_str().is_empty() {
        return Err(format!(
            "file = {} must be a relative path without ..",
            file.display()
        ));
    }
    if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("sha256 = {sha256} is not 64 hexadecimal digits"));
    }
    Ok(())
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> FuseError {
    FuseError::Model(format!(
        "cannot read {}, which the models' manifest names: {error}",
        path.display()
    ))
}

pub(super) fn compare(path: &Path, expected: &str, found: &str) -> Result<(), FuseError> {
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(FuseError::Model(format!(
        "{} is damaged or not the file of its manifest: SHA-256 is {found}, expected {expected}; \
         install it again",
        path.display()
    )))
}
