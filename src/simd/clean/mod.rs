//! The kernels of the clean-up: rows of 15-bit samples, smoothed, compared and averaged.
//!
//! Thread: any. Blocks: never. Allocates: never. Fails when: slices do not fit (a panic: a caller's
//! mistake).
//!
//! Plain Rust in integers, which compilers turn into vector instructions, once for each [`Path`]
//! (NEON, AVX2, AVX-512); every path gives the same bytes. Samples are 0..=[`MOST`].

mod rows;
#[cfg(test)]
mod tests;

use super::int8::{Path, Portable};

/// The largest sample.
pub const MOST: u16 = 32_767;
/// The largest value of [`detail`]: 25 of them fit 16 bits.
pub const MOST_DETAIL: u16 = 2_621;
/// The largest magnitude of [`change`]: 25 of them fit 16 bits with a sign.
pub const MOST_CHANGE: i16 = 1_310;
/// How much less noise a running mean has than one picture, in 1/64: that of 1, 2, 3 pictures, and of more
/// (see [`follow`]).
pub const TRUST: [u8; 4] = [64, 90, 111, 140];
/// A gain of 1 in [`shrink`].
pub const ONE: u32 = 256;

/// Defines a kernel: a function that runs the plain code of [`rows`] as compiled for the best path, and one
/// for a given path.
macro_rules! kernels {
    ($($(#[$doc:meta])* $name:ident, $by:ident, $row:ident($($arg:ident: $kind:ty),*), $check:expr;)*) => {$(
        struct $row<'a> { $($arg: $kind),* }

        impl Portable for $row<'_> {
            #[inline(always)]
            fn run(self) {
                rows::$name($(self.$arg),*);
            }
        }

        $(#[$doc])*
        pub fn $name<'a>($($arg: $kind),*) {
            $by(Path::best(), $($arg),*);
        }

        fn $by<'a>(path: Path, $($arg: $kind),*) {
            assert!($check, "slices do not fit");
            path.run($row { $($arg),* });
        }
    )*};
}

kernels! {
    /// Five rows weighed [1 4 6 4 1] / 16, each of the six means in it rounded down.
    smooth_down, smooth_down_by,
    SmoothDown(rows: [&'a [u16]; 5], out: &'a mut [u16]),
    rows.iter().all(|row| row.len() == out.len());

    /// A row weighed [1 4 6 4 1] / 16 with `step` samples between the taps, each of the six means in it
    /// rounded up. `padded` has `2 step` samples more than `out` on either side.
    smooth_across, smooth_across_by,
    SmoothAcross(padded: &'a [u16], step: usize, out: &'a mut [u16]),
    padded.len() == out.len() + 4 * step;

    /// `min(|fine - coarse| >> shift, MOST_DETAIL)`.
    detail, detail_by,
    Detail(fine: &'a [u16], coarse: &'a [u16], shift: u32, out: &'a mut [u16]),
    fine.len() == out.len() && coarse.len() == out.len() && shift < 16;

    /// Sums of five neighbours; `padded` has two samples more than `out` on either side.
    sum_across, sum_across_by,
    SumAcross(padded: &'a [u16], out: &'a mut [u16]),
    padded.len() == out.len() + 4;

    /// Adds `gain (fine - coarse)` of a pair of rows to `sum`, rounded to the nearest, where `gain` rises from 0 to 1 with the
    /// energy around the sample (five rows of [`sum_across`] of [`detail`], times `trust` / 64) above
    /// `ramp.0`: by `ramp.1` / 2^16 / [`ONE`] for each unit.
    shrink, shrink_by,
    Shrink(pair: [&'a [u16]; 2], energy: [&'a [u16]; 5], trust: &'a [u8], ramp: (u16, u16), sum: &'a mut [i16]),
    trust.len() == sum.len() && pair.iter().chain(&energy).all(|row| row.len() == sum.len());

    /// `coarse + sum`, within the samples' range.
    restore, restore_by,
    Restore(coarse: &'a [u16], sum: &'a [i16], out: &'a mut [u16]),
    coarse.len() == out.len() && sum.len() == out.len();

    /// `a - b`.
    residue, residue_by,
    Residue(a: &'a [u16], b: &'a [u16], out: &'a mut [i16]),
    a.len() == out.len() && b.len() == out.len();

    /// Adds each `residue - offset` whose magnitude is below `limit` to its column's sum, and counts it.
    vote, vote_by,
    Vote(residue: &'a [i16], offsets: &'a [i16], limit: i32, sums: &'a mut [i32], counts: &'a mut [i32]),
    [offsets.len(), sums.len(), counts.len()].iter().all(|&len| len == residue.len());

    /// Takes each column's offset from its sample, within the samples' range.
    take_offsets, take_offsets_by,
    TakeOffsets(offsets: &'a [i16], row: &'a mut [u16]),
    offsets.len() == row.len();

    /// Magnitudes of the difference of two Laplacians, [1 -2 1; -2 4 -2; 1 -2 1] (Immerkaer 1996), of the
    /// inner samples of three rows: `out` has two less.
    laplacian, laplacian_by,
    Laplacian(rows: [&'a [u16]; 3], out: &'a mut [u32]),
    rows.iter().all(|row| row.len() == out.len() + 2);

    /// The inner samples of the middle row; a sample that is more than `limit`, and more than its eight neighbours
    /// differ among each other, above or below all of them becomes the mean of the four nearest, and its `flag` 1, else 0.
    isolated, isolated_by,
    Isolated(rows: [&'a [u16]; 3], limit: i32, out: &'a mut [u16], flags: &'a mut [u8]),
    flags.len() == out.len() && rows.iter().all(|row| row.len() == out.len() + 2);

    /// `(new - mean) >> shift`, within +-[`MOST_CHANGE`].
    change, change_by,
    Change(new: &'a [u16], mean: &'a [u16], shift: u32, out: &'a mut [i16]),
    new.len() == out.len() && mean.len() == out.len() && shift < 16;

    /// Sums of five neighbours with a sign; `padded` has two samples more than `out` on either side.
    sum_changes, sum_changes_by,
    SumChanges(padded: &'a [i16], out: &'a mut [i16]),
    padded.len() == out.len() + 4;

    /// A recursive mean that follows motion: where the change around a sample (five rows of
    /// [`sum_changes`] of [`change`]) exceeds `limit`, the mean becomes the new sample, and `trust` the first of
    /// [`TRUST`]. Elsewhere the mean moves by 1/2, 1/3, then 3/10 of the way, and `trust` becomes the next.
    follow, follow_by,
    Follow(new: &'a [u16], changes: [&'a [i16]; 5], limit: i16, trust: &'a mut [u8], mean: &'a mut [u16]),
    trust.len() == new.len() && mean.len() == new.len() && changes.iter().all(|row| row.len() == new.len());

    /// Samples of 8 bits as samples of 15: times 128.
    widen, widen_by,
    Widen(from: &'a [u8], to: &'a mut [u16]),
    from.len() == to.len();

    /// The reverse of [`widen`], rounded to the nearest.
    narrow, narrow_by,
    Narrow(from: &'a [u16], to: &'a mut [u8]),
    from.len() == to.len();
}
