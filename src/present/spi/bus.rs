//! The wires of an SPI panel: the bus, the line that tells commands from data, reset, backlight.
//!
//! Input: [`SpiConfig`], bytes. Output: transfers on spidev, or in a file. Thread: present.
//! Blocks: for as long as the bytes take on the wire. Allocates: in [`SpiBus::open`]. Fails when:
//! a node cannot be opened, or the driver refuses a transfer. Not its job: trying again.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use gpiocdev::Request;
use gpiocdev::line::Value;

use super::super::bus_log::BusLog;
use crate::clock::Clock;
use crate::config::{BusKind, SpiConfig};
use crate::sys::bus::open_spi;

/// Where the driver says how long a transfer may be; a longer one is refused.
const BUFFER_SIZE: &str = "/sys/module/spidev/parameters/bufsiz";
/// What it is unless the board's command line says otherwise.
const USUAL_BUFFER: usize = 4096;
/// A reset pulse: both controllers ask for at least 10 microseconds.
const RESET: std::time::Duration = std::time::Duration::from_millis(1);
/// Until a controller listens again after it (ST7789 data sheet, section 7.4.5).
const RESTART: std::time::Duration = std::time::Duration::from_millis(120);

/// An open bus.
pub(super) enum SpiBus {
    /// The kernel's.
    Device(Box<Wires>),
    /// A file.
    File {
        /// The transfers.
        log: BusLog,
        /// The clock asked for.
        hz: u32,
    },
}

/// What leads to a real panel.
pub(super) struct Wires {
    spi: File,
    lines: Request,
    data_line: u32,
    backlight: Option<u32>,
    /// What the data line says, once it was set.
    is_data: Option<bool>,
}

/// The longest transfer that the driver takes, bytes; even, so that no pixel is cut in two.
pub(super) fn transfer_limit() -> usize {
    let said = std::fs::read_to_string(BUFFER_SIZE).ok();
    let size = said.and_then(|text| text.trim().parse().ok());
    size.unwrap_or(USUAL_BUFFER).clamp(64, 1 << 16) & !1
}

impl SpiBus {
    /// Opens what `config` names, sets the mode, and resets the panel where its pin is wired.
    ///
    /// # Errors
    /// What was found, and what to do.
    pub fn open(config: &SpiConfig) -> Result<Self, String> {
        match config.bus {
            BusKind::Device => Ok(Self::Device(Box::new(Wires::open(config)?))),
            BusKind::File => {
                let log = BusLog::open(&config.device, config.fail_every)
                    .map_err(|e| format!("cannot write {}: {e}", config.device.display()))?;
                Ok(Self::File { log, hz: config.hz })
            }
        }
    }

    /// One transfer of at most [`transfer_limit`] bytes.
    pub fn transfer(&mut self, is_data: bool, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File { log, hz } => log.put(if is_data { b'D' } else { b'C' }, 0, *hz, bytes),
            Self::Device(wires) => wires.transfer(is_data, bytes),
        }
    }
}

impl Wires {
    fn open(config: &SpiConfig) -> Result<Self, String> {
        let spi = open_spi(&config.device, config.hz)
            .map_err(|error| explain_open(&config.device, &error))?;
        let mut builder = Request::builder();
        builder
            .on_chip(&config.chip)
            .with_consumer("filmd panel")
            .with_line(config.data_line)
            .as_output(Value::Inactive);
        for line in [config.reset_line, config.backlight_line]
            .into_iter()
            .flatten()
        {
            builder.with_line(line).as_output(Value::Active);
        }
        let lines = builder.request().map_err(|error| {
            format!(
                "{}: cannot use the panel's lines ({error}); set [present.spi] chip and the \
                 lines to those that the panel is wired to (`gpioinfo` lists them)",
                config.chip.display()
            )
        })?;
        let mut wires = Self {
            spi,
            lines,
            data_line: config.data_line,
            backlight: config.backlight_line,
            is_data: None,
        };
        wires.reset(config)?;
        Ok(wires)
    }

    fn reset(&mut self, config: &SpiConfig) -> Result<(), String> {
        let Some(line) = config.reset_line else {
            return Ok(());
        };
        for (value, rest) in [(Value::Inactive, RESET), (Value::Active, RESTART)] {
            self.lines
                .set_value(line, value)
                .map_err(|e| format!("{}: cannot reset the panel: {e}", config.chip.display()))?;
            Clock.sleep_until(Clock.now().plus(rest));
        }
        Ok(())
    }

    fn transfer(&mut self, is_data: bool, bytes: &[u8]) -> io::Result<()> {
        if self.is_data != Some(is_data) {
            let value = if is_data {
                Value::Active
            } else {
                Value::Inactive
            };
            self.lines
                .set_value(self.data_line, value)
                .map_err(|error| io::Error::other(format!("the data line: {error}")))?;
            self.is_data = Some(is_data);
        }
        let sent = self.spi.write(bytes)?;
        if sent != bytes.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(())
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        if let Some(line) = self.backlight {
            // Nothing is shown any more: a panel that stays lit would show an old picture.
            let _ = self.lines.set_value(line, Value::Inactive);
        }
    }
}

fn explain_open(device: &Path, error: &io::Error) -> String {
    let advice = if device.exists() {
        "it must be a spidev node that filmd's user may use (group spi, DeviceAllow in the unit)"
    } else {
        "switch SPI on (Raspberry Pi: dtparam=spi=on) or set [present.spi] device"
    };
    format!("cannot open {}: {error}; {advice}", device.display())
}
