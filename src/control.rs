//! How a running daemon is spoken to: JSON lines over a unix socket.
//!
//! Input: one [`Request`] a line. Output: one [`Reply`] a line; a picture's bytes follow the
//! reply that announces them. Two sockets, two rights: the observe socket answers `status` and
//! `health` only, so that its file mode can be open to every local user. Thread: main.
//! Blocks: in [`Sockets::serve`], at most its poll time, and at most [`CLIENT_TIMEOUT`] for one client.
//! Allocates: yes, bounded by [`LINE_LIMIT`]. Fails when: [`ControlError`]. Not its job: doing
//! what is asked; the [`Handler`] does.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, Timestamp};
use crate::config::{Mode, Palette};
use crate::describe::request::Request as Understood;
use crate::pipeline::Status;

/// The longest request line, bytes. A guiding text is cut at 64 tokens, far below this.
pub const LINE_LIMIT: usize = 8192;

/// How long a client may take to send its whole line, and then to read the whole answer.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(2);

/// The largest picture a reply may announce, bytes.
const PICTURE_LIMIT: u64 = 256 << 20;

/// What can be asked. On the wire: `{"request":"mode","mode":"thermal"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Everything the daemon knows about itself. Observe or control.
    Status,
    /// Is the picture going on? Observe or control.
    Health,
    /// Show another mode, from the next frame on.
    Mode {
        /// The mode.
        mode: Mode,
    },
    /// Colour thermal values otherwise, from the next frame on.
    Palette {
        /// The palette.
        palette: Palette,
    },
    /// Hold the picture, or let it go on, from the next frame on.
    Freeze {
        /// Hold it.
        on: bool,
    },
    /// Move source A (the thermal picture) from where the calibration has it.
    Nudge {
        /// Output pixels to the right of there.
        right: i32,
        /// Output pixels below.
        down: i32,
    },
    /// Guide the fusion by this text until `guide-auto`.
    Guide {
        /// The text.
        text: String,
    },
    /// Let the describer guide again.
    GuideAuto,
    /// The next picture, as a file's bytes.
    Snapshot {
        /// Its format.
        format: SnapshotFormat,
    },
    /// Read the configuration file again.
    Reload,
}

impl Request {
    /// Changes nothing: allowed on the observe socket.
    pub fn only_observes(&self) -> bool {
        matches!(self, Self::Status | Self::Health)
    }
}

/// File formats of snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SnapshotFormat {
    /// Lossless.
    Png,
    /// Small.
    Jpg,
}

/// What is answered. On the wire: `{"reply":"done"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// To `status`.
    Status(Box<Status>),
    /// To `health`.
    Health {
        /// The picture goes on.
        healthy: bool,
        /// What is wrong, or "ok".
        detail: String,
    },
    /// To a change: it takes effect from the next frame on.
    Done,
    /// To `guide`: what the text was understood to ask for.
    Understood {
        /// At least one.
        requests: Vec<Understood>,
    },
    /// To `snapshot`: so many bytes of a picture file follow the line.
    Picture {
        /// Bytes after the newline.
        bytes: u64,
    },
    /// Anything that was refused.
    Error {
        /// What was found, what to do.
        message: String,
    },
}

/// Why the socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Cannot listen or connect there.
    #[error("{path}: {message}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What was found, what to do.
        message: String,
    },
    /// The other side sent something else than agreed.
    #[error("filmd answered something unexpected: {0}")]
    Answer(String),
}

/// Does what is asked.
pub trait Handler {
    /// Answers a request; the bytes follow a [`Reply::Picture`].
    fn handle(&mut self, request: Request) -> (Reply, Vec<u8>);
}

/// Reads one request line.
///
/// # Errors
/// A message for the client, naming what is wrong.
pub fn parse_request(line: &[u8]) -> Result<Request, String> {
    if line.len() > LINE_LIMIT {
        return Err(format!("a request has at most {LINE_LIMIT} bytes"));
    }
    let text = std::str::from_utf8(line).map_err(|_| "a request is UTF-8 text".to_owned())?;
    serde_json::from_str(text.trim()).map_err(|e| format!("not a request: {e}"))
}

/// Where the sockets are: `filmd.sock`, and `filmd-observe.sock` beside it.
pub fn default_socket() -> PathBuf {
    let folder = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"]
        .iter()
        .filter_map(std::env::var_os)
        .map(PathBuf::from)
        .find(|p| p.is_dir());
    match folder {
        Some(folder) => folder.join("filmd.sock"),
        None if Path::new("/run/filmd").is_dir() => "/run/filmd/filmd.sock".into(),
        None => std::env::temp_dir().join("filmd.sock"),
    }
}

/// Where a running daemon's control socket is: the first there is of the places that
/// [`default_socket`] chooses from. Whoever is logged in has $XDG_RUNTIME_DIR, while the service
/// listens in /run/filmd.
pub fn running_socket() -> PathBuf {
    let folders = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"]
        .iter()
        .filter_map(std::env::var_os)
        .map(PathBuf::from);
    folders
        .chain(["/run/filmd".into(), std::env::temp_dir()])
        .map(|folder| folder.join("filmd.sock"))
        .find(|socket| socket.exists())
        .unwrap_or_else(default_socket)
}

/// The observe socket beside a control socket.
pub fn observe_socket(control: &Path) -> PathBuf {
    let stem = control
        .file_stem()
        .map_or_else(|| "filmd".into(), |s| s.to_string_lossy());
    control.with_file_name(format!("{stem}-observe.sock"))
}

/// Both sockets of a daemon; the files go when it is dropped.
#[derive(Debug)]
pub struct Sockets {
    control: (UnixListener, PathBuf),
    observe: (UnixListener, PathBuf),
}

impl Sockets {
    /// Listens at `path` and beside it. A socket that a dead daemon left is replaced; one that
    /// answers is not.
    ///
    /// # Errors
    /// [`ControlError::Socket`].
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let observe = observe_socket(path);
        Ok(Self {
            control: (listen(path, 0o660)?, path.to_owned()),
            observe: (listen(&observe, 0o666)?, observe),
        })
    }

    /// Waits for clients, at most `timeout`, and answers those that came.
    pub fn serve(&self, timeout: Duration, handler: &mut dyn Handler) {
        let ready = self.wait(timeout, None);
        self.answer_all(ready, handler);
    }

    /// Waits for clients or for something to read from `other`, at most `timeout`; which of the
    /// two sockets has a client.
    pub fn wait(&self, timeout: Duration, other: Option<BorrowedFd>) -> [bool; 2] {
        let mut fds = vec![
            PollFd::new(&self.control.0, PollFlags::IN),
            PollFd::new(&self.observe.0, PollFlags::IN),
        ];
        fds.extend(other.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        if poll(&mut fds, Some(&timeout)).is_err() {
            return [false; 2]; // Interrupted by a signal: the caller looks at its flags.
        }
        [0, 1].map(|n| fds[n].revents().contains(PollFlags::IN))
    }

    /// Answers a client of each socket that has one.
    pub fn answer_all(&self, ready: [bool; 2], handler: &mut dyn Handler) {
        let listeners = [(&self.control.0, true), (&self.observe.0, false)];
        for ((listener, may_change), ready) in listeners.into_iter().zip(ready) {
            if ready
                && let Ok((client, _)) = listener.accept()
                && let Err(error) = answer(client, may_change, handler)
            {
                log::debug!("a control client went away: {error}");
            }
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for path in [&self.control.1, &self.observe.1] {
            // Already gone is fine; anything else is replaced at the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn listen(path: &Path, mode: u32) -> Result<UnixListener, ControlError> {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let fail = |message: String| ControlError::Socket {
        path: path.to_owned(),
        message,
    };
    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            return Err(fail(
                "is there and is no socket; remove it or set control.socket".into(),
            ));
        }
        if UnixStream::connect(path).is_ok() {
            return Err(fail(
                "another filmd listens here; stop it or set control.socket".into(),
            ));
        }
        std::fs::remove_file(path).map_err(|e| fail(format!("cannot replace it: {e}")))?;
    }
    let listener = UnixListener::bind(path).map_err(|e| fail(format!("cannot listen: {e}")))?;
    listener
        .set_nonblocking(true)
        .map_err(|e| fail(e.to_string()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .map_err(|e| fail(format!("cannot set its mode: {e}")))?;
    Ok(listener)
}

/// One client, one request: a client that wants more connects again.
fn answer(client: UnixStream, may_change: bool, handler: &mut dyn Handler) -> std::io::Result<()> {
    client.set_nonblocking(false)?;
    let mut client = Hasty::new(client);
    let mut line = Vec::new();
    let limit = u64::try_from(LINE_LIMIT + 1).unwrap_or(u64::MAX);
    BufReader::new((&mut client).take(limit)).read_until(b'\n', &mut line)?;
    let (reply, picture) = match parse_request(&line) {
        Err(message) => (Reply::Error { message }, Vec::new()),
        Ok(request) if !may_change && !request.only_observes() => {
            let message = "this socket only answers status and health".to_owned();
            (Reply::Error { message }, Vec::new())
        }
        Ok(request) => handler.handle(request),
    };
    let mut bytes = serde_json::to_vec(&reply)?;
    bytes.push(b'\n');
    // The handler's time is not the client's.
    client.until = Clock.now().plus(CLIENT_TIMEOUT);
    client.write_all(&bytes)?;
    client.write_all(&picture)
}

/// A client's stream with one time limit for all of its reads or writes: with a limit for each,
/// one byte a second would hold up the thread that feeds the watchdog.
struct Hasty {
    stream: UnixStream,
    until: Timestamp,
}

impl Hasty {
    fn new(stream: UnixStream) -> Self {
        let until = Clock.now().plus(CLIENT_TIMEOUT);
        Self { stream, until }
    }

    fn left(&self) -> std::io::Result<Duration> {
        let left = self.until.since(Clock.now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        // The kernel counts microseconds, and none of them means no limit.
        Ok(left.max(Duration::from_millis(1)))
    }
}

impl Read for Hasty {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Hasty {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

/// Sends one request, as filmctl does; the bytes are a [`Reply::Picture`]'s.
///
/// # Errors
/// [`ControlError`].
pub fn ask(socket: &Path, request: &Request) -> Result<(Reply, Vec<u8>), ControlError> {
    let fail = |message: String| ControlError::Socket {
        path: socket.to_owned(),
        message,
    };
    let mut stream = UnixStream::connect(socket).map_err(|e| {
        fail(format!(
            "cannot reach filmd ({e}); is it running, and may you use this socket?"
        ))
    })?;
    let io = |e: std::io::Error| fail(format!("filmd did not answer: {e}"));
    stream
        .set_read_timeout(Some(CLIENT_TIMEOUT * 3))
        .map_err(io)?;
    let mut line = serde_json::to_vec(request).map_err(|e| fail(e.to_string()))?;
    line.push(b'\n');
    stream.write_all(&line).map_err(io)?;
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    reader.read_line(&mut text).map_err(io)?;
    let reply: Reply =
        serde_json::from_str(&text).map_err(|e| ControlError::Answer(e.to_string()))?;
    let mut picture = Vec::new();
    if let Reply::Picture { bytes } = reply {
        if bytes > PICTURE_LIMIT {
            return Err(ControlError::Answer(format!("a picture of {bytes} bytes")));
        }
        reader.take(bytes).read_to_end(&mut picture).map_err(io)?;
        if picture.len() as u64 != bytes {
            let found = picture.len();
            return Err(ControlError::Answer(format!(
                "{found} of {bytes} picture bytes"
            )));
        }
    }
    Ok((reply, picture))
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
