//! Counters and timings of a running daemon.

use serde::{Deserialize, Serialize};

/// Counters and timings at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Pairs the source handed out.
    pub pairs: u64,
    /// Frames fused.
    pub fused: u64,
    /// Frames shown.
    pub presented: u64,
    /// Pairs or fused frames displaced by newer ones, and frames the source dropped.
    pub dropped: u64,
    /// Frames that could not be unpacked.
    pub damaged: u64,
    /// Frames on which the network failed.
    pub fuse_errors: u64,
    /// Times the screen was lost.
    pub screen_errors: u64,
    /// Transfers to the screen that failed and were made again, as far as it knows.
    #[serde(default)]
    pub screen_retries: u64,
    /// Failures of the status panel.
    #[serde(default)]
    pub panel_errors: u64,
    /// Times no pair came within the stall time.
    pub stalls: u64,
    /// Guidance values put into effect.
    pub guidance_swaps: u64,
    /// Pair skew, ms.
    pub skew_ms: Quantiles,
    /// Per-stage times, ms.
    pub stages_ms: StageTimes,
}

/// Median and p99 of each stage, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct StageTimes {
    /// From the newer frame's timestamp until its pair is handed on: unpacked, cleaned, paired.
    #[serde(default)]
    pub acquire: Quantiles,
    /// Cleaning the sources' pictures, in the acquire thread.
    #[serde(default)]
    pub clean: Quantiles,
    /// Remapping both pictures.
    pub align: Quantiles,
    /// Luma fusion.
    pub fuse: Quantiles,
    /// The tone map; zero where it is off.
    pub tone: Quantiles,
    /// Colour and mode.
    pub compose: Quantiles,
    /// Overlay and screen.
    pub present: Quantiles,
    /// Source timestamp to shown.
    pub latency: Quantiles,
}

/// Nearest-rank quantile of sorted microseconds, in milliseconds; 0 where there is none.
fn quantile_ms(sorted: &[u32], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).map_or(0.0, |&v| f64::from(v) / 1e3)
}

/// Median and 99th percentile, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Quantiles {
    /// Median.
    pub p50: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
}

impl Quantiles {
    /// Of microseconds in any order; zeros where there are none.
    pub fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        Self {
            p50: quantile_ms(&micros, 50),
            p99: quantile_ms(&micros, 99),
        }
    }

    /// 99th percentile to median.
    pub fn spread(self) -> f64 {
        self.p99 / self.p50.max(1e-3)
    }
}
