//! tests/FINDINGS.md names tests and scenarios that are there.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::path::Path;

fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_proof_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    sources(&root.join("tests"), &mut code);
    let table = std::fs::read_to_string(root.join("tests/FINDINGS.md")).unwrap();
    let mut named = 0;
    for line in table.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let proof = line.split('|').nth(2).unwrap();
        let quoted = proof.split('`').skip(1).step_by(2);
        // A command is no test.
        let names: Vec<_> = quoted.filter(|name| !name.contains(' ')).collect();
        let is_said = ["said", "not done", "gone", "as ", "caught", "Makefile"];
        assert!(
            !names.is_empty() || is_said.iter().any(|word| proof.contains(word)),
            "{line}"
        );
        for name in names {
            let scenario = root.join(format!("board/vm/scenarios/{name}.sh"));
            let is_test = code.contains(&format!("fn {name}("));
            assert!(
                is_test || scenario.is_file(),
                "{name} is neither a test nor a scenario"
            );
            named += 1;
        }
    }
    assert!(named > 40, "{named}");
}
