//! Limits around decoders: a panic becomes a value, and memory is asked for before it is needed.
//!
//! Thread: any. Blocks: never. Fails when: see each function. Not its job: time.
//!
//! Decoders are other people's code on other people's bytes. A panic in one of them must not end a folder's run
//! or the daemon; an allocation that fails would abort the process, and nothing can catch that.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// What `work` gives; where it panics, the panic's words. Nothing is printed then.
///
/// # Errors
/// The panic's words.
pub fn without_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |about| {
            if !QUIET.get() {
                usual(about);
            }
        }));
    });
    let before = QUIET.replace(true);
    // What the work had under way is dropped with it.
    let result = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    result.map_err(|payload| {
        let words = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied());
        words.unwrap_or("no words").to_owned()
    })
}

/// Whether `bytes` more can be had: by the limits of this process (`ulimit -v`), and by what the system says
/// is available.
pub fn has_memory(bytes: u64) -> bool {
    let Ok(size) = usize::try_from(bytes) else {
        return false;
    };
    // Reserves addresses only; nothing is written, so no memory is taken.
    let reserved = Vec::<u8>::new().try_reserve_exact(size).is_ok();
    reserved && available().is_none_or(|available| bytes <= available)
}

/// What the kernel would give without swapping, in bytes (proc(5), MemAvailable).
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_value_and_the_next_work_goes_on() {
        let words = without_panic(|| -> u8 { panic!("tile {} is odd", 3) }).unwrap_err();
        assert_eq!(words, "tile 3 is odd");
        assert_eq!(without_panic(|| 7), Ok(7));
        assert!(!QUIET.get());
    }

    #[test]
    fn more_memory_than_there_is_is_not_there() {
        assert!(has_memory(1 << 20));
        assert!(!has_memory(1 << 50));
        assert!(!has_memory(u64::MAX));
    }
}
