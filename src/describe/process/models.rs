//! Where the language model and the text encoder lie.
//!
//! Input: the configuration and the manifest's file names. Output: paths. Blocks: file look-ups. What is
//! not found is `None`. Not its job: loading, checking sums (film-describe does), fetching (models/ does).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::DescribeConfig;

/// A model file as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSpec {
    /// File name, without a folder.
    pub file: String,
    /// Hexadecimal; film-describe refuses a file with another sum.
    pub sha256: String,
}

/// A model file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// The file.
    pub path: PathBuf,
    /// Its expected SHA-256, hexadecimal; `None`: unchecked, for models a user brings.
    pub sha256: Option<String>,
}

impl ModelFile {
    /// Command-line arguments of film-describe: `FLAG PATH [FLAG-sha256 SUM]`.
    pub(super) fn args(&self, flag: &str) -> Vec<OsString> {
        let mut args = vec![flag.into(), self.path.clone().into()];
        if let Some(sum) = &self.sha256 {
            args.push(format!("{flag}-sha256").into());
            args.push(sum.into());
        }
        args
    }
}

/// The models of the text path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelFiles {
    /// Writes paragraphs.
    pub llm: Option<ModelFile>,
    /// The part of `llm` that sees, where there is one.
    pub mmproj: Option<ModelFile>,
    /// Makes features of them.
    pub encoder: Option<ModelFile>,
    /// Folders looked into, for messages.
    pub searched: Vec<PathBuf>,
}

impl ModelFiles {
    /// Looks for the two files, each in the first folder that has it: `describe.models` alone
    /// where it is set, else those of [`model_folders`]. The files of `describe.vision` take the
    /// place of the language model, there or not: film-describe says what is wrong with them.
    pub fn find(
        config: &DescribeConfig,
        llm: Option<&ModelSpec>,
        encoder: Option<&ModelSpec>,
    ) -> Self {
        let searched = match &config.models {
            Some(folder) => vec![folder.clone()],
            None => model_folders(|name| std::env::var_os(name)),
        };
        let vision = config.vision.as_ref();
        let named = |path: &Path, sha256: &Option<String>| ModelFile {
            path: path.to_owned(),
            sha256: sha256.clone(),
        };
        Self {
            llm: match vision {
                Some(vision) => Some(named(&vision.model, &vision.model_sha256)),
                None => llm.and_then(|spec| in_folders(&searched, spec)),
            },
            mmproj: vision.map(|vision| named(&vision.mmproj, &vision.mmproj_sha256)),
            encoder: encoder.and_then(|spec| in_folders(&searched, spec)),
            searched,
        }
    }
}

/// `$FILMD_CACHE`, `$XDG_CACHE_HOME/filmd/models` (or `~/.cache/filmd/models`),
/// /var/lib/filmd/models, /usr/share/filmd/models (the package filmd-models). `variable` reads the environment.
pub fn model_folders(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = |name: &str| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    [
        set("FILMD_CACHE"),
        cache.map(|cache| cache.join("filmd/models")),
        Some(PathBuf::from("/var/lib/filmd/models")),
        Some(PathBuf::from("/usr/share/filmd/models")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn in_folders(folders: &[PathBuf], spec: &ModelSpec) -> Option<ModelFile> {
    // A name with a folder in it would lead out of the models' folder.
    let name = Path::new(&spec.file).file_name()?;
    let path = folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())?;
    Some(ModelFile {
        path,
        sha256: Some(spec.sha256.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_in_order_and_empty_variables_do_not_count() {
        let folders = model_folders(|name| match name {
            "FILMD_CACHE" => Some("/a".into()),
            "XDG_CACHE_HOME" => Some("".into()),
            "HOME" => Some("/h".into()),
            _ => None,
        });
        assert_eq!(
            folders,
            [
                "/a",
                "/h/.cache/filmd/models",
                "/var/lib/filmd/models",
                "/usr/share/filmd/models"
            ]
            .map(PathBuf::from)
        );
        assert_eq!(
            model_folders(|_| None),
            ["/var/lib/filmd/models", "/usr/share/filmd/models"].map(PathBuf::from)
        );
    }

    #[test]
    fn a_configured_folder_is_the_only_one_and_names_stay_in_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("m.gguf"), b"x").unwrap();
        let config = DescribeConfig {
            models: Some(folder.path().to_owned()),
            ..DescribeConfig::default()
        };
        let spec = |file: &str| ModelSpec {
            file: file.to_owned(),
            sha256: "00".to_owned(),
        };
        let files = ModelFiles::find(&config, Some(&spec("../m.gguf")), Some(&spec("n.gguf")));
        let llm = files.llm.unwrap();
        assert_eq!(llm.path, folder.path().join("m.gguf"));
        assert_eq!(llm.args("--llm").len(), 4);
        assert_eq!((files.encoder, files.searched.len()), (None, 1));
        assert_eq!(files.mmproj, None);
    }

    #[test]
    fn a_model_that_sees_takes_the_language_models_place() {
        let vision: crate::config::VisionConfig =
            toml::from_str("model = '/m'\nmmproj = '/p'\nmmproj_sha256 = '00'").unwrap();
        let config = DescribeConfig {
            vision: Some(vision),
            ..DescribeConfig::default()
        };
        let files = ModelFiles::find(&config, None, None);
        let named = |path: &str, sha256: Option<&str>| {
            Some(ModelFile {
                path: path.into(),
                sha256: sha256.map(str::to_owned),
            })
        };
        assert_eq!(files.llm, named("/m", None));
        assert_eq!(files.mmproj, named("/p", Some("00")));
    }
}
