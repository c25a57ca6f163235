//! What hides things from the visible camera only: smoke, and headlights that dazzle.
//!
//! Input: a moment. Output: visible pixels. Thread: acquire. Blocks: never. Allocates: when made. Not its
//! job: the thermal picture, which sees through both.

use super::cast::{CAR, FIRE, Vehicle};
use super::random::{hash, smooth, smooth_step};
use super::scene::{Moment, glare_radius};
use super::world::{HORIZON, Point, VISIBLE, ground, project};

/// Side of the tile of drifting noise; a power of two.
const TILE: usize = 256;
/// The smoke's part of the visible picture: columns and rows.
const PLUME: ([usize; 2], [usize; 2]) = ([96, 600], [96, 312]);

/// Smoke and glare.
#[derive(Debug)]
pub struct Haze {
    tile: Box<[u8]>,
    /// Thickness of the smoke without its swirls, 0..=255, over [`PLUME`].
    mask: Box<[u8]>,
    /// Strength of glare by squared distance from its source, 1 at index 0, 0 at the end.
    glare: Box<[u8]>,
}

impl Haze {
    /// Makes the tables.
    pub fn new(seed: u64) -> Self {
        let glare = (0..1024).map(|i| {
            let away = (i as f32 / 1024.0).sqrt();
            let core = 1.0 / (1.0 + 34.0 * away * away);
            let halo = 0.5 * (1.0 - away) * (1.0 - away);
            ((core * (1.0 - away) + halo).min(1.0) * 255.0) as u8
        });
        Self {
            tile: tile(seed ^ 0x5_0c3),
            mask: mask(),
            glare: glare.collect(),
        }
    }

    fn density(&self, x: usize, y: usize, shift: [usize; 4]) -> u32 {
        let ([left, right], [top, _]) = PLUME;
        let mask = u32::from(self.mask[(y - top) * (right - left) + x - left]);
        if mask == 0 {
            return 0;
        }
        let wrap = |v: usize| v & (TILE - 1);
        let coarse = self.tile[wrap(y + shift[1]) * TILE + wrap(x + shift[0])];
        let fine = self.tile[wrap(2 * y + shift[3]) * TILE + wrap(2 * x + shift[2])];
        let swirl = (u32::from(coarse) * 5 + u32::from(fine) * 3) / 8;
        // Swirls eat into the thin edges and hardly touch what is thick.
        (mask + mask * swirl / 200 + swirl / 2)
            .saturating_sub(190)
            .min(228)
    }

    /// How far the two layers of noise have drifted: to the right, and slowly up.
    fn shift(moment: &Moment) -> [usize; 4] {
        let drift = |speed: f32| {
            let way = moment.time * speed;
            (way - (way / TILE as f32).floor() * TILE as f32) as usize
        };
        [
            TILE - drift(34.0),
            drift(7.0),
            TILE - drift(74.0),
            drift(17.0),
        ]
    }

    /// Opacity 0..=1 of the smoke at a visible pixel.
    pub fn opacity(&self, moment: &Moment, x: f32, y: f32) -> f32 {
        let ([left, right], [top, bottom]) = PLUME;
        let (x, y) = (x.max(0.0) as usize, y.max(0.0) as usize);
        if !(left..right).contains(&x) || !(top..bottom).contains(&y) {
            return 0.0;
        }
        self.density(x, y, Self::shift(moment)) as f32 / 256.0
    }

    /// Lays the smoke over what is behind it.
    pub fn smoke(&self, data: &mut [u8], moment: &Moment) {
        let ([left, right], [top, bottom]) = PLUME;
        let shift = Self::shift(moment);
        let source = project(FIRE.0, 1.0, FIRE.1);
        for y in top..bottom {
            let row = &mut data[(y * VISIBLE.width + left) * 3..][..(right - left) * 3];
            for (x, pixel) in (left..right).zip(row.as_chunks_mut::<3>().0) {
                let cover = self.density(x, y, shift);
                if cover == 0 {
                    continue;
                }
                // Lit from below by the fire near its source.
                let away = (x as f32 - source.0).max(0.0) as u32;
                let warm = (70u32.saturating_sub(away / 3) * (moment.flicker * 256.0) as u32) >> 8;
                let ink = [62 + warm, 60 + warm * 2 / 5, 60 + warm / 8];
                for (out, ink) in pixel.iter_mut().zip(ink) {
                    *out = ((u32::from(*out) * (256 - cover) + ink * cover) >> 8) as u8;
                }
            }
        }
    }

    /// Lights the ground before or behind the car.
    pub fn headlights(&self, data: &mut [u8], albedo: &[u8], moment: &Moment) {
        let Some(car) = moment.vehicle else { return };
        let first = HORIZON as usize + 4;
        for y in first..VISIBLE.height {
            let Some((left, z)) = ground(0.0, y as f32) else {
                continue;
            };
            let ahead = if car.oncoming {
                car.z - z
            } else {
                z - car.z - CAR.0
            };
            let strength = moment.headlight(car.x, z);
            if strength < 0.01 {
                continue;
            }
            let across = 1.0 / (1.0 + 0.16 * ahead);
            let step = ground(1.0, y as f32).map_or(0.0, |g| g.0 - left);
            // Beyond three widths there is nothing to add.
            let column = |x: f32| ((x - left) / step).clamp(0.0, VISIBLE.width as f32) as usize;
            let reach = 3.0 / across;
            for x in column(car.x - reach)..column(car.x + reach) {
                let off = (left + step * x as f32 - car.x) * across;
                let q = 1.0 / (1.0 + off * off);
                let at = y * VISIBLE.width + x;
                let light = (strength * q * q * f32::from(albedo[at]) * 0.8) as u8;
                let pixel = &mut data[at * 3..at * 3 + 3];
                pixel[0] = pixel[0].saturating_add(light);
                pixel[1] = pixel[1].saturating_add(light - light / 24);
                pixel[2] = pixel[2].saturating_add(light - light / 6);
            }
        }
    }

    /// Dazzles: two discs of light with a streak through them.
    pub fn dazzle(&self, data: &mut [u8], car: &Vehicle) {
        let (radius, tint) = if car.oncoming {
            (glare_radius(car.z), [255, 248, 226])
        } else {
            (9.0 + 110.0 / car.z, [235, 30, 18])
        };
        for side in [-0.65, 0.65] {
            let at = project(car.x + side, 0.68, car.z);
            self.disc(data, at, radius, tint);
            if car.oncoming {
                self.streak(data, at, radius * 1.7, tint);
            }
        }
    }

    fn disc(&self, data: &mut [u8], at: Point, radius: f32, tint: [u32; 3]) {
        let scale = (1024.0 * 1024.0 / (radius * radius)) as i64;
        let cut = |v: f32, end: usize| v.clamp(0.0, end as f32) as usize;
        let (cx, cy) = (at.0 as i64, at.1 as i64);
        for y in cut(at.1 - radius, VISIBLE.height)..cut(at.1 + radius, VISIBLE.height) {
            let left = cut(at.0 - radius, VISIBLE.width);
            let right = cut(at.0 + radius, VISIBLE.width);
            let row = &mut data[(y * VISIBLE.width + left) * 3..][..(right - left) * 3];
            let dy = (y as i64 - cy).pow(2);
            for (x, pixel) in (left..right).zip(row.as_chunks_mut::<3>().0) {
                let q = (((x as i64 - cx).pow(2) + dy) * scale) >> 10;
                let Some(&light) = self.glare.get(q as usize) else {
                    continue;
                };
                add(pixel, u32::from(light), tint);
            }
        }
    }

    fn streak(&self, data: &mut [u8], at: Point, length: f32, tint: [u32; 3]) {
        for (dy, weight) in [(-2, 40), (-1, 120), (0, 190), (1, 120), (2, 40)] {
            let y = at.1 as i64 + dy;
            if !(0..VISIBLE.height as i64).contains(&y) {
                continue;
            }
            let left = (at.0 - length).clamp(0.0, VISIBLE.width as f32) as usize;
            let right = (at.0 + length).clamp(0.0, VISIBLE.width as f32) as usize;
            for x in left..right {
                let near = 1.0 - ((x as f32 - at.0) / length).abs();
                let light = (near.max(0.0) * near * weight as f32) as u32;
                let start = (y as usize * VISIBLE.width + x) * 3;
                if let Some(pixel) = data[start..].first_chunk_mut::<3>() {
                    add(pixel, light, tint);
                }
            }
        }
    }
}

fn add(pixel: &mut [u8; 3], light: u32, tint: [u32; 3]) {
    for (out, tint) in pixel.iter_mut().zip(tint) {
        *out = out.saturating_add(((light * tint) >> 8) as u8);
    }
}

/// Noise 0..=255 that joins on all sides.
fn tile(seed: u64) -> Box<[u8]> {
    let value = |cells: usize, x: usize, y: usize| {
        let size = TILE / cells;
        let corner = |dx: usize, dy: usize| {
            let (cx, cy) = ((x / size + dx) % cells, (y / size + dy) % cells);
            (hash(seed + cells as u64, (cy * cells + cx) as u64) >> 40) as f32 / (1 << 24) as f32
        };
        let (tx, ty) = (
            smooth((x % size) as f32 / size as f32),
            smooth((y % size) as f32 / size as f32),
        );
        let row = |dy| corner(0, dy) + (corner(1, dy) - corner(0, dy)) * tx;
        row(0) + (row(1) - row(0)) * ty
    };
    let mut out = Vec::with_capacity(TILE * TILE);
    for y in 0..TILE {
        for x in 0..TILE {
            let octaves = [(4, 0.45), (8, 0.28), (16, 0.16), (32, 0.11)];
            let sum: f32 = octaves
                .iter()
                .map(|(cells, w)| w * value(*cells, x, y))
                .sum();
            out.push((smooth_step(0.15, 0.85, sum) * 255.0) as u8);
        }
    }
    out.into_boxed_slice()
}

/// A plume that leaves the fire, lies down in the wind and widens.
fn mask() -> Box<[u8]> {
    let ([left, right], [top, bottom]) = PLUME;
    let source = project(FIRE.0, 1.15, FIRE.1);
    let mut out = Vec::with_capacity((right - left) * (bottom - top));
    for y in top..bottom {
        for x in left..right {
            let along = x as f32 - source.0 + 10.0;
            let middle = source.1 - 18.0 * smooth_step(0.0, 60.0, along) + 0.015 * along;
            let wide = 12.0 + 0.21 * along.max(0.0);
            let off = (y as f32 - middle) / wide;
            let body = 1.0 - smooth_step(0.0, 1.45, off.abs());
            let start = smooth_step(0.0, 26.0, along);
            let end = 1.0 - smooth_step(170.0, 440.0, along);
            out.push((255.0 * body * start * end) as u8);
        }
    }
    out.into_boxed_slice()
}
