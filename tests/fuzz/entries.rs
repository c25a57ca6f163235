//! What the fuzzer calls, and what tests/hostile_bytes.rs calls with damaged examples: bytes from
//! outside must give a value or an error, never a panic, and what was accepted must hold.
#![allow(dead_code, reason = "each fuzz target uses one of them")]

use std::path::Path;

use filmd::align::Calibration;
use filmd::config::Config;
use filmd::control;
use filmd::describe::process::protocol;

/// A configuration file.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(config) = Config::parse(text, Path::new("fuzz")) {
        assert!((32..=4096).contains(&config.output.width));
        let _ = config.describe.interval();
        let _ = config.describe.deadline();
    }
}

/// A calibration file.
pub fn calibration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(calibration) = Calibration::parse(text, Path::new("fuzz")) {
        assert!(calibration.homography().iter().all(|v| v.is_finite()));
    }
}

/// A line on the control socket.
pub fn control(data: &[u8]) {
    if let Ok(request) = control::parse_request(data) {
        let line = serde_json::to_vec(&request).expect("a request that was read can be written");
        assert_eq!(control::parse_request(&line), Ok(request));
    }
}

/// A picture file, by what is in it. A decoder's panic is an error here, so it is no finding; an abort or a hang is.
pub fn picture(data: &[u8]) {
    let _ = filmd::files::decodes(data);
}

/// A file that begins as one of a format.
pub fn picture_of(mark: &[u8], data: &[u8]) {
    picture(&[mark, data].concat());
}

/// Bytes on the describer's pipe.
pub fn protocol(data: &[u8]) {
    if let Ok(Some((_, used))) = protocol::decode(data) {
        assert!(used <= data.len());
    }
}
