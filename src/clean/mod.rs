//! Sensor faults: what a source's picture is measured to suffer from, and what takes it away before fusion.
//!
//! The terms are the field's: fixed-pattern noise of columns and rows, shading, dead pixels, scene-based
//! non-uniformity correction (NUC), deconvolution. Everything here works on pictures and slices and knows no
//! camera, no file and no thread.

mod black_level;
mod cleaner;
mod counts;
mod edges;
mod follow;
mod gate;
mod grain;
mod histogram;
mod levels;
pub mod measure;
mod motion;
mod picture;
mod rows;
mod shading;
mod sharpen;
mod stripes;
mod temporal;

pub use cleaner::Cleaner;
pub use control_protocol::Condition;
pub use edges::{Blur, EdgeWidths};
pub use follow::BlurFollower;
pub use histogram::LumaHistogram;
pub use levels::{Levels, LevelsFollower, LevelsWanted};
pub use sharpen::{Sharpener, Sharpening};
