//! The daemon's side of the control protocol: two unix sockets, two rights.
//!
//! The observe socket answers `status` and `health` only, so that its file mode can be open to every
//! local user. Thread: main. Blocks: in [`Sockets::serve`], at most its poll time, and at most
//! [`CLIENT_TIMEOUT`] for one client. Allocates: yes, bounded by [`LINE_LIMIT`]. The [`Handler`] does
//! what is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use control_protocol::{
    CLIENT_TIMEOUT, ControlError, LINE_LIMIT, Reply, Request, SnapshotFormat, ask, default_socket,
    observe_socket, parse_request, running_socket,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::clock::{Clock, Timestamp};

/// Does what is asked.
pub trait Handler {
    /// Answers a request; the bytes follow a [`Reply::Picture`].
    fn handle(&mut self, request: Request) -> (Reply, Vec<u8>);
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

#[cfg(test)]
mod tests;
