//! Black level: a range that was set by noisy samples is too wide for the cleaned ones.
//!
//! A camera whose range mapping (AGC) takes percentiles puts black where the darkest noisy samples lie, so that
//! the scene's own black is lifted. The cleaned picture's low percentile goes back to where that of the noisy one
//! was; white stays.

/// The part of the pixels below it.
const LOW: f32 = 0.02;

/// Levels of a picture before it is cleaned.
#[derive(Debug)]
pub(super) struct BlackLevel {
    black: u8,
    table: [u8; 256],
}

impl BlackLevel {
    pub fn new() -> Self {
        Self {
            black: 0,
            table: [0; 256],
        }
    }

    /// Looks at the noisy picture.
    pub fn before(&mut self, grey: &[u8]) {
        self.black = low(grey);
    }

    /// Puts the cleaned picture's black back; by a part of the way, 0..=1.
    pub fn after(&mut self, grey: &mut [u8], part: f32) {
        let from = f32::from(low(grey));
        let lifted = (from - f32::from(self.black)).max(0.0) * part;
        if lifted < 0.5 {
            return;
        }
        for (level, out) in self.table.iter_mut().enumerate() {
            let level = level as f32;
            let above = ((level - from) / (255.0 - from)).clamp(0.0, 1.0);
            // A cast of a float saturates.
            *out = (level - lifted * (1.0 - above) + 0.5) as u8;
        }
        for sample in grey {
            *sample = self.table[usize::from(*sample)];
        }
    }
}

/// The level that [`LOW`] of the pixels do not exceed.
fn low(grey: &[u8]) -> u8 {
    let mut histogram = [0_u32; 256];
    for &sample in grey {
        histogram[usize::from(sample)] += 1;
    }
    let wanted = (grey.len() as f32 * LOW) as u32;
    let mut seen = 0;
    let found = histogram.iter().position(|&count| {
        seen += count;
        seen > wanted
    });
    found.map_or(0, |level| level as u8)
}
