//! Why a picture file, or a folder of them, cannot be used.

use std::path::PathBuf;

use super::{MAX_AREA, MAX_SIDE};

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
    /// Nothing that is known.
    #[error(
        "{0} is not a picture that can be read: expected PNG, JPEG, TIFF, BMP, WebP, GIF or PNM"
    )]
    NotAPicture(PathBuf),
    /// A whole file of a kind that is known and not read.
    #[error("{path} is {what}, which is not read; {advice}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Its kind, with an article.
        what: String,
        /// What to do.
        advice: String,
    },
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
    /// This machine, or the limit on this process, has not the memory.
    #[error("{path} needs about {megabytes} MB of memory, and they are not there; scale it down")]
    Memory {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        megabytes: u64,
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
    #[error("the folder {0} has no picture (PNG, JPEG, TIFF, BMP, WebP, GIF or PNM){1}")]
    NoPicture(PathBuf, String),
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

/// Why bytes give no picture; the caller knows the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// See [`FileError::NotAPicture`].
    NotAPicture,
    /// See [`FileError::Unsupported`]: the kind, and what to do.
    Unsupported(String, String),
    /// See [`FileError::Damaged`].
    Damaged(String),
    /// See [`FileError::TooLarge`].
    TooLarge(String),
    /// See [`FileError::Memory`]: bytes.
    Memory(u64),
}

impl Fault {
    /// A kind that another program can convert.
    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into(), CONVERT.to_owned())
    }

    /// With the file's name.
    pub(super) fn of(self, path: &std::path::Path) -> FileError {
        let path = path.to_owned();
        match self {
            Self::NotAPicture => FileError::NotAPicture(path),
            Self::Unsupported(what, advice) => FileError::Unsupported { path, what, advice },
            Self::Damaged(message) => FileError::Damaged { path, message },
            Self::TooLarge(found) => FileError::TooLarge { path, found },
            Self::Memory(bytes) => FileError::Memory {
                path,
                megabytes: bytes.div_ceil(1 << 20),
            },
        }
    }
}

/// What to do with most kinds.
pub(super) const CONVERT: &str = "convert it to PNG or TIFF first";
