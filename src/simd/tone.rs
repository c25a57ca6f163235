//! The kernels of the tone map: sums of a cell, and one row of the map.
//!
//! Thread: any. Blocks: never. Allocates: never. Fails when: slices do not fit (a panic: a caller's
//! mistake). Not its job: where the gains come from (see `fuse`).
//!
//! Plain Rust in 32-bit integers, which compilers turn into vector instructions, once for each
//! [`Path`]; the tests hold it against arithmetic in `f64`.

use super::int8::{Path, Portable};

/// Fraction bits of a gain, and of [`spread`]'s offsets.
pub const GAIN_BITS: u32 = 12;
/// Fraction bits of a level inside [`tone_row`].
const LEVEL_BITS: u32 = 4;
const LEVEL: i32 = 1 << LEVEL_BITS;
const WHITE: i32 = 255 * LEVEL;
/// Fraction bits of [`ToneCurve::bend`].
const BEND_BITS: u32 = 20;

/// What [`tone_row`] does to a level, apart from the offset of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToneCurve {
    /// In 1/2^[`GAIN_BITS`].
    gain: i32,
    /// The output stays this near to the input, in 1/2^`LEVEL_BITS` levels.
    bound: i32,
    /// The shoulders begin this far from black and from white.
    knee: i32,
    /// `1 / (4 knee)`, in 1/2^`BEND_BITS`, to the nearest: cut off, it would take up to a quarter
    /// level less from the brightest and darkest.
    bend: i32,
    /// How far beyond the knee the curve goes flat: two knees, as far as `bend` is exact.
    reach: i32,
}

impl ToneCurve {
    /// `gain` in 1/2^[`GAIN_BITS`], 0..=8; `bound` in levels, 0..=255; `knee` in 1/16 level,
    /// cut to 1..=64 levels.
    pub fn new(gain: i32, bound: u8, knee: i32) -> Self {
        let knee = knee.clamp(LEVEL, 64 * LEVEL);
        let bend = ((1 << BEND_BITS) + 2 * knee) / (4 * knee);
        Self {
            gain: gain.clamp(0, 8 << GAIN_BITS),
            bound: i32::from(bound) * LEVEL,
            knee,
            bend,
            reach: (2 * knee).min((1 << (BEND_BITS - 1)) / bend),
        }
    }
}

/// Sum and sum of squares of some samples, at most 65 536.
pub fn sums(samples: &[u8]) -> (u32, u32) {
    let mut total = (0_u32, 0_u32);
    for &v in samples {
        let v = u32::from(v);
        total.0 += v;
        total.1 += v * v;
    }
    total
}

/// Offsets between two neighbouring cells' centres, `span.len()` pixels apart (a power of two, at
/// most 256): pixel `t` gets `from + (to - from) (2 t + 1) / (2 span)`. Offsets are within
/// +-2^21.
pub fn spread(from: i32, to: i32, span: &mut [i32]) {
    assert!(span.len().is_power_of_two() && span.len() <= 256);
    let shift = span.len().trailing_zeros() + 1;
    let (start, step) = (from << shift, to - from);
    for (t, value) in span.iter_mut().enumerate() {
        *value = (start + step * (2 * t as i32 + 1)) >> shift;
    }
}

/// Maps a row in place: `gain v + offset`, bent smoothly into 0..=255 where it comes near black or
/// white (but not beyond `v`, so that black stays black), kept within the bound of `v`, rounded.
/// `offsets` in 1/2^[`GAIN_BITS`] level, within +-2^21. Never falls where `v` rises and the offset stays.
pub fn tone_row(curve: ToneCurve, offsets: &[i32], row: &mut [u8]) {
    tone_row_by(Path::best(), curve, offsets, row);
}

fn tone_row_by(path: Path, curve: ToneCurve, offsets: &[i32], row: &mut [u8]) {
    assert_eq!(offsets.len(), row.len());
    path.run(ToneRow {
        curve,
        offsets,
        row,
    });
}

struct ToneRow<'a> {
    curve: ToneCurve,
    offsets: &'a [i32],
    row: &'a mut [u8],
}

impl Portable for ToneRow<'_> {
    #[inline(always)]
    fn run(self) {
        map_row(self.curve, self.offsets, self.row);
    }
}

/// `max` and `min` one after the other, since `clamp` panics where bounds are crossed, and a loop that may
/// panic is not made of vector instructions: four times as slow with AVX2.
#[inline(always)]
fn map_row(curve: ToneCurve, offsets: &[i32], row: &mut [u8]) {
    let ToneCurve {
        gain,
        bound,
        knee,
        bend,
        reach,
    } = curve;
    let down = GAIN_BITS - LEVEL_BITS;
    let (low, high) = (knee, WHITE - knee);
    // Beyond its knee x bends as x - e e / (4 knee), which reaches the end with slope zero after
    // two knees.
    let half = 1 << (BEND_BITS - 1);
    let bent = |e: i32| e - ((e * e * bend + half) >> BEND_BITS);
    for (v, &offset) in row.iter_mut().zip(offsets) {
        let level = i32::from(*v);
        let x = (gain * level + offset + (1 << (down - 1))) >> down;
        let above = (x - high).max(0).min(reach);
        let below = (low - x).max(0).min(reach);
        let y = x.max(low).min(high) + bent(above) - bent(below);
        let same = level * LEVEL;
        // A shoulder only takes back what gain and offset did.
        let y = y.max(x.min(same)).min(x.max(same));
        let y = y.max(same - bound).min(same + bound);
        *v = ((y + LEVEL / 2) >> LEVEL_BITS) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same map in `f64`.
    fn exact(gain: f64, offset: f64, bound: f64, knee: f64, v: f64) -> f64 {
        let x = gain * v + offset;
        let bent = |e: f64| {
            let e = e.clamp(0.0, 2.0 * knee);
            e - e * e / (4.0 * knee)
        };
        let y = x.clamp(knee, 255.0 - knee) + bent(x - 255.0 + knee) - bent(knee - x);
        y.clamp(x.min(v), x.max(v)).clamp(v - bound, v + bound)
    }

    proptest! {
        #[test]
        fn every_path_gives_the_same_bytes(
            row in proptest::collection::vec((any::<u8>(), -(1_i32 << 21)..(1 << 21)), 0..200),
            gain in 0_i32..(8 << 12),
            bound in any::<u8>(),
            knee in 0_i32..2000,
        ) {
            let (row, offsets): (Vec<u8>, Vec<i32>) = row.into_iter().unzip();
            let curve = ToneCurve::new(gain, bound, knee);
            let mapped = |path| {
                let mut row = row.clone();
                tone_row_by(path, curve, &offsets, &mut row);
                row
            };
            for path in Path::available() {
                prop_assert_eq!(mapped(path), mapped(Path::REFERENCE), "{}", path.name());
            }
        }

        #[test]
        fn a_row_is_mapped_as_in_exact_arithmetic(
            row in proptest::collection::vec(any::<u8>(), 1..200),
            gain in 0_i32..(4 << 12),
            offset in -(1_i32 << 20)..(1 << 20),
            bound in any::<u8>(),
            knee in 16_i32..1024,
        ) {
            let curve = ToneCurve::new(gain, bound, knee);
            let mut mapped = row.clone();
            tone_row(curve, &vec![offset; row.len()], &mut mapped);
            let one = f64::from(1 << GAIN_BITS);
            for (&v, &found) in row.iter().zip(&mapped) {
                let y = exact(
                    f64::from(gain) / one,
                    f64::from(offset) / one,
                    f64::from(bound),
                    f64::from(knee) / 16.0,
                    f64::from(v),
                );
                // Rounding of the level 1/2, of `bend` 1/8, of x and of the shift 1/32 each.
                prop_assert!((f64::from(found) - y).abs() < 0.7, "{v}: {found}, {y}");
                prop_assert!(v.abs_diff(found) <= bound);
            }
        }

        #[test]
        fn brighter_never_becomes_darker(
            gain in 0_i32..(4 << 12),
            offset in -(1_i32 << 20)..(1 << 20),
            bound in any::<u8>(),
            knee in 0_i32..2000,
        ) {
            let mut all: Vec<u8> = (0..=255).collect();
            tone_row(ToneCurve::new(gain, bound, knee), &[offset; 256], &mut all);
            prop_assert!(all.is_sorted(), "{all:?}");
        }

        #[test]
        fn offsets_between_two_cells_are_linear(
            from in -(1_i32 << 21)..(1 << 21),
            to in -(1_i32 << 21)..(1 << 21),
            power in 0_u32..=8,
        ) {
            let mut span = vec![0; 1 << power];
            spread(from, to, &mut span);
            for (t, &found) in span.iter().enumerate() {
                let part = (t as f64 + 0.5) / span.len() as f64;
                let wanted = f64::from(from) + f64::from(to - from) * part;
                prop_assert!((f64::from(found) - wanted).abs() <= 1.0);
            }
        }

        #[test]
        fn sums_are_sums(samples in proptest::collection::vec(any::<u8>(), 0..500)) {
            let wide = samples.iter().map(|&v| u64::from(v));
            let squares = wide.clone().map(|v| v * v).sum::<u64>();
            let (sum, square) = sums(&samples);
            prop_assert_eq!((u64::from(sum), u64::from(square)), (wide.sum(), squares));
        }
    }

    #[test]
    fn a_wide_knee_far_beyond_white_is_exact_too() {
        let mut row = [115];
        tone_row(ToneCurve::new(3351, 140, 982), &[855_339], &mut row);
        assert_eq!(row, [254]); // 254.26
    }

    #[test]
    fn gain_one_without_offset_changes_nothing() {
        let all: Vec<u8> = (0..=255).collect();
        let mut mapped = all.clone();
        tone_row(
            ToneCurve::new(1 << GAIN_BITS, 48, 0),
            &[0; 256],
            &mut mapped,
        );
        assert_eq!(mapped, all);
    }

    #[test]
    fn the_largest_cell_does_not_overflow() {
        let (sum, square) = sums(&[255; 65_536]);
        assert_eq!(sum, 255 * 65_536);
        assert_eq!(square, 255 * 255 * 65_536);
    }
}
