//! Every configuration that is shown to users is one that filmd takes.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::path::Path;

use filmd::acquire::camera::find::Binding;
use filmd::acquire::unpack::PixelFormat;
use filmd::align::Calibration;
use filmd::config::{Config, SourceConfig};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_board_files_parse() {
    let mut seen = 0;
    let folders = ["board", "board/boards", "board/vm/service"].map(|f| root().join(f));
    let entries = folders.iter().flat_map(|f| std::fs::read_dir(f).unwrap());
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        seen += 1;
        if path
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .contains("calibration")
        {
            Calibration::load(&path).unwrap();
        } else {
            let config = Config::load(&path).unwrap();
            if let SourceConfig::Cameras(cameras) = &config.source {
                for camera in [&cameras.infrared, &cameras.visible] {
                    camera.format.parse::<PixelFormat>().unwrap();
                    let has_rows = camera.telemetry_rows > 0;
                    assert_eq!(has_rows, camera.telemetry.is_some(), "{path:?}: telemetry");
                    Binding::of(camera).unwrap();
                }
            }
        }
    }
    assert!(seen >= 10, "only {seen} files in board/");
}

#[test]
fn the_documented_configuration_is_the_default_one() {
    let documented = Config::load(&root().join("board/filmd.toml")).unwrap();
    assert_eq!(documented, Config::default());
}

#[test]
fn the_configurations_in_the_documents_parse() {
    let mut seen = 0;
    let documents = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "board/boards/panels-and-buttons.md",
    ];
    for name in documents {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            seen += 1;
            Config::parse(block, Path::new(name)).unwrap();
        }
    }
    assert!(seen > 0, "no document shows a configuration");
}
