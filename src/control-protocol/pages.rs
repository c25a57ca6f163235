//! Man pages and shell completions of a program, made from its own arguments; for packages.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap_complete::Shell;

/// Arguments of `pages`.
#[derive(clap::Args)]
pub struct Args {
    /// The folder that stands for /usr/share; man/man1 and the shells' folders are made in it.
    folder: PathBuf,
}

/// Where each shell looks, below /usr/share.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions"),
    (Shell::Zsh, "zsh/vendor-completions"),
    (Shell::Fish, "fish/vendor_completions.d"),
];

/// Writes the pages of `command` and of its subcommands, and its completions.
///
/// # Errors
/// What cannot be written.
pub fn write(args: &Args, mut command: clap::Command) -> Result<()> {
    let made = |folder: &str| -> Result<PathBuf> {
        let folder = args.folder.join(folder);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    };
    let name = command.get_name().to_owned();
    // A page for each "help SUBCOMMAND" would say nothing.
    let documented = command.clone().disable_help_subcommand(true);
    for (shell, folder) in SHELLS {
        let folder = made(folder)?;
        clap_complete::generate_to(shell, &mut command, &name, &folder)
            .with_context(|| format!("cannot write completions for {shell}"))?;
        // Debian's bash finds a completion by the program's own name.
        if shell == Shell::Bash {
            std::fs::rename(folder.join(format!("{name}.bash")), folder.join(&name))?;
        }
    }
    let manual = made("man/man1")?;
    clap_mangen::generate_to(documented, &manual)
        .with_context(|| format!("cannot write into {}", manual.display()))
}
