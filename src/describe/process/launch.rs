//! What a film-describe process is started with.
//!
//! Input: files and limits. Output: its arguments. Not its job: starting it.

use std::ffi::OsString;
use std::path::PathBuf;

use super::models::ModelFile;

/// Crashes in a row while loading, after which the language model is left out.
const CRASHES: u32 = 2;

/// What to start.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The film-describe program.
    pub program: PathBuf,
    /// The language model, where there is one.
    pub llm: Option<ModelFile>,
    /// The part of the language model that sees, where there is one.
    pub mmproj: Option<ModelFile>,
    /// The text encoder.
    pub encoder: ModelFile,
    /// Most feature rows a description may have: what the network takes.
    pub max_rows: usize,
    /// Address space the process may have, bytes; `None`: any.
    pub memory: Option<u64>,
}

impl Launch {
    /// After [`CRASHES`] the part that sees is left out, where there is one, after as many more
    /// the language model.
    pub(super) fn args(&self, crashes: u32) -> Vec<OsString> {
        let mut args = self.encoder.args("--encoder");
        let mmproj = self.mmproj.as_ref();
        let enough = if mmproj.is_some() { 2 } else { 1 } * CRASHES;
        if let Some(llm) = self.llm.as_ref().filter(|_| crashes < enough) {
            args.extend(llm.args("--llm"));
            if let Some(mmproj) = mmproj.filter(|_| crashes < CRASHES) {
                args.extend(mmproj.args("--mmproj"));
            }
        }
        if let Some(bytes) = self.memory {
            args.extend(["--memory".into(), bytes.to_string().into()]);
        }
        args
    }
}
