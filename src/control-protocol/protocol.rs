//! How a running daemon is spoken to: JSON lines over a unix socket.
//!
//! Input: one [`Request`] a line. Output: one [`Reply`] a line; a picture's bytes follow the
//! reply that announces them. Two sockets, two rights: the observe socket answers `status` and
//! `health` only, so that its file mode can be open to every local user. [`ask`] blocks for at most
//! three times [`CLIENT_TIMEOUT`] without a word of filmd; for a reload, as long as that takes.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Mode, Palette, Status, TextRequest};

/// The longest request line, bytes. A guiding text is cut at 64 tokens, far below this.
pub const LINE_LIMIT: usize = 8192;

/// How long a client may take to send its whole line, and then to read the whole answer.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(2);

/// Times that status or health is asked for where filmd lets go of the client without an answer.
const TRIES: u32 = 5;

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
        requests: Vec<TextRequest>,
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
    /// filmd let go of the client without an answer.
    #[error("filmd let go without an answer; are there many other clients? Try again")]
    Dropped,
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

/// Where a running daemon's control socket is: the first at which one listens of the places that
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
        .find(|socket| answers(socket))
        .unwrap_or_else(default_socket)
}

/// A daemon listens there, though perhaps not to this user. What a killed one left does not count.
fn answers(socket: &Path) -> bool {
    match UnixStream::connect(socket) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::PermissionDenied,
    }
}

/// The observe socket beside a control socket.
pub fn observe_socket(control: &Path) -> PathBuf {
    let stem = control
        .file_stem()
        .map_or_else(|| "filmd".into(), |s| s.to_string_lossy());
    control.with_file_name(format!("{stem}-observe.sock"))
}

/// Sends one request, as filmctl does; the bytes are a [`Reply::Picture`]'s.
///
/// # Errors
/// [`ControlError`].
pub fn ask(socket: &Path, request: &Request) -> Result<(Reply, Vec<u8>), ControlError> {
    for _ in 1..TRIES {
        match ask_once(socket, request) {
            // A crowd of clients took its place before the line was there.
            Err(ControlError::Dropped) if request.only_observes() => {}
            other => return other,
        }
    }
    ask_once(socket, request)
}

fn ask_once(socket: &Path, request: &Request) -> Result<(Reply, Vec<u8>), ControlError> {
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
    // A reload closes cameras, opens others and loads a network: it takes what it takes.
    let patience = (*request != Request::Reload).then_some(CLIENT_TIMEOUT * 3);
    stream.set_read_timeout(patience).map_err(io)?;
    let mut line = serde_json::to_vec(request).map_err(|e| fail(e.to_string()))?;
    line.push(b'\n');
    match stream.write_all(&line) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return Err(ControlError::Dropped),
        other => other.map_err(io)?,
    }
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    match reader.read_line(&mut text) {
        Ok(0) => return Err(ControlError::Dropped),
        Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => {
            return Err(ControlError::Dropped);
        }
        other => other.map_err(io)?,
    };
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
mod tests {
    use super::*;

    #[test]
    fn requests_look_as_documented() {
        let line = br#"{"request":"mode","mode":"thermal"}"#;
        assert_eq!(
            parse_request(line),
            Ok(Request::Mode {
                mode: Mode::Thermal
            })
        );
        assert_eq!(
            parse_request(b"{\"request\":\"status\"}\n"),
            Ok(Request::Status)
        );
    }

    #[test]
    fn hostile_lines_are_refused() {
        for line in [
            &b""[..],
            b"\xff\xfe",
            b"{}",
            b"[]",
            br#"{"request":"mode","mode":"x"}"#,
        ] {
            assert!(parse_request(line).is_err(), "{line:?}");
        }
        assert!(parse_request(&[b' '; LINE_LIMIT + 1]).is_err());
        let extra = br#"{"request":"guide","text":"a","sudo":true}"#;
        assert!(parse_request(extra).unwrap_err().contains("sudo"));
    }
}
