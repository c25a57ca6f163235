//! What a text sets beside the network: each a named, bounded control.
//!
//! The text path writes them, the fuse thread reads them with the [`Guidance`](super::Guidance) they
//! belong to.

use serde::{Deserialize, Serialize};

use super::Place;
use crate::clean::LevelsWanted;

/// The controls of one guidance; the default leaves everything as it is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Controls {
    /// Raises warm targets, people above all, against their surroundings.
    pub emphasis: Option<Emphasis>,
    /// How much of its blur is taken from the visible picture, 0..=1.
    pub sharpen: f32,
    /// How far grain is taken from each source where too little was measured for that, 0..=1.
    pub denoise: [f32; 2],
    /// How the levels of each source are changed before fusion: infrared, visible.
    pub levels: [LevelsWanted; 2],
}

/// How strongly warm targets are raised, and where.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Emphasis {
    /// 0.5 slightly, 1 plain, 1.6 strongly; 0..=2.
    pub strength: f32,
    /// The third of the picture; `None`: everywhere.
    pub place: Option<Place>,
}
