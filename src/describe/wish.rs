//! A user's text, read.

use super::request::{Understood, understand};

/// A user's text and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The text in one line, without control characters.
    pub text: String,
    /// What it asks for.
    pub understood: Understood,
}

impl Wish {
    /// Reads a text by its words.
    pub fn read(text: &str) -> Self {
        Self {
            text: plain(text),
            understood: understand(text),
        }
    }
}

/// `text` in one line, without control characters: a terminal would obey them.
pub fn plain(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_control_character_is_left(text in any::<String>()) {
            prop_assert!(!plain(&text).contains(char::is_control));
        }
    }

    #[test]
    fn an_escape_sequence_becomes_text() {
        assert_eq!(plain("a\u{1b}[31m\n b\u{9b}2J"), "a [31m b 2J");
    }
}
