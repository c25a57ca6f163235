//! Draws a moment of the scene for both cameras, with their noise.
//!
//! Input: [`Moment`]. Output: RGB of 640x480, counts of 160x120 (hundredths of a kelvin). Thread: acquire.
//! Blocks: never. Allocates: when made. Not its job: range mapping, time.

use super::actors::{draw_person, draw_vehicle};
use super::backdrop::Backdrop;
use super::cast::{FIRE, PEOPLE};
use super::fire::Fire;
use super::haze::Haze;
use super::random::{Random, hash, noise_table};
use super::raster::Canvas;
use super::scene::Moment;
use super::world::{INFRARED, VISIBLE};
use crate::frame::{Counts, Picture};

/// Values in each table of noise, beyond one row.
const NOISE: usize = 1 << 16;
/// Of the visible sensor at high gain, grey levels.
const VISIBLE_SIGMA: f32 = 3.4;
/// NETD, hundredths of a kelvin (a Lepton: below 5; with age and warmth 6).
const THERMAL_SIGMA: f32 = 6.0;
/// Fixed pattern that the last FFC left over, hundredths of a kelvin.
const PATTERN_SIGMA: f32 = 4.0;

/// Everything drawn in advance.
#[derive(Debug)]
pub struct Renderer {
    seed: u64,
    backdrop: Backdrop,
    fire: Fire,
    /// Smoke and glare, also asked for the truth.
    pub(super) haze: Haze,
    visible_noise: Box<[i8]>,
    thermal_noise: Box<[i8]>,
    pattern: Box<[i8]>,
    blurred: Box<[u16]>,
}

/// What is drawn, from far to near.
#[derive(Clone, Copy)]
enum Item {
    Person(usize),
    Vehicle,
    Fire,
}

impl Renderer {
    /// Draws what does not move, warmed by a fire or not, and makes the tables; a few tenths of
    /// a second.
    pub fn new(seed: u64, fire: bool) -> Self {
        let backdrop = Backdrop::new(seed, fire);
        let mut pattern = noise_table(hash(seed, 5), PATTERN_SIGMA * 0.7, INFRARED.area());
        let columns = noise_table(hash(seed, 6), PATTERN_SIGMA * 0.7, INFRARED.width);
        for row in pattern.chunks_exact_mut(INFRARED.width) {
            for (value, column) in row.iter_mut().zip(&columns) {
                *value = value.saturating_add(*column);
            }
        }
        Self {
            seed,
            fire: Fire::new(seed, &backdrop.albedo),
            haze: Haze::new(seed),
            visible_noise: noise_table(hash(seed, 3), VISIBLE_SIGMA, NOISE + VISIBLE.width * 3),
            thermal_noise: noise_table(hash(seed, 4), THERMAL_SIGMA, NOISE + INFRARED.width),
            pattern,
            blurred: vec![0; INFRARED.area()].into_boxed_slice(),
            backdrop,
        }
    }

    /// The visible picture.
    pub fn visible(&self, moment: &Moment, out: &mut Picture) {
        out.reshape(VISIBLE, 3);
        let data = out.data_mut();
        data.copy_from_slice(&self.backdrop.visible);
        if moment.flicker > 0.0 {
            self.fire.light(data, moment);
        }
        self.haze.headlights(data, &self.backdrop.albedo, moment);
        for item in order(moment) {
            self.draw(&mut Canvas::Visible(data), moment, item);
        }
        if let Some(car) = &moment.vehicle {
            self.haze.dazzle(data, car);
        }
        let mut random = Random::new(hash(self.seed ^ 0x715, moment.number));
        for row in data.chunks_exact_mut(VISIBLE.width * 3) {
            let from = random.bits() as usize % NOISE;
            for (value, noise) in row.iter_mut().zip(&self.visible_noise[from..]) {
                *value = value.saturating_add_signed(*noise);
            }
        }
    }

    /// The infrared counts.
    pub fn infrared(&mut self, moment: &Moment, out: &mut Counts) {
        out.size = INFRARED;
        out.data.resize(INFRARED.area(), 0);
        out.data.copy_from_slice(&self.backdrop.infrared);
        for item in order(moment) {
            self.draw(&mut Canvas::Infrared(&mut out.data), moment, item);
        }
        blur(&mut out.data, &mut self.blurred);
        let mut random = Random::new(hash(self.seed ^ 0x1f4, moment.number));
        let rows = out.data.chunks_exact_mut(INFRARED.width);
        for (row, pattern) in rows.zip(self.pattern.chunks_exact(INFRARED.width)) {
            let from = random.bits() as usize % NOISE;
            let noise = &self.thermal_noise[from..];
            for ((value, noise), fixed) in row.iter_mut().zip(noise).zip(pattern) {
                *value = value.saturating_add_signed(i16::from(*noise) + i16::from(*fixed));
            }
        }
    }

    fn draw(&self, canvas: &mut Canvas, moment: &Moment, item: Item) {
        match item {
            Item::Person(i) => {
                if let Some(person) = moment.people().get(i) {
                    draw_person(canvas, moment, person);
                }
            }
            Item::Vehicle => {
                if let Some(car) = &moment.vehicle {
                    draw_vehicle(canvas, moment, car);
                }
            }
            Item::Fire if moment.flicker > 0.0 => {
                self.fire.draw(canvas, moment);
                if let Canvas::Visible(data) = canvas {
                    self.haze.smoke(data, moment);
                }
            }
            Item::Fire => {}
        }
    }
}

/// The items from far to near.
fn order(moment: &Moment) -> [Item; PEOPLE + 2] {
    let mut items = [(FIRE.1, Item::Fire); PEOPLE + 2];
    items[0] = (moment.vehicle.map_or(0.0, |car| car.z), Item::Vehicle);
    for (i, person) in moment.people.iter().enumerate() {
        items[i + 1] = (person.z, Item::Person(i));
    }
    items.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    items.map(|(_, item)| item)
}

/// The lens: each pixel also sees a little of its neighbours (1 2 1 both ways).
fn blur(data: &mut [u16], scratch: &mut [u16]) {
    let width = INFRARED.width;
    let mean =
        |a: u16, b: u16, c: u16| ((u32::from(a) + 2 * u32::from(b) + u32::from(c) + 2) / 4) as u16;
    for (row, out) in data
        .chunks_exact(width)
        .zip(scratch.chunks_exact_mut(width))
    {
        for x in 0..width {
            out[x] = mean(
                row[x.saturating_sub(1)],
                row[x],
                row[(x + 1).min(width - 1)],
            );
        }
    }
    let last = INFRARED.height - 1;
    for (y, row) in data.chunks_exact_mut(width).enumerate() {
        let line = |y: usize| &scratch[y * width..(y + 1) * width];
        let (above, below) = (line(y.saturating_sub(1)), line((y + 1).min(last)));
        for (x, out) in row.iter_mut().enumerate() {
            *out = mean(above[x], scratch[y * width + x], below[x]);
        }
    }
}
