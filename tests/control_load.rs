//! Clients that are silent, slow or never read, and a flood of them, cost neither answers nor pictures.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use common::Daemon;
use filmd::control::{Reply, Request, ask, observe_socket};

const CONFIG: &str = "[source]\nkind = \"synthetic\"\n[output]\nwidth = 160\nheight = 128\n\
                      [fuse]\nengine = \"classic\"\n[describe]\nenabled = false\n";

/// A client or a daemon of the test's own.
fn spawn<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::Builder::new().spawn(run).unwrap()
}

#[test]
fn silent_slow_and_flooding_clients_hold_up_nobody() {
    let daemon = Daemon::start(CONFIG);
    let observe = observe_socket(&daemon.socket);
    let stop = Arc::new(AtomicBool::new(false));
    let mut held = Vec::new();
    for n in 0..200 {
        let path = if n % 8 == 0 { &daemon.socket } else { &observe };
        // The queue of a socket is finite.
        let Ok(mut client) = UnixStream::connect(path) else {
            continue;
        };
        match n % 10 {
            0 => client.write_all(b"{\"request\":").unwrap(),
            1 => drop(client.write_all(b"{\"request\":\"status\"}\n")),
            _ => {}
        }
        held.push(client);
    }
    let flood = {
        let (observe, stop) = (observe.clone(), Arc::clone(&stop));
        spawn(move || {
            let mut answered = 0u32;
            while !stop.load(Relaxed) {
                answered += u32::from(ask(&observe, &Request::Status).is_ok());
            }
            answered
        })
    };
    let before = daemon.status().frames;
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let begun = common::now();
        let health = ask(&observe, &Request::Health).unwrap().0;
        assert!(
            matches!(health, Reply::Health { healthy: true, .. }),
            "{health:?}"
        );
        assert_eq!(
            daemon.ask(&Request::Nudge { right: 0, down: 0 }),
            Reply::Done
        );
        slowest = slowest.max(common::now() - begun);
        std::thread::sleep(Duration::from_millis(100));
    }
    let after = daemon.status().frames;
    stop.store(true, Relaxed);
    let answered = flood.join().unwrap();
    // Serial answers took two seconds for each silent client: 400 s here.
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!(answered > 0);
    assert!(after.presented > before.presented + 10);
    drop(held);
}

#[test]
fn a_file_that_cannot_be_a_configuration_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for (path, found) in [
        (pipe.as_path(), "a pipe"),
        (std::path::Path::new("/dev/zero"), "a device"),
    ] {
        let begun = common::now();
        let said = Command::new(env!("CARGO_BIN_EXE_filmd"))
            .arg("check")
            .arg(path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&said.stderr);
        assert!(!said.status.success() && text.contains(found), "{text}");
        assert!(common::now() - begun < Duration::from_secs(10));
    }
}
