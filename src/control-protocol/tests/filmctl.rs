//! filmctl from outside.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::process::Command;

/// A client or a daemon of the test's own.
fn spawn<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::Builder::new().spawn(run).unwrap()
}

#[test]
fn without_a_daemon_it_says_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_filmctl"))
        .args(["--socket", "/no/such/filmd.sock", "status"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is it running"), "{said}");
}

#[test]
fn the_socket_of_a_dead_daemon_is_passed_over() {
    let folder = std::env::temp_dir().join(format!("filmctl-{}", std::process::id()));
    let (dead, live) = (folder.join("dead"), folder.join("live"));
    for part in [&dead, &live] {
        std::fs::create_dir_all(part).unwrap();
    }
    drop(UnixListener::bind(dead.join("filmd.sock")).unwrap());
    assert!(dead.join("filmd.sock").exists());
    let listener = UnixListener::bind(live.join("filmd.sock")).unwrap();
    let daemon = spawn(move || {
        loop {
            let (mut client, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(client.try_clone().unwrap())
                .read_line(&mut line)
                .unwrap();
            // The first look only connects.
            if line.contains("palette") {
                client.write_all(b"{\"reply\":\"done\"}\n").unwrap();
                return;
            }
        }
    });
    let output = Command::new(env!("CARGO_BIN_EXE_filmctl"))
        .args(["palette", "ironbow"])
        .env("RUNTIME_DIRECTORY", &dead)
        .env("XDG_RUNTIME_DIR", &live)
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{output:?}");
    daemon.join().unwrap();
}

/// Answers one client with `reply`, after so long.
fn daemon(socket: &std::path::Path, reply: Vec<u8>, after: std::time::Duration) {
    let listener = UnixListener::bind(socket).unwrap();
    spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(client.try_clone().unwrap())
            .read_line(&mut line)
            .unwrap();
        std::thread::sleep(after);
        client.write_all(&reply).unwrap();
    });
}

#[test]
fn a_reload_is_waited_for_as_long_as_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("filmd.sock");
    // Other answers are given up after three times two seconds.
    let slow = std::time::Duration::from_secs(7);
    daemon(&socket, b"{\"reply\":\"done\"}\n".to_vec(), slow);
    let output = Command::new(env!("CARGO_BIN_EXE_filmctl"))
        .arg("--socket")
        .arg(&socket)
        .arg("reload")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_snapshot_follows_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("filmd.sock");
    let (victim, file) = (folder.path().join("victim"), folder.path().join("now.png"));
    std::fs::write(&victim, "precious").unwrap();
    // Whatever name it writes under at first, and the one it renames to.
    for name in ["now.png", "now.png.partial", ".now.png.partial"] {
        std::os::unix::fs::symlink(&victim, folder.path().join(name)).unwrap();
    }
    let mut reply = b"{\"reply\":\"picture\",\"bytes\":3}\n".to_vec();
    reply.extend(b"png");
    daemon(&socket, reply, std::time::Duration::ZERO);
    let output = Command::new(env!("CARGO_BIN_EXE_filmctl"))
        .arg("--socket")
        .arg(&socket)
        .arg("snapshot")
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    // It either took the link's place or said why not.
    let is_file = std::fs::symlink_metadata(&file).unwrap().is_file();
    assert_eq!(is_file, output.status.success(), "{output:?}");
}
