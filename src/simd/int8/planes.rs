//! Between grey levels and planes in 0..=1.
//!
//! Input and output: rows of one length (a panic otherwise: a caller's mistake). Thread: any. Blocks:
//! never. Allocates: never. Not its job: sizes, borders.

use super::{Path, Portable};

/// Grey levels to 0..=1.
pub fn unit_row(from: &[u8], to: &mut [f32], path: Path) {
    assert!(from.len() == to.len());
    path.run(Unit { from, to });
}

/// 0..=1 to grey levels, rounded and clamped; whether all were finite.
#[must_use]
pub fn grey_row(from: &[f32], to: &mut [u8], path: Path) -> bool {
    assert!(from.len() == to.len());
    let mut finite = true;
    path.run(Grey {
        from,
        to,
        finite: &mut finite,
    });
    finite
}

struct Unit<'a> {
    from: &'a [u8],
    to: &'a mut [f32],
}

impl Portable for Unit<'_> {
    #[inline(always)]
    fn run(self) {
        for (to, &v) in self.to.iter_mut().zip(self.from) {
            *to = f32::from(v) / 255.0;
        }
    }
}

struct Grey<'a> {
    from: &'a [f32],
    to: &'a mut [u8],
    finite: &'a mut bool,
}

impl Portable for Grey<'_> {
    #[inline(always)]
    fn run(self) {
        let mut finite = true;
        for (to, &v) in self.to.iter_mut().zip(self.from) {
            finite &= v.is_finite();
            // The cast saturates, so this rounds and clamps at once.
            *to = (v * 255.0 + 0.5) as u8;
        }
        *self.finite = finite;
    }
}
