//! Classic fusion: Laplacian pyramids, no text. The network's fallback and its yardstick.
//!
//! Input: two luma pictures of the size it was made for. Output: fused luma. Thread: fuse.
//! Blocks: never. Allocates: when made. Fails when: a picture has another shape. Not its job:
//! guidance, which it ignores.
//!
//! Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code" (1983), with the choice of
//! the stronger detail of Burt and Kolczynski (1993) pixel by pixel and the mean of the bases.

use super::{EffectiveGuidance, FuseError, Fuser};
use crate::frame::{Picture, Size};
use crate::simd::{self, mirror};

/// Detail levels where the picture is large enough: its smaller side keeps 4 pixels at the base.
const LEVELS: u32 = 4;

/// Fuses by keeping, at each scale, the detail of the larger magnitude.
#[derive(Debug)]
pub struct ClassicFuser {
    size: Size,
    infrared: Pyramid,
    visible: Pyramid,
    rows: Rows,
}

/// Details from fine to coarse, then the base.
#[derive(Debug)]
struct Pyramid {
    planes: Vec<Plane>,
}

#[derive(Debug)]
struct Plane {
    size: Size,
    data: Vec<f32>,
}

/// Scratch rows, each as wide as the picture.
#[derive(Debug)]
struct Rows {
    across: Vec<f32>,
    doubled: Vec<f32>,
}

impl ClassicFuser {
    /// For pictures of `size`.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            infrared: Pyramid::new(size),
            visible: Pyramid::new(size),
            rows: Rows {
                across: vec![0.0; size.width],
                doubled: vec![0.0; size.width],
            },
        }
    }

    fn check(&self, name: &str, picture: &Picture) -> Result<(), FuseError> {
        if picture.size() == self.size && picture.channels() == 1 {
            return Ok(());
        }
        Err(FuseError::Size(format!(
            "{name} is {} with {} channel(s), the fuser takes {} with one",
            picture.size(),
            picture.channels(),
            self.size
        )))
    }
}

impl Fuser for ClassicFuser {
    fn name(&self) -> &str {
        "classic"
    }

    fn fuse_shown(
        &mut self,
        infrared: &Picture,
        visible: &Picture,
        _guidance: &EffectiveGuidance<'_>,
        fused: &mut Picture,
    ) -> Result<(), FuseError> {
        self.check("infrared", infrared)?;
        self.check("visible", visible)?;
        self.check("the output", fused)?;
        if self.size.area() == 0 {
            return Ok(());
        }
        self.infrared.split(infrared, &mut self.rows);
        self.visible.split(visible, &mut self.rows);
        self.infrared.choose(&self.visible);
        self.infrared.join(fused, &mut self.rows);
        Ok(())
    }
}

impl Pyramid {
    fn new(size: Size) -> Self {
        let quarter = size.width.min(size.height) / 4;
        let levels = quarter.checked_ilog2().unwrap_or(0).min(LEVELS);
        let half = |s: Size| Size::new(s.width.div_ceil(2), s.height.div_ceil(2));
        let sizes = std::iter::successors(Some(size), |&s| Some(half(s)));
        let planes = sizes.take(levels as usize + 1).map(|size| Plane {
            size,
            data: vec![0.0; size.area()],
        });
        Self {
            planes: planes.collect(),
        }
    }

    /// Takes a picture apart.
    fn split(&mut self, picture: &Picture, rows: &mut Rows) {
        if let Some(finest) = self.planes.first_mut() {
            simd::widen_row(picture.data(), &mut finest.data);
        }
        for level in 1..self.planes.len() {
            let (finer, coarser) = self.planes.split_at_mut(level);
            let (fine, coarse) = (&mut finer[level - 1], &mut coarser[0]);
            fine.halve_into(coarse, rows);
            for y in 0..fine.size.height {
                coarse.double_row(y, fine.size, rows);
                let width = fine.size.width;
                simd::subtract(&rows.doubled[..width], fine.row_mut(y));
            }
        }
    }

    fn choose(&mut self, other: &Self) {
        let base = self.planes.len() - 1;
        for (i, (ours, theirs)) in self.planes.iter_mut().zip(&other.planes).enumerate() {
            if i < base {
                simd::keep_stronger(&mut ours.data, &theirs.data);
            } else {
                simd::keep_mean(&mut ours.data, &theirs.data);
            }
        }
    }

    /// Puts the picture together again.
    fn join(&mut self, out: &mut Picture, rows: &mut Rows) {
        for level in (1..self.planes.len()).rev() {
            let (finer, coarser) = self.planes.split_at_mut(level);
            let (fine, coarse) = (&mut finer[level - 1], &coarser[0]);
            for y in 0..fine.size.height {
                coarse.double_row(y, fine.size, rows);
                let width = fine.size.width;
                simd::add(&rows.doubled[..width], fine.row_mut(y));
            }
        }
        if let Some(finest) = self.planes.first() {
            simd::round_row(&finest.data, out.data_mut());
        }
    }
}

impl Plane {
    fn row(&self, y: usize) -> &[f32] {
        &self.data[y * self.size.width..(y + 1) * self.size.width]
    }

    fn row_mut(&mut self, y: usize) -> &mut [f32] {
        &mut self.data[y * self.size.width..(y + 1) * self.size.width]
    }

    /// Smooths and keeps every second row and column.
    fn halve_into(&self, half: &mut Self, rows: &mut Rows) {
        let Size { width, height } = self.size;
        let across = &mut rows.across[..width];
        for y in 0..half.size.height {
            let at = |dy: isize| self.row(mirror(2 * y as isize + dy, height));
            simd::smooth_rows([at(-2), at(-1), at(0), at(1), at(2)], across);
            simd::halve_row(across, half.row_mut(y));
        }
    }

    /// Row `y` of this plane doubled to `size`, into `rows.doubled`.
    fn double_row(&self, y: usize, size: Size, rows: &mut Rows) {
        let at = |dy: isize| self.row(mirror(y as isize + dy, size.height) / 2);
        let across = &mut rows.across[..self.size.width];
        if y.is_multiple_of(2) {
            simd::double_even([at(-2), at(0), at(2)], across);
        } else {
            simd::double_odd([at(-1), at(1)], across);
        }
        simd::double_row(across, &mut rows.doubled[..size.width]);
    }
}

#[cfg(test)]
#[path = "classic_tests.rs"]
mod tests;
