//! filmd fuses the pictures of paired cameras, guided by a text that a local language model writes.
//!
//! The directories are the stages of the frame path and of the text path, and their alphabetical
//! order is the data's order: [`acquire`] → [`align`] → [`describe`] (beside the frame path) →
//! [`fuse`] → [`present`]; [`quality`] measures what came out. Everything else is support.
//! ARCHITECTURE.md at the root of the repository has the map, the threads and the invariants.

pub mod acquire;
pub mod align;
pub mod buttons;
pub mod channel;
pub mod clean;
pub mod clock;
pub mod config;
pub mod control;
pub mod describe;
pub mod digest;
pub mod files;
pub mod folders;
pub mod frame;
pub mod fuse;
mod jpeg;
pub mod metrics;
pub mod pipeline;
mod position;
pub mod present;
pub mod quality;
pub mod simd;
pub mod sys;
pub mod team;
