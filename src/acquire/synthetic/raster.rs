//! Draws soft-edged shapes into a visible or a thermal picture.
//!
//! Input: shapes in visible pixels with their distance. Output: blended pixels. Thread: acquire. Blocks and
//! allocates: never. What lies outside is cut. Not its job: what the shapes mean.

use super::world::{Point, SceneCamera};
use crate::frame::Size;

/// What a surface looks like to both cameras.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paint {
    /// Colour as lit now.
    pub rgb: [u8; 3],
    /// Temperature, hundredths of a kelvin.
    pub heat: u16,
}

/// A picture being drawn.
pub enum Canvas<'a> {
    /// RGB.
    Visible(&'a mut [u8]),
    /// Counts.
    Infrared(&'a mut [u16]),
}

impl Canvas<'_> {
    /// Which camera it belongs to.
    pub const fn view(&self) -> SceneCamera {
        match self {
            Self::Visible(_) => SceneCamera::Visible,
            Self::Infrared(_) => SceneCamera::Infrared,
        }
    }

    fn blend(&mut self, at: usize, paint: &Paint, cover: u32) {
        match self {
            Self::Visible(data) => {
                for (out, ink) in data[at * 3..at * 3 + 3].iter_mut().zip(paint.rgb) {
                    *out = mix(u32::from(*out), u32::from(ink), cover) as u8;
                }
            }
            Self::Infrared(data) => {
                let out = &mut data[at];
                *out = mix(u32::from(*out), u32::from(paint.heat), cover) as u16;
            }
        }
    }
}

const fn mix(a: u32, b: u32, cover: u32) -> u32 {
    (a * (256 - cover) + b * cover) >> 8
}

/// A tapered stroke with round ends; one point alone is a disc.
#[derive(Debug, Clone, Copy)]
pub struct Capsule {
    /// One end, visible pixels.
    pub from: Point,
    /// The other end.
    pub to: Point,
    /// Radius at each end.
    pub radius: (f32, f32),
}

/// Pixels `low..high` of a line of `length`.
fn span(low: f32, high: f32, length: usize) -> std::ops::Range<usize> {
    let low = low.floor().max(0.0) as usize;
    let high = (high.ceil() + 1.0).clamp(0.0, length as f32) as usize;
    low..high.max(low)
}

/// Draws `capsule`, `z` metres away.
pub fn draw_capsule(canvas: &mut Canvas, capsule: &Capsule, z: f32, paint: &Paint) {
    let view = canvas.view();
    let (a, b) = (view.point(capsule.from, z), view.point(capsule.to, z));
    let (ra, rb) = (
        capsule.radius.0 * view.scale(),
        capsule.radius.1 * view.scale(),
    );
    let Size { width, height } = view.size();
    let reach = ra.max(rb) + 0.5;
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = (dx * dx + dy * dy).max(1e-6);
    for y in span(a.1.min(b.1) - reach, a.1.max(b.1) + reach, height) {
        for x in span(a.0.min(b.0) - reach, a.0.max(b.0) + reach, width) {
            let (px, py) = (x as f32 - a.0, y as f32 - a.1);
            let t = ((px * dx + py * dy) / length).clamp(0.0, 1.0);
            let (ex, ey) = (px - t * dx, py - t * dy);
            let inside = ra + t * (rb - ra) - (ex * ex + ey * ey).sqrt();
            let cover = ((inside + 0.5) * 256.0).clamp(0.0, 256.0) as u32;
            if cover > 0 {
                canvas.blend(y * width + x, paint, cover);
            }
        }
    }
}

/// Draws the convex polygon of four corners, in either order, each with its own distance.
pub fn draw_quad(canvas: &mut Canvas, corners: [(Point, f32); 4], paint: &Paint) {
    let view = canvas.view();
    let p = corners.map(|(corner, z)| view.point(corner, z));
    let area: f32 = (0..4)
        .map(|i| {
            let (a, b) = (p[i], p[(i + 1) % 4]);
            a.0 * b.1 - b.0 * a.1
        })
        .sum();
    let turn = if area < 0.0 { -1.0 } else { 1.0 };
    // Each edge as a line with unit normal; the least distance to any of them is the depth inside.
    let edges: [(f32, f32, f32); 4] = std::array::from_fn(|i| {
        let (a, b) = (p[i], p[(i + 1) % 4]);
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = (dx * dx + dy * dy).sqrt().max(1e-6) * turn;
        let (nx, ny) = (-dy / length, dx / length);
        (nx, ny, -(nx * a.0 + ny * a.1))
    });
    let Size { width, height } = view.size();
    let fold =
        |f: fn(f32, f32) -> f32, at: fn(&Point) -> f32| p[1..].iter().map(at).fold(at(&p[0]), f);
    let rows = span(
        fold(f32::min, |p| p.1) - 0.5,
        fold(f32::max, |p| p.1) + 0.5,
        height,
    );
    for y in rows {
        for x in span(
            fold(f32::min, |p| p.0) - 0.5,
            fold(f32::max, |p| p.0) + 0.5,
            width,
        ) {
            let depth = edges
                .iter()
                .map(|(nx, ny, c)| nx * x as f32 + ny * y as f32 + c)
                .fold(f32::MAX, f32::min);
            let cover = ((depth + 0.5) * 256.0).clamp(0.0, 256.0) as u32;
            if cover > 0 {
                canvas.blend(y * width + x, paint, cover);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::VISIBLE;
    use super::*;

    const WHITE: Paint = Paint {
        rgb: [255; 3],
        heat: 30_000,
    };

    fn area(draw: impl Fn(&mut Canvas)) -> f32 {
        let mut data = vec![0; VISIBLE.area() * 3];
        draw(&mut Canvas::Visible(&mut data));
        data.iter().map(|&v| f32::from(v)).sum::<f32>() / 255.0 / 3.0
    }

    #[test]
    fn shapes_cover_their_area() {
        let capsule = Capsule {
            from: (100.2, 50.0),
            to: (100.2, 90.0),
            radius: (8.0, 8.0),
        };
        let exact = 40.0 * 16.0 + std::f32::consts::PI * 64.0;
        let found = area(|c| draw_capsule(c, &capsule, 15.0, &WHITE));
        assert!((found / exact - 1.0).abs() < 0.02, "{found} {exact}");
        for turn in [[0, 1, 2, 3], [3, 2, 1, 0]] {
            let corners = [(10.0, 10.0), (60.0, 12.0), (58.0, 40.0), (11.0, 35.0)];
            let quad = turn.map(|i: usize| (corners[i], 15.0));
            let found = area(|c| draw_quad(c, quad, &WHITE));
            assert!((found / 1300.0 - 1.0).abs() < 0.03, "{found}");
        }
    }

    #[test]
    fn shapes_outside_and_without_extent_are_cut() {
        let far = Capsule {
            from: (-900.0, -900.0),
            to: (9e9, f32::NAN),
            radius: (5.0, 1e9),
        };
        let nothing = [((5000.0, 5000.0), 3.0); 4];
        area(|c| draw_quad(c, nothing, &WHITE));
        let outside = Capsule {
            to: (-800.0, -900.0),
            radius: (5.0, 5.0),
            ..far
        };
        assert!(area(|c| draw_capsule(c, &outside, 3.0, &WHITE)) == 0.0);
        let mut counts = vec![0; SceneCamera::Infrared.size().area()];
        draw_capsule(&mut Canvas::Infrared(&mut counts), &outside, 3.0, &WHITE);
        draw_capsule(&mut Canvas::Infrared(&mut counts), &far, 3.0, &WHITE);
    }
}
