//! Panels and buttons of a running daemon, through their stand-ins of files and a named pipe.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::fs::File;
use std::io::Write;
use std::path::Path;

use common::Daemon;
use filmd::config::{Mode, Palette};
use filmd::control::{Reply, Request};
use rustix::fs::{CWD, FileType, mknodat};

fn settings(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"
        [source]
        kind = "synthetic"
        [output]
        width = 160
        height = 128
        [fuse]
        engine = "classic"
        [describe]
        enabled = false
        [present]
        screen = "spi"
        [present.spi]
        bus = "file"
        device = "{folder}/spi.log"
        fail_every = 50
        [status_panel]
        enabled = true
        bus = "file"
        device = "{folder}/i2c.log"
        fail_every = 50
        [buttons]
        source = "pipe"
        chip = "{folder}/pipe"
        long_ms = 200
        snapshots = "{folder}/snapshots"
        button = [
            {{ line = 1, short = "mode" }},
            {{ line = 2, short = "palette", long = "freeze" }},
            {{ line = 3, short = "snapshot" }},
        ]
        chord = [{{ lines = [2, 3], action = "nudge-up" }}]
        "#
    )
}

/// For longer than a line must rest before it counts.
fn rest() {
    std::thread::sleep(std::time::Duration::from_millis(150));
}

#[test]
fn buttons_do_what_filmctl_does_while_panels_fail_now_and_then() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let mut daemon = Daemon::start(&settings(folder.path()));
    let mut pipe = File::options().write(true).open(&pipe).unwrap();
    let mut edge = |text: &str| pipe.write_all(text.as_bytes()).unwrap();

    edge("1 1\n");
    daemon.wait("the next mode", |s| s.mode == Mode::Visible);
    edge("1 0\n");
    edge("2 1\n");
    let held = daemon.wait("a held picture", |s| s.marks.frozen);
    assert_eq!(held.palette, Palette::WhiteHot, "long, not short");
    edge("2 0\n");
    assert_eq!(daemon.ask(&Request::Freeze { on: false }), Reply::Done);
    daemon.wait("it to go on", |s| !s.marks.frozen);

    rest();
    edge("2 1\n3 1\n");
    daemon.wait("the nudge", |s| s.nudge == (0, -1));
    edge("3 0\n2 0\n");
    let asked = Request::Nudge {
        right: 500,
        down: 3,
    };
    assert_eq!(daemon.ask(&asked), Reply::Done);
    daemon.wait("a nudge within limits", |s| s.nudge == (64, 3));
    let asked = Request::Palette {
        palette: Palette::Ironbow,
    };
    assert_eq!(daemon.ask(&asked), Reply::Done);
    daemon.wait("another palette", |s| s.palette == Palette::Ironbow);

    let saved = folder.path().join("snapshots");
    let end = common::now() + common::PATIENCE;
    while !std::fs::read_dir(&saved).is_ok_and(|mut files| files.next().is_some()) {
        assert!(common::now() < end, "no snapshot");
        // On a machine that is busy for as long as this a press looks like a spike.
        for text in ["3 1\n", "3 0\n"] {
            rest();
            edge(text);
        }
    }
    let status = daemon.wait("transfers that failed", |s| {
        s.frames.screen_retries > 3 && s.frames.panel_errors > 0
    });
    assert_eq!(status.frames.screen_errors, 0);
    assert!(
        status.screen.starts_with("st7789 240x320"),
        "{}",
        status.screen
    );
}
