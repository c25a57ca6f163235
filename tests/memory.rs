//! What filmd keeps in memory at 640x480, with the shipped network.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::process::Command;

/// Resident bytes at most, code of the program included.
const MOST: u64 = 64 << 20;

#[test]
fn the_frame_path_stays_within_its_memory() {
    let said = Command::new(env!("CARGO_BIN_EXE_filmd-bench"))
        .args(["--frames", "60", "--threads", "2", "--json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    let report: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(report["size"], "640x480");
    assert_eq!(report["engine"], "film-edge-int8");
    let resident = report["resident_bytes"].as_u64().unwrap();
    assert!(resident > 1 << 20, "{resident} bytes were read");
    let mib = resident >> 20;
    assert!(resident <= MOST, "{mib} MiB are resident");
}
