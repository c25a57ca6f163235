//! The fused picture from the network's maps: fine detail by each pixel's weight, levels by the
//! weights' means.
//!
//! Input: maps of cells, two planes. Output: a plane. Thread: any. Blocks: never. Allocates: the
//! means of the cells, 1/8 of a plane, and some rows, see [`lend`]. Fails when: slices do not fit (a panic: a caller's mistake).
//! Not its job: what the maps say.
//!
//! With w the weight of a, c = a - b, and W and C their means over 4 x 4 pixels brought up
//! bilinearly: fused = b + w (c - C) + W C + d. Two bands of a pyramid (Burt and Adelson 1983).
//! What is left of the detail d lies beyond a dead zone, so that the rounding of 8-bit features, less than
//! a grey level of it, does not reach the picture where a source is right as it is.

use super::cells::{PIXELS, depth_order};
use super::exponential::{sigmoid, within};
use super::scratch::lend;
use super::{CELL, Path, Portable};

/// Channels of the maps: weights, then detail.
const MAPS: usize = 2 * PIXELS;

/// Share of a pixel's own cell, by its place in the cell, along one axis; the next cell has the
/// rest.
const OWN: [f32; CELL] = [0.625, 0.875, 0.875, 0.625];

/// Means over a cell: of w and of c.
pub type Means = [f32; 2];

/// What is blended.
#[derive(Debug, Clone, Copy)]
pub struct Blend<'a> {
    /// `[height/4, width/4, 32]`: of each pixel the logit of a's weight, then the detail.
    pub maps: &'a [f32],
    /// a and b, `[height, width]`, in 0..=1.
    pub planes: [&'a [f32]; 2],
    /// Pixels a row, a multiple of 4.
    pub width: usize,
    /// Bound of the detail.
    pub detail: f32,
    /// What is taken off the detail's magnitude: less is none (soft threshold, Donoho 1995).
    pub dead_zone: f32,
    /// How it is computed.
    pub path: Path,
}

impl Blend<'_> {
    /// fused = clip(b + w (c - C) + W C + d), with w the sigmoid of the first 16 channels of the
    /// maps and d the other 16 within `detail`, less the dead zone; into `out` `[height, width]`.
    pub fn run(&self, out: &mut [f32]) {
        let mut means = lend([0.0; 2], self.means());
        let columns = self.columns();
        let inner = columns..means.len() - columns;
        self.weigh(0, out, &mut means[inner]);
        self.mix(0, &means, out);
    }

    /// Means of a row of cells: a border of zeros on each side.
    pub fn columns(&self) -> usize {
        self.width / CELL + 2
    }

    /// All means: with a border of zeros all around.
    pub fn means(&self) -> usize {
        assert!(self.width > 0 && self.width.is_multiple_of(CELL));
        let pixels = self.planes[0].len();
        assert!(pixels.is_multiple_of(self.width * CELL));
        assert!(self.planes[1].len() == pixels && self.maps.len() == 2 * pixels);
        (pixels / (self.width * CELL) + 2) * self.columns()
    }

    /// The first half of [`Blend::run`]: weights of the rows of cells from `first` on for which
    /// `weights` has room, and their means without the border above and below.
    pub fn weigh(&self, first: usize, weights: &mut [f32], means: &mut [Means]) {
        let band = self.width * CELL;
        assert!(weights.len().is_multiple_of(band));
        assert!(means.len() == weights.len() / band * self.columns());
        self.path.run(Weigh {
            whole: *self,
            first,
            weights,
            means,
        });
    }

    /// The other half: `out` holds the weights of some rows of cells from `first` on, `means` all
    /// means.
    pub fn mix(&self, first: usize, means: &[Means], out: &mut [f32]) {
        assert!(out.len().is_multiple_of(self.width * CELL));
        assert!(means.len() == self.means());
        self.path.run(Mix {
            whole: *self,
            first,
            means,
            out,
        });
    }
}

struct Weigh<'a> {
    whole: Blend<'a>,
    first: usize,
    weights: &'a mut [f32],
    means: &'a mut [Means],
}

impl Portable for Weigh<'_> {
    #[inline(always)]
    fn run(self) {
        let Blend {
            maps,
            planes,
            width,
            ..
        } = self.whole;
        let (row, band) = (width / CELL * MAPS, width * CELL);
        let bands = self.weights.chunks_exact_mut(band);
        let means = self.means.chunks_exact_mut(width / CELL + 2);
        for (y, (weights, means)) in (self.first..).zip(bands.zip(means)) {
            let cells = maps[y * row..][..row].as_chunks::<MAPS>().0;
            let [a, b] = planes;
            let pictures = [&a[y * band..][..band], &b[y * band..][..band]];
            means.fill([0.0; 2]);
            let means = &mut means[1..][..width / CELL];
            for (dy, weights) in weights.chunks_exact_mut(width).enumerate() {
                let rows = pictures.map(|picture| &picture[dy * width..][..width]);
                weigh(
                    cells,
                    depth_order(0, dy, 0),
                    rows,
                    (&mut *weights, &mut *means),
                );
            }
        }
    }
}

/// Weights of a row of pixels, and what they and a - b add to the means of their cells.
#[inline(always)]
fn weigh(
    cells: &[[f32; MAPS]],
    at: usize,
    [a, b]: [&[f32]; 2],
    (weights, means): (&mut [f32], &mut [Means]),
) {
    gather(cells, at, weights);
    for weight in &mut *weights {
        *weight = sigmoid(*weight);
    }
    let weights = weights.as_chunks::<CELL>().0.iter();
    let pictures = a.as_chunks::<CELL>().0.iter().zip(b.as_chunks::<CELL>().0);
    for ((mean, w), (a, b)) in means.iter_mut().zip(weights).zip(pictures) {
        let [mut weight, mut difference] = [0.0; 2];
        for i in 0..CELL {
            weight += w[i];
            difference += a[i] - b[i];
        }
        mean[0] += weight * (1.0 / PIXELS as f32);
        mean[1] += difference * (1.0 / PIXELS as f32);
    }
}

/// A row of pixels out of the maps.
#[inline(always)]
fn gather(cells: &[[f32; MAPS]], at: usize, out: &mut [f32]) {
    for (to, cell) in out.as_chunks_mut::<CELL>().0.iter_mut().zip(cells) {
        to.copy_from_slice(&cell[at..at + CELL]);
    }
}

struct Mix<'a> {
    whole: Blend<'a>,
    first: usize,
    means: &'a [Means],
    out: &'a mut [f32],
}

impl Portable for Mix<'_> {
    #[inline(always)]
    fn run(self) {
        let Blend {
            maps,
            planes: [a, b],
            width,
            detail,
            dead_zone,
            ..
        } = self.whole;
        let (row, columns) = (width / CELL * MAPS, width / CELL + 2);
        let mut between = lend([0.0; 2], columns);
        let mut rows = [(); 3].map(|()| lend(0.0, width));
        let first = self.first * CELL;
        for (y, out) in (first..).zip(self.out.chunks_exact_mut(width)) {
            let cells = maps[y / CELL * row..][..row].as_chunks::<MAPS>().0;
            interpolate_rows(&self.means[y / CELL * columns..], y % CELL, &mut between);
            let [weights, differences, details] = &mut rows;
            interpolate(&between, [&mut *weights, &mut *differences]);
            gather(cells, depth_order(1, y % CELL, 0), details);
            let [a, b] = [&a[y * width..][..width], &b[y * width..][..width]];
            let coarse = weights.iter().zip(differences.iter()).zip(details.iter());
            let pictures = a.iter().zip(b);
            for ((out, (a, b)), ((weight, difference), more)) in
                out.iter_mut().zip(pictures).zip(coarse)
            {
                let fine = *out * (a - b - difference);
                let more = within(*more, -detail, detail);
                let more = more - within(more, -dead_zone, dead_zone);
                *out = within(b + fine + weight * difference + more, 0.0, 1.0);
            }
        }
    }
}

/// Row `dy` of a cell between the first three rows of `means`.
#[inline(always)]
fn interpolate_rows(means: &[Means], dy: usize, out: &mut [Means]) {
    let columns = out.len();
    let own = &means[columns..][..columns];
    let next = &means[if dy < CELL / 2 { 0 } else { 2 * columns }..][..columns];
    for ((to, own), next) in out.iter_mut().zip(own).zip(next) {
        for i in 0..2 {
            to[i] = own[i] * OWN[dy] + next[i] * (1.0 - OWN[dy]);
        }
    }
}

/// The same along a row, to pixels: both means to a row each.
#[inline(always)]
fn interpolate(means: &[Means], out: [&mut [f32]; 2]) {
    for (k, out) in out.into_iter().enumerate() {
        let cells = out.as_chunks_mut::<CELL>().0.iter_mut();
        let around = means.iter().zip(&means[1..]).zip(&means[2..]);
        for (to, ((before, own), after)) in cells.zip(around) {
            for i in 0..CELL {
                let next = if i < CELL / 2 { before } else { after };
                to[i] = own[k] * OWN[i] + next[k] * (1.0 - OWN[i]);
            }
        }
    }
}
