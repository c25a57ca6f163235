//! V4L2's multi-planar interface, which is all that the image processors of some boards offer and
//! that the v4l crate does not speak; and the capability bits that it does not know.
//!
//! Input: a [`Device`] of that crate. Output: what was agreed on; buffers, by [`Planes`]. Thread:
//! acquire, main for listing. Blocks: never for long. Allocates: little, when a camera is opened.
//! Fails when: the kernel says so; a picture that lies in several memory planes is refused.
//! Source: the kernel's include/uapi/linux/videodev2.h. Not its job: choosing formats, polling.

mod stream;

use std::ffi::c_void;
use std::io;

use v4l::format::{Colorspace, FourCC, Quantization};
use v4l::v4l_sys as raw;
use v4l::v4l2::vidioc;
use v4l::{Device, Format, Fraction};

pub use stream::Planes;

const CAPTURE: u32 = raw::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;

/// A structure of videodev2.h that is plain integers: all of it zero is a value.
///
/// # Safety
/// Whoever implements it says that all bytes zero are a valid value.
#[expect(unsafe_code, reason = "structures with unions have no other origin")]
unsafe trait Plain: Sized {
    /// All zero.
    fn zero() -> Self {
        // SAFETY: the implementor's promise.
        unsafe { std::mem::zeroed() }
    }
}

macro_rules! plain {
    ($($name:ident),*) => { $(
        #[expect(unsafe_code, reason = "a promise on a structure of the kernel")]
        // SAFETY: integers, arrays of them, unions of them and pointers, for which null is valid.
        unsafe impl Plain for raw::$name {}
    )* };
}

plain!(
    v4l2_capability,
    v4l2_format,
    v4l2_pix_format_mplane,
    v4l2_fmtdesc,
    v4l2_streamparm,
    v4l2_captureparm,
    v4l2_requestbuffers,
    v4l2_buffer,
    v4l2_plane
);

/// One ioctl of videodev2.h.
///
/// # Safety
/// `request` must be one that takes a `T`, and the pointers in `argument` must lead to as many
/// elements as it says for as long as the call lasts.
#[expect(
    unsafe_code,
    reason = "the v4l crate has no safe call for this interface"
)]
unsafe fn call<T: Plain>(
    device: i32,
    request: vidioc::_IOC_TYPE,
    argument: &mut T,
) -> io::Result<()> {
    // SAFETY: the kernel reads and writes a `T` at a place that is one, as the caller promises.
    unsafe {
        v4l::v4l2::ioctl(
            device,
            request,
            std::ptr::from_mut(argument).cast::<c_void>(),
        )
    }
}

/// The capability bits of the node, of which the v4l crate drops those that it does not know.
///
/// # Errors
/// What the kernel says.
pub fn capability_bits(device: &Device) -> io::Result<u32> {
    let mut found: raw::v4l2_capability = Plain::zero();
    #[expect(unsafe_code, reason = "see `call`")]
    // SAFETY: QUERYCAP takes a v4l2_capability, which has no pointers.
    unsafe {
        call(device.handle().fd(), vidioc::VIDIOC_QUERYCAP, &mut found)?;
    }
    // `capabilities` are those of the whole device, where the node's own are told beside them.
    let has_own = found.capabilities & raw::V4L2_CAP_DEVICE_CAPS != 0;
    Ok(if has_own {
        found.device_caps
    } else {
        found.capabilities
    })
}

/// The pixel formats that `device` offers.
pub fn formats(device: &Device) -> Vec<FourCC> {
    let mut found = Vec::new();
    loop {
        let mut description = raw::v4l2_fmtdesc {
            type_: CAPTURE,
            index: u32::try_from(found.len()).unwrap_or(u32::MAX),
            ..Plain::zero()
        };
        #[expect(unsafe_code, reason = "see `call`")]
        // SAFETY: ENUM_FMT takes a v4l2_fmtdesc, which has no pointers.
        let asked = unsafe {
            call(
                device.handle().fd(),
                vidioc::VIDIOC_ENUM_FMT,
                &mut description,
            )
        };
        if asked.is_err() {
            return found;
        }
        found.push(FourCC::from(description.pixelformat));
    }
}

/// Asks for width, height and pixel format of `wanted`; the driver's choice, with the stride and
/// length of its one plane.
///
/// # Errors
/// What the kernel says; `Unsupported` where the picture lies in several planes.
pub fn set_format(device: &Device, wanted: &Format) -> io::Result<Format> {
    let mut format = raw::v4l2_format {
        type_: CAPTURE,
        ..Plain::zero()
    };
    format.fmt.pix_mp = raw::v4l2_pix_format_mplane {
        width: wanted.width,
        height: wanted.height,
        pixelformat: wanted.fourcc.into(),
        field: raw::v4l2_field_V4L2_FIELD_NONE,
        num_planes: 1,
        ..Plain::zero()
    };
    #[expect(unsafe_code, reason = "see `call`; a union of the kernel is read")]
    // SAFETY: S_FMT takes a v4l2_format, which has no pointers here; of this buffer type its union
    // holds a v4l2_pix_format_mplane, of which every bit pattern is a value.
    let got = unsafe {
        call(device.handle().fd(), vidioc::VIDIOC_S_FMT, &mut format)?;
        format.fmt.pix_mp
    };
    if got.num_planes != 1 {
        let text = format!("its picture lies in {} planes of memory", got.num_planes);
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    let (plane, quantization) = (got.plane_fmt[0], u32::from(got.quantization));
    let mut found = Format::new(got.width, got.height, FourCC::from(got.pixelformat));
    (found.stride, found.size) = (plane.bytesperline, plane.sizeimage);
    found.colorspace = Colorspace::try_from(got.colorspace).unwrap_or(Colorspace::Default);
    found.quantization = Quantization::try_from(quantization).unwrap_or(Quantization::Default);
    Ok(found)
}

/// Asks for a time between frames where `wanted` is given; the driver's, seconds.
///
/// # Errors
/// What the kernel says, where the driver knows no rates.
pub fn interval(device: &Device, wanted: Option<Fraction>) -> io::Result<Fraction> {
    let mut parameters = raw::v4l2_streamparm {
        type_: CAPTURE,
        ..Plain::zero()
    };
    let request = match wanted {
        None => vidioc::VIDIOC_G_PARM,
        Some(fraction) => {
            parameters.parm.capture = raw::v4l2_captureparm {
                timeperframe: raw::v4l2_fract {
                    numerator: fraction.numerator,
                    denominator: fraction.denominator,
                },
                ..Plain::zero()
            };
            vidioc::VIDIOC_S_PARM
        }
    };
    #[expect(unsafe_code, reason = "see `call`; a union of the kernel is read")]
    // SAFETY: both take a v4l2_streamparm, which has no pointers; of this buffer type its union
    // holds a v4l2_captureparm, of which every bit pattern is a value.
    let got = unsafe {
        call(device.handle().fd(), request, &mut parameters)?;
        parameters.parm.capture.timeperframe
    };
    Ok(Fraction::new(got.numerator, got.denominator))
}
