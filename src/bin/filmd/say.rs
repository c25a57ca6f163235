//! Words to the terminal, for filmd and filmctl alike.

/// `println!` panics where the reader of a pipe is gone (`filmctl status | head -1`); this does not.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        // Nobody reads on: nothing is lost.
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}
