//! What the integration tests share: a running daemon, and files that must be there or be missed
//! loudly.
#![allow(
    dead_code,
    clippy::print_stderr,
    reason = "each test program uses its own part"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use filmd::control::{Reply, Request, ask};
use filmd::pipeline::Status;

/// The longest a test waits for something that takes a second on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The shipped manifest.
pub fn manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/manifest.toml")
}

/// The text encoder's file, or a loud word that a test is skipped.
pub fn encoder() -> Option<PathBuf> {
    fetched("all-MiniLM-L6-v2.Q8_0.gguf")
}

/// The language model's file, or a loud word that a test is skipped.
pub fn language_model() -> Option<PathBuf> {
    fetched("SmolLM2-135M-Instruct.Q4_1.gguf")
}

fn fetched(name: &str) -> Option<PathBuf> {
    let folders = filmd::describe::model_folders(|name| std::env::var_os(name));
    let found = folders.iter().map(|f| f.join(name)).find(|p| p.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: {name} is in none of {folders:?}; `make models` fetches it");
    }
    found
}

/// The film-describe program, where this build has it.
pub fn film_describe() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_filmd")).with_file_name("film-describe");
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED: film-describe is not built (feature llm)");
    None
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    pub child: Child,
    pub folder: tempfile::TempDir,
    pub socket: PathBuf,
}

impl Daemon {
    /// Starts `filmd run` with `config`, a small picture unless the configuration says otherwise,
    /// and waits for its first picture.
    pub fn start(config: &str) -> Self {
        Self::start_with(config, |_| {})
    }

    /// The same, with the command changed first.
    pub fn start_with(config: &str, change: impl FnOnce(&mut Command)) -> Self {
        let mut daemon = Self::launch(config, change);
        daemon.wait("the first picture", |s| s.frames.presented > 0);
        daemon
    }

    /// Starts it without a picture to come.
    pub fn start_silent(config: &str) -> Self {
        let mut daemon = Self::launch(config, |_| {});
        daemon.wait("an answer", |_| true);
        daemon
    }

    fn launch(config: &str, change: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("filmd.sock");
        let file = folder.path().join("filmd.toml");
        std::fs::write(&file, with_socket(config, &socket)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_filmd"));
        command
            .arg("run")
            .arg("--config")
            .arg(&file)
            .stdin(Stdio::null());
        change(&mut command);
        let child = command.spawn().unwrap();
        Self {
            child,
            folder,
            socket,
        }
    }

    /// Writes another configuration over the old one, for a reload.
    pub fn write_config(&self, config: &str) {
        let file = self.folder.path().join("filmd.toml");
        std::fs::write(file, with_socket(config, &self.socket)).unwrap();
    }

    /// Sends a request.
    pub fn ask(&self, request: &Request) -> Reply {
        ask(&self.socket, request).unwrap().0
    }

    /// Its status.
    pub fn status(&self) -> Status {
        match self.ask(&Request::Status) {
            Reply::Status(status) => *status,
            other => panic!("no status but {other:?}"),
        }
    }

    /// Waits until `condition` holds; the status that it held for.
    pub fn wait(&mut self, what: &str, condition: impl Fn(&Status) -> bool) -> Status {
        let end = now() + PATIENCE;
        let mut last = None;
        while now() < end {
            if let Some(code) = self.child.try_wait().unwrap() {
                panic!("filmd ended with {code} before {what}");
            }
            if let Ok((Reply::Status(status), _)) = ask(&self.socket, &Request::Status) {
                if condition(&status) {
                    return *status;
                }
                last = Some(status);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{what} did not come; last status {last:#?}");
    }

    /// Waits until `count` more frames were shown: the picture goes on.
    pub fn wait_frames(&mut self, count: u64) -> Status {
        let from = self.status().frames.presented;
        self.wait("more frames", |s| s.frames.presented >= from + count)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn with_socket(config: &str, socket: &Path) -> String {
    format!("{config}\n[control]\nsocket = {socket:?}\n")
}

/// Tests wait; the library does not read this clock.
#[allow(
    clippy::disallowed_methods,
    reason = "a test's own patience, not the frame path's time"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// Sends a signal.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .status();
    assert!(status.unwrap().success(), "kill -{name} {pid}");
}
