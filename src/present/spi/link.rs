//! mipidsi's SPI interface for one panel: a command that fails is sent again, failures are counted.
//!
//! Thread: present. Blocks: for as long as the bytes take on the wire. Allocates: when made, and in
//! linux-embedded-hal a few bytes for each transfer. Pixels are not sent again here, since only the
//! caller knows where they began.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use mipidsi::interface::{Interface, InterfaceKind, SpiError, SpiInterface};

use super::super::attempts::retry;
use super::wires::{Bus, Line};

/// A panel's bus and data line, with a buffer for pixels.
pub(super) struct PanelLink<S, P> {
    spi: Counted<S>,
    data: P,
    buffer: Vec<u8>,
}

impl<S: Bus, P: Line> PanelLink<S, P> {
    /// Sends at most `limit` bytes in a transfer and counts those that fail in `failed`.
    pub fn new(spi: S, data: P, limit: usize, failed: Arc<AtomicU64>) -> Self {
        Self {
            spi: Counted { spi, failed },
            data,
            buffer: vec![0; limit],
        }
    }

    /// mipidsi's interface on these wires. Made for each call, since it borrows its buffer.
    fn on_wires<R>(
        &mut self,
        send: impl FnOnce(
            SpiInterface<&mut Counted<S>, &mut P>,
        ) -> Result<R, SpiError<S::Error, P::Error>>,
    ) -> io::Result<R> {
        let interface = SpiInterface::new(&mut self.spi, &mut self.data, &mut self.buffer);
        send(interface).map_err(|error| match error {
            SpiError::Spi(error) => io::Error::other(error.to_string()),
            SpiError::Dc(error) => io::Error::other(format!("the data line: {error}")),
        })
    }
}

impl<S: Bus, P: Line> Interface for PanelLink<S, P> {
    type Word = u8;
    type Error = io::Error;

    const KIND: InterfaceKind = InterfaceKind::Serial4Line;

    fn send_command(&mut self, command: u8, args: &[u8]) -> io::Result<()> {
        // A command that arrived twice does no more than once.
        retry(|| self.on_wires(|mut wires| wires.send_command(command, args)))
    }

    fn send_pixels<const N: usize>(
        &mut self,
        pixels: impl IntoIterator<Item = [u8; N]>,
    ) -> io::Result<()> {
        self.on_wires(|mut wires| wires.send_pixels(pixels))
    }

    fn send_repeated_pixel<const N: usize>(
        &mut self,
        pixel: [u8; N],
        count: u32,
    ) -> io::Result<()> {
        self.on_wires(|mut wires| wires.send_repeated_pixel(pixel, count))
    }
}

/// A device that counts the transfers that failed and leaves out those of no bytes.
struct Counted<S> {
    spi: S,
    failed: Arc<AtomicU64>,
}

impl<S: ErrorType> ErrorType for Counted<S> {
    type Error = S::Error;
}

impl<S: SpiDevice> SpiDevice for Counted<S> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), S::Error> {
        // mipidsi writes nothing after a command without arguments, and after a full last buffer.
        if let [Operation::Write([])] = operations {
            return Ok(());
        }
        self.spi.transaction(operations).inspect_err(|_| {
            self.failed.fetch_add(1, Relaxed);
        })
    }
}
