//! What each source suffers from, with a strength: stripes, noise, shading, blur.
//!
//! Where a source was measured before it was cleaned, that counts; else its aligned picture is measured,
//! which an aligner may have made softer and less noisy.

use serde::Serialize;

use super::words::Sentence;
use super::{Rated, rated};
use crate::align::AlignedPair;
use crate::clean::{Blur, Condition, EdgeWidths, measure};
use crate::frame::Picture;
use crate::simd;

/// How strong a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Seen by who looks for it.
    Slight,
    /// Seen.
    Plain,
    /// Covers what the picture shows.
    Strong,
}

/// A fault's strength; `None` where there is none.
pub type Fault = Rated<Option<Strength>>;

/// The faults of one source. Deviations are in grey levels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SourceFaults {
    /// Standard deviation of the noise from pixel to pixel.
    pub noise_deviation: f32,
    /// Standard deviation of the offsets of whole columns.
    pub columns_deviation: f32,
    /// Standard deviation of the offsets of whole rows.
    pub rows_deviation: f32,
    /// Standard deviation of the sensor's shading; 0 where it was not measured before cleaning.
    pub shading_deviation: f32,
    /// Standard deviation of its edges, pixels: of the sharper ones; 0: sharp, or too few.
    pub edge_sharper: f32,
    /// And of the typical ones.
    pub edge_typical: f32,
    /// Noise.
    pub noise: Fault,
    /// Vertical stripes.
    pub columns: Fault,
    /// Horizontal stripes.
    pub rows: Fault,
    /// Shading.
    pub shading: Fault,
    /// Blur.
    pub blur: Fault,
}

/// The faults of both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Faults {
    /// Source A.
    pub infrared: SourceFaults,
    /// Source B.
    pub visible: SourceFaults,
}

/// From where on a fault is slight, plain and strong.
struct Limits {
    noise: [f32; 3],
    pattern: [f32; 3],
    shading: [f32; 3],
    /// Widths of the sharper edges from where on there is blur, of the typical ones from where on it is
    /// plain and strong.
    blur: [f32; 3],
}

/// A thermal picture is soft by nature, and most are scaled up: only edges of several pixels are a fault.
const INFRARED: Limits = Limits {
    noise: [3.0, 5.0, 10.0],
    pattern: [2.5, 4.0, 6.0],
    shading: [5.0, 10.0, 20.0],
    blur: [3.0, 3.0, 3.0],
};
/// Leaves and bark in focus look like noise of 3.
const VISIBLE: Limits = Limits {
    noise: [4.0, 6.5, 12.0],
    pattern: [3.0, 4.5, 7.0],
    shading: [5.0, 10.0, 20.0],
    blur: [0.76, 0.95, 1.5],
};

impl Faults {
    pub(super) fn measure(pair: &AlignedPair) -> Self {
        let [a, b] = &pair.condition;
        Self {
            infrared: SourceFaults::measure(&pair.infrared, a, &INFRARED),
            visible: SourceFaults::measure(&pair.visible, b, &VISIBLE),
        }
    }
}

impl SourceFaults {
    fn measure(picture: &Picture, before: &Condition, limits: &Limits) -> Self {
        let luma = luma_of(picture);
        let width = picture.width();
        let was_measured = *before != Condition::default();
        let [noise, columns, rows] = if was_measured {
            [before.noise, before.columns, before.rows]
        } else {
            [
                measure::noise(&luma, width),
                measure::columns(&luma, width),
                measure::rows(&luma, width),
            ]
        };
        let blur = EdgeWidths::of(&luma, width).blur().unwrap_or_default();
        Self {
            noise_deviation: noise,
            columns_deviation: columns,
            rows_deviation: rows,
            shading_deviation: before.shading,
            edge_sharper: blur.sharper,
            edge_typical: blur.typical,
            noise: judge(noise, limits.noise),
            columns: judge(columns, limits.pattern),
            rows: judge(rows, limits.pattern),
            shading: judge(before.shading, limits.shading),
            blur: judge_blur(blur, limits.blur),
        }
    }

    /// Adds what is sure enough; a strong fault is worth more than anything but what the picture shows.
    pub(super) fn say(&self, sentence: &mut Sentence) {
        let mut add = |fault: &Fault, slight: &str, plain: &str, strong: &str| {
            let says = fault.value.filter(|_| fault.says(Option::is_some));
            match says {
                Some(Strength::Slight) => sentence.add(slight, 0.65),
                Some(Strength::Plain) => sentence.add(plain, 0.88),
                Some(Strength::Strong) => sentence.add(strong, 0.95),
                None => {}
            }
        };
        add(
            &self.columns,
            "has slight vertical stripes",
            "has vertical stripes",
            "has strong vertical stripes",
        );
        add(
            &self.rows,
            "has slight horizontal stripes",
            "has horizontal stripes",
            "has strong horizontal stripes",
        );
        add(
            &self.noise,
            "is slightly noisy",
            "is noisy",
            "has strong noise",
        );
        add(
            &self.shading,
            "has slight shading",
            "has shading",
            "has strong shading",
        );
        add(
            &self.blur,
            "is slightly blurred",
            "is blurred",
            "is strongly blurred",
        );
    }
}

/// Sure where the value is a third away from the first limit.
fn judge(value: f32, limits: [f32; 3]) -> Fault {
    let away = (value - limits[0]).abs() / (limits[0] / 3.0);
    rated(strength(value, limits), 0.5 + 0.45 * away.min(1.0))
}

/// That there is blur the sharper edges say, how much the typical ones.
fn judge_blur(blur: Blur, [from, plain, strong]: [f32; 3]) -> Fault {
    let away = (blur.sharper - from).abs() / (from / 8.0);
    let there = (blur.sharper >= from).then_some(blur.typical);
    let value = there.and_then(|typical| strength(typical, [0.0, plain, strong]));
    rated(value, 0.5 + 0.45 * away.min(1.0))
}

fn strength(value: f32, [slight, plain, strong]: [f32; 3]) -> Option<Strength> {
    match value {
        v if v >= strong => Some(Strength::Strong),
        v if v >= plain => Some(Strength::Plain),
        v if v >= slight => Some(Strength::Slight),
        _ => None,
    }
}

fn luma_of(picture: &Picture) -> Vec<u8> {
    match picture.channels() {
        3 => {
            let mut luma = vec![0; picture.size().area()];
            simd::luma_from_rgb(picture.data(), &mut luma);
            luma
        }
        _ => picture.data().to_vec(),
    }
}

#[cfg(test)]
#[path = "faults_tests.rs"]
mod tests;
