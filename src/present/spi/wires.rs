//! What leads to an SPI panel: the bus, the line that tells commands from data, reset, backlight.
//!
//! Either linux-embedded-hal's or a file's; the panel's driver sees the traits of embedded-hal only.

use std::fmt::Display;
use std::path::Path;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;
use embedded_hal::spi::SpiDevice;
use linux_embedded_hal::gpio_cdev::{Chip, LineRequestFlags};
use linux_embedded_hal::spidev::{SpiModeFlags, SpidevOptions};
use linux_embedded_hal::{CdevPin, CdevPinError, SPIError, SpidevDevice};

use super::super::bus_log::{LoggedLine, LoggedSpi};
use crate::config::SpiConfig;

/// Where the driver says how long a transfer may be; a longer one is refused.
const BUFFER_SIZE: &str = "/sys/module/spidev/parameters/bufsiz";
/// What it is unless the board's command line says otherwise.
const USUAL_BUFFER: usize = 4096;
/// A reset pulse, milliseconds: both controllers ask for at least 10 microseconds.
const RESET_MS: u32 = 1;
/// Until a controller listens again after it (ST7789 data sheet, section 7.4.5), milliseconds.
const RESTART_MS: u32 = 120;

/// A bus whose failures have words.
pub(super) trait Bus: SpiDevice<Error: Display> + Send + 'static {}
impl<S: SpiDevice<Error: Display> + Send + 'static> Bus for S {}

/// A line whose failures have words.
pub(super) trait Line: OutputPin<Error: Display> + Send + 'static {}
impl<P: OutputPin<Error: Display> + Send + 'static> Line for P {}

/// Bus and lines of a panel.
pub(super) struct Wires<S, P: OutputPin> {
    /// The bus.
    pub spi: S,
    /// Low: a command; high: data.
    pub data: P,
    /// Low: reset. The line stays ours, and high, for as long as the panel is used.
    pub reset: Option<P>,
    /// Held until the panel is closed.
    pub backlight: Backlight<P>,
}

/// The line of the backlight: high, until it is dropped.
pub(super) struct Backlight<P: OutputPin>(pub Option<P>);

/// The longest transfer that the driver takes, bytes; even, so that no pixel is cut in two.
pub(super) fn transfer_limit() -> usize {
    let said = std::fs::read_to_string(BUFFER_SIZE).ok();
    let size = said.and_then(|text| text.trim().parse().ok());
    size.unwrap_or(USUAL_BUFFER).clamp(64, 1 << 16) & !1
}

impl Wires<SpidevDevice, CdevPin> {
    /// Opens the spidev node and the GPIO lines that `config` names: mode 0, bytes of eight bits.
    ///
    /// # Errors
    /// What was found, and what to do.
    pub fn open(config: &SpiConfig) -> Result<Self, String> {
        let spi = open_spi(&config.device, config.hz)
            .map_err(|error| explain_spi(&config.device, &error))?;
        let line = |number: u32, high: bool| {
            open_line(&config.chip, number, high).map_err(|error| {
                format!(
                    "{}: cannot use the panel's line {number} ({error}); set [present.spi] chip \
                     and the lines to those that the panel is wired to (`gpioinfo` lists them)",
                    config.chip.display()
                )
            })
        };
        let high = |number: Option<u32>| number.map(|number| line(number, true)).transpose();
        Ok(Self {
            spi,
            data: line(config.data_line, false)?,
            reset: high(config.reset_line)?,
            backlight: Backlight(high(config.backlight_line)?),
        })
    }
}

impl Wires<LoggedSpi, LoggedLine> {
    /// Transfers go into the file that `config` names.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn log(config: &SpiConfig) -> Result<Self, String> {
        let (spi, data) = LoggedSpi::open(&config.device, config.hz, config.fail_every)?;
        Ok(Self {
            spi,
            data,
            reset: None,
            backlight: Backlight(None),
        })
    }
}

impl<S: Bus, P: Line> Wires<S, P> {
    /// Resets the panel where its pin is wired.
    ///
    /// # Errors
    /// What the line's driver says.
    pub fn reset(&mut self, delay: &mut impl DelayNs) -> Result<(), String> {
        let Some(line) = &mut self.reset else {
            return Ok(());
        };
        let failed = |error: P::Error| format!("cannot reset the panel: {error}");
        line.set_low().map_err(failed)?;
        delay.delay_ms(RESET_MS);
        line.set_high().map_err(failed)?;
        delay.delay_ms(RESTART_MS);
        Ok(())
    }
}

impl<P: OutputPin> Drop for Backlight<P> {
    fn drop(&mut self) {
        if let Some(line) = &mut self.0 {
            // Nothing is shown any more: a panel that stays lit would show an old picture.
            let _ = line.set_low();
        }
    }
}

fn open_spi(path: &Path, hz: u32) -> Result<SpidevDevice, SPIError> {
    let mut spi = SpidevDevice::open(path)?;
    let options = SpidevOptions::new()
        .mode(SpiModeFlags::SPI_MODE_0)
        .bits_per_word(8)
        .max_speed_hz(hz)
        .build();
    spi.configure(&options)?;
    Ok(spi)
}

fn open_line(chip: &Path, number: u32, high: bool) -> Result<CdevPin, CdevPinError> {
    let line = Chip::new(chip)?.get_line(number)?;
    let handle = line.request(LineRequestFlags::OUTPUT, high.into(), "filmd panel")?;
    Ok(CdevPin::new(handle)?)
}

fn explain_spi(device: &Path, error: &SPIError) -> String {
    let advice = if device.exists() {
        "it must be a spidev node that filmd's user may use (group spi, DeviceAllow in the unit)"
    } else {
        "switch SPI on (Raspberry Pi: dtparam=spi=on) or set [present.spi] device"
    };
    format!("cannot open {}: {error}; {advice}", device.display())
}
