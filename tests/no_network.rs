//! filmd makes no internet socket: not in a demo with its describer, not as a daemon that is asked.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where something is not as it must be, and says what it goes without"
)]

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs filmd under strace; the log of every network call of it and its children, or `None` where
/// nothing can be traced.
fn traced(args: &[&str], folder: &Path) -> Option<String> {
    let log = folder.join("strace.log");
    let status = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=network,execve", "-o"])
        .arg(&log)
        // What would make a curious program call home.
        .env("http_proxy", "http://127.0.0.1:9")
        .env("XDG_RUNTIME_DIR", folder)
        .arg(env!("CARGO_BIN_EXE_filmd"))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    let Ok(status) = status else {
        eprintln!("SKIPPED: no strace");
        return None;
    };
    let log = std::fs::read_to_string(&log).unwrap_or_default();
    if !log.contains("execve") {
        eprintln!("SKIPPED: strace may not trace here");
        return None;
    }
    assert!(status.success(), "{args:?}: {status}");
    Some(log)
}

fn assert_local(log: &str) {
    for word in [
        "AF_INET",
        "AF_NETLINK",
        "AF_PACKET",
        "AF_VSOCK",
        "AF_BLUETOOTH",
    ] {
        let found = log.lines().find(|l| l.contains(word));
        assert!(found.is_none(), "{}", found.unwrap_or_default());
    }
}

#[test]
fn a_demo_with_its_describer_opens_no_internet_socket() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let args = [
        "demo",
        "--headless",
        "--seconds",
        "4",
        "--fps",
        "5",
        "--out",
        out.to_str().unwrap(),
    ];
    let Some(log) = traced(&args, folder.path()) else {
        return;
    };
    assert_local(&log);
    if !log.contains("film-describe") {
        eprintln!("SKIPPED in part: no describer ran; `make models` fetches its files");
    }
}

/// The daemon has a socket of its own, which shows that such calls are seen, and it is a unix one.
#[test]
fn the_daemon_opens_a_unix_socket_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("filmd.toml");
    let socket = folder.path().join("s.sock");
    // The replayed pictures end, and the daemon with them.
    for side in ["a", "b"] {
        std::fs::create_dir(folder.path().join(side)).unwrap();
        for n in 0..4 {
            image::GrayImage::from_fn(64, 48, |x, y| image::Luma([(x * y + n) as u8]))
                .save(folder.path().join(side).join(format!("{n}.png")))
                .unwrap();
        }
    }
    let text = format!(
        "[source]\nkind = \"replay\"\ninfrared = {0:?}\nvisible = {1:?}\nfps = 2.0\n[fuse]\nengine = \
         \"classic\"\n[control]\nsocket = {socket:?}\n",
        folder.path().join("a"),
        folder.path().join("b")
    );
    std::fs::write(&config, text).unwrap();
    let args = ["run", "--config", config.to_str().unwrap()];
    let Some(log) = traced(&args, folder.path()) else {
        return;
    };
    assert!(log.contains("AF_UNIX"), "no socket was seen at all");
    assert_local(&log);
}
