//! What a user's text was understood to ask for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Most words of a text: a request is short, a pasted page is none.
pub const MOST_WORDS: usize = 80;

/// Where in a picture, as the viewer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Left third.
    Left,
    /// Middle third, either way.
    Centre,
    /// Right third.
    Right,
    /// Upper third.
    Top,
    /// Lower third.
    Bottom,
}

impl Place {
    /// With its preposition: "on the left".
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Left => "on the left",
            Self::Centre => "in the centre",
            Self::Right => "on the right",
            Self::Top => "at the top",
            Self::Bottom => "at the bottom",
        }
    }
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RequestKind {
    /// Brighten a dark picture.
    #[serde(rename = "light")]
    Light,
    /// Take back what is too bright.
    #[serde(rename = "over-exposure")]
    OverExposure,
    /// Suppress glare.
    #[serde(rename = "glare")]
    Glare,
    /// See through haze, fog or smoke.
    #[serde(rename = "haze")]
    Haze,
    /// Remove noise of either source.
    #[serde(rename = "noise")]
    Noise,
    /// Remove noise or stripes of the infrared picture.
    #[serde(rename = "infrared noise")]
    NoiseInInfrared,
    /// Remove noise of the visible picture.
    #[serde(rename = "visible noise")]
    NoiseInVisible,
    /// Sharpen the visible picture.
    #[serde(rename = "blur")]
    Blur,
    /// Raise people against their surroundings.
    #[serde(rename = "people")]
    People,
    /// The same for animals.
    #[serde(rename = "animals")]
    Animals,
    /// The same for anything warm.
    #[serde(rename = "warm objects")]
    WarmObjects,
    /// Strengthen the visible picture's texture.
    #[serde(rename = "texture")]
    Texture,
    /// Strengthen edges.
    #[serde(rename = "edges")]
    Edges,
    /// Raise the infrared picture's contrast.
    #[serde(rename = "infrared contrast")]
    InfraredContrast,
    /// Medical: bone.
    #[serde(rename = "bone")]
    Bone,
    /// Medical: activity.
    #[serde(rename = "activity")]
    Activity,
    /// Medical: soft tissue.
    #[serde(rename = "soft tissue")]
    SoftTissue,
    /// Multi-exposure: the sky.
    #[serde(rename = "sky")]
    Sky,
}

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Degree {
    /// "slightly", "a bit".
    Slightly,
    /// Without a word for it.
    #[default]
    Plain,
    /// "strongly", "very much".
    Strongly,
}

/// One request of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextRequest {
    /// What is asked for.
    pub kind: RequestKind,
    /// How much of it.
    pub degree: Degree,
    /// Where; `None`: everywhere.
    pub place: Option<Place>,
    /// The words that ask for it.
    pub wording: String,
}

/// Why a text has no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Nothing but space.
    #[error("the text is empty")]
    Empty,
    /// More than [`MOST_WORDS`].
    #[error("the text is too long to be a request; at most {MOST_WORDS} words are read")]
    TooLong,
    /// No request about the picture, or not English.
    #[error(
        "not understood: no request about the picture in plain English, such as \"Bring out the \
         people.\" or \"Remove the haze.\""
    )]
    NotUnderstood,
    /// "Keep it dark.", "Do not show people."
    #[error("the text asks to leave the picture as it is, so nothing is changed")]
    Leave,
}

impl RequestKind {
    /// As JSON and people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::OverExposure => "over-exposure",
            Self::Glare => "glare",
            Self::Haze => "haze",
            Self::Noise => "noise",
            Self::NoiseInInfrared => "infrared noise",
            Self::NoiseInVisible => "visible noise",
            Self::Blur => "blur",
            Self::People => "people",
            Self::Animals => "animals",
            Self::WarmObjects => "warm objects",
            Self::Texture => "texture",
            Self::Edges => "edges",
            Self::InfraredContrast => "infrared contrast",
            Self::Bone => "bone",
            Self::Activity => "activity",
            Self::SoftTissue => "soft tissue",
            Self::Sky => "sky",
        }
    }
}

impl fmt::Display for TextRequest {
    /// "people (slightly, on the left)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degree = match self.degree {
            Degree::Slightly => Some("slightly"),
            Degree::Plain => None,
            Degree::Strongly => Some("strongly"),
        };
        let place = self.place.map(Place::phrase);
        let how: Vec<&str> = degree.into_iter().chain(place).collect();
        f.write_str(self.kind.name())?;
        match how.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", how.join(", ")),
        }
    }
}

/// A request, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The request.
    #[serde(flatten)]
    pub request: TextRequest,
    /// It takes effect.
    pub accepted: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// How a user's text was understood, for status and JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Understanding {
    /// The text, without control characters.
    pub text: String,
    /// Every request with its fate; empty where there is none.
    pub requests: Vec<Answer>,
    /// Why there is none.
    pub reason: Option<Reason>,
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

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        let hostile = "Bring\u{1b}[2J out\r\n the\u{9b}31m people.\u{7}";
        let shown = plain(hostile);
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert!(
            shown.starts_with("Bring") && shown.ends_with("people."),
            "{shown:?}"
        );
    }

    #[test]
    fn no_control_character_is_left() {
        assert_eq!(plain("a\u{1b}[31m\n b\u{9b}2J"), "a [31m b 2J");
        let all: String = ('\0'..='\u{ff}').collect();
        assert!(!plain(&all).contains(char::is_control));
    }
}
