//! Sensor faults: what a source's picture is measured to suffer from, and what takes it away before fusion.
//!
//! The terms are the field's: fixed-pattern noise of columns and rows, shading, dead pixels, scene-based
//! non-uniformity correction (NUC). Everything here works on slices and knows no camera, no file and no
//! thread.

mod cleaner;
mod condition;
mod counts;
mod gate;
mod grain;
mod level;
mod motion;
mod picture;
mod rows;
mod shading;
mod stripes;
mod temporal;

pub use cleaner::Cleaner;
pub use condition::Condition;
