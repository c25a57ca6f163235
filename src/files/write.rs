//! Picture files out: whole or not at all.
//!
//! Input: a picture. Output: a file. Fails when: [`FileError::Extension`], [`FileError::Write`].
//! Not its job: folders.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Cursor, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::tiff::TiffEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError, ImageFormat};

use super::FileError;
use crate::frame::Picture;

const JPEG_QUALITY: u8 = 95;
/// Longest EXIF block that a JPEG segment holds.
const LONGEST_EXIF: usize = 65_000;

/// Makes the names of temporary files differ.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// What goes into a file beside the pixels, where its format has a place for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// An ICC profile.
    pub profile: Option<&'a [u8]>,
    /// An EXIF block (TIFF structure).
    pub exif: Option<&'a [u8]>,
}

impl<'a> Beside<'a> {
    /// A profile of RGB belongs to no grey picture, and the reverse (ICC.1, 7.2.6).
    fn profile_for(&self, picture: &Picture) -> Option<&'a [u8]> {
        let space: &[u8] = if picture.channels() == 1 {
            b"GRAY"
        } else {
            b"RGB "
        };
        self.profile.filter(|p| p.get(16..20) == Some(space))
    }
}

/// Writes a picture; the extension says which format (.png, .jpg, .jpeg, .tif, .tiff, .bmp).
/// The file appears whole or not at all: it is written under a temporary name beside the goal
/// and renamed. JPEG is written at quality 95.
///
/// # Errors
/// [`FileError::Extension`], [`FileError::Write`].
pub fn write_picture(path: &Path, picture: &Picture) -> Result<(), FileError> {
    write_picture_with(path, picture, Beside::default())
}

/// As [`write_picture`], with what belongs beside the pixels.
///
/// # Errors
/// [`FileError::Extension`], [`FileError::Write`].
pub fn write_picture_with(
    path: &Path,
    picture: &Picture,
    beside: Beside<'_>,
) -> Result<(), FileError> {
    let format = output_format(path)?;
    let failed = |message: String| FileError::Write {
        path: path.to_owned(),
        message,
    };
    let mut encoded = Vec::new();
    encode(picture, format, beside, &mut encoded).map_err(|error| failed(error.to_string()))?;
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
    encode(picture, format, Beside::default(), &mut encoded)?;
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

fn encode(
    picture: &Picture,
    format: ImageFormat,
    beside: Beside<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ImageError> {
    match format {
        ImageFormat::Jpeg => with(
            JpegEncoder::new_with_quality(out, JPEG_QUALITY),
            picture,
            beside,
        ),
        ImageFormat::Png => {
            // Paeth with the fast level: within a few per cent of the best size, in a tenth the time.
            let (level, filter) = (CompressionType::Fast, FilterType::Paeth);
            with(
                PngEncoder::new_with_quality(out, level, filter),
                picture,
                beside,
            )
        }
        ImageFormat::Tiff => with(TiffEncoder::new(Cursor::new(out)), picture, beside),
        _ => image::write_buffer_with_format(
            &mut Cursor::new(out),
            picture.data(),
            picture.width() as u32,
            picture.height() as u32,
            color(picture),
            format,
        ),
    }
}

fn color(picture: &Picture) -> ExtendedColorType {
    match picture.channels() {
        1 => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    }
}

/// Writes by an encoder; what it has no place for is left out.
fn with(
    mut encoder: impl ImageEncoder,
    picture: &Picture,
    beside: Beside<'_>,
) -> Result<(), ImageError> {
    if let Some(profile) = beside.profile_for(picture) {
        let _ = encoder.set_icc_profile(profile.to_vec());
    }
    if let Some(exif) = beside.exif.filter(|exif| exif.len() < LONGEST_EXIF) {
        let _ = encoder.set_exif_metadata(exif.to_vec());
    }
    // No picture of the system is near 2^32 pixels a side.
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    encoder.write_image(picture.data(), width, height, color(picture))
}
