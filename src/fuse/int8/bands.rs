//! What the operators of one network share while it runs: threads.
//!
//! tract hands an operator its inputs and nothing else, so the team waits with the thread that runs
//! the network. Input: none. Output: bands of rows on all threads. Thread: fuse. Blocks: until all
//! bands are done. Allocates: never. Fails when: never by itself. Not its job: what is computed.

use std::cell::RefCell;
use std::sync::Arc;

use crate::team::Team;

/// Bands per thread: where one thread is kept away for a while, the others take over some.
const BANDS: usize = 4;

/// Bands of all threads: an array holds them.
const MOST_BANDS: usize = 64;

thread_local! {
    static CURRENT: RefCell<Arc<Team>> = RefCell::default();
}

/// Runs something whose operators share their work with that team.
pub(in crate::fuse) fn within<R>(with: &Arc<Team>, run: impl FnOnce() -> R) -> R {
    let outer = CURRENT.replace(Arc::clone(with));
    let result = run();
    CURRENT.set(outer);
    result
}

/// [`bands_on`] the current team.
pub(super) fn bands<T: Send>(out: &mut [T], row: usize, each: impl Fn(usize, &mut [T]) + Sync) {
    bands_on(&team(), out, row, each);
}

/// Calls `each` for bands of whole rows of `out`, each with the number of its first row.
pub(in crate::fuse) fn bands_on<T: Send>(
    team: &Team,
    out: &mut [T],
    row: usize,
    each: impl Fn(usize, &mut [T]) + Sync,
) {
    let band = band_rows(team, out.len() / row);
    each_band(team, out.chunks_mut(band * row), |n, out| {
        each(n * band, out);
    });
}

/// Calls `each` for what belongs to each band, with its number; at most [`MOST_BANDS`].
pub(super) fn each_band<I: Send>(
    team: &Team,
    bands: impl Iterator<Item = I>,
    each: impl Fn(usize, &mut I) + Sync,
) {
    let mut bands = bands.enumerate();
    let mut items: [_; MOST_BANDS] = std::array::from_fn(|_| bands.next());
    let count = items.iter().flatten().count();
    team.each(&mut items[..count], |item| {
        if let Some((n, item)) = item {
            each(*n, item);
        }
    });
}

/// The threads of the network that runs.
pub(super) fn team() -> Arc<Team> {
    CURRENT.with_borrow(Arc::clone)
}

/// Rows of a band, of so many rows in all.
pub(super) fn band_rows(team: &Team, rows: usize) -> usize {
    match team.size() {
        1 => rows.max(1),
        threads => rows.div_ceil((threads * BANDS).min(MOST_BANDS)).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_runs_within_a_team_finds_it() {
        let spawn = |_, run: Box<dyn FnOnce() + Send>| std::thread::Builder::new().spawn(run);
        let pair = Arc::new(Team::start(1, spawn).unwrap());
        let sizes = within(&pair, || {
            (team().size(), within(&Arc::default(), || team().size()))
        });
        assert_eq!((sizes, team().size()), ((2, 1), 1));
    }

    #[test]
    fn bands_are_whole_rows_in_order() {
        let mut out = vec![0; 7 * 3];
        bands(&mut out, 3, |first, out| {
            for (n, row) in out.chunks_mut(3).enumerate() {
                row.fill(first + n);
            }
        });
        let rows: Vec<usize> = out.chunks(3).map(|row| row[2]).collect();
        assert_eq!(rows, [0, 1, 2, 3, 4, 5, 6]);
    }
}
