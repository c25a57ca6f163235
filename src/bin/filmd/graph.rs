//! The graph that `filmd fuse` runs: the manifest's, an ONNX file in its place, or a published
//! FILM network.
//!
//! Input: a name or a file. Output: [`Graph`], and fusers of it. Fails when: the file cannot be used, does
//! not fit the task, or a picture does not fit the memory. Not its job: where the text comes from.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use filmd::bounded;
use filmd::config::Task;
use filmd::describe::{Guidance, Origin, TokenFeatures};
use filmd::frame::Size;
use filmd::fuse::{FuseError, MOST_TOKENS, Manifest, NetworkEntry, NetworkFuser, PublishedFilm};

/// A verified graph, ready to be made for any size.
pub struct Graph {
    bytes: Vec<u8>,
    kind: Kind,
}

enum Kind {
    /// One that takes what the manifest's networks take.
    Edge(NetworkEntry),
    /// A published one, and its file.
    Published(PublishedFilm, PathBuf),
}

impl Graph {
    /// By name from the manifest, verified; or an ONNX file that its user vouches for. A
    /// published network needs no manifest.
    ///
    /// # Errors
    /// No usable manifest or file; a published network of another task.
    pub fn load(
        manifest: &Result<Manifest, FuseError>,
        model: Option<&str>,
        task: Task,
    ) -> Result<Self> {
        let file = model
            .map(Path::new)
            .filter(|path| path.extension().is_some_and(|e| e == "onnx") || path.is_file());
        let Some(path) = file else {
            let manifest = needed(manifest)?;
            let entry = manifest.network(model)?.clone();
            let bytes = manifest.network_bytes(&entry)?;
            let kind = Kind::Edge(entry);
            return Ok(Self { bytes, kind });
        };
        let unusable = || format!("cannot use {}", path.display());
        let bytes = bounded::read(path, bounded::NETWORK)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let kind = match PublishedFilm::of(&bytes).with_context(unusable)? {
            Some(film) if film.task != task => bail!(
                "{} was trained for the task {}, and this is {}; pass --task {}, or another file",
                path.display(),
                film.task.name(),
                task.name(),
                film.task.name()
            ),
            Some(film) => Kind::Published(film, path.to_owned()),
            None => {
                let mut entry = needed(manifest)?.network(None)?.clone();
                entry.name = path.file_stem().map_or_else(
                    || path.display().to_string(),
                    |s| s.to_string_lossy().into_owned(),
                );
                entry.file = PathBuf::from(path);
                Kind::Edge(entry)
            }
        };
        Ok(Self { bytes, kind })
    }

    /// Columns of the text features, where it is a published network: the manifest's text encoder
    /// and its neutral guidance are not for it.
    pub fn published_features(&self) -> Option<usize> {
        match &self.kind {
            Kind::Published(film, _) => Some(film.features),
            Kind::Edge(_) => None,
        }
    }

    /// Most rows of text features that it takes.
    pub fn most_rows(&self) -> usize {
        match &self.kind {
            Kind::Published(..) => MOST_TOKENS,
            Kind::Edge(entry) => entry.tokens,
        }
    }

    /// Features as this network takes them: padded, or as many rows as there are.
    ///
    /// # Errors
    /// Features of another text encoder, or too many of them.
    pub fn guidance(
        &self,
        features: &TokenFeatures,
        (text, origin): (&str, Origin),
        task: Task,
    ) -> Result<Guidance> {
        let shape = match &self.kind {
            Kind::Edge(entry) => (entry.tokens, entry.features),
            Kind::Published(film, _) if features.rows <= MOST_TOKENS => {
                (features.rows, film.features)
            }
            Kind::Published(..) => bail!(
                "the text features have {} rows, at most {MOST_TOKENS} can guide; shorten the text",
                features.rows
            ),
        };
        Ok(Guidance::new(features, shape, text, origin, task)?)
    }

    /// The network for pictures of `size` and guidance of `rows` rows.
    ///
    /// # Errors
    /// The network's; less free memory than a published one needs.
    pub fn fuser(&self, size: Size, rows: usize) -> Result<NetworkFuser> {
        let entry = match &self.kind {
            Kind::Edge(entry) => entry.clone(),
            Kind::Published(film, file) => {
                let (wanted, free) = (film.memory(size), free_memory());
                if free.is_some_and(|free| wanted > free) {
                    bail!(
                        "a picture of {size} takes about {} MB of memory in a published network, \
                         {} MB are free; make the pictures smaller",
                        wanted >> 20,
                        free.unwrap_or_default() >> 20
                    );
                }
                film.entry(file, rows)
            }
        };
        Ok(NetworkFuser::from_onnx(&self.bytes, &entry, size)?)
    }
}

/// The manifest, where one is needed.
///
/// # Errors
/// Why there is none.
pub fn needed(manifest: &Result<Manifest, FuseError>) -> Result<&Manifest> {
    // FuseError cannot be cloned; its words are all that is shown.
    manifest.as_ref().map_err(|e| anyhow::anyhow!("{e}"))
}

/// Bytes that a program can still get; `None` where the kernel does not say.
fn free_memory() -> Option<u64> {
    let said = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = said.lines().find(|l| l.starts_with("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
