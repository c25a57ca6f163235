//! What a user's text asks for: known requests, or nothing.
//!
//! A text is never guided by as it is. [`understand`] reads it as requests of known kinds; what is no
//! request, or not English, gives none. [`Need`] says which of them the measured picture needs, and
//! [`Plan`] makes of those a text in the words that the network was trained with, and
//! [`Controls`](super::Controls) beside the network. Everything here is pure: words in, decisions out.

mod clause;
mod lexicon;
mod nearest;
mod need;
mod phrases;
mod plan;
mod user_text;
mod words;

use serde::{Deserialize, Serialize};

pub use nearest::{Nearest, nearest};
pub use need::Need;
pub use plan::{Plan, fits, guides};
pub use user_text::UserText;

use super::Place;
use clause::{Drive, Meaning};
pub use control_protocol::{
    Answer, Degree, MOST_WORDS, Reason, RequestKind, TextRequest as Request, Understanding,
};

/// What was read in a text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Understood {
    /// Requests in the order of their first words; each kind once.
    pub requests: Vec<Request>,
    /// Why there are none.
    pub reason: Option<Reason>,
    /// The words decide nothing: features of the text may (see [`Understood::or_nearest`]).
    #[serde(skip)]
    pub is_open: bool,
}

/// Reads `text` by its words alone.
pub fn understand(text: &str) -> Understood {
    let none = |reason| Understood {
        reason: Some(reason),
        ..Understood::default()
    };
    let count = text.split_whitespace().take(MOST_WORDS + 1).count();
    match count {
        0 => return none(Reason::Empty),
        n if n > MOST_WORDS || text.len() > 8 * MOST_WORDS => return none(Reason::TooLong),
        _ => {}
    }
    if words::is_foreign(text) {
        return none(Reason::NotUnderstood);
    }
    read(&words::sentences(text), text)
}

/// All sentences, in which most must be about the picture.
fn read(sentences: &[words::Sentence], text: &str) -> Understood {
    let mut found = Understood::default();
    let (mut left, mut held, mut about, mut plainly) = (Vec::new(), Vec::new(), 0, false);
    for sentence in sentences {
        let mut drive: Option<Drive> = None;
        let mut is_about = sentence.names_picture();
        for (part, spoken) in sentence.parts.iter().zip(&sentence.wordings) {
            let reading = part.clause.read(drive);
            drive = reading.drive;
            let request = |kind| Request {
                kind,
                degree: part.degree.or(sentence.degree()).unwrap_or_default(),
                place: part.place.or(sentence.place()),
                wording: spoken.clone(),
            };
            for meaning in reading.meanings {
                is_about |= reading.is_clear;
                match meaning {
                    Meaning::Leave(kind) => {
                        plainly |= reading.is_clear;
                        left.push(kind);
                    }
                    Meaning::Ask(kind) if reading.is_clear => found.add(request(kind)),
                    Meaning::Hold(kind) if reading.is_clear => held.push(request(kind)),
                    Meaning::Ask(_) | Meaning::Hold(_) => {}
                }
            }
        }
        about += usize::from(is_about);
    }
    if found.requests.is_empty() {
        held.into_iter().for_each(|request| found.add(request));
    }
    let prose = sentences.len() >= 3 && 2 * about < sentences.len();
    if prose {
        found.requests.clear();
    }
    // "The infrared image is noisy. Remove the noise." names one noise.
    let named = |r: &Request| {
        matches!(
            r.kind,
            RequestKind::NoiseInInfrared | RequestKind::NoiseInVisible
        )
    };
    let is_named = found.requests.iter().any(named);
    found
        .requests
        .retain(|r| r.kind != RequestKind::Noise || !is_named);
    let all = left.contains(&None);
    found
        .requests
        .retain(|r| !all && !left.contains(&Some(r.kind)));
    if found.requests.is_empty() {
        found.reason = Some(match plainly && !prose {
            true => Reason::Leave,
            false => Reason::NotUnderstood,
        });
        found.is_open = left.is_empty() && !prose && words::may_ask(text) && sentences.len() < 3;
    }
    found
}

impl Understood {
    /// Adds a request; one of the same kind is widened: its place where both name the same one.
    fn add(&mut self, request: Request) {
        match self.requests.iter_mut().find(|r| r.kind == request.kind) {
            None => self.requests.push(request),
            Some(same) => {
                same.degree = same.degree.max(request.degree);
                if same.place != request.place {
                    same.place = None;
                }
            }
        }
    }

    /// What the nearest known request decides, where the words decided nothing.
    #[must_use]
    pub fn or_nearest(mut self, text: &str, nearest: &Nearest) -> Self {
        if let (true, Some(kind)) = (self.is_open, nearest.decides()) {
            let (degree, place) = words::degree_and_place(text);
            self.requests.push(Request {
                kind,
                degree: degree.unwrap_or_default(),
                place,
                wording: text.split_whitespace().collect::<Vec<_>>().join(" "),
            });
            (self.reason, self.is_open) = (None, false);
        }
        self
    }
}

#[cfg(test)]
mod tests;
