//! A few words on a small OLED (SSD1306, 128x64 or 128x32, I2C), beside the screen.
//!
//! Input: [`PanelFacts`]. Output: lines of 21 letters, of which only those that changed are sent.
//! Thread: panel. Blocks: 7 ms at 400 kHz for a line, and what a stuck bus takes until the driver
//! gives up, a few times. Allocates: the lines. Fails when: the bus is not there, or refused a few
//! times in a row (see `attempts`). Not its job: the picture.

mod oled;

use std::io;
use std::time::Duration;

use self::oled::{Failed, Oled, SharedFaults};
use super::PresentError;
use super::attempts::retry;
use super::wrap::{printable, wrap};
use crate::clock::{Clock, Timestamp};
use crate::config::{Mode, StatusPanelConfig};
use crate::metrics::Marks;

/// Letters of a line, and pixels from one to the next.
const COLUMNS: usize = 21;
const LINE: usize = 10;
/// The panel is told everything anew so often.
const RENEWAL: Duration = Duration::from_secs(30);

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
    oled: Box<dyn Oled>,
    faults: SharedFaults,
    /// The lines that are lit, each of [`COLUMNS`] letters.
    shown: Vec<String>,
    /// Groups of eight rows.
    pages: u8,
    /// When it is told everything anew.
    renews_at: Timestamp,
}

impl StatusPanel {
    /// Opens the bus that `config` names and switches the panel on.
    ///
    /// # Errors
    /// [`PresentError::Unavailable`]: no such bus, no permission, or nobody answers there.
    pub fn open(config: &StatusPanelConfig) -> Result<Self, PresentError> {
        let faults = SharedFaults::default();
        let mut panel = Self {
            oled: oled::open(config, &faults).map_err(PresentError::Unavailable)?,
            faults,
            shown: vec![" ".repeat(COLUMNS); usize::from(config.height) / LINE],
            pages: config.height / 8,
            renews_at: Clock.now().plus(RENEWAL),
        };
        panel.start().map_err(|error| {
            PresentError::Unavailable(format!(
                "{}: no panel answers at {:#04x} ({error}); check its wiring, or \
                     [status_panel] address (`i2cdetect` finds it)",
                config.device.display(),
                config.address
            ))
        })?;
        Ok(panel)
    }

    /// Shows `facts`; sends nothing where the words are the same, but for all of it every half minute: a panel whose
    /// supply broke down for a moment is dark until then.
    ///
    /// # Errors
    /// [`PresentError::Unavailable`] once the panel is gone.
    pub fn show(&mut self, facts: &PanelFacts) -> Result<(), PresentError> {
        let lost = |error| PresentError::Unavailable(format!("the status panel is lost: {error}"));
        if Clock.now() >= self.renews_at {
            self.send(|oled| oled.renew()).map_err(lost)?;
            for page in 0..self.pages {
                self.send(|oled| oled.clear(page)).map_err(lost)?;
            }
            self.shown.iter_mut().for_each(String::clear);
            self.renews_at = Clock.now().plus(RENEWAL);
        }
        let mut lines = facts.lines(self.shown.len()).into_iter();
        for n in 0..self.shown.len() {
            let line = format!("{:COLUMNS$}", lines.next().unwrap_or_default());
            if line == self.shown[n] {
                continue;
            }
            let y = i32::try_from(n * LINE).unwrap_or(i32::MAX);
            self.send(|oled| oled.write(&line, y)).map_err(lost)?;
            self.shown[n] = line;
        }
        Ok(())
    }

    /// Messages that failed so far.
    pub fn failed_attempts(&self) -> u64 {
        self.faults.lock().count
    }

    /// In steps, since each is sent again as a whole where one of its messages fails.
    fn start(&mut self) -> io::Result<()> {
        self.send(|oled| oled.configure())?;
        for page in 0..self.pages {
            self.send(|oled| oled.clear(page))?;
        }
        self.send(|oled| oled.switch_on())
    }

    fn send(&mut self, what: impl Fn(&mut dyn Oled) -> Result<(), Failed>) -> io::Result<()> {
        let Self { oled, faults, .. } = self;
        retry(|| what(&mut **oled).map_err(|Failed| io::Error::other(faults.lock().last.clone())))
    }
}

#[cfg(test)]
mod tests;
