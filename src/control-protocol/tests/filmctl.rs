//! filmctl from outside.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::process::Command;

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
