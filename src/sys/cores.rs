//! On which core a thread runs.
//!
//! [`bind`] acts on the thread that calls it. Which core is the caller's choice.

use std::io;

use rustix::thread::{CpuSet, sched_setaffinity};

/// Cores that can be named.
pub const CORES: usize = CpuSet::MAX_CPU;

/// Binds this thread to one core.
///
/// # Errors
/// What sched_setaffinity(2) says: there is no such core, or this process may not use it. A number
/// of [`CORES`] or more is refused.
pub fn bind(core: usize) -> io::Result<()> {
    if core >= CORES {
        let what = format!("core {core}; 0 to {} can be named", CORES - 1);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cores that this thread may use, as the kernel lists them.
    fn allowed() -> String {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = |line: &str| line.strip_prefix("Cpus_allowed_list:").map(str::to_owned);
        status.lines().find_map(line).unwrap().trim().to_owned()
    }

    #[test]
    fn a_thread_is_bound_alone() {
        let before = allowed();
        let first: usize = before.split([',', '-']).next().unwrap().parse().unwrap();
        let inside = std::thread::scope(|scope| {
            let bound = scope.spawn(|| bind(first).map(|()| allowed()));
            bound.join().unwrap().unwrap()
        });
        assert_eq!(inside, first.to_string());
        assert_eq!(allowed(), before);
    }

    #[test]
    fn cores_that_are_not_there_are_refused() {
        let before = allowed();
        assert!(bind(CORES - 1).is_err());
        assert_eq!(bind(CORES).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(allowed(), before);
    }
}
