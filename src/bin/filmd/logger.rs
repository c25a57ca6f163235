//! Lines on stderr, for the journal or for a terminal.
//!
//! A logging crate would do, but each one switches on `log/std`, and that feature builds tract and
//! llama.cpp's bindings a second time; what filmd needs of one is below.

use std::io::{IsTerminal, Write};

use log::{Level, LevelFilter, Log, Metadata, Record};

struct Stderr;

static LOGGER: Stderr = Stderr;

/// The priority that journald takes from the start of a line (sd-daemon(3)).
fn priority(level: Level) -> &'static str {
    match level {
        Level::Error => "<3>",
        Level::Warn => "<4>",
        Level::Info => "<6>",
        Level::Debug | Level::Trace => "<7>",
    }
}

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Other crates' news (tract has much) is for their authors; their warnings are for ours.
        let own = metadata.target().starts_with("filmd");
        metadata.level()
            <= if own {
                log::max_level()
            } else {
                Level::Warn.to_level_filter()
            }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut stderr = std::io::stderr().lock();
        // A journal that went away must not take the picture with it.
        let _ = if std::env::var_os("JOURNAL_STREAM").is_some() && !stderr.is_terminal() {
            writeln!(stderr, "{}{}", priority(record.level()), record.args())
        } else {
            writeln!(
                stderr,
                "filmd {}: {}",
                record.level().as_str().to_lowercase(),
                record.args()
            )
        };
    }

    fn flush(&self) {}
}

/// Logs from here on, at the level that FILMD_LOG names (error, warn, info, debug, trace).
pub fn start() {
    let level = std::env::var("FILMD_LOG").ok().and_then(|l| l.parse().ok());
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(level.unwrap_or(LevelFilter::Info));
    }
}
