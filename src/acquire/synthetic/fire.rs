//! The open fire: a loop of flames burnt once at start, and the light it throws on the ground.
//!
//! Input: a seed, a moment. Output: pixels. Thread: acquire. Blocks: never. Allocates: when made. Not its
//! job: smoke.

use super::cast::{FIRE, FIRE_SIZE};
use super::random::{Random, falloff, mix_f};
use super::raster::Canvas;
use super::scene::{Moment, celsius, distance, ground_row, pixels_per_metre};
use super::world::{SceneCamera, ground, project};

const WIDTH: usize = 44;
const HEIGHT: usize = 64;
const FRAMES: usize = 120;
/// Frames over which the end of the loop turns into its start.
const SEAM: usize = 24;
/// Steps of the flames before the loop begins.
const WARM_UP: usize = 100;

/// The ground lit by the fire: columns and rows of the visible picture.
const GLOW: ([usize; 2], [usize; 2]) = ([0, 470], [206, 420]);

/// Flames and their light.
#[derive(Debug)]
pub struct Fire {
    /// Heat 0..=255, `FRAMES` pictures of `WIDTH` x `HEIGHT`.
    flames: Box<[u8]>,
    /// Light on the ground of [`GLOW`], 0..=255.
    glow: Box<[u8]>,
}

impl Fire {
    /// Burns the loop.
    pub fn new(seed: u64, albedo: &[u8]) -> Self {
        Self {
            flames: burn(seed),
            glow: shine(albedo),
        }
    }

    /// Adds the fire's light to the ground.
    pub fn light(&self, data: &mut [u8], moment: &Moment) {
        let strength = (moment.flicker * 256.0) as u32;
        let ([left, right], [top, bottom]) = GLOW;
        let width = SceneCamera::Visible.size().width;
        for (y, row) in (top..bottom).zip(self.glow.chunks_exact(right - left)) {
            let start = (y * width + left) * 3;
            let pixels = data[start..].as_chunks_mut::<3>().0;
            for (pixel, &glow) in pixels.iter_mut().zip(row) {
                let light = (u32::from(glow) * strength) >> 8;
                pixel[0] = pixel[0].saturating_add(light.min(255) as u8);
                pixel[1] = pixel[1].saturating_add(((light * 115) >> 8).min(255) as u8);
                pixel[2] = pixel[2].saturating_add(((light * 36) >> 8).min(255) as u8);
            }
        }
    }

    /// Draws the flames.
    pub fn draw(&self, canvas: &mut Canvas, moment: &Moment) {
        let view = canvas.view();
        let scale = pixels_per_metre(FIRE.1) * view.scale();
        let foot = view.point(project(FIRE.0, 0.0, FIRE.1), FIRE.1);
        let (width, height) = (FIRE_SIZE.0 * scale, FIRE_SIZE.1 * scale);
        let (left, top) = (foot.0 - width / 2.0, foot.1 - height);
        // The loop is made of 30 steps a second.
        let frame = (moment.time * 30.0) as usize % FRAMES;
        let flames = &self.flames[frame * WIDTH * HEIGHT..][..WIDTH * HEIGHT];
        let step = (WIDTH as f32 / width, HEIGHT as f32 / height);
        let columns = view.size().width;
        for y in top.max(0.0) as usize..(foot.1 as usize + 1).min(view.size().height) {
            for x in left.max(0.0) as usize..((left + width) as usize + 1).min(columns) {
                let at = ((x as f32 - left) * step.0, (y as f32 - top) * step.1);
                let heat = sample(flames, at, step);
                if heat > 6 {
                    paint(canvas, y * columns + x, heat);
                }
            }
        }
    }
}

/// Heat at a place between the cells, or the mean of a pixel's cells where it covers several.
fn sample(flames: &[u8], at: (f32, f32), step: (f32, f32)) -> u32 {
    let cells = (step.0.max(step.1) * 2.0).ceil().max(1.0) as usize;
    let mut sum = 0.0;
    for i in 0..cells * cells {
        let part = |i: usize| (i as f32 + 0.5) / cells as f32 - 0.5;
        let x = (at.0 + part(i % cells) * step.0).max(0.0);
        let y = (at.1 + part(i / cells) * step.1).max(0.0);
        let (ix, iy) = (x as usize, y as usize);
        let heat =
            |x: usize, y: usize| f32::from(flames[y.min(HEIGHT - 1) * WIDTH + x.min(WIDTH - 1)]);
        let row = |y| mix_f(heat(ix, y), heat(ix + 1, y), x - ix as f32);
        sum += mix_f(row(iy), row(iy + 1), y - iy as f32);
    }
    (sum / (cells * cells) as f32) as u32
}

fn paint(canvas: &mut Canvas, at: usize, heat: u32) {
    match canvas {
        Canvas::Visible(data) => {
            // Black body colours, added: red, then yellow, then white.
            let add = [
                (heat * 3).min(255),
                (heat * 2).saturating_sub(110).min(235),
                (heat * 2).saturating_sub(330).min(170),
            ];
            for (out, add) in data[at * 3..at * 3 + 3].iter_mut().zip(add) {
                *out = out.saturating_add(add as u8);
            }
        }
        Canvas::Infrared(data) => {
            let flame = u32::from(celsius(2_000)) + heat * 36_000 / 255;
            let cover = (heat * 3).min(256);
            let mixed = u32::from(data[at]) * (256 - cover) + flame.min(65_000) * cover;
            data[at] = (mixed >> 8) as u16;
        }
    }
}

/// Heat rises from a glowing bottom row, drifts to the sides and cools; more so at the edges.
fn burn(seed: u64) -> Box<[u8]> {
    let mut random = Random::new(seed ^ 0xf17e);
    let mut cells = vec![0i32; WIDTH * HEIGHT];
    let mut frames = vec![0u8; (FRAMES + SEAM) * WIDTH * HEIGHT];
    for step in 0..WARM_UP + FRAMES + SEAM {
        for x in 0..WIDTH {
            let edge = (x as i32 * 2 - WIDTH as i32 + 1).abs();
            let ember = 255 - (edge - 22).max(0) * 14 - (random.bits() & 63) as i32;
            cells[(HEIGHT - 1) * WIDTH + x] = ember.max(0);
        }
        for y in 0..HEIGHT - 1 {
            for x in 0..WIDTH {
                let bits = random.bits();
                let from = (x as i32 + (bits % 3) as i32 - 1).clamp(0, WIDTH as i32 - 1) as usize;
                let edge = (x as i32 * 2 - WIDTH as i32 + 1).abs();
                let cool = (bits >> 8 & 7) as i32 + edge / 6;
                let below = cells[(y + 1) * WIDTH + from];
                cells[y * WIDTH + x] = (below - cool).max(0);
            }
        }
        if step >= WARM_UP {
            let frame = &mut frames[(step - WARM_UP) * WIDTH * HEIGHT..][..WIDTH * HEIGHT];
            soften(&cells, frame);
            let once: Vec<i32> = frame.iter().map(|&v| i32::from(v)).collect();
            soften(&once, frame);
        }
    }
    let (kept, rest) = frames.split_at_mut(FRAMES * WIDTH * HEIGHT);
    for (i, (old, new)) in rest.iter().zip(kept.iter_mut()).enumerate() {
        let share = i / (WIDTH * HEIGHT);
        let sum = usize::from(*new) * share + usize::from(*old) * (SEAM - share);
        *new = (sum / SEAM) as u8;
    }
    frames.truncate(FRAMES * WIDTH * HEIGHT);
    frames.into_boxed_slice()
}

fn soften(cells: &[i32], out: &mut [u8]) {
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let at = |dx: usize, dy: usize| {
                let x = (x + dx).saturating_sub(1).min(WIDTH - 1);
                cells[(y + dy).saturating_sub(1).min(HEIGHT - 1) * WIDTH + x]
            };
            let cross = at(0, 1) + at(2, 1) + at(1, 0) + at(1, 2);
            out[y * WIDTH + x] = ((at(1, 1) * 4 + cross) / 8).clamp(0, 255) as u8;
        }
    }
}

fn shine(albedo: &[u8]) -> Box<[u8]> {
    let ([left, right], [top, bottom]) = GLOW;
    let width = SceneCamera::Visible.size().width;
    let mut glow = Vec::with_capacity((right - left) * (bottom - top));
    for y in top..bottom {
        for x in left..right {
            let here = ground(x as f32, y as f32).unwrap_or((0.0, 1e6));
            let light = falloff(distance(here, FIRE) / 2.6) * 420.0;
            // Fades out at the border of the patch.
            let border = [
                x - left + 99 * usize::from(left == 0),
                right - 1 - x,
                y - top,
                bottom - 1 - y,
            ];
            let fade = border.into_iter().min().unwrap_or(0).min(24) as f32 / 24.0;
            let share = f32::from(albedo[y * width + x]) / 255.0;
            glow.push((light * share * fade).min(255.0) as u8);
        }
    }
    debug_assert!(top as f32 > ground_row(120.0));
    glow.into_boxed_slice()
}
