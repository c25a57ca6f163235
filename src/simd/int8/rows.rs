//! The rows under a convolution's window, in the form that a path reads.
//!
//! Input: features of a whole map. Output: calls of a kernel, one per row of a band. Thread: any; each has
//! its own rows. Blocks: never. Allocates: what [`lend`] does. Not its job: the kernel.

use super::scratch::{Lendable, lend};
use super::{ConvShape, Job, slack};

/// The rows of the input under the window, with their border columns and [`slack`]; only the first
/// `kernel`.
pub(super) type Lines<'a, S> = [&'a [S]; 3];

/// Calls `each` for the rows of a band: those from `first` on for which `out` has room. A ring of
/// rows holds the input as the path wants it.
pub(super) fn over_rows<S: Lendable, T>(
    job: &Job<'_>,
    input: &[i8],
    (first, out): (usize, &mut [T]),
    (zero, prepared): (S, impl Fn(i8) -> S),
    each: impl Fn(Lines<'_, S>, usize, &mut [T]),
) {
    let ConvShape {
        outputs,
        inputs,
        kernel,
    } = job.layer.shape;
    let (row, border) = (job.width * inputs, kernel / 2 * inputs);
    let length = row + 2 * border + slack(inputs);
    let mut ring = lend(zero, length * kernel);
    // Of the row above `y`, so that there is one above the first.
    let fill = |ring: &mut [S], y: usize| {
        let line = &mut ring[y % kernel * length..][border..border + row];
        let source = y
            .checked_sub(1)
            .and_then(|y| input.get(y * row..(y + 1) * row));
        match source {
            Some(source) => {
                for (to, &x) in line.iter_mut().zip(source) {
                    *to = prepared(x);
                }
            }
            None => line.fill(zero),
        }
    };
    for y in 0..kernel / 2 * 2 {
        fill(&mut ring, first + y);
    }
    for (y, out) in (first..).zip(out.chunks_exact_mut(job.width * outputs)) {
        fill(&mut ring, y + 1 + kernel / 2);
        // Row y - 1 + i of three, or row y alone.
        let line = |i: usize| &ring[(y + 1 - kernel / 2 + i) % kernel * length..][..length];
        each([line(0), line(1), line(2)], y, out);
    }
}
