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

mod advice;
pub(super) mod channel;
mod controls;
pub mod find;
pub mod list;
pub(super) mod opening;
mod pipe;
pub mod profiles;

use std::io;
use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use v4l::buffer::{Flags as BufferFlags, Type};
use v4l::capability::Flags as Capability;
use v4l::format::{Colorspace, FourCC, Quantization as V4lQuantization};
use v4l::io::mmap::Stream;
use v4l::io::traits::{CaptureStream, Stream as _};
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Device, Format, Fraction};

use self::advice::{
    Fields, Found, cannot_open, check_capabilities, check_node, check_rows, errno, explain_query,
    explain_stream, fields, mismatch, offers,
};
use self::find::{Binding, FindError};
use super::unpack::{BufferLayout, Content, PixelFormat, Quantization};
use super::{AcquireError, absent, refused};
use crate::clock::Timestamp;
use crate::config::CameraConfig;
use crate::frame::Size;
use crate::sys::planes::{self, Planes};

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
    pub layout: BufferLayout,
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

/// Mapped buffers, of the device's interface.
enum Streaming {
    Single(Stream<'static>),
    Planes(Planes),
}

/// The real thing.
pub struct V4lCamera {
    agreed: Agreed,
    fd: RawFd,
    // `None` only after a stream that could not be stopped was given up, see `drop`.
    stream: Option<Streaming>,
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
        let format = check_config(config)?;
        let path = &find_node(config)?;
        check_node(path)?;
        let device = Device::with_path(path).map_err(|e| cannot_open(path, &e))?;
        let caps = device
            .query_caps()
            .map_err(|e| refused(path, explain_query(&e)))?;
        let bits = planes::capability_bits(&device).unwrap_or(0);
        check_capabilities(caps.capabilities, bits, &caps.card)
            .map_err(|text| refused(path, text))?;
        check_card(config, path, &caps.card)?;
        let planar = !caps.capabilities.contains(Capability::VIDEO_CAPTURE);
        let agreed = negotiate(&device, config, format, caps.card, planar)?;
        controls::apply(&device, &config.controls).map_err(|text| refused(path, text))?;
        let stream =
            start(&device, planar).map_err(|(what, e)| refused(path, explain_stream(&e, what)))?;
        Ok(Self {
            agreed,
            fd: device.handle().fd(),
            stream: Some(stream),
            _device: device,
        })
    }
}

/// Maps the buffers and starts; what was not given, and why.
fn start(device: &Device, planar: bool) -> Result<Streaming, (&'static str, io::Error)> {
    let no_stream = |error| ("no stream", error);
    if planar {
        let planes = Planes::start(device, BUFFERS).map_err(no_stream)?;
        return Ok(Streaming::Planes(planes));
    }
    let mut stream = Stream::with_buffers(device, Type::VideoCapture, BUFFERS)
        .map_err(|error| ("no buffers", error))?;
    start_single(&mut stream).map_err(no_stream)?;
    Ok(Streaming::Single(stream))
}

/// Queues all buffers but the first, which the crate's `next` queues, and starts. The crate does
/// not tell how many buffers the driver gave: the first number that is refused is the end.
fn start_single(stream: &mut Stream<'static>) -> io::Result<()> {
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
        let (bytes, meta) = match stream {
            Streaming::Single(stream) => {
                let (bytes, meta) = stream.next()?;
                (bytes, *meta)
            }
            Streaming::Planes(planes) => planes.wait()?,
        };
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
        if let Some(Streaming::Single(mut stream)) = self.stream.take()
            && let Err(error) = stream.stop()
            && error.raw_os_error() != Some(rustix::io::Errno::NODEV.raw_os_error())
        {
            log::warn!("{}: cannot be stopped: {error}", self.agreed.card);
            std::mem::forget(stream);
        }
    }
}

/// Checks what can be wrong with the configuration itself; its pixel format.
///
/// # Errors
/// [`AcquireError::Source`]: no such format, or sizes that leave no picture.
pub(super) fn check_config(config: &CameraConfig) -> Result<PixelFormat, AcquireError> {
    let path = &config.device;
    let format = PixelFormat::from_str(&config.format).map_err(|e| refused(path, e))?;
    check_rows(config)?;
    if config.program.is_empty() {
        if path.as_os_str().is_empty() {
            return Err(refused(
                path,
                "a camera needs a device, or a program that writes its frames",
            ));
        }
        Binding::of(config).map_err(|e| refused(path, e.to_string()))?;
    } else {
        pipe::frame_bytes(config, format).map_err(|text| refused(path, text))?;
    }
    if config.telemetry_rows > 0 && format.content() != Content::Counts {
        let text = format!(
            "telemetry_rows are rows of raw counts, and {format} has none; leave the key out"
        );
        return Err(refused(path, text));
    }
    let rows = config.height - config.telemetry_rows;
    if format == PixelFormat::YuyvOverY16 && !rows.is_multiple_of(2) {
        let text = format!("{format} has as many rows of picture as of counts, {rows} are left");
        return Err(refused(path, text));
    }
    Ok(format)
}

/// What would be agreed on with a camera that is not there yet.
pub(super) fn expected(config: &CameraConfig, format: PixelFormat) -> Agreed {
    Agreed {
        card: config.device.display().to_string(),
        format,
        layout: layout(config, format, 0),
        quantization: Quantization::default(),
        fps: config.fps.map(f64::from),
    }
}

/// The node that the configuration means, whatever its number is this time.
fn find_node(config: &CameraConfig) -> Result<PathBuf, AcquireError> {
    let found = Binding::of(config).and_then(|binding| {
        let nodes = find::nodes(Path::new(find::SYSFS));
        find::resolve(&binding, &nodes, &takes_pictures)
    });
    found.map_err(|error| match &error {
        FindError::Absent { .. } => absent(&config.device, error.to_string()),
        FindError::Wrong(_) => refused(&config.device, error.to_string()),
    })
}

/// Whether pictures can be read from a node; one that cannot be asked may be the right one.
pub(super) fn takes_pictures(path: &Path) -> bool {
    // The v4l crate panics on a name that is no UTF-8.
    let asked = catch_unwind(|| {
        let device = Device::with_path(path)?;
        let bits = planes::capability_bits(&device)?;
        io::Result::Ok((device.query_caps()?.capabilities, bits))
    });
    match asked {
        Ok(Ok((found, bits))) => check_capabilities(found, bits, "").is_ok(),
        Ok(Err(_)) | Err(_) => true,
    }
}

fn check_card(config: &CameraConfig, path: &Path, card: &str) -> Result<(), AcquireError> {
    match &config.card {
        Some(wanted) if !card.contains(wanted.as_str()) => Err(refused(
            path,
            format!(
                "is {card:?}, and card = {wanted:?} was to be found there; see `filmd cameras`"
            ),
        )),
        _ => Ok(()),
    }
}

fn negotiate(
    device: &Device,
    config: &CameraConfig,
    format: PixelFormat,
    card: String,
    planar: bool,
) -> Result<Agreed, AcquireError> {
    let path = &config.device;
    let (width, height) = (config.width as u32, config.height as u32);
    let asked = Format::new(width, height, FourCC::new(&format.fourcc()));
    let got = match planar {
        false => device.set_format(&asked),
        true => planes::set_format(device, &asked),
    };
    let got = got.map_err(|e| {
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
    match fields(got.field_order) {
        Fields::Whole => {}
        Fields::Woven => log::warn!(
            "{}: {card:?} sends interlaced pictures ({}): what moves has combs; choose a progressive format or \
             standard where it has one",
            path.display(),
            got.field_order
        ),
        Fields::Halves => {
            return Err(refused(
                path,
                format!(
                    "{card:?} sends half pictures ({}), which are not put together here; choose a progressive or \
                     interlaced format (`v4l2-ctl --set-fmt-video=field=...`)",
                    got.field_order
                ),
            ));
        }
    }
    let fps = set_rate(device, config, planar);
    Ok(Agreed {
        card,
        format,
        layout: layout(config, format, got.stride as usize),
        quantization: quantization(got.quantization, got.colorspace),
        fps,
    })
}

/// Asks for the rate; the camera's choice counts.
fn set_rate(device: &Device, config: &CameraConfig, planar: bool) -> Option<f64> {
    let wanted = config.fps.map(|fps| Fraction::new(1, fps.max(1)));
    let interval = match (planar, wanted) {
        (true, _) => planes::interval(device, wanted).ok()?,
        (false, Some(wanted)) => device.set_params(&Parameters::new(wanted)).ok()?.interval,
        (false, None) => device.params().ok()?.interval,
    };
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

fn layout(config: &CameraConfig, format: PixelFormat, stride: usize) -> BufferLayout {
    let row = config.width * format.bytes_per_pixel().unwrap_or(0);
    let rows = config.height - config.telemetry_rows;
    let halves = usize::from(format == PixelFormat::YuyvOverY16);
    BufferLayout {
        size: Size::new(config.width, rows >> halves),
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

#[cfg(test)]
mod tests;
