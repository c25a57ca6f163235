//! One film-describe process: its pipes, its end.
//!
//! Input: frames to send. Output: messages received. Blocks: at most until the deadline given. Allocates:
//! one message and 2 KiB of the process's error output at most. Fails when: [`ChildFault`]. Not its job:
//! starting it again.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::protocol::{self, Message, ProtocolError};
use crate::clock::{Clock, Timestamp};
use crate::sys::poll::set_nonblocking;

/// Kept of what the process wrote to its standard error: its last words.
const LAST_WORDS: usize = 2048;
/// Reads that empty a pipe (64 KiB, at most 1 MiB by the system's limit); not more, since who
/// inherited the pipe may go on writing.
const MOST_READS: usize = 256;
/// How often a wait looks at the stop flag.
const SLICE: Duration = Duration::from_millis(100);
/// How long a killed or closed process may take to be gone before it is left for later.
const REAP: Duration = Duration::from_millis(300);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum ChildFault {
    /// The deadline passed.
    TimedOut,
    /// The process closed its pipe, or the pipe broke.
    Closed,
    /// Bytes that are no message.
    Garbled(ProtocolError),
    /// The stop flag was raised.
    Stopped,
}

/// A running process.
#[derive(Debug)]
pub(super) struct ChildProcess {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    received: Vec<u8>,
    words: Vec<u8>,
}

impl ChildProcess {
    /// Starts `program`. It gets a process group of its own, so that Ctrl-C reaches filmd alone,
    /// which then ends it.
    pub fn spawn(program: &PathBuf, args: &[std::ffi::OsString]) -> std::io::Result<Self> {
        let mut child = Command::new(program)
            .args(args)
            // Else llama.cpp starts a debugger when it aborts.
            .env("GGML_NO_BACKTRACE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(std::io::Error::other("the process has no pipes"));
        };
        let process = Self {
            child,
            stdin,
            stdout,
            stderr: Some(stderr),
            received: Vec::new(),
            words: Vec::new(),
        };
        process.unblock()?;
        Ok(process)
    }

    fn unblock(&self) -> std::io::Result<()> {
        set_nonblocking(&self.stdin)?;
        set_nonblocking(&self.stdout)?;
        self.stderr.as_ref().map_or(Ok(()), set_nonblocking)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends `frame` and waits for the next message.
    pub fn exchange(
        &mut self,
        frame: &[u8],
        deadline: Timestamp,
        stop: &AtomicBool,
    ) -> Result<Message, ChildFault> {
        let mut unsent = frame;
        loop {
            match self.next_message()? {
                Some(message) if unsent.is_empty() => return Ok(message),
                // Also bounds what a process that never reads can pile up here.
                Some(_) => return Err(ChildFault::Garbled(ProtocolError::Unasked)),
                None => {}
            }
            if stop.load(Ordering::Relaxed) {
                return Err(ChildFault::Stopped);
            }
            let left = deadline.since(Clock.now());
            if left.is_zero() {
                return Err(ChildFault::TimedOut);
            }
            self.pump(&mut unsent, left.min(SLICE))?;
        }
    }

    /// Takes what is there without waiting.
    pub fn look(&mut self) -> Result<Option<Message>, ChildFault> {
        self.pump(&mut &[][..], Duration::ZERO)?;
        self.next_message()
    }

    fn next_message(&mut self) -> Result<Option<Message>, ChildFault> {
        match protocol::decode(&self.received).map_err(ChildFault::Garbled)? {
            Some((message, used)) => {
                self.received.drain(..used);
                Ok(Some(message))
            }
            None => Ok(None),
        }
    }

    /// One turn of poll: writes what can be written, reads what is there.
    fn pump(&mut self, unsent: &mut &[u8], wait: Duration) -> Result<(), ChildFault> {
        let (readable, writable, speaking) = self.poll(!unsent.is_empty(), wait)?;
        if speaking {
            self.listen();
        }
        if writable {
            match self.stdin.write(unsent) {
                Ok(n) => *unsent = &unsent[n..],
                Err(error) if again(&error) => {}
                Err(_) => return Err(ChildFault::Closed),
            }
        }
        if readable {
            let mut buffer = [0; 16 << 10];
            match self.stdout.read(&mut buffer) {
                Ok(0) => return Err(ChildFault::Closed),
                Ok(n) => self.received.extend_from_slice(&buffer[..n]),
                Err(error) if again(&error) => {}
                Err(_) => return Err(ChildFault::Closed),
            }
        }
        Ok(())
    }

    /// (standard output has bytes or ended, standard input takes bytes, standard error has some).
    fn poll(&self, sending: bool, wait: Duration) -> Result<(bool, bool, bool), ChildFault> {
        let mut fds = vec![PollFd::new(&self.stdout, PollFlags::IN)];
        if sending {
            fds.push(PollFd::new(&self.stdin, PollFlags::OUT));
        }
        if let Some(stderr) = &self.stderr {
            fds.push(PollFd::new(stderr, PollFlags::IN));
        }
        let wait = Timespec::try_from(wait).map_err(|_| ChildFault::TimedOut)?;
        match poll(&mut fds, Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Err(ChildFault::Closed),
        }
        let some = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let speaking = self.stderr.is_some() && fds.last().is_some_and(some);
        Ok((some(&fds[0]), sending && some(&fds[1]), speaking))
    }

    /// Keeps the end of what the process says on its standard error; whether there was any.
    fn listen(&mut self) -> bool {
        let Some(stderr) = &mut self.stderr else {
            return false;
        };
        let mut buffer = [0; 4096];
        match stderr.read(&mut buffer) {
            Ok(0) => self.stderr = None,
            Ok(n) => {
                self.words.extend_from_slice(&buffer[..n]);
                let surplus = self.words.len().saturating_sub(LAST_WORDS);
                self.words.drain(..surplus);
                return true;
            }
            Err(error) if again(&error) => {}
            Err(_) => self.stderr = None,
        }
        false
    }

    /// Kills it and takes its end in. Returns how it ended and its last words, and the process
    /// itself where the kernel has not let go of it yet; try [`Child::try_wait`] later.
    pub fn end(mut self, grace: bool) -> (ChildEnd, Option<Child>) {
        if !grace || !self.wait(REAP) {
            let _ = self.child.kill();
        }
        let gone = self.wait(REAP);
        // It ended faster than its words were read: the last line is at the pipe's end.
        for _ in 0..MOST_READS {
            if !self.listen() {
                break;
            }
        }
        let status = self.child.try_wait().ok().flatten();
        let words = String::from_utf8_lossy(&self.words).trim().to_owned();
        (ChildEnd { status, words }, (!gone).then_some(self.child))
    }

    fn wait(&mut self, most: Duration) -> bool {
        let deadline = Clock.now().plus(most);
        loop {
            self.listen();
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            let now = Clock.now();
            if now >= deadline {
                return false;
            }
            Clock.sleep_until(now.plus(Duration::from_millis(5)).min(deadline));
        }
    }
}

/// How a process ended.
#[derive(Debug)]
pub(super) struct ChildEnd {
    /// `None`: not gone yet.
    pub status: Option<std::process::ExitStatus>,
    /// The end of its standard error.
    pub words: String,
}

impl std::fmt::Display for ChildEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str("it does not end")?,
        }
        // One line: this goes into status and log.
        if let Some(line) = self.words.lines().rfind(|l| !l.trim().is_empty()) {
            write!(f, ": {}", line.trim())?;
        }
        Ok(())
    }
}

fn again(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
