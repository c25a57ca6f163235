//! Pictures written to files, whole or not at all.
//!
//! Input: a [`Picture`] and a path. Output: a PNG or JPEG file. Thread: control, and present
//! when it ends. Blocks: on the disk. Allocates: yes. Fails when: [`PresentError::Write`].
//! Not its job: choosing which frame.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use serde::{Deserialize, Serialize};

use super::PresentError;
use crate::frame::Picture;

/// High enough that no block edges show in flat thermal areas.
const JPEG_QUALITY: u8 = 92;

/// File formats of snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SnapshotFormat {
    /// Lossless.
    Png,
    /// Small.
    Jpg,
}

/// Makes the names of temporary files differ.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Writes `picture` to `path`, as PNG or JPEG by the extension (png, jpg, jpeg), replacing what
/// was there at once: a reader never sees half a file.
///
/// # Errors
/// [`PresentError::Write`] naming `path`: another extension, a folder that is not there or not
/// writable, a full disk.
pub fn write_picture(path: &Path, picture: &Picture) -> Result<(), PresentError> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    let format = match extension.to_ascii_lowercase().as_str() {
        "png" => SnapshotFormat::Png,
        "jpg" | "jpeg" => SnapshotFormat::Jpg,
        _ => {
            let message = format!("the extension \"{extension}\" is none of png, jpg, jpeg");
            return Err(write_error(path, message));
        }
    };
    write_atomic(path, |out| encode(out, picture, format))
}

/// The bytes of a PNG or JPEG file, for whoever asked over the control socket to write.
///
/// # Errors
/// [`PresentError::Write`] where the picture has no such file, as an empty one, or a JPEG of
/// over 65,535 pixels a side.
pub fn encode_snapshot(picture: &Picture, format: SnapshotFormat) -> Result<Vec<u8>, PresentError> {
    let mut bytes = Vec::new();
    encode(&mut bytes, picture, format)
        .map_err(|message| write_error(Path::new("the snapshot"), message))?;
    Ok(bytes)
}

fn encode(out: impl Write, picture: &Picture, format: SnapshotFormat) -> Result<(), String> {
    let color = match picture.channels() {
        1 => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    let side = |n: usize| u32::try_from(n).map_err(|error| error.to_string());
    let (width, height) = (side(picture.width())?, side(picture.height())?);
    if picture.size().area() == 0 {
        return Err(format!("a {} picture is empty", picture.size()));
    }
    let data = picture.data();
    match format {
        SnapshotFormat::Png => {
            // Of the fast filters the one that makes the smallest files of noisy pictures.
            PngEncoder::new_with_quality(out, CompressionType::Fast, FilterType::Paeth)
                .write_image(data, width, height, color)
        }
        SnapshotFormat::Jpg => {
            JpegEncoder::new_with_quality(out, JPEG_QUALITY).write_image(data, width, height, color)
        }
    }
    .map_err(|error| error.to_string())
}

/// Lets `fill` write a file beside `path`, then renames it to `path`. Nothing stays behind
/// where that fails.
///
/// # Errors
/// [`PresentError::Write`] naming `path`.
pub fn write_atomic<F>(path: &Path, fill: F) -> Result<(), PresentError>
where
    F: FnOnce(&mut BufWriter<File>) -> Result<(), String>,
{
    let Some(name) = path.file_name() else {
        return Err(write_error(path, "it names no file".to_owned()));
    };
    // Two threads may write the same file at once; the last one to end wins.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}-{number}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary);
    // Never through a link that somebody put there.
    let file = File::create_new(&temporary).map_err(|e| write_error(path, e.to_string()))?;
    fill_and_rename(file, &temporary, path, fill).map_err(|message| {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
        write_error(path, message)
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

fn write_error(path: &Path, message: String) -> PresentError {
    PresentError::Write {
        path: path.to_owned(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    fn picture(channels: usize) -> Picture {
        let size = Size::new(20, 10);
        let data = (0..size.area() * channels).map(|n| (n / 3) as u8).collect();
        Picture::from_data(size, channels, data).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn png_comes_back_exactly_and_replaces_the_file_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.PNG");
        std::fs::write(&path, "old").unwrap();
        for channels in [1, 3] {
            write_picture(&path, &picture(channels)).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            let back = image::load_from_memory(&bytes).unwrap();
            assert_eq!(back.color().channel_count() as usize, channels);
            assert_eq!(back.as_bytes(), picture(channels).data());
        }
        assert_eq!(names(folder.path()), ["a.PNG"]);
    }

    #[test]
    fn jpeg_by_extension() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        write_picture(&path, &picture(3)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(
            image::guess_format(&bytes).unwrap(),
            image::ImageFormat::Jpeg
        );
    }

    #[test]
    fn a_snapshot_is_the_same_as_the_file() {
        let folder = tempfile::tempdir().unwrap();
        for (name, format) in [
            ("a.png", SnapshotFormat::Png),
            ("a.jpeg", SnapshotFormat::Jpg),
        ] {
            let path = folder.path().join(name);
            write_picture(&path, &picture(3)).unwrap();
            let bytes = encode_snapshot(&picture(3), format).unwrap();
            assert_eq!(bytes, std::fs::read(&path).unwrap());
        }
        let empty = Picture::rgb(Size::new(0, 4));
        let error = encode_snapshot(&empty, SnapshotFormat::Png).unwrap_err();
        assert!(error.to_string().contains("empty"), "{error}");
    }

    #[test]
    fn errors_name_the_file_and_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.gif", "a", "absent/a.png", ".."] {
            let path = folder.path().join(name);
            let error = write_picture(&path, &picture(3)).unwrap_err().to_string();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
        let path = folder.path().join("b.png");
        let error = write_atomic(&path, |_| Err("disk full".to_owned())).unwrap_err();
        assert!(error.to_string().ends_with("b.png: disk full"));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_folder_in_the_way_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::create_dir(&path).unwrap();
        assert!(write_picture(&path, &picture(3)).is_err());
        assert_eq!(names(folder.path()), ["a.png"]);
    }
}
