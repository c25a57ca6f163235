//! A camera behind a program that writes raw frames to its standard output: `rpicam-vid --codec yuv420 -o -`,
//! ffmpeg, a vendor's tool.
//!
//! Cameras on a media graph (CSI on a Raspberry Pi) are driven by libcamera, which is no V4L2 device; its programs are.
//! Frames follow each other without a header, so their size is all that tells them apart: what is torn at the end is
//! dropped, and a program that is started again begins with a whole frame. A frame's time is that of its last byte;
//! `offset_ms` makes up for what the program takes. Thread: acquire; opened on a thread of its own. Blocks:
//! never; dropped, 0.2 s at most. Allocates: one frame, when opened.

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::{Agreed, BufferInfo, CameraLink, check_config, expected};
use crate::acquire::unpack::PixelFormat;
use crate::acquire::{AcquireError, refused};
use crate::clock::Clock;
use crate::config::CameraConfig;
use crate::sys::poll::set_nonblocking;

/// How long a program that was told to end may take.
const PATIENCE: Duration = Duration::from_millis(200);

/// A running program and the frame that it writes.
pub struct PipeCamera {
    agreed: Agreed,
    child: Child,
    stdout: ChildStdout,
    frame: Vec<u8>,
    filled: usize,
    sequence: u32,
}

/// Bytes of a frame, with its rows of telemetry.
///
/// # Errors
/// For a format whose frames have no fixed size: what to do.
pub(super) fn frame_bytes(config: &CameraConfig, format: PixelFormat) -> Result<usize, String> {
    let pixel = format.bytes_per_pixel().ok_or_else(|| {
        format!(
            "{format} frames have no fixed size and cannot be told apart in a pipe; let the program write YU12 or \
             RGB24"
        )
    })?;
    let luma = config.width * config.height * pixel;
    Ok(match format {
        PixelFormat::Nv12 | PixelFormat::Yu12 | PixelFormat::Yv12 => luma + luma / 2,
        _ => luma,
    })
}

impl PipeCamera {
    /// Starts the program of `config`.
    ///
    /// # Errors
    /// [`AcquireError::Source`]: no such program, or a format without a fixed size.
    pub fn open(config: &CameraConfig) -> Result<Self, AcquireError> {
        let format = check_config(config)?;
        let cannot = |why: String| refused(&config.device, why);
        let bytes = frame_bytes(config, format).map_err(cannot)?;
        let Some((program, arguments)) = config.program.split_first() else {
            return Err(cannot("no program is named".to_owned()));
        };
        let started = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // What it starts ends with it.
            .process_group(0)
            .spawn();
        let mut child = started.map_err(|error| {
            cannot(format!(
                "cannot start {program}: {error}; install it, or name its whole path"
            ))
        })?;
        let Some(stdout) = child.stdout.take() else {
            return Err(cannot(format!("{program} has no standard output")));
        };
        let camera = Self {
            agreed: expected(config, format),
            child,
            stdout,
            frame: vec![0; bytes],
            filled: 0,
            sequence: 0,
        };
        set_nonblocking(&camera.stdout)
            .map_err(|error| cannot(format!("its pipe cannot be used: {error}")))?;
        Ok(camera)
    }

    /// Why the pipe ended.
    fn end(&mut self) -> io::Error {
        let torn = match self.filled {
            0 => String::new(),
            n => format!(", {n} of {} bytes into a frame", self.frame.len()),
        };
        let how = match self.child.try_wait() {
            Ok(Some(status)) => format!("its program ended with {status}{torn}"),
            _ => format!("its program closed its output{torn}"),
        };
        io::Error::other(how)
    }
}

impl CameraLink for PipeCamera {
    fn fd(&self) -> RawFd {
        self.stdout.as_raw_fd()
    }

    fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    fn take(&mut self, sink: &mut dyn FnMut(&[u8], BufferInfo)) -> io::Result<()> {
        while self.filled < self.frame.len() {
            match self.stdout.read(&mut self.frame[self.filled..]) {
                Ok(0) => return Err(self.end()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let info = BufferInfo {
            sequence: self.sequence,
            timestamp: None,
            error: false,
        };
        sink(&self.frame, info);
        self.filled = 0;
        self.sequence = self.sequence.wrapping_add(1);
        Ok(())
    }
}

impl Drop for PipeCamera {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let until = Clock.now().plus(PATIENCE);
        while let Ok(None) = self.child.try_wait() {
            if Clock.now() >= until {
                log::warn!("{}: its program does not end", self.agreed.card);
                return;
            }
            Clock.sleep_until(Clock.now().plus(Duration::from_millis(5)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::poll::wait_readable;

    fn camera(script: &str) -> CameraConfig {
        CameraConfig {
            device: "sh".into(),
            program: ["sh", "-c", script].map(str::to_owned).to_vec(),
            format: "GREY".into(),
            width: 100,
            height: 10,
            ..CameraConfig::default()
        }
    }

    /// Takes until the program ends or `count` frames came: their first bytes, and the end.
    fn frames(camera: &mut PipeCamera, count: usize) -> (Vec<u8>, Option<String>) {
        let mut seen = Vec::new();
        for _ in 0..2_000 {
            let ready = wait_readable([Some(camera.fd()), None], Duration::from_secs(5)).unwrap();
            assert!(ready[0], "nothing came");
            let mut sink = |bytes: &[u8], info: BufferInfo| {
                assert_eq!((bytes.len(), info.sequence as usize), (1_000, seen.len()));
                seen.push(bytes[0]);
            };
            if let Err(error) = camera.take(&mut sink) {
                return (seen, Some(error.to_string()));
            }
            if seen.len() == count {
                return (seen, None);
            }
        }
        panic!("no end");
    }

    #[test]
    fn frames_are_cut_by_their_size_and_a_torn_one_is_told() {
        let script = "for n in 1 2 3; do head -c 400 /dev/zero | tr '\\0' $n; sleep 0.02; \
                      head -c 600 /dev/zero | tr '\\0' $n; done; printf abc; exit 3";
        let mut camera = PipeCamera::open(&camera(script)).unwrap();
        let (seen, end) = frames(&mut camera, 100);
        assert_eq!(seen, *b"123");
        let end = end.unwrap();
        assert!(end.contains("3 of 1000 bytes"), "{end}");
    }

    #[test]
    fn a_program_that_goes_on_ends_with_its_camera_and_so_do_its_children() {
        let script = "sleep 1000 & while :; do head -c 1000 /dev/zero; sleep 0.01; done";
        let mut camera = PipeCamera::open(&camera(script)).unwrap();
        assert_eq!(frames(&mut camera, 3).0.len(), 3);
        let id = camera.child.id();
        drop(camera);
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn what_cannot_be_read_from_a_pipe_is_refused_with_a_reason() {
        let mut wrong = camera("true");
        wrong.format = "MJPG".into();
        let error = PipeCamera::open(&wrong).err().unwrap().to_string();
        assert!(error.contains("told apart"), "{error}");
        let mut absent = camera("true");
        absent.program = vec!["/no/such/rpicam-vid".to_owned()];
        let error = PipeCamera::open(&absent).err().unwrap().to_string();
        assert!(
            error.contains("/no/such/rpicam-vid") && error.contains("install"),
            "{error}"
        );
    }

    #[test]
    fn a_frame_has_the_bytes_of_its_format() {
        let mut config = camera("true");
        (config.width, config.height) = (640, 480);
        for (format, bytes) in [
            (PixelFormat::Yu12, 460_800),
            (PixelFormat::Yuyv, 614_400),
            (PixelFormat::Rgb24, 921_600),
            (PixelFormat::Y16, 614_400),
        ] {
            assert_eq!(frame_bytes(&config, format), Ok(bytes));
        }
        assert!(frame_bytes(&config, PixelFormat::Mjpg).is_err());
    }
}
