//! Is a JPEG whole? The decoder fills what is missing with grey and says nothing.
//!
//! Input: bytes. Output: whether Huffman tables are in them, or what is wrong. Fails when: the bytes are no
//! whole JPEG. Not its job: decoding.

/// Whether a JPEG picture has its end marker. The decoder fills what is missing with grey, so a
/// torn transfer or a cut file has to be found here.
///
/// Walks the segments (ITU-T T.81, annex B), so the thumbnail inside an EXIF segment does not count.
///
/// Says whether the picture brings its own Huffman tables.
///
/// # Errors
/// What is wrong, in words.
pub fn check(bytes: &[u8]) -> Result<bool, &'static str> {
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
