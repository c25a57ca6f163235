//! Which files are fused into which: one job, or one a pair of two folders.
//!
//! Input: the arguments. Output: [`Job`]. Fails when: files and folders are mixed, or the output would overwrite a
//! source. Not its job: reading pictures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use filmd::config::Task;
use filmd::files::check_output;
use filmd::folders::pair_folders_by;

use super::Args;

/// What is fused into one picture.
#[derive(Debug)]
pub struct Job {
    /// One file that holds two pictures, a pair, or a stack.
    pub sources: Vec<PathBuf>,
    /// The fused picture.
    pub out: PathBuf,
    /// What names the pair's text features.
    pub name: String,
}

/// Pictures of a stack, at most.
const MOST: usize = 9;

/// The jobs, and whether they are of folders.
///
/// # Errors
/// Arguments that do not go together; folders that cannot be used.
pub fn jobs_of(args: &Args) -> Result<(Vec<Job>, bool)> {
    let folders = args.sources.iter().filter(|path| path.is_dir()).count();
    if folders == 0 {
        return Ok((vec![file_job(args)?], false));
    }
    if folders != args.sources.len() {
        let shown: Vec<_> = args
            .sources
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        bail!("{} must be files or two folders", shown.join(" and "));
    }
    match (&args.sources[..], &args.placing.suffixes) {
        ([a, b], _) => Ok((folder_jobs(args, a, b)?, true)),
        ([both], Some(_)) => Ok((folder_jobs(args, both, both)?, true)),
        ([_], None) => {
            bail!("one folder needs --suffixes, such as --suffixes _T,_V; or name two folders")
        }
        _ => bail!("name two folders; a stack of more pictures is fused from files"),
    }
}

fn file_job(args: &Args) -> Result<Job> {
    let stack = matches!(args.task, Task::Mef | Task::Mff);
    match args.sources.len() {
        1 | 2 => {}
        3..=MOST if stack => {}
        n => bail!("{n} pictures: --task mef and mff take 2 to {MOST}, the others two"),
    }
    if args.placing.suffixes.is_some() {
        bail!("--suffixes is for folders");
    }
    let last = args.sources.last().context("no source was named")?;
    let stem = last.file_stem().context("source B names no file")?;
    let out = if args.out.is_dir() {
        let mut name = stem.to_owned();
        name.push(".png");
        args.out.join(name)
    } else {
        args.out.clone()
    };
    check_output(&out)?;
    for source in &args.sources {
        if is_same(source, &out) {
            bail!(
                "--out {} would overwrite a source; name another file",
                out.display()
            );
        }
    }
    Ok(Job {
        sources: args.sources.clone(),
        out,
        name: stem.to_string_lossy().into_owned(),
    })
}

fn folder_jobs(args: &Args, a: &Path, b: &Path) -> Result<Vec<Job>> {
    let (of_a, of_b) = args
        .placing
        .suffixes
        .as_ref()
        .map_or(("", ""), |(a, b)| (a, b));
    let found = pair_folders_by(a, b, (of_a, of_b))?;
    if let Some(unmatched) = found.unmatched() {
        complain!("{unmatched}");
    }
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    for source in [a, b] {
        if is_same(source, &args.out) {
            bail!(
                "--out {} would overwrite the sources; name another folder",
                args.out.display()
            );
        }
    }
    let jobs = found.pairs.into_iter().map(|pair| {
        let mut name = pair.name;
        name.push(".png");
        Job {
            sources: vec![pair.a, pair.b],
            out: args.out.join(name),
            name: pair.stem,
        }
    });
    Ok(jobs.collect())
}

fn is_same(x: &Path, y: &Path) -> bool {
    match (x.canonicalize(), y.canonicalize()) {
        (Ok(x), Ok(y)) => x == y,
        _ => false,
    }
}
