//! Where edges come from: lines of a GPIO chip, or a named pipe that stands in for them.
//!
//! Input: [`ButtonsConfig`]. Output: [`Edge`]s in order. Fails when: there is no such chip or line, or it
//! is in use. Not its job: bounce.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

use gpiocdev::Request;
use gpiocdev::line::{Bias, EdgeDetection, EdgeKind, Value, Values};

use super::Edge;
use crate::clock::{Clock, Timestamp};
use crate::config::{ButtonSource, ButtonsConfig};

/// An open source of edges.
pub(super) enum Lines {
    Gpio(Request),
    Pipe(Pipe),
}

/// Lines of text as `5 1`, from whoever writes them.
pub(super) struct Pipe {
    file: File,
    /// What came of a line that has not ended.
    text: Vec<u8>,
}

/// A longer line is no press of a button.
const LONGEST_LINE: usize = 64;

impl Lines {
    pub fn open(config: &ButtonsConfig) -> Result<Self, String> {
        match config.source {
            ButtonSource::Gpio => open_chip(config).map(Self::Gpio),
            ButtonSource::Pipe => Pipe::open(config).map(Self::Pipe),
        }
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Gpio(request) => request.as_fd(),
            Self::Pipe(pipe) => pipe.file.as_fd(),
        }
    }

    /// The next edge that is there already.
    pub fn next(&mut self) -> io::Result<Option<Edge>> {
        match self {
            Self::Pipe(pipe) => pipe.next(),
            Self::Gpio(request) => {
                if !request.has_edge_event().map_err(io::Error::other)? {
                    return Ok(None);
                }
                let event = request.read_edge_event().map_err(io::Error::other)?;
                Ok(Some(Edge {
                    line: event.offset,
                    // Logical values: pressed is active, whatever the wiring.
                    pressed: event.kind == EdgeKind::Rising,
                    at: Timestamp::from_nanos(event.timestamp_ns),
                }))
            }
        }
    }

    /// Which lines are pressed now, by number; a pipe cannot tell and says nothing.
    pub fn levels(&self) -> io::Result<Vec<(u32, bool)>> {
        let Self::Gpio(request) = self else {
            return Ok(Vec::new());
        };
        let mut values = Values::default();
        request.values(&mut values).map_err(io::Error::other)?;
        let lines = values.iter();
        Ok(lines
            .map(|line| (line.offset, line.value == Value::Active))
            .collect())
    }
}

fn open_chip(config: &ButtonsConfig) -> Result<Request, String> {
    let offsets: Vec<u32> = config.button.iter().map(|b| b.line).collect();
    let mut builder = Request::builder();
    builder
        .on_chip(&config.chip)
        .with_consumer("filmd buttons")
        .with_lines(&offsets)
        .as_input()
        .with_edge_detection(EdgeDetection::BothEdges);
    if config.active_low {
        builder.as_active_low().with_bias(Bias::PullUp);
    } else {
        builder.with_bias(Bias::PullDown);
    }
    builder.request().map_err(|error| {
        format!(
            "{}: cannot use lines {offsets:?} as buttons ({error}); set [buttons] chip and the \
             lines to those that are wired and free (`gpioinfo` lists them)",
            config.chip.display()
        )
    })
}

impl Pipe {
    fn open(config: &ButtonsConfig) -> Result<Self, String> {
        let path = &config.chip;
        let explain = |why: String| {
            format!(
                "{}: {why}; [buttons] source = \"pipe\" needs a named pipe there (`mkfifo`)",
                path.display()
            )
        };
        // For writing as well: with no writer left the pipe would count as readable for ever.
        let file = File::options()
            .read(true)
            .write(true)
            .custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0))
            .open(path)
            .map_err(|error| explain(error.to_string()))?;
        let is_pipe = file.metadata().is_ok_and(|m| m.file_type().is_fifo());
        if !is_pipe {
            return Err(explain("is no pipe".to_owned()));
        }
        let text = Vec::new();
        Ok(Self { file, text })
    }

    fn next(&mut self) -> io::Result<Option<Edge>> {
        loop {
            if let Some(end) = self.text.iter().position(|&b| b == b'\n') {
                let line: Vec<u8> = self.text.drain(..=end).collect();
                match parse(&line) {
                    Some(edge) => return Ok(Some(edge)),
                    None => log::warn!("the buttons' pipe takes lines as \"5 1\""),
                }
                continue;
            }
            if self.text.len() > LONGEST_LINE {
                self.text.clear();
            }
            let mut bytes = [0; LONGEST_LINE];
            match self.file.read(&mut bytes) {
                Ok(0) => return Ok(None),
                Ok(count) => self.text.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

fn parse(line: &[u8]) -> Option<Edge> {
    let text = std::str::from_utf8(line).ok()?;
    let (number, value) = text.trim().split_once(' ')?;
    Some(Edge {
        line: number.parse().ok()?,
        pressed: match value {
            "1" => true,
            "0" => false,
            _ => return None,
        },
        at: Clock.now(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;
    use crate::buttons::Buttons;
    use crate::config::{Action, ButtonConfig};

    fn config(folder: &tempfile::TempDir) -> ButtonsConfig {
        ButtonsConfig {
            source: ButtonSource::Pipe,
            chip: folder.path().join("pipe"),
            button: vec![ButtonConfig {
                line: 5,
                short: Some(Action::Mode),
                long: None,
            }],
            ..ButtonsConfig::default()
        }
    }

    fn make_pipe(config: &ButtonsConfig) {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        mknodat(CWD, &config.chip, FileType::Fifo, Mode::RWXU, 0).unwrap();
    }

    #[test]
    fn what_is_written_to_a_pipe_presses_buttons() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder);
        make_pipe(&config);
        let mut buttons = Buttons::open(&config).unwrap();
        assert_eq!(buttons.poll(Clock.now()), None);
        let mut writer = File::options().write(true).open(&config.chip).unwrap();
        writer.write_all(b"what?\n5").unwrap();
        assert_eq!(buttons.poll(Clock.now()), None);
        writer.write_all(b" 1\n").unwrap();
        assert_eq!(buttons.poll(Clock.now()), None, "not yet at rest");
        assert!(buttons.deadline().is_some());
        let later = Clock.now().plus(Duration::from_millis(50));
        assert_eq!(buttons.poll(later), Some(Action::Mode));
        assert_eq!(buttons.poll(later), None);
        assert!(buttons.fd().is_some());
    }

    #[test]
    fn a_missing_chip_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder);
        let error = Buttons::open(&config).err().unwrap().to_string();
        assert!(error.contains("mkfifo"), "{error}");
        std::fs::write(&config.chip, "").unwrap();
        let error = Buttons::open(&config).err().unwrap().to_string();
        assert!(error.contains("is no pipe"), "{error}");
        let gpio = ButtonsConfig {
            source: ButtonSource::Gpio,
            chip: "/dev/gpiochip-that-is-not-there".into(),
            ..config
        };
        let error = Buttons::open(&gpio).err().unwrap().to_string();
        assert!(error.contains("gpioinfo"), "{error}");
    }
}
