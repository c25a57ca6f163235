//! What happened, as JSON lines in files of bounded size.
//!
//! Input: events. Output: FILE, and FILE.1 (newer) to FILE.N (older). Fails when: the file cannot be
//! written; that is told once an event, and the next event tries again. Not its job: what an event is. A
//! line that a power cut left half-written is cut off when the file is opened; up to the system's
//! write-back time of the newest lines may be lost with it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::clock::{Clock, Timestamp};
use crate::config::Task;
use crate::describe::Origin;

/// Far above any line: what is behind the last line feed is looked for in so many bytes.
const LONGEST: u64 = 64 << 10;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Event<'a> {
    /// Seconds since the board was started.
    pub boot_s: f64,
    /// Seconds since 1970, where the board knows.
    pub unix_s: Option<u64>,
    /// The task.
    pub task: Task,
    /// `appeared`, `left`, `moved`, `hot`, `light`, or `text`: another text guides.
    pub event: &'a str,
    /// In words.
    pub text: &'a str,
    /// Who wrote the words; of a measured change, nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl<'a> Event<'a> {
    pub fn new(now: Timestamp, task: Task, event: &'a str, text: &'a str) -> Self {
        Self {
            boot_s: (now.as_nanos() / 1_000_000) as f64 / 1e3,
            unix_s: Clock.calendar(),
            task,
            event,
            text,
            origin: None,
        }
    }
}

/// The files.
#[derive(Debug)]
pub(super) struct EventLog {
    path: PathBuf,
    max_bytes: u64,
    keep: usize,
    open: Option<(File, u64)>,
}

impl EventLog {
    /// Opens nothing yet.
    pub const fn new(path: PathBuf, max_bytes: u64, keep: usize) -> Self {
        Self {
            path,
            max_bytes,
            keep,
            open: None,
        }
    }

    /// Appends a line, in a new file where the old one would grow beyond its size.
    ///
    /// # Errors
    /// A message that names the file.
    pub fn write(&mut self, event: &Event<'_>) -> Result<(), String> {
        let result = self.try_write(event);
        if result.is_err() {
            self.open = None;
        }
        result.map_err(|error| format!("the event log {}: {error}", self.path.display()))
    }

    fn try_write(&mut self, event: &Event<'_>) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        let length = line.len() as u64;
        let (mut file, used) = match self.open.take() {
            Some(open) => open,
            None => open(&self.path)?,
        };
        if used > 0 && used + length > self.max_bytes {
            drop(file);
            self.rotate()?;
            let (mut file, used) = open(&self.path)?;
            file.write_all(&line)?;
            self.open = Some((file, used + length));
            return Ok(());
        }
        // One call a line: what is cut off by a power cut is one line.
        file.write_all(&line)?;
        self.open = Some((file, used + length));
        Ok(())
    }

    /// FILE becomes FILE.1 and so on; the oldest one goes.
    fn rotate(&self) -> std::io::Result<()> {
        if self.keep == 0 {
            return std::fs::remove_file(&self.path);
        }
        for n in (1..self.keep).rev() {
            let from = numbered(&self.path, n);
            if from.exists() {
                std::fs::rename(from, numbered(&self.path, n + 1))?;
            }
        }
        std::fs::rename(&self.path, numbered(&self.path, 1))
    }
}

fn numbered(path: &Path, n: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}"));
    name.into()
}

/// The file at the end of its last whole line, and its length.
fn open(path: &Path) -> std::io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LONGEST);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    (&mut file).take(LONGEST).read_to_end(&mut tail)?;
    let whole = match tail.iter().rposition(|&b| b == b'\n') {
        Some(at) => from + at as u64 + 1,
        None if from == 0 => 0,
        // No line of ours is so long: whose file is this?
        None => {
            return Err(std::io::Error::other(
                "it is no event log; name another file",
            ));
        }
    };
    if whole < length {
        file.set_len(whole)?;
    }
    Ok((file, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> Event<'_> {
        Event::new(
            Timestamp::from_nanos(1_234_567_890),
            Task::Ivf,
            "text",
            text,
        )
    }

    fn lines(path: &Path) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect()
    }

    #[test]
    fn lines_are_json_and_a_later_run_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        for text in ["a \"b\"\n", "c"] {
            EventLog::new(path.clone(), 1000, 2)
                .write(&event(text))
                .unwrap();
        }
        let lines = lines(&path);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["text"], "a \"b\"\n");
        assert_eq!(lines[0]["boot_s"], 1.234);
        assert_eq!(lines[1]["task"], "ivf");
    }

    #[test]
    fn files_rotate_by_size_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e");
        let one = serde_json::to_vec(&event("0")).unwrap().len() as u64 + 1;
        let mut log = EventLog::new(path.clone(), 2 * one, 2);
        for n in 0..9 {
            log.write(&event(&n.to_string())).unwrap();
            assert!(std::fs::metadata(&path).unwrap().len() <= 2 * one);
        }
        let texts = |path: &Path| -> Vec<String> {
            let text = |l: &serde_json::Value| l["text"].as_str().unwrap().to_owned();
            lines(path).iter().map(text).collect()
        };
        assert_eq!(texts(&path), ["8"]);
        assert_eq!(texts(&numbered(&path, 1)), ["6", "7"]);
        assert_eq!(texts(&numbered(&path, 2)), ["4", "5"]);
        assert!(!numbered(&path, 3).exists());
        // A line longer than a file is written all the same, alone.
        log.write(&event(&"x".repeat(1000))).unwrap();
        log.write(&event("y")).unwrap();
        assert_eq!(texts(&path), ["y"]);
        let mut none = EventLog::new(folder.path().join("n"), one, 0);
        none.write(&event("1")).unwrap();
        none.write(&event("2")).unwrap();
        assert_eq!(texts(&folder.path().join("n")), ["2"]);
    }

    #[test]
    fn what_a_power_cut_leaves_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e");
        for (left, kept) in [
            ("{\"boot_s\":1}\n{\"boot_s\":2,\"te", 1),
            ("{\"boot_s\":1}\n\0\0\0\0\0", 1),
            ("{\"boot", 0),
            ("", 0),
        ] {
            std::fs::write(&path, left).unwrap();
            let mut log = EventLog::new(path.clone(), 1000, 1);
            log.write(&event("x")).unwrap();
            assert_eq!(lines(&path).len(), kept + 1, "{left:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later").join("e");
        let mut log = EventLog::new(path.clone(), 1000, 1);
        let said = log.write(&event("x")).unwrap_err();
        assert!(said.contains("later/e"), "{said}");
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        log.write(&event("x")).unwrap();
        assert_eq!(lines(&path).len(), 1);
        std::fs::write(&path, vec![b'x'; 2 << 16]).unwrap();
        let mut log = EventLog::new(path, 1000, 1);
        assert!(log.write(&event("x")).unwrap_err().contains("no event log"));
    }
}
