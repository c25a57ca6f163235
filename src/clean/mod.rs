//! Sensor faults: what a source's picture is measured to suffer from, and what takes it away before fusion.
//!
//! The terms are the field's: fixed-pattern noise of columns and rows, shading, dead pixels, scene-based
//! non-uniformity correction (NUC), deconvolution. Everything here works on pictures and slices and knows no
//! camera, no file and no thread.

mod condition;
mod edges;
mod follow;
pub mod measure;
mod sharpen;

pub use condition::Condition;
pub use edges::{Blur, EdgeWidths};
pub use follow::BlurFollower;
pub use sharpen::{Sharpener, Sharpening};
