//! What a camera says about itself in the rows below its picture.
//!
//! Input: the bytes of a buffer. Output: [`Telemetry`]. Thread: acquire. Blocks: never. Allocates:
//! never. Fails when: the buffer is too short (`None`). Not its job: what follows from it (see
//! `camera::channel`).
//!
//! Source: FLIR Lepton Engineering Data Sheet (500-0659-00-09), section 3.4 "Telemetry Modes". Rows
//! A, B and C of 80 words follow each other without gaps, whether the picture has 80 words in a row
//! (Lepton 2.5) or 160 (Lepton 3.5). A number of 32 bits has its high word first.

use super::unpack::BufferLayout;

/// Words in one of the data sheet's rows.
const ROW: usize = 80;
/// Row A, words 3 and 4: status bits.
const STATUS: usize = 3;
/// Row A, words 20 and 21: frames since the start; repeats have the same.
const FRAME_COUNTER: usize = 20;
/// Row C, word 48: counts are temperatures.
const TLINEAR_ON: usize = 2 * ROW + 48;
/// Row C, word 49: 0 tenths of a kelvin, 1 hundredths.
const TLINEAR_FINE: usize = 2 * ROW + 49;

/// Where the shutter is (flat field correction, FFC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutter {
    /// Open: pictures are of the scene.
    Open,
    /// About to close: pictures are still of the scene.
    Imminent,
    /// Closed: pictures are of the shutter.
    Closed,
}

/// What a frame says about itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Telemetry {
    /// Running number; a frame that was sent again has the same.
    pub frame: u32,
    /// Where the shutter is.
    pub shutter: Shutter,
    /// Kelvins a count; `None`: counts are no temperatures.
    pub kelvin_per_count: Option<f32>,
}

/// Reads the telemetry of a Lepton; `None` where the buffer has not so many rows, or the camera leaves them empty
/// (telemetry is off).
pub fn lepton(layout: &BufferLayout, bytes: &[u8]) -> Option<Telemetry> {
    let rows = bytes.get(layout.size.height * layout.stride..)?;
    let width = layout.size.width.max(1);
    let word = |index: usize| {
        let at = index / width * layout.stride + index % width * 2;
        let pair = rows.get(at..at + 2)?;
        Some(u16::from_le_bytes([pair[0], pair[1]]))
    };
    if (0..ROW).all(|index| word(index) == Some(0)) {
        return None;
    }
    let long = |index: usize| Some(u32::from(word(index)?) << 16 | u32::from(word(index + 1)?));
    let kelvin = match (word(TLINEAR_ON)?, word(TLINEAR_FINE)?) {
        (0, _) => None,
        (_, 0) => Some(0.1),
        _ => Some(0.01),
    };
    Some(Telemetry {
        frame: long(FRAME_COUNTER)?,
        shutter: match long(STATUS)? >> 4 & 3 {
            1 => Shutter::Imminent,
            2 => Shutter::Closed,
            // Never done, or done.
            _ => Shutter::Open,
        },
        kelvin_per_count: kelvin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    fn buffer(layout: &BufferLayout, words: &[(usize, u16)]) -> Vec<u8> {
        let rows = layout.size.height + layout.telemetry_rows;
        let mut bytes = vec![0; rows * layout.stride];
        for (index, word) in words {
            let (row, column) = (index / layout.size.width, index % layout.size.width);
            let at = (layout.size.height + row) * layout.stride + 2 * column;
            bytes[at..at + 2].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn both_leptons_say_the_same_in_rows_of_their_own_length() {
        // Frame 0x0001_0002, FFC in progress, hundredths of a kelvin.
        let words = [(4, 2 << 4), (20, 1), (21, 2), (208, 1), (209, 1)];
        for (width, height, rows, stride) in [(160, 120, 2, 320), (80, 60, 3, 192)] {
            let layout = BufferLayout {
                size: Size::new(width, height),
                stride,
                telemetry_rows: rows,
            };
            let bytes = buffer(&layout, &words);
            let found = lepton(&layout, &bytes).unwrap();
            assert_eq!((found.frame, found.shutter), (0x1_0002, Shutter::Closed));
            assert_eq!(found.kelvin_per_count, Some(0.01));
            let short = height * stride + 300;
            assert_eq!(lepton(&layout, &bytes[..short]), None);
            // The firmware leaves the rows empty where telemetry is off: no frame is a repeat then.
            assert_eq!(lepton(&layout, &buffer(&layout, &[])), None);
        }
    }

    #[test]
    fn states_of_the_shutter_and_of_radiometry_are_told_apart() {
        let layout = BufferLayout {
            size: Size::new(160, 4),
            stride: 320,
            telemetry_rows: 2,
        };
        let of = |state: u16, on: u16, fine: u16| {
            let words = [(4, state << 4 | 8), (208, on), (209, fine)];
            let found = lepton(&layout, &buffer(&layout, &words)).unwrap();
            (found.shutter, found.kelvin_per_count)
        };
        assert_eq!(of(0, 0, 1), (Shutter::Open, None));
        assert_eq!(of(1, 1, 0), (Shutter::Imminent, Some(0.1)));
        assert_eq!(of(3, 1, 1), (Shutter::Open, Some(0.01)));
    }
}
