//! Bytes of a camera buffer to a picture: YUYV, GREY, Y16 and MJPG.
//!
//! Input: what the driver wrote, with its stride. Output: [`Picture`] (RGB or grey) or [`Counts`].
//! Thread: acquire. Blocks: never. Allocates: where the picture given has another shape, and
//! inside the JPEG decoder. Fails when: the buffer is short or torn, or is not what was negotiated
//! ([`UnpackError`]). Not its job: range mapping of 16-bit counts (see `range`).

use std::io::Cursor;
use std::str::FromStr;

use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;

use crate::frame::{Counts, Picture, Size};

/// The V4L2 pixel formats that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Packed YCbCr 4:2:2, the order Y0 Cb Y1 Cr; two bytes a pixel.
    Yuyv,
    /// 8-bit grey.
    Grey,
    /// 16-bit counts, little endian.
    Y16,
    /// A JPEG picture in each buffer.
    Mjpg,
}

impl PixelFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Yuyv, Self::Grey, Self::Y16, Self::Mjpg];

    /// The four characters that V4L2 knows it by; `Y16` is padded with a space.
    pub const fn fourcc(self) -> [u8; 4] {
        match self {
            Self::Yuyv => *b"YUYV",
            Self::Grey => *b"GREY",
            Self::Y16 => *b"Y16 ",
            Self::Mjpg => *b"MJPG",
        }
    }

    /// Bytes of a pixel; `None` for compressed pictures.
    pub const fn bytes_per_pixel(self) -> Option<usize> {
        match self {
            Self::Yuyv | Self::Y16 => Some(2),
            Self::Grey => Some(1),
            Self::Mjpg => None,
        }
    }

    /// Channels of the picture that comes out: 3 (RGB) or 1.
    pub const fn channels(self) -> usize {
        match self {
            Self::Yuyv | Self::Mjpg => 3,
            Self::Grey | Self::Y16 => 1,
        }
    }
}

impl std::fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Yuyv => "YUYV",
            Self::Grey => "GREY",
            Self::Y16 => "Y16",
            Self::Mjpg => "MJPG",
        })
    }
}

impl FromStr for PixelFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.to_string().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| format!("the format is {text:?}; use YUYV, GREY, Y16 or MJPG"))
    }
}

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
pub struct Layout {
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
    /// YUYV shares chroma between two pixels, so a row has an even number of them.
    #[error("a YUYV row has an even number of pixels, {0} were configured")]
    OddWidth(usize),
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
    layout: &Layout,
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
    let all = height + layout.telemetry_rows;
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
    Ok(source.chunks(stride).take(height).map(move |r| &r[..row]))
}

// BT.601 in 16.16 fixed point: luma scale, Cr to R, Cb to G, Cr to G, Cb to B.
const LIMITED: [i32; 5] = [76_309, 104_597, -25_675, -53_279, 132_201];
const FULL: [i32; 5] = [65_536, 91_881, -22_554, -46_802, 116_130];

/// One pixel of BT.601 YCbCr as RGB; within 1 of the exact value.
#[inline]
fn bt601(k: &[i32; 5], black: i32, y: u8, cb: i32, cr: i32) -> [u8; 3] {
    let luma = (i32::from(y) - black) * k[0] + (1 << 15);
    let clamp = |v: i32| (v >> 16).clamp(0, 255) as u8;
    [
        clamp(luma + k[1] * cr),
        clamp(luma + k[2] * cb + k[3] * cr),
        clamp(luma + k[4] * cb),
    ]
}

/// YUYV to RGB by BT.601 (ITU-R BT.601-7, section 2.5), 16.16 fixed point.
///
/// # Errors
/// [`UnpackError`]; `out` is untouched then.
pub fn yuyv_to_rgb(
    layout: &Layout,
    quantization: Quantization,
    source: &[u8],
    out: &mut Picture,
) -> Result<(), UnpackError> {
    if !layout.size.width.is_multiple_of(2) {
        return Err(UnpackError::OddWidth(layout.size.width));
    }
    let (k, black) = match quantization {
        Quantization::Limited => (&LIMITED, 16),
        Quantization::Full => (&FULL, 0),
    };
    let rows = rows(layout, PixelFormat::Yuyv, source)?;
    out.reshape(layout.size, 3);
    for (y, row) in rows.enumerate() {
        let target = out.row_mut(y).as_chunks_mut::<6>().0;
        for (rgb, yuyv) in target.iter_mut().zip(row.as_chunks::<4>().0) {
            let (cb, cr) = (i32::from(yuyv[1]) - 128, i32::from(yuyv[3]) - 128);
            rgb[..3].copy_from_slice(&bt601(k, black, yuyv[0], cb, cr));
            rgb[3..].copy_from_slice(&bt601(k, black, yuyv[2], cb, cr));
        }
    }
    Ok(())
}

/// GREY to grey.
///
/// # Errors
/// [`UnpackError`]; `out` is untouched then.
pub fn grey(layout: &Layout, source: &[u8], out: &mut Picture) -> Result<(), UnpackError> {
    let rows = rows(layout, PixelFormat::Grey, source)?;
    out.reshape(layout.size, 1);
    for (y, row) in rows.enumerate() {
        out.row_mut(y).copy_from_slice(row);
    }
    Ok(())
}

/// Y16 (little endian) to counts.
///
/// # Errors
/// [`UnpackError`]; `out` is untouched then.
pub fn y16(layout: &Layout, source: &[u8], out: &mut Counts) -> Result<(), UnpackError> {
    let rows = rows(layout, PixelFormat::Y16, source)?;
    out.size = layout.size;
    out.data.resize(layout.size.area(), 0);
    let width = layout.size.width.max(1);
    for (target, row) in out.data.chunks_mut(width).zip(rows) {
        for (count, bytes) in target.iter_mut().zip(row.as_chunks::<2>().0) {
            *count = u16::from_le_bytes(*bytes);
        }
    }
    Ok(())
}

/// Whether a JPEG picture has its end marker. The decoder fills what is missing with grey, so a
/// torn transfer or a cut file has to be found here.
///
/// Walks the segments (ITU-T T.81, annex B), so the thumbnail inside an EXIF segment does not count.
///
/// Says whether the picture brings its own Huffman tables.
///
/// # Errors
/// What is wrong, in words.
pub fn check_jpeg(bytes: &[u8]) -> Result<bool, &'static str> {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return Err("it does not begin with a JPEG marker");
    }
    const CUT: &str = "the end marker is missing, it was cut";
    let mut at = 2;
    let mut tables = false;
    loop {
        // The next marker: FF, then neither a stuffed zero, a fill byte nor a restart marker.
        let rest = bytes.get(at..).ok_or(CUT)?;
        let found = rest
            .windows(2)
            .position(|w| w[0] == 0xff && !matches!(w[1], 0x00 | 0xff | 0xd0..=0xd7));
        at += found.ok_or(CUT)? + 2;
        match bytes[at - 1] {
            0xc4 => tables = true,
            0xd9 => return Ok(tables),
            _ => {}
        }
        let length = bytes.get(at..at + 2).ok_or(CUT)?;
        at += usize::from(u16::from_be_bytes([length[0], length[1]]));
    }
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
        let whole = check_jpeg(source).map_err(|reason| broken(reason.into()))?;
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reference(quantization: Quantization, y: u8, cb: u8, cr: u8) -> [f64; 3] {
        // BT.601: Kr = 0.299, Kb = 0.114.
        let (y, cb, cr) = (f64::from(y), f64::from(cb) - 128.0, f64::from(cr) - 128.0);
        let (y, cb, cr) = match quantization {
            Quantization::Limited => ((y - 16.0) / 219.0, cb / 224.0, cr / 224.0),
            Quantization::Full => (y / 255.0, cb / 255.0, cr / 255.0),
        };
        let (kr, kb) = (0.299, 0.114);
        let r = y + 2.0 * (1.0 - kr) * cr;
        let b = y + 2.0 * (1.0 - kb) * cb;
        let g = (y - kr * r - kb * b) / (1.0 - kr - kb);
        [r, g, b].map(|v| (v * 255.0).clamp(0.0, 255.0))
    }

    fn layout(width: usize, height: usize, stride: usize, telemetry_rows: usize) -> Layout {
        Layout {
            size: Size::new(width, height),
            stride,
            telemetry_rows,
        }
    }

    proptest! {
        #[test]
        fn yuyv_is_within_one_of_the_float_reference(
            y0: u8, y1: u8, cb: u8, cr: u8, full: bool,
        ) {
            let q = if full { Quantization::Full } else { Quantization::Limited };
            let mut out = Picture::rgb(Size::new(2, 1));
            yuyv_to_rgb(&layout(2, 1, 4, 0), q, &[y0, cb, y1, cr], &mut out).unwrap();
            for (pixel, y) in [(0, y0), (1, y1)] {
                for (channel, exact) in reference(q, y, cb, cr).into_iter().enumerate() {
                    let found = f64::from(out.data()[pixel * 3 + channel]);
                    prop_assert!((found - exact).abs() <= 1.0, "{found} {exact}");
                }
            }
        }

        #[test]
        fn y16_honours_stride_and_cuts_telemetry(
            width in 1usize..40, height in 1usize..20, pad in 0usize..9, telemetry in 0usize..4,
        ) {
            let stride = width * 2 + pad;
            let l = layout(width, height, stride, telemetry);
            let mut bytes = vec![0xee; stride * (height + telemetry)];
            for y in 0..height {
                for x in 0..width {
                    let count = (y * 1000 + x) as u16;
                    bytes[y * stride + 2 * x..][..2].copy_from_slice(&count.to_le_bytes());
                }
            }
            let mut out = Counts::new(Size::new(1, 1));
            y16(&l, &bytes, &mut out).unwrap();
            prop_assert_eq!(out.size, l.size);
            for (i, count) in out.data.iter().enumerate() {
                prop_assert_eq!(usize::from(*count), i / width * 1000 + i % width);
            }
        }

        #[test]
        fn every_short_buffer_is_refused(missing in 1usize..200) {
            let l = layout(10, 8, 24, 2);
            let whole = 9 * 24 + 20;
            let found = whole - missing;
            let error = y16(&l, &vec![0; found], &mut Counts::new(l.size)).unwrap_err();
            let text = error.to_string();
            prop_assert!(text.contains(&format!("needs {whole} bytes, {found} were")), "{}", text);
        }

        #[test]
        fn no_bytes_make_the_jpeg_walk_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut with_start = vec![0xff, 0xd8];
            with_start.extend(&bytes);
            let _ = check_jpeg(&with_start);
            let _ = MjpgDecoder::default().decode(Size::new(8, 8), &with_start, &mut Picture::rgb(Size::new(8, 8)));
        }
    }

    #[test]
    fn grey_takes_the_last_row_without_padding() {
        let l = layout(3, 2, 5, 0);
        let mut out = Picture::grey(Size::new(1, 1));
        grey(&l, &[1, 2, 3, 0, 0, 4, 5, 6], &mut out).unwrap();
        assert_eq!(out.data(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_stride_shorter_than_a_row_is_refused() {
        let error = grey(
            &layout(8, 2, 7, 0),
            &[0; 99],
            &mut Picture::grey(Size::new(1, 1)),
        );
        assert!(matches!(
            error,
            Err(UnpackError::Stride {
                expected: 8,
                found: 7,
                ..
            })
        ));
        let odd = yuyv_to_rgb(
            &layout(3, 1, 6, 0),
            Quantization::Limited,
            &[0; 6],
            &mut Picture::rgb(Size::new(1, 1)),
        );
        assert_eq!(odd, Err(UnpackError::OddWidth(3)));
    }

    fn decode(size: Size, bytes: &[u8], out: &mut Picture) -> Result<(), UnpackError> {
        MjpgDecoder::default().decode(size, bytes, out)
    }

    fn jpeg(size: Size) -> Vec<u8> {
        let data: Vec<u8> = (0..size.area() * 3).map(|i| (i / 7 % 256) as u8).collect();
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95)
            .encode(
                &data,
                size.width as u32,
                size.height as u32,
                image::ExtendedColorType::Rgb8,
            )
            .unwrap();
        bytes
    }

    #[test]
    fn mjpg_is_decoded_and_padding_behind_it_is_ignored() {
        let size = Size::new(64, 48);
        let mut bytes = jpeg(size);
        bytes.extend([0; 100]);
        let mut out = Picture::rgb(Size::new(1, 1));
        decode(size, &bytes, &mut out).unwrap();
        assert_eq!((out.size(), out.channels()), (size, 3));
        let off = |i: usize| i32::from(out.data()[i]) - (i / 7 % 256) as i32;
        assert!((0..300).all(|i| off(i).abs() < 40));
    }

    #[test]
    fn mjpg_without_huffman_tables_is_decoded() {
        // What many UVC cameras send: the standard tables are left out.
        let size = Size::new(32, 32);
        let whole = jpeg(size);
        let mut bare = vec![0xff, 0xd8];
        let mut at = 2;
        loop {
            let marker = whole[at + 1];
            let length = usize::from(u16::from_be_bytes([whole[at + 2], whole[at + 3]]));
            if marker != 0xc4 {
                bare.extend(&whole[at..at + 2 + length]);
            }
            at += 2 + length;
            if marker == 0xda {
                break;
            }
        }
        bare.extend(&whole[at..]);
        assert!(bare.len() < whole.len());
        let (mut a, mut b) = (Picture::rgb(size), Picture::rgb(size));
        decode(size, &whole, &mut a).unwrap();
        decode(size, &bare, &mut b).unwrap();
        assert_eq!(a, b);
    }

    #[test]
    fn a_torn_jpeg_is_refused_wherever_it_was_cut() {
        let size = Size::new(64, 48);
        let bytes = jpeg(size);
        let mut out = Picture::rgb(size);
        for length in (0..bytes.len() - 1).step_by(37) {
            let error = decode(size, &bytes[..length], &mut out)
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with(&format!("{length} bytes are not")),
                "{error}"
            );
        }
        let other = decode(Size::new(48, 64), &bytes, &mut out)
            .unwrap_err()
            .to_string();
        assert!(
            other.contains("48x64") && other.contains("64x48"),
            "{other}"
        );
    }

    #[test]
    fn formats_are_read_by_name() {
        assert_eq!("y16".parse(), Ok(PixelFormat::Y16));
        assert_eq!("Y16 ".parse(), Ok(PixelFormat::Y16));
        assert!("NV12".parse::<PixelFormat>().unwrap_err().contains("NV12"));
    }
}
