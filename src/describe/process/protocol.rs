//! Messages between filmd and film-describe, over the child's standard input and output.
//!
//! Input: bytes. Output: [`Message`]. Allocates: at most [`MAX_PAYLOAD`] a message. Fails when:
//! [`ProtocolError`]; any bytes are safe to decode. Not its job: pipes, deadlines.
//!
//! A frame: `FLMD`, version (1 byte), kind (1 byte), two zero bytes, payload length (u32).
//! Payload: length of the JSON header (u32), the JSON header, then for a description its
//! features (`rows * dim` f32), and for a question its views' pictures. All numbers little-endian.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::view::{MAX_VIEWS, View};
use crate::config::Task;
use crate::describe::{Origin, TokenFeatures};

/// Bytes of a frame before its payload.
pub const FRAME_HEADER: usize = 12;
/// Most bytes of a payload: 682 rows of 384 features.
pub const MAX_PAYLOAD: usize = 1 << 20;
const MAGIC: [u8; 4] = *b"FLMD";
const VERSION: u8 = 2;

/// Anything either side says.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The process is ready; its first message.
    Hello(Hello),
    /// Asks for a paragraph and its features.
    Describe(Call<String>),
    /// Asks for the features of a finished text.
    Encode(EncodeCall),
    /// Answers these two.
    Description(EncodedText),
    /// Answers all: no, and why; the process goes on.
    Refused(Refusal),
    /// Asks for the answers to questions, and their features.
    Ask(Call<Asked>),
    /// Answers that: one reply a question, in their order.
    Answers(Vec<EncodedText>),
}

/// The process is ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Name of the language model; `None`: template text only.
    pub llm: Option<String>,
    /// Name of the text encoder.
    pub encoder: String,
    /// Features a token.
    pub dim: usize,
    /// The process.
    pub pid: u32,
    /// What is not as it should be (a language model that could not be used, say).
    pub note: Option<String>,
    /// SHA-256 of the text encoder's file, hexadecimal, where it was asked to check it.
    #[serde(default)]
    pub encoder_sha256: Option<String>,
    /// The language model looks at views.
    #[serde(default)]
    pub sees: bool,
}

/// Asks for something that the language model words, and its features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call<T> {
    /// The task.
    pub task: Task,
    /// What to word: fact sentences, for a paragraph; or at most
    /// [`MAX_QUESTIONS`](crate::describe::words::ask::MAX_QUESTIONS) questions.
    pub about: Vec<T>,
    /// Most tokens the language model may write, for each question; 0: the template answers.
    pub max_tokens: usize,
    /// Most feature rows wanted, for each question; sentences are left out to keep within.
    pub max_rows: usize,
    /// When to give up on the language model and answer with the template.
    pub deadline_ms: u64,
    /// What the language model looks at, at most [`MAX_VIEWS`].
    #[serde(default)]
    pub views: Vec<View>,
}

/// Asks for the features of a finished text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncodeCall {
    /// The text.
    pub text: String,
    /// Most feature rows wanted; sentences are left out to keep within.
    pub max_rows: usize,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What the language model reads.
    pub question: String,
    /// Verbalised facts that answer it.
    pub sentences: Vec<String>,
    /// The answer is what the fused image should do, as it follows from the facts.
    pub is_advice: bool,
}

/// A text and its features.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedText {
    /// The text the features are of.
    pub text: String,
    /// Who wrote it.
    pub origin: Origin,
    /// Its tokens' features.
    pub features: TokenFeatures,
}

/// No, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Why.
    pub message: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyHeader {
    text: String,
    origin: Origin,
    rows: usize,
    dim: usize,
}

/// Bytes that are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The stream does not start with a frame.
    #[error("a frame starts with {found:?} and not with FLMD")]
    Magic {
        /// Up to four bytes.
        found: Vec<u8>,
    },
    /// Another release's process.
    #[error("the frame is of version {found}, this program speaks version {VERSION}")]
    Version {
        /// What came.
        found: u8,
    },
    /// No such message.
    #[error("there is no message of kind {found}")]
    Kind {
        /// What came.
        found: u8,
    },
    /// Too long to be true.
    #[error("a payload of {found} bytes; at most {MAX_PAYLOAD} are possible")]
    Length {
        /// What came.
        found: usize,
    },
    /// The JSON header is not what the kind of message has.
    #[error("the header of the message cannot be read: {0}")]
    Header(String),
    /// Features that no encoder gives.
    #[error("its features cannot be used: {0}")]
    Features(String),
    /// A message that nothing asked for.
    #[error("it spoke without being asked")]
    Unasked,
    /// Pictures and what was announced of them differ.
    #[error("its pictures cannot be used: {0}")]
    Views(&'static str),
    /// Features and their announced shape differ.
    #[error("{rows} rows of {dim} features were announced, {bytes} bytes came")]
    Shape {
        /// Rows announced.
        rows: usize,
        /// Features a row announced.
        dim: usize,
        /// Bytes there are.
        bytes: usize,
    },
}

/// Reads the first message of `bytes`: the message and how many bytes it took, or `None`
/// while it is not complete.
///
/// # Errors
/// [`ProtocolError`] as early as the bytes there show it; the stream is lost then.
pub fn decode(bytes: &[u8]) -> Result<Option<(Message, usize)>, ProtocolError> {
    let seen = bytes.len().min(MAGIC.len());
    if bytes[..seen] != MAGIC[..seen] {
        return Err(ProtocolError::Magic {
            found: bytes[..seen].to_vec(),
        });
    }
    if let Some(&version) = bytes.get(4)
        && version != VERSION
    {
        return Err(ProtocolError::Version { found: version });
    }
    if let Some(&kind) = bytes.get(5)
        && !(1..=7).contains(&kind)
    {
        return Err(ProtocolError::Kind { found: kind });
    }
    let (Some(&kind), Some(length)) = (bytes.get(5), u32_at(bytes, 8)) else {
        return Ok(None);
    };
    if length > MAX_PAYLOAD {
        return Err(ProtocolError::Length { found: length });
    }
    let Some(payload) = bytes.get(FRAME_HEADER..FRAME_HEADER + length) else {
        return Ok(None);
    };
    let header_length =
        u32_at(payload, 0).ok_or_else(|| ProtocolError::Header("it is missing".to_owned()))?;
    let (header, tail) = payload[4..]
        .split_at_checked(header_length)
        .ok_or_else(|| ProtocolError::Header("it is longer than the payload".to_owned()))?;
    let message = match kind {
        1 => Message::Hello(parse(header)?),
        2 => Message::Describe(call(header, tail)?),
        3 => Message::Encode(parse(header)?),
        4 => Message::Description(reply(parse(header)?, tail)?),
        5 => Message::Refused(parse(header)?),
        6 => Message::Ask(call(header, tail)?),
        _ => Message::Answers(replies(parse(header)?, tail)?),
    };
    if matches!(kind, 1 | 3 | 5) && !tail.is_empty() {
        return Err(ProtocolError::Header("bytes follow it".to_owned()));
    }
    Ok(Some((message, FRAME_HEADER + length)))
}

/// The frame of a message.
///
/// # Errors
/// [`ProtocolError::Length`] where it would be too long to be decoded,
/// [`ProtocolError::Shape`] or [`ProtocolError::Views`] where a reply's values or a view's picture
/// do not fill their shape.
pub fn encode(message: &Message) -> Result<Vec<u8>, ProtocolError> {
    let mut features: Vec<&[f32]> = Vec::new();
    let mut views: &[View] = &[];
    let (kind, header) = match message {
        Message::Hello(hello) => (1, serde_json::to_vec(hello)),
        Message::Describe(call) => {
            views = checked(&call.views)?;
            (2, serde_json::to_vec(call))
        }
        Message::Encode(call) => (3, serde_json::to_vec(call)),
        Message::Description(reply) => {
            features.push(&reply.features.values);
            (4, serde_json::to_vec(&reply_header(reply)?))
        }
        Message::Refused(refusal) => (5, serde_json::to_vec(refusal)),
        Message::Ask(call) => {
            views = checked(&call.views)?;
            (6, serde_json::to_vec(call))
        }
        Message::Answers(replies) => {
            features.extend(replies.iter().map(|r| r.features.values.as_slice()));
            let headers: Result<Vec<_>, _> = replies.iter().map(reply_header).collect();
            (7, serde_json::to_vec(&headers?))
        }
    };
    let header = header.map_err(|error| ProtocolError::Header(error.to_string()))?;
    let values: usize = features.iter().map(|f| f.len()).sum();
    let pixels: usize = views.iter().map(|v| v.data.len()).sum();
    let length = 4 + header.len() + 4 * values + pixels;
    let (Ok(payload_length), Ok(header_length), true) = (
        u32::try_from(length),
        u32::try_from(header.len()),
        length <= MAX_PAYLOAD,
    ) else {
        return Err(ProtocolError::Length { found: length });
    };
    let mut frame = Vec::with_capacity(FRAME_HEADER + length);
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&[VERSION, kind, 0, 0]);
    frame.extend_from_slice(&payload_length.to_le_bytes());
    frame.extend_from_slice(&header_length.to_le_bytes());
    frame.extend_from_slice(&header);
    frame.extend(features.concat().iter().flat_map(|v| v.to_le_bytes()));
    for view in views {
        frame.extend_from_slice(&view.data);
    }
    Ok(frame)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at + 4)?;
    usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
}

fn parse<T: DeserializeOwned>(header: &[u8]) -> Result<T, ProtocolError> {
    serde_json::from_slice(header).map_err(|error| ProtocolError::Header(error.to_string()))
}

fn call<T: DeserializeOwned>(header: &[u8], tail: &[u8]) -> Result<Call<T>, ProtocolError> {
    let mut call: Call<T> = parse(header)?;
    fill(&mut call.views, tail)?;
    Ok(call)
}

/// Views whose pictures fill their shapes.
fn checked(views: &[View]) -> Result<&[View], ProtocolError> {
    let is_sound = |v: &View| v.bytes() == Some(v.data.len());
    if views.len() > MAX_VIEWS || !views.iter().all(is_sound) {
        return Err(ProtocolError::Views("their shapes make no sense"));
    }
    Ok(views)
}

/// Each view takes its picture from `tail`, which has no more.
fn fill(views: &mut [View], mut tail: &[u8]) -> Result<(), ProtocolError> {
    if views.len() > MAX_VIEWS {
        return Err(ProtocolError::Views("there are too many"));
    }
    for view in views {
        let bytes = view
            .bytes()
            .ok_or(ProtocolError::Views("their shapes make no sense"))?;
        let (own, rest) = tail
            .split_at_checked(bytes)
            .ok_or(ProtocolError::Views("bytes are missing"))?;
        view.data = own.to_vec();
        tail = rest;
    }
    if !tail.is_empty() {
        return Err(ProtocolError::Views("bytes follow the last one"));
    }
    Ok(())
}

fn reply(header: ReplyHeader, tail: &[u8]) -> Result<EncodedText, ProtocolError> {
    let ReplyHeader {
        text,
        origin,
        rows,
        dim,
    } = header;
    if rows.checked_mul(dim).and_then(|n| n.checked_mul(4)) != Some(tail.len()) {
        return Err(ProtocolError::Shape {
            rows,
            dim,
            bytes: tail.len(),
        });
    }
    let values = tail
        .chunks_exact(4)
        .map(|v| f32::from_le_bytes([v[0], v[1], v[2], v[3]]))
        .collect();
    Ok(EncodedText {
        text,
        origin,
        features: TokenFeatures { rows, dim, values },
    })
}

fn reply_header(reply: &EncodedText) -> Result<ReplyHeader, ProtocolError> {
    let TokenFeatures { rows, dim, values } = &reply.features;
    if rows.checked_mul(*dim) != Some(values.len()) {
        return Err(ProtocolError::Shape {
            rows: *rows,
            dim: *dim,
            bytes: values.len().saturating_mul(4),
        });
    }
    Ok(ReplyHeader {
        text: reply.text.clone(),
        origin: reply.origin,
        rows: *rows,
        dim: *dim,
    })
}

/// Each reply takes its features from `tail`, which has no more.
fn replies(headers: Vec<ReplyHeader>, mut tail: &[u8]) -> Result<Vec<EncodedText>, ProtocolError> {
    let mut found = Vec::new();
    for header in headers {
        let bytes = header
            .rows
            .checked_mul(header.dim)
            .and_then(|n| n.checked_mul(4))
            .unwrap_or(usize::MAX);
        let (own, rest) = tail.split_at_checked(bytes).ok_or(ProtocolError::Shape {
            rows: header.rows,
            dim: header.dim,
            bytes: tail.len(),
        })?;
        found.push(reply(header, own)?);
        tail = rest;
    }
    if !tail.is_empty() {
        return Err(ProtocolError::Header(
            "features follow the last one".to_owned(),
        ));
    }
    Ok(found)
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
