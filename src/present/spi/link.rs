//! mipidsi's SPI interface for one panel: a command that fails is sent again, failures are counted.
//!
//! Thread: present. Blocks: for as long as the bytes take on the wire. Allocates: when made, and in
//! linux-embedded-hal a few bytes for each transfer. Pixels are not sent again here, since only the
//! caller knows where they began.
//!
//! A panel whose supply broke down for a moment says nothing and forgets all that it was told: the commands that
//! switched it on are kept, and sent again when [`Renewal`] asks for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use mipidsi::interface::{Interface, InterfaceKind, SpiError, SpiInterface};

use super::super::attempts::retry;
use super::wires::{Bus, Line};
use crate::clock::Clock;

/// Software reset: it would blank a panel that is well.
const SWRESET: u8 = 0x01;
/// Leaves sleep mode.
const SLPOUT: u8 = 0x11;
/// After which a controller listens again (ST7789 data sheet, section 9.1.12: 5 ms; ILI9341, 8.2.12: 5 ms).
const WAKES_AFTER: Duration = Duration::from_millis(5);

/// Tells the link of a panel, which mipidsi owns, what to do with commands.
#[derive(Debug, Default)]
pub(super) struct Renewal(AtomicU8);

/// It is being switched on: commands are kept.
const STARTS: u8 = 0;
/// Commands are sent.
const RUNS: u8 = 1;
/// Before the next command those that were kept are sent again.
const RENEWS: u8 = 2;

impl Renewal {
    /// The panel is on.
    pub fn started(&self) {
        self.0.store(RUNS, Relaxed);
    }

    /// Let it be switched on again with the next pixels.
    pub fn ask(&self) {
        self.0.store(RENEWS, Relaxed);
    }
}

/// A panel's bus and data line, with a buffer for pixels.
pub(super) struct PanelLink<S, P> {
    spi: Counted<S>,
    data: P,
    buffer: Vec<u8>,
    renewal: Arc<Renewal>,
    /// The commands that switched the panel on, with their arguments.
    kept: Vec<(u8, Vec<u8>)>,
}

impl<S: Bus, P: Line> PanelLink<S, P> {
    /// Sends at most `limit` bytes in a transfer and counts those that fail in `failed`.
    pub fn new(
        spi: S,
        data: P,
        limit: usize,
        failed: Arc<AtomicU64>,
        renewal: Arc<Renewal>,
    ) -> Self {
        Self {
            spi: Counted { spi, failed },
            data,
            buffer: vec![0; limit],
            renewal,
            kept: Vec::new(),
        }
    }

    /// A command that arrived twice does no more than once.
    fn command(&mut self, command: u8, args: &[u8]) -> io::Result<()> {
        retry(|| self.on_wires(|mut wires| wires.send_command(command, args)))
    }

    /// Sends again what switched the panel on.
    fn renew(&mut self) -> io::Result<()> {
        for n in 0..self.kept.len() {
            let (command, args) = self.kept[n].clone();
            self.command(command, &args)?;
            if command == SLPOUT {
                Clock.sleep_until(Clock.now().plus(WAKES_AFTER));
            }
        }
        self.renewal.started();
        Ok(())
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
        match self.renewal.0.load(Relaxed) {
            STARTS if command != SWRESET => self.kept.push((command, args.to_vec())),
            RENEWS => self.renew()?,
            _ => {}
        }
        self.command(command, args)
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
