//! The models' manifest, and the files it vouches for.
//!
//! Input: `manifest.toml` and the files beside it. Output: [`Manifest`], verified bytes, neutral
//! [`Guidance`]. Thread: main, before the frame path runs. Blocks: on the file system. Allocates:
//! yes. Fails when: [`FuseError::Model`], which names the file, what is wrong and what to do.
//! Not its job: understanding a network ([`super::network`]), fetching language models.

use std::path::{Path, PathBuf};

use super::FuseError;
use super::entries::{LanguageModelEntry, ModelRole, NetworkEntry, NeutralEntry, Raw};
use super::entries::{check, compare, unreadable};
use crate::bounded;
use crate::config::Task;
use crate::describe::{Guidance, Origin, TokenFeatures};
use crate::digest;
use crate::position::line_and_column;

/// The file's name inside a models folder.
pub const MANIFEST_NAME: &str = "manifest.toml";

/// How many folders above the program may hold the `models` folder: in a development tree the
/// program lies in target/release or target/release/deps.
const LEVELS_ABOVE: usize = 4;

/// A checked manifest. All its networks take one shape of guidance, so that a network can be
/// exchanged without a word to the describer.
#[derive(Debug, Clone)]
pub struct Manifest {
    path: PathBuf,
    networks: Vec<NetworkEntry>,
    language_models: Vec<LanguageModelEntry>,
    neutral: Vec<Guidance>,
}

impl Manifest {
    /// Finds and loads: `configured`, else the file or folder in `$FILMD_MODELS`, else `models`
    /// or `share/filmd/models` beside or above the program, else /usr/share/filmd/models, else
    /// ./models.
    ///
    /// # Errors
    /// [`FuseError::Model`] naming the places looked at, or what is wrong with the file found.
    pub fn find(configured: Option<&Path>) -> Result<Self, FuseError> {
        let named = configured.map(Path::to_owned).or_else(|| {
            std::env::var_os("FILMD_MODELS")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        });
        if let Some(path) = named {
            return Self::load(&inside(path));
        }
        let places = usual_places(std::env::current_exe().ok().as_deref());
        match places.iter().find(|place| place.is_file()) {
            Some(place) => Self::load(place),
            None => Err(FuseError::Model(format!(
                "no models found: {MANIFEST_NAME} is in none of {}; set fuse.manifest in the \
                 configuration, $FILMD_MODELS or --manifest",
                places
                    .iter()
                    .filter_map(|place| place.parent())
                    .map(|folder| folder.display().to_string())
                    .collect::<Vec<_>>()
                    .join(", ")
            ))),
        }
    }

    /// Loads a manifest and the neutral guidance it names; network files are read later, by
    /// [`Manifest::network_bytes`].
    ///
    /// # Errors
    /// [`FuseError::Model`].
    pub fn load(path: &Path) -> Result<Self, FuseError> {
        let text = bounded::read_text(path, bounded::TEXT).map_err(|error| {
            FuseError::Model(format!(
                "cannot read the models' manifest {}: {error}",
                path.display()
            ))
        })?;
        let raw: Raw = toml::from_str(&text).map_err(|error| {
            let (line, column) = line_and_column(&text, error.span().map_or(0, |s| s.start));
            let message = error.message();
            FuseError::Model(format!(
                "{}: line {line}, column {column}: {message}",
                path.display()
            ))
        })?;
        check(&raw).map_err(|what| FuseError::Model(format!("{}: {what}", path.display())))?;
        let mut manifest = Self {
            path: path.to_owned(),
            networks: raw.network,
            language_models: raw.language_model,
            neutral: Vec::new(),
        };
        manifest.neutral = manifest.load_neutral(&raw.neutral)?;
        Ok(manifest)
    }

    /// Where it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The network of that name, or the first one.
    ///
    /// # Errors
    /// [`FuseError::Model`] listing the names there are.
    pub fn network(&self, name: Option<&str>) -> Result<&NetworkEntry, FuseError> {
        let found = match name {
            None => self.networks.first(),
            Some(name) => self.networks.iter().find(|n| n.name == name),
        };
        found.ok_or_else(|| {
            let names: Vec<&str> = self.networks.iter().map(|n| n.name.as_str()).collect();
            FuseError::Model(format!(
                "{} has no network {}; it has {}",
                self.path.display(),
                name.unwrap_or_default(),
                names.join(", ")
            ))
        })
    }

    /// Rows and features a row of the guidance that all networks here take.
    pub fn guidance_shape(&self) -> (usize, usize) {
        self.networks
            .first()
            .map_or((0, 0), |network| (network.tokens, network.features))
    }

    /// The guidance in use while nobody describes.
    ///
    /// # Errors
    /// [`FuseError::Model`] where no network here was trained for the task.
    pub fn neutral(&self, task: Task) -> Result<Guidance, FuseError> {
        self.neutral
            .iter()
            .find(|guidance| guidance.task == task)
            .cloned()
            .ok_or_else(|| {
                FuseError::Model(format!(
                    "{} has no neutral guidance for the task {}",
                    self.path.display(),
                    task.name()
                ))
            })
    }

    /// The network's file, verified.
    ///
    /// # Errors
    /// [`FuseError::Model`] where it cannot be read or its SHA-256 is not the manifest's.
    pub fn network_bytes(&self, network: &NetworkEntry) -> Result<Vec<u8>, FuseError> {
        self.read_verified(&network.file, &network.sha256)
    }

    /// The file of the language model for `role`; `None` where the manifest has none.
    pub fn language_model(&self, role: ModelRole) -> Option<&LanguageModelEntry> {
        self.language_models.iter().find(|m| m.role == role)
    }

    fn read_verified(&self, file: &Path, sha256: &str) -> Result<Vec<u8>, FuseError> {
        let path = self.path.with_file_name("").join(file);
        let bytes =
            bounded::read(&path, bounded::NETWORK).map_err(|error| unreadable(&path, &error))?;
        // Hashed from the very bytes that are used: the file may change in between.
        compare(&path, sha256, &digest::sha256(&bytes))?;
        Ok(bytes)
    }

    fn load_neutral(&self, entry: &NeutralEntry) -> Result<Vec<Guidance>, FuseError> {
        let (tokens, dim) = self.guidance_shape();
        let bytes = self.read_verified(&entry.file, &entry.sha256)?;
        let expected = entry.tasks.len() * entry.rows * dim * size_of::<f32>();
        let refused = |what: String| {
            FuseError::Model(format!(
                "{}: [neutral] {}: {what}",
                self.path.display(),
                entry.file.display()
            ))
        };
        if bytes.len() != expected {
            return Err(refused(format!(
                "{} bytes found, {} tasks x {} rows x {dim} features need {expected}",
                bytes.len(),
                entry.tasks.len(),
                entry.rows
            )));
        }
        bytes
            .chunks_exact(entry.rows * dim * size_of::<f32>())
            .zip(entry.tasks.iter().zip(&entry.texts))
            .map(|(block, (&task, text))| {
                let values = block
                    .chunks_exact(size_of::<f32>())
                    .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                    .collect();
                let features = TokenFeatures {
                    rows: entry.rows,
                    dim,
                    values,
                };
                Guidance::new(&features, (tokens, dim), text, Origin::Neutral, task)
                    .map_err(|error| refused(error.to_string()))
            })
            .collect()
    }
}

/// A folder stands for the manifest in it.
fn inside(path: PathBuf) -> PathBuf {
    if path.is_dir() {
        return path.join(MANIFEST_NAME);
    }
    path
}

fn usual_places(program: Option<&Path>) -> Vec<PathBuf> {
    let above = program
        .into_iter()
        .flat_map(Path::ancestors)
        .skip(1)
        .take(LEVELS_ABOVE);
    above
        .flat_map(|folder| [folder.join("models"), folder.join("share/filmd/models")])
        .chain(["/usr/share/filmd/models".into(), "models".into()])
        .map(|folder| folder.join(MANIFEST_NAME))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny")
    }

    /// A copy of the test models, with the manifest's text changed.
    fn changed(from: &str, to: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(data()).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
        let path = folder.path().join(MANIFEST_NAME);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        (folder, path)
    }

    fn refusal(from: &str, to: &str) -> String {
        let (_folder, path) = changed(from, to);
        Manifest::load(&path).unwrap_err().to_string()
    }

    #[test]
    fn neutral_guidance_is_padded_to_the_network() {
        let manifest = Manifest::load(&data().join(MANIFEST_NAME)).unwrap();
        assert_eq!(manifest.guidance_shape(), (4, 8));
        for (i, task) in Task::ALL.into_iter().enumerate() {
            let guidance = manifest.neutral(task).unwrap();
            assert_eq!((guidance.shape(), guidance.task), ((4, 8), task));
            assert_eq!(guidance.origin, Origin::Neutral);
            let mean = guidance.values().iter().sum::<f32>() / 32.0;
            assert_eq!(mean, 0.25 * i as f32);
        }
    }

    #[test]
    fn networks_are_found_by_name() {
        let manifest = Manifest::load(&data().join(MANIFEST_NAME)).unwrap();
        assert_eq!(manifest.network(None).unwrap().name, "tiny");
        let said = manifest.network(Some("huge")).unwrap_err().to_string();
        assert!(
            said.contains("huge") && said.contains("tiny-sqrt"),
            "{said}"
        );
    }

    #[test]
    fn a_changed_file_is_named_with_both_sums() {
        let (folder, path) = changed("rows = 2", "rows = 2");
        let manifest = Manifest::load(&path).unwrap();
        let network = manifest.network(None).unwrap();
        let file = folder.path().join("tiny.onnx");
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[100] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        let said = manifest.network_bytes(network).unwrap_err().to_string();
        assert!(said.contains("tiny.onnx"), "{said}");
        assert!(said.contains(&network.sha256), "{said}");
        assert!(said.contains(&digest::sha256(&bytes)), "{said}");
        std::fs::remove_file(&file).unwrap();
        assert!(manifest.network_bytes(network).is_err());
    }

    #[test]
    fn paths_out_of_the_folder_are_refused() {
        assert!(refusal("file = \"tiny.onnx\"", "file = \"../tiny.onnx\"").contains("without .."));
        assert!(refusal("file = \"tiny.onnx\"", "file = \"/tiny.onnx\"").contains("relative"));
        assert!(refusal("file = \"neutral.f32\"", "file = \"\"").contains("relative"));
    }

    #[test]
    fn unknown_keys_are_refused_with_their_place() {
        let said = refusal("precision = \"f32\"", "precison = \"f32\"");
        assert!(
            said.contains("line 8") && said.contains("precison"),
            "{said}"
        );
    }

    #[test]
    fn shapes_must_fit_each_other() {
        assert!(refusal("tokens = 4", "tokens = 5").contains("one shape"));
        assert!(refusal("multiple_of = 8", "multiple_of = 0").contains("multiple_of"));
        assert!(refusal("rows = 2", "rows = 3").contains("256 bytes found"));
        assert!(refusal("\"Focus.\"]", "]").contains("differ in number"));
        let order = "rows = 2\ntasks = [\"ivf\", ";
        assert!(refusal(order, "rows = 2\ntasks = [").contains("no text"));
    }

    #[test]
    fn a_development_tree_and_an_installed_one_are_found() {
        let places = usual_places(Some(Path::new("/x/target/release/filmd")));
        assert!(places.contains(&PathBuf::from("/x/models/manifest.toml")));
        let places = usual_places(Some(Path::new("/opt/bin/filmd")));
        assert!(places.contains(&PathBuf::from("/opt/share/filmd/models/manifest.toml")));
    }
}
