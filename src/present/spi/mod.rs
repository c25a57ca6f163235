//! A small panel on SPI, of which only the rows that changed are sent.
//!
//! Input: [`FusedFrame`]s. Output: the picture in its aspect as RGB565, by bands of rows. Thread:
//! present. Blocks: for as long as the rows take on the wire (320x240 at 32 MHz: 40 ms), and a
//! third of a second in [`SpiScreen::open`]. Allocates: in [`SpiScreen::open`], and where the
//! picture's size changes. Fails when: the bus is not there or its lines are in use; later when a
//! band failed [`ATTEMPTS`] times in a row, which the driver's time-outs bound. Not its job:
//! panels that the kernel drives (panel-mipi-dbi): those are DRM cards.

mod link;
mod wires;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::pixelcolor::raw::RawU16;
use embedded_hal::delay::DelayNs;
use linux_embedded_hal::Delay;
use mipidsi::models::{ILI9341Rgb565, Model, ST7789};
use mipidsi::options::{ColorInversion, ColorOrder, Orientation, Rotation};
use mipidsi::{Builder, Display, InitError, NoResetPin};

use self::link::{PanelLink, Renewal};
use self::wires::{Backlight, Bus, Line, Wires, transfer_limit};
use super::attempts::{ATTEMPTS, retry};
use super::bus_log::NoDelay;
use super::paint::{Painter, rgb565};
use super::{PresentError, Screen, ScreenEvent};
use crate::clock::{Clock, Timestamp};
use crate::config::{BusKind, PanelController, SpiConfig};
use crate::frame::Size;
use crate::fuse::FusedFrame;

/// A panel is told everything anew so often: one whose supply broke down for a moment is white until then.
const RENEWAL: Duration = Duration::from_secs(30);

/// A band of rows fills about so many transfers: where one fails, so much is sent again.
const BAND: usize = 8;

/// A panel of whichever controller, on whichever wires.
trait Panel: Send {
    /// Writes RGB565 `pixels` to whole rows of `width` from `first` to `last`.
    fn write(&mut self, width: u16, first: u16, last: u16, pixels: &[u16]) -> io::Result<()>;
}

struct WiredPanel<S: Bus, P: Line, M: Model<ColorFormat = Rgb565>> {
    display: Display<PanelLink<S, P>, M, NoResetPin>,
    _reset: Option<P>,
    _backlight: Backlight<P>,
}

impl<S, P, M> Panel for WiredPanel<S, P, M>
where
    S: Bus,
    P: Line,
    M: Model<ColorFormat = Rgb565> + Send,
{
    fn write(&mut self, width: u16, first: u16, last: u16, pixels: &[u16]) -> io::Result<()> {
        let pixels = pixels.iter().map(|&p| Rgb565::from(RawU16::new(p)));
        self.display.set_pixels(0, first, width - 1, last, pixels)
    }
}

/// A panel that this process alone drives.
pub struct SpiScreen {
    name: String,
    device: PathBuf,
    panel: Box<dyn Panel>,
    size: Size,
    rows_in_band: usize,
    /// The panel turns the picture by itself.
    painter: Painter,
    /// XRGB8888.
    picture: Vec<u8>,
    /// The picture to be shown, and what the panel has.
    next: Vec<u16>,
    shown: Vec<u16>,
    /// Nobody knows what the panel has.
    unknown: bool,
    failed: Arc<AtomicU64>,
    renewal: Arc<Renewal>,
    /// When it is switched on again, and how long after that once more.
    renews_at: Timestamp,
    renews_every: Duration,
}

impl SpiScreen {
    /// Opens the bus that `config` names and switches the panel on.
    ///
    /// # Errors
    /// [`PresentError::Unavailable`]: no such node or line, no permission, or a panel's first
    /// commands failed.
    pub fn open(config: &SpiConfig) -> Result<Self, PresentError> {
        let told = (Arc::new(AtomicU64::new(0)), Arc::new(Renewal::default()));
        let panel = match config.bus {
            BusKind::Device => start(Wires::open(config), &mut Delay, config, &told),
            BusKind::File => start(Wires::log(config), &mut NoDelay, config, &told),
        };
        let panel = panel.map_err(PresentError::Unavailable)?;
        let (failed, renewal) = told;
        renewal.started();
        let (width, height) = (config.width.into(), config.height.into());
        let size = match config.rotation {
            90 | 270 => Size::new(height, width),
            _ => Size::new(width, height),
        };
        Ok(Self {
            name: format!(
                "{} {size} on {}, {:.1} MHz",
                config.controller.name(),
                config.device.display(),
                f64::from(config.hz) / 1e6
            ),
            device: config.device.clone(),
            panel,
            size,
            rows_in_band: (BAND * transfer_limit() / (2 * size.width)).max(1),
            painter: Painter::new(size, 0),
            picture: vec![0; 4 * size.area()],
            next: vec![0; size.area()],
            shown: vec![0; size.area()],
            unknown: true,
            failed,
            renewal,
            renews_at: Clock.now().plus(RENEWAL),
            renews_every: RENEWAL,
        })
    }

    fn draw(&mut self, frame: &FusedFrame) {
        if self.painter.prepare(frame.picture.size()) {
            self.picture.fill(0);
        }
        let pitch = 4 * self.size.width;
        self.painter.paint(&frame.picture, &mut self.picture, pitch);
        let pixels = self.picture.as_chunks::<4>().0;
        for (out, &[b, g, r, _]) in self.next.iter_mut().zip(pixels) {
            *out = rgb565([r, g, b]);
        }
    }

    /// The next rows from `from` on that the panel has not, at most a band of them.
    fn changed(&self, from: usize) -> Option<(usize, usize)> {
        let width = self.size.width;
        let row = |y: usize| y * width..(y + 1) * width;
        let differs = |&y: &usize| self.unknown || self.next[row(y)] != self.shown[row(y)];
        let first = (from..self.size.height).find(differs)?;
        let end = self.size.height.min(first + self.rows_in_band);
        let last = (first..end).take_while(differs).last()?;
        Some((first, last))
    }

    fn send(&mut self, first: usize, last: usize) -> io::Result<()> {
        let width = self.size.width;
        let pixels = &self.next[first * width..(last + 1) * width];
        // At most 320: the configuration was checked.
        let short = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let (width, first, last) = (short(width), short(first), short(last));
        // Also the window is set again: nobody knows how far the pixels got.
        retry(|| self.panel.write(width, first, last, pixels))
    }
}

/// What a panel's link and its owner share: failed transfers, and whether the panel is to be told everything anew.
type Told = (Arc<AtomicU64>, Arc<Renewal>);

/// Resets the panel that is on `wires` and switches it on.
fn start<S: Bus, P: Line>(
    wires: Result<Wires<S, P>, String>,
    delay: &mut impl DelayNs,
    config: &SpiConfig,
    told: &Told,
) -> Result<Box<dyn Panel>, String> {
    let mut wires = wires?;
    wires
        .reset(delay)
        .map_err(|error| format!("{}: {error}", config.chip.display()))?;
    match config.controller {
        PanelController::St7789 => switch_on(ST7789, wires, delay, config, told),
        PanelController::Ili9341 => switch_on(ILI9341Rgb565, wires, delay, config, told),
    }
}

fn switch_on<S, P, M>(
    model: M,
    wires: Wires<S, P>,
    delay: &mut impl DelayNs,
    config: &SpiConfig,
    told: &Told,
) -> Result<Box<dyn Panel>, String>
where
    S: Bus,
    P: Line,
    M: Model<ColorFormat = Rgb565> + Send + 'static,
{
    let limit = transfer_limit();
    let link = PanelLink::new(
        wires.spi,
        wires.data,
        limit,
        Arc::clone(&told.0),
        Arc::clone(&told.1),
    );
    let usual = config.controller;
    let invert = config.invert.unwrap_or(usual == PanelController::St7789);
    let bgr = config.bgr.unwrap_or(usual == PanelController::Ili9341);
    let rotation = match config.rotation {
        90 => Rotation::Deg90,
        180 => Rotation::Deg180,
        270 => Rotation::Deg270,
        _ => Rotation::Deg0,
    };
    let plain = Orientation::new();
    let mirrored = if config.mirror {
        plain.flip_horizontal()
    } else {
        plain
    };
    let [x, y] = config.offset;
    let display = Builder::new(model, link)
        .display_size(config.width, config.height)
        .display_offset(x, y)
        .orientation(mirrored.rotate(rotation))
        .invert_colors(if invert {
            ColorInversion::Inverted
        } else {
            ColorInversion::Normal
        })
        .color_order(if bgr {
            ColorOrder::Bgr
        } else {
            ColorOrder::Rgb
        })
        .init(delay)
        .map_err(|error| {
            let why = match error {
                InitError::Interface(error) => error.to_string(),
                other => format!("{other:?}"),
            };
            format!(
                "{}: the panel cannot be switched on ({why}); check its wiring and lower \
                 [present.spi] hz",
                config.device.display()
            )
        })?;
    Ok(Box::new(WiredPanel {
        display,
        _reset: wires.reset,
        _backlight: wires.backlight,
    }))
}

impl Screen for SpiScreen {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> Option<Size> {
        Some(self.size)
    }

    fn show(&mut self, frame: &FusedFrame) -> Result<(), PresentError> {
        self.draw(frame);
        let now = Clock.now();
        if now >= self.renews_at {
            self.renewal.ask();
            self.unknown = true;
            self.renews_at = now.plus(self.renews_every);
        }
        let mut from = 0;
        while let Some((first, last)) = self.changed(from) {
            self.send(first, last).map_err(|error| {
                PresentError::Unavailable(format!(
                    "{}: sending failed {ATTEMPTS} times in a row ({error}); check the panel's \
                     wiring and lower [present.spi] hz",
                    self.device.display()
                ))
            })?;
            from = last + 1;
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        self.unknown = false;
        Ok(())
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        None
    }

    fn failed_transfers(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests;
