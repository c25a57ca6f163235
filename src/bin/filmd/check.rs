//! `filmd check`: is a configuration file fit to run?

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use filmd::align::{Aligner, Calibration};
use filmd::config::{Config, Engine};
use filmd::describe::Detector;
use filmd::describe::words::questions::Questions;
use filmd::fuse::NetworkFuser;

use crate::{drop_ins, setup};

/// Arguments of `filmd check`.
#[derive(clap::Args)]
pub struct Args {
    /// The configuration file.
    file: PathBuf,
}

/// Checks and says so.
///
/// # Errors
/// What cannot be used.
pub fn run(args: &Args) -> Result<()> {
    let config = examine(&args.file)?;
    say!("{}: ok", args.file.display());
    if let Some(line) = drop_ins::line_to_paste(&config) {
        say!("as a service it needs rights that filmd.service alone does not give:\n  {line}");
    }
    Ok(())
}

/// Checks keys, ranges, calibration, models and questions; cameras and screens are not opened, since another
/// filmd may be using them.
///
/// # Errors
/// What cannot be used.
pub fn examine(file: &Path) -> Result<Config> {
    let config = setup::load(file)?;
    if let Some(path) = &config.align.calibration {
        let preset = config.align.preset.as_deref();
        Aligner::new(&Calibration::load(path)?, preset, config.output.size())?;
    }
    if config.fuse.engine == Engine::Network {
        let manifest = setup::manifest(&config)?;
        NetworkFuser::new(
            &manifest,
            config.fuse.network.as_deref(),
            config.output.size(),
        )
        .context("the network cannot be used")?;
    }
    Questions::open(config.describe.questions.as_deref())?;
    if let Some(detector) = &config.describe.detector {
        Detector::new(detector.clone())
            .load()
            .map_err(anyhow::Error::msg)?;
    }
    Ok(config)
}
