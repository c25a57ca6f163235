//! The tables of what is wired to pins: SPI panel, I2C status panel, buttons.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What bytes go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BusKind {
    /// The kernel's device.
    #[default]
    Device,
    /// A file at `device` that keeps each transfer: no hardware needed.
    File,
}

/// The controller chip of an SPI panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PanelController {
    /// Sitronix ST7789; its panels usually need `invert = true`, which is its default.
    #[default]
    St7789,
    /// Ilitek ILI9341; its panels usually order colours blue first, which is its default.
    Ili9341,
}

impl PanelController {
    /// As the configuration and status name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::St7789 => "st7789",
            Self::Ili9341 => "ili9341",
        }
    }
}

/// `[present.spi]`: the panel of `screen = "spi"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpiConfig {
    /// Its controller.
    pub controller: PanelController,
    /// Device or file.
    pub bus: BusKind,
    /// The spidev node, or the file.
    pub device: PathBuf,
    /// Clock of the bus, hertz, 100000..=125000000.
    pub hz: u32,
    /// The GPIO chip of the lines below.
    pub chip: PathBuf,
    /// Line that tells commands (low) from data (high): the panel's pin DC, RS or A0.
    pub data_line: u32,
    /// Line of the panel's reset pin, low when active; absent: reset by command only.
    pub reset_line: Option<u32>,
    /// Line that is set high while filmd shows; absent: the backlight is wired to a supply.
    pub backlight_line: Option<u32>,
    /// Pixels of the panel before rotation, 1..=240.
    pub width: u16,
    /// Rows of the panel before rotation, 1..=320.
    pub height: u16,
    /// First column and row of the controller's memory that are visible.
    pub offset: [u16; 2],
    /// Degrees clockwise: 0, 90, 180 or 270.
    pub rotation: u16,
    /// Left and right exchanged, before rotation.
    pub mirror: bool,
    /// Colours inverted; absent: as the controller's panels usually need it.
    pub invert: Option<bool>,
    /// Blue before red; absent: as the controller's panels usually need it.
    pub bgr: Option<bool>,
    /// Of a file: every so many transfers one fails, as a loose wire does it; 0: none.
    pub fail_every: u64,
}

impl Default for SpiConfig {
    fn default() -> Self {
        Self {
            controller: PanelController::default(),
            bus: BusKind::Device,
            device: "/dev/spidev0.0".into(),
            hz: 32_000_000,
            chip: "/dev/gpiochip0".into(),
            data_line: 25,
            reset_line: None,
            backlight_line: None,
            width: 240,
            height: 320,
            offset: [0, 0],
            rotation: 0,
            mirror: false,
            invert: None,
            bgr: None,
            fail_every: 0,
        }
    }
}

/// `[status_panel]`: a small OLED that shows words, beside the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatusPanelConfig {
    /// There is one: an SSD1306 with 128 columns on I2C.
    pub enabled: bool,
    /// Device or file.
    pub bus: BusKind,
    /// The i2c-dev node, or the file.
    pub device: PathBuf,
    /// Its address: 0x3c, or 0x3d where its jumper says so.
    pub address: u8,
    /// Rows: 64 or 32.
    pub height: u8,
    /// Mounted upside down.
    pub upside_down: bool,
    /// Milliseconds between two looks at what changed, 100..=60000.
    pub interval_ms: u64,
    /// Of a file: every so many transfers one fails; 0: none.
    pub fail_every: u64,
}

impl Default for StatusPanelConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            bus: BusKind::Device,
            device: "/dev/i2c-1".into(),
            address: 0x3c,
            height: 64,
            upside_down: false,
            interval_ms: 500,
            fail_every: 0,
        }
    }
}

/// Where presses come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ButtonSource {
    /// Lines of a GPIO chip.
    #[default]
    Gpio,
    /// A named pipe at `chip`: each line is a number and 1 (down) or 0 (up), as `5 1`.
    Pipe,
}

/// What a button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The next mode.
    Mode,
    /// The next palette.
    Palette,
    /// Save the next picture in `buttons.snapshots`.
    Snapshot,
    /// Hold the picture, or let it go on.
    Freeze,
    /// The thermal picture one pixel to the left of where it was.
    NudgeLeft,
    /// One to the right.
    NudgeRight,
    /// One up.
    NudgeUp,
    /// One down.
    NudgeDown,
    /// Back to the calibration.
    NudgeReset,
}

/// `[[buttons.button]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ButtonConfig {
    /// Line of the chip.
    pub line: u32,
    /// On a short press.
    #[serde(default)]
    pub short: Option<Action>,
    /// Once held for `long_ms`.
    #[serde(default)]
    pub long: Option<Action>,
}

/// `[[buttons.chord]]`: two buttons down together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChordConfig {
    /// Their lines.
    pub lines: [u32; 2],
    /// Once both are down.
    pub action: Action,
}

/// `[buttons]`: none unless some are listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ButtonsConfig {
    /// Chip or pipe.
    pub source: ButtonSource,
    /// The GPIO chip, or the named pipe.
    pub chip: PathBuf,
    /// Between line and ground, with the chip's own pull-up; `false`: between line and supply,
    /// with its pull-down.
    pub active_low: bool,
    /// Milliseconds for which a line must rest before it counts, 1..=200.
    pub debounce_ms: u64,
    /// Milliseconds from which a press is long, 200..=10000.
    pub long_ms: u64,
    /// Folder for snapshots; absent: they are refused.
    pub snapshots: Option<PathBuf>,
    /// Each button.
    pub button: Vec<ButtonConfig>,
    /// Pairs of them.
    pub chord: Vec<ChordConfig>,
}

impl Default for ButtonsConfig {
    fn default() -> Self {
        Self {
            source: ButtonSource::Gpio,
            chip: "/dev/gpiochip0".into(),
            active_low: true,
            debounce_ms: 10,
            long_ms: 800,
            snapshots: None,
            button: Vec::new(),
            chord: Vec::new(),
        }
    }
}

impl SpiConfig {
    /// Checks each value by `range` (it holds, key, what was found, what is possible).
    pub(super) fn check<E>(
        &self,
        range: impl Fn(bool, &'static str, String, &'static str) -> Result<(), E>,
    ) -> Result<(), E> {
        range(
            (100_000..=125_000_000).contains(&self.hz),
            "present.spi.hz",
            self.hz.to_string(),
            "100000 to 125000000 hertz",
        )?;
        let fits = |side: u16, offset: u16, most: u16| {
            side > 0 && side.checked_add(offset).is_some_and(|end| end <= most)
        };
        let ([x, y], size) = (self.offset, (self.width, self.height));
        range(
            fits(size.0, x, 240),
            "present.spi.width",
            format!("{} after {x} columns", size.0),
            "1 to 240 pixels together with the offset",
        )?;
        range(
            fits(size.1, y, 320),
            "present.spi.height",
            format!("{} after {y} rows", size.1),
            "1 to 320 rows together with the offset",
        )?;
        range(
            [0, 90, 180, 270].contains(&self.rotation),
            "present.spi.rotation",
            self.rotation.to_string(),
            "0, 90, 180 or 270 degrees",
        )?;
        let lines = [Some(self.data_line), self.reset_line, self.backlight_line];
        let twice = (1..3).any(|n| lines[n].is_some() && lines[..n].contains(&lines[n]));
        range(
            !twice,
            "present.spi.data_line",
            format!("{lines:?} with reset and backlight"),
            "a line of its own for each of the three",
        )
    }
}

impl StatusPanelConfig {
    /// Checks each value by `range`.
    pub(super) fn check<E>(
        &self,
        range: impl Fn(bool, &'static str, String, &'static str) -> Result<(), E>,
    ) -> Result<(), E> {
        range(
            (0x08..=0x77).contains(&self.address),
            "status_panel.address",
            format!("{:#04x}", self.address),
            "0x08 to 0x77, usually 0x3c",
        )?;
        range(
            [32, 64].contains(&self.height),
            "status_panel.height",
            self.height.to_string(),
            "32 or 64 rows",
        )?;
        range(
            (100..=60_000).contains(&self.interval_ms),
            "status_panel.interval_ms",
            self.interval_ms.to_string(),
            "100 to 60000 milliseconds",
        )
    }

    /// Time between two looks at what changed.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }
}

impl ButtonsConfig {
    /// Some are listed.
    pub fn any(&self) -> bool {
        !self.button.is_empty()
    }

    /// How long a line must rest before it counts.
    pub fn debounce(&self) -> Duration {
        Duration::from_millis(self.debounce_ms)
    }

    /// From when on a press is long.
    pub fn long(&self) -> Duration {
        Duration::from_millis(self.long_ms)
    }

    /// Checks each value by `range`.
    pub(super) fn check<E>(
        &self,
        range: impl Fn(bool, &'static str, String, &'static str) -> Result<(), E>,
    ) -> Result<(), E> {
        range(
            (1..=200).contains(&self.debounce_ms),
            "buttons.debounce_ms",
            self.debounce_ms.to_string(),
            "1 to 200 milliseconds",
        )?;
        range(
            (200..=10_000).contains(&self.long_ms),
            "buttons.long_ms",
            self.long_ms.to_string(),
            "200 to 10000 milliseconds",
        )?;
        range(
            self.button.len() <= 16,
            "buttons.button",
            format!("{} of them", self.button.len()),
            "at most 16",
        )?;
        for (n, button) in self.button.iter().enumerate() {
            let alone = self.button[..n].iter().all(|b| b.line != button.line);
            range(
                alone,
                "buttons.button.line",
                button.line.to_string(),
                "each line once",
            )?;
            let in_chord = self.chord.iter().any(|c| c.lines.contains(&button.line));
            let useful = in_chord || button.short.is_some() || button.long.is_some();
            range(
                useful,
                "buttons.button.short",
                format!("nothing for line {}", button.line),
                "an action for short or long, or a chord with the button",
            )?;
        }
        for chord in &self.chord {
            let [a, b] = chord.lines;
            let known = |line: u32| self.button.iter().any(|b| b.line == line);
            range(
                a != b && known(a) && known(b),
                "buttons.chord.lines",
                format!("{:?}", chord.lines),
                "the lines of two different buttons that are listed",
            )?;
        }
        let snaps = |action: &Action| *action == Action::Snapshot;
        let actions = self
            .button
            .iter()
            .flat_map(|b| b.short.iter().chain(&b.long));
        let wants = actions
            .chain(self.chord.iter().map(|c| &c.action))
            .any(snaps);
        range(
            !wants || self.snapshots.is_some(),
            "buttons.snapshots",
            "nothing".to_owned(),
            "a folder, since a button saves snapshots",
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Action, Config};

    fn refused(text: &str, by: &str) {
        let error = Config::parse(text, Path::new("filmd.toml"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(by), "{text}: {error}");
    }

    #[test]
    fn the_panels_and_buttons_of_a_board_are_taken() {
        let text = r#"
            [present]
            screen = "spi"
            [present.spi]
            controller = "ili9341"
            data_line = 24
            reset_line = 25
            rotation = 90
            [status_panel]
            enabled = true
            address = 0x3d
            [buttons]
            snapshots = "/var/lib/filmd"
            button = [
                { line = 5, short = "mode", long = "snapshot" },
                { line = 6, short = "nudge-left" },
            ]
            chord = [{ lines = [5, 6], action = "freeze" }]
        "#;
        let config = Config::parse(text, Path::new("filmd.toml")).unwrap();
        assert_eq!(config.status_panel.address, 0x3d);
        assert_eq!(config.buttons.button[0].long, Some(Action::Snapshot));
        assert_eq!(config.buttons.chord[0].action, Action::Freeze);
    }

    #[test]
    fn values_out_of_range_are_named() {
        for (text, key) in [
            ("[present]\nrotation = 1", "present.rotation"),
            ("[present.spi]\nhz = 9", "present.spi.hz"),
            ("[present.spi]\nwidth = 241", "present.spi.width"),
            ("[present.spi]\nheight = 0", "present.spi.height"),
            ("[present.spi]\noffset = [0, 65535]", "present.spi.height"),
            ("[present.spi]\nrotation = 45", "present.spi.rotation"),
            ("[present.spi]\nreset_line = 25", "present.spi.data_line"),
            ("[status_panel]\naddress = 0x78", "status_panel.address"),
            ("[status_panel]\nheight = 48", "status_panel.height"),
            (
                "[status_panel]\ninterval_ms = 1",
                "status_panel.interval_ms",
            ),
            ("[buttons]\ndebounce_ms = 0", "buttons.debounce_ms"),
            ("[buttons]\nlong_ms = 100", "buttons.long_ms"),
            ("[[buttons.button]]\nline = 1", "buttons.button.short"),
        ] {
            refused(text, key);
        }
        let one = "[[buttons.button]]\nline = 1\nshort = \"mode\"\n";
        refused(&format!("{one}{one}"), "each line once");
        refused(
            &format!("{one}[[buttons.chord]]\nlines = [1, 2]\naction = \"freeze\"\n"),
            "buttons.chord.lines",
        );
        refused(&one.replace("mode", "snapshot"), "buttons.snapshots");
        refused(&one.replace("mode", "reboot"), "reboot");
    }
}
