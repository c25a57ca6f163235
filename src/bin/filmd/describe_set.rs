//! `filmd describe A_DIR B_DIR --out F.jsonl`: a data set of texts, one JSON line a pair.
//!
//! Input: two folders of pictures. Output: JSON lines; with `--features` one NPY file a pair. Fails when:
//! the output cannot be written or belongs to something else; pairs that fail are counted, the others go
//! on. Not its job: what the texts say.
//!
//! A run that was cut off goes on where it stopped: pairs that have a line are left out, and half
//! a line at the end is cut off. Features are in place before the line that names them.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use filmd::config::Task;
use filmd::describe::TokenFeatures;
use filmd::folders::pair_folders;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::pair_files::progress_bar;

/// Longest file of lines that a run goes on behind.
const MOST: u64 = 1 << 30;

/// What is written for one pair: the line, and the features it names.
pub type Written = (Value, Option<TokenFeatures>);

/// Where a set goes.
#[derive(Debug)]
pub struct Output<'a> {
    /// The JSON lines.
    pub lines: &'a Path,
    /// Folder of the features.
    pub features: Option<&'a Path>,
    /// Of every line; lines of another task are not mixed in.
    pub task: Task,
}

/// What a line must have for a run to go on behind it.
#[derive(Deserialize)]
struct Done {
    name: String,
    task: Task,
}

/// Describes every pair of two folders by `describe`.
///
/// # Errors
/// Folders or the output that cannot be used; after all pairs, how many failed.
pub fn run(
    (a, b): (&Path, &Path),
    output: &Output<'_>,
    mut describe: impl FnMut(&Path, &Path) -> Result<Written>,
) -> Result<()> {
    let found = pair_folders(a, b)?;
    if let Some(unmatched) = found.unmatched() {
        complain!("{unmatched}");
    }
    if let Some(folder) = output.features {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let (mut file, done) = open(output)?;
    let bar = progress_bar(found.pairs.len());
    let (mut written, mut failed) = (0, 0);
    for pair in &found.pairs {
        bar.set_message(pair.stem.clone());
        if !done.contains(&pair.stem) {
            match describe(&pair.a, &pair.b) {
                Ok(said) => {
                    save(output, &mut file, &pair.stem, said)?;
                    written += 1;
                }
                Err(error) => {
                    failed += 1;
                    bar.suspend(|| complain!("{}: {error:#}", pair.stem));
                }
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let total = found.pairs.len();
    say!(
        "{written} of {total} pairs described into {}, {} were there before",
        output.lines.display(),
        total - written - failed
    );
    if failed > 0 {
        bail!("{failed} of {total} pairs failed; the same command tries them again");
    }
    Ok(())
}

/// The file, at the end of its last whole line, and the names it has.
fn open(output: &Output<'_>) -> Result<(File, HashSet<String>)> {
    let path = output.lines;
    let shown = path.display();
    // A device or a pipe never ends, and what is no file of ours is not cut.
    if let Ok(about) = std::fs::metadata(path) {
        if !about.is_file() {
            bail!("{shown} is no regular file; name a file with --out");
        }
        if about.len() > MOST {
            bail!(
                "{shown} has {} bytes, and at most {MOST} are read; name another file with --out",
                about.len()
            );
        }
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    let file = options
        .open(path)
        .with_context(|| format!("cannot open {shown} for writing"))?;
    let mut done = HashSet::new();
    let mut whole = 0;
    let mut reader = BufReader::new((&file).take(MOST));
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        reader
            .read_until(b'\n', &mut line)
            .with_context(|| format!("cannot read {shown}"))?;
        if !line.ends_with(b"\n") {
            break;
        }
        let Ok(Done { name, task }) = serde_json::from_slice(&line) else {
            bail!("{shown}, line {number}, is not of filmd describe; name another file with --out");
        };
        if task != output.task {
            bail!(
                "{shown}, line {number}, is of task {}; name another file with --out",
                task.name()
            );
        }
        done.insert(name);
        whole += line.len() as u64;
    }
    file.set_len(whole)
        .with_context(|| format!("cannot write {shown}"))?;
    Ok((file, done))
}

fn save(
    output: &Output<'_>,
    file: &mut File,
    stem: &str,
    (mut line, features): Written,
) -> Result<()> {
    if let (Some(folder), Some(features)) = (output.features, features) {
        let path = folder.join(format!("{stem}.npy"));
        write_npy(&path, &features).with_context(|| format!("cannot write {}", path.display()))?;
        line["features"] = json!(path.display().to_string());
    }
    line["name"] = json!(stem);
    let mut text = serde_json::to_vec(&line)?;
    text.push(b'\n');
    // One call a line: what is cut off by a crash is one line.
    file.write_all(&text)
        .with_context(|| format!("cannot write {}", output.lines.display()))
}

/// NumPy's format 1.0: `<f4`, C order, `rows` x `dim`. In place as a whole or not at all.
fn write_npy(path: &Path, features: &TokenFeatures) -> Result<()> {
    let (rows, dim) = (features.rows, features.dim);
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}");
    // Magic, version, length and header together are a multiple of 64, ended by a line feed.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    header.push_str(&" ".repeat(length - header.len() - 1));
    header.push('\n');
    let mut bytes = Vec::with_capacity(10 + length + features.values.len() * 4);
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    bytes.extend_from_slice(&u16::try_from(length)?.to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    for value in &features.values {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    let mut half: PathBuf = path.to_owned();
    half.set_extension("npy.part");
    std::fs::write(&half, bytes)?;
    Ok(std::fs::rename(&half, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> (tempfile::TempDir, [PathBuf; 3]) {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "f"].map(|name| folder.path().join(name));
        for side in &paths[..2] {
            std::fs::create_dir(side).unwrap();
            for name in ["1.png", "2.png", "3.png"] {
                std::fs::write(side.join(name), b"").unwrap();
            }
        }
        (folder, paths)
    }

    fn features() -> TokenFeatures {
        TokenFeatures {
            rows: 2,
            dim: 3,
            values: vec![0.0, 1.0, 2.0, 3.0, 4.0, -1.5],
        }
    }

    #[test]
    fn a_run_goes_on_behind_the_last_whole_line() {
        let (folder, [a, b, f]) = folders();
        let lines = folder.path().join("t.jsonl");
        std::fs::write(
            &lines,
            "{\"name\":\"2\",\"task\":\"mff\",\"x\":1}\n{\"name\":\"3",
        )
        .unwrap();
        let output = Output {
            lines: &lines,
            features: Some(&f),
            task: Task::Mff,
        };
        let mut asked = Vec::new();
        let mut describe = |path: &Path, _: &Path| {
            asked.push(path.file_name().unwrap().to_owned());
            if asked.len() == 2 {
                bail!("no");
            }
            Ok((json!({"task": "mff"}), Some(features())))
        };
        let error = run((&a, &b), &output, &mut describe).unwrap_err();
        assert!(error.to_string().starts_with("1 of 3"), "{error}");
        run((&a, &b), &output, &mut describe).unwrap();
        run((&a, &b), &output, &mut describe).unwrap();
        assert_eq!(asked, ["1.png", "3.png", "3.png"]);
        let text = std::fs::read_to_string(&lines).unwrap();
        let names: Vec<_> = text
            .lines()
            .map(|l| serde_json::from_str::<Done>(l).unwrap().name)
            .collect();
        assert_eq!(names, ["2", "1", "3"]);
        assert!(f.join("1.npy").is_file() && !f.join("1.npy.part").exists());
    }

    #[test]
    fn another_file_is_not_written_into() {
        let (folder, [a, b, _]) = folders();
        let lines = folder.path().join("notes");
        for text in ["dear diary\n", "{\"name\":\"1\",\"task\":\"ivf\"}\n"] {
            std::fs::write(&lines, text).unwrap();
            let output = Output {
                lines: &lines,
                features: None,
                task: Task::Mff,
            };
            let error = run((&a, &b), &output, |_, _| bail!("asked")).unwrap_err();
            assert!(error.to_string().contains("line 1"), "{error}");
            assert_eq!(std::fs::read_to_string(&lines).unwrap(), text);
        }
    }

    #[test]
    fn features_are_written_as_numpy_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        write_npy(&path, &features()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((10 + length) % 64, 0);
        let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
        assert!(
            header.contains("(2, 3)") && header.ends_with('\n'),
            "{header:?}"
        );
        assert_eq!(bytes.len(), 10 + length + 24);
        assert_eq!(bytes[bytes.len() - 4..], (-1.5f32).to_le_bytes());
    }
}
