//! People and the car, drawn from strokes and quads into either picture.
//!
//! Input: [`Person`], [`Vehicle`]. Output: pixels. Thread: acquire. Blocks and allocates: never. Not its
//! job: where they are.

use super::cast::{CAR, Person, Vehicle};
use super::random::sine;
use super::raster::{Canvas, Capsule, Paint, draw_capsule, draw_quad};
use super::scene::{Moment, celsius, pixels_per_metre};
use super::world::{Point, project};

fn lit(colour: [u8; 3], light: [f32; 3]) -> [u8; 3] {
    std::array::from_fn(|i| (f32::from(colour[i]) * light[i] * 1.6).clamp(0.0, 255.0) as u8)
}

/// Places limbs: metres in front of and above the feet to visible pixels.
struct Body<'a> {
    person: &'a Person,
}

impl Body<'_> {
    fn at(&self, front: f32, up: f32) -> Point {
        let grown = self.person.height / 1.75;
        let x = self.person.x + front * self.person.heading * grown;
        project(x, up * grown, self.person.z)
    }

    fn limb(&self, from: Point, to: Point, radius: (f32, f32)) -> Capsule {
        let scale = pixels_per_metre(self.person.z) * self.person.height / 1.75;
        Capsule {
            from: self.at(from.0, from.1),
            to: self.at(to.0, to.1),
            radius: (radius.0 * scale, radius.1 * scale),
        }
    }
}

/// The end of a limb of `length` that hangs from `joint`, swung forward by `turns` of a circle.
fn hang(joint: Point, length: f32, turns: f32) -> Point {
    (
        joint.0 + length * sine(turns),
        joint.1 - length * sine(turns + 0.25),
    )
}

/// Draws a person in mid-stride.
pub fn draw_person(canvas: &mut Canvas, moment: &Moment, person: &Person) {
    let light = moment.light(person.x, person.z);
    let body = Body { person };
    let [jacket, trousers] = person.clothes;
    let paint = |colour, hundredths| Paint {
        rgb: lit(colour, light),
        heat: celsius(hundredths),
    };
    let shade = |colour: [u8; 3]| colour.map(|v| (u16::from(v) * 3 / 4) as u8);
    let skin = [196, 150, 120];
    let swing = sine(person.gait);
    let mut draw = |from, to, radius, paint: &Paint| {
        draw_capsule(canvas, &body.limb(from, to, radius), person.z, paint);
    };
    let mut leg = |forward: f32, colour| {
        let cloth = paint(colour, 1_620);
        let hip = (0.0, 0.92);
        let knee = hang(hip, 0.46, 0.075 * forward);
        // The knee bends while the leg is brought forward.
        let bend = 0.03 + 0.06 * (-sine(person.gait + 0.25) * forward.signum()).max(0.0);
        let foot = hang(knee, 0.43, 0.075 * forward - bend);
        draw(hip, knee, (0.10, 0.075), &cloth);
        draw(knee, foot, (0.072, 0.05), &paint(colour, 1_480));
        let shoe = paint([40, 36, 34], 1_150);
        draw(foot, (foot.0 + 0.13, foot.1 - 0.01), (0.05, 0.04), &shoe);
    };
    leg(-swing, shade(trousers));
    leg(swing, trousers);
    let mut arm = |forward: f32, colour| {
        let shoulder = (0.0, 1.40);
        let elbow = hang(shoulder, 0.30, 0.07 * forward);
        let hand = hang(elbow, 0.27, 0.07 * forward + 0.04);
        draw(shoulder, elbow, (0.065, 0.05), &paint(colour, 1_760));
        draw(elbow, hand, (0.05, 0.04), &paint(colour, 1_760));
        draw(hand, hand, (0.05, 0.05), &paint(skin, 2_750));
    };
    arm(swing, shade(jacket));
    arm(-swing, jacket);
    draw(
        (0.0, 0.95),
        (0.01, 1.36),
        (0.145, 0.165),
        &paint(jacket, 1_840),
    );
    draw(
        (0.01, 1.46),
        (0.02, 1.54),
        (0.06, 0.06),
        &paint(skin, 3_300),
    );
    draw(
        (0.02, 1.60),
        (0.03, 1.64),
        (0.10, 0.105),
        &paint(skin, 3_360),
    );
    draw(
        (0.0, 1.67),
        (0.01, 1.68),
        (0.095, 0.095),
        &paint([44, 36, 30], 2_250),
    );
}

/// Draws the car, seen from the left of its nearer end.
pub fn draw_vehicle(canvas: &mut Canvas, moment: &Moment, car: &Vehicle) {
    let (length, width, _) = CAR;
    let near = Near {
        light: moment.light(car.x, car.z - 1.0).map(|v| v + 0.05),
        left: car.x - width / 2.0,
        right: car.x + width / 2.0,
        near: car.z,
        far: car.z + length,
    };
    near.shadow(canvas);
    near.side(canvas, car.oncoming);
    near.end(canvas, car.oncoming);
    near.lights(canvas, car);
}

struct Near {
    light: [f32; 3],
    left: f32,
    right: f32,
    near: f32,
    far: f32,
}

impl Near {
    fn paint(&self, colour: [u8; 3], hundredths: i32) -> Paint {
        Paint {
            rgb: lit(colour, self.light),
            heat: celsius(hundredths),
        }
    }

    fn corner(&self, x: f32, height: f32, z: f32) -> (Point, f32) {
        (project(x, height, z), z)
    }

    /// A rectangle across the road, `z` metres away; `inset` draws its upper corners in.
    fn across(&self, x: (f32, f32), heights: (f32, f32), z: f32, inset: f32) -> [(Point, f32); 4] {
        [
            self.corner(x.0, heights.0, z),
            self.corner(x.0 + inset, heights.1, z),
            self.corner(x.1 - inset, heights.1, z),
            self.corner(x.1, heights.0, z),
        ]
    }

    /// A rectangle along the road on the car's left.
    fn along(&self, z: (f32, f32), heights: (f32, f32), top: (f32, f32)) -> [(Point, f32); 4] {
        [
            self.corner(self.left, heights.0, z.0),
            self.corner(self.left + 0.12, heights.1, top.0),
            self.corner(self.left + 0.12, heights.1, top.1),
            self.corner(self.left, heights.0, z.1),
        ]
    }

    fn shadow(&self, canvas: &mut Canvas) {
        let ground = [
            self.corner(self.left, 0.0, self.near),
            self.corner(self.left, 0.0, self.far),
            self.corner(self.right, 0.0, self.far),
            self.corner(self.right, 0.0, self.near),
        ];
        // Dark below the car, and warm from its engine.
        draw_quad(canvas, ground, &self.paint([12, 12, 12], 1_350));
    }

    fn side(&self, canvas: &mut Canvas, oncoming: bool) {
        let (near, far) = (self.near, self.far);
        let body = self.paint([58, 64, 78], 880);
        let flat = [
            self.corner(self.left, 0.3, near),
            self.corner(self.left, 0.92, near),
            self.corner(self.left, 0.92, far),
            self.corner(self.left, 0.3, far),
        ];
        draw_quad(canvas, flat, &body);
        let (a, b) = if oncoming { (1.2, 4.0) } else { (0.3, 3.1) };
        let roof = self.along(
            (near + a, near + b),
            (0.9, 1.45),
            (near + a + 0.6, near + b - 0.5),
        );
        draw_quad(canvas, roof, &body);
        let glass = self.paint([18, 20, 26], 560);
        let window = self.along(
            (near + a + 0.3, near + b - 0.3),
            (0.95, 1.36),
            (near + a + 0.75, near + b - 0.65),
        );
        draw_quad(canvas, window, &glass);
        for z in [near + 0.8, far - 0.8] {
            let scale = pixels_per_metre(z);
            let hub = project(self.left, 0.32, z);
            let disc = |radius: f32| Capsule {
                from: hub,
                to: hub,
                radius: (radius * scale, radius * scale),
            };
            draw_capsule(canvas, &disc(0.32), z, &self.paint([22, 22, 22], 2_700));
            draw_capsule(canvas, &disc(0.16), z, &self.paint([110, 110, 112], 3_900));
        }
    }

    fn end(&self, canvas: &mut Canvas, oncoming: bool) {
        let (x, z) = ((self.left, self.right), self.near);
        let (warm, grille) = if oncoming {
            (2_300, 4_600)
        } else {
            (980, 1_250)
        };
        for wheel in [self.left + 0.14, self.right - 0.14] {
            let tyre = self.across((wheel - 0.12, wheel + 0.12), (0.0, 0.4), z + 0.2, 0.0);
            draw_quad(canvas, tyre, &self.paint([18, 18, 18], 2_700));
        }
        let body = self.paint([66, 72, 88], warm);
        draw_quad(canvas, self.across(x, (0.28, 0.95), z, 0.05), &body);
        let roof = z + if oncoming { 1.6 } else { 0.5 };
        let cabin = (self.left + 0.08, self.right - 0.08);
        draw_quad(
            canvas,
            self.across(cabin, (0.9, 1.45), roof, 0.22),
            &self.paint([54, 60, 72], 850),
        );
        let glass = (self.left + 0.18, self.right - 0.18);
        draw_quad(
            canvas,
            self.across(glass, (0.97, 1.38), roof, 0.18),
            &self.paint([16, 18, 24], 620),
        );
        if oncoming {
            // The bonnet, between the lights and the windscreen.
            let bonnet = [
                self.corner(self.left + 0.05, 0.95, z),
                self.corner(self.left + 0.12, 1.0, roof),
                self.corner(self.right - 0.12, 1.0, roof),
                self.corner(self.right - 0.05, 0.95, z),
            ];
            draw_quad(canvas, bonnet, &self.paint([62, 68, 82], 2_900));
        }
        let middle = (self.left + 0.45, self.right - 0.45);
        draw_quad(
            canvas,
            self.across(middle, (0.42, 0.78), z, 0.0),
            &self.paint([24, 24, 26], grille),
        );
    }

    fn lights(&self, canvas: &mut Canvas, car: &Vehicle) {
        let scale = pixels_per_metre(self.near);
        for x in [self.left + 0.25, self.right - 0.25] {
            let at = project(x, 0.68, self.near);
            let radius = 0.11 * scale;
            let (rgb, heat) = if car.oncoming {
                ([255, 252, 240], 3_900)
            } else {
                ([210, 22, 14], 1_900)
            };
            let lamp = Capsule {
                from: (at.0 - radius, at.1),
                to: (at.0 + radius, at.1),
                radius: (radius.max(0.8), radius.max(0.8)),
            };
            let heat = celsius(heat);
            draw_capsule(canvas, &lamp, self.near, &Paint { rgb, heat });
        }
        if !car.oncoming {
            let at = project(self.right - 0.4, 0.27, self.near);
            let pipe = Capsule {
                from: at,
                to: at,
                radius: (0.07 * scale, 0.07 * scale),
            };
            draw_capsule(canvas, &pipe, self.near, &self.paint([30, 30, 30], 8_500));
        }
    }
}
