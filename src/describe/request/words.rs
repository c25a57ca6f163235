//! Cuts a text into sentences and clauses, and takes degrees and places out of them.

use super::clause::Clause;
use super::lexicon::{WordRole, role};
use super::phrases::PHRASES;
use super::{Degree, Place};

/// A sentence's clauses.
#[derive(Debug, Default)]
pub(super) struct Sentence {
    pub parts: Vec<Part>,
    /// Each clause as it was written.
    pub wordings: Vec<String>,
}

/// A clause with its degree and place.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub clause: Clause,
    pub degree: Option<Degree>,
    pub place: Option<Place>,
}

impl Sentence {
    /// It is about the picture.
    pub fn names_picture(&self) -> bool {
        let roles = self.parts.iter().flat_map(|p| &p.clause.roles);
        let mut named = roles.filter(|r| matches!(r, WordRole::Picture | WordRole::Infrared));
        named.next().is_some()
    }

    /// The only degree in it.
    pub fn degree(&self) -> Option<Degree> {
        only(self.parts.iter().filter_map(|p| p.degree))
    }

    /// The only place in it.
    pub fn place(&self) -> Option<Place> {
        only(self.parts.iter().filter_map(|p| p.place))
    }
}

fn only<T: PartialEq>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// Characters that an English keyboard does not have, or marks that code and addresses have.
pub(super) fn is_foreign(text: &str) -> bool {
    let marks = |c: char| "{}<>=\\|^_~[]@$*#`".contains(c);
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let typed = |c: char| {
        c.is_ascii() || "\u{2018}\u{2019}\u{201c}\u{201d}\u{2013}\u{2014}\u{2026}\u{a0}".contains(c)
    };
    letters < 3 || !text.chars().all(typed) || text.contains("//") || text.contains(marks)
}

/// Short enough, and without a word that turns a meaning round, which similarity does not see.
pub(super) fn may_ask(text: &str) -> bool {
    let words = tokens(text);
    let turns = |w: &String| {
        matches!(
            role(w),
            WordRole::Not
                | WordRole::No
                | WordRole::Keep
                | WordRole::AsIs
                | WordRole::Change
                | WordRole::Let
        ) || matches!(
            w.as_str(),
            "stop" | "less" | "fewer" | "nobody" | "nothing" | "none"
        )
    };
    // "I cannot see", "I can't find" are complaints, no negations.
    let complains = words
        .windows(3)
        .any(|w| w == ["can", "not", "see"] || w == ["can", "not", "find"]);
    (3..=16).contains(&words.len()) && (complains || !words.iter().any(turns))
}

/// Sentences with their clauses.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    for part in text.split_inclusive(['.', '!', '?', '\n', ';']) {
        let asks = part.trim_end().ends_with('?');
        let sentence = sentence(part, asks);
        if !sentence.parts.is_empty() {
            found.push(sentence);
        }
    }
    found
}

fn sentence(text: &str, asks: bool) -> Sentence {
    let mut sentence = Sentence::default();
    for piece in clauses(text) {
        let words = tokens(&piece);
        if words.is_empty() {
            continue;
        }
        let (words, degree) = without_degree(words);
        let (words, place) = without_place(words);
        let roles = with_phrases(words).iter().map(|w| role(w)).collect();
        sentence.parts.push(Part {
            clause: Clause { roles, asks },
            degree,
            place,
        });
        sentence
            .wordings
            .push(piece.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    sentence
}

/// Pieces between commas, "but", "then", and "and" where no further noun follows it: "people and
/// animals" is one.
fn clauses(text: &str) -> Vec<String> {
    let spaced = text.replace([',', ':'], " , ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut found = vec![String::new()];
    for (at, word) in words.iter().enumerate() {
        let ends = match word.to_lowercase().as_str() {
            "," | "but" | "then" | "while" | "plus" | "because" => true,
            "and" | "&" => !begins_noun(&words[at + 1..]),
            _ => false,
        };
        if ends {
            found.push(String::new());
        } else if let Some(piece) = found.last_mut() {
            piece.push_str(word);
            piece.push(' ');
        }
    }
    found
}

/// A topic's noun comes first, after its article.
fn begins_noun(words: &[&str]) -> bool {
    let rest = tokens(&words.join(" "));
    let articles = ["the", "a", "an", "any", "some", "all", "warm", "hot"];
    let first = rest.iter().find(|word| !articles.contains(&word.as_str()));
    first.is_some_and(|word| {
        matches!(
            role(word),
            WordRole::Target(_) | WordRole::Fault(_) | WordRole::Thing
        )
    })
}

/// Lower-case words without marks; "don't" becomes "do not".
fn tokens(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let text = text.to_lowercase().replace(['\u{2019}', '`'], "'");
    for raw in text.split(|c: char| !(c.is_alphanumeric() || c == '\'')) {
        let word = raw.trim_matches('\'');
        let (stem, tail) = match word.split_once('\'') {
            Some((stem, "t")) => (stem.strip_suffix('n').unwrap_or(stem), Some("not")),
            Some((stem, "s")) => (stem, Some("is")),
            Some((stem, "re")) => (stem, Some("are")),
            Some((stem, "m")) => (stem, Some("am")),
            Some((stem, "d")) => (stem, Some("would")),
            Some((stem, "ll")) => (stem, Some("will")),
            Some((stem, _)) => (stem, None),
            None => (word, None),
        };
        let (stem, tail) = match stem {
            "" => continue,
            "cannot" | "cant" => ("can", Some("not")),
            "dont" => ("do", Some("not")),
            "ca" if tail.is_some() => ("can", tail),
            "wo" if tail.is_some() => ("will", tail),
            "let" if tail == Some("is") => ("let", Some("us")),
            stem => (stem, tail),
        };
        words.push(stem.to_owned());
        words.extend(tail.map(str::to_owned));
    }
    words
}

const DEGREES: &[(&str, Degree)] = &[
    ("just a little bit", Degree::Slightly),
    ("just a little", Degree::Slightly),
    ("just a bit", Degree::Slightly),
    ("a little bit", Degree::Slightly),
    ("a tiny bit", Degree::Slightly),
    ("a little", Degree::Slightly),
    ("a bit", Degree::Slightly),
    ("a touch", Degree::Slightly),
    ("a tad", Degree::Slightly),
    ("slightly", Degree::Slightly),
    ("somewhat", Degree::Slightly),
    ("gently", Degree::Slightly),
    ("mildly", Degree::Slightly),
    ("subtly", Degree::Slightly),
    ("faintly", Degree::Slightly),
    ("lightly", Degree::Slightly),
    ("slight", Degree::Slightly),
    ("as much as possible", Degree::Strongly),
    ("very much", Degree::Strongly),
    ("very strongly", Degree::Strongly),
    ("very clearly", Degree::Strongly),
    ("a lot", Degree::Strongly),
    ("strongly", Degree::Strongly),
    ("clearly", Degree::Strongly),
    ("heavily", Degree::Strongly),
    ("greatly", Degree::Strongly),
    ("extremely", Degree::Strongly),
    ("considerably", Degree::Strongly),
    ("significantly", Degree::Strongly),
    ("massively", Degree::Strongly),
    ("totally", Degree::Strongly),
    ("completely", Degree::Strongly),
    ("maximally", Degree::Strongly),
    ("much", Degree::Strongly),
    ("very", Degree::Strongly),
    ("far more", Degree::Strongly),
];

/// "too much", "very bright" and their like are phrases and no degrees.
const NO_DEGREES: &[&str] = &["too much", "can not see much", "so much", "not very"];

fn without_degree(words: Vec<String>) -> (Vec<String>, Option<Degree>) {
    let joined = format!(" {} ", words.join(" "));
    if NO_DEGREES
        .iter()
        .any(|d| joined.contains(&format!(" {d} ")))
    {
        return (words, None);
    }
    for (phrase, degree) in DEGREES {
        let wanted = format!(" {phrase} ");
        if joined.contains(&wanted) {
            let rest = joined.replacen(&wanted, " ", 1);
            let words = rest.split_whitespace().map(str::to_owned).collect();
            return (words, Some(*degree));
        }
    }
    (words, None)
}

const SIDES: &[(&str, Place)] = &[
    ("left", Place::Left),
    ("right", Place::Right),
    ("centre", Place::Centre),
    ("center", Place::Centre),
    ("middle", Place::Centre),
    ("top", Place::Top),
    ("bottom", Place::Bottom),
];

/// "on the left", "at the top", "left side", "the person left of"; not "right now", "what is left".
fn without_place(words: Vec<String>) -> (Vec<String>, Option<Place>) {
    let mut kept: Vec<String> = Vec::new();
    let mut places = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match place_at(&words, at) {
            Some((place, used)) => {
                places.push(place);
                at += used;
            }
            None => {
                kept.push(words[at].clone());
                at += 1;
            }
        }
    }
    (kept, only(places.into_iter()))
}

/// The place whose words begin at `at`, and how many they are.
fn place_at(words: &[String], at: usize) -> Option<(Place, usize)> {
    let word = |i: usize| words.get(at + i).map_or("", String::as_str);
    let side = |w: &str| SIDES.iter().find(|(name, _)| *name == w).map(|(_, p)| *p);
    let mut used = 0;
    let led = matches!(word(0), "on" | "at" | "to" | "in" | "from" | "near");
    used += usize::from(led);
    let the = matches!(word(used), "the" | "my" | "its" | "your");
    used += usize::from(the);
    let place = side(word(used))?;
    used += 1;
    let noun = |w: &str| {
        matches!(
            w,
            "side" | "half" | "part" | "third" | "edge" | "hand" | "corner"
        )
    };
    let named = noun(word(used));
    while noun(word(used)) {
        used += 1;
    }
    if !named && !led && matches!(word(used), "now" | "away") {
        return None;
    }
    (led || the || named).then_some((place, used))
}

/// Phrases become the words that stand for them.
fn with_phrases(words: Vec<String>) -> Vec<String> {
    let mut joined = format!(" {} ", words.join(" "));
    for (phrase, word) in PHRASES {
        joined = joined.replace(&format!(" {phrase} "), &format!(" {word} "));
    }
    joined.split_whitespace().map(str::to_owned).collect()
}

/// The only degree and place of a whole text.
pub(super) fn degree_and_place(text: &str) -> (Option<Degree>, Option<Place>) {
    let (words, degree) = without_degree(tokens(text));
    (degree, without_place(words).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contractions_are_spelled_out() {
        assert_eq!(
            tokens("Don't! I can't see; it's dark."),
            ["do", "not", "i", "can", "not", "see", "it", "is", "dark"]
        );
    }

    #[test]
    fn places_are_sides_and_not_other_meanings_of_their_words() {
        let place = |text: &str| degree_and_place(text).1;
        assert_eq!(place("people on the left"), Some(Place::Left));
        assert_eq!(place("the right person"), Some(Place::Right));
        assert_eq!(place("in the middle of the road"), Some(Place::Centre));
        assert_eq!(place("what is left"), None);
        assert_eq!(place("do it right now"), None);
        assert_eq!(place("on the left and on the right"), None);
    }

    #[test]
    fn too_much_is_no_degree() {
        let degree = |text: &str| degree_and_place(text).0;
        assert_eq!(degree("Too much light."), None);
        assert_eq!(degree("Bring them out a little."), Some(Degree::Slightly));
        assert_eq!(degree("very much"), Some(Degree::Strongly));
    }
}
