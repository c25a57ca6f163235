//! A user's text, read.

use super::{Understood, understand};
use crate::describe::plain;

/// A user's text and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserText {
    /// The text in one line, without control characters.
    pub text: String,
    /// What it asks for.
    pub understood: Understood,
}

impl UserText {
    /// Reads a text by its words.
    pub fn read(text: &str) -> Self {
        Self {
            text: plain(text),
            understood: understand(text),
        }
    }
}
