//! Nouns for what the visible picture shows: a detector of the 80 COCO classes, where one is named.
//!
//! Input: a picture, an ONNX file ([`DetectorConfig`]). Output: [`NamedObject`]s. Thread: guide, once
//! a description. Blocks: on the file, at the first picture. Allocates: freely. Fails when: never for
//! its caller; a file that cannot be used, or a run that fails, is told by [`Detector::complaint`],
//! and nothing is named. Not its job: following objects, and what is warm.
//!
//! No detector ships with filmd. Graphs of the YOLO family fit as they are exported; see
//! [`boxes::Layout`] for what the output may look like.

pub mod boxes;
mod classes;
mod network;

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::facts::NamedObject;
use crate::config::DetectorConfig;
use crate::frame::Picture;
use network::Network;

/// What a picture shows, in nouns.
pub struct Detector {
    config: DetectorConfig,
    /// `None` before the first picture, and after a file could not be used.
    network: Option<Network>,
    tried: bool,
    complaint: Option<String>,
}

impl Detector {
    /// Nothing is read before the first picture: filmd's start does not wait for it.
    pub const fn new(config: DetectorConfig) -> Self {
        Self {
            config,
            network: None,
            tried: false,
            complaint: None,
        }
    }

    /// Reads the file, verifies and optimises it; nothing where that was done before.
    ///
    /// # Errors
    /// The file, what was found in it and what to do.
    pub fn load(&mut self) -> Result<(), String> {
        if !self.tried {
            self.tried = true;
            let loaded = guarded(|| Network::load(&self.config));
            self.complaint = loaded.as_ref().err().map(|what| self.named(what));
            self.network = loaded.ok();
        }
        match (&self.network, &self.complaint) {
            (None, Some(what)) => Err(what.clone()),
            _ => Ok(()),
        }
    }

    /// What is seen in a picture of 1 or 3 channels, the largest first; nothing after a failure.
    pub fn objects(&mut self, picture: &Picture) -> Vec<NamedObject> {
        if self.load().is_err() {
            return Vec::new();
        }
        let Some(network) = &mut self.network else {
            return Vec::new();
        };
        let found = guarded(|| network.run(picture));
        self.complaint = found.as_ref().err().map(|what| self.named(what));
        let mut found = found.unwrap_or_default();
        found.sort_by(|a, b| b.area.total_cmp(&a.area));
        found
    }

    /// Why nothing is named, for status.
    pub fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    fn named(&self, what: &str) -> String {
        format!(
            "the detector {} cannot be used: {what}; name another one, or none",
            self.config.model.display()
        )
    }
}

/// A graph from elsewhere may be one that tract panics on; the guide thread goes on.
fn guarded<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err("tract gave up on its graph".to_owned()))
}

#[cfg(test)]
#[path = "detector_tests.rs"]
mod tests;
