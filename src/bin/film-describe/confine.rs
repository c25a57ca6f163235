//! What the process does to itself before anything else, so that it harms nobody.

use std::time::Duration;

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, nice, set_parent_process_death_signal, setrlimit,
};

/// Below every other job of the board.
const NICENESS: i32 = 10;

/// Lowers priority, ends with its parent, leaves no core file, closes what it inherited.
/// Each of these is an improvement, none is needed: failures are passed over.
#[expect(
    unsafe_code,
    reason = "the environment is set before any thread exists"
)]
pub fn confine() {
    close_inherited();
    // filmd sets it too; by hand nobody does. An abort would start a debugger otherwise.
    // SAFETY: the first thing in main, no other thread exists that could read the environment.
    unsafe {
        std::env::set_var("GGML_NO_BACKTRACE", "1");
    };
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let _ = nice(NICENESS);
    let core = Rlimit {
        current: Some(0),
        maximum: getrlimit(Resource::Core).maximum,
    };
    let _ = setrlimit(Resource::Core, core);
    // When memory runs out, this process goes and the picture stays.
    let _ = std::fs::write("/proc/self/oom_score_adj", "700");
}

/// From here on, memory beyond `bytes` of address space is refused.
pub fn limit_memory(bytes: u64) {
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    let _ = setrlimit(Resource::As, limit);
}

/// Descriptors other than the standard three: a camera that filmd had open without
/// close-on-exec would stay busy after filmd closes it.
#[expect(
    unsafe_code,
    reason = "no owner exists for descriptors inherited from filmd"
)]
fn close_inherited() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let inherited: Vec<i32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&fd| fd > 2)
        .collect();
    for fd in inherited {
        // SAFETY: the first thing in main: no value in this process owns a descriptor above 2.
        // The listing's own one is in the list and closed by now; closing it again is EBADF.
        unsafe {
            rustix::io::close(fd);
        };
    }
}

/// Processor time of this process.
pub fn cpu_time() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(t.tv_sec).unwrap_or(0),
        u32::try_from(t.tv_nsec).unwrap_or(0),
    )
}
