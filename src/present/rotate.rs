//! A picture turned by quarters on its way to a display that is mounted so.
//!
//! Input: an upright picture of 4-byte pixels, which this owns. Output: rows of the display, written once
//! and in order, never read. Thread: present. Blocks: never. Allocates: in [`Rotator::new`]. A target too
//! short is filled as far as it goes. Not its job: scaling.

use crate::frame::Size;

const PIXEL: usize = 4;
/// Rows of the display made together: as many neighbours of a row of the picture are read at
/// once, which is a cache line of most processors.
const BAND: usize = 16;

/// Turns upright pictures by 90, 180 or 270 degrees clockwise.
#[derive(Debug)]
pub struct Rotator {
    quarters: u8,
    size: Size,
    upright: Vec<u8>,
    band: Vec<u8>,
}

impl Rotator {
    /// For a display of `size`; `None` for 0 degrees, which needs no turning, and for what is no
    /// quarter.
    pub fn new(degrees: u16, size: Size) -> Option<Self> {
        let quarters = match degrees {
            90 => 1,
            180 => 2,
            270 => 3,
            _ => return None,
        };
        Some(Self {
            quarters,
            size: if quarters == 2 {
                size
            } else {
                Size::new(size.height, size.width)
            },
            upright: vec![0; size.area() * PIXEL],
            band: vec![0; size.width * BAND * PIXEL],
        })
    }

    /// Size of the upright picture.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The upright picture to be written: rows from the top, tightly packed.
    pub fn upright(&mut self) -> &mut [u8] {
        &mut self.upright
    }

    /// Writes the picture, turned, to `target`, whose rows are `pitch` bytes apart.
    pub fn turn(&mut self, target: &mut [u8], pitch: usize) {
        let Size { width, height } = self.size;
        if width == 0 || height == 0 {
            return;
        }
        if self.quarters == 2 {
            let rows = self.upright.chunks_exact(width * PIXEL).rev();
            for (out, row) in target.chunks_mut(pitch).zip(rows) {
                let pixels = row.as_chunks::<PIXEL>().0.iter().rev();
                for (out, pixel) in out.as_chunks_mut::<PIXEL>().0.iter_mut().zip(pixels) {
                    *out = *pixel;
                }
            }
            return;
        }
        // A row of the display is a column of the picture: the display has `width` rows of
        // `height` pixels.
        let (upright, _) = self.upright.as_chunks::<PIXEL>();
        for (n, out) in target.chunks_mut(BAND * pitch).enumerate() {
            let first = n * BAND;
            let rows = BAND.min(width.saturating_sub(first));
            let (band, _) = self.band.as_chunks_mut::<PIXEL>();
            for y in 0..height {
                // Clockwise by 90 the left column becomes the upper row, its lower end the left.
                let x = if self.quarters == 1 {
                    height - 1 - y
                } else {
                    y
                };
                for row in 0..rows {
                    let column = if self.quarters == 1 {
                        first + row
                    } else {
                        width - 1 - first - row
                    };
                    band[row * height + x] = upright[y * width + column];
                }
            }
            let lines = self.band.chunks_exact(height * PIXEL).take(rows);
            for (out, line) in out.chunks_mut(pitch).zip(lines) {
                let length = line.len().min(out.len());
                out[..length].copy_from_slice(&line[..length]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_turn_needs_no_rotator() {
        assert!(Rotator::new(0, Size::new(4, 4)).is_none());
        assert!(Rotator::new(45, Size::new(4, 4)).is_none());
    }

    proptest! {
        #[test]
        fn each_pixel_lands_where_it_is_seen(
            width in 1_usize..50,
            height in 1_usize..50,
            quarters in 1_u16..4,
            spare in 0_usize..9,
        ) {
            let mut rotator = Rotator::new(90 * quarters, Size::new(width, height)).unwrap();
            let size = rotator.size();
            for (n, pixel) in rotator.upright().chunks_exact_mut(4).enumerate() {
                pixel.copy_from_slice(&(n as u32 + 1).to_le_bytes());
            }
            let pitch = 4 * width + spare;
            let mut target = vec![0; pitch * height];
            rotator.turn(&mut target, pitch);
            for y in 0..size.height {
                for x in 0..size.width {
                    let (column, row) = match quarters {
                        1 => (width - 1 - y, x),
                        2 => (width - 1 - x, height - 1 - y),
                        _ => (y, height - 1 - x),
                    };
                    let at = row * pitch + 4 * column;
                    let found = u32::from_le_bytes(target[at..at + 4].try_into().unwrap());
                    prop_assert_eq!(found as usize, y * size.width + x + 1);
                }
            }
            // Nothing is written beside the picture.
            for row in target.chunks(pitch) {
                prop_assert!(row[4 * width..].iter().all(|byte| *byte == 0));
            }
        }
    }
}
