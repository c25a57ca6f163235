//! On which core a thread runs.
//!
//! Input: a core's number. Output: none. Thread: the one that is bound. Blocks: never. Allocates:
//! never. Fails when: there is no such core, or this process may not use it. Not its job: which.

use std::io;

/// Cores that can be named.
pub const CORES: usize = 1024;

const WORD: usize = u64::BITS as usize;

/// The kernel's set of cores.
#[repr(C)]
struct Set([u64; CORES / WORD]);

#[expect(unsafe_code, reason = "std knows the C library but not this function")]
unsafe extern "C" {
    /// sched_setaffinity(2); thread 0 is the one that asks.
    fn sched_setaffinity(thread: i32, bytes: usize, set: *const Set) -> i32;
}

/// Binds this thread to one core.
///
/// # Errors
/// What sched_setaffinity(2) says; a number of [`CORES`] or more is refused.
pub fn bind(core: usize) -> io::Result<()> {
    let mut set = Set([0; CORES / WORD]);
    let Some(word) = set.0.get_mut(core / WORD) else {
        let what = format!("core {core}; 0 to {} can be named", CORES - 1);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    };
    *word = 1 << (core % WORD);
    #[expect(unsafe_code, reason = "a call of the C library")]
    // SAFETY: the set is as long as is said, is read only, and lives over the call.
    let result = unsafe { sched_setaffinity(0, size_of::<Set>(), &raw const set) };
    if result == 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error())
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
