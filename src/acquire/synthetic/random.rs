//! Numbers that are the same on every processor: a generator, noise tables and smooth curves made
//! of exact operations only (`sin` and `exp` of the platform differ in the last bit).
//!
//! Input: seeds. Output: numbers. Thread: any. Blocks: never. Allocates: tables, when made. Not its job:
//! secrets.

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator; equal seeds give equal numbers.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// 0..1.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// About normal, variance 1: the sum of twelve uniform numbers.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// 64 bits that depend on both numbers.
pub const fn hash(seed: u64, n: u64) -> u64 {
    mix(seed ^ mix(n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1)))
}

/// 0..1 at a point of a lattice.
fn lattice(seed: u64, x: i64, y: i64) -> f32 {
    (hash(seed ^ (y as u64).rotate_left(32), x as u64) >> 40) as f32 / (1u32 << 24) as f32
}

/// Smooth noise 0..1 over the plane, one bump a unit.
pub fn value_noise(seed: u64, x: f32, y: f32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i64, fy as i64);
    let (tx, ty) = (smooth(x - fx), smooth(y - fy));
    let row = |dy| {
        mix_f(
            lattice(seed, ix, iy + dy),
            lattice(seed, ix + 1, iy + dy),
            tx,
        )
    };
    mix_f(row(0), row(1), ty)
}

/// Noise 0..1 with detail: `octaves` of [`value_noise`], each twice as fine and half as strong.
pub fn fractal(seed: u64, x: f32, y: f32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut scale) = (0.0, 0.0, 1.0);
    let mut share = 1.0;
    for octave in 0..octaves {
        sum += share * value_noise(seed + u64::from(octave), x * scale, y * scale);
        weight += share;
        share *= 0.5;
        scale *= 2.0;
    }
    sum / weight
}

/// `a` to `b` as `t` goes from 0 to 1.
pub fn mix_f(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 to 1 without a kink, for `t` of 0..=1.
pub fn smooth(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// [`smooth`] between two edges.
pub fn smooth_step(low: f32, high: f32, value: f32) -> f32 {
    smooth((value - low) / (high - low))
}

/// The sine of `turns` full circles, within 0.002 (Bhaskara's formula, exact operations only).
pub fn sine(turns: f32) -> f32 {
    let t = (turns - turns.floor()) * 2.0;
    let (t, sign) = if t < 1.0 { (t, 1.0) } else { (t - 1.0, -1.0) };
    let p = t * (1.0 - t);
    sign * 16.0 * p / (5.0 - 4.0 * p)
}

/// A soft fall from 1 at 0 towards 0, like light round a lamp.
pub fn falloff(distance: f32) -> f32 {
    let t = 1.0 / (1.0 + distance * distance);
    t * t
}

/// Noise of standard deviation `sigma`, `length` values, clamped to a byte.
pub fn noise_table(seed: u64, sigma: f32, length: usize) -> Box<[i8]> {
    let mut random = Random::new(seed);
    (0..length)
        .map(|_| (random.normal() * sigma).round().clamp(-127.0, 127.0) as i8)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // Reference values of the authors' splitmix64.c for seed 1234567.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn the_sine_is_near_the_true_one() {
        for i in -300..300 {
            let turns = i as f32 / 100.0;
            let exact = (f64::from(turns) * std::f64::consts::TAU).sin();
            assert!((f64::from(sine(turns)) - exact).abs() < 0.002, "{turns}");
        }
    }

    #[test]
    fn noise_has_the_deviation_asked_for() {
        let table = noise_table(3, 6.0, 1 << 16);
        let n = table.len() as f64;
        let mean = table.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let power = table.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n;
        assert!(
            mean.abs() < 0.2 && (power.sqrt() - 6.0).abs() < 0.2,
            "{mean} {power}"
        );
    }

    #[test]
    fn value_noise_is_continuous_and_within_its_range() {
        for i in 0..2000 {
            let (x, y) = (i as f32 * 0.013 - 7.0, i as f32 * 0.007 - 3.0);
            let (a, b) = (value_noise(5, x, y), value_noise(5, x + 0.001, y));
            assert!((0.0..=1.0).contains(&a) && (a - b).abs() < 0.01);
        }
    }
}
