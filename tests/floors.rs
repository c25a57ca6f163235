//! The order of src/ and tests/: a module uses only modules of lower floors, every folder's own file is its
//! mod.rs, and the map of ARCHITECTURE.md names every folder. ARCHITECTURE.md lists the floors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The floors of ARCHITECTURE.md, lowest first: each line of the block behind "## Floors" names the rooms
/// of one floor.
fn floors() -> BTreeMap<String, usize> {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let block = text.split("## Floors").nth(1).expect("a chapter of floors");
    let block = block.split("```").nth(1).expect("a block of floors");
    let mut found = BTreeMap::new();
    for (floor, line) in block.trim().lines().enumerate() {
        for room in line.split_whitespace() {
            assert!(found.insert(room.to_owned(), floor).is_none(), "{room}");
        }
    }
    found
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The room that a file of src/ belongs to; `None` for the programs, the crate of filmctl and lib.rs.
fn room_of(path: &Path) -> Option<String> {
    let first = path.strip_prefix("src").ok()?.iter().next()?.to_str()?;
    let room = first.strip_suffix(".rs").unwrap_or(first);
    let room = room.strip_suffix("_tests").unwrap_or(room);
    let is_room = !["bin", "lib", "control-protocol"].contains(&room);
    is_room.then(|| room.to_owned())
}

/// Rooms that a text names behind `crate::`, one by one or in braces; comments are left out.
fn rooms_used(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = |text: &str| text.chars().take_while(|c| is_name(*c)).collect::<String>();
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (at, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && is_name(c) => {
                        found.push(name(&list[at..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.push(name(rest));
        }
    }
    found
}

/// Every arrow that does not run down, as one line.
fn arrows_up(floors: &BTreeMap<String, usize>, files: &[(String, String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, room, text) in files {
        for used in rooms_used(text) {
            let Some(to) = floors.get(&used) else {
                continue; // an item of lib.rs
            };
            if used != *room && *to >= floors[room] {
                found.push(format!("{path}: {room} uses {used}"));
            }
        }
    }
    found
}

#[test]
fn no_room_uses_a_room_of_its_own_floor_or_above() {
    let floors = floors();
    let mut paths = Vec::new();
    rust_files(Path::new("src"), &mut paths);
    let mut files = Vec::new();
    for path in &paths {
        let Some(room) = room_of(path) else { continue };
        assert!(
            floors.contains_key(&room),
            "ARCHITECTURE.md puts {room} on no floor"
        );
        let text = fs::read_to_string(path).unwrap();
        files.push((path.display().to_string(), room, text));
    }
    assert!(files.len() > 200, "{} files were found", files.len());
    let up = arrows_up(&floors, &files);
    assert!(up.is_empty(), "arrows that run back up:\n{}", up.join("\n"));
}

#[test]
fn an_arrow_back_up_is_found() {
    let floors = floors();
    let text =
        "use crate::{clock::Clock, present::{Screen, Overlay}};\n// use crate::fuse::Tone;\n";
    let file = |text: &str| {
        (
            "src/frame.rs".to_owned(),
            "frame".to_owned(),
            text.to_owned(),
        )
    };
    let up = arrows_up(&floors, &[file(text)]);
    assert_eq!(up, ["src/frame.rs: frame uses present"]);
    let up = arrows_up(&floors, &[file("fn f() -> crate::config::Mode;")]);
    assert_eq!(up, ["src/frame.rs: frame uses config"]);
}

/// Files `a.rs` that stand beside a folder `a/` of Rust files.
fn files_beside_their_folder(root: &str) -> Vec<String> {
    let mut paths = Vec::new();
    rust_files(Path::new(root), &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let beside = path.with_extension("");
        let mut inside = Vec::new();
        if beside.is_dir() {
            rust_files(&beside, &mut inside);
        }
        if !inside.is_empty() {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn the_file_of_a_folder_is_its_mod_rs() {
    for root in ["src", "tests", "benches"] {
        assert_eq!(files_beside_their_folder(root), Vec::<String>::new());
    }
}

/// Folders that the map of ARCHITECTURE.md names: the first word of a line ends in `/`, and its indentation
/// says how deep it lies.
fn folders_of_the_map() -> BTreeSet<String> {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let chapter = text.split("## The map").nth(1).expect("a map");
    let block = chapter.split("```").nth(1).expect("a block of folders");
    let mut found = BTreeSet::new();
    let mut path: Vec<&str> = Vec::new();
    for line in block.lines() {
        let indent = line.len() - line.trim_start().len();
        let first = line.split_whitespace().next().unwrap_or_default();
        if let Some(name) = first.strip_suffix('/')
            && indent / 2 <= path.len()
        {
            path.truncate(indent / 2);
            path.push(name);
            found.insert(path.join("/"));
        }
    }
    found
}

#[test]
fn the_map_names_every_folder() {
    let mut paths = Vec::new();
    rust_files(Path::new("src"), &mut paths);
    let mut there = BTreeSet::new();
    for path in &paths {
        for folder in path.strip_prefix("src").unwrap().ancestors().skip(1) {
            let folder = folder.display().to_string();
            if !folder.is_empty() {
                there.insert(folder);
            }
        }
    }
    assert_eq!(folders_of_the_map(), there);
}
