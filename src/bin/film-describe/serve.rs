//! Requests in, answers out, until standard input ends.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use filmd::clock::{Clock, Timestamp};
use filmd::describe::process::protocol::{
    Asked, Call, EncodedText, Hello, Message, ProtocolError, Refusal, decode, encode,
};
use filmd::describe::words::faithful;
use filmd::describe::words::{ask, prompt};
use filmd::describe::{Origin, paragraph};

use crate::encoder::Encoder;
use crate::llm::Llm;

/// Standard input makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("standard input makes no sense: {0}")]
pub struct Garbled(ProtocolError);

/// The models, and what is wrong with them.
pub struct Server<'s, 'l, 'e> {
    pub llm: Option<&'s mut Llm<'l>>,
    pub encoder: &'s mut Encoder<'e>,
    pub note: Option<String>,
    /// The text encoder's sum, where it was checked.
    pub encoder_sha256: Option<String>,
}

impl Server<'_, '_, '_> {
    /// Greets, then answers until `input` ends.
    pub fn run(&mut self, input: &mut impl Read, output: &mut impl Write) -> anyhow::Result<()> {
        let hello = Message::Hello(Hello {
            llm: self.llm.as_ref().map(|llm| llm.name()),
            encoder: self.encoder.name(),
            dim: self.encoder.dim(),
            pid: std::process::id(),
            note: self.note.clone(),
            encoder_sha256: self.encoder_sha256.clone(),
            sees: self.llm.as_ref().is_some_and(|llm| llm.sees()),
        });
        send(output, &hello)?;
        let mut received = Vec::new();
        let mut buffer = [0; 16 << 10];
        loop {
            while let Some((message, used)) = decode(&received).map_err(Garbled)? {
                received.drain(..used);
                let answer = self
                    .answer(message)
                    .ok_or(Garbled(ProtocolError::Unasked))?;
                send(output, &answer)?;
            }
            match input.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => received.extend_from_slice(&buffer[..n]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("standard input"),
            }
        }
    }

    /// The answer; `None` to a message that is no question.
    pub fn answer(&mut self, message: Message) -> Option<Message> {
        let result = match message {
            Message::Describe(call) => self.describe(&call),
            Message::Encode(call) => self
                .encode(&call.text, Origin::User, call.max_rows)
                .map(Message::Description),
            Message::Ask(call) => self.ask(&call),
            _ => return None,
        };
        Some(result.unwrap_or_else(|error| {
            Message::Refused(Refusal {
                message: format!("{error:#}"),
            })
        }))
    }

    fn describe(&mut self, call: &Call<String>) -> anyhow::Result<Message> {
        let deadline = Clock.now().plus(Duration::from_millis(call.deadline_ms));
        if let Some(llm) = self.llm.as_deref_mut() {
            // The grammar allows nothing else; that it was obeyed is checked all the same.
            let text = llm
                .paragraph(
                    (call.task, &call.views),
                    &call.about,
                    (call.max_tokens, deadline),
                )
                .and_then(|text| {
                    faithful::check(call.task, &prompt::clean(&call.about)?, &text)?;
                    Ok(text)
                });
            match text {
                Ok(text) => match self.encode(&text, Origin::Llm, call.max_rows) {
                    Ok(reply) => return Ok(Message::Description(reply)),
                    Err(error) => complain(&error),
                },
                Err(error) => complain(&error),
            }
        }
        let text = paragraph(call.task, &call.about);
        let reply = self.encode(&text, Origin::Template, call.max_rows)?;
        Ok(Message::Description(reply))
    }

    /// All questions, one after the other; what the language model cannot answer in time, the
    /// template does.
    fn ask(&mut self, call: &Call<Asked>) -> anyhow::Result<Message> {
        let count = call.about.len();
        if !(1..=ask::MAX_QUESTIONS).contains(&count) {
            bail!(
                "{count} questions, 1 to {} can be asked",
                ask::MAX_QUESTIONS
            );
        }
        let deadline = Clock.now().plus(Duration::from_millis(call.deadline_ms));
        let mut replies = Vec::with_capacity(count);
        for asked in &call.about {
            replies.push(self.ask_one(call, asked, deadline)?);
        }
        Ok(Message::Answers(replies))
    }

    fn ask_one(
        &mut self,
        call: &Call<Asked>,
        asked: &Asked,
        deadline: Timestamp,
    ) -> anyhow::Result<EncodedText> {
        let sentences = prompt::clean(&asked.sentences)?;
        if let Some(llm) = self.llm.as_deref_mut().filter(|_| call.max_tokens > 0) {
            let answer = llm
                .answer((call.task, &call.views), asked, (call.max_tokens, deadline))
                .and_then(|text| {
                    faithful::check_answer(call.task, &sentences, asked.is_advice, &text)?;
                    Ok(text)
                });
            match answer {
                Ok(text) => return self.encode(&text, Origin::Llm, call.max_rows),
                Err(error) => complain(&error),
            }
        }
        let text = ask::template(call.task, &sentences, asked.is_advice);
        self.encode(&text, Origin::Template, call.max_rows)
    }

    fn encode(
        &mut self,
        text: &str,
        origin: Origin,
        max_rows: usize,
    ) -> anyhow::Result<EncodedText> {
        let (text, features) = self.encoder.encode(text, max_rows)?;
        Ok(EncodedText {
            text,
            origin,
            features,
        })
    }
}

/// The answer is the template's; why goes to filmd's record of this process's last words.
fn complain(error: &anyhow::Error) {
    let _ = writeln!(
        std::io::stderr(),
        "film-describe: template instead: {error:#}"
    );
}

fn send(output: &mut impl Write, message: &Message) -> anyhow::Result<()> {
    let frame = encode(message)?;
    output
        .write_all(&frame)
        .and_then(|()| output.flush())
        .context("standard output")
}
