//! What the describer's tests share.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::PathBuf;
use std::time::Duration;

use filmd::config::{DescribeConfig, Task};
use filmd::describe::{DescribeRequest, ModelFile, ModelFiles, ModelSpec, Prompt};
use sha2::{Digest, Sha256};

/// The real film-describe.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_film-describe");

/// The model files of the cache folder, unchecked; says loudly what a test goes without.
pub fn models() -> ModelFiles {
    let spec = |file: &str| ModelSpec {
        file: file.to_owned(),
        sha256: String::new(),
    };
    let mut files = ModelFiles::find(
        &DescribeConfig::default(),
        Some(&spec("SmolLM2-135M-Instruct.Q4_1.gguf")),
        Some(&spec("all-MiniLM-L6-v2.Q8_0.gguf")),
    );
    let unchecked = |file: Option<ModelFile>, what| {
        if file.is_none() {
            eprintln!("SKIPPED: no {what}; `make models` fetches it");
        }
        file.map(|file| ModelFile {
            sha256: None,
            ..file
        })
    };
    files.llm = unchecked(files.llm.take(), "language model");
    files.encoder = unchecked(files.encoder.take(), "text encoder");
    files
}

/// Language model and text encoder, where both are there.
pub fn both_models() -> Option<(ModelFile, ModelFile)> {
    let files = models();
    files.llm.zip(files.encoder)
}

/// Where the data to try things on lie, where they do.
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("FILMD_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    if !folder.is_dir() {
        eprintln!("SKIPPED: no data in {}; set FILMD_SHARED", folder.display());
        return None;
    }
    Some(folder)
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub fn request(text: Prompt) -> DescribeRequest {
    DescribeRequest {
        task: Task::Ivf,
        text,
        deadline: Duration::from_secs(60),
        views: Vec::new(),
    }
}

pub fn text(text: &str) -> DescribeRequest {
    request(Prompt::Text(text.to_owned()))
}

pub fn facts() -> DescribeRequest {
    request(Prompt::Facts(vec![
        "The infrared image shows two warm upright objects on the left.".to_owned(),
        "The visible image is dark and has glare on the right.".to_owned(),
    ]))
}
