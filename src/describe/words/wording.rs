//! Everything a text may say: fixed stretches, and choices between them.
//!
//! Input: options, slot by slot. Output: a grammar for llama.cpp; what must follow a beginning. Not its
//! job: what the options are; choosing among them.

use std::fmt::Write as _;

/// Slots in order; a text takes one option of each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wording {
    slots: Vec<Vec<String>>,
}

/// What must follow a beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ahead {
    /// All wordings go on like this.
    pub text: String,
    /// How they go on after it, where they part; empty where all of them end.
    pub next: Vec<char>,
}

/// So much of one slot's option is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    slot: usize,
    option: usize,
    bytes: usize,
}

impl Wording {
    /// Adds what every text says next.
    pub(super) fn say(&mut self, text: &str) {
        match self.slots.last_mut().map(Vec::as_mut_slice) {
            Some([only]) => only.push_str(text),
            _ => self.slots.push(vec![text.to_owned()]),
        }
    }

    /// Adds a choice between `options`, of which there is at least one.
    pub(super) fn choose(&mut self, options: &[&str]) {
        self.slots
            .push(options.iter().map(|&o| o.to_owned()).collect());
    }

    /// The same in llama.cpp's GBNF; its start is the rule `root`.
    pub fn grammar(&self) -> String {
        let (mut root, mut rules) = ("root ::=".to_owned(), String::new());
        for (i, options) in self.slots.iter().enumerate() {
            let options: Vec<String> = options.iter().map(|o| literal(o)).collect();
            // Writing to a String cannot fail.
            let _ = match options.as_slice() {
                [only] => write!(root, " {only}"),
                _ => write!(root, " choice{i}")
                    .and_then(|()| writeln!(rules, "choice{i} ::= {}", options.join(" | "))),
            };
        }
        format!("{root}\n{rules}")
    }

    /// What must follow `written`; nothing after what no wording begins with.
    pub fn ahead(&self, written: &str) -> Ahead {
        let mut places = Vec::new();
        self.enter(0, &mut places);
        for c in written.chars() {
            places = self.after(&places, c);
        }
        let mut text = String::new();
        loop {
            let mut next: Vec<char> = places.iter().filter_map(|p| self.char_at(*p)).collect();
            next.sort_unstable();
            next.dedup();
            match next.as_slice() {
                [only] => {
                    text.push(*only);
                    places = self.after(&places, *only);
                }
                _ => return Ahead { text, next },
            }
        }
    }

    /// The places after `c`.
    fn after(&self, places: &[Place], c: char) -> Vec<Place> {
        let mut found = Vec::new();
        for place in places.iter().filter(|p| self.char_at(**p) == Some(c)) {
            let bytes = place.bytes + c.len_utf8();
            if bytes < self.slots[place.slot][place.option].len() {
                found.push(Place { bytes, ..*place });
            } else {
                self.enter(place.slot + 1, &mut found);
            }
        }
        found
    }

    /// All places before the first character of `slot`, or, of its empty options, of the next.
    fn enter(&self, slot: usize, found: &mut Vec<Place>) {
        for (option, text) in self.slots.get(slot).into_iter().flatten().enumerate() {
            let place = Place {
                slot,
                option,
                bytes: 0,
            };
            if text.is_empty() {
                self.enter(slot + 1, found);
            } else if !found.contains(&place) {
                found.push(place);
            }
        }
    }

    fn char_at(&self, place: Place) -> Option<char> {
        self.slots[place.slot][place.option][place.bytes..]
            .chars()
            .next()
    }
}

/// A quoted GBNF literal. Only quote and backslash are special between quotes; the line feed is
/// the only control character that a wording has.
fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::gbnf::{derive, matches, parse};
    use super::*;
    use proptest::prelude::*;

    fn wording() -> Wording {
        let mut wording = Wording::default();
        wording.say(" It");
        wording.choose(&[" keeps the texture", " keeps the details", " is"]);
        wording.choose(&[". The ", ", while the "]);
        wording.say("end");
        wording.say(".\n");
        wording
    }

    fn ahead(written: &str) -> (String, String) {
        let Ahead { text, next } = wording().ahead(written);
        (text, next.into_iter().collect())
    }

    #[test]
    fn what_all_wordings_say_is_ahead_and_where_they_part_is_told() {
        let said = |text: &str, next: &str| (text.to_owned(), next.to_owned());
        assert_eq!(ahead(""), said(" It ", "ik"));
        assert_eq!(ahead(" It k"), said("eeps the ", "dt"));
        assert_eq!(ahead(" It is"), said("", ",."));
        assert_eq!(ahead(" It is."), said(" The end.\n", ""));
        assert_eq!(ahead(" It is. The end.\n"), said("", ""));
        assert_eq!(ahead(" It was"), said("", ""));
    }

    #[test]
    fn an_option_that_begins_another_leaves_it_open() {
        let mut wording = Wording::default();
        wording.choose(&["keep", "keep all"]);
        wording.say(".\n");
        let found = wording.ahead("");
        assert_eq!((found.text.as_str(), found.next), ("keep", vec![' ', '.']));
    }

    proptest! {
        #[test]
        fn what_is_ahead_of_any_beginning_is_in_every_text_that_begins_so(
            parts in prop::collection::vec(prop::collection::vec("[aäb \"\\\\]{0,3}", 1..3), 1..5),
            cut in 0usize..12,
            choices in 0usize..3,
        ) {
            let mut wording = Wording::default();
            for options in &parts {
                let options: Vec<&str> = options.iter().map(String::as_str).collect();
                wording.choose(&options);
            }
            wording.say("\n");
            let rules = parse(&wording.grammar());
            let whole = derive(&rules, "root", choices);
            prop_assert!(matches(&rules, "root", &whole));
            let begin: String = whole.chars().take(cut).collect();
            let Ahead { text, next } = wording.ahead(&begin);
            prop_assert!(whole[begin.len()..].starts_with(&text), "{whole:?}: {begin:?} {text:?}");
            let after = whole[begin.len() + text.len()..].chars().next();
            match after {
                Some(c) => prop_assert!(next.len() > 1 && next.contains(&c)),
                None => prop_assert!(next.is_empty()),
            }
        }
    }
}
