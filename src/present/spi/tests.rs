use std::convert::Infallible;
use std::sync::Mutex;

use embedded_hal::digital::{self, OutputPin};

use super::super::bus_log::{LoggedSpi, read_log};
use super::*;
use crate::config::{BusKind, Mode};
use crate::frame::Picture;
use crate::metrics::Marks;

/// A controller as its data sheet has it: memory of 240x320, an address window, MADCTL.
struct Controller {
    memory: Vec<u16>,
    columns: [usize; 2],
    rows: [usize; 2],
    at: [usize; 2],
    madctl: u8,
    inverted: bool,
    on: bool,
    pixels: usize,
}

impl Controller {
    fn read(log: &[u8]) -> Self {
        let mut chip = Self {
            memory: vec![0xdead; 240 * 320],
            columns: [0, 239],
            rows: [0, 319],
            at: [0, 0],
            madctl: 0,
            inverted: false,
            on: false,
            pixels: 0,
        };
        let mut command = 0;
        for (kind, _, bytes) in read_log(log) {
            match kind {
                b'C' => {
                    assert_eq!(bytes.len(), 1, "one command a transfer");
                    command = bytes[0];
                    match command {
                        0x20 | 0x21 => chip.inverted = command == 0x21,
                        0x29 => chip.on = true,
                        0x2c => chip.at = [chip.columns[0], chip.rows[0]],
                        _ => {}
                    }
                }
                b'D' => chip.data(command, bytes),
                b'E' => {}
                other => panic!("an unknown record {other}"),
            }
        }
        chip
    }

    fn data(&mut self, command: u8, bytes: &[u8]) {
        let pair = || {
            let two = |n: usize| usize::from(u16::from_be_bytes([bytes[n], bytes[n + 1]]));
            [two(0), two(2)]
        };
        match command {
            0x2a => self.columns = pair(),
            0x2b => self.rows = pair(),
            0x36 => self.madctl = bytes[0],
            0x3a => assert_eq!(bytes, [0x55], "16 bits a pixel"),
            0x2c => {
                assert!(bytes.len() <= 4096 && bytes.len().is_multiple_of(2));
                for pixel in bytes.chunks_exact(2) {
                    self.put(u16::from_be_bytes([pixel[0], pixel[1]]));
                }
            }
            _ => {}
        }
    }

    fn put(&mut self, pixel: u16) {
        let [column, row] = self.at;
        let (mut x, mut y) = (column, row);
        if self.madctl & 0x20 != 0 {
            (x, y) = (y, x);
        }
        if self.madctl & 0x40 != 0 {
            x = 239 - x;
        }
        if self.madctl & 0x80 != 0 {
            y = 319 - y;
        }
        self.memory[y * 240 + x] = pixel;
        self.pixels += 1;
        self.at[0] += 1;
        if self.at[0] > self.columns[1] {
            self.at = [self.columns[0], row + 1];
        }
        if self.at[1] > self.rows[1] {
            self.at[1] = self.rows[0];
        }
    }
}

fn frame(size: Size, pixel: impl Fn(usize, usize) -> [u8; 3]) -> FusedFrame {
    let mut picture = Picture::rgb(size);
    for y in 0..size.height {
        for x in 0..size.width {
            picture.row_mut(y)[3 * x..3 * x + 3].copy_from_slice(&pixel(x, y));
        }
    }
    FusedFrame {
        picture,
        timestamp: Timestamp::ZERO,
        sequence: 1,
        mode: Mode::Fused,
        marks: Marks::default(),
        sources: None,
    }
}

fn pattern(x: usize, y: usize) -> [u8; 3] {
    [(x * 7) as u8, (y * 5) as u8, (x + 3 * y) as u8]
}

fn config(folder: &tempfile::TempDir) -> SpiConfig {
    SpiConfig {
        bus: BusKind::File,
        device: folder.path().join("spi.log"),
        ..SpiConfig::default()
    }
}

#[test]
fn the_bytes_decode_to_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    for controller in [PanelController::St7789, PanelController::Ili9341] {
        let config = SpiConfig {
            controller,
            device: folder.path().join(controller.name()),
            ..config(&folder)
        };
        let mut screen = SpiScreen::open(&config).unwrap();
        let shown = frame(screen.size().unwrap(), pattern);
        screen.show(&shown).unwrap();
        let chip = Controller::read(&std::fs::read(&config.device).unwrap());
        assert!(chip.on);
        assert_eq!(chip.inverted, controller == PanelController::St7789);
        assert_eq!(chip.madctl & 8 != 0, controller == PanelController::Ili9341);
        for y in 0..320 {
            for x in 0..240 {
                let expected = rgb565(pattern(x, y));
                assert_eq!(chip.memory[y * 240 + x], expected, "{x} {y}");
            }
        }
    }
}

#[test]
fn rotation_and_mirror_turn_the_picture_on_the_glass() {
    let folder = tempfile::tempdir().unwrap();
    // Where the picture's pixel (x, y) of a w x h picture is seen on the upright 240x320 glass.
    type Place = fn(usize, usize) -> (usize, usize);
    let places: [(u16, bool, Place); 5] = [
        (0, false, |x, y| (x, y)),
        (90, false, |x, y| (239 - y, x)),
        (180, false, |x, y| (239 - x, 319 - y)),
        (270, false, |x, y| (y, 319 - x)),
        (0, true, |x, y| (239 - x, y)),
    ];
    for (n, (rotation, mirror, place)) in places.into_iter().enumerate() {
        let config = SpiConfig {
            rotation,
            mirror,
            device: folder.path().join(format!("{n}")),
            ..config(&folder)
        };
        let mut screen = SpiScreen::open(&config).unwrap();
        let size = screen.size().unwrap();
        screen.show(&frame(size, pattern)).unwrap();
        let chip = Controller::read(&std::fs::read(&config.device).unwrap());
        for y in 0..size.height {
            for x in 0..size.width {
                let (column, row) = place(x, y);
                let found = chip.memory[row * 240 + column];
                assert_eq!(found, rgb565(pattern(x, y)), "{rotation} {mirror}: {x} {y}");
            }
        }
    }
}

#[test]
fn only_changed_rows_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let mut screen = SpiScreen::open(&config).unwrap();
    let size = screen.size().unwrap();
    screen.show(&frame(size, pattern)).unwrap();
    let pixels = |path| Controller::read(&std::fs::read(path).unwrap()).pixels;
    assert_eq!(pixels(&config.device), size.area());
    screen.show(&frame(size, pattern)).unwrap();
    assert_eq!(pixels(&config.device), size.area(), "nothing changed");
    let changed = |x: usize, y: usize| match (10..13).contains(&y) || y == 200 {
        true => [0xff, 0, x as u8],
        false => pattern(x, y),
    };
    screen.show(&frame(size, changed)).unwrap();
    let chip = Controller::read(&std::fs::read(&config.device).unwrap());
    assert_eq!(chip.pixels, size.area() + 4 * size.width);
    for y in 0..320 {
        assert_eq!(chip.memory[y * 240 + 77], rgb565(changed(77, y)), "row {y}");
    }
}

#[test]
fn a_picture_of_another_shape_keeps_its_aspect_between_black_bars() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let mut screen = SpiScreen::open(&config).unwrap();
    screen
        .show(&frame(Size::new(120, 80), |_, _| [255; 3]))
        .unwrap();
    let chip = Controller::read(&std::fs::read(&config.device).unwrap());
    let white = (0..320).filter(|y| chip.memory[y * 240 + 120] == 0xffff);
    assert_eq!(white.collect::<Vec<_>>(), (80..240).collect::<Vec<_>>());
    assert_eq!(chip.memory[79 * 240], 0);
}

#[test]
fn refused_transfers_are_sent_again_and_the_picture_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let config = SpiConfig {
        fail_every: 20,
        ..config(&folder)
    };
    let mut screen = SpiScreen::open(&config).unwrap();
    let size = screen.size().unwrap();
    for n in 0..5 {
        let shown = frame(size, |x, y| pattern(x + n, y));
        screen.show(&shown).unwrap();
        let chip = Controller::read(&std::fs::read(&config.device).unwrap());
        for y in 0..320 {
            let expected = rgb565(pattern(33 + n, y));
            assert_eq!(chip.memory[y * 240 + 33], expected, "{n}, row {y}");
        }
    }
    assert!(screen.failed_transfers() >= 10);
}

#[test]
fn a_bus_that_never_works_is_given_up_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let broken = SpiConfig {
        fail_every: 1,
        ..config(&folder)
    };
    let error = SpiScreen::open(&broken).err().unwrap().to_string();
    assert!(
        error.contains("spi.log") && error.contains("wiring"),
        "{error}"
    );
    let none = SpiConfig {
        device: "/dev/spidev-that-is-not-there".into(),
        ..SpiConfig::default()
    };
    let error = SpiScreen::open(&none).err().unwrap().to_string();
    assert!(error.contains("[present.spi] device"), "{error}");
    let other = SpiConfig {
        device: "/dev/null".into(),
        ..SpiConfig::default()
    };
    let error = SpiScreen::open(&other).err().unwrap().to_string();
    assert!(error.contains("/dev/null: Inappropriate"), "{error}");
    assert!(error.contains("must be a spidev node"), "{error}");
}

/// What happens on the wires, in order.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    fn add(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

/// A line of that name.
struct Pin(&'static str, Events);

impl digital::ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.1.add(format!("{} low", self.0));
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.1.add(format!("{} high", self.0));
        Ok(())
    }
}

impl DelayNs for Events {
    fn delay_ns(&mut self, ns: u32) {
        self.add(format!("{} us", ns / 1000));
    }
}

#[test]
fn a_panel_is_reset_before_it_is_spoken_to_and_dark_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let (spi, _) = LoggedSpi::open(&config.device, config.hz, 0).unwrap();
    let mut events = Events::default();
    let pin = |name| Pin(name, events.clone());
    let wires = Wires {
        spi,
        data: pin("data"),
        reset: Some(pin("reset")),
        backlight: Backlight(Some(pin("backlight"))),
    };
    let failed = Arc::default();
    let panel = start(Ok(wires), &mut events, &config, &failed).unwrap();
    let done = events.0.lock().unwrap().clone();
    assert_eq!(
        done[..6],
        [
            "reset low",
            "1000 us",
            "reset high",
            "120000 us",
            "data low",
            "data high"
        ]
    );
    assert!(!done.contains(&"backlight low".to_owned()));
    drop(panel);
    let last = events.0.lock().unwrap().last().cloned();
    assert_eq!(last.as_deref(), Some("backlight low"));
}

#[test]
fn a_panel_that_forgot_everything_is_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("spi.log");
    let config = SpiConfig {
        bus: BusKind::File,
        device: log.clone(),
        ..SpiConfig::default()
    };
    let mut screen = SpiScreen::open(&config).unwrap();
    let still = frame(screen.size, |x, y| [x as u8, y as u8, 7]);
    screen.show(&still).unwrap();
    let begun = std::fs::read(&log).unwrap();
    // Nothing changed, and it is not time yet.
    screen.show(&still).unwrap();
    assert_eq!(std::fs::read(&log).unwrap().len(), begun.len());
    screen.renews_at = Clock.now();
    screen.show(&still).unwrap();
    // What came since then is enough for a panel that was switched off and on again, but for a reset.
    let all = std::fs::read(&log).unwrap();
    let (before, since) = (
        Controller::read(&begun),
        Controller::read(&all[begun.len()..]),
    );
    assert!(since.on);
    assert_eq!(since.madctl, before.madctl);
    assert_eq!(since.inverted, before.inverted);
    assert!(since.memory == before.memory, "the whole picture is sent");
    let commands = |bytes: &[u8]| -> Vec<u8> {
        let records = read_log(bytes).into_iter().filter(|r| r.0 == b'C');
        records.map(|(_, _, bytes)| bytes[0]).collect()
    };
    let renewed = commands(&all[begun.len()..]);
    assert!(
        renewed.contains(&0x11) && !renewed.contains(&0x01),
        "{renewed:02x?}"
    );
    assert!(screen.renews_at > Clock.now());
}
