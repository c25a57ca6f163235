//! 16-bit counts as the clean-up's samples of 15 bits, as fine as the scene's range allows.

/// Finest: so many bits below a count.
const FINEST: i32 = 5;
/// Samples below and above what a frame needs, so that the next ones need no other scale.
const ROOM: i32 = 1024;

/// Where count and sample meet: `sample = (count - base) 2^shift`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CountScale {
    base: i32,
    shift: i32,
}

impl CountScale {
    /// One that fits counts from `least` to `most`.
    pub fn fit(least: u16, most: u16) -> Self {
        let (least, most) = (i32::from(least), i32::from(most));
        let fits = |shift: &i32| shifted(most - least, *shift) + 2 * ROOM <= 32_767;
        let shift = (-1..=FINEST).rev().find(fits).unwrap_or(-2);
        // The scene in the middle of the samples' range.
        let spare = shifted(32_767, -shift) - (most - least);
        Self {
            base: least - spare / 2,
            shift,
        }
    }

    /// Whether counts from `least` to `most` are samples.
    pub fn holds(self, least: u16, most: u16) -> bool {
        let inside = |count| (0..=32_767).contains(&self.sample(count));
        inside(least) && inside(most)
    }

    fn sample(self, count: u16) -> i32 {
        shifted(i32::from(count) - self.base, self.shift)
    }

    /// Samples a count.
    pub fn samples_a_count(self) -> f32 {
        (self.shift as f32).exp2()
    }

    /// From counts; what does not fit is cut.
    pub fn widen(self, counts: &[u16], samples: &mut [u16]) {
        for (sample, &count) in samples.iter_mut().zip(counts) {
            *sample = self.sample(count).clamp(0, 32_767) as u16;
        }
    }

    /// Back, to the nearest.
    pub fn narrow(self, samples: &[u16], counts: &mut [u16]) {
        let half = if self.shift > 0 {
            1 << (self.shift - 1)
        } else {
            0
        };
        for (count, &sample) in counts.iter_mut().zip(samples) {
            let value = self.base + shifted(i32::from(sample) + half, -self.shift);
            *count = value.clamp(0, 65_535) as u16;
        }
    }
}

fn shifted(value: i32, by: i32) -> i32 {
    if by < 0 { value >> -by } else { value << by }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_come_back(a in any::<u16>(), b in any::<u16>(), part in 0.0_f32..1.0) {
            let (least, most) = (a.min(b), a.max(b));
            let scale = CountScale::fit(least, most);
            prop_assert!(scale.holds(least, most));
            let count = least + (f32::from(most - least) * part) as u16;
            let (mut samples, mut back) = ([0], [0]);
            scale.widen(&[count], &mut samples);
            scale.narrow(&samples, &mut back);
            let coarse = (1.0 / scale.samples_a_count()).max(1.0) - 1.0;
            prop_assert!(f32::from(back[0].abs_diff(count)) <= coarse, "{} {:?}", count, scale);
        }
    }

    #[test]
    fn a_narrow_scene_is_kept_finer_than_a_count() {
        assert!(CountScale::fit(29_000, 29_400).samples_a_count() >= 32.0);
        assert!(CountScale::fit(28_000, 57_000).samples_a_count() >= 1.0);
    }
}
