//! uvc-tool: a USB Video Class camera in user space, plugged into this kernel's virtual host
//! controller (modules vhci_hcd and uvcvideo). The kernel's own driver makes a /dev/videoN of it.

mod camera;
mod descriptors;
mod format;
mod pattern;
mod usbip;

use std::io::Read;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode as FileMode, OFlags};

use camera::{Camera, Fault, Lepton, Source};
use descriptors::{Identity, Mode};
use format::Format;
use usbip::Cable;

/// A camera for tests, plugged in until it is told `unplug` or is ended.
///
/// Commands are lines read from the control file (a fifo): `freeze`, `resume`, `tear` (the next
/// frame is cut), `mix` (its lower half is of the frame before), `garbage` (its bytes are noise),
/// `wedge` (no answer to any request of the video class) and `answer`, `shutter` and `open` (a Lepton's flat field correction), `count` (says how many frames were made),
/// `unplug`.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port of the virtual host controller, 0 to 7.
    #[arg(long, default_value_t = 0)]
    port: u32,
    /// Pixel format.
    #[arg(long, value_enum, default_value_t = Format::Yuyv)]
    format: Format,
    /// Pixels in a row.
    #[arg(long, default_value_t = 640)]
    width: usize,
    /// Rows.
    #[arg(long, default_value_t = 480)]
    height: usize,
    /// Frames a second.
    #[arg(long, default_value_t = 30.0)]
    fps: f64,
    /// Product name.
    #[arg(long, default_value = "Camera")]
    name: String,
    /// Serial number.
    #[arg(long, default_value = "0001")]
    serial: String,
    /// Vendor and product, as 1e4e:0100.
    #[arg(long, default_value = "1d6b:0102", value_parser = usb_id)]
    id: (u16, u16),
    /// Always the picture of this number.
    #[arg(long, conflicts_with = "file")]
    still: Option<u16>,
    /// Raw frames, one after the other, in place of numbered pictures.
    #[arg(long)]
    file: Option<PathBuf>,
    /// So many rows at the bottom are a Lepton's telemetry.
    #[arg(long, default_value_t = 0)]
    telemetry_rows: usize,
    /// Each frame is sent so often, as PureThermal does.
    #[arg(long, default_value_t = 1)]
    repeats: u32,
    /// Where commands are read from.
    #[arg(long)]
    control: Option<PathBuf>,
}

fn usb_id(text: &str) -> Result<(u16, u16), String> {
    let part = |text: &str| u16::from_str_radix(text, 16).map_err(|e| format!("{text:?}: {e}"));
    match text.split_once(':') {
        Some((vendor, product)) => Ok((part(vendor)?, part(product)?)),
        None => Err("two hexadecimal numbers with a colon between".into()),
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(frames) => {
            eprintln!("uvc-tool: unplugged after {frames} frames");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("uvc-tool: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<u32, Box<dyn std::error::Error>> {
    let mode = Mode {
        format: arguments.format,
        width: arguments.width,
        height: arguments.height,
        fps: arguments.fps,
    };
    let source = match (arguments.still, arguments.file) {
        (Some(number), _) => Source::Still(number),
        (None, Some(path)) => {
            let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            if bytes.len() < mode.frame_bytes() {
                return Err(format!("{}: less than one frame", path.display()).into());
            }
            Source::File(bytes)
        }
        (None, None) => Source::Numbered,
    };
    let identity = Identity {
        id: arguments.id,
        name: arguments.name,
        serial: arguments.serial,
    };
    let mut commands = arguments
        .control
        .map(|path| {
            // For reading and writing: a fifo that nobody writes to is then not at its end.
            let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
            rustix::fs::open(&path, flags, FileMode::empty()).map(std::fs::File::from)
        })
        .transpose()?;
    let mut cable = Cable::plug_in(arguments.port)
        .map_err(|e| format!("cannot be plugged in: {e}; are vhci_hcd and uvcvideo loaded?"))?;
    let mut camera = Camera::new(identity, mode, source);
    camera.lepton = (arguments.telemetry_rows > 0).then_some(Lepton {
        rows: arguments.telemetry_rows,
        repeats: arguments.repeats,
    });
    loop {
        let (host, command) = wait(&cable, commands.as_ref(), camera.idle())?;
        if command
            && let Some(file) = &mut commands
            && !obey(file, &mut camera)?
        {
            return Ok(camera.frames);
        }
        if host && let Err(error) = camera.serve(&mut cable) {
            eprintln!("uvc-tool: the host let go: {error}");
            return Ok(camera.frames);
        }
        camera.stream(&mut cable)?;
    }
}

/// Waits for the host or a command; which of the two is there.
fn wait(
    cable: &Cable,
    commands: Option<&std::fs::File>,
    timeout: Option<Duration>,
) -> Result<(bool, bool), Box<dyn std::error::Error>> {
    let time = timeout.map(Timespec::try_from).transpose()?;
    let mut entries = vec![PollFd::from_borrowed_fd(cable.as_fd(), PollFlags::IN)];
    entries.extend(commands.map(|file| PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN)));
    poll(&mut entries, time.as_ref())?;
    let ready = |i: usize| entries.get(i).is_some_and(|e| !e.revents().is_empty());
    Ok((ready(0), ready(1)))
}

/// Carries out what was written to the control file; `false`: unplug.
fn obey(file: &mut std::fs::File, camera: &mut Camera) -> std::io::Result<bool> {
    let mut bytes = [0; 256];
    let length = file.read(&mut bytes)?;
    for command in String::from_utf8_lossy(&bytes[..length]).split_whitespace() {
        match command {
            "freeze" => camera.frozen = true,
            "resume" => camera.frozen = false,
            "wedge" => camera.wedged = true,
            "answer" => camera.wedged = false,
            "shutter" => camera.shutter = true,
            "open" => camera.shutter = false,
            "tear" => camera.fault = Some(Fault::Torn),
            "mix" => camera.fault = Some(Fault::Mixed),
            "garbage" => camera.fault = Some(Fault::Garbage),
            "count" => eprintln!("uvc-tool: {} frames", camera.frames),
            "unplug" => return Ok(false),
            other => eprintln!("uvc-tool: no such command: {other}"),
        }
    }
    Ok(true)
}
