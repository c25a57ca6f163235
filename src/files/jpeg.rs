//! JPEG: which kind it is, whether it is whole, and what lies beside its picture.
//!
//! Input: bytes. Output: [`About`]. Fails when: the bytes are no JPEG, or of a kind that the decoder lacks
//! ([`Fault`]). Not its job: decoding. Source: ITU-T T.81, table B.1.

use super::error::{CONVERT, Fault};

/// What the markers before the first scan tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The record of a FLIR camera, put together; empty: there is none.
    pub flir: Vec<u8>,
    /// Said of a thermal camera's record that is not read.
    pub note: Option<String>,
}

/// The file begins as a JPEG, and this is missing.
const CUT: &str = "the JPEG ends before its picture begins";
/// FLIR's segments are numbered by a byte.
const PARTS: usize = 256;

/// Reads the markers up to the first scan.
pub fn about(bytes: &[u8]) -> Result<About, Fault> {
    let cut = || Fault::Damaged(CUT.to_owned());
    let mut parts: Vec<Option<&[u8]>> = Vec::new();
    let mut about = About::default();
    let mut frame = false;
    let mut at = 2;
    loop {
        let mark = bytes.get(at..at + 2).ok_or_else(cut)?;
        if mark[0] != 0xff {
            return Err(Fault::Damaged("a marker of the JPEG is missing".to_owned()));
        }
        match mark[1] {
            // Fill bytes, and markers without a segment.
            0xff => {
                at += 1;
                continue;
            }
            0x01 | 0xd0..=0xd8 => {
                at += 2;
                continue;
            }
            0xd9 => return Err(cut()),
            _ => {}
        }
        let length = bytes.get(at + 2..at + 4).ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let segment = bytes.get(at + 4..at + 2 + length.max(2)).ok_or_else(cut)?;
        match mark[1] {
            0xda if frame => break,
            0xda => return Err(Fault::Damaged("the JPEG has no frame header".to_owned())),
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7 => {
                check_frame(mark[1], segment)?;
                frame = true;
            }
            0xe1 if segment.starts_with(b"FLIR\0") => flir_part(segment, &mut parts),
            0xe3 if about.note.is_none() && is_dji(bytes) => {
                about.note = Some(DJI.to_owned());
            }
            _ => {}
        }
        at += 2 + length.max(2);
    }
    let found = parts.iter().flatten().count();
    if found > 0 && found == parts.len() {
        about.flir = parts.into_iter().flatten().flatten().copied().collect();
    } else if found > 0 {
        about.note =
            Some("parts of its FLIR record are missing, so its preview is used".to_owned());
    }
    Ok(about)
}

const DJI: &str = "it is a DJI thermal picture; its temperatures are not read and its coloured preview is used: \
                   convert it to a TIFF with DJI's thermal SDK (dji_irp -a measure)";

/// Whether the maker's name is there, where APP3 holds DJI's record.
fn is_dji(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(8192)]
        .windows(3)
        .any(|w| w == b"DJI")
}

/// `FLIR`, 0, 1, the part's number, the last part's number.
fn flir_part<'a>(segment: &'a [u8], parts: &mut Vec<Option<&'a [u8]>>) {
    let [.., _, number, last] = segment[..segment.len().min(8)] else {
        return;
    };
    let (number, last) = (usize::from(number), usize::from(last));
    if segment.len() > 8 && number <= last && last < PARTS {
        parts.resize(parts.len().max(last + 1), None);
        parts[number] = Some(&segment[8..]);
    }
}

/// Whether the decoder knows frames of this kind.
fn check_frame(marker: u8, segment: &[u8]) -> Result<(), Fault> {
    let precision = segment.first().copied().unwrap_or(0);
    let what = match marker {
        0xc3 => "a lossless JPEG (SOF3)".to_owned(),
        0xc5..=0xc7 => format!("a hierarchical JPEG (SOF{})", marker - 0xc0),
        0xc9..=0xcb | 0xcd..=0xcf => {
            format!("an arithmetic-coded JPEG (SOF{})", marker - 0xc0)
        }
        0xf7 => "a JPEG-LS picture (SOF55)".to_owned(),
        _ if precision != 8 => format!("a {precision}-bit JPEG"),
        _ => return Ok(()),
    };
    Err(Fault::Unsupported(
        what,
        format!("{CONVERT}, or to a baseline JPEG of 8 bits (djpeg or ImageMagick can)"),
    ))
}

/// Two files that differ in what a decoder reads where data is missing: where both give the same picture, none was.
pub fn endings(bytes: &[u8]) -> [Vec<u8>; 2] {
    [0x35_u8, 0xca].map(|seed| {
        let mut whole = bytes.to_vec();
        // Half a marker would swallow the filler.
        while whole.last() == Some(&0xff) {
            whole.pop();
        }
        let mut state = u32::from(seed);
        whole.extend(
            (0..FILLER)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    // No marker is in it.
                    ((state >> 24) as u8) & 0x7f | (seed & 0x80)
                })
                .map(|b| if b == 0xff { 0xfe } else { b }),
        );
        whole.extend([0xff, 0xd9]);
        whole
    })
}

/// Enough for some rows of blocks.
const FILLER: usize = 1 << 14;
