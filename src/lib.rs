//! filmd fuses the pictures of paired cameras, guided by a text that a local language model writes.
//!
//! **Five stages.** [`acquire`] takes pairs of frames from cameras, files or the synthetic scene, and [`clean`]
//! takes sensor faults from them; [`align`] brings both over each other; [`fuse`] makes one picture of
//! them, guided by a text; [`present`] shows it. Beside them [`describe`] measures facts, has a paragraph
//! written from them and turns it into guidance. [`quality`] measures what came out.
//!
//! **Four traits.** [`acquire::PairSource`], [`describe::Describer`], [`fuse::Fuser`] and
//! [`present::Screen`].
//!
//! **Threads.** [`pipeline`] creates all of them: acquire, fuse (with a [`team`] that shares its rows), present and
//! guide; [`channel`] has the only two ways from one to the next, a mailbox of one value and a watched value.
//!
//! ARCHITECTURE.md at the root of the repository has the map, the floors and the invariants.

pub mod acquire;
pub mod align;
pub mod bounded;
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
pub mod range;
pub mod simd;
pub mod sys;
pub mod team;
