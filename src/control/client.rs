//! One client of a socket: a line in, an answer out, neither of which is waited for.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use control_protocol::{CLIENT_TIMEOUT, LINE_LIMIT, Reply, parse_request};
use rustix::event::PollFlags;

use super::Handler;
use crate::clock::Timestamp;

/// Bytes that are read at a time.
const CHUNK: usize = 4096;

/// A client that was accepted.
#[derive(Debug)]
pub(super) struct Client {
    pub stream: UnixStream,
    may_change: bool,
    until: Timestamp,
    state: State,
}

#[derive(Debug)]
enum State {
    /// What came of its line.
    Reads(Vec<u8>),
    /// The line is whole.
    Asks(Vec<u8>),
    /// The answer, and how much of it is gone.
    Writes(Vec<u8>, usize),
}

impl Client {
    /// # Errors
    /// Where the stream cannot be made non-blocking.
    pub fn new(stream: UnixStream, may_change: bool, now: Timestamp) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            may_change,
            until: now.plus(CLIENT_TIMEOUT),
            state: State::Reads(Vec::new()),
        })
    }

    pub fn may_change(&self) -> bool {
        self.may_change
    }

    /// What it waits for.
    pub fn interest(&self) -> PollFlags {
        match self.state {
            State::Reads(_) => PollFlags::IN,
            State::Asks(_) => PollFlags::empty(),
            State::Writes(..) => PollFlags::OUT,
        }
    }

    /// Its line is not whole yet.
    pub fn is_silent(&self) -> bool {
        matches!(self.state, State::Reads(_))
    }

    /// Its line is whole, and waits for [`Client::answer`].
    pub fn asks(&self) -> bool {
        matches!(self.state, State::Asks(_))
    }

    /// Reads or writes what goes without waiting; `false` once it is done, gone or out of time.
    pub fn advance(&mut self, now: Timestamp) -> bool {
        if now >= self.until {
            return false;
        }
        match &mut self.state {
            State::Reads(line) => match read_line(&mut self.stream, line) {
                Ok(true) => {
                    self.state = State::Asks(std::mem::take(line));
                    true
                }
                Ok(false) => true,
                Err(_) => false,
            },
            State::Asks(_) => true,
            State::Writes(..) => self.write(),
        }
    }

    /// Lets `handler` answer its line and sends what goes at once; `false` once it is done or gone.
    pub fn answer(&mut self, handler: &mut dyn Handler, now: impl Fn() -> Timestamp) -> bool {
        let State::Asks(line) = &self.state else {
            return true;
        };
        let (reply, picture) = match parse_request(line) {
            Err(message) => (Reply::Error { message }, Vec::new()),
            Ok(request) if !self.may_change && !request.only_observes() => {
                let message = "this socket only answers status and health".to_owned();
                (Reply::Error { message }, Vec::new())
            }
            Ok(request) => handler.handle(request),
        };
        let Ok(mut bytes) = serde_json::to_vec(&reply) else {
            return false;
        };
        bytes.push(b'\n');
        bytes.extend(picture);
        self.state = State::Writes(bytes, 0);
        // The handler's time is not the client's.
        self.until = now().plus(CLIENT_TIMEOUT);
        self.write()
    }

    fn write(&mut self) -> bool {
        let State::Writes(bytes, sent) = &mut self.state else {
            return true;
        };
        while *sent < bytes.len() {
            match self.stream.write(&bytes[*sent..]) {
                Ok(0) => return false,
                Ok(n) => *sent += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        false
    }
}

/// Whether the line is whole: ended, or longer than a request may be.
fn read_line(stream: &mut UnixStream, line: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut chunk = [0; CHUNK];
    while line.len() <= LINE_LIMIT {
        match stream.read(&mut chunk) {
            Ok(0) if line.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(0) => return Ok(true),
            Ok(n) => {
                let end = chunk[..n].iter().position(|b| *b == b'\n');
                line.extend_from_slice(&chunk[..end.map_or(n, |end| end + 1)]);
                if end.is_some() {
                    break;
                }
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    line.truncate(LINE_LIMIT + 1);
    Ok(true)
}
