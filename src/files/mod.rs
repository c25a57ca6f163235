//! Picture files in and out.
//!
//! Input: paths. Output: [`Picture`], files. Fails when: [`FileError`], which names the file, what is wrong
//! with it and what to do. Not its job: colour, size, calibration; folders (see [`crate::folders`]).
//!
//! PNG, JPEG, TIFF and BMP are told by their content, not by their name: data sets are full of
//! JPEGs called `.png`. EXIF orientation is ignored: both pictures of a pair must lie in the
//! sensors' geometry, and a rotation of one would break the alignment in silence.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError, ImageFormat};

use crate::frame::{Picture, Size};
use crate::jpeg;

/// Longest side that is read; beyond it a file is a decompression bomb or a mistake.
pub const MAX_SIDE: u32 = 16_384;
/// Most pixels that are read.
pub const MAX_AREA: u64 = 1 << 26;
const MAX_BYTES: u64 = 1 << 29;
const JPEG_QUALITY: u8 = 95;

/// Makes the names of temporary files differ.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Why a picture file or a folder of them cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// No such file or folder.
    #[error("{0} does not exist; check the path")]
    Absent(PathBuf),
    /// A folder where a file belongs, or the reverse, or a device.
    #[error("{path} is not {expected}")]
    Kind {
        /// What was named.
        path: PathBuf,
        /// What belongs there.
        expected: &'static str,
    },
    /// Zero bytes.
    #[error("{0} is empty (0 bytes); was its copying or its writing cut short?")]
    Empty(PathBuf),
    /// None of the formats read.
    #[error("{0} is not a picture that can be read: expected PNG, JPEG, TIFF or BMP")]
    NotAPicture(PathBuf),
    /// Cut off or corrupt.
    #[error("{path} is damaged or cut short ({message}); copy it again from its source")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The decoder's words.
        message: String,
    },
    /// Beyond the limits.
    #[error(
        "{path} is too large ({found}); at most {MAX_SIDE} pixels a side and {MAX_AREA} in all \
         are read, so scale it down first"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: String,
    },
    /// The system's refusal to read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An output name without a known extension.
    #[error("{0} has no extension of a format that is written: use .png, .jpg, .tif or .bmp")]
    Extension(PathBuf),
    /// Writing failed; nothing was left behind under the name asked for.
    #[error("cannot write {path}: {message}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A folder without a picture.
    #[error("the folder {0} has no picture (PNG, JPEG, TIFF or BMP by extension)")]
    NoPicture(PathBuf),
    /// One name twice in a folder.
    #[error(
        "{first} and {second} have one stem, so it is not clear which belongs to the pair; move one away"
    )]
    Duplicate {
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Nothing to pair.
    #[error("{0}")]
    NoPair(String),
}

/// What becomes of 16-bit grey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grey16 {
    /// Counts of a sensor: the lowest to the highest value is stretched to 0..=255. Thermal and
    /// CT data fill a small part of 16 bits, and their high byte alone would be a flat picture.
    #[default]
    Stretch,
    /// The high byte, as 16-bit colour always: what counts is that equal files give equal grey.
    HighByte,
}

/// Reads a picture: grey files give one channel, colour files three; alpha is dropped, not
/// blended. 16-bit colour keeps its high byte, 16-bit grey is stretched ([`Grey16::Stretch`]).
///
/// # Errors
/// [`FileError`].
pub fn read_picture(path: &Path) -> Result<Picture, FileError> {
    read_picture_with(path, Grey16::Stretch)
}

/// As [`read_picture`], with a choice for 16-bit grey.
///
/// # Errors
/// [`FileError`].
pub fn read_picture_with(path: &Path, grey16: Grey16) -> Result<Picture, FileError> {
    let decoded = read_image(path)?;
    let size = Size::new(decoded.width() as usize, decoded.height() as usize);
    let (channels, data) = match decoded {
        DynamicImage::ImageLuma8(grey) => (1, grey.into_raw()),
        DynamicImage::ImageLumaA8(grey) => (1, first_of_two(grey.as_raw())),
        DynamicImage::ImageLuma16(grey) => (1, to_8_bit(grey.as_raw(), grey16)),
        DynamicImage::ImageLumaA16(grey) => (1, to_8_bit(&first_of_two(grey.as_raw()), grey16)),
        DynamicImage::ImageRgb16(rgb) => (3, high_bytes(rgb.as_raw())),
        DynamicImage::ImageRgba16(rgba) => {
            let rgb: Vec<u16> = rgba
                .as_raw()
                .chunks_exact(4)
                .flat_map(|p| [p[0], p[1], p[2]])
                .collect();
            (3, high_bytes(&rgb))
        }
        other => (3, other.into_rgb8().into_raw()),
    };
    Picture::from_data(size, channels, data).map_err(|mismatch| FileError::Damaged {
        path: path.to_owned(),
        message: mismatch.to_string(),
    })
}

/// Reads a picture as it is stored, for callers that want its 16-bit values.
///
/// # Errors
/// [`FileError`].
pub fn read_image(path: &Path) -> Result<DynamicImage, FileError> {
    decode(path, &read_bytes(path)?)
}

/// The size that a picture's header says, without reading beyond it.
///
/// # Errors
/// [`FileError::Absent`], [`FileError::Read`], [`FileError::Damaged`], [`FileError::TooLarge`].
pub fn read_size(path: &Path) -> Result<Size, FileError> {
    let reader = image::ImageReader::open(path)
        .and_then(image::ImageReader::with_guessed_format)
        .map_err(|source| refused(path, source))?;
    let (width, height) = reader
        .into_dimensions()
        .map_err(|error| FileError::Damaged {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
    check_size(path, width, height)?;
    Ok(Size::new(width as usize, height as usize))
}

/// Writes a picture; the extension says which format (.png, .jpg, .jpeg, .tif, .tiff, .bmp).
/// The file appears whole or not at all: it is written under a temporary name beside the goal
/// and renamed. JPEG is written at quality 95.
///
/// # Errors
/// [`FileError::Extension`], [`FileError::Write`].
pub fn write_picture(path: &Path, picture: &Picture) -> Result<(), FileError> {
    let format = output_format(path)?;
    let failed = |message: String| FileError::Write {
        path: path.to_owned(),
        message,
    };
    let encoded = encode_picture(picture, format).map_err(|error| failed(error.to_string()))?;
    write_atomic(path, |out| {
        out.write_all(&encoded).map_err(|error| error.to_string())
    })
}

/// A picture as the bytes of a file.
///
/// # Errors
/// [`ImageError`] for a size that the format cannot hold.
pub fn encode_picture(picture: &Picture, format: ImageFormat) -> Result<Vec<u8>, ImageError> {
    let mut encoded = Vec::new();
    encode(picture, format, &mut encoded)?;
    Ok(encoded)
}

/// Lets `fill` write a file beside `path`, then renames it to `path`. Nothing stays behind
/// where that fails.
///
/// # Errors
/// [`FileError::Write`] naming `path`.
pub fn write_atomic<F>(path: &Path, fill: F) -> Result<(), FileError>
where
    F: FnOnce(&mut BufWriter<File>) -> Result<(), String>,
{
    let failed = |message: String| FileError::Write {
        path: path.to_owned(),
        message,
    };
    let name = path
        .file_name()
        .ok_or_else(|| failed("it names no file".to_owned()))?;
    // Two threads may write the same file at once; the last one to end wins.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}-{number}.part", std::process::id()));
    let temporary = path.with_file_name(temporary);
    // Never through a link that somebody put there.
    let file = File::create_new(&temporary).map_err(|error| failed(error.to_string()))?;
    fill_and_rename(file, &temporary, path, fill).map_err(|message| {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
        failed(message)
    })
}

fn fill_and_rename<F>(file: File, temporary: &Path, path: &Path, fill: F) -> Result<(), String>
where
    F: FnOnce(&mut BufWriter<File>) -> Result<(), String>,
{
    let mut out = BufWriter::with_capacity(1 << 16, file);
    fill(&mut out)?;
    // A board may lose power at any time: first the content, then the name.
    out.flush()
        .and_then(|()| out.get_ref().sync_all())
        .and_then(|()| std::fs::rename(temporary, path))
        .map_err(|error| error.to_string())
}

/// Whether [`write_picture`] knows the extension; for a check before the work is done.
///
/// # Errors
/// [`FileError::Extension`].
pub fn check_output(path: &Path) -> Result<(), FileError> {
    output_format(path).map(|_| ())
}

fn output_format(path: &Path) -> Result<ImageFormat, FileError> {
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("png") => Ok(ImageFormat::Png),
        Some("jpg" | "jpeg") => Ok(ImageFormat::Jpeg),
        Some("tif" | "tiff") => Ok(ImageFormat::Tiff),
        Some("bmp") => Ok(ImageFormat::Bmp),
        _ => Err(FileError::Extension(path.to_owned())),
    }
}

fn encode(picture: &Picture, format: ImageFormat, out: &mut Vec<u8>) -> Result<(), ImageError> {
    let color = match picture.channels() {
        1 => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    // No picture of the system is near 2^32 pixels a side.
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    if format == ImageFormat::Jpeg {
        return image::codecs::jpeg::JpegEncoder::new_with_quality(out, JPEG_QUALITY).write_image(
            picture.data(),
            width,
            height,
            color,
        );
    }
    if format == ImageFormat::Png {
        // Paeth with the fast level: within a few per cent of the best size, in a tenth the time.
        let (level, filter) = (CompressionType::Fast, FilterType::Paeth);
        return PngEncoder::new_with_quality(out, level, filter).write_image(
            picture.data(),
            width,
            height,
            color,
        );
    }
    image::write_buffer_with_format(
        &mut Cursor::new(out),
        picture.data(),
        width,
        height,
        color,
        format,
    )
}

fn refused(path: &Path, source: std::io::Error) -> FileError {
    match source.kind() {
        std::io::ErrorKind::NotFound => FileError::Absent(path.to_owned()),
        _ => FileError::Read {
            path: path.to_owned(),
            source,
        },
    }
}

fn check_size(path: &Path, width: u32, height: u32) -> Result<(), FileError> {
    let (path, found) = (path.to_owned(), format!("{width}x{height} by its header"));
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_AREA {
        return Err(FileError::TooLarge { path, found });
    }
    if width == 0 || height == 0 {
        let message = format!("its size is {found}");
        return Err(FileError::Damaged { path, message });
    }
    Ok(())
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let about = std::fs::metadata(path).map_err(|source| refused(path, source))?;
    if !about.is_file() {
        return Err(FileError::Kind {
            path: path.to_owned(),
            expected: "a file",
        });
    }
    if about.len() == 0 {
        return Err(FileError::Empty(path.to_owned()));
    }
    if about.len() > MAX_BYTES {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
            found: format!("{} bytes", about.len()),
        });
    }
    std::fs::read(path).map_err(|source| refused(path, source))
}

fn decode(path: &Path, bytes: &[u8]) -> Result<DynamicImage, FileError> {
    let damaged = |message: String| FileError::Damaged {
        path: path.to_owned(),
        message,
    };
    let format = image::guess_format(bytes).map_err(|_| FileError::NotAPicture(path.to_owned()))?;
    if !matches!(
        format,
        ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Tiff | ImageFormat::Bmp
    ) {
        return Err(FileError::NotAPicture(path.to_owned()));
    }
    if format == ImageFormat::Jpeg {
        jpeg::check(bytes).map_err(|reason| damaged(reason.to_owned()))?;
    }
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    // 16-bit RGBA at the largest area.
    limits.max_alloc = Some(MAX_AREA * 8);
    let reader = image::ImageReader::with_format(Cursor::new(bytes), format);
    let failed = |error: ImageError| match error {
        ImageError::Limits(_) => FileError::TooLarge {
            path: path.to_owned(),
            found: "by its header".to_owned(),
        },
        other => damaged(other.to_string()),
    };
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    check_size(path, width, height)?;
    decoder.set_limits(limits).map_err(failed)?;
    DynamicImage::from_decoder(decoder).map_err(failed)
}

fn first_of_two<T: Copy>(samples: &[T]) -> Vec<T> {
    samples.chunks_exact(2).map(|pair| pair[0]).collect()
}

fn high_bytes(samples: &[u16]) -> Vec<u8> {
    samples.iter().map(|v| (v >> 8) as u8).collect()
}

fn to_8_bit(samples: &[u16], rule: Grey16) -> Vec<u8> {
    if rule == Grey16::HighByte {
        return high_bytes(samples);
    }
    let low = samples.iter().copied().min().unwrap_or(0);
    let high = samples.iter().copied().max().unwrap_or(0);
    let range = u32::from(high - low).max(1);
    samples
        .iter()
        .map(|&v| ((u32::from(v - low) * 255 + range / 2) / range) as u8)
        .collect()
}

#[cfg(test)]
mod tests;
