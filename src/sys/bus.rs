//! The two kinds of buses that a small display hangs on: a spidev node and an i2c-dev node.
//!
//! Input: a path and what the bus is to be like. Output: an open file; one `write` is one
//! transfer. Thread: any. Blocks: never; writes to the file do, for as long as they take on the
//! wire. Allocates: never. Fails when: the node cannot be opened or is of another kind. Source:
//! the kernel's include/uapi/linux/spi/spidev.h and i2c-dev.h. Not its job: reading.
//!
//! linux-embedded-hal does this as well, but brings features of libc with it that have every
//! large dependency built again.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::ioctl::{IntegerSetter, Opcode, Setter, ioctl, opcode};

const WR_MODE: Opcode = opcode::write::<u8>(b'k', 1);
const WR_BITS_PER_WORD: Opcode = opcode::write::<u8>(b'k', 3);
const WR_MAX_SPEED_HZ: Opcode = opcode::write::<u32>(b'k', 4);
const I2C_SLAVE: Opcode = 0x0703;

/// Opens a spidev node in mode 0, with bytes of eight bits, at a clock of at most `hz`.
///
/// # Errors
/// What the kernel says; `NotATerminal` (ENOTTY) where `path` is no spidev node.
pub fn open_spi(path: &Path, hz: u32) -> io::Result<File> {
    let file = File::options().write(true).open(path)?;
    #[expect(
        unsafe_code,
        reason = "spidev is set up by ioctls that no safe crate has alone"
    )]
    // SAFETY: each opcode is the kernel's for a value of the type that is passed with it, from
    // which the kernel reads within the call; it keeps no pointer. A file of another kind refuses
    // the opcodes or, where it has the same ones, reads as many bytes as they say.
    unsafe {
        ioctl(&file, Setter::<WR_MODE, u8>::new(0))?;
        ioctl(&file, Setter::<WR_BITS_PER_WORD, u8>::new(8))?;
        ioctl(&file, Setter::<WR_MAX_SPEED_HZ, u32>::new(hz))?;
    }
    Ok(file)
}

/// Opens an i2c-dev node whose writes go to the chip at `address` (7 bits).
///
/// # Errors
/// What the kernel says; EBUSY where a driver has the chip, ENOTTY where `path` is no i2c-dev node.
pub fn open_i2c(path: &Path, address: u8) -> io::Result<File> {
    let file = File::options().write(true).open(path)?;
    #[expect(
        unsafe_code,
        reason = "i2c-dev is set up by an ioctl that no safe crate has alone"
    )]
    // SAFETY: the opcode takes an integer, not a pointer: the kernel reads no memory of ours.
    unsafe {
        ioctl(&file, IntegerSetter::<I2C_SLAVE>::new_usize(address.into()))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opcodes_are_those_of_the_kernels_headers() {
        assert_eq!(WR_MODE, 0x4001_6b01);
        assert_eq!(WR_BITS_PER_WORD, 0x4001_6b03);
        assert_eq!(WR_MAX_SPEED_HZ, 0x4004_6b04);
    }

    #[test]
    fn what_is_no_bus_is_refused() {
        let null = Path::new("/dev/null");
        assert!(open_spi(null, 1_000_000).is_err());
        assert!(open_i2c(null, 0x3c).is_err());
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(open_spi(file.path(), 1_000_000).is_err());
        let missing = open_i2c(Path::new("/dev/i2c-none"), 0x3c).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
