//! What does not move: sky, buildings, trees, grass, road, lamp post; drawn once for both cameras.
//!
//! Input: a seed. Output: [`Backdrop`]. Thread: the one that makes the source. Blocks: no, but takes a
//! moment. Allocates: the pictures. Not its job: what moves.

use super::cast::{FIRE, LAMP, LAMP_HEAD};
use super::random::{fractal, hash, mix_f, smooth_step, value_noise};
use super::raster::{Canvas, Capsule, Paint, draw_capsule};
use super::scene::{ROAD, celsius, distance, static_light};
use super::world::{CENTRE, HORIZON, INFRARED, VISIBLE, back, ground, parallax, project};

/// What a visible pixel shows where nothing moves.
#[derive(Debug, Clone, Copy)]
struct Surface {
    /// As lit by moon and lamp, 0..=255.
    rgb: [f32; 3],
    /// Part of the light that the ground gives back; 0 for everything upright.
    albedo: f32,
    /// Degrees Celsius.
    warmth: f32,
    /// Metres away.
    depth: f32,
}

/// The pictures without anything that moves.
#[derive(Debug)]
pub struct Backdrop {
    /// RGB.
    pub visible: Box<[u8]>,
    /// What the ground gives back of the headlights' light, 0..=255.
    pub albedo: Box<[u8]>,
    /// Counts.
    pub infrared: Box<[u16]>,
}

impl Backdrop {
    /// The backdrop of `seed`, its ground warmed by the fire or not.
    pub fn new(seed: u64, fire: bool) -> Self {
        let mut visible = Vec::with_capacity(VISIBLE.area() * 3);
        let mut albedo = Vec::with_capacity(VISIBLE.area());
        for y in 0..VISIBLE.height {
            for x in 0..VISIBLE.width {
                let surface = surface((seed, fire), x as f32, y as f32);
                visible.extend(surface.rgb.map(|v| v.clamp(0.0, 255.0) as u8));
                albedo.push((surface.albedo * 255.0) as u8);
            }
        }
        let mut infrared = Vec::with_capacity(INFRARED.area());
        for v in 0..INFRARED.height {
            infrared.extend((0..INFRARED.width).map(|u| warmth((seed, fire), u as f32, v as f32)));
        }
        draw_lamp(&mut Canvas::Visible(&mut visible));
        draw_lamp(&mut Canvas::Infrared(&mut infrared));
        Self {
            visible: visible.into_boxed_slice(),
            albedo: albedo.into_boxed_slice(),
            infrared: infrared.into_boxed_slice(),
        }
    }
}

/// The counts of an infrared pixel: the mean of nine points in it.
fn warmth(place: (u64, bool), u: f32, v: f32) -> u16 {
    let mut sum = 0.0;
    for i in 0..9 {
        let (du, dv) = (
            (i % 3) as f32 / 3.0 - 1.0 / 3.0,
            (i / 3) as f32 / 3.0 - 1.0 / 3.0,
        );
        // Parallax depends on the distance of what is seen there: a few steps find it.
        let mut shift = 0.0;
        let mut found = surface(place, 0.0, 0.0);
        for _ in 0..3 {
            let p = back((u + du - shift, v + dv));
            found = surface(place, p.0, p.1);
            shift = parallax(found.depth);
        }
        sum += found.warmth;
    }
    celsius((sum / 9.0 * 100.0) as i32)
}

fn surface((seed, fire): (u64, bool), x: f32, y: f32) -> Surface {
    if let Some(found) = building(seed, x, y) {
        return found;
    }
    if let Some(found) = tree(seed, x, y) {
        return found;
    }
    let line = HORIZON - 10.0 - 20.0 * fractal(seed + 40, x / 46.0, 0.5, 5);
    if y > HORIZON + 1.0
        && let Some((gx, gz)) = ground(x, y)
    {
        return earth((seed, fire), x, gx, gz);
    }
    if y > line {
        // The wood at the horizon.
        let leaf = fractal(seed + 41, x / 7.0, y / 5.0, 3);
        let tone = 0.6 + 0.8 * leaf;
        return Surface {
            rgb: [11.0 * tone, 14.0 * tone, 14.0 * tone],
            albedo: 0.0,
            warmth: 6.6 + 1.6 * leaf,
            depth: 150.0,
        };
    }
    sky(seed, x, y)
}

fn sky(seed: u64, x: f32, y: f32) -> Surface {
    let down = (y / HORIZON).clamp(0.0, 1.0);
    let cloud = fractal(seed + 1, x / 150.0, y / 42.0, 5);
    let cloud = smooth_step(0.45, 0.8, cloud);
    // Town light beyond the horizon, to the right.
    let town = smooth_step(0.35, 1.0, down) * (1.0 - ((x - 470.0) / 420.0).abs()).max(0.0);
    let mut rgb = [
        7.0 + 15.0 * down + 30.0 * town + cloud * (7.0 + 13.0 * town),
        9.0 + 17.0 * down + 19.0 * town + cloud * (7.0 + 9.0 * town),
        20.0 + 19.0 * down + 9.0 * town + cloud * (9.0 + 4.0 * town),
    ];
    let dice = hash(seed + 2, (y as u64) << 32 | x as u64);
    if dice.is_multiple_of(900) && cloud < 0.2 && y < 150.0 {
        let star = 30.0 + (dice >> 40 & 127) as f32;
        rgb = rgb.map(|v| v + star);
    }
    Surface {
        rgb,
        albedo: 0.0,
        warmth: -24.0 + 17.0 * down * down + 9.0 * cloud,
        depth: 10_000.0,
    }
}

/// Left, right, top and bottom of the two houses, and their roofs' height, pixels.
const HOUSES: [(f32, f32, f32, f32, f32); 2] = [
    (18.0, 158.0, 120.0, 213.0, 34.0),
    (520.0, 618.0, 138.0, 207.0, 24.0),
];

fn building(seed: u64, x: f32, y: f32) -> Option<Surface> {
    let (i, &(left, right, top, _, roof)) = HOUSES
        .iter()
        .enumerate()
        .find(|(_, h)| x >= h.0 - 6.0 && x < h.1 + 6.0 && y >= h.2 - h.4 && y < h.3)?;
    let seed = seed + 60 + i as u64;
    let plain = |tone: [f32; 3], warmth| {
        Some(Surface {
            rgb: tone,
            albedo: 0.0,
            warmth,
            depth: 55.0,
        })
    };
    if y < top {
        // A hipped roof: cold, for it sees the clear sky.
        let up = (top - y) / roof;
        let inset = 30.0 * up - 6.0;
        let tile = 0.85 + 0.3 * value_noise(seed, x / 3.0, y / 2.0);
        let inside = x > left + inset && x < right - inset;
        let chimney = x > left + 40.0 && x < left + 49.0;
        return match (inside, chimney) {
            (true, _) => plain([24.0 * tile, 19.0 * tile, 19.0 * tile], -1.5 + 1.5 * tile),
            (_, true) => plain([20.0, 17.0, 17.0], 17.0),
            _ => None,
        };
    }
    if x < left || x >= right {
        return None;
    }
    let (wx, wy) = ((x - left) % 34.0, (y - top) % 44.0);
    let (column, storey) = ((x - left) as u64 / 34, (y - top) as u64 / 44);
    if (10.0..24.0).contains(&wx) && (12.0..32.0).contains(&wy) {
        let frame = !(11.0..23.0).contains(&wx) || wy < 13.0 || (16.5..17.5).contains(&wx);
        let lit = hash(seed, column * 16 + storey) % 5 < 2;
        let curtain = 0.7 + 0.5 * value_noise(seed, x / 3.0, y / 14.0);
        return match (lit, frame) {
            (true, false) => plain([196.0 * curtain, 148.0 * curtain, 78.0 * curtain], 14.5),
            (_, true) => plain([44.0, 41.0, 40.0], 10.0),
            (false, false) => plain([13.0, 15.0, 21.0], 11.0 + curtain),
        };
    }
    let brick = 0.85 + 0.3 * fractal(seed, x / 5.0, y / 3.0, 3);
    let warmth = 8.0 + 1.5 * brick + if wy > 36.0 { 1.2 } else { 0.0 };
    plain([35.0 * brick, 31.0 * brick, 31.0 * brick], warmth)
}

/// Middle of the crown, its radii, the trunk's foot and the distance.
const TREES: [(f32, f32, f32, f32, f32, f32); 4] = [
    (214.0, 118.0, 46.0, 52.0, 216.0, 46.0),
    (482.0, 132.0, 32.0, 44.0, 211.0, 58.0),
    (636.0, 96.0, 52.0, 74.0, 222.0, 38.0),
    (8.0, 128.0, 34.0, 52.0, 221.0, 40.0),
];

fn tree(seed: u64, x: f32, y: f32) -> Option<Surface> {
    TREES.iter().find_map(|&(cx, cy, rx, ry, foot, depth)| {
        if (x - cx).abs() > rx * 1.5 || y > foot || y < cy - ry * 1.5 {
            return None;
        }
        let (dx, dy) = ((x - cx) / rx, (y - cy) / ry);
        let leaf = fractal(seed + 80, x / 13.0, y / 13.0, 4);
        let crown = dx * dx + dy * dy + 1.1 * (leaf - 0.5) < 0.86;
        let trunk = (x - cx).abs() < 2.5 + (y - cy).max(0.0) / 40.0 && y > cy;
        let tone = 0.55 + 0.9 * leaf - 0.25 * dy;
        let (rgb, warmth) = match (crown, trunk) {
            (true, _) => ([13.0 * tone, 18.0 * tone, 14.0 * tone], 7.2 + 1.8 * leaf),
            (_, true) => ([13.0, 12.0, 11.0], 9.2),
            _ => return None,
        };
        Some(Surface {
            rgb,
            albedo: 0.0,
            warmth,
            depth,
        })
    })
}

fn earth((seed, fire): (u64, bool), px: f32, x: f32, z: f32) -> Surface {
    // Texture finer than a pixel would only flicker: it fades with distance.
    let sharp = (14.0 / z).min(1.0);
    let fine = (fractal(seed + 20, x * 9.0, z * 5.0, 3) - 0.5) * sharp;
    let broad = fractal(seed + 21, x * 0.5, z * 0.35, 3) - 0.5;
    let verge = x - ROAD.0 + 0.12 * (value_noise(seed + 22, 0.0, z * 2.0) - 0.5);
    let on_road = verge > 0.0 && x < ROAD.1;
    let (colour, albedo, mut warmth) = if on_road {
        road(seed, x, z, fine)
    } else {
        let tone = 0.30 + 0.34 * fine + 0.16 * broad;
        let colour = [0.80 * tone, tone, 0.55 * tone];
        (colour, tone, 5.4 + 2.4 * fine + 2.2 * broad)
    };
    if fire {
        warmth += 16.0 / (1.0 + distance((x, z), FIRE) * distance((x, z), FIRE));
    }
    let light = static_light(x, z);
    let haze = (z / 160.0).min(0.8);
    let air = [21.0, 23.0, 29.0];
    let rgb = std::array::from_fn(|i| mix_f(255.0 * colour[i] * light[i], air[i], haze));
    // The picture's corners get less light through the lens.
    let edge = (px - CENTRE) / CENTRE;
    let lens = 1.0 - 0.12 * edge * edge;
    Surface {
        rgb: rgb.map(|v: f32| v * lens),
        albedo: (albedo * 1.5 * (1.0 - haze)).clamp(0.0, 1.0),
        warmth: mix_f(warmth, 6.0, haze * 0.5),
        depth: z,
    }
}

/// Asphalt with its lines: colour, albedo, degrees Celsius.
fn road(seed: u64, x: f32, z: f32, fine: f32) -> ([f32; 3], f32, f32) {
    let middle = (ROAD.0 + ROAD.1) / 2.0;
    let dashed = (x - middle).abs() < 0.08 && z % 6.0 < 3.4;
    let edge = (x - ROAD.0 - 0.3).abs() < 0.07 || (x - ROAD.1 + 0.3).abs() < 0.07;
    let patch = fractal(seed + 23, x * 0.8, z * 0.25, 3) - 0.5;
    // Warm tracks where the wheels run.
    let lane = (x - ROAD.0) % (middle - ROAD.0) - 1.75;
    let track = (1.0 - (lane.abs() - 0.75).abs() / 0.35).max(0.0);
    let warmth = 8.9 + 1.2 * fine + 0.8 * patch + 0.9 * track;
    if dashed || edge {
        let worn = 0.74 + 0.5 * fine;
        return ([worn, worn, worn * 0.94], worn, warmth - 0.8);
    }
    let tone = 0.25 + 0.22 * fine + 0.08 * patch - 0.02 * track;
    ([tone, tone * 1.01, tone * 1.06], tone, warmth)
}

/// Post, arm and head of the street lamp, with the glow round the head.
fn draw_lamp(canvas: &mut Canvas) {
    let (x, z) = LAMP;
    let (height, reach) = LAMP_HEAD;
    let post = Paint {
        rgb: [46, 44, 42],
        heat: celsius(760),
    };
    let head = project(x + reach, height, z);
    let stroke = |from, to, a, b| Capsule {
        from,
        to,
        radius: (a, b),
    };
    let (foot, top) = (project(x, 0.0, z), project(x, height + 0.1, z));
    draw_capsule(canvas, &stroke(foot, top, 2.4, 1.5), z, &post);
    draw_capsule(canvas, &stroke(top, head, 1.5, 1.5), z, &post);
    if let Canvas::Visible(data) = canvas {
        glow(data, head, 78.0, [150.0, 122.0, 74.0]);
    }
    let lit = Paint {
        rgb: [255, 240, 196],
        heat: celsius(3_800),
    };
    let (a, b) = ((head.0 - 7.0, head.1), (head.0 + 7.0, head.1 + 1.0));
    draw_capsule(canvas, &stroke(a, b, 3.0, 3.0), z, &lit);
}

/// Adds light round `centre`.
fn glow(data: &mut [u8], centre: (f32, f32), radius: f32, colour: [f32; 3]) {
    for y in 0..VISIBLE.height {
        for x in 0..VISIBLE.width {
            let away = distance((x as f32, y as f32), centre) / radius;
            let strength = (1.0 - away).max(0.0);
            let strength = strength * strength * strength;
            let at = (y * VISIBLE.width + x) * 3;
            for (out, add) in data[at..at + 3].iter_mut().zip(colour) {
                *out = (f32::from(*out) + add * strength).min(255.0) as u8;
            }
        }
    }
}
