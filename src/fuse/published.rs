//! Graphs of the published FILM network, which models/import_film.py makes of its checkpoints.
//!
//! Input: an ONNX file's bytes. Output: [`PublishedFilm`], what such a file says about itself.
//! Thread: main. Blocks: never. Allocates: a copy of the file. Fails when: [`FuseError::Model`].
//! Not its job: running the graph; [`super::NetworkFuser`] does, as it runs any other.

use std::collections::HashMap;
use std::path::Path;

use tract_onnx::prelude::Framework;

use super::{FuseError, NetworkEntry};
use crate::config::Task;
use crate::frame::Size;

/// Most rows of text features: what BLIP-2's text encoder can give.
pub const MOST_TOKENS: usize = 512;

/// The entries that the import writes into the graph.
const KIND: &str = "filmd.kind";
const FILM: &str = "film";

/// What a published network's file says about itself. Such a network takes text features of
/// `features` columns and any number of rows, all in use: it knows no padding.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedFilm {
    /// What its weights were trained for.
    pub task: Task,
    /// Columns of the text features.
    pub features: usize,
    multiple_of: usize,
    parameters: u64,
    mac_per_pixel: f64,
    bytes: u64,
    bytes_per_pixel: u64,
}

impl PublishedFilm {
    /// `None` where the bytes are another network's, or none at all: loading will tell.
    ///
    /// # Errors
    /// [`FuseError::Model`] where they say that they are a FILM graph and then lack what is
    /// needed, or where what they say cannot be.
    pub fn of(bytes: &[u8]) -> Result<Option<Self>, FuseError> {
        let Ok(model) = tract_onnx::onnx().proto_model_for_read(&mut &bytes[..]) else {
            return Ok(None);
        };
        let said: HashMap<_, _> = model
            .metadata_props
            .into_iter()
            .map(|entry| (entry.key, entry.value))
            .collect();
        if said.get(KIND).map(String::as_str) != Some(FILM) {
            return Ok(None);
        }
        let number = |key: &str, most: u64| {
            let value = said.get(key).map_or("", String::as_str);
            let number = value.parse().ok().filter(|n| (1..=most).contains(n));
            number.ok_or_else(|| damaged(key, value))
        };
        let task = said.get("filmd.task").map_or("", String::as_str);
        Ok(Some(Self {
            task: Task::ALL
                .into_iter()
                .find(|known| known.name() == task)
                .ok_or_else(|| damaged("filmd.task", task))?,
            features: number("filmd.features", 4096)? as usize,
            multiple_of: number("filmd.multiple_of", 4096)? as usize,
            parameters: number("filmd.parameters", u64::MAX)?,
            mac_per_pixel: number("filmd.mac_per_pixel", 1 << 40)? as f64,
            bytes: number("filmd.bytes", 1 << 60)?,
            bytes_per_pixel: number("filmd.bytes_per_pixel", 1 << 40)?,
        }))
    }

    /// The network for text features of `rows` rows, as [`super::NetworkFuser::from_onnx`]
    /// takes it.
    pub fn entry(&self, file: &Path, rows: usize) -> NetworkEntry {
        let name = file
            .file_stem()
            .map_or_else(|| file.to_string_lossy(), |stem| stem.to_string_lossy());
        NetworkEntry {
            name: name.into_owned(),
            file: file.to_owned(),
            sha256: String::new(),
            licence: String::new(),
            precision: "f32".to_owned(),
            tasks: vec![self.task],
            tokens: rows,
            features: self.features,
            multiple_of: self.multiple_of,
            parameters: self.parameters,
            mac_per_pixel: self.mac_per_pixel,
            encoder: "BLIP-2 Q-Former".to_owned(),
        }
    }

    /// Bytes of memory that fusing a picture of that size takes, roughly: a part for the attention
    /// grid, whose size is fixed, and a part for the pixels.
    pub fn memory(&self, size: Size) -> u64 {
        let pixels = self.bytes_per_pixel.saturating_mul(size.area() as u64);
        self.bytes.saturating_add(pixels)
    }
}

fn damaged(key: &str, value: &str) -> FuseError {
    FuseError::Model(format!(
        "it is a FILM graph, but its entry {key} is {value:?}; make it again with \
         models/import_film.py"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(file: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        std::fs::read(folder.join(file)).unwrap()
    }

    /// The graph with another entry: one appended to a protobuf message counts, the last one wins.
    fn changed(key: &str, value: &str) -> Vec<u8> {
        let mut entry = vec![0x0a, key.len() as u8];
        entry.extend(key.as_bytes());
        entry.extend([0x12, value.len() as u8]);
        entry.extend(value.as_bytes());
        let mut bytes = data("film/tiny-film.onnx");
        bytes.extend([0x72, entry.len() as u8]);
        bytes.extend(entry);
        bytes
    }

    #[test]
    fn a_published_graph_is_told_from_other_files() {
        let film = PublishedFilm::of(&data("film/tiny-film.onnx"))
            .unwrap()
            .unwrap();
        assert_eq!((film.task, film.features), (Task::Mif, 768));
        let entry = film.entry(Path::new("/x/mif.onnx"), 9);
        assert_eq!((entry.name.as_str(), entry.tokens), ("mif", 9));
        assert_eq!(entry.multiple_of, 1);
        let memory = [1, 2, 4].map(|width| film.memory(Size::new(width, 100)));
        assert!(memory[0] < memory[1] && memory[2] - memory[1] == 2 * (memory[1] - memory[0]));
        for other in [data("tiny/tiny.onnx"), b"no graph".to_vec(), Vec::new()] {
            assert_eq!(PublishedFilm::of(&other).unwrap(), None);
        }
    }

    #[test]
    fn entries_that_cannot_be_are_refused_by_name() {
        for (key, value) in [
            ("filmd.task", "mxf"),
            ("filmd.features", "0"),
            ("filmd.features", "4097"),
            ("filmd.multiple_of", ""),
            ("filmd.bytes_per_pixel", "-3"),
        ] {
            let error = PublishedFilm::of(&changed(key, value)).unwrap_err();
            let said = error.to_string();
            assert!(
                said.contains(key) && said.contains(&format!("{value:?}")),
                "{said}"
            );
        }
        let other = PublishedFilm::of(&changed("filmd.kind", "other")).unwrap();
        assert_eq!(other, None);
    }
}
