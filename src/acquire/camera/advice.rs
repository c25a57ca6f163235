//! What to tell a person about a camera that cannot be used.
//!
//! Input: the kernel's answers. Output: sentences. Thread: acquire, main. Blocks: never, but for
//! [`offers`], which asks the driver. Not its job: deciding.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use v4l::Device;
use v4l::FourCC;
use v4l::capability::Flags as Capability;
use v4l::format::FieldOrder;
use v4l::video::Capture;

use crate::acquire::unpack::PixelFormat;
use crate::acquire::{AcquireError, absent, refused};
use crate::config::CameraConfig;
use crate::sys::planes;

pub(super) fn check_rows(config: &CameraConfig) -> Result<(), AcquireError> {
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

pub(super) fn check_node(path: &Path) -> Result<(), AcquireError> {
    let kind = std::fs::metadata(path)
        .map_err(|e| cannot_open(path, &e))?
        .file_type();
    if kind.is_char_device() {
        return Ok(());
    }
    let found = if kind.is_dir() { "a folder" } else { "a file" };
    Err(refused(
        path,
        format!("is {found}, not a video device; `filmd cameras` lists the cameras"),
    ))
}

pub(super) fn errno(error: &io::Error) -> Option<rustix::io::Errno> {
    error
        .raw_os_error()
        .map(rustix::io::Errno::from_raw_os_error)
}

/// The error of an open that failed: a camera that is not there may come.
pub(super) fn cannot_open(path: &Path, error: &io::Error) -> AcquireError {
    use rustix::io::Errno;
    let gone = matches!(
        errno(error),
        Some(Errno::NOENT | Errno::NODEV | Errno::NXIO)
    );
    let make = if gone { absent } else { refused };
    make(path, explain_open(error))
}

pub(super) fn explain_open(error: &io::Error) -> String {
    use rustix::io::Errno;
    let advice = match errno(error) {
        Some(Errno::NOENT) => "is the camera plugged in? `filmd cameras` lists the cameras",
        Some(Errno::ACCESS | Errno::PERM) => {
            "add the user to the group video: `usermod -aG video USER`, then log in again"
        }
        Some(Errno::BUSY) => "another program uses it; `fuser -v DEVICE` tells which",
        Some(Errno::NODEV | Errno::NXIO) => "the device behind this node is gone; plug it in again",
        _ => "`filmd cameras` lists the cameras",
    };
    format!("cannot be opened: {error}; {advice}")
}

pub(super) fn explain_query(error: &io::Error) -> String {
    format!("is not a video device ({error}); `filmd cameras` lists the cameras")
}

pub(super) fn explain_stream(error: &io::Error, what: &str) -> String {
    use rustix::io::Errno;
    let advice = match errno(error) {
        Some(Errno::NOSPC) => {
            "the USB bus has no bandwidth left: plug the cameras into different controllers, or \
             use MJPG, a smaller size or a lower rate"
        }
        Some(Errno::BUSY) => "another program uses it; `fuser -v DEVICE` tells which",
        Some(Errno::PIPE | Errno::INVAL) => {
            "a camera behind a media graph (Raspberry Pi CSI) is read through a program: see \
             board/cameras/csi-rpicam.toml"
        }
        Some(Errno::NOMEM) => "the driver found no memory for the buffers",
        Some(Errno::NODEV) => "it was unplugged",
        _ => "unplug the camera and plug it in again",
    };
    format!("gives {what}: {error}; {advice}")
}

/// The capability of a node whose formats are set through a media graph: V4L2_CAP_IO_MC of videodev2.h.
pub(super) const IO_MC: u32 = 0x2000_0000;

/// `bits` are the node's own capabilities, also those that `found` cannot hold.
pub(super) fn check_capabilities(found: Capability, bits: u32, card: &str) -> Result<(), String> {
    if bits & IO_MC != 0 {
        return Err(format!(
            "is a raw sensor node of a media graph ({card:?}); such a camera is read through a program: \
             program = [\"rpicam-vid\", ...] in place of device, see board/cameras/csi-rpicam.toml"
        ));
    }
    if found.intersects(Capability::VIDEO_CAPTURE | Capability::VIDEO_CAPTURE_MPLANE) {
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
    } else {
        format!("{card:?} takes no pictures (capabilities: {found:?}); use its capture node")
    })
}

/// What S_FMT gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub fourcc: [u8; 4],
    pub width: u32,
    pub height: u32,
}

/// How a picture is made of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// Progressive.
    Whole,
    /// Line by line from two moments.
    Woven,
    /// One above the other, or one at a time.
    Halves,
}

/// What the driver's field order means.
pub(super) fn fields(order: FieldOrder) -> Fields {
    match order {
        FieldOrder::Any | FieldOrder::Progressive => Fields::Whole,
        FieldOrder::Interlaced | FieldOrder::InterlacedTB | FieldOrder::InterlacedBT => {
            Fields::Woven
        }
        FieldOrder::Top
        | FieldOrder::Bottom
        | FieldOrder::SequentialTB
        | FieldOrder::SequentialBT
        | FieldOrder::Alternate => Fields::Halves,
    }
}

/// Says in which way `found` is not what was asked for.
pub(super) fn mismatch(
    config: &CameraConfig,
    format: PixelFormat,
    found: &Found,
) -> Option<String> {
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

/// The pixel formats of a device of either interface.
pub(super) fn formats(device: &Device) -> Vec<FourCC> {
    let single = device.enum_formats().unwrap_or_default();
    let single: Vec<_> = single.into_iter().map(|format| format.fourcc).collect();
    match single.as_slice() {
        [] => planes::formats(device),
        _ => single,
    }
}

/// The formats and sizes that the device says it has, for error messages.
pub(super) fn offers(device: &Device) -> String {
    let list: Vec<(String, Vec<String>)> = formats(device)
        .into_iter()
        .map(|fourcc| {
            let sizes = device.enum_framesizes(fourcc).unwrap_or_default();
            let sizes = sizes.iter().map(|s| match &s.size {
                v4l::framesize::FrameSizeEnum::Discrete(d) => format!("{}x{}", d.width, d.height),
                v4l::framesize::FrameSizeEnum::Stepwise(s) => format!(
                    "{}x{} to {}x{}",
                    s.min_width, s.min_height, s.max_width, s.max_height
                ),
            });
            (fourcc.to_string(), sizes.collect())
        })
        .collect();
    list_offers(&list)
}

pub(super) fn list_offers(list: &[(String, Vec<String>)]) -> String {
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
