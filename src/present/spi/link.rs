//! What mipidsi drives a panel through: commands, and pixels in transfers that the driver takes.
//!
//! Input: commands and pixels. Output: transfers. Thread: present. Blocks: for as long as they
//! take, and the pauses that a controller asks for. Allocates: when made. Fails when: a transfer
//! failed; a command was tried anew before (see `attempts`). Not its job: sending pixels again, since
//! only the caller knows where they began.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use embedded_hal::delay::DelayNs;
use mipidsi::interface::{Interface, InterfaceKind};

use super::super::attempts::persist;
use super::bus::SpiBus;
use crate::clock::Clock;

/// A panel's wires with a buffer for pixels.
pub(super) struct PanelLink {
    bus: SpiBus,
    buffer: Vec<u8>,
    /// Transfers that failed.
    failed: Arc<AtomicU64>,
}

impl PanelLink {
    /// Sends at most `limit` bytes in a transfer and counts those that fail in `failed`.
    pub fn new(bus: SpiBus, limit: usize, failed: Arc<AtomicU64>) -> Self {
        let buffer = vec![0; limit];
        Self {
            bus,
            buffer,
            failed,
        }
    }

    fn transfer(&mut self, is_data: bool, bytes: &[u8]) -> io::Result<()> {
        self.bus.transfer(is_data, bytes).inspect_err(|_| {
            self.failed.fetch_add(1, Relaxed);
        })
    }

    fn command(&mut self, command: u8, arguments: &[u8]) -> io::Result<()> {
        self.transfer(false, &[command])?;
        if arguments.is_empty() {
            return Ok(());
        }
        self.transfer(true, arguments)
    }

    /// Sends the first `length` bytes of the buffer.
    fn flush(&mut self, length: usize) -> io::Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let sent = self.transfer(true, &buffer[..length]);
        self.buffer = buffer;
        sent
    }
}

impl Interface for PanelLink {
    type Word = u8;
    type Error = io::Error;

    const KIND: InterfaceKind = InterfaceKind::Serial4Line;

    fn send_command(&mut self, command: u8, args: &[u8]) -> io::Result<()> {
        // A command that arrived twice does no more than once.
        persist(|| self.command(command, args))
    }

    fn send_pixels<const N: usize>(
        &mut self,
        pixels: impl IntoIterator<Item = [u8; N]>,
    ) -> io::Result<()> {
        let mut filled = 0;
        for pixel in pixels {
            if filled + N > self.buffer.len() {
                self.flush(filled)?;
                filled = 0;
            }
            self.buffer[filled..filled + N].copy_from_slice(&pixel);
            filled += N;
        }
        if filled == 0 {
            return Ok(());
        }
        self.flush(filled)
    }

    fn send_repeated_pixel<const N: usize>(
        &mut self,
        pixel: [u8; N],
        count: u32,
    ) -> io::Result<()> {
        self.send_pixels(std::iter::repeat_n(pixel, count as usize))
    }
}

/// Pauses by filmd's own clock.
pub(super) struct Pause;

impl DelayNs for Pause {
    fn delay_ns(&mut self, ns: u32) {
        let pause = Duration::from_nanos(ns.into());
        Clock.sleep_until(Clock.now().plus(pause));
    }
}
