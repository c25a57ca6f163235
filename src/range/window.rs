//! Windows of medical pictures: the values from black to white.
//!
//! Input: counts. Output: [`Window`], grey. Thread: any. Blocks: never. Fails when: never.
//! Not its job: DICOM's presets; a plain file says nothing of its units.

use crate::frame::{Counts, Picture};

/// The values that are shown: `centre - width / 2` is black, `centre + width / 2` white.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Window {
    /// In counts of the file.
    pub centre: f32,
    /// In counts of the file.
    pub width: f32,
}

/// Hounsfield units from air to soft tissue; a CT's scale is fixed, so this tells it from an MR or PET.
const AIR_TO_TISSUE: std::ops::RangeInclusive<usize> = 930..=1130;
/// Air in Hounsfield units.
const AIR: f32 = -1000.0;
/// The usual window of a brain, in Hounsfield units: a CT that is fused with an MR mostly shows one.
const BRAIN: Window = Window {
    centre: 40.0,
    width: 80.0,
};
/// Least part of the samples that air, and that tissue, cover in a CT.
const LEAST: f32 = 0.03;
/// Parts of the samples that the window of any other picture leaves out.
const PERCENTILES: (f32, f32) = (0.005, 0.995);
/// Counts of one bin of the search for air and tissue.
const BIN: usize = 16;

impl Window {
    /// A window that shows what matters, and whether the counts look like a CT's.
    pub fn of(data: &[u16]) -> (Self, bool) {
        let mut histogram = vec![0u32; 1 << 16];
        for &count in data {
            histogram[usize::from(count)] += 1;
        }
        if let Some(air) = air_of_a_ct(&histogram, data.len()) {
            let window = Self {
                centre: air as f32 - AIR + BRAIN.centre,
                ..BRAIN
            };
            return (window, true);
        }
        (Self::percentiles_of(&histogram, data.len()), false)
    }

    /// A window that shows nearly all values.
    pub fn percentiles(data: &[u16]) -> Self {
        let mut histogram = vec![0u32; 1 << 16];
        for &count in data {
            histogram[usize::from(count)] += 1;
        }
        Self::percentiles_of(&histogram, data.len())
    }

    fn percentiles_of(histogram: &[u32], total: usize) -> Self {
        let percentile = |part: f32| {
            let wanted = (part * total as f32) as u32;
            let mut seen = 0;
            let found = histogram.iter().position(|n| {
                seen += n;
                seen > wanted
            });
            found.unwrap_or(0) as f32
        };
        let (low, high) = (percentile(PERCENTILES.0), percentile(PERCENTILES.1));
        Self {
            centre: (low + high) / 2.0,
            width: (high - low).max(1.0),
        }
    }

    /// The grey of counts.
    pub fn apply(&self, counts: &Counts) -> Picture {
        let half = self.width / 2.0;
        super::still::map_between(counts, (self.centre - half, self.centre + half)).picture
    }
}

/// The count of air, where the two commonest counts lie as far apart as air and soft tissue do.
fn air_of_a_ct(histogram: &[u32], total: usize) -> Option<usize> {
    let bins: Vec<u32> = histogram.chunks(BIN).map(|bin| bin.iter().sum()).collect();
    let least = (LEAST * total as f32) as u32;
    let peak = |range: std::ops::Range<usize>| {
        let range = range.start..range.end.min(bins.len());
        range
            .max_by_key(|i| bins[*i])
            .filter(|i| bins[*i] > least.max(1))
            .map(|bin| {
                let counts = bin * BIN..(bin + 1) * BIN;
                counts.max_by_key(|c| histogram[*c]).unwrap_or(bin * BIN)
            })
    };
    let first = bins.iter().position(|n| *n > least.max(1))?;
    let air = peak(first..first + 200 / BIN)?;
    let tissue = peak((air + 500) / BIN..(air + 1600) / BIN)?;
    AIR_TO_TISSUE.contains(&(tissue - air)).then_some(air)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    #[test]
    fn a_ct_gets_the_window_of_a_brain_at_any_offset() {
        for air in [0u16, 24, 1000, 31_768] {
            let data: Vec<u16> = (0..10_000u16)
                .map(|i| match i % 10 {
                    0..=5 => air + i % 7,
                    6..=8 => air + 1040 + i % 11,
                    _ => air + 2500,
                })
                .collect();
            let (window, ct) = Window::of(&data);
            assert!(ct && (window.centre - f32::from(air) - 1040.0).abs() < 12.0);
            assert_eq!(window.width, 80.0);
        }
    }

    #[test]
    fn any_other_picture_gets_nearly_all_of_its_counts() {
        let data: Vec<u16> = (0..10_000u16).map(|i| 300 + i % 900).collect();
        let (window, ct) = Window::of(&data);
        assert!(!ct && (window.width - 890.0).abs() < 12.0, "{window:?}");
        assert!(!Window::of(&[]).1 && !Window::of(&[5; 9]).1);
    }

    #[test]
    fn the_window_is_linear() {
        let counts = Counts {
            size: Size::new(3, 1),
            data: vec![840, 1040, 1240],
            kelvin: None,
        };
        let window = Window {
            centre: 1040.0,
            width: 400.0,
        };
        assert_eq!(window.apply(&counts).data(), [0, 128, 255]);
    }
}
