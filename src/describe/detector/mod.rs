//! Nouns for what the visible picture shows: a detector of the 80 COCO classes, where one is named.
//!
//! Input: a picture, an ONNX file ([`DetectorConfig`]). Output: [`NamedObject`]s. Blocks: on the file, at
//! the first picture. Fails when: never for its caller; a file that cannot be used, or a run that fails, is
//! told by [`Detector::complaint`], and nothing is named. Not its job: following objects, and what is warm.
//!
//! No detector ships with filmd. Graphs of the YOLO family fit as they are exported; see
//! [`boxes::OutputLayout`] for what the output may look like.

pub mod boxes;
mod classes;
mod network;

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::facts::{Facts, NamedObject};
use crate::align::AlignedPair;
use crate::config::DetectorConfig;
use crate::frame::Picture;
use network::Network;

/// What a picture shows, in nouns.
pub struct Detector {
    config: DetectorConfig,
    /// `None` before the first picture; an error where the file cannot be used.
    network: Option<Result<Network, String>>,
    /// What went wrong in the last run.
    fault: Option<String>,
}

impl Detector {
    /// Nothing is read before the first picture: filmd's start does not wait for it.
    pub const fn new(config: DetectorConfig) -> Self {
        Self {
            config,
            network: None,
            fault: None,
        }
    }

    /// Reads the file, verifies and optimises it; nothing where that was done before.
    ///
    /// # Errors
    /// The file, what was found in it and what to do.
    pub fn load(&mut self) -> Result<(), String> {
        self.loaded().map(|_| ())
    }

    fn loaded(&mut self) -> Result<&mut Network, String> {
        let config = &self.config;
        let network = self.network.get_or_insert_with(|| {
            guarded(|| Network::load(config)).map_err(|what| complaint(config, &what))
        });
        network.as_mut().map_err(|what| what.clone())
    }

    /// Has the facts of a pair name what its visible picture shows, where there is one. Other tasks
    /// than infrared and visible have no scene.
    pub fn name(&mut self, facts: &mut Facts, pair: &AlignedPair) {
        if let Facts::Ivf(scene) = facts
            && pair.has_visible
        {
            scene.objects = self.objects(&pair.visible);
        }
    }

    /// What is seen in a picture of 1 or 3 channels, the largest first; nothing after a failure.
    pub fn objects(&mut self, picture: &Picture) -> Vec<NamedObject> {
        let Ok(network) = self.loaded() else {
            return Vec::new();
        };
        let found = guarded(|| network.run(picture));
        let fault = found.as_ref().err();
        self.fault = fault.map(|what| complaint(&self.config, what));
        let mut found = found.unwrap_or_default();
        found.sort_by(|a, b| b.area.total_cmp(&a.area));
        found
    }

    /// Why nothing is named, for status.
    pub fn complaint(&self) -> Option<&str> {
        match &self.network {
            Some(Err(what)) => Some(what),
            _ => self.fault.as_deref(),
        }
    }
}

fn complaint(config: &DetectorConfig, what: &str) -> String {
    format!(
        "the detector {} cannot be used: {what}; name another one, or none",
        config.model.display()
    )
}

/// A graph from elsewhere may be one that tract panics on; the guide thread goes on.
fn guarded<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err("tract gave up on its graph".to_owned()))
}

#[cfg(test)]
mod tests;
