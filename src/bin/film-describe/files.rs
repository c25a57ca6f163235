//! Model files: checked, then loaded. llama.cpp aborts or prints nonsense on damaged ones.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use filmd::files::hex;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use sha2::{Digest, Sha256};

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
        let mut sum = Sha256::new();
        sum.update(magic);
        let found = hash(file, sum).with_context(|| format!("cannot read {shown}"))?;
        if !found.eq_ignore_ascii_case(expected) {
            bail!("{shown} has SHA-256 {found} and not {expected}: damaged, fetch it anew");
        }
    }
    Ok(())
}

fn hash(mut file: File, mut sum: Sha256) -> std::io::Result<String> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => sum.update(&buffer[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hex(&sum.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_abc_is_the_standards() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"bc").unwrap();
        let mut sum = Sha256::new();
        sum.update(b"a");
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            hash(File::open(file.path()).unwrap(), sum).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
