//! One V4L2 camera: opened, checked, streaming through mapped buffers.
//!
//! Input: [`CameraConfig`]. Output: the bytes of each buffer, lent for one call. Thread: acquire.
//! Blocks: never, the device is opened non-blocking and only read when poll says so. Allocates:
//! when opened. Fails when: the device is not what the configuration says
//! ([`AcquireError::Source`], with what was found and what to do). Not its job: pictures (see
//! `unpack`), two cameras at once (see `paired_cameras`).
//!
//! A buffer never leaves [`CameraLink::take`]. The v4l crate gives a buffer back to the driver when
//! it takes the next one, so of the four buffers the driver always has three.

use std::io;
use std::os::fd::RawFd;
use std::os::unix::fs::FileTypeExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use v4l::buffer::{Flags as BufferFlags, Type};
use v4l::capability::Flags as Capability;
use v4l::format::{Colorspace, FourCC, Quantization as V4lQuantization};
use v4l::io::mmap::Stream;
use v4l::io::traits::{CaptureStream, Stream as _};
use v4l::video::Capture;
use v4l::{Device, Format};

use super::AcquireError;
use super::refused;
use super::unpack::{Layout, PixelFormat, Quantization};
use crate::clock::Timestamp;
use crate::config::CameraConfig;
use crate::frame::Size;

/// Buffers asked for: one in hand, three with the driver.
const BUFFERS: u32 = 4;
/// How long a buffer that poll announced may take; it is there already, so this is never waited.
const READY: Duration = Duration::from_millis(20);

/// What was agreed on with the driver.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreed {
    /// The camera's own name.
    pub card: String,
    /// Pixel format.
    pub format: PixelFormat,
    /// Size of the picture, stride, telemetry rows.
    pub layout: Layout,
    /// Range of YCbCr values.
    pub quantization: Quantization,
    /// Frames a second, where the driver says so.
    pub fps: Option<f64>,
}

/// What the driver says about a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferInfo {
    /// Running number; gaps are frames that the driver lost.
    pub sequence: u32,
    /// When it was taken; `None` where the driver's clock is not the monotonic one.
    pub timestamp: Option<Timestamp>,
    /// The driver knows that the data are damaged.
    pub error: bool,
}

/// An open camera that streams; the seam between the system calls and all that can be tested.
pub trait CameraLink: Send {
    /// To poll.
    fn fd(&self) -> RawFd;

    /// What it delivers.
    fn agreed(&self) -> &Agreed;

    /// Lends the next buffer to `sink`; only to be called when poll said that there is one.
    ///
    /// # Errors
    /// Whatever the kernel says; the link is of no use after that.
    fn take(&mut self, sink: &mut dyn FnMut(&[u8], BufferInfo)) -> io::Result<()>;
}

/// The real thing.
pub struct V4lCamera {
    agreed: Agreed,
    fd: RawFd,
    // `None` only after a stream that could not be stopped was given up, see `drop`.
    stream: Option<Stream<'static>>,
    // Keeps the descriptor open until the stream is gone: fields are dropped in this order.
    _device: Device,
}

impl V4lCamera {
    /// Opens, negotiates and starts.
    ///
    /// # Errors
    /// [`AcquireError::Source`] with what was found and what to do.
    pub fn open(config: &CameraConfig) -> Result<Self, AcquireError> {
        // The v4l crate panics on values that it does not know, such as a colour space newer than
        // it; a driver must not bring the daemon down.
        catch_unwind(AssertUnwindSafe(|| Self::open_unguarded(config))).unwrap_or_else(|_| {
            let message = "its driver reported something that this program cannot read; \
                           compare `v4l2-ctl --all` with a camera that works";
            Err(refused(&config.device, message))
        })
    }

    fn open_unguarded(config: &CameraConfig) -> Result<Self, AcquireError> {
        let path = &config.device;
        let format = PixelFormat::from_str(&config.format).map_err(|e| refused(path, e))?;
        check_rows(config)?;
        check_node(path)?;
        let device = Device::with_path(path).map_err(|e| refused(path, explain_open(&e)))?;
        let caps = device
            .query_caps()
            .map_err(|e| refused(path, explain_query(&e)))?;
        check_capabilities(caps.capabilities, &caps.card).map_err(|text| refused(path, text))?;
        let agreed = negotiate(&device, config, format, caps.card)?;
        let mut stream = Stream::with_buffers(&device, Type::VideoCapture, BUFFERS)
            .map_err(|e| refused(path, explain_stream(&e, "no buffers")))?;
        start(&mut stream).map_err(|e| refused(path, explain_stream(&e, "no stream")))?;
        Ok(Self {
            agreed,
            fd: device.handle().fd(),
            stream: Some(stream),
            _device: device,
        })
    }
}

/// Queues all buffers but the first, which the crate's `next` queues, and starts. The crate does
/// not tell how many buffers the driver gave: the first number that is refused is the end.
fn start(stream: &mut Stream<'static>) -> io::Result<()> {
    stream.set_timeout(READY);
    for index in 1..32 {
        if let Err(error) = CaptureStream::queue(stream, index) {
            if index == 1 {
                return Err(error);
            }
            break;
        }
    }
    stream.start()
}

impl CameraLink for V4lCamera {
    fn fd(&self) -> RawFd {
        self.fd
    }

    fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    fn take(&mut self, sink: &mut dyn FnMut(&[u8], BufferInfo)) -> io::Result<()> {
        let Some(stream) = &mut self.stream else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let (bytes, meta) = stream.next()?;
        let used = (meta.bytesused as usize).min(bytes.len());
        let time = Timestamp::from_timeval(meta.timestamp.sec, meta.timestamp.usec);
        let monotonic = meta.flags.contains(BufferFlags::TIMESTAMP_MONOTONIC);
        let info = BufferInfo {
            sequence: meta.sequence,
            timestamp: (monotonic && time != Timestamp::ZERO).then_some(time),
            error: meta.flags.contains(BufferFlags::ERROR),
        };
        sink(&bytes[..used], info);
        Ok(())
    }
}

impl Drop for V4lCamera {
    fn drop(&mut self) {
        // The crate's own drop panics where stopping fails otherwise than by ENODEV.
        if let Some(mut stream) = self.stream.take()
            && let Err(error) = stream.stop()
            && error.raw_os_error() != Some(rustix::io::Errno::NODEV.raw_os_error())
        {
            log::warn!("{}: cannot be stopped: {error}", self.agreed.card);
            std::mem::forget(stream);
        }
    }
}

fn check_rows(config: &CameraConfig) -> Result<(), AcquireError> {
    let (width, height) = (config.width, config.height);
    let sound = |v: usize| (1..=16_384).contains(&v);
    if sound(width) && sound(height) && config.telemetry_rows < height {
        return Ok(());
    }
    let message = format!(
        "width = {width}, height = {height} with telemetry_rows = {} leaves no picture",
        config.telemetry_rows
    );
    Err(refused(&config.device, message))
}

fn check_node(path: &Path) -> Result<(), AcquireError> {
    let kind = std::fs::metadata(path)
        .map_err(|e| refused(path, explain_open(&e)))?
        .file_type();
    if kind.is_char_device() {
        return Ok(());
    }
    let found = if kind.is_dir() { "a folder" } else { "a file" };
    Err(refused(
        path,
        format!("is {found}, not a video device; `ls /dev/v4l/by-id` lists the cameras"),
    ))
}

fn errno(error: &io::Error) -> Option<rustix::io::Errno> {
    error
        .raw_os_error()
        .map(rustix::io::Errno::from_raw_os_error)
}

fn explain_open(error: &io::Error) -> String {
    use rustix::io::Errno;
    let advice = match errno(error) {
        Some(Errno::NOENT) => "is the camera plugged in? `ls /dev/v4l/by-id` lists the cameras",
        Some(Errno::ACCESS | Errno::PERM) => {
            "add the user to the group video: `usermod -aG video USER`, then log in again"
        }
        Some(Errno::BUSY) => "another program uses it; `fuser -v DEVICE` tells which",
        Some(Errno::NODEV | Errno::NXIO) => "the device behind this node is gone; plug it in again",
        _ => "`v4l2-ctl --list-devices` lists the cameras",
    };
    format!("cannot be opened: {error}; {advice}")
}

fn explain_query(error: &io::Error) -> String {
    format!("is not a video device ({error}); `ls /dev/v4l/by-id` lists the cameras")
}

fn explain_stream(error: &io::Error, what: &str) -> String {
    use rustix::io::Errno;
    let advice = match errno(error) {
        Some(Errno::NOSPC) => {
            "the USB bus has no bandwidth left: plug the cameras into different controllers, or \
             use MJPG, a smaller size or a lower rate"
        }
        Some(Errno::BUSY) => "another program uses it; `fuser -v DEVICE` tells which",
        Some(Errno::PIPE | Errno::INVAL) => {
            "a camera behind a media graph (Raspberry Pi CSI) has to be run through `libcamerify`"
        }
        Some(Errno::NOMEM) => "the driver found no memory for the buffers",
        Some(Errno::NODEV) => "it was unplugged",
        _ => "unplug the camera and plug it in again",
    };
    format!("gives {what}: {error}; {advice}")
}

fn check_capabilities(found: Capability, card: &str) -> Result<(), String> {
    if found.contains(Capability::VIDEO_CAPTURE) {
        if found.contains(Capability::STREAMING) {
            return Ok(());
        }
        return Err(format!(
            "{card:?} cannot stream; its driver only supports read()"
        ));
    }
    Err(if found.contains(Capability::META_CAPTURE) {
        format!(
            "is the metadata node of {card:?}; take its picture node, \
             the one whose name under /dev/v4l/by-id ends in index0"
        )
    } else if found.contains(Capability::VIDEO_CAPTURE_MPLANE) {
        format!("{card:?} is multi-planar only; run the program through `libcamerify`")
    } else {
        format!("{card:?} takes no pictures (capabilities: {found:?}); use its capture node")
    })
}

fn negotiate(
    device: &Device,
    config: &CameraConfig,
    format: PixelFormat,
    card: String,
) -> Result<Agreed, AcquireError> {
    let path = &config.device;
    let (width, height) = (config.width as u32, config.height as u32);
    let asked = Format::new(width, height, FourCC::new(&format.fourcc()));
    let got = device.set_format(&asked).map_err(|e| {
        let advice = match errno(&e) {
            Some(rustix::io::Errno::BUSY) => {
                "another program uses it; `fuser -v DEVICE` tells which".into()
            }
            _ => format!("it offers {}", offers(device)),
        };
        refused(
            path,
            format!("{card:?} refuses {format} {width}x{height}: {e}; {advice}"),
        )
    })?;
    let found = Found {
        fourcc: got.fourcc.repr,
        width: got.width,
        height: got.height,
    };
    if let Some(text) = mismatch(config, format, &found) {
        return Err(refused(
            path,
            format!("{card:?} {text}; it offers {}", offers(device)),
        ));
    }
    let fps = set_rate(device, config);
    Ok(Agreed {
        card,
        format,
        layout: layout(config, format, got.stride as usize),
        quantization: quantization(got.quantization, got.colorspace),
        fps,
    })
}

/// Asks for the rate; the camera's choice counts.
fn set_rate(device: &Device, config: &CameraConfig) -> Option<f64> {
    let params = match config.fps {
        Some(fps) => device.set_params(&v4l::video::capture::Parameters::with_fps(fps.max(1))),
        None => device.params(),
    };
    let interval = params.ok()?.interval;
    let fps = f64::from(interval.denominator) / f64::from(interval.numerator);
    let known = fps.is_finite() && fps > 0.0;
    if let (true, Some(asked)) = (known, config.fps)
        && (fps - f64::from(asked)).abs() > 0.5
    {
        log::warn!(
            "{}: {asked} fps asked for, {fps:.1} given",
            config.device.display()
        );
    }
    known.then_some(fps)
}

/// What S_FMT gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    fourcc: [u8; 4],
    width: u32,
    height: u32,
}

/// Says in which way `found` is not what was asked for.
fn mismatch(config: &CameraConfig, format: PixelFormat, found: &Found) -> Option<String> {
    let same_size = found.width as usize == config.width && found.height as usize == config.height;
    (found.fourcc != format.fourcc() || !same_size).then(|| {
        format!(
            "was asked for {format} {}x{} and chose {} {}x{}",
            config.width,
            config.height,
            String::from_utf8_lossy(&found.fourcc).trim_end(),
            found.width,
            found.height
        )
    })
}

fn layout(config: &CameraConfig, format: PixelFormat, stride: usize) -> Layout {
    let row = config.width * format.bytes_per_pixel().unwrap_or(0);
    Layout {
        size: Size::new(config.width, config.height - config.telemetry_rows),
        // Some drivers leave bytesperline at zero.
        stride: if stride == 0 { row } else { stride },
        telemetry_rows: config.telemetry_rows,
    }
}

fn quantization(found: V4lQuantization, colours: Colorspace) -> Quantization {
    match found {
        V4lQuantization::FullRange => Quantization::Full,
        V4lQuantization::LimitedRange => Quantization::Limited,
        V4lQuantization::Default if matches!(colours, Colorspace::JPEG) => Quantization::Full,
        V4lQuantization::Default => Quantization::Limited,
    }
}

/// The formats and sizes that the device says it has, for error messages.
fn offers(device: &Device) -> String {
    let formats = device.enum_formats().unwrap_or_default();
    let list: Vec<(String, Vec<String>)> = formats
        .iter()
        .map(|format| {
            let sizes = device.enum_framesizes(format.fourcc).unwrap_or_default();
            let sizes = sizes.iter().map(|s| match &s.size {
                v4l::framesize::FrameSizeEnum::Discrete(d) => format!("{}x{}", d.width, d.height),
                v4l::framesize::FrameSizeEnum::Stepwise(s) => format!(
                    "{}x{} to {}x{}",
                    s.min_width, s.min_height, s.max_width, s.max_height
                ),
            });
            (format.fourcc.to_string(), sizes.collect())
        })
        .collect();
    list_offers(&list)
}

fn list_offers(list: &[(String, Vec<String>)]) -> String {
    let line = |(format, sizes): &(String, Vec<String>)| {
        format!("{} {}", format.trim_end(), sizes.join(" "))
            .trim_end()
            .to_owned()
    };
    match list {
        [] => "nothing".into(),
        _ => list.iter().map(line).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
#[path = "camera_tests.rs"]
mod tests;
