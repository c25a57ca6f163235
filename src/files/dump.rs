//! Frames that were saved as the camera sent them, without a header: InfiRay P2 Pro, Topdon TC001 and their like.
//!
//! Input: bytes, or a picture made of them. Output: [`RawGrey`]. Fails when: never; what is no such dump is `None`.
//! Not its job: live cameras (`acquire/unpack`).
//!
//! These cameras send a frame of twice the sensor's height: a grey picture in YUYV on top, below it 16-bit counts
//! in 1/64 kelvin. Source: P2Pro-Viewer (LeoDJ).

use super::loaded::RawGrey;
use crate::frame::{Counts, Size};

/// Sensors of these cameras.
const SENSORS: [(usize, usize); 3] = [(256, 192), (160, 120), (384, 288)];
/// Kelvins a count.
const KELVIN: f32 = 1.0 / 64.0;
/// Counts of scenes: -73 to 627 degrees Celsius.
const PLAUSIBLE: std::ops::Range<u16> = 12_800..57_600;
/// The part of the samples that must look right.
const MOST: f32 = 0.98;

/// Said of a frame that was read.
pub const NOTE: &str =
    "the lower half of the camera's double frame is used, as counts of 1/64 kelvin";

/// Whether a file of so many bytes may be one.
pub fn is_size(bytes: u64) -> bool {
    sensor_of(bytes).is_some()
}

fn sensor_of(bytes: u64) -> Option<Size> {
    let area = |(w, h): &&(usize, usize)| (w * h * 4) as u64 == bytes;
    SENSORS.iter().find(area).map(|(w, h)| Size::new(*w, *h))
}

/// A file's bytes as a double frame.
pub fn of_bytes(bytes: &[u8]) -> Option<RawGrey> {
    let size = sensor_of(bytes.len() as u64)?;
    let words: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|two| u16::from_le_bytes([two[0], two[1]]))
        .collect();
    of_words(size, &words)
}

/// A 16-bit picture that is a double frame.
pub fn of_picture(size: Size, words: &[u16]) -> Option<RawGrey> {
    let sensor = Size::new(size.width, size.height / 2);
    let known = SENSORS.contains(&(sensor.width, sensor.height)) && size.height.is_multiple_of(2);
    known.then(|| of_words(sensor, words)).flatten()
}

fn of_words(size: Size, words: &[u16]) -> Option<RawGrey> {
    let (above, below) = words.split_at_checked(size.area())?;
    let share = |part: &[u16], fits: &dyn Fn(&u16) -> bool| {
        part.iter().filter(|word| fits(word)).count() as f32 / part.len().max(1) as f32
    };
    // The chroma of grey is 128.
    let grey = share(above, &|word| (word >> 8).abs_diff(128) <= 2);
    let counts = share(below, &|word| PLAUSIBLE.contains(word));
    if grey < MOST || counts < MOST {
        return None;
    }
    Some(RawGrey {
        counts: Counts {
            size,
            data: below.to_vec(),
            kelvin: Some(KELVIN),
        },
        missing: Vec::new(),
        linear: (1.0, 0.0),
        read_as: Some("InfiRay counts of 1/64 kelvin (right in high gain)".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A double frame of a room of 20 degrees with a hand of 32.
    fn frame() -> Vec<u16> {
        let size = 256 * 192;
        let grey = (0..size).map(|i| 0x8000 | (i % 200) as u16);
        let hand = |i: usize| (i % 256 > 100 && i % 256 < 140) as u16 * 12 * 64;
        let counts = (0..size).map(|i| ((20.0 + 273.15) * 64.0) as u16 + hand(i));
        grey.chain(counts).collect()
    }

    #[test]
    fn a_double_frame_is_read_from_bytes_and_from_a_picture() {
        let words = frame();
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        assert!(is_size(bytes.len() as u64));
        let raw = of_bytes(&bytes).unwrap();
        assert_eq!(raw.counts.size, Size::new(256, 192));
        let found = raw.temperatures().unwrap();
        assert!((found.median - 20.0).abs() < 0.1 && (found.highest - 32.0).abs() < 0.1);
        assert_eq!(of_picture(Size::new(256, 384), &words), Some(raw));
    }

    #[test]
    fn other_bytes_of_that_size_are_none() {
        assert_eq!(of_bytes(&vec![7; 256 * 384 * 2]), None);
        assert_eq!(of_picture(Size::new(256, 384), &vec![300; 256 * 384]), None);
        assert_eq!(of_picture(Size::new(256, 384), &frame()[..9]), None);
    }
}
