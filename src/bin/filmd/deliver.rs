//! Words to the terminal where the reader may be gone, or the disk full.

/// `eprintln!` panics where standard error cannot be written (a closed pipe, a full disk); this does not.
macro_rules! complain {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        // There is nobody left to tell.
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}

/// Writes a line to standard output that somebody asked for as the result, and gives back whether it was written.
/// A reader that went away is no fault of ours.
macro_rules! deliver {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let mut out = std::io::stdout().lock();
        match writeln!(out, $($words)*).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }};
}
