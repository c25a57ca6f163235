//! filmd: the daemon, its demo, and the same fusion for files.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its terminal"
)]

#[macro_use]
mod deliver;
#[macro_use]
mod say;

mod asked;
mod cameras;
mod check;
mod daemon;
mod demo;
mod describe;
mod describe_set;
mod doctor;
mod drop_ins;
mod eval;
mod fuse;
mod graph;
mod logger;
mod offline;
#[path = "../../control-protocol/pages.rs"]
mod pages;
mod pair_files;
mod setup;
mod sources;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// A configuration that cannot be used: EX_CONFIG of sysexits.h, so that systemd does not restart.
const EXIT_CONFIG: u8 = 78;

/// Text-guided fusion of paired cameras, without a network.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon with a configuration file.
    Run(daemon::Args),
    /// Show what filmd does: two synthetic cameras, or folders of your own, fused live.
    Demo(demo::Args),
    /// Fuse two pictures, or two folders of pictures.
    Fuse(fuse::Args),
    /// Say what two pictures show, as the guiding text would; or all pairs of two folders.
    Describe(describe::Args),
    /// Measure how good fused pictures are, with guards against gamed numbers.
    Eval(eval::Args),
    /// Check a configuration file and what it names; exit code 78 where it cannot be used.
    Check(check::Args),
    /// Say what this machine lacks to show a picture, each with the line to paste.
    Doctor(doctor::Args),
    /// List the cameras that are plugged in, with the lines to paste into a configuration.
    Cameras(cameras::Args),
    /// Run filmd-bench, which measures the frame path; it is built beside filmd and not installed.
    #[command(disable_help_flag = true)]
    Bench {
        /// Its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Write man pages and shell completions below a folder.
    #[command(hide = true)]
    Pages(pages::Args),
}

fn main() -> ExitCode {
    logger::start();
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Run(args) => daemon::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Fuse(args) => fuse::run(args),
        Command::Describe(args) => describe::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Check(args) => check::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Cameras(args) => cameras::run(args),
        Command::Bench { arguments } => bench(arguments),
        Command::Pages(args) => pages::write(args, Cli::command()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain!("filmd: {error:#}");
            // A calibration is a part of the configuration: starting again does not mend it.
            let config = error.chain().any(|e| {
                e.is::<filmd::config::ConfigError>() || e.is::<filmd::align::AlignError>()
            });
            if config {
                ExitCode::from(EXIT_CONFIG)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Becomes filmd-bench; returns only where there is none.
fn bench(arguments: &[OsString]) -> anyhow::Result<()> {
    let program = std::env::current_exe()?.with_file_name("filmd-bench");
    let error = std::process::Command::new(&program).args(arguments).exec();
    Err(anyhow::Error::new(error).context(format!(
        "{} cannot be run; `make bench` builds it in the source's folder",
        program.display()
    )))
}
