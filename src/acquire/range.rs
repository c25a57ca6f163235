//! Range mapping (AGC): 16-bit thermal counts to 8-bit grey that shows both the people and the fire.
//!
//! Plateau-limited histogram equalisation blended with a linear stretch between two percentiles, smoothed
//! over time so that the picture neither flickers nor pumps. Input: counts. Output: grey 0..=255, a
//! monotone function of the count. Thread: acquire. Blocks: never. Allocates: when made only. Not its job:
//! temperatures.
//!
//! Sources: Vickers, "Plateau equalization algorithm for real-time display of high-quality
//! infrared imagery", Optical Engineering 35(7), 1996; FLIR Boson data sheet, section AGC.

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
            primed: false,
        }
    }

    /// The counts that the last frame would have as black and white.
    pub fn limits(&self) -> (f32, f32) {
        (self.low, self.high)
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
        let missing = self.config.min_span - (high - low);
        if missing > 0.0 {
            low = (low - missing / 2.0).max(0.0);
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
        for (i, knot) in self.curve.iter_mut().enumerate() {
            let linear = i as f32 / BINS as f32;
            let equalised = if total > 0.0 { sum / total } else { linear };
            *knot = linear + self.config.equalisation * (equalised - linear);
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mapped(mapper: &mut RangeMapper, counts: &[u16]) -> Vec<u8> {
        let mut grey = vec![0; counts.len()];
        mapper.map(counts, &mut grey);
        grey
    }

    fn ramp() -> Vec<u16> {
        (0..19_200u32).map(|i| (28_000 + i / 8) as u16).collect()
    }

    #[test]
    fn the_same_scene_in_fewer_bits_has_the_same_greys() {
        let scene: Vec<u16> = (0..9_000u32).map(|n| 400 + (n * 7 % 120) as u16).collect();
        let wide: Vec<u16> = scene.iter().map(|count| count << 6).collect();
        let few = mapped(
            &mut RangeMapper::new(RangeConfig::for_counts(10, None)),
            &scene,
        );
        let many = mapped(
            &mut RangeMapper::new(RangeConfig::for_counts(16, None)),
            &wide,
        );
        let most = few.iter().zip(&many).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(most <= Some(2), "{most:?}");
        assert!(few.iter().max() > Some(&200), "not flat");
        let kelvin = RangeConfig::for_counts(14, Some(0.04));
        assert_eq!(kelvin.min_span, 100.0);
    }

    #[test]
    fn a_constant_picture_is_flat_and_neither_black_nor_white() {
        for level in [600, 29_315, 65_000] {
            let grey = mapped(&mut RangeMapper::new(RangeConfig::default()), &[level; 500]);
            assert!(grey.iter().all(|&g| g == grey[0]));
            assert!((20..=235).contains(&grey[0]), "{}", grey[0]);
        }
    }

    #[test]
    fn the_ends_of_the_counts_do_not_break_it() {
        for level in [0, 1, 65_535] {
            let grey = mapped(&mut RangeMapper::new(RangeConfig::default()), &[level; 9]);
            assert!(grey.iter().all(|&g| g == grey[0]));
        }
        assert!(mapped(&mut RangeMapper::new(RangeConfig::default()), &[]).is_empty());
    }

    #[test]
    fn a_single_hot_pixel_is_white_and_takes_no_contrast() {
        let mut counts = ramp();
        let without = mapped(&mut RangeMapper::new(RangeConfig::default()), &counts);
        counts[77] = 60_000;
        let with = mapped(&mut RangeMapper::new(RangeConfig::default()), &counts);
        assert_eq!(with[77], 255);
        let most = with.iter().zip(&without).enumerate();
        let worst = most
            .filter(|(i, _)| *i != 77)
            .map(|(_, (a, b))| a.abs_diff(*b))
            .max();
        assert!(worst < Some(3), "{worst:?}");
    }

    #[test]
    fn people_keep_contrast_beside_a_fire() {
        // Ground at 7 C with noise, 2% people at 28 C, 1% fire at 300 C.
        let counts: Vec<u16> = (0..20_000u32)
            .map(|i| match i % 100 {
                0 => 57_000 + (i % 37) as u16,
                1 | 2 => 30_100 + (i % 31) as u16,
                _ => 28_000 + (i * 7 % 61) as u16,
            })
            .collect();
        let grey = mapped(&mut RangeMapper::new(RangeConfig::default()), &counts);
        let linear = (30_100 - 28_000) * 255 / (57_000 - 28_000);
        let found = i32::from(grey[1]) - i32::from(grey[50]);
        assert!(found > 2 * linear, "{found} against {linear}");
        assert!(grey[0] > grey[1]);
    }

    #[test]
    fn a_fire_that_flares_up_does_not_make_the_ground_jump() {
        let mut mapper = RangeMapper::new(RangeConfig::default());
        let mut counts = ramp();
        let mut before = mapped(&mut mapper, &counts);
        let settled = before.clone();
        counts[..1000].fill(45_000);
        for _ in 0..120 {
            let now = mapped(&mut mapper, &counts);
            let step = now[1000..]
                .iter()
                .zip(&before[1000..])
                .map(|(a, b)| a.abs_diff(*b));
            // The weight of one frame, and rounding.
            assert!(step.max() <= Some(32), "the picture jumps");
            before = now;
        }
        assert!(
            before[1000..] != settled[1000..],
            "it has to follow in the end"
        );
        let again = mapped(&mut mapper, &counts);
        assert!(again.iter().zip(&before).all(|(a, b)| a.abs_diff(*b) <= 1));
    }

    proptest! {
        #[test]
        fn hotter_is_never_darker(
            frames in proptest::collection::vec(
                proptest::collection::vec(any::<u16>(), 1..300), 1..4),
        ) {
            let mut mapper = RangeMapper::new(RangeConfig::default());
            for frame in &frames {
                mapped(&mut mapper, frame);
            }
            let all: Vec<u16> = (0..=u16::MAX).step_by(13).collect();
            let mut grey = vec![0; all.len()];
            mapper.apply(&all, &mut grey);
            prop_assert!(grey.windows(2).all(|w| w[0] <= w[1]));
        }
    }
}
