//! A bus without hardware: each transfer goes into a file, and some can be made to fail.
//!
//! Input: transfers. Output: records of one kind byte (`C` command, `D` data, `W` I2C write, `E`
//! refused), the chip select or address, the clock in units of 10 kHz (16 bits), the length (32
//! bits, little-endian like the clock), the bytes. The kernel modules of board/vm write the same,
//! so that one reader serves both. Thread: the panel's. Blocks: on the disk. Allocates: never.
//! Fails when: the file cannot be written, or as asked for. Not its job: what the bytes mean.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use rustix::io::Errno;

/// An open log.
#[derive(Debug)]
pub(super) struct BusLog {
    file: File,
    transfers: u64,
    fail_every: u64,
}

impl BusLog {
    /// Goes on with the file at `path`, or begins it. Every `fail_every`-th transfer fails with
    /// EIO; 0: none.
    pub fn open(path: &Path, fail_every: u64) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        Ok(Self {
            file,
            transfers: 0,
            fail_every,
        })
    }

    /// Keeps one transfer, or refuses it as a loose wire would.
    pub fn put(&mut self, kind: u8, device: u8, hz: u32, bytes: &[u8]) -> io::Result<()> {
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
            return Err(Errno::IO.into());
        }
        Ok(())
    }
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
