//! SHA-256 as manifests and configurations write it: 64 hexadecimal digits.
//!
//! Input: bytes, or a reader of them. Output: the digits, in lower case. Blocks: on the reader. Fails when:
//! the reader does. Not its job: what is done where a sum is not the expected one.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// Read at once; files of a hundred megabytes are not to lie in memory.
const CHUNK: usize = 256 << 10;

/// Of bytes.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Of all that is left to read.
///
/// # Errors
/// The reader's.
pub fn sha256_of(mut reader: impl Read) -> io::Result<String> {
    let (mut sum, mut buffer) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => sum.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hex(&sum.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn the_sum_of_abc_is_the_standards() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"bc").unwrap();
        let rest = File::open(file.path()).unwrap();
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of(b"a".chain(rest)).unwrap(), expected);
        assert_eq!(sha256(b"abc"), expected);
    }
}
