//! Waits for device files that other crates own and only show as numbers.
//!
//! Input: file descriptors. Output: which of them have something. Thread: any. Blocks: at most the
//! time-out. Allocates: never. Fails when: the kernel says so. Not its job: reading them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// Waits until one of the two can be read, failed or was unplugged, at most `timeout`; says which.
/// `None` is never ready; an interruption by a signal counts as nothing ready.
///
/// The descriptors have to be open for as long as this runs: the caller holds their owners.
///
/// # Errors
/// What poll(2) says.
pub fn wait_readable(fds: [Option<RawFd>; 2], timeout: Duration) -> io::Result<[bool; 2]> {
    let ask = |fd: RawFd| {
        // Out of range of a descriptor, -1 above all, would be undefined behaviour below.
        let fd = fd.max(0);
        #[expect(
            unsafe_code,
            reason = "the v4l crate gives out its descriptor as a number only"
        )]
        // SAFETY: not -1, see above. The caller owns the device that the number belongs to and
        // holds it over this call, in which the borrow begins and ends; a number that is closed
        // nevertheless makes poll(2) report POLLNVAL and touches no memory.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        PollFd::from_borrowed_fd(fd, PollFlags::IN)
    };
    let time = Timespec::try_from(timeout).unwrap_or(Timespec {
        tv_sec: i64::from(i32::MAX),
        tv_nsec: 0,
    });
    let ready = |entry: &PollFd| !entry.revents().is_empty();
    let result = match fds {
        [Some(a), Some(b)] => {
            let mut both = [ask(a), ask(b)];
            poll(&mut both, Some(&time)).map(|_| [ready(&both[0]), ready(&both[1])])
        }
        [Some(a), None] => {
            let mut one = [ask(a)];
            poll(&mut one, Some(&time)).map(|_| [ready(&one[0]), false])
        }
        [None, Some(b)] => {
            let mut one = [ask(b)];
            poll(&mut one, Some(&time)).map(|_| [false, ready(&one[0])])
        }
        [None, None] => poll(&mut [], Some(&time)).map(|_| [false; 2]),
    };
    match result {
        Err(rustix::io::Errno::INTR) => Ok([false; 2]),
        other => Ok(other?),
    }
}

/// Reads and writes of `fd` wait no more.
///
/// # Errors
/// What fcntl(2) says.
pub fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let flags = fcntl_getfl(&fd)?;
    Ok(fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;

    #[test]
    fn says_which_side_has_something() {
        let (a, mut to_a) = std::io::pipe().unwrap();
        let (b, mut to_b) = std::io::pipe().unwrap();
        let fds = [Some(a.as_raw_fd()), Some(b.as_raw_fd())];
        assert_eq!(wait_readable(fds, Duration::ZERO).unwrap(), [false, false]);
        to_b.write_all(b"x").unwrap();
        assert_eq!(
            wait_readable(fds, Duration::from_secs(9)).unwrap(),
            [false, true]
        );
        assert_eq!(
            wait_readable([fds[0], None], Duration::ZERO).unwrap(),
            [false, false]
        );
        assert_eq!(
            wait_readable([None, fds[1]], Duration::ZERO).unwrap(),
            [false, true]
        );
        to_a.write_all(b"x").unwrap();
        assert_eq!(
            wait_readable(fds, Duration::from_secs(9)).unwrap(),
            [true, true]
        );
    }

    #[test]
    fn a_closed_other_end_counts_as_ready_so_that_reading_reports_it() {
        let (a, to_a) = std::io::pipe().unwrap();
        drop(to_a);
        let found = wait_readable([Some(a.as_raw_fd()), None], Duration::from_secs(9)).unwrap();
        assert_eq!(found, [true, false]);
        assert_eq!(
            wait_readable([None, None], Duration::from_millis(1)).unwrap(),
            [false, false]
        );
    }
}
