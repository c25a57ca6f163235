//! A picture that is old says so, and an absent source never ends the service: the real program.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::path::Path;
use std::time::Duration;

use common::Daemon;
use filmd::config::Mode;
use filmd::control::{Reply, Request, SnapshotFormat, ask};

const SMALL: &str = "[output]\nwidth = 160\nheight = 128\n[fuse]\nengine = \"classic\"\n\
                     [describe]\nenabled = false\n";

fn mean_of_snapshot(daemon: &Daemon) -> f64 {
    let format = SnapshotFormat::Png;
    let (reply, bytes) = ask(&daemon.socket, &Request::Snapshot { format }).unwrap();
    assert!(matches!(reply, Reply::Picture { .. }), "{reply:?}");
    let picture = image::load_from_memory(&bytes).unwrap().to_luma8();
    let sum: u64 = picture.as_raw().iter().map(|v| u64::from(*v)).sum();
    sum as f64 / picture.as_raw().len() as f64
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

#[test]
fn a_stall_of_both_is_shown_within_a_second_and_ends_with_the_next_picture() {
    let folder = tempfile::tempdir().unwrap();
    let (screen, panel) = (folder.path().join("spi.log"), folder.path().join("i2c.log"));
    let mut daemon = Daemon::start(&format!(
        "[source]\nkind = \"synthetic\"\n[[source.faults]]\nkind = \"stall\"\nfrom_s = 3.0\nfor_s = 8.0\n\
         [present]\nscreen = \"spi\"\n[present.spi]\nbus = \"file\"\ndevice = {screen:?}\n\
         [status_panel]\nenabled = true\nbus = \"file\"\ndevice = {panel:?}\n{SMALL}"
    ));
    let before = mean_of_snapshot(&daemon);
    let silent = daemon.wait("the stall", |s| s.fps == 0.0 && s.marks.no_visible);
    assert!(
        silent.marks.no_infrared && silent.marks.no_visible,
        "{:?}",
        silent.marks
    );
    // It came within a second: at most two waits of half a second were counted.
    assert!(silent.frames.stalls <= 3, "{}", silent.frames.stalls);
    let during = mean_of_snapshot(&daemon);
    assert!(during < 0.6 * before, "{before} to {during}");
    let first = (length(&screen), length(&panel));
    std::thread::sleep(Duration::from_millis(2_500));
    let second = (length(&screen), length(&panel));
    assert!(
        second.0 > first.0,
        "the seconds go on: {first:?} to {second:?}"
    );
    match daemon.ask(&Request::Health) {
        Reply::Health { healthy, .. } => assert!(!healthy),
        other => panic!("{other:?}"),
    }
    let shown = silent.frames.presented;
    daemon.wait("the picture to go on", |s| {
        s.frames.presented > shown + 5 && !s.marks.no_infrared && s.fps > 0.0
    });
    assert!(mean_of_snapshot(&daemon) > 1.5 * during);
}

#[test]
fn two_absent_cameras_are_waited_for_with_a_card_and_a_reason() {
    let camera = |name: &str, format: &str| {
        format!(
            "[source.{name}]\ndevice = \"/dev/v4l/by-id/no-such-{name}\"\nformat = \"{format}\"\n\
             width = 160\nheight = 120\n"
        )
    };
    let (infrared, visible) = (camera("infrared", "Y16"), camera("visible", "YUYV"));
    let mut daemon = Daemon::start_silent(&format!(
        "[source]\nkind = \"cameras\"\n{infrared}{visible}{SMALL}"
    ));
    let status = daemon.wait("both complaints", |s| s.complaints.len() == 2);
    assert!(
        status.complaints[0].contains("no-such-infrared"),
        "{:?}",
        status.complaints
    );
    assert!(status.marks.no_infrared && status.marks.no_visible);
    assert!(mean_of_snapshot(&daemon) > 0.5, "the card is not all black");
    assert!(matches!(
        daemon.ask(&Request::Health),
        Reply::Health { healthy: false, .. }
    ));
}

fn pictures(folder: &Path) {
    for (name, level) in [("infrared", 80u8), ("visible", 160)] {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for n in 0..3 {
            let picture = image::GrayImage::from_fn(160, 128, |x, y| {
                image::Luma([level.wrapping_add((x + y * n) as u8 / 4)])
            });
            picture.save(folder.join(format!("{n}.png"))).unwrap();
        }
    }
}

#[test]
fn a_reload_keeps_what_the_operator_set_and_waits_for_a_source_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let replay = folder.path().join("replay");
    pictures(&replay);
    let config = |interval: u32| {
        format!(
            "[source]\nkind = \"replay\"\ninfrared = {:?}\nvisible = {:?}\nfps = {interval}.0\nloop = true\n{SMALL}",
            replay.join("infrared"),
            replay.join("visible"),
        )
    };
    let mut daemon = Daemon::start(&config(20));
    for request in [
        Request::Mode { mode: Mode::Blend },
        Request::Nudge { right: 3, down: 4 },
        Request::Freeze { on: true },
    ] {
        assert_eq!(daemon.ask(&request), Reply::Done);
    }
    let text = "Bring out the people.".to_owned();
    assert!(matches!(
        daemon.ask(&Request::Guide { text }),
        Reply::Understood { .. }
    ));
    let is_kept = |s: &filmd::pipeline::Status| {
        s.mode == Mode::Blend
            && s.nudge == (3, 4)
            && s.marks.frozen
            && s.guide
                .wish
                .as_ref()
                .is_some_and(|w| w.text == "Bring out the people.")
    };
    daemon.wait("all of it", is_kept);
    daemon.write_config(&config(25));
    assert_eq!(daemon.ask(&Request::Reload), Reply::Done);
    daemon.wait("all of it after a reload", is_kept);

    let away = folder.path().join("away");
    std::fs::rename(&replay, &away).unwrap();
    daemon.write_config(&config(30));
    match daemon.ask(&Request::Reload) {
        Reply::Error { message } => assert!(message.contains("tried again"), "{message}"),
        other => panic!("{other:?}"),
    }
    match daemon.ask(&Request::Health) {
        Reply::Health { healthy, detail } => {
            assert!(
                !healthy && detail.contains("waits for its source"),
                "{detail}"
            );
        }
        other => panic!("{other:?}"),
    }
    std::fs::rename(&away, &replay).unwrap();
    daemon.wait("the picture to come back with all of it", |s| {
        is_kept(s) && s.frames.presented > 2
    });
}

#[test]
fn a_damaged_picture_of_a_folder_that_is_repeated_is_logged_once() {
    let folder = tempfile::tempdir().unwrap();
    let replay = folder.path().join("replay");
    pictures(&replay);
    for n in 1..3 {
        let path = replay.join("visible").join(format!("{n}.png"));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 30]).unwrap();
    }
    let log = folder.path().join("log");
    let config = format!(
        "[source]\nkind = \"replay\"\ninfrared = {:?}\nvisible = {:?}\nfps = 60.0\nloop = true\n{SMALL}",
        replay.join("infrared"),
        replay.join("visible"),
    );
    let stderr = std::fs::File::create(&log).unwrap();
    let mut daemon = Daemon::start_with(&config, |command| {
        command.stderr(stderr);
    });
    daemon.wait_frames(60);
    let said = std::fs::read_to_string(&log).unwrap();
    assert_eq!(said.matches("; skipped").count(), 2, "{said}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut daemon = Daemon::start(&format!("[source]\nkind = \"synthetic\"\n{SMALL}"));
    let pid = daemon.child.id();
    // It cannot end by itself: its main thread stands still until both signals are there.
    common::signal(pid, "STOP");
    common::signal(pid, "INT");
    common::signal(pid, "TERM");
    common::signal(pid, "INT");
    common::signal(pid, "CONT");
    let code = daemon.child.wait().unwrap().code();
    assert!(matches!(code, Some(0 | 130 | 143)), "{code:?}");
}
