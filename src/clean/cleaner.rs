//! The clean-up of one source: measures, then takes away what was measured to be there.
//!
//! Thread: acquire in live video. Blocks: never. Allocates: when made, and when the picture's size changes.

use super::Condition;
use super::black_level::BlackLevel;
use super::counts::CountScale;
use super::gate::Gate;
use super::grain::Grain;
use super::motion::Motion;
use super::rows::{row, row_mut};
use super::shading::{self, Shading};
use super::stripes::Stripes;
use super::temporal::Temporal;
use crate::config::{CleanConfig, CleanMode};
use crate::frame::Size;
use crate::simd::clean::{isolated, narrow, take_offsets, widen};

/// Pictures that are smaller on an axis are left alone: there is too little to measure.
const SMALLEST: usize = 32;
/// Samples a grey level of an 8-bit picture.
const A_GREY: f32 = 128.0;
/// Means of blocks of 8-bit pictures that black and white do not clip.
const UNCLIPPED: (f32, f32) = (12.0 * A_GREY, 243.0 * A_GREY);
/// Weight of a frame in the running measure of grain.
const MEASURE: f32 = 0.1;
/// A single pixel is dead where it is further beyond all its neighbours than this: grey levels, and multiples of
/// the grain.
const DEAD: (f32, f32) = (32.0, 8.0);
/// How much more than the typical grain is taken away: the measure is of the flattest parts, where a
/// camera may compress its range.
const MARGIN: f32 = 1.3;

/// What a picture's samples are.
#[derive(Debug, Clone, Copy)]
struct Kind {
    /// Samples a grey level.
    a_grey: f32,
    /// Part of a video: what was seen before counts.
    live: bool,
    /// Means between which samples are not clipped.
    within: (f32, f32),
}

/// The clean-up of one source; see the module.
#[derive(Debug)]
pub struct Cleaner {
    config: CleanConfig,
    denoise: f32,
    size: Size,
    plane: Vec<u16>,
    spare: Vec<u16>,
    flags: Vec<u8>,
    taken: [Vec<i16>; 2],
    across: Vec<i16>,
    grain: Grain,
    columns: Stripes,
    rows: Stripes,
    shading: Shading,
    temporal: Temporal,
    motion: Motion,
    level: BlackLevel,
    /// Planes of 8 bits that pictures lend: see [`super::picture`].
    pub(super) luma: Vec<u8>,
    pub(super) other: Vec<u8>,
    scale: Option<CountScale>,
    gate: Gate,
    noise: Option<f32>,
}

impl Cleaner {
    /// One that has seen nothing, with room for pictures of `size`.
    pub fn new(config: &CleanConfig, size: Size) -> Self {
        let turned = Size::new(size.height, size.width);
        Self {
            config: *config,
            denoise: 0.0,
            size,
            plane: vec![0; size.area()],
            spare: vec![0; size.area()],
            flags: vec![0; size.width],
            taken: [vec![0; size.width], vec![0; size.height]],
            across: vec![0; size.width],
            grain: Grain::new(size),
            columns: Stripes::new(size),
            rows: Stripes::new(turned),
            shading: Shading::new(size),
            temporal: Temporal::new(size),
            motion: Motion::new(size),
            level: BlackLevel::new(),
            luma: Vec::new(),
            other: Vec::new(),
            scale: None,
            gate: Gate::default(),
            noise: None,
        }
    }

    /// How far grain is taken where too little was measured for that, 0 (not) to 1; what was measured is the most
    /// that is taken: see [`Controls::denoise`](crate::describe::Controls).
    pub fn set_denoise(&mut self, denoise: f32) {
        self.denoise = denoise.clamp(0.0, 1.0);
    }

    /// Forgets what was seen: after a flat-field correction (FFC), and where another camera or scene begins.
    pub fn reset(&mut self) {
        self.columns.reset();
        self.rows.reset();
        self.shading.reset();
        self.temporal.reset();
        self.motion.reset();
        self.gate = Gate::default();
        self.noise = None;
    }

    /// Cleans a single picture of `size`, 8-bit grey. What it was measured to suffer from before.
    pub fn still(&mut self, size: Size, grey: &mut [u8]) -> Condition {
        self.fit(size);
        self.reset();
        self.level.before(grey);
        let condition = self.clean_grey(grey, false);
        if condition.cleaned {
            self.level.after(grey, self.gate.level());
        }
        condition
    }

    /// Cleans the next picture of a video; see [`Cleaner::still`].
    pub fn live(&mut self, size: Size, grey: &mut [u8]) -> Condition {
        self.fit(size);
        self.clean_grey(grey, true)
    }

    /// Cleans the next counts of a thermal camera before their range is mapped, where one grey level of the
    /// mapped picture has about `a_grey` counts.
    pub fn live_counts(&mut self, size: Size, counts: &mut [u16], a_grey: f32) -> Condition {
        self.fit(size);
        let least = counts.iter().copied().min().unwrap_or(0);
        let most = counts.iter().copied().max().unwrap_or(0);
        let scale = self.scale_for(least, most);
        scale.widen(counts, &mut self.plane);
        let condition = self.clean(Kind {
            a_grey: a_grey.max(1e-3) * scale.samples_a_count(),
            live: true,
            within: (0.0, f32::INFINITY),
        });
        if condition.cleaned {
            scale.narrow(&self.plane, counts);
        }
        condition
    }

    /// Takes nothing but grain from a single visible picture's luma.
    pub(super) fn still_grain(&mut self, size: Size, luma: &mut [u8]) -> Condition {
        let mut condition = self.measure_grain(size, luma);
        let strength = Gate::visible(&condition, self.config.mode, self.denoise);
        if strength > 0.0 {
            let sigma = MARGIN * condition.noise * A_GREY;
            condition.cleaned = self.take_grain(strength, sigma, false);
            narrow(&self.plane, luma);
        }
        condition
    }

    /// The grain of a single picture, which becomes the plane.
    pub(super) fn measure_grain(&mut self, size: Size, luma: &[u8]) -> Condition {
        self.fit(size);
        widen(luma, &mut self.plane);
        let mut condition = Condition::default();
        if size.width >= SMALLEST && size.height >= SMALLEST {
            let measured = self.grain.measure(&self.plane, UNCLIPPED);
            condition.noise = measured.least / A_GREY;
        }
        condition
    }

    fn clean_grey(&mut self, grey: &mut [u8], live: bool) -> Condition {
        widen(grey, &mut self.plane);
        let condition = self.clean(Kind {
            a_grey: A_GREY,
            live,
            within: UNCLIPPED,
        });
        if condition.cleaned {
            narrow(&self.plane, grey);
        }
        condition
    }

    /// Room for pictures of another size.
    fn fit(&mut self, size: Size) {
        if self.size != size {
            let denoise = self.denoise;
            *self = Self::new(&self.config, size);
            self.denoise = denoise;
        }
    }

    /// A scale that holds this frame's counts: the last one while it does, so that what was learnt stays.
    fn scale_for(&mut self, least: u16, most: u16) -> CountScale {
        if let Some(scale) = self.scale.filter(|scale| scale.holds(least, most)) {
            return scale;
        }
        let scale = CountScale::fit(least, most);
        if let Some(last) = self.scale.replace(scale) {
            let factor = scale.samples_a_count() / last.samples_a_count();
            self.columns.rescale(factor);
            self.rows.rescale(factor);
            self.shading.rescale(factor);
            self.noise = self.noise.map(|noise| noise * factor);
            self.temporal.reset();
            self.motion.reset();
        }
        scale
    }

    /// Cleans the plane; it may have changed only where the condition says cleaned.
    fn clean(&mut self, kind: Kind) -> Condition {
        let mut condition = Condition::default();
        if self.size.width < SMALLEST || self.size.height < SMALLEST {
            return condition;
        }
        let measured = self.grain.measure(&self.plane, kind.within);
        let weight = if kind.live { MEASURE } else { 1.0 };
        let noise = self
            .noise
            .map_or(measured.least, |n| n + weight * (measured.least - n));
        self.noise = Some(noise);
        let typical = noise * (measured.typical / measured.least.max(1e-3)).clamp(1.0, 2.0);
        condition.noise = noise / kind.a_grey;
        let mut moved = 0.0;
        if kind.live {
            moved = self
                .motion
                .follow(&self.plane, (4.5 * noise).max(2.0 * kind.a_grey));
        }
        let mended = self.mend_dead(typical.max(noise), kind.a_grey, &mut condition);
        condition.columns = self.columns.follow(&self.plane, typical, moved) / kind.a_grey;
        transpose(&self.plane, self.size, &mut self.spare);
        condition.rows = self.rows.follow(&self.spare, typical, moved) / kind.a_grey;
        if kind.live {
            self.shading.follow(&self.plane, moved);
            condition.shading = self.shading.amplitude().abs() * shading::SPREAD / kind.a_grey;
        }
        self.gate.follow(&condition, self.config.mode, self.denoise);
        let evened = self.take_fixed_pattern(kind);
        let quiet = self.take_grain(self.gate.grain(), MARGIN * typical, kind.live);
        condition.cleaned = mended || evened || quiet;
        condition
    }

    /// Replaces single dead pixels, and counts them; whether it changed the plane.
    fn mend_dead(&mut self, noise: f32, a_grey: f32, condition: &mut Condition) -> bool {
        let Size { width, height } = self.size;
        let limit = (DEAD.0 * a_grey).max(DEAD.1 * noise) as i32;
        self.spare.copy_from_slice(&self.plane);
        let mut dead = 0;
        for y in 1..height - 1 {
            let three = [y - 1, y, y + 1].map(|y| row(&self.plane, width, y));
            let out = &mut row_mut(&mut self.spare, width, y)[1..width - 1];
            let flags = &mut self.flags[..width - 2];
            isolated(three, limit, out, flags);
            dead += flags.iter().map(|&flag| u32::from(flag)).sum::<u32>();
        }
        condition.dead = dead;
        let wanted = dead > 0 && self.config.dead_pixels && self.config.mode != CleanMode::Off;
        if wanted {
            std::mem::swap(&mut self.plane, &mut self.spare);
        }
        wanted
    }

    /// Takes the offsets of columns and rows and the shading; whether there were any.
    fn take_fixed_pattern(&mut self, kind: Kind) -> bool {
        let stripes = if self.config.stripes {
            self.gate.stripes()
        } else {
            [0.0; 2]
        };
        let shading = match self.config.shading && kind.live {
            true => self.gate.shading() * self.shading.amplitude(),
            false => 0.0,
        };
        if stripes == [0.0; 2] && shading == 0.0 {
            return false;
        }
        let sides = [&self.columns, &self.rows];
        let sides = sides
            .into_iter()
            .zip(stripes)
            .map(|(side, s)| (side, s * side.confidence()));
        for (taken, (side, strength)) in self.taken.iter_mut().zip(sides) {
            let count = taken.len();
            for (i, (taken, &offset)) in taken.iter_mut().zip(side.offsets()).enumerate() {
                let slow = shading * (shading::square(i, count) - shading::MEAN / 2.0);
                // A cast of a float saturates.
                *taken = (strength * offset + slow).round() as i16;
            }
        }
        let [columns, rows] = &self.taken;
        for (y, &down) in rows.iter().enumerate() {
            for (sum, &across) in self.across.iter_mut().zip(columns) {
                *sum = across.saturating_add(down);
            }
            take_offsets(&self.across, row_mut(&mut self.plane, self.size.width, y));
        }
        true
    }

    /// Takes grain of `sigma` over time and space, by `strength`; whether it was to.
    fn take_grain(&mut self, strength: f32, sigma: f32, live: bool) -> bool {
        let strength = strength * self.config.grain as f32;
        if strength <= 0.0 {
            self.temporal.reset();
            return false;
        }
        if !(live && self.config.temporal) {
            self.grain.remove(&mut self.plane, strength * sigma, None);
            return true;
        }
        self.temporal.follow(&self.plane, strength * sigma);
        let (mean, trust) = self.temporal.mean();
        self.plane.copy_from_slice(mean);
        self.grain
            .remove(&mut self.plane, strength * sigma, Some(trust));
        true
    }
}

/// `out` becomes the plane with rows for columns.
fn transpose(plane: &[u16], size: Size, out: &mut [u16]) {
    for (y, row) in plane.chunks_exact(size.width).enumerate() {
        for (x, &sample) in row.iter().enumerate() {
            out[x * size.height + y] = sample;
        }
    }
}

#[cfg(test)]
#[path = "cleaner_tests.rs"]
mod tests;
