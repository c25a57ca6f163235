//! `filmd doctor`: what this machine lacks to show a picture, each with the line to paste.
//!
//! Input: the machine, and a configuration where there is one. Output: a line for each part. Fails when: a part
//! is at fault, after all were looked at. Not its job: opening cameras or displays that a running filmd may use.

mod host;
mod parts;

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;

use host::Host;

/// Arguments of `filmd doctor`.
#[derive(clap::Args)]
pub struct Args {
    /// The configuration to look at; without it the service's, where there is one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It works.
    Ok,
    /// filmd runs, with less.
    Note,
    /// filmd cannot do what was asked of it.
    Fault,
}

/// What was found of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of the machine.
    part: &'static str,
    health: Health,
    /// What is there.
    found: String,
    /// The line to paste, or what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Finding {
    fn ok(part: &'static str, found: impl Into<String>) -> Self {
        Self {
            part,
            health: Health::Ok,
            found: found.into(),
            mend: None,
        }
    }

    fn note(part: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            health: Health::Note,
            mend: Some(mend.into()),
            ..Self::ok(part, found)
        }
    }

    fn fault(part: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            health: Health::Fault,
            ..Self::note(part, found, mend)
        }
    }
}

/// Looks at each part and prints what was found.
///
/// # Errors
/// How many parts are at fault.
pub fn run(args: &Args) -> Result<()> {
    let host = Host::default();
    let findings = parts::all(&host, args.config.as_deref());
    if args.json {
        say!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        for finding in &findings {
            say!("{}", line(finding));
        }
    }
    let faults = findings
        .iter()
        .filter(|f| f.health == Health::Fault)
        .count();
    if faults > 0 {
        bail!("{faults} of {} parts are at fault", findings.len());
    }
    Ok(())
}

fn line(finding: &Finding) -> String {
    let health = match finding.health {
        Health::Ok => "ok",
        Health::Note => "note",
        Health::Fault => "FAULT",
    };
    let mend = finding.mend.as_ref();
    let mend = mend.map_or_else(String::new, |mend| format!("\n{:18}{mend}", ""));
    format!("{health:6}{:12}{}{mend}", finding.part, finding.found)
}
