//! A few words on a small OLED (SSD1306, 128x64 or 128x32, I2C), beside the screen.
//!
//! Input: [`PanelFacts`]. Output: lines of 21 letters. Thread: panel. Blocks: 25 ms at 400 kHz for
//! a full picture, and what a stuck bus takes until the driver gives up, a few times.
//! Allocates: the lines. Fails when: the bus is not there, or refused a few times in a row (see
//! `attempts`). Not its job: the picture.

mod bus;
mod ssd1306;

use std::io;

use embedded_graphics::Drawable;
use embedded_graphics::geometry::Point;
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_1::FONT_6X10;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::text::{Baseline, Text};

use self::bus::I2cBus;
use self::ssd1306::Ssd1306;
use super::PresentError;
use super::attempts::persist;
use super::wrap::{printable, wrap};
use crate::config::{Mode, StatusPanelConfig};
use crate::metrics::Marks;

/// Letters of a line, and pixels from one to the next.
const COLUMNS: usize = 21;
const LINE: usize = 10;

/// What the panel tells.
#[derive(Debug, Clone, Copy)]
pub struct PanelFacts<'a> {
    /// Frames shown a second.
    pub fps: f32,
    /// Mode shown.
    pub mode: Mode,
    /// The guiding text.
    pub text: &'a str,
    /// Degrees Celsius of the board, where it says so.
    pub celsius: Option<f32>,
    /// What is not as it should be.
    pub marks: Marks,
    /// Times the screen was lost, the network failed, or a transfer to a panel failed.
    pub errors: u64,
}

impl PanelFacts<'_> {
    /// Lines for a panel of so many, most important first.
    pub fn lines(&self, count: usize) -> Vec<String> {
        let mut lines = vec![format!("{:.1} fps {}", self.fps, self.mode.name())];
        lines.push(match (self.trouble(), self.celsius) {
            (Some(trouble), _) => trouble.to_owned(),
            (None, Some(celsius)) => format!("ok, {celsius:.0} C, {} errors", self.errors),
            (None, None) => format!("ok, {} errors", self.errors),
        });
        let room = count.saturating_sub(lines.len());
        lines.extend(wrap(&printable(self.text), COLUMNS, room));
        for line in &mut lines {
            if let Some((end, _)) = line.char_indices().nth(COLUMNS) {
                line.truncate(end);
            }
        }
        lines
    }

    fn trouble(&self) -> Option<&'static str> {
        let marks = &self.marks;
        [
            (marks.no_infrared && marks.no_visible, "NO CAMERAS"),
            (marks.no_infrared, "NO THERMAL CAMERA"),
            (marks.no_visible, "NO VISIBLE CAMERA"),
            (marks.frozen, "PICTURE FROZEN"),
            (marks.infrared_stale || marks.visible_stale, "PICTURE HELD"),
            (marks.classic, "CLASSIC FUSION"),
        ]
        .into_iter()
        .find_map(|(set, text)| set.then_some(text))
    }
}

/// An open panel.
pub struct StatusPanel {
    bus: I2cBus,
    chip: Ssd1306,
    shown: Vec<String>,
    lines: usize,
    failed: u64,
}

impl StatusPanel {
    /// Opens the bus that `config` names and switches the panel on.
    ///
    /// # Errors
    /// [`PresentError::Unavailable`]: no such bus, no permission, or nobody answers there.
    pub fn open(config: &StatusPanelConfig) -> Result<Self, PresentError> {
        let bus = I2cBus::open(config).map_err(PresentError::Unavailable)?;
        let mut panel = Self {
            bus,
            chip: Ssd1306::new(config.height.into()),
            shown: Vec::new(),
            lines: usize::from(config.height) / LINE,
            failed: 0,
        };
        panel.start(config.upside_down).map_err(|error| {
            PresentError::Unavailable(format!(
                "{}: no panel answers at {:#04x} ({error}); check its wiring, or \
                     [status_panel] address (`i2cdetect` finds it)",
                config.device.display(),
                config.address
            ))
        })?;
        Ok(panel)
    }

    /// Shows `facts`; sends nothing where the words are the same.
    ///
    /// # Errors
    /// [`PresentError::Unavailable`] once the panel is gone.
    pub fn show(&mut self, facts: &PanelFacts) -> Result<(), PresentError> {
        let lines = facts.lines(self.lines);
        if lines == self.shown {
            return Ok(());
        }
        self.chip.clear();
        let style = MonoTextStyle::new(&FONT_6X10, BinaryColor::On);
        for (n, line) in lines.iter().enumerate() {
            let y = i32::try_from(n * LINE).unwrap_or(i32::MAX);
            let text = Text::with_baseline(line, Point::new(0, y), style, Baseline::Top);
            let Ok(_) = text.draw(&mut self.chip);
        }
        self.send(|chip, bus| chip.flush(bus)).map_err(|error| {
            PresentError::Unavailable(format!("the status panel is lost: {error}"))
        })?;
        self.shown = lines;
        Ok(())
    }

    /// Attempts that failed so far.
    pub fn failed_attempts(&self) -> u64 {
        self.failed
    }

    /// In steps, since each is sent again as a whole where one of its messages fails.
    fn start(&mut self, upside_down: bool) -> io::Result<()> {
        self.send(|chip, bus| chip.configure(upside_down, bus))?;
        self.send(|chip, bus| chip.flush(bus))?;
        self.send(|_, bus| Ssd1306::switch_on(bus))
    }

    fn send(&mut self, what: impl Fn(&Ssd1306, &mut I2cBus) -> io::Result<()>) -> io::Result<()> {
        persist(|| what(&self.chip, &mut self.bus).inspect_err(|_| self.failed += 1))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
