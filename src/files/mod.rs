//! Picture files in and out.
//!
//! Input: paths. Output: [`Loaded`], [`Picture`], files. Fails when: [`FileError`], which names the file, what is
//! wrong with it and what to do. Not its job: size, calibration; folders (see [`crate::folders`]).
//!
//! Formats are told by their content, not by their name: data sets are full of JPEGs called `.png`. Pictures come
//! upright, whatever the camera noted (EXIF, TIFF), and without transparency. A decoder's panic is an error.

mod dump;
mod error;
mod flir;
pub mod guard;
mod jpeg;
pub mod kind;
mod loaded;
mod raster;
mod telemetry;
mod tiff;
mod upright;
mod values;
mod write;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use error::FileError;
pub use loaded::{Content, Loaded, RawGrey, Temperatures};
pub use write::{
    Beside, check_output, encode_picture, write_atomic, write_picture, write_picture_with,
};

use crate::frame::{Picture, Size};
use error::Fault;
use kind::Kind;

/// Longest side that is read; beyond it a file is a decompression bomb or a mistake.
pub const MAX_SIDE: u32 = 16_384;
/// Most pixels that are read.
pub const MAX_AREA: u64 = 1 << 26;
/// Longest file that is read.
const MAX_BYTES: u64 = 1 << 29;
/// Most bytes of a file whose header is looked for.
const MAX_HEADER: u64 = 1 << 22;

/// What becomes of grey of more than 8 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grey16 {
    /// Counts of a sensor, mapped as a live camera's are. Thermal and CT data fill a small part of 16 bits, and
    /// their high byte alone would be a flat picture.
    #[default]
    Mapped,
    /// The high byte, as 16-bit colour always: what counts is that equal files give equal grey.
    HighByte,
}

/// Reads a picture: grey files give one channel, colour files three. 16-bit colour keeps its high byte, 16-bit grey
/// is mapped ([`Grey16::Mapped`]).
///
/// # Errors
/// [`FileError`].
pub fn read_picture(path: &Path) -> Result<Picture, FileError> {
    read_picture_with(path, Grey16::Mapped)
}

/// As [`read_picture`], with a choice for 16-bit grey.
///
/// # Errors
/// [`FileError`].
pub fn read_picture_with(path: &Path, grey16: Grey16) -> Result<Picture, FileError> {
    Ok(match load(path)?.content {
        Content::Picture(picture) => picture,
        Content::Counts(mut raw) if grey16 == Grey16::Mapped => {
            raw.mend();
            raw.map().picture
        }
        Content::Counts(raw) => raw.high_bytes(),
    })
}

/// Reads all that a file holds.
///
/// # Errors
/// [`FileError`].
pub fn load(path: &Path) -> Result<Loaded, FileError> {
    load_bytes(&read_bytes(path)?).map_err(|fault| fault.of(path))
}

/// Reads a file's bytes; for the fuzzer, which has no files. Whether they are a picture.
pub fn decodes(bytes: &[u8]) -> bool {
    load_bytes(bytes).is_ok()
}

fn load_bytes(bytes: &[u8]) -> Result<Loaded, Fault> {
    let decoded = guard::without_panic(|| match Kind::of(bytes) {
        Kind::Raster(format) => raster::load(bytes, format),
        Kind::Tiff => tiff::load(bytes),
        Kind::Flir => flir::read(bytes).map(raster::of_flir),
        Kind::Foreign(what, advice) => Err(Fault::Unsupported(what.into(), advice.into())),
        Kind::Unknown => match dump::of_bytes(bytes) {
            Some(raw) => Ok(Loaded {
                notes: vec![dump::NOTE.to_owned()],
                ..Loaded::of(Content::Counts(raw))
            }),
            None => Err(Fault::NotAPicture),
        },
    });
    let mut loaded = decoded
        .unwrap_or_else(|words| Err(Fault::Damaged(format!("its decoder failed: {words}"))))?;
    if let Content::Counts(raw) = &mut loaded.content {
        if let Some(frame) = dump::of_picture(raw.counts.size, &raw.counts.data) {
            *raw = frame;
            loaded.notes.push(dump::NOTE.to_owned());
        } else if let Some((rows, place)) = telemetry::cut(raw) {
            let note = format!("{rows} rows of telemetry {place} its picture are left out");
            loaded.notes.push(note);
        }
    }
    Ok(loaded)
}

/// The size that a picture has once it is upright, by its header.
///
/// # Errors
/// Those of [`load`], as far as a header shows them.
pub fn read_size(path: &Path) -> Result<Size, FileError> {
    check_file(path)?;
    let mut bytes = Vec::new();
    let read = |file: File| file.take(MAX_HEADER).read_to_end(&mut bytes);
    File::open(path)
        .and_then(read)
        .map_err(|source| refused(path, source))?;
    let cut = bytes.len() as u64 == MAX_HEADER;
    let found = guard::without_panic(|| match Kind::of(&bytes) {
        Kind::Raster(format) => raster::size(&bytes, format),
        // A directory may lie at the file's end.
        Kind::Tiff if cut => Err(Fault::Damaged(String::new())),
        Kind::Tiff => tiff::size(&bytes),
        Kind::Foreign(what, advice) => Err(Fault::Unsupported(what.into(), advice.into())),
        Kind::Flir | Kind::Unknown => load_bytes(&bytes).map(|loaded| loaded.content.size()),
    });
    let found = found.unwrap_or_else(|words| Err(Fault::Damaged(words)));
    let found = match found {
        Err(_) if cut && Kind::of(&bytes) == Kind::Tiff => tiff::size(&read_bytes(path)?),
        Err(_) if cut => return load(path).map(|loaded| loaded.content.size()),
        found => found,
    };
    found.map_err(|fault| fault.of(path))
}

/// Whether a file is one that [`load`] knows, by its first bytes; `None`: it cannot be looked into.
pub fn is_picture(path: &Path) -> Option<bool> {
    let about = std::fs::metadata(path)
        .ok()
        .filter(|about| about.is_file())?;
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(kind::LOOKED_AT as u64)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(Kind::of(&bytes).is_read() || dump::is_size(about.len()))
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

/// A size within the limits.
fn checked_size(width: u64, height: u64) -> Result<Size, Fault> {
    let found = format!("{width}x{height} by its header");
    let side = u64::from(MAX_SIDE);
    if width > side || height > side || width * height > MAX_AREA {
        return Err(Fault::TooLarge(found));
    }
    if width == 0 || height == 0 {
        return Err(Fault::Damaged(format!("its size is {found}")));
    }
    Ok(Size::new(width as usize, height as usize))
}

/// Whether `path` is a regular file of a length that is read; anything else might block or never end.
fn check_file(path: &Path) -> Result<u64, FileError> {
    let about = std::fs::metadata(path).map_err(|source| refused(path, source))?;
    if !about.is_file() {
        return Err(FileError::Kind {
            path: path.to_owned(),
            expected: "a file",
        });
    }
    match about.len() {
        0 => Err(FileError::Empty(path.to_owned())),
        length if length > MAX_BYTES => Err(FileError::TooLarge {
            path: path.to_owned(),
            found: format!("{length} bytes"),
        }),
        length => Ok(length),
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let length = check_file(path)?;
    if !guard::has_memory(length) {
        return Err(Fault::Memory(length).of(path));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    // A file may grow while it is read.
    let read = |file: File| file.take(MAX_BYTES).read_to_end(&mut bytes);
    File::open(path)
        .and_then(read)
        .map_err(|source| refused(path, source))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
