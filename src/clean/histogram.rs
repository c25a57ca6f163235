//! Statistics of a picture's luma.
//!
//! Thread: guide, fuse; main for files. Allocates: no.

use crate::frame::Picture;

/// Counts of luma values of every fourth pixel of every second row, and what follows from them. All values
/// are 0..=1.
#[derive(Debug, Clone)]
pub struct LumaHistogram {
    bins: [u32; 256],
    count: u32,
    /// Mean.
    pub mean: f32,
    /// Standard deviation.
    pub deviation: f32,
    /// Share of pixels at 250 of 255 or more.
    pub clipped: f32,
}

impl LumaHistogram {
    /// Of a grey picture, or of one of three channels by their BT.601 luma.
    pub fn of(picture: &Picture) -> Self {
        let mut bins = [0u32; 256];
        let channels = picture.channels();
        for y in (0..picture.height()).step_by(2) {
            for pixel in picture.row(y).chunks_exact(channels).step_by(4) {
                let luma = match pixel {
                    [r, g, b] => {
                        (77 * u32::from(*r) + 150 * u32::from(*g) + 29 * u32::from(*b)) >> 8
                    }
                    _ => u32::from(pixel[0]),
                };
                bins[luma.min(255) as usize] += 1;
            }
        }
        let count = bins.iter().sum::<u32>().max(1);
        let moment = |power: i32| {
            let all = bins.iter().zip(0u16..);
            let sum: f64 = all
                .map(|(n, v)| f64::from(*n) * (f64::from(v) / 255.0).powi(power))
                .sum();
            sum / f64::from(count)
        };
        let (mean, square) = (moment(1), moment(2));
        Self {
            bins,
            count,
            mean: mean as f32,
            deviation: (square - mean * mean).max(0.0).sqrt() as f32,
            clipped: bins[250..].iter().sum::<u32>() as f32 / count as f32,
        }
    }

    /// The luma with a share of `at` (0..=1) below it.
    pub fn quantile(&self, at: f32) -> f32 {
        let wanted = (at * self.count as f32) as u32;
        let mut sum = 0;
        let found = self.bins.iter().position(|n| {
            sum += n;
            sum > wanted
        });
        found.unwrap_or(255) as f32 / 255.0
    }
}
