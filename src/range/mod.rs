//! Range mapping (AGC): 16-bit thermal counts to 8-bit grey that shows both the people and the fire.
//!
//! One mapping for live frames and for picture files ([`still`]). Plateau-limited histogram equalisation blended with a linear stretch between two percentiles, smoothed
//! over time so that the picture neither flickers nor pumps. Input: counts. Output: grey 0..=255, a
//! monotone function of the count. Thread: any. Blocks: never. Allocates: when made only. Not its job:
//! temperatures. [`defects`] finds what is no count of the scene, [`window`] maps medical pictures.
//!
//! Sources: Vickers, "Plateau equalization algorithm for real-time display of high-quality
//! infrared imagery", Optical Engineering 35(7), 1996; FLIR Boson data sheet, section AGC.

pub mod defects;
pub mod still;
pub mod window;

/// Bins of this frame's curve between the two percentiles.
const BINS: usize = 1024;
/// All counts there are.
const COUNTS: usize = 1 << 16;
/// Counts from one knot of the running curve to the next; between knots it is a straight line.
const STEP: usize = 4;

/// How counts become grey.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeConfig {
    /// Part of the pixels below black, 0..0.5.
    pub low_percentile: f32,
    /// Part of the pixels above white, 0..0.5.
    pub high_percentile: f32,
    /// Most pixels that a bin may count for, in multiples of the mean bin; larger equalises more.
    pub plateau: f32,
    /// Weight of the equalised curve against the linear one, 0..=1.
    pub equalisation: f32,
    /// Least difference of counts between black and white, so that noise is not blown up.
    pub min_span: f32,
    /// Weight of a new frame in the running mean, 0..=1; 1 does not smooth.
    pub smoothing: f32,
}

/// Kelvins from black to white at least, where a count is known as a temperature.
const LEAST_KELVINS: f32 = 4.0;
/// The bits that the default's least span is meant for.
const BITS: u32 = 16;

impl RangeConfig {
    /// For counts of so many bits, each worth `kelvin`, where that is known: noise covers fewer counts of a
    /// coarser scale.
    pub fn for_counts(bits: u32, kelvin: Option<f32>) -> Self {
        let usual = Self::default();
        let by_bits = usual.min_span / (1u32 << BITS.saturating_sub(bits)) as f32;
        let min_span = match kelvin {
            Some(kelvin) if kelvin > 0.0 => LEAST_KELVINS / kelvin,
            _ => by_bits,
        };
        Self {
            min_span: min_span.max(1.0),
            ..usual
        }
    }
}

impl Default for RangeConfig {
    fn default() -> Self {
        Self {
            low_percentile: 0.002,
            high_percentile: 0.006,
            plateau: 3.0,
            // Below half: walls that keep the day's warmth must not look as warm as people.
            equalisation: 0.4,
            // 4 K of a camera that counts hundredths of a kelvin.
            min_span: 400.0,
            smoothing: 0.12,
        }
    }
}

/// The running state of one thermal camera's range.
#[derive(Debug)]
pub struct RangeMapper {
    config: RangeConfig,
    histogram: Box<[u32]>,
    bins: Box<[f32]>,
    /// This frame's grey 0..=1 at each bin border; rises from 0 to 1.
    curve: Box<[f32]>,
    /// The running mean of the curves, one knot every [`STEP`] counts. Smoothing the grey of each
    /// count, not the limits, bounds how far any pixel can jump from frame to frame.
    knots: Box<[f32]>,
    /// The same in 1/256 grey.
    table: Box<[u16]>,
    low: f32,
    high: f32,
    /// From the low to the high percentile of the last frame, in counts.
    spread: f32,
    primed: bool,
}

impl RangeMapper {
    /// A mapper that has seen nothing; the first frame sets the range at once.
    pub fn new(config: RangeConfig) -> Self {
        Self {
            config,
            histogram: vec![0; COUNTS].into_boxed_slice(),
            bins: vec![0.0; BINS].into_boxed_slice(),
            curve: vec![0.0; BINS + 1].into_boxed_slice(),
            knots: vec![0.0; COUNTS / STEP + 1].into_boxed_slice(),
            table: vec![0; COUNTS / STEP + 1].into_boxed_slice(),
            low: 0.0,
            high: 1.0,
            spread: 0.0,
            primed: false,
        }
    }

    /// The counts that the last frame would have as black and white.
    pub fn limits(&self) -> (f32, f32) {
        (self.low, self.high)
    }

    /// From the low to the high percentile of the last frame, in counts, before the least span widened it.
    pub fn spread(&self) -> f32 {
        self.spread
    }

    /// Adapts to `counts` and maps them to `grey`; the shorter of the two ends it.
    pub fn map(&mut self, counts: &[u16], grey: &mut [u8]) {
        if !counts.is_empty() {
            self.adapt(counts);
        }
        self.apply(counts, grey);
    }

    /// Maps by the table as it is.
    fn apply(&self, counts: &[u16], grey: &mut [u8]) {
        for (out, &count) in grey.iter_mut().zip(counts) {
            let (knot, part) = (usize::from(count) / STEP, usize::from(count) % STEP);
            let (a, b) = (u32::from(self.table[knot]), u32::from(self.table[knot + 1]));
            let mixed = a * (STEP - part) as u32 + b * part as u32;
            *out = (mixed / (STEP as u32 * 256)) as u8;
        }
    }

    fn adapt(&mut self, counts: &[u16]) {
        let (least, most) = self.count(counts);
        let total = counts.len() as f32;
        let below = (self.config.low_percentile * total) as u32;
        let above = (self.config.high_percentile * total) as u32;
        let mut low = f32::from(self.percentile(least..=most, below));
        let mut high = f32::from(self.percentile((least..=most).rev(), above));
        self.spread = high - low;
        let missing = self.config.min_span - self.spread;
        if missing > 0.0 {
            // May lie below 0: a closed shutter is as grey at 0 as anywhere.
            low -= missing / 2.0;
            high = low + self.config.min_span;
        }
        // A cut to another scene does not fade over.
        let cut = low > self.high || high < self.low;
        let weight = if self.primed && !cut {
            self.config.smoothing
        } else {
            1.0
        };
        (self.low, self.high) = (low, high);
        self.equalise(least, most);
        self.draw_curve();
        self.follow(weight);
        self.primed = true;
    }

    /// Fills the histogram; the least and the most count there is.
    fn count(&mut self, counts: &[u16]) -> (u16, u16) {
        self.histogram.fill(0);
        let (mut least, mut most) = (u16::MAX, 0);
        for &count in counts {
            self.histogram[usize::from(count)] += 1;
            least = least.min(count);
            most = most.max(count);
        }
        (least, most)
    }

    /// The smallest count (largest, from above) whose cumulative histogram exceeds `skip`.
    fn percentile(&self, way: impl Iterator<Item = u16>, skip: u32) -> u16 {
        let mut seen = 0;
        let mut last = 0;
        for count in way {
            seen += self.histogram[usize::from(count)];
            last = count;
            if seen > skip {
                break;
            }
        }
        last
    }

    /// Rebins the histogram between the limits and cuts each bin at the plateau.
    fn equalise(&mut self, least: u16, most: u16) {
        self.bins.fill(0.0);
        let scale = BINS as f32 / (self.high - self.low).max(1.0);
        let mut total = 0.0;
        for count in least..=most {
            let pixels = self.histogram[usize::from(count)];
            let at = (f32::from(count) - self.low) * scale;
            if pixels > 0 && at >= 0.0 && at < BINS as f32 {
                self.bins[at as usize] += pixels as f32;
                total += pixels as f32;
            }
        }
        let occupied = self.bins.iter().filter(|b| **b > 0.0).count().max(1);
        let plateau = self.config.plateau * total / occupied.max(BINS / 8) as f32;
        for bin in &mut self.bins {
            *bin = bin.min(plateau);
        }
    }

    /// This frame's curve: the running sum of the bins, mixed with a straight line.
    fn draw_curve(&mut self) {
        let total: f32 = self.bins.iter().sum();
        let mut sum = 0.0;
        // A scene within the least span is mostly noise: equalising would spread it over all greys.
        let share = (self.spread / self.config.min_span.max(1.0)).min(1.0);
        let weight = self.config.equalisation * share;
        for (i, knot) in self.curve.iter_mut().enumerate() {
            let linear = i as f32 / BINS as f32;
            let equalised = if total > 0.0 { sum / total } else { linear };
            *knot = linear + weight * (equalised - linear);
            sum += self.bins.get(i).copied().unwrap_or(0.0);
        }
    }

    /// Moves the running curve towards this frame's. A mean of rising curves rises.
    fn follow(&mut self, weight: f32) {
        let scale = BINS as f32 / (self.high - self.low).max(1.0);
        for (i, (knot, entry)) in self.knots.iter_mut().zip(&mut self.table).enumerate() {
            let at = ((i * STEP) as f32 - self.low) * scale;
            let bin = at.clamp(0.0, (BINS - 1) as f32) as usize;
            let (a, b) = (self.curve[bin], self.curve[bin + 1]);
            let target = (a + (at - bin as f32) * (b - a)).clamp(0.0, 1.0);
            *knot += weight * (target - *knot);
            *entry = (*knot * 65_280.0 + 128.0) as u16;
        }
    }
}

#[cfg(test)]
mod tests;
