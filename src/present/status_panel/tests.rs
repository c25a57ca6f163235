use embedded_graphics::Drawable;
use embedded_graphics::geometry::Point;
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_1::FONT_6X10;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::text::{Baseline, Text};

use super::super::bus_log::read_log;
use super::*;
use crate::config::BusKind;

/// The panel's memory after what was logged: one bool a pixel, and whether it is on. It fills the
/// window of columns and pages that the last commands set, columns first (data sheet, 10.1.3 to 5).
fn decode(log: &[u8], rows: usize) -> (Vec<bool>, bool) {
    // What it holds before it is cleared.
    let mut memory = vec![0xa5_u8; 128 * rows / 8];
    let (mut columns, mut pages, mut at, mut on) = ([0, 127], [0, 7], [0, 0], false);
    for (kind, address, bytes) in read_log(log) {
        if kind == b'E' {
            continue;
        }
        assert_eq!((kind, address), (b'W', 0x3c));
        match *bytes {
            [0x00, 0x20, mode] => assert_eq!(mode, 0, "columns first"),
            [0x00, 0x21, first, last] => {
                columns = [first.into(), last.into()];
                at[0] = columns[0];
            }
            [0x00, 0x22, first, last] => {
                pages = [first.into(), last.into()];
                at[1] = pages[0];
            }
            [0x00, 0xae] => on = false,
            [0x00, 0xaf] => on = true,
            [0x00, ..] => {}
            [0x40, ref data @ ..] => {
                for &byte in data {
                    memory[128 * at[1] + at[0]] = byte;
                    at[0] += 1;
                    if at[0] > columns[1] {
                        at = [columns[0], at[1] + 1];
                    }
                    if at[1] > pages[1] {
                        at[1] = pages[0];
                    }
                }
            }
            ref other => panic!("an unknown message {other:?}"),
        }
    }
    let lit = |n: usize| memory[n / 128 / 8 * 128 + n % 128] >> (n / 128 % 8) & 1 == 1;
    ((0..128 * rows).map(lit).collect(), on)
}

/// What the words should look like, drawn without the panel.
fn drawn(lines: &[&str], rows: usize) -> Vec<bool> {
    use embedded_graphics::mock_display::MockDisplay;
    let mut out = vec![false; 128 * rows];
    for (n, line) in lines.iter().enumerate() {
        // The mock display is 64 pixels wide: letter by letter.
        for (column, letter) in line.chars().enumerate() {
            let mut display = MockDisplay::<BinaryColor>::new();
            display.set_allow_overdraw(true);
            let style = MonoTextStyle::new(&FONT_6X10, BinaryColor::On);
            let letter = letter.to_string();
            Text::with_baseline(&letter, Point::zero(), style, Baseline::Top)
                .draw(&mut display)
                .unwrap();
            for y in 0..LINE {
                for x in 0..6 {
                    let lit = display.get_pixel(Point::new(x as i32, y as i32));
                    if n * LINE + y < rows && 6 * column + x < 128 {
                        out[(n * LINE + y) * 128 + 6 * column + x] = lit == Some(BinaryColor::On);
                    }
                }
            }
        }
    }
    out
}

fn facts() -> PanelFacts<'static> {
    PanelFacts {
        fps: 24.96,
        mode: Mode::Fused,
        text: "Two people walk beside a parked car; a dog lies under the bench.",
        celsius: Some(61.4),
        marks: Marks::default(),
        errors: 2,
    }
}

fn config(folder: &tempfile::TempDir) -> StatusPanelConfig {
    StatusPanelConfig {
        enabled: true,
        bus: BusKind::File,
        device: folder.path().join("i2c.log"),
        ..StatusPanelConfig::default()
    }
}

#[test]
fn the_bytes_decode_to_the_words() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let mut panel = StatusPanel::open(&config).unwrap();
    panel.show(&facts()).unwrap();
    let (lit, on) = decode(&std::fs::read(&config.device).unwrap(), 64);
    assert!(on);
    let words = [
        "25.0 fps fused",
        "ok, 61 C, 2 errors",
        "Two people walk",
        "beside a parked car;",
        "a dog lies under the",
        "bench.",
    ];
    assert!(lit == drawn(&words, 64));
    assert!(lit.iter().filter(|lit| **lit).count() > 300);
}

#[test]
fn the_same_words_are_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = StatusPanelConfig {
        height: 32,
        ..config(&folder)
    };
    let mut panel = StatusPanel::open(&config).unwrap();
    panel.show(&facts()).unwrap();
    let length = || std::fs::metadata(&config.device).unwrap().len();
    let before = length();
    panel.show(&facts()).unwrap();
    assert_eq!(length(), before);
    panel
        .show(&PanelFacts {
            fps: 9.0,
            ..facts()
        })
        .unwrap();
    // One line: two commands and 126 columns of two pages, 16 bytes a message.
    assert_eq!(length() - before, 2 * (8 + 4) + 16 * (8 + 1) + 2 * 126);
    let (lit, _) = decode(&std::fs::read(&config.device).unwrap(), 32);
    let words = ["9.0 fps fused", "ok, 61 C, 2 errors", "Two people walk..."];
    assert!(lit == drawn(&words, 32));
}

#[test]
fn a_panel_that_forgot_everything_is_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let mut panel = StatusPanel::open(&config).unwrap();
    panel.show(&facts()).unwrap();
    let before = std::fs::read(&config.device).unwrap();
    panel.renews_at = Clock.now();
    panel.show(&facts()).unwrap();
    let all = std::fs::read(&config.device).unwrap();
    let (lit, on) = decode(&all[before.len()..], 64);
    assert!(on);
    assert!(lit == decode(&before, 64).0);
    assert!(panel.renews_at > Clock.now());
}

#[test]
fn trouble_comes_before_temperature() {
    let marks = Marks {
        no_infrared: true,
        classic: true,
        ..Marks::default()
    };
    let lines = PanelFacts { marks, ..facts() }.lines(2);
    assert_eq!(lines[1], "NO THERMAL CAMERA");
    let marks = Marks {
        frozen: true,
        ..Marks::default()
    };
    let frozen = PanelFacts { marks, ..facts() };
    assert_eq!(frozen.lines(2)[1], "PICTURE FROZEN");
}

#[test]
fn refused_messages_are_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = StatusPanelConfig {
        fail_every: 50,
        ..config(&folder)
    };
    let mut panel = StatusPanel::open(&config).unwrap();
    for n in 0..9 {
        let fps = 10.0 + n as f32;
        panel.show(&PanelFacts { fps, ..facts() }).unwrap();
        let (lit, _) = decode(&std::fs::read(&config.device).unwrap(), 64);
        let first = format!("{fps:.1} fps fused");
        assert!(lit[..128 * LINE] == drawn(&[&first], 64)[..128 * LINE]);
    }
    assert!(panel.failed_attempts() >= 3);
}

#[test]
fn a_bus_that_is_not_there_is_named_with_what_to_do() {
    let config = StatusPanelConfig {
        device: "/dev/i2c-that-is-not-there".into(),
        ..StatusPanelConfig::default()
    };
    let error = StatusPanel::open(&config).err().unwrap().to_string();
    assert!(error.contains("i2c-that-is-not-there"), "{error}");
    assert!(error.contains("[status_panel] device"), "{error}");
    let other = StatusPanelConfig {
        device: "/dev/null".into(),
        ..StatusPanelConfig::default()
    };
    let error = StatusPanel::open(&other).err().unwrap().to_string();
    assert!(error.contains("/dev/null: "), "{error}");
    assert!(error.contains("[status_panel] device"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let mute = StatusPanelConfig {
        bus: BusKind::File,
        device: folder.path().join("mute"),
        fail_every: 1,
        ..config
    };
    let error = StatusPanel::open(&mute).err().unwrap().to_string();
    assert!(error.contains("0x3c"), "{error}");
}
