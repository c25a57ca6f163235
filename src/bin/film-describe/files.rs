//! Model files: checked, then loaded. llama.cpp aborts or prints nonsense on damaged ones.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use filmd::digest::sha256_of;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;

/// Loads a model whose file has the sum `expected` (hexadecimal), mapped from its file.
pub fn load(
    backend: &LlamaBackend,
    path: &Path,
    expected: Option<&str>,
) -> anyhow::Result<LlamaModel> {
    check(path, expected)?;
    let params = LlamaModelParams::default()
        .with_n_gpu_layers(0)
        .with_use_mmap(true);
    LlamaModel::load_from_file(backend, path, &params)
        .with_context(|| format!("llama.cpp cannot load {}", path.display()))
}

/// A GGUF file, with the sum `expected` where there is one.
pub fn check(path: &Path, expected: Option<&str>) -> anyhow::Result<()> {
    let shown = path.display();
    let mut file = File::open(path).with_context(|| format!("cannot open {shown}"))?;
    let mut magic = [0; 4];
    file.read_exact(&mut magic)
        .with_context(|| format!("cannot read {shown}"))?;
    if magic != *b"GGUF" {
        bail!("{shown} is no GGUF file");
    }
    if let Some(expected) = expected {
        let found = sha256_of(magic.chain(file)).with_context(|| format!("cannot read {shown}"))?;
        if !found.eq_ignore_ascii_case(expected) {
            bail!("{shown} has SHA-256 {found} and not {expected}: damaged, fetch it anew");
        }
    }
    Ok(())
}
