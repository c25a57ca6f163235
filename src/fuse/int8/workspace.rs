//! What the operators of one network share while it runs: threads, and tensors of former frames.
//!
//! tract hands an operator its inputs and nothing else, so the workspace waits with the thread that
//! runs the network. Input: none. Output: tensors to write in, bands of rows on all threads. Thread:
//! fuse. Blocks: until all bands are done. Allocates: a tensor where none of its form is free: in the
//! first frames. Fails when: never by itself. Not its job: what is computed.

use std::cell::RefCell;
use std::sync::Arc;

use tract_onnx::prelude::*;

use crate::sys::team::Team;

/// More would be another kind of network: then tensors are made anew.
const MOST_TENSORS: usize = 64;

/// Bands per thread: where one thread is kept away for a while, the others take over some.
const BANDS: usize = 4;

/// Threads and tensors.
#[derive(Debug, Default)]
pub(in crate::fuse) struct Workspace {
    team: Arc<Team>,
    tensors: Vec<Arc<Tensor>>,
}

thread_local! {
    static CURRENT: RefCell<Workspace> = RefCell::default();
}

impl Workspace {
    /// With no tensor yet.
    pub fn new(team: Arc<Team>) -> Self {
        Self {
            team,
            tensors: Vec::new(),
        }
    }

    /// The threads.
    pub fn team(&self) -> Arc<Team> {
        Arc::clone(&self.team)
    }

    /// Runs something whose operators find this workspace.
    pub fn within<R>(&mut self, run: impl FnOnce() -> R) -> R {
        let outer = CURRENT.replace(std::mem::take(self));
        let result = run();
        *self = CURRENT.replace(outer);
        result
    }
}

/// A tensor that nobody else holds, with values of no meaning. [`keep`] it for later frames.
pub(super) fn tensor(kind: DatumType, shape: &[usize]) -> TractResult<Arc<Tensor>> {
    let found = CURRENT.with_borrow_mut(|current| {
        let tensors = &mut current.tensors;
        let at = tensors.iter_mut().rposition(|tensor| {
            tensor.datum_type() == kind && tensor.shape() == shape && Arc::get_mut(tensor).is_some()
        });
        at.map(|at| tensors.swap_remove(at))
    });
    match found {
        Some(tensor) => Ok(tensor),
        None => Ok(Arc::new(Tensor::zero_dt(kind, shape)?)),
    }
}

/// Gives a tensor back to the workspace, where it is used again once nobody else holds it.
pub(super) fn keep(tensor: &Arc<Tensor>) {
    CURRENT.with_borrow_mut(|current| {
        if current.tensors.len() < MOST_TENSORS {
            current.tensors.push(Arc::clone(tensor));
        }
    });
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
    let mut items: Vec<(usize, &mut [T])> = out
        .chunks_mut(band * row)
        .enumerate()
        .map(|(n, out)| (n * band, out))
        .collect();
    team.each(&mut items, |(first, out)| each(*first, out));
}

/// The threads of the network that runs.
pub(super) fn team() -> Arc<Team> {
    CURRENT.with_borrow(Workspace::team)
}

/// Rows of a band, of so many rows in all.
pub(super) fn band_rows(team: &Team, rows: usize) -> usize {
    match team.size() {
        1 => rows.max(1),
        threads => rows.div_ceil(threads * BANDS).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_is_used_again_once_nobody_holds_it() {
        let mut workspace = Workspace::default();
        let kind = i8::datum_type();
        let made = workspace.within(|| {
            let made = tensor(kind, &[2, 3]).unwrap();
            keep(&made);
            made
        });
        workspace.within(|| {
            let other = tensor(kind, &[2, 3]).unwrap();
            assert!(!Arc::ptr_eq(&made, &other));
        });
        let place = Arc::as_ptr(&made);
        drop(made);
        workspace.within(|| {
            assert_ne!(Arc::as_ptr(&tensor(kind, &[3, 2]).unwrap()), place);
            assert_eq!(Arc::as_ptr(&tensor(kind, &[2, 3]).unwrap()), place);
        });
        // Outside of it nothing of it is found.
        assert!(CURRENT.with_borrow(|current| current.tensors.is_empty()));
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
