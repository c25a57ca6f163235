//! Which of two pictures is the more active at a pixel: the network's third input plane.
//!
//! Input: two planes in 0..=1. Output: levels, row after row. Thread: any. Blocks: never.
//! Allocates: [`Activity::new`], some rows. Fails when: slices do not fit (a panic: a caller's
//! mistake). Not its job: the choice, which the network makes.
//!
//! E is |gx| + |gy| (Sobel, replicated borders), summed over 3 x 3 pixels (zeros outside), in whole
//! numbers; the plane is (Ea - Eb) / (Ea + Eb + floor). See `Activity` in models/film.py.

use super::Level;
use super::scratch::{Lent, lend};

/// Levels of an activity of one half: the network takes half of it, as large as its other inputs.
const HALF_RANGE: f32 = 127.5;

/// Goes down two planes together.
pub(super) struct Activity<'a> {
    sources: [Energy<'a>; 2],
    floor: f32,
    sums: [Lent<i16>; 2],
}

impl<'a> Activity<'a> {
    /// Planes of `width` pixels a row; `steps` levels from 0 to 1, `floor` in 0..1 units; row
    /// `first` comes first.
    #[inline(always)]
    pub(super) fn new(
        planes: [&'a [f32]; 2],
        width: usize,
        (steps, floor): (f32, f32),
        first: usize,
    ) -> Self {
        let [a, b] = planes;
        Self {
            sources: [
                Energy::new(a, width, steps, first),
                Energy::new(b, width, steps, first),
            ],
            floor: floor * steps,
            sums: [lend(0, width), lend(0, width)],
        }
    }

    /// The next row, downwards.
    #[inline(always)]
    pub(super) fn next_row(&mut self, out: &mut [i8]) {
        for (source, sums) in self.sources.iter_mut().zip(&mut self.sums) {
            source.next_row(sums);
        }
        let [a, b] = self.sums.each_ref().map(|row| &row[..]);
        for ((to, &a), &b) in out.iter_mut().zip(a).zip(b) {
            let (a, b) = (f32::from(a), f32::from(b));
            *to = i8::of((a - b) / (a + b + self.floor) * HALF_RANGE);
        }
    }
}

/// Gradient energy of one plane.
struct Energy<'a> {
    plane: &'a [f32],
    width: usize,
    steps: f32,
    /// Row that comes next.
    y: usize,
    /// Rows y - 1 to y + 1 modulo 3, with a replicated pixel at each end, in steps.
    pixels: [Lent<i16>; 3],
    /// |gx| + |gy| of the same rows, with a zero at each end.
    slopes: [Lent<i16>; 3],
}

impl<'a> Energy<'a> {
    #[inline(always)]
    fn new(plane: &'a [f32], width: usize, steps: f32, first: usize) -> Self {
        let row = || lend(0, width + 2);
        let mut made = Self {
            plane,
            width,
            steps,
            y: first,
            pixels: [row(), row(), row()],
            slopes: [row(), row(), row()],
        };
        if let Some(above) = first.checked_sub(1) {
            made.load(above.saturating_sub(1));
            made.load(above);
            made.derive(above);
        } else {
            made.load(first);
        }
        made.derive(first);
        made
    }

    fn height(&self) -> usize {
        self.plane.len() / self.width
    }

    /// Reads row `y` of the plane.
    #[inline(always)]
    fn load(&mut self, y: usize) {
        let row = &mut self.pixels[y % 3];
        let source = &self.plane[y * self.width..][..self.width];
        for (to, &value) in row[1..].iter_mut().zip(source) {
            let value = value * self.steps;
            let value = if value > 0.0 { value } else { 0.0 };
            let value = if value < 255.0 { value } else { 255.0 };
            // Rounds, see Level for i8.
            *to = (value + 12_582_912.0).to_bits() as i16;
        }
        row[0] = row[1];
        row[self.width + 1] = row[self.width];
    }

    /// Slopes of row `y`; loads the row below.
    #[inline(always)]
    fn derive(&mut self, y: usize) {
        if y >= self.height() {
            self.slopes[y % 3].fill(0);
            return;
        }
        let below = (y + 1).min(self.height() - 1);
        if below > y {
            self.load(below);
        }
        let line = |y: usize| &self.pixels[y % 3][..self.width + 2];
        let (up, mid, down) = (line(y.saturating_sub(1)), line(y), line(below));
        let out = &mut self.slopes[y % 3][1..=self.width];
        for (x, to) in out.iter_mut().enumerate() {
            let gx = up[x + 2] - up[x] + 2 * (mid[x + 2] - mid[x]) + down[x + 2] - down[x];
            let gy = down[x] - up[x] + 2 * (down[x + 1] - up[x + 1]) + down[x + 2] - up[x + 2];
            *to = gx.abs() + gy.abs();
        }
    }

    /// Sums over 3 x 3 pixels: at most 9 * 2040, which i16 holds.
    #[inline(always)]
    fn next_row(&mut self, out: &mut [i16]) {
        self.derive(self.y + 1);
        let [a, b, c] = self.slopes.each_ref().map(|row| &row[..self.width + 2]);
        for (x, to) in out[..self.width].iter_mut().enumerate() {
            let column = |x: usize| a[x] + b[x] + c[x];
            *to = column(x) + column(x + 1) + column(x + 2);
        }
        self.y += 1;
    }
}
