//! Buses without hardware: each transfer goes into a file, and some can be made to fail.
//!
//! [`LoggedSpi`], [`LoggedLine`] and [`LoggedI2c`] implement the traits of embedded-hal beside those
//! of linux-embedded-hal, so that a driver does not know which of them it has. A record is one kind
//! byte (`C` command, `D` data, `W` I2C write, `E` refused), the chip select or address, the clock in
//! units of 10 kHz (16 bits), the length (32 bits, little-endian like the clock), and the bytes. The
//! kernel modules of board/vm write the same, so that one reader serves both. Writing blocks on the
//! disk and allocates nothing.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{self, OutputPin};
use embedded_hal::i2c::{self, I2c};
use embedded_hal::spi::{self, SpiDevice};
use rustix::io::Errno;

/// An open log.
#[derive(Debug)]
struct BusLog {
    file: File,
    transfers: u64,
    fail_every: u64,
}

impl BusLog {
    /// Goes on with the file at `path`, or begins it. Every `fail_every`-th transfer fails with
    /// EIO; 0: none.
    fn open(path: &Path, fail_every: u64) -> Result<Self, String> {
        let file = File::options().append(true).create(true).open(path);
        Ok(Self {
            file: file.map_err(|error| format!("cannot write {}: {error}", path.display()))?,
            transfers: 0,
            fail_every,
        })
    }

    /// Keeps one transfer, or refuses it as a loose wire would.
    fn put(&mut self, kind: u8, device: u8, hz: u32, bytes: &[u8]) -> Result<(), LogError> {
        self.transfers += 1;
        let refused = self.fail_every > 0 && self.transfers.is_multiple_of(self.fail_every);
        let kind = if refused { b'E' } else { kind };
        let clock = u16::try_from(hz / 10_000).unwrap_or(u16::MAX);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let mut header = [kind, device, 0, 0, 0, 0, 0, 0];
        header[2..4].copy_from_slice(&clock.to_le_bytes());
        header[4..].copy_from_slice(&length.to_le_bytes());
        self.file.write_all(&header)?;
        self.file.write_all(bytes)?;
        if refused {
            return Err(LogError(Errno::IO.into()));
        }
        Ok(())
    }
}

/// Why a transfer failed.
#[derive(Debug)]
pub(super) struct LogError(io::Error);

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl spi::Error for LogError {
    fn kind(&self) -> spi::ErrorKind {
        spi::ErrorKind::Other
    }
}

impl i2c::Error for LogError {
    fn kind(&self) -> i2c::ErrorKind {
        i2c::ErrorKind::Other
    }
}

impl digital::Error for LogError {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

/// An SPI device whose transfers go into a file.
#[derive(Debug)]
pub(super) struct LoggedSpi {
    log: BusLog,
    hz: u32,
    is_data: Arc<AtomicBool>,
}

/// The line that tells an SPI panel's commands (low) from its data (high).
#[derive(Debug)]
pub(super) struct LoggedLine {
    is_data: Arc<AtomicBool>,
}

impl LoggedSpi {
    /// A device whose clock is said to be `hz`, with its data line; see [`BusLog::open`].
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn open(path: &Path, hz: u32, fail_every: u64) -> Result<(Self, LoggedLine), String> {
        let is_data = Arc::new(AtomicBool::new(false));
        let line = LoggedLine {
            is_data: Arc::clone(&is_data),
        };
        let log = BusLog::open(path, fail_every)?;
        Ok((Self { log, hz, is_data }, line))
    }
}

impl spi::ErrorType for LoggedSpi {
    type Error = LogError;
}

impl SpiDevice for LoggedSpi {
    fn transaction(&mut self, operations: &mut [spi::Operation<'_, u8>]) -> Result<(), LogError> {
        let kind = if self.is_data.load(Relaxed) {
            b'D'
        } else {
            b'C'
        };
        for operation in operations {
            match operation {
                spi::Operation::Write(bytes) => self.log.put(kind, 0, self.hz, bytes)?,
                spi::Operation::DelayNs(_) => {}
                // Nothing answers.
                _ => return Err(LogError(io::ErrorKind::Unsupported.into())),
            }
        }
        Ok(())
    }
}

impl digital::ErrorType for LoggedLine {
    type Error = LogError;
}

impl OutputPin for LoggedLine {
    fn set_low(&mut self) -> Result<(), LogError> {
        self.is_data.store(false, Relaxed);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), LogError> {
        self.is_data.store(true, Relaxed);
        Ok(())
    }
}

/// An I2C bus whose writes go into a file.
#[derive(Debug)]
pub(super) struct LoggedI2c(BusLog);

impl LoggedI2c {
    /// See [`BusLog::open`].
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn open(path: &Path, fail_every: u64) -> Result<Self, String> {
        BusLog::open(path, fail_every).map(Self)
    }
}

impl i2c::ErrorType for LoggedI2c {
    type Error = LogError;
}

impl I2c for LoggedI2c {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [i2c::Operation<'_>],
    ) -> Result<(), LogError> {
        for operation in operations {
            match operation {
                i2c::Operation::Write(bytes) => self.0.put(b'W', address, 0, bytes)?,
                // Nothing answers.
                i2c::Operation::Read(_) => {
                    return Err(LogError(io::ErrorKind::Unsupported.into()));
                }
            }
        }
        Ok(())
    }
}

/// A file needs no time to reset or to wake.
#[derive(Debug)]
pub(super) struct NoDelay;

impl DelayNs for NoDelay {
    fn delay_ns(&mut self, _: u32) {}
}

/// Reads a log: kind, device, bytes of each record. A cut-off record is left out.
#[cfg(test)]
pub(super) fn read_log(log: &[u8]) -> Vec<(u8, u8, &[u8])> {
    let mut records = Vec::new();
    let mut rest = log;
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let Some((bytes, after)) = after.split_at_checked(length) else {
            break;
        };
        records.push((header[0], header[1], bytes));
        rest = after;
    }
    records
}
