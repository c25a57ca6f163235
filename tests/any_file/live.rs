//! The same files played by the daemon: `filmd run` with folders.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use filmd::control::{Request, SnapshotFormat, ask};

use crate::common::Daemon;
use crate::scene::{self, around, person};
use crate::{data, mean};

fn config(folder: &Path) -> String {
    format!(
        "[source]\nkind = \"replay\"\ninfrared = {:?}\nvisible = {:?}\nfps = 30.0\nloop = true\n\
         [output]\nwidth = 320\nheight = 240\n[tone]\nmode = \"off\"\n[present]\nscreen = \"headless\"\noverlay = false\n\
         [describe]\nenabled = false\n",
        folder.join("a"),
        folder.join("b"),
    )
}

/// Folders with a thermal file, and the visible picture under the same names.
fn folders(names: &[&OsStr], fill: impl Fn(&Path)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for side in ["a", "b"] {
        std::fs::create_dir(folder.path().join(side)).unwrap();
    }
    for name in names {
        std::fs::copy(data("visible.png"), folder.path().join("b").join(name)).unwrap();
        fill(&folder.path().join("a").join(name));
    }
    folder
}

fn shown(daemon: &Daemon) -> image::GrayImage {
    let format = SnapshotFormat::Png;
    let (reply, bytes) = ask(&daemon.socket, &Request::Snapshot { format }).unwrap();
    assert!(!bytes.is_empty(), "{reply:?}");
    image::load_from_memory(&bytes).unwrap().to_luma8()
}

/// What is shown of one file, played again and again.
fn of(change: impl Fn(&mut [u16])) -> image::GrayImage {
    let folder = folders(&[OsStr::new("x.png")], |path| {
        let folder = path.parent().unwrap();
        let tiff = scene::file(folder, "x.tif", &change);
        std::fs::rename(tiff, path).unwrap();
    });
    let mut daemon = Daemon::start(&config(folder.path()));
    daemon.wait_frames(30);
    shown(&daemon)
}

#[test]
fn dead_pixels_and_noise_do_no_harm_live() {
    let contrast = |picture: &image::GrayImage| mean(picture, person) - mean(picture, around);
    let clean = contrast(&of(|_| {}));
    let dead = contrast(&of(|d| (d[12_831], d[2_440]) = (0, 65_535)));
    assert!(
        clean > 60.0 && (dead / clean - 1.0).abs() <= 0.05,
        "{dead} against {clean}"
    );
    let closed = of(|d| d.fill(29_000));
    let noise = of(|d| {
        for (i, count) in d.iter_mut().enumerate() {
            *count = 28_994 + ((i as u32).wrapping_mul(2_654_435_761) >> 16) as u16 % 13;
        }
    });
    let off = noise.as_raw().iter().zip(closed.as_raw());
    let squares = off
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum::<f64>();
    let sigma = (squares / noise.as_raw().len() as f64).sqrt();
    assert!(sigma <= 10.0, "{sigma}");
}

#[test]
fn files_that_cannot_be_used_are_skipped_and_counted() {
    let names = [
        OsStr::from_bytes(b"good_\xe9.png"),
        OsStr::new("lossless.png"),
        OsStr::new("torn.png"),
    ];
    let folder = folders(&names, |path| {
        let name = path.file_name().unwrap().to_string_lossy();
        match &*name {
            "lossless.png" => drop(std::fs::copy(data("lossless_sof3.jpg"), path).unwrap()),
            "torn.png" => {
                let bytes = std::fs::read(data("visible.png")).unwrap();
                std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
            }
            _ => drop(std::fs::copy(data("visible.png"), path).unwrap()),
        }
    });
    let mut daemon = Daemon::start(&config(folder.path()));
    let status = daemon.wait("two laps", |s| s.frames.damaged >= 4);
    assert!(status.frames.presented > 0);
    daemon.wait_frames(5);
}
