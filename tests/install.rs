//! `make install`: what it puts where is what the unit and the programs look for.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn install(to: &Path, cache: &Path, programs: &Path, what: &[&str]) -> Output {
    Command::new("bash")
        .arg(root().join("board/install.sh"))
        .args(what)
        .env("DESTDIR", to)
        .env("FILMD_CACHE", cache)
        .env("PROGRAMS", programs)
        .output()
        .unwrap()
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_filmd"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Paths that a line `KEY=PATH ...` of the unit names.
fn of_unit(key: &str) -> Vec<String> {
    let unit = std::fs::read_to_string(root().join("systemd/filmd.service")).unwrap();
    let lines = unit.lines().filter_map(|line| line.strip_prefix(key));
    let words = lines.flat_map(|line| line.split(['=', ' ']));
    words
        .filter(|word| word.starts_with('/') && !word.starts_with("/run/"))
        .map(str::to_owned)
        .collect()
}

/// Programs are small, and their symbols are where a debugger looks for them.
fn assert_stripped(to: &Path) {
    let size = |path: PathBuf| std::fs::metadata(path).unwrap().len();
    for program in ["filmd", "filmctl"] {
        let installed = size(to.join("usr/bin").join(program));
        let symbols = to.join("usr/lib/debug/usr/bin");
        let symbols = size(symbols.join(format!("{program}.debug")));
        let built = size(programs().join(program));
        assert!(
            installed < built && symbols > installed / 10,
            "{program}: {installed} of {built} bytes, symbols {symbols}"
        );
    }
    // It speaks JSON over a socket: no network, no picture library in it.
    assert!(size(to.join("usr/bin/filmctl")) < 3 << 20);
}

#[test]
fn the_unit_finds_what_is_installed_and_a_changed_configuration_stays() {
    let (to, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(cache.path().join("words.gguf"), "a model").unwrap();
    let done = install(to.path(), cache.path(), &programs(), &[]);
    assert!(done.status.success(), "{done:?}");
    let mut named = of_unit("Exec");
    named.extend(of_unit("Environment="));
    assert!(named.len() >= 4, "{named:?}");
    named.push("/usr/share/filmd/drop-ins/framebuffer.conf".to_owned());
    let documentation = of_unit("Documentation=file:");
    assert!(!documentation.is_empty());
    named.extend(documentation);
    for path in &named {
        assert!(
            to.path().join(&path[1..]).exists(),
            "{path} of the unit is not installed"
        );
    }
    assert!(to.path().join("var/lib/filmd/models/words.gguf").exists());
    assert_stripped(to.path());
    // The models are found from where the program lies.
    let configuration = to.path().join("etc/filmd/filmd.toml");
    let check = Command::new(to.path().join("usr/bin/filmd"))
        .arg("check")
        .arg(&configuration)
        .current_dir("/")
        .output()
        .unwrap();
    assert!(check.status.success(), "{check:?}");

    std::fs::write(&configuration, "task = \"mef\"\n").unwrap();
    assert!(
        install(to.path(), cache.path(), &programs(), &[])
            .status
            .success()
    );
    let kept = std::fs::read_to_string(&configuration).unwrap();
    assert_eq!(kept, "task = \"mef\"\n");

    assert!(
        install(to.path(), cache.path(), &programs(), &["remove"])
            .status
            .success()
    );
    assert!(!to.path().join("usr/bin/filmd").exists());
    assert!(!to.path().join("usr/share/doc/filmd").exists());
    let symbols = to.path().join("usr/lib/debug/usr/bin");
    assert_eq!(std::fs::read_dir(symbols).unwrap().count(), 0);
    assert!(configuration.exists());
}

/// What a package takes from the sources is there, and goes where `make install` puts it.
#[test]
fn the_package_holds_what_is_installed() {
    let (to, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let done = install(to.path(), cache.path(), &programs(), &[]);
    assert!(done.status.success(), "{done:?}");
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().unwrap();
    let mut packed = 0;
    for asset in assets {
        let (source, into) = (asset[0].as_str().unwrap(), asset[1].as_str().unwrap());
        if source.starts_with("target/") {
            continue;
        }
        let folder = root().join(source).parent().unwrap().to_owned();
        assert!(folder.is_dir(), "{source}");
        let is_shown = into.starts_with("usr/share/doc") || into.starts_with("usr/share/man");
        if !source.contains('*') {
            assert!(root().join(source).is_file(), "{source}");
        }
        if !is_shown {
            assert!(
                to.path().join(into).exists(),
                "{into} is not installed by make install"
            );
            packed += 1;
        }
    }
    assert!(packed >= 5, "{packed}");
}

#[test]
fn programs_that_are_not_built_are_named() {
    let (to, empty) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let done = install(to.path(), empty.path(), empty.path(), &[]);
    assert!(!done.status.success());
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(
        said.contains("make build") && said.contains("filmd is missing"),
        "{said}"
    );
}
