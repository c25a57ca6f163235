//! Texts: fact sentences become a paragraph or answers to questions, in wordings that are listed here. What a
//! model wrote is checked against the facts (`faithful`).

mod advice;
pub mod ask;
pub mod faithful;
#[cfg(test)]
mod gbnf;
pub mod prompt;
pub mod questions;
mod segments;
mod template;
pub mod wording;

pub use segments::Segment;
pub(super) use segments::join;
pub use template::paragraph;
