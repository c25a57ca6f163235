//! Bytes of a camera buffer to a picture: packed YCbCr, RGB, grey, counts and MJPG; planar YCbCr is in
//! `planar`.
//!
//! Input: what the driver wrote, with its stride. Output: [`Picture`] (RGB or grey) or [`Counts`].
//! Thread: acquire. Blocks: never. Allocates: where the picture given has another shape, and
//! inside the JPEG decoder. Fails when: the buffer is short or torn, or is not what was negotiated
//! ([`UnpackError`]). Not its job: range mapping of 16-bit counts (see `range`).

mod pixel_format;
pub(super) mod planar;

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;

pub use self::pixel_format::{Content, PixelFormat};
use crate::frame::{Counts, Picture, Size};
use crate::jpeg;
use crate::simd::int8::{Path, Portable};

/// Which code values black and white have in a YCbCr picture.
///
/// V4L2 (Linux media documentation, "Colorspaces") makes limited range the default of every
/// YCbCr format except those of the JPEG colour space; drivers of UVC cameras report the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quantization {
    /// Luma 16..=235, chroma 16..=240.
    #[default]
    Limited,
    /// All of 0..=255.
    Full,
}

/// How the picture lies in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferLayout {
    /// Size of the picture, without telemetry.
    pub size: Size,
    /// Bytes from the start of a row to the start of the next (`bytesperline`); not used by MJPG.
    pub stride: usize,
    /// Rows below the picture that are no picture.
    pub telemetry_rows: usize,
}

/// Why a buffer gives no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// Fewer bytes than the picture needs: the transfer was cut.
    #[error("a {size} {format} buffer needs {expected} bytes, {found} were found")]
    Short {
        /// Format negotiated.
        format: PixelFormat,
        /// Size negotiated, with telemetry rows.
        size: Size,
        /// Bytes needed.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The row length cannot be right.
    #[error("a {width} pixel row of {format} needs {expected} bytes, the stride is {found}")]
    Stride {
        /// Format negotiated.
        format: PixelFormat,
        /// Pixels in a row.
        width: usize,
        /// Bytes needed.
        expected: usize,
        /// Stride found.
        found: usize,
    },
    /// YCbCr with chroma of half the width shares it between two pixels.
    #[error("a {1} row has an even number of pixels, {0} were configured")]
    OddWidth(usize, PixelFormat),
    /// The same for planar formats, whose chroma has half the height as well.
    #[error("a {1} picture has an even number of rows, {0} were configured")]
    OddHeight(usize, PixelFormat),
    /// Not a JPEG picture, or one without its end.
    #[error("{bytes} bytes are not a whole JPEG picture: {reason}")]
    Jpeg {
        /// Bytes found.
        bytes: usize,
        /// What is wrong.
        reason: String,
    },
    /// A JPEG picture of another size than negotiated.
    #[error("a JPEG picture of {expected} was expected, one of {found} was found")]
    JpegSize {
        /// Size negotiated.
        expected: Size,
        /// Size found.
        found: Size,
    },
}

/// The rows of the picture in `source`, each exactly `width` pixels, after all checks.
fn rows<'a>(
    layout: &BufferLayout,
    format: PixelFormat,
    source: &'a [u8],
) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, UnpackError> {
    let Size { width, height } = layout.size;
    let row = width * format.bytes_per_pixel().unwrap_or(0);
    if layout.stride < row {
        return Err(UnpackError::Stride {
            format,
            width,
            expected: row,
            found: layout.stride,
        });
    }
    // Telemetry counts as well: a buffer without it is torn. The last row may lack its padding.
    let pictures = if format == PixelFormat::YuyvOverY16 {
        2
    } else {
        1
    };
    let all = height * pictures + layout.telemetry_rows;
    let expected = all.saturating_sub(1) * layout.stride + row;
    if source.len() < expected {
        return Err(UnpackError::Short {
            format,
            size: Size::new(width, all),
            expected,
            found: source.len(),
        });
    }
    // `chunks` of zero length is a panic; an empty picture has no rows anyway.
    let stride = layout.stride.max(1);
    Ok(source
        .chunks(stride)
        .take(height * pictures)
        .map(move |r| &r[..row]))
}

// BT.601 in 16.16 fixed point: luma scale, Cr to R, Cb to G, Cr to G, Cb to B.
const LIMITED: [i32; 5] = [76_309, 104_597, -25_675, -53_279, 132_201];
const FULL: [i32; 5] = [65_536, 91_881, -22_554, -46_802, 116_130];

/// A row of pixels in pairs: two lumas, and the Cb and Cr that they share. Compiled for each processor, since
/// vectors do it in a tenth of the instructions.
struct PairsToRgb<'a, P> {
    pairs: P,
    quantization: Quantization,
    out: &'a mut [u8],
}

impl<P: Iterator<Item = ([u8; 2], [u8; 2])>> Portable for PairsToRgb<'_, P> {
    #[inline(always)]
    fn run(self) {
        let (k, black) = constants(self.quantization);
        let target = self.out.as_chunks_mut::<6>().0;
        for (rgb, ([first, second], chroma)) in target.iter_mut().zip(self.pairs) {
            let [cb, cr] = chroma.map(|c| i32::from(c) - 128);
            let [a, b, c] = bt601(k, black, first, cb, cr);
            let [d, e, f] = bt601(k, black, second, cb, cr);
            *rgb = [a, b, c, d, e, f];
        }
    }
}

/// One pixel of BT.601 YCbCr as RGB; within 1 of the exact value.
#[inline(always)]
fn bt601(k: &[i32; 5], black: i32, y: u8, cb: i32, cr: i32) -> [u8; 3] {
    let luma = (i32::from(y) - black) * k[0] + (1 << 15);
    let clamp = |v: i32| (v >> 16).clamp(0, 255) as u8;
    [
        clamp(luma + k[1] * cr),
        clamp(luma + k[2] * cb + k[3] * cr),
        clamp(luma + k[4] * cb),
    ]
}

/// The constants of [`bt601`] and the code value of black.
const fn constants(quantization: Quantization) -> (&'static [i32; 5], i32) {
    match quantization {
        Quantization::Limited => (&LIMITED, 16),
        Quantization::Full => (&FULL, 0),
    }
}

/// YUYV or UYVY to RGB by BT.601 (ITU-R BT.601-7, section 2.5), 16.16 fixed point.
///
/// # Errors
/// [`UnpackError`]; `out` is untouched then.
pub fn packed_to_rgb(
    layout: &BufferLayout,
    format: PixelFormat,
    quantization: Quantization,
    source: &[u8],
    out: &mut Picture,
) -> Result<(), UnpackError> {
    if !layout.size.width.is_multiple_of(2) {
        return Err(UnpackError::OddWidth(layout.size.width, format));
    }
    let rows = rows(layout, format, source)?;
    out.reshape(layout.size, 3);
    for (y, row) in rows.enumerate() {
        let (pairs, out) = (row.as_chunks::<4>().0.iter(), out.row_mut(y));
        match format {
            PixelFormat::Uyvy => Path::best().run(PairsToRgb {
                pairs: pairs.map(|&[cb, first, cr, second]| ([first, second], [cb, cr])),
                quantization,
                out,
            }),
            _ => Path::best().run(PairsToRgb {
                pairs: pairs.map(|&[first, cb, second, cr]| ([first, second], [cb, cr])),
                quantization,
                out,
            }),
        }
    }
    Ok(())
}

/// RGB24 to RGB.
///
/// # Errors
/// [`UnpackError`]; `out` is untouched then.
pub fn rgb(layout: &BufferLayout, source: &[u8], out: &mut Picture) -> Result<(), UnpackError> {
    let rows = rows(layout, PixelFormat::Rgb24, source)?;
    out.reshape(layout.size, 3);
    for (y, row) in rows.enumerate() {
        out.row_mut(y).copy_from_slice(row);
    }
    Ok(())
}

/// GREY to grey.
///
/// # Errors
/// [`UnpackError`]; `out` is untouched then.
pub fn grey(layout: &BufferLayout, source: &[u8], out: &mut Picture) -> Result<(), UnpackError> {
    let rows = rows(layout, PixelFormat::Grey, source)?;
    out.reshape(layout.size, 1);
    for (y, row) in rows.enumerate() {
        out.row_mut(y).copy_from_slice(row);
    }
    Ok(())
}

/// Y10, Y12 or Y16 to counts. Bits above those of the format are cut off, so that a count of a
/// 10-bit camera is below 1024 whatever its driver leaves there.
///
/// # Errors
/// [`UnpackError`]; `out` is untouched then.
pub fn counts(
    layout: &BufferLayout,
    format: PixelFormat,
    source: &[u8],
    out: &mut Counts,
) -> Result<(), UnpackError> {
    let all = rows(layout, format, source)?;
    // The rows above those of the counts are a picture for people (InfiRay P2 Pro and alike).
    let rows = all.skip(layout.size.height * usize::from(format == PixelFormat::YuyvOverY16));
    out.size = layout.size;
    out.data.resize(layout.size.area(), 0);
    let width = layout.size.width.max(1);
    let mask = format.count_mask();
    let big = format == PixelFormat::Y16Be;
    for (target, row) in out.data.chunks_mut(width).zip(rows) {
        for (count, bytes) in target.iter_mut().zip(row.as_chunks::<2>().0) {
            let word = if big {
                u16::from_be_bytes(*bytes)
            } else {
                u16::from_le_bytes(*bytes)
            };
            *count = word & mask;
        }
    }
    Ok(())
}

/// Start of picture and an application segment that says "motion JPEG, standard Huffman tables".
const MOTION_JPEG: [u8; 20] = *b"\xff\xd8\xff\xe0\x00\x10AVI1\0\0\0\0\0\0\0\0\0\0";

/// MJPG to RGB.
#[derive(Debug, Default)]
pub struct MjpgDecoder {
    scratch: Vec<u8>,
}

impl MjpgDecoder {
    /// Decodes one picture. Many UVC cameras leave out the Huffman tables; those get the
    /// standard ones (ITU-T T.81, annex K.3).
    ///
    /// # Errors
    /// [`UnpackError`]; `out` may hold a part of the picture then.
    pub fn decode(
        &mut self,
        size: Size,
        source: &[u8],
        out: &mut Picture,
    ) -> Result<(), UnpackError> {
        let broken = |reason: String| UnpackError::Jpeg {
            bytes: source.len(),
            reason,
        };
        let whole = jpeg::check(source).map_err(|reason| broken(reason.into()))?;
        let mut bytes = source;
        if !whole {
            self.scratch.clear();
            self.scratch.extend_from_slice(&MOTION_JPEG);
            self.scratch.extend_from_slice(&source[2..]);
            bytes = &self.scratch;
        }
        let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(|e| broken(e.to_string()))?;
        let (width, height) = decoder.dimensions();
        let found = Size::new(width as usize, height as usize);
        if found != size {
            return Err(UnpackError::JpegSize {
                expected: size,
                found,
            });
        }
        match decoder.color_type() {
            image::ColorType::Rgb8 => out.reshape(size, 3),
            image::ColorType::L8 => out.reshape(size, 1),
            other => {
                return Err(broken(format!(
                    "its samples are {other:?}, not RGB or grey"
                )));
            }
        }
        decoder
            .read_image(out.data_mut())
            .map_err(|e| broken(e.to_string()))
    }
}

#[cfg(test)]
mod tests;
