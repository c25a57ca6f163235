//! The SSD1306: how it is switched on, and its picture memory.
//!
//! Source: Solomon Systech, SSD1306 data sheet revision 1.1, sections 8.1.5 (I2C), 9 (commands),
//! and the application note's start-up. The crate of that name would do as well, but its macros
//! change features that llama.cpp's build depends on. Input: pixels. Output: messages. Thread:
//! panel. Blocks: see [`I2cBus`]. Allocates: when made. Fails when: a message fails. Not its job:
//! text.

use std::io;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Size};
use embedded_graphics::pixelcolor::BinaryColor;

use super::bus::I2cBus;

const WIDTH: usize = 128;
/// First byte of a message: all that follows are commands, or data.
const COMMANDS: u8 = 0x00;
const DATA: u8 = 0x40;
/// Data bytes of a message; some adapters take no longer ones.
const CHUNK: usize = 32;

/// A panel of 128 columns.
#[derive(Debug)]
pub(super) struct Ssd1306 {
    rows: usize,
    /// A byte is eight pixels of a column, the lowest bit on top; pages of eight rows.
    memory: Vec<u8>,
}

impl Ssd1306 {
    /// All dark.
    pub fn new(rows: usize) -> Self {
        Self {
            rows,
            memory: vec![0; WIDTH * rows / 8],
        }
    }

    /// All dark again; nothing is sent.
    pub fn clear(&mut self) {
        self.memory.fill(0);
    }

    /// Makes the panel ready; it stays dark until [`Ssd1306::switch_on`].
    pub fn configure(&self, upside_down: bool, bus: &mut I2cBus) -> io::Result<()> {
        let last = u8::try_from(self.rows - 1).unwrap_or(63);
        // Pins of a 32-row panel are in order, those of a 64-row one alternate.
        let pins = if self.rows == 32 { 0x02 } else { 0x12 };
        let (columns, scan) = if upside_down {
            (0xa0, 0xc0)
        } else {
            (0xa1, 0xc8)
        };
        for command in [
            &[0xae][..],   // off
            &[0xd5, 0x80], // clock
            &[0xa8, last], // rows
            &[0xd3, 0x00], // no offset
            &[0x40],       // first row
            &[0x8d, 0x14], // charge pump on
            &[0x20, 0x00], // columns first, then pages
            &[columns],    // direction of columns
            &[scan],       // direction of rows
            &[0xda, pins], // wiring of the glass
            &[0x81, 0xcf], // contrast
            &[0xd9, 0xf1], // pre-charge
            &[0xdb, 0x40], // level of dark
            &[0xa4],       // show memory
            &[0xa6],       // not inverted
        ] {
            send(bus, COMMANDS, command)?;
        }
        Ok(())
    }

    /// Lights the panel.
    pub fn switch_on(bus: &mut I2cBus) -> io::Result<()> {
        send(bus, COMMANDS, &[0xaf])
    }

    /// Sends the whole picture.
    pub fn flush(&self, bus: &mut I2cBus) -> io::Result<()> {
        let last_page = u8::try_from(self.rows / 8 - 1).unwrap_or(7);
        send(bus, COMMANDS, &[0x21, 0, 127])?;
        send(bus, COMMANDS, &[0x22, 0, last_page])?;
        for chunk in self.memory.chunks(CHUNK) {
            send(bus, DATA, chunk)?;
        }
        Ok(())
    }
}

fn send(bus: &mut I2cBus, kind: u8, bytes: &[u8]) -> io::Result<()> {
    let mut message = [0; CHUNK + 1];
    message[0] = kind;
    message[1..=bytes.len()].copy_from_slice(bytes);
    bus.write(&message[..=bytes.len()])
}

impl OriginDimensions for Ssd1306 {
    fn size(&self) -> Size {
        let rows = u32::try_from(self.rows).unwrap_or(64);
        Size::new(128, rows)
    }
}

impl DrawTarget for Ssd1306 {
    type Color = BinaryColor;
    type Error = std::convert::Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Self::Error>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        for Pixel(point, color) in pixels {
            let (Ok(x), Ok(y)) = (usize::try_from(point.x), usize::try_from(point.y)) else {
                continue;
            };
            if x >= WIDTH || y >= self.rows {
                continue;
            }
            let byte = &mut self.memory[y / 8 * WIDTH + x];
            let bit = 1 << (y % 8);
            match color {
                BinaryColor::On => *byte |= bit,
                BinaryColor::Off => *byte &= !bit,
            }
        }
        Ok(())
    }
}
