//! Files that are read whole: regular ones of a bounded size, and nothing else.
//!
//! A configuration that names a pipe would wait for ever, one that names a device would fill the memory.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// Most bytes of a configuration, a calibration or another text.
pub const TEXT: u64 = 1 << 20;
/// Most bytes of a network.
pub const NETWORK: u64 = 64 << 20;

/// The bytes of a regular file of at most `most` bytes.
///
/// # Errors
/// The system's, and one that says what was found where it is no such file.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let about = std::fs::metadata(path)?;
    if !about.is_file() {
        let kind = about.file_type();
        let found = match () {
            () if kind.is_dir() => "a folder",
            () if kind.is_fifo() => "a pipe",
            () if kind.is_socket() => "a socket",
            () => "a device",
        };
        let message = format!("it is {found}; name a regular file");
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let mut bytes = Vec::new();
    // It may grow in between.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let found = about.len().max(most + 1);
        let message = format!("it has {found} bytes, more than the {most} that are read");
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// Those of [`read`]; bytes that are no UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    let bytes = read(path, most)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("byte {at} is no UTF-8 text");
        Error::new(ErrorKind::InvalidData, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_is_named_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for (path, found) in [
            (pipe.as_path(), "a pipe"),
            (Path::new("/dev/zero"), "a device"),
            (folder.path(), "a folder"),
        ] {
            let error = read(path, TEXT).unwrap_err().to_string();
            assert!(error.contains(found), "{error}");
        }
    }

    #[test]
    fn a_file_beyond_the_limit_is_refused_with_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(10 << 30).unwrap();
        let error = read(&path, NETWORK).unwrap_err().to_string();
        assert!(error.contains(&(10u64 << 30).to_string()), "{error}");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read_text(&path, 4).unwrap(), "text");
        assert!(read_text(&path, 3).is_err());
        std::fs::write(&path, [b'a', 0xff]).unwrap();
        assert!(
            read_text(&path, TEXT)
                .unwrap_err()
                .to_string()
                .contains("byte 1")
        );
    }
}
