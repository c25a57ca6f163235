//! The degradation ladder, rung by rung, with the real binaries: whatever fails, the picture goes
//! on, and `filmctl status` says what is wrong.
//!
//! Pictures are small and the engine is classic wherever the network is not the point, so that
//! the tests mean the same on a slow machine.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::Daemon;
use filmd::config::Mode;
use filmd::control::{Reply, Request};
use filmd::describe::Origin;
use sha2::Digest;

/// A small picture by classic fusion, no describer.
const SMALL: &str = "[output]\nwidth = 160\nheight = 128\n[fuse]\nengine = \"classic\"\n";
const NO_TEXT: &str = "[describe]\nenabled = false\n";

fn source(faults: &str) -> String {
    format!("[source]\nkind = \"synthetic\"\n{faults}\n{SMALL}{NO_TEXT}")
}

fn fault(kind: &str, from_s: f64, for_s: f64) -> String {
    format!("[[source.faults]]\nkind = \"{kind}\"\nfrom_s = {from_s}\nfor_s = {for_s}\n")
}

#[test]
fn an_unplugged_infrared_camera_leaves_the_visible_picture() {
    let mut daemon = Daemon::start(&source(&fault("no-infrared", 1.0, 5.0)));
    daemon.wait("the infrared camera to go", |s| s.marks.no_infrared);
    // Asked at once: on a slow machine ten frames may last as long as the fault.
    assert!(matches!(
        daemon.ask(&Request::Health),
        Reply::Health { healthy: false, .. }
    ));
    daemon.wait_frames(10);
    daemon.wait("it to come back", |s| !s.marks.no_infrared);
}

#[test]
fn an_unplugged_visible_camera_leaves_the_thermal_picture() {
    let mut daemon = Daemon::start(&source(&fault("no-visible", 1.0, 5.0)));
    daemon.wait("the visible camera to go", |s| s.marks.no_visible);
    daemon.wait_frames(10);
    daemon.wait("it to come back", |s| !s.marks.no_visible);
}

#[test]
fn a_shutter_holds_the_infrared_picture_and_marks_it() {
    let mut daemon = Daemon::start(&source(&fault("hold-infrared", 1.0, 5.0)));
    let held = daemon.wait("the shutter", |s| s.marks.infrared_stale);
    assert!(!held.marks.no_infrared, "a held frame is not a missing one");
    daemon.wait_frames(10);
    daemon.wait("the shutter to open", |s| !s.marks.infrared_stale);
}

/// systemd's side of the notify socket; what arrives is taken out at once, as systemd does.
struct Notify {
    arrived: Arc<Mutex<String>>,
    folder: tempfile::TempDir,
}

impl Notify {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let arrived = Arc::new(Mutex::new(String::new()));
        let inbox = Arc::clone(&arrived);
        let read = move || {
            let mut buffer = [0; 4096];
            while let Ok(n) = socket.recv(&mut buffer) {
                let mut inbox = inbox.lock().unwrap();
                inbox.push_str(&String::from_utf8_lossy(&buffer[..n]));
                inbox.push('\n');
            }
        };
        std::thread::Builder::new().spawn(read).unwrap();
        Self { arrived, folder }
    }

    /// What has arrived since the last call.
    fn read(&self) -> String {
        std::mem::take(&mut *self.arrived.lock().unwrap())
    }
}

#[test]
fn ready_comes_with_the_first_picture_and_a_stall_is_shown_and_feeds_the_watchdog() {
    let notify = Notify::new();
    let path = notify.folder.path().join("notify");
    let mut daemon = Daemon::start_with(&source(&fault("stall", 2.0, 6.0)), |command| {
        command
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "15000000");
    });
    daemon.wait("the stall", |s| s.frames.stalls >= 2);
    let before = notify.read();
    assert!(before.contains("READY=1"), "{before:?}");
    assert!(before.contains("WATCHDOG=1"), "{before:?}");
    // The screen says that there is no signal: a new start would not bring the cameras back.
    let stalls = daemon.status().frames.stalls;
    let silent = daemon.wait("the stall to last", |s| s.frames.stalls >= stalls + 5);
    assert_eq!(silent.fps, 0.0);
    let during = notify.read();
    assert!(during.contains("WATCHDOG=1"), "{during:?}");
    let shown = daemon.status().frames.presented;
    daemon.wait("the picture to go on", |s| s.frames.presented > shown + 5);
    assert!(notify.read().contains("WATCHDOG=1"));
}

#[test]
fn a_missing_screen_is_looked_for_and_the_frames_go_on() {
    let screen = "[present]\nscreen = \"drm\"\ncard = \"/dev/dri/no-such-card\"\n";
    let mut daemon = Daemon::start(&format!("{}{screen}", source("")));
    let status = daemon.wait_frames(10);
    assert!(status.screen.contains("trying again"), "{}", status.screen);
    daemon.wait("a second try", |s| s.frames.screen_errors >= 2);
}

/// A manifest whose first network takes the square root of its guidance, and a neutral guidance
/// below zero: every frame comes out as NaN.
fn failing_network() -> tempfile::TempDir {
    let tiny = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny");
    let folder = tempfile::tempdir().unwrap();
    let network = "tiny-sqrt.onnx";
    std::fs::copy(tiny.join(network), folder.path().join(network)).unwrap();
    let length = std::fs::metadata(tiny.join("neutral.f32")).unwrap().len() / 4;
    let neutral: Vec<u8> = (0..length).flat_map(|_| (-1.0_f32).to_le_bytes()).collect();
    let sum = sha2::Sha256::digest(&neutral);
    let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(folder.path().join("neutral.f32"), neutral).unwrap();
    let manifest = std::fs::read_to_string(tiny.join("manifest.toml")).unwrap();
    let (networks, rest) = manifest.split_once("[neutral]").unwrap();
    let (_, models) = rest.split_once("[[language_model]]").unwrap();
    let failing = networks
        .split("[[network]]")
        .find(|n| n.contains(network))
        .unwrap();
    let neutral = format!(
        "file = \"neutral.f32\"\nsha256 = \"{sum}\"\nrows = 2\n\
         tasks = [\"ivf\", \"mif\", \"mef\", \"mff\"]\ntexts = [\"a\", \"b\", \"c\", \"d\"]\n"
    );
    let text = format!("[[network]]{failing}[neutral]\n{neutral}\n[[language_model]]{models}");
    std::fs::write(folder.path().join("manifest.toml"), text).unwrap();
    folder
}

#[test]
fn a_failing_network_gives_way_to_classic_fusion() {
    let folder = failing_network();
    let manifest = folder.path().join("manifest.toml");
    let config = format!(
        "[output]\nwidth = 160\nheight = 128\n{NO_TEXT}\n[fuse]\nmanifest = {manifest:?}\n"
    );
    let mut daemon = Daemon::start(&config);
    let status = daemon.wait("classic fusion to stay", |s| s.engine.contains("classic"));
    assert!(
        status.marks.classic && status.frames.fuse_errors > 0,
        "{status:#?}"
    );
    let errors = daemon.status().frames.fuse_errors;
    let later = daemon.wait_frames(30);
    assert_eq!(
        later.frames.fuse_errors, errors,
        "a network given up is not tried again"
    );
}

#[test]
fn a_corrupt_model_at_start_gives_way_to_classic_fusion() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = std::fs::read_to_string(common::manifest()).unwrap();
    std::fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("film-edge-int8.onnx"), b"torn").unwrap();
    let models = common::manifest().with_file_name("neutral.f32");
    std::fs::copy(models, folder.path().join("neutral.f32")).unwrap();
    let file = folder.path().join("manifest.toml");
    let config = format!("[fuse]\nmanifest = {file:?}\n{NO_TEXT}");
    let mut daemon = Daemon::start(&config);
    let status = daemon.wait_frames(5);
    assert!(
        status.engine.contains("classic") && status.marks.classic,
        "{status:#?}"
    );
}

#[test]
fn a_missing_manifest_at_start_gives_way_to_classic_fusion() {
    let config = format!("[fuse]\nmanifest = \"/no/such/manifest.toml\"\n{NO_TEXT}");
    let mut daemon = Daemon::start(&config);
    let status = daemon.wait_frames(5);
    assert!(
        status.engine.contains("classic") && status.marks.classic,
        "{status:#?}"
    );
}

#[test]
fn a_bad_reload_changes_nothing_and_a_good_one_is_done() {
    let mut daemon = Daemon::start(&source(""));
    daemon.write_config("colour = \"blue\"\n");
    match daemon.ask(&Request::Reload) {
        Reply::Error { message } => assert!(message.contains("colour"), "{message}"),
        other => panic!("{other:?}"),
    }
    daemon.wait_frames(5);
    let thermal = source("").replace("[fuse]\n", "[fuse]\nmode = \"thermal\"\n");
    daemon.write_config(&thermal);
    assert_eq!(daemon.ask(&Request::Reload), Reply::Done);
    assert_eq!(daemon.wait_frames(2).mode, Mode::Thermal);
}

#[test]
fn no_describer_means_neutral_guidance() {
    let describe = "[describe]\nprogram = \"/no/such/film-describe\"\ninterval_s = 0.2\n";
    let mut daemon = Daemon::start(&format!(
        "[source]\nkind = \"synthetic\"\n{SMALL}{describe}"
    ));
    let status = daemon.wait_frames(30);
    assert_eq!(status.guide.ok, 0);
    let error = status.guide.last_error.unwrap();
    assert!(error.contains("/no/such/film-describe"), "{error}");
}

/// Model folder with the encoder alone, and film-describe by a link that a test can take away.
fn encoder_only() -> Option<(tempfile::TempDir, String)> {
    let (encoder, program) = (common::encoder()?, common::film_describe()?);
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join(encoder.file_name().unwrap());
    std::os::unix::fs::symlink(encoder, link).unwrap();
    let describe = folder.path().join("film-describe");
    std::os::unix::fs::symlink(program, &describe).unwrap();
    let config = format!(
        "[source]\nkind = \"synthetic\"\n{SMALL}[describe]\nmodels = {:?}\nprogram = {describe:?}\n\
         interval_s = 0.3\ntime_to_live_s = 3.0\n",
        folder.path()
    );
    Some((folder, config))
}

#[test]
fn without_the_language_model_the_template_guides() {
    let Some((_folder, config)) = encoder_only() else {
        return;
    };
    let mut daemon = Daemon::start(&config);
    let status = daemon.wait("a text", |s| s.guide.origin != Origin::Neutral);
    assert_eq!(status.guide.origin, Origin::Template);
    assert_eq!(status.guide.by_llm, 0);
}

#[test]
fn a_dead_describer_leaves_the_last_guidance_until_it_is_old_then_neutral() {
    let Some((folder, config)) = encoder_only() else {
        return;
    };
    let mut daemon = Daemon::start(&config);
    let status = daemon.wait("a text", |s| s.guide.origin == Origin::Template);
    // Away with the program, then with the process: it cannot come back.
    std::fs::remove_file(folder.path().join("film-describe")).unwrap();
    common::signal(status.guide.process.unwrap().0, "KILL");
    let soon = daemon.wait("the failure to be seen", |s| s.guide.last_error.is_some());
    assert_eq!(
        soon.guide.origin,
        Origin::Template,
        "the last text holds for a while"
    );
    daemon.wait("neutral guidance", |s| s.guide.origin == Origin::Neutral);
    daemon.wait_frames(10);
}

#[test]
fn a_users_text_holds_until_auto() {
    let Some((_folder, config)) = encoder_only() else {
        return;
    };
    let mut daemon = Daemon::start(&config);
    daemon.wait("a text", |s| s.guide.origin == Origin::Template);
    let text = "Bring out the people.".to_owned();
    let reply = daemon.ask(&Request::Guide { text: text.clone() });
    assert!(
        matches!(&reply, Reply::Understood { requests } if requests.len() == 1),
        "{reply:?}"
    );
    daemon.wait("the user's text", |s| s.guide.text == text);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(
        daemon.status().guide.origin,
        Origin::User,
        "longer than its time to live"
    );
    assert_eq!(daemon.ask(&Request::GuideAuto), Reply::Done);
    daemon.wait("the describer's text", |s| {
        s.guide.origin == Origin::Template
    });
}

#[test]
fn a_text_that_cannot_be_followed_is_refused_with_the_reason_and_changes_nothing() {
    let mut daemon = Daemon::start(&source(""));
    let guide = |text: &str| {
        daemon.ask(&Request::Guide {
            text: text.to_owned(),
        })
    };
    assert!(matches!(
        guide("Bring out the people."),
        Reply::Understood { .. }
    ));
    for (text, why) in [
        ("", "empty"),
        ("Hello", "not understood"),
        ("Keep it dark.", "leave"),
        (&"x ".repeat(300), "too long"),
        ("Sharpen the edges.", "classic"),
        ("Show the bone.", "ivf"),
    ] {
        match guide(text) {
            Reply::Error { message } => assert!(message.contains(why), "{text}: {message}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let status = daemon.wait("the people", |s| s.guide.text == "Bring out the people.");
    assert!(status.guide.wish.is_some());
    assert_eq!(status.guide.failed, 0);
}

#[test]
fn film_describe_killed_ten_times_costs_no_frame_and_comes_back() {
    let Some((_folder, config)) = encoder_only() else {
        return;
    };
    let mut daemon = Daemon::start(&config);
    daemon.wait("a text", |s| s.guide.origin == Origin::Template);
    for round in 1..=10 {
        let before = daemon.wait("a process", |s| s.guide.process.is_some());
        let (killed, _) = before.guide.process.unwrap();
        common::signal(killed, "KILL");
        // A text of the killed process may still arrive: only those of the next one count.
        let again = daemon.wait(&format!("process {round}"), |s| {
            s.guide.process.is_some_and(|(pid, _)| pid != killed)
        });
        let texts = again.guide.ok;
        daemon.wait(&format!("text {round}"), |s| s.guide.ok > texts);
    }
    let frames = daemon.wait_frames(1).frames;
    assert_eq!(frames.fuse_errors, 0);
    // Shown, displaced or still under way: no frame is missing beyond those dropped anyway.
    let unseen = frames.pairs - (frames.presented + frames.dropped).min(frames.pairs);
    assert!(unseen <= 3, "{frames:?}");
}
