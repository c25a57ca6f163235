//! An SSD1306 on I2C: the crate of that name, on linux-embedded-hal's bus or on a file.
//!
//! Thread: panel. Blocks: for as long as the messages take. The crate says only that a message
//! failed; [`Watched`] keeps why.

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use embedded_graphics::Drawable;
use embedded_graphics::geometry::Point;
use embedded_graphics::mono_font::iso_8859_1::FONT_6X10;
use embedded_graphics::mono_font::{MonoTextStyle, MonoTextStyleBuilder};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::text::{Baseline, Text};
use embedded_hal::i2c::{ErrorType, I2c, Operation};
use linux_embedded_hal::I2cdev;
use ssd1306::command::AddrMode;
use ssd1306::mode::BufferedGraphicsMode;
use ssd1306::prelude::{
    Brightness, DisplayRotation, DisplaySize, DisplaySize128x32, DisplaySize128x64, I2CInterface,
};
use ssd1306::{I2CDisplayInterface, Ssd1306};

use super::super::bus_log::LoggedI2c;
use crate::config::{BusKind, StatusPanelConfig};

/// Bytes of a row of pages: eight rows of 128 pixels.
const PAGE: usize = 128;
/// 15 clocks of pre-charge, contrast 207 of 255: usual for panels that the chip's charge pump feeds.
const BRIGHTNESS: Brightness = Brightness::custom(0xf, 0xcf);

/// White on black: every pixel of a letter's cell is drawn, so that what was there is gone.
const STYLE: MonoTextStyle<BinaryColor> = MonoTextStyleBuilder::new()
    .font(&FONT_6X10)
    .text_color(BinaryColor::On)
    .background_color(BinaryColor::Off)
    .build();

/// Failed messages of a bus.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// How many.
    pub count: u64,
    /// What the last one's driver said.
    pub last: String,
}

/// [`Faults`] that the bus and its owner share.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedFaults(Arc<Mutex<Faults>>);

impl SharedFaults {
    /// To look at them.
    pub fn lock(&self) -> MutexGuard<'_, Faults> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message failed; see [`Faults`].
#[derive(Debug)]
pub(super) struct Failed;

/// Why is with the bus: the crate's error says no more than that.
fn failed<E>(_: E) -> Failed {
    Failed
}

/// A panel of whichever size, on whichever bus. What failed may be done again.
pub(super) trait Oled: Send {
    /// Makes the panel ready; it stays dark.
    fn configure(&mut self) -> Result<(), Failed>;

    /// Tells a panel anew what it may have forgotten, and lights it; it is dark for the milliseconds that this takes.
    fn renew(&mut self) -> Result<(), Failed>;

    /// Makes the eight rows of a page dark; page 0 is the uppermost.
    fn clear(&mut self, page: u8) -> Result<(), Failed>;

    /// Lights the panel.
    fn switch_on(&mut self) -> Result<(), Failed>;

    /// Writes `text` from the left on, its top at row `y`; sends the pages that it lies in.
    fn write(&mut self, text: &str, y: i32) -> Result<(), Failed>;
}

/// The panel on the bus that `config` names; nothing is sent yet.
///
/// # Errors
/// What was found, and what to do.
pub(super) fn open(
    config: &StatusPanelConfig,
    faults: &SharedFaults,
) -> Result<Box<dyn Oled>, String> {
    match config.bus {
        BusKind::Device => {
            let bus = I2cdev::new(&config.device).map_err(|error| {
                format!(
                    "cannot open {}: {error}; switch I2C on (Raspberry Pi: dtparam=i2c_arm=on), \
                     let filmd's user into group i2c, or set [status_panel] device",
                    config.device.display()
                )
            })?;
            Ok(on_bus(bus, config, faults))
        }
        BusKind::File => {
            let bus = LoggedI2c::open(&config.device, config.fail_every)?;
            Ok(on_bus(bus, config, faults))
        }
    }
}

fn on_bus<B>(bus: B, config: &StatusPanelConfig, faults: &SharedFaults) -> Box<dyn Oled>
where
    B: I2c<Error: Display> + Send + 'static,
{
    let faults = faults.clone();
    let bus = I2CDisplayInterface::new_custom_address(Watched { bus, faults }, config.address);
    let rotation = if config.upside_down {
        DisplayRotation::Rotate180
    } else {
        DisplayRotation::Rotate0
    };
    match config.height {
        32 => {
            Box::new(Ssd1306::new(bus, DisplaySize128x32, rotation).into_buffered_graphics_mode())
        }
        _ => Box::new(Ssd1306::new(bus, DisplaySize128x64, rotation).into_buffered_graphics_mode()),
    }
}

impl<B, S> Oled for Ssd1306<I2CInterface<B>, S, BufferedGraphicsMode<S>>
where
    B: I2c + Send,
    S: DisplaySize<Buffer: Send> + Send,
{
    fn configure(&mut self) -> Result<(), Failed> {
        self.init_with_addr_mode(AddrMode::Horizontal)
            // Lit by the crate; its memory holds anything.
            .and_then(|()| self.set_display_on(false))
            .and_then(|()| self.set_brightness(BRIGHTNESS))
            .map_err(failed)
    }

    fn renew(&mut self) -> Result<(), Failed> {
        self.init_with_addr_mode(AddrMode::Horizontal)
            .and_then(|()| self.set_brightness(BRIGHTNESS))
            .map_err(failed)
    }

    fn clear(&mut self, page: u8) -> Result<(), Failed> {
        self.set_draw_area((0, 8 * page), (128, 8 * (page + 1)))
            .and_then(|()| self.draw(&[0; PAGE]))
            .map_err(failed)
    }

    fn switch_on(&mut self) -> Result<(), Failed> {
        self.set_display_on(true).map_err(failed)
    }

    fn write(&mut self, text: &str, y: i32) -> Result<(), Failed> {
        Text::with_baseline(text, Point::new(0, y), STYLE, Baseline::Top)
            .draw(self)
            .and_then(|_| self.flush())
            .map_err(failed)
    }
}

/// A bus whose failed messages are counted.
struct Watched<B> {
    bus: B,
    faults: SharedFaults,
}

impl<B: ErrorType> ErrorType for Watched<B> {
    type Error = B::Error;
}

impl<B: I2c<Error: Display>> I2c for Watched<B> {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), B::Error> {
        self.bus
            .transaction(address, operations)
            .inspect_err(|error| {
                let mut faults = self.faults.lock();
                faults.count += 1;
                faults.last = error.to_string();
            })
    }
}
