//! Temporal noise of the fused video against its sources: it limits the tone map's gain.
//!
//! Input: luma of both sources and of their fusion, frame after frame. Output: the most detail gain that
//! leaves the fused noise no larger than the mean of the sources'. Thread: fuse. Blocks: never. Allocates:
//! when made. Not its job: the map.
//!
//! Noise is the change from frame to frame where hardly anything changes: of short runs of pixels in
//! every sixteenth row, those count whose change is small in both sources. A camera that pans leaves
//! few of them, and then the last limit holds.

use super::params::ONE;
use crate::frame::{Picture, Size};

/// Rows between two that are looked at, and pixels of a run.
const STEP: usize = 16;
const RUN: usize = 16;
/// A run is quiet up to so many times the lower quartile of its source.
const QUIET: u32 = 2;
/// Fewer quiet runs than this, of all, say nothing: one part of so many.
const LEAST: usize = 20;

#[derive(Debug, Clone, Default)]
struct Plane {
    before: Vec<u8>,
    changes: Vec<u32>,
}

impl Plane {
    fn new(size: Size) -> Self {
        let pixels = size.height.div_ceil(STEP) * size.width;
        Self {
            before: vec![0; pixels],
            changes: Vec::with_capacity(pixels.div_ceil(RUN)),
        }
    }

    fn observe(&mut self, picture: &Picture) {
        self.changes.clear();
        let rows = picture.data().chunks_exact(picture.width().max(1));
        for (row, before) in rows
            .step_by(STEP)
            .zip(self.before.chunks_exact_mut(picture.width().max(1)))
        {
            for (now, before) in row.chunks_exact(RUN).zip(before.chunks_exact_mut(RUN)) {
                let pairs = now.iter().zip(before.iter());
                self.changes
                    .push(pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum());
                before.copy_from_slice(now);
            }
        }
    }

    fn quartile(&self, scratch: &mut Vec<u32>) -> u32 {
        scratch.clone_from(&self.changes);
        let at = scratch.len() / 4;
        if scratch.is_empty() {
            return 0;
        }
        *scratch.select_nth_unstable(at).1
    }
}

/// Watches one video.
#[derive(Debug)]
pub struct TemporalNoise {
    size: Size,
    planes: [Plane; 3],
    scratch: Vec<u32>,
    primed: bool,
    most: i32,
}

impl TemporalNoise {
    /// For pictures of `size`.
    pub fn new(size: Size) -> Self {
        let made = Plane::new(size);
        Self {
            size,
            scratch: Vec::with_capacity(made.changes.capacity()),
            planes: [made.clone(), made.clone(), made],
            primed: false,
            most: ONE,
        }
    }

    /// The most detail gain for this frame: infrared, visible and fused luma. One until it is known.
    pub fn most_gain(&mut self, pictures: [&Picture; 3]) -> i32 {
        if pictures.iter().any(|picture| picture.size() != self.size) {
            return self.most;
        }
        for (plane, picture) in self.planes.iter_mut().zip(pictures) {
            plane.observe(picture);
        }
        if !std::mem::replace(&mut self.primed, true) {
            return self.most;
        }
        let [infrared, visible, fused] = &self.planes;
        let limits = [infrared, visible].map(|p| QUIET * p.quartile(&mut self.scratch) + 1);
        let (mut sources, mut own, mut runs) = (0, 0, 0);
        let changes = infrared
            .changes
            .iter()
            .zip(&visible.changes)
            .zip(&fused.changes);
        for ((&a, &b), &f) in changes {
            if a <= limits[0] && b <= limits[1] {
                (sources, own, runs) = (sources + u64::from(a + b), own + u64::from(f), runs + 1);
            }
        }
        if runs * LEAST >= fused.changes.len() {
            // A picture without noise may have all the gain there is.
            let ratio = (sources * ONE as u64).checked_div(2 * own);
            self.most = ratio.map_or(4 * ONE, |r| (r.min(4 * ONE as u64) as i32).max(ONE));
        }
        self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(64, 64);

    /// A picture with noise of so many levels, and a bright part where asked.
    fn noisy(seed: u32, levels: u32, moved: bool) -> Picture {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let data = (0..SIZE.area())
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let base = if moved && i % 64 < 32 { 180 } else { 100 };
                base + ((state >> 16) % (levels + 1)) as u8
            })
            .collect();
        Picture::from_data(SIZE, 1, data).unwrap()
    }

    fn gain(infrared: u32, visible: u32, fused: u32) -> f64 {
        let mut temporal_noise = TemporalNoise::new(SIZE);
        let mut most = 0;
        for n in 0..4 {
            let pictures = [
                noisy(n, infrared, false),
                noisy(n + 50, visible, false),
                noisy(n + 90, fused, false),
            ];
            most = temporal_noise.most_gain(pictures.each_ref());
        }
        f64::from(most) / f64::from(ONE)
    }

    #[test]
    fn the_gain_leaves_no_more_noise_than_the_sources_mean() {
        assert!((gain(12, 12, 8) - 1.5).abs() < 0.15, "{}", gain(12, 12, 8));
        assert!((gain(4, 20, 8) - 1.5).abs() < 0.2, "{}", gain(4, 20, 8));
        assert_eq!(gain(4, 4, 20), 1.0);
        assert_eq!(gain(4, 4, 0), 4.0);
    }

    #[test]
    fn nothing_is_known_of_the_first_frame() {
        let picture = noisy(1, 3, false);
        assert_eq!(TemporalNoise::new(SIZE).most_gain([&picture; 3]), ONE);
    }

    #[test]
    fn what_moves_is_no_noise() {
        let mut temporal_noise = TemporalNoise::new(SIZE);
        let mut most = 0;
        for n in 0..4 {
            // Half of the picture jumps in the visible and the fused picture.
            let moved = n % 2 == 1;
            let pictures = [
                noisy(n, 8, false),
                noisy(n + 50, 8, moved),
                noisy(n + 90, 6, moved),
            ];
            most = temporal_noise.most_gain(pictures.each_ref());
        }
        let gain = f64::from(most) / f64::from(ONE);
        assert!((gain - 8.0 / 6.0).abs() < 0.2, "{gain}");
    }
}
