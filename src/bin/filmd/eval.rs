//! `filmd eval`: how good fused pictures are.
//!
//! Input: three folders. Output: a table of means, CSV, JSON. Fails when: folders or pictures cannot be
//! used, or a fused picture is missing. Not its job: fusing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use filmd::files::{Grey16, read_picture_with};
use filmd::folders::{FilePair, pair_folders, pictures_by_stem};
use filmd::quality::{Metric, Scores, evaluate, mean_scores, write_csv};
use serde_json::json;

use crate::pair_files::progress_bar;

/// Measure fused pictures against their sources.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of sources A (infrared, functional or CT, under-exposed, near focus)
    #[arg(long, value_name = "DIR")]
    a: PathBuf,
    /// Folder of sources B (visible, MRI, over-exposed, far focus)
    #[arg(long, value_name = "DIR")]
    b: PathBuf,
    /// Folder of fused pictures, named as their sources
    #[arg(long, value_name = "DIR")]
    f: PathBuf,
    /// Write every picture's scores to a CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Folders that cannot be used; after the report, pictures that could not be measured.
pub fn run(args: &Args) -> Result<()> {
    let sources = pair_folders(&args.a, &args.b)?;
    let fused: HashMap<String, PathBuf> = pictures_by_stem(&args.f)?.into_iter().collect();
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    let bar = progress_bar(sources.pairs.len());
    for pair in &sources.pairs {
        bar.set_message(pair.stem.clone());
        match measure(pair, fused.get(&pair.stem)) {
            Ok(scores) => rows.push((pair.stem.clone(), scores)),
            Err(error) => failures.push((pair.stem.clone(), format!("{error:#}"))),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(path) = &args.csv {
        save_csv(path, &rows).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let scores: Vec<Scores> = rows.iter().map(|(_, scores)| *scores).collect();
    let means = mean_scores(&scores);
    if args.json {
        print_json(&rows, &means, &failures)?;
    } else {
        print_table(rows.len(), &means);
    }
    if let Some(unmatched) = sources.unmatched() {
        complain!("sources: {unmatched}");
    }
    if failures.is_empty() {
        return Ok(());
    }
    for (name, error) in &failures {
        complain!("{name}: {error}");
    }
    bail!(
        "{} of {} pairs could not be measured",
        failures.len(),
        sources.pairs.len()
    )
}

fn measure(pair: &FilePair, fused: Option<&PathBuf>) -> Result<Scores> {
    let fused = fused.context("no fused picture of that name")?;
    // Equal bytes must give equal grey in all three pictures, so nothing is stretched.
    let read = |path: &Path| read_picture_with(path, Grey16::HighByte);
    Ok(evaluate(&read(&pair.a)?, &read(&pair.b)?, &read(fused)?)?)
}

fn save_csv(path: &Path, rows: &[(String, Scores)]) -> Result<()> {
    let mut text = Vec::new();
    write_csv(&mut text, rows)?;
    std::fs::write(path, text)?;
    Ok(())
}

fn print_json(
    rows: &[(String, Scores)],
    means: &Scores,
    failures: &[(String, String)],
) -> Result<()> {
    let pictures: Vec<_> = rows
        .iter()
        .map(|(name, scores)| json!({ "name": name, "scores": scores }))
        .collect();
    let failed: Vec<_> = failures
        .iter()
        .map(|(name, error)| json!({ "name": name, "error": error }))
        .collect();
    let report = json!({
        "pairs": rows.len(),
        "mean": means,
        "pictures": pictures,
        "failed": failed,
    });
    Ok(deliver!("{}", serde_json::to_string_pretty(&report)?)?)
}

fn print_table(pairs: usize, means: &Scores) {
    say!("means over {pairs} pairs");
    for metric in Metric::ALL {
        let value = means
            .get(metric)
            .map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        say!("{:<5}{value:>10}  {}", metric.name(), metric.meaning());
    }
}
