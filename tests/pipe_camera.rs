//! Cameras behind programs: the real daemon with stand-ins that crash, fall silent and tear frames.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::path::Path;

use common::Daemon;

const SMALL: &str = "[output]\nwidth = 160\nheight = 128\n[fuse]\nengine = \"classic\"\n\
                     [describe]\nenabled = false\n";

/// A program that writes its process number into `folder`, and frames of so many bytes of `letter` until `end`.
fn camera(name: &str, folder: &Path, letter: char, end: &str) -> String {
    let pid = folder.join(name);
    let script = format!(
        "echo $$ > {pid}; n=0; while [ $n -lt 100000 ]; do {end} head -c 19200 /dev/zero | tr '\\\\0' {letter} || exit; \
         n=$((n+1)); sleep 0.04; done",
        pid = pid.display()
    );
    format!(
        "[source.{name}]\nprogram = [\"sh\", \"-c\", \"{script}\"]\nformat = \"GREY\"\nwidth = 160\nheight = 120\nfps = 20\n"
    )
}

fn config(folder: &Path, visible_end: &str) -> String {
    let infrared = camera("infrared", folder, 'T', "");
    let visible = camera("visible", folder, '3', visible_end);
    format!("[source]\nkind = \"cameras\"\n{infrared}{visible}{SMALL}")
}

#[test]
fn two_programs_make_pairs_and_one_that_is_killed_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(&config(folder.path(), ""));
    let both = |s: &filmd::pipeline::Status| !s.marks.no_infrared && !s.marks.no_visible;
    let before = daemon.wait("both", |s| both(s) && s.frames.presented > 10);
    assert!(before.source.contains("sh"), "{}", before.source);
    for _ in 0..2 {
        let pid = std::fs::read_to_string(folder.path().join("visible")).unwrap();
        common::signal(pid.trim().parse().unwrap(), "KILL");
        daemon.wait("the visible side to go", |s| {
            s.marks.no_visible && !s.marks.no_infrared
        });
        daemon.wait("it to come back", both);
    }
    let children = std::fs::read_to_string(folder.path().join("infrared")).unwrap();
    let group = children.trim().to_owned();
    drop(daemon);
    // A daemon that is killed leaves a program that can write no further frame.
    let end = common::now() + common::PATIENCE;
    while Path::new("/proc").join(&group).exists() {
        assert!(common::now() < end, "{group} lives on");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn one_that_falls_silent_is_started_again_and_one_that_tears_frames_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    // After twenty frames it hangs in the middle of one.
    let hangs = "if [ $n -eq 20 ]; then head -c 7000 /dev/zero; sleep 1000; fi;";
    let mut daemon = Daemon::start(&config(folder.path(), hangs));
    let first = std::fs::read_to_string(folder.path().join("visible")).unwrap();
    daemon.wait("the silence", |s| s.marks.no_visible);
    daemon.wait("the program to be started again", |_| {
        std::fs::read_to_string(folder.path().join("visible")).is_ok_and(|pid| pid != first)
    });
    let back = daemon.wait("its frames", |s| !s.marks.no_visible);
    assert_eq!(back.frames.damaged, 0, "a torn frame is no frame");
    assert!(!Path::new("/proc").join(first.trim()).exists());
}

#[test]
fn a_program_that_is_not_there_is_named_in_status() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "").replacen("\"sh\"", "\"/no/such/rpicam-vid\"", 2);
    let config = config.replacen("\"/no/such/rpicam-vid\"", "\"sh\"", 1);
    let mut daemon = Daemon::start(&config);
    let status = daemon.wait("the complaint", |s| s.complaints.len() == 1);
    assert!(
        status.complaints[0].contains("/no/such/rpicam-vid"),
        "{:?}",
        status.complaints
    );
}
