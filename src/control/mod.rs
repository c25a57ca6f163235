//! The daemon's side of the control protocol: two unix sockets, two rights.
//!
//! The observe socket answers `status` and `health` only, so that its file mode can be open to every local
//! user. No client is waited for: a silent one costs a descriptor for [`CLIENT_TIMEOUT`] at most. Blocks:
//! in [`Sockets::wait`], at most its poll time. Allocates: at most [`LINE_LIMIT`] a client, and its answer.
//! The [`Handler`] does what is asked.

mod budget;
mod client;

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
use budget::Budget;
use client::Client;

/// Does what is asked.
pub trait Handler {
    /// Answers a request; the bytes follow a [`Reply::Picture`].
    fn handle(&mut self, request: Request) -> (Reply, Vec<u8>);
}

/// Clients of one socket that are looked after at a time; a new one takes the place of the oldest that has not said
/// its line yet.
const MOST_CLIENTS: usize = 64;
/// Clients that are accepted in one turn.
const MOST_ACCEPTED: usize = 32;

/// Both sockets of a daemon and their clients; the files go when it is dropped.
#[derive(Debug)]
pub struct Sockets {
    control: Listener,
    observe: Listener,
    /// Oldest first.
    clients: Vec<Client>,
    budget: Budget,
}

/// A socket and its file.
#[derive(Debug)]
struct Listener {
    socket: UnixListener,
    path: PathBuf,
    /// Device and number of the file: another daemon's has others.
    identity: Option<(u64, u64)>,
}

impl Sockets {
    /// Listens at `path` and beside it. A socket that a dead daemon left is replaced; one that
    /// answers is not.
    ///
    /// # Errors
    /// [`ControlError::Socket`].
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        Ok(Self {
            control: Listener::bind(path, 0o660)?,
            observe: Listener::bind(&observe_socket(path), 0o666)?,
            clients: Vec::new(),
            budget: Budget::new(Clock.now()),
        })
    }

    /// Waits for clients, at most `timeout`, and answers those that came.
    pub fn serve(&mut self, timeout: Duration, handler: &mut dyn Handler) {
        self.wait(timeout, None);
        self.answer_all(handler);
    }

    /// Waits until a client comes, says or takes something, or until there is something to read from `other`, at
    /// most `timeout`.
    pub fn wait(&self, timeout: Duration, other: Option<BorrowedFd>) {
        let mut fds = vec![
            PollFd::new(&self.control.socket, PollFlags::IN),
            PollFd::new(&self.observe.socket, PollFlags::IN),
        ];
        fds.extend(other.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let clients = self.clients.iter();
        fds.extend(clients.map(|c| PollFd::new(&c.stream, c.interest())));
        let mut timeout = timeout;
        if self.clients.iter().any(Client::asks) {
            timeout = timeout.min(self.budget.wait());
        }
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        // A signal may interrupt it: the caller looks at its flags.
        let _ = poll(&mut fds, Some(&timeout));
    }

    /// Accepts who came and answers who asked, without waiting for any of them: one that is silent, or never
    /// reads, holds up nobody.
    pub fn answer_all(&mut self, handler: &mut dyn Handler) {
        let now = Clock.now();
        self.accept(true, now);
        self.accept(false, now);
        self.clients.retain_mut(|client| client.advance(now));
        // Whoever may change something first.
        for may_change in [true, false] {
            let budget = &mut self.budget;
            self.clients.retain_mut(|client| {
                let is_due = client.asks() && client.may_change() == may_change;
                if !is_due || !(may_change || budget.take(now)) {
                    return true;
                }
                client.answer(handler, || Clock.now())
            });
        }
    }

    fn accept(&mut self, may_change: bool, now: Timestamp) {
        for _ in 0..MOST_ACCEPTED {
            let listener = match may_change {
                true => &self.control.socket,
                false => &self.observe.socket,
            };
            let Ok((stream, _)) = listener.accept() else {
                return;
            };
            let mut client = match Client::new(stream, may_change, now) {
                Ok(client) => client,
                Err(error) => {
                    log::debug!("a control client is refused: {error}");
                    continue;
                }
            };
            // Most have said their line by now; nobody takes the place of one that has.
            if client.advance(now) {
                self.clients.push(client);
                self.make_room(may_change);
            }
        }
    }

    /// Lets go of one client where there are too many: the oldest that has not said its line yet, else the newest.
    fn make_room(&mut self, may_change: bool) {
        let is_same = |c: &Client| c.may_change() == may_change;
        if self.clients.iter().filter(|c| is_same(c)).count() <= MOST_CLIENTS {
            return;
        }
        let silent = |c: &Client| is_same(c) && c.is_silent();
        let oldest = self.clients.iter().position(silent);
        if let Some(at) = oldest.or_else(|| self.clients.iter().rposition(is_same)) {
            self.clients.remove(at);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A daemon that took this one's place has a file of its own.
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Device and number of a file.
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

impl Listener {
    fn bind(path: &Path, mode: u32) -> Result<Self, ControlError> {
        Ok(Self {
            socket: listen(path, mode)?,
            path: path.to_owned(),
            identity: identity(path),
        })
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

#[cfg(test)]
mod tests;
