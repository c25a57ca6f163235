//! Who is where at a moment, and how much light falls there; the truth for tests.
//!
//! Input: a frame's number. Output: [`Moment`], [`Truth`]. Thread: any. Blocks: never. Allocates:
//! [`Moment::truth`] only. Not its job: pixels.

use super::cast::{CAR, FIRE, FIRE_SIZE, LAMP, LAMP_HEAD, PEOPLE, Person, Vehicle};
use super::crowd::people_and_car;
use super::random::{Random, falloff, hash, mix_f, sine, smooth_step};
use super::world::{EYE, FOCAL, HORIZON, Point, SceneCamera, project};

/// The road's edges, x.
pub const ROAD: (f32, f32) = (1.3, 8.5);
/// The middle of each lane: oncoming, departing.
const LANES: [f32; 2] = [3.0, 6.6];
/// Seconds from one oncoming vehicle to the next.
const TRAFFIC: f64 = 17.0;

/// Temperature in degrees Celsius as counts (hundredths of a kelvin, as a Lepton's TLinear).
pub const fn celsius(hundredths: i32) -> u16 {
    (hundredths + 27_315) as u16
}

/// The scene at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Seconds since the start, wrapped at an hour.
    pub time: f32,
    /// Number of the frame.
    pub number: u64,
    /// The people; only the first [`Moment::count`] are there.
    pub people: [Person; PEOPLE],
    /// How many people there are.
    pub count: usize,
    /// The car, while there is one.
    pub vehicle: Option<Vehicle>,
    /// Strength of the fire, about 0.6..1.1; 0: there is none.
    pub flicker: f32,
}

/// Each person's path: distance, leftmost and rightmost x, speed (m/s), height (m).
const PATHS: [(f32, f32, f32, f32, f32); 3] = [
    (15.5, -6.8, 1.2, 1.25, 1.78),
    (8.0, -3.6, 1.0, 1.05, 1.68),
    (26.0, -5.0, 1.0, 1.4, 1.82),
];
const CLOTHES: [[[u8; 3]; 2]; 3] = [
    [[96, 84, 70], [60, 60, 74]],
    [[120, 50, 44], [58, 62, 88]],
    [[76, 88, 104], [70, 64, 58]],
];

impl Moment {
    /// The scene of `seed` at frame `number`, `fps` frames a second.
    pub fn at(seed: u64, number: u64, fps: f64) -> Self {
        let time = number as f64 / fps;
        let mut random = Random::new(hash(seed, 77));
        let mut people = [walk(0, time, 0.0); PEOPLE];
        for (i, person) in people.iter_mut().take(PATHS.len()).enumerate() {
            *person = walk(i, time, random.unit());
        }
        let clock = (time + f64::from(random.unit()) * 3.0 + 5.0) % (TRAFFIC * 2.0);
        let flame = |turns: f64, shift: f64| sine(((time * turns + shift) % 1024.0) as f32);
        Self {
            time: (time % 3600.0) as f32,
            number,
            people,
            count: PATHS.len(),
            vehicle: drive(clock),
            flicker: 0.85 + 0.1 * flame(2.3, 0.1) + 0.07 * flame(5.9, 0.4) + 0.05 * flame(9.7, 0.7),
        }
    }

    /// As [`Moment::at`], with random people and cars (see `crowd.rs`), and a fire or none.
    pub fn random(seed: u64, number: u64, fps: f64, fire: bool) -> Self {
        let mut moment = Self::at(seed, number, fps);
        (moment.people, moment.count, moment.vehicle) = people_and_car(seed, number, fps);
        if !fire {
            moment.flicker = 0.0;
        }
        moment
    }

    /// The people who are there.
    pub fn people(&self) -> &[Person] {
        &self.people[..self.count]
    }

    /// Light that falls on something upright at a place; 1 is daylight's white.
    pub fn light(&self, x: f32, z: f32) -> [f32; 3] {
        let mut light = static_light(x, z);
        let fire = self.flicker * 0.8 * falloff(distance((x, z), FIRE) / 3.0);
        let head = self.headlight(x, z) * 0.35;
        for (sum, (warm, white)) in light
            .iter_mut()
            .zip([1.0, 0.48, 0.16].into_iter().zip([1.0, 0.97, 0.86]))
        {
            *sum += fire * warm + head * white;
        }
        light
    }

    /// The headlights' light on the ground at a place.
    pub fn headlight(&self, x: f32, z: f32) -> f32 {
        let Some(car) = self.vehicle else { return 0.0 };
        // An oncoming car lights what is before it, a departing one what is beyond it.
        let ahead = if car.oncoming {
            car.z - z
        } else {
            z - car.z - CAR.0
        };
        if ahead <= 0.0 {
            return 0.0;
        }
        let across = (x - car.x) / (1.0 + 0.16 * ahead);
        falloff(ahead / 16.0) * falloff(across) * smooth_step(0.0, 2.0, ahead)
    }
}

/// Moon and street lamp.
pub fn static_light(x: f32, z: f32) -> [f32; 3] {
    let lamp = 1.15 * falloff(distance((x, z), (LAMP.0 + LAMP_HEAD.1, LAMP.1)) / 6.0);
    [0.15 + lamp, 0.165 + lamp * 0.82, 0.22 + lamp * 0.5]
}

/// Distance of two places on the ground.
pub fn distance(a: (f32, f32), b: (f32, f32)) -> f32 {
    let (dx, dz) = (a.0 - b.0, a.1 - b.1);
    (dx * dx + dz * dz).sqrt()
}

fn walk(i: usize, time: f64, shift: f32) -> Person {
    let (z, left, right, speed, height) = PATHS[i];
    let length = f64::from(right - left);
    let way = time * f64::from(speed) + f64::from(shift) * 2.0 * length;
    let along = way % (2.0 * length);
    let (x, heading) = if along < length {
        (along, 1.0)
    } else {
        (2.0 * length - along, -1.0)
    };
    Person {
        x: left + x as f32,
        z,
        heading,
        // A stride of two steps is 1.4 m.
        gait: ((way / 1.4) % 1024.0) as f32,
        height,
        clothes: CLOTHES[i],
    }
}

fn drive(clock: f64) -> Option<Vehicle> {
    let (oncoming, clock) = if clock < TRAFFIC {
        (true, clock)
    } else {
        (false, clock - TRAFFIC)
    };
    let share = (clock / (TRAFFIC - 5.0)) as f32;
    (share < 1.0).then(|| {
        let (near, far) = if oncoming { (4.6, 105.0) } else { (8.0, 110.0) };
        let z = if oncoming {
            mix_f(far, near, share)
        } else {
            mix_f(near, far, share)
        };
        Vehicle {
            x: LANES[usize::from(!oncoming)],
            z,
            oncoming,
        }
    })
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TruthKind {
    /// A walking person.
    Person,
    /// A car.
    Vehicle,
    /// The open fire.
    Fire,
    /// The street lamp's head.
    Lamp,
}

/// A rectangle in pixels, cut at the picture's border; `right` and `bottom` are just outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelBox {
    /// First column.
    pub left: f32,
    /// First row.
    pub top: f32,
    /// Column behind the last one.
    pub right: f32,
    /// Row behind the last one.
    pub bottom: f32,
}

/// One object as it truly is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthObject {
    /// What it is.
    pub kind: TruthKind,
    /// Where it is in the visible picture; `None`: outside.
    pub visible_box: Option<PixelBox>,
    /// Where it is in the infrared picture; `None`: outside.
    pub infrared_box: Option<PixelBox>,
    /// Of its warmest large part, degrees Celsius.
    pub temperature: f32,
    /// Metres from the cameras.
    pub distance: f32,
    /// Bright enough, and neither behind smoke nor beside headlights that dazzle.
    pub seen_in_visible: bool,
    /// Inside the picture and warmer than what is round it.
    pub seen_in_infrared: bool,
}

/// Everything that is in the scene at a moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Truth {
    /// People first, then the car and the fire where there are, and the lamp.
    pub objects: Vec<TruthObject>,
}

/// The box of an upright rectangle: middle x, width, bottom and top height, distance.
fn boxed(view: SceneCamera, x: f32, width: f32, heights: (f32, f32), z: f32) -> Option<PixelBox> {
    let corner = |dx: f32, height: f32| -> Point { view.point(project(x + dx, height, z), z) };
    let (a, b) = (
        corner(-width / 2.0, heights.1),
        corner(width / 2.0, heights.0),
    );
    let size = view.size();
    let cut = |v: f32, length: usize| v.clamp(0.0, length as f32);
    let found = PixelBox {
        left: cut(a.0, size.width),
        top: cut(a.1, size.height),
        right: cut(b.0, size.width),
        bottom: cut(b.1, size.height),
    };
    (found.right - found.left >= 1.0 && found.bottom - found.top >= 1.0).then_some(found)
}

impl Moment {
    /// What is where; smoke is given by `smoke(x, y)`, its opacity 0..=1 at a visible pixel.
    pub fn truth(&self, smoke: impl Fn(f32, f32) -> f32) -> Truth {
        let object = |kind, x, width, heights, z, temperature| {
            let infrared_box = boxed(SceneCamera::Infrared, x, width, heights, z);
            TruthObject {
                kind,
                visible_box: boxed(SceneCamera::Visible, x, width, heights, z),
                infrared_box,
                temperature,
                distance: z,
                seen_in_visible: false,
                seen_in_infrared: infrared_box.is_some(),
            }
        };
        let mut objects = Vec::with_capacity(6);
        for person in self.people() {
            let heights = (0.0, person.height);
            let mut truth = object(TruthKind::Person, person.x, 0.7, heights, person.z, 32.0);
            truth.seen_in_visible = truth.visible_box.is_some() && self.sees(person, &smoke);
            objects.push(truth);
        }
        if let Some(car) = self.vehicle {
            let heights = (0.0, CAR.2);
            let mut truth = object(TruthKind::Vehicle, car.x, CAR.1, heights, car.z, 46.0);
            truth.seen_in_visible = truth.visible_box.is_some();
            objects.push(truth);
        }
        let mut fire = object(
            TruthKind::Fire,
            FIRE.0,
            FIRE_SIZE.0,
            (0.0, 1.3),
            FIRE.1,
            330.0,
        );
        fire.seen_in_visible = true;
        if self.flicker > 0.0 {
            objects.push(fire);
        }
        let head = (LAMP_HEAD.0 - 0.15, LAMP_HEAD.0 + 0.15);
        let x = LAMP.0 + LAMP_HEAD.1;
        let mut lamp = object(TruthKind::Lamp, x, 0.8, head, LAMP.1, 38.0);
        lamp.seen_in_visible = true;
        objects.push(lamp);
        Truth { objects }
    }

    fn sees(&self, person: &Person, smoke: &impl Fn(f32, f32) -> f32) -> bool {
        let chest = project(person.x, person.height * 0.7, person.z);
        let hidden = person.z > FIRE.1 && smoke(chest.0, chest.1) > 0.55;
        let dazzled = self.vehicle.is_some_and(|car| {
            let lights = project(car.x, 0.65, car.z);
            car.oncoming && distance(chest, lights) < glare_radius(car.z) * 0.6
        });
        let light = self.light(person.x, person.z);
        let luma = 0.3 * light[0] + 0.59 * light[1] + 0.11 * light[2];
        !hidden && !dazzled && luma > 0.21
    }
}

/// How far the headlights of a car `z` metres away dazzle, visible pixels.
pub fn glare_radius(z: f32) -> f32 {
    42.0 + 620.0 / (z + 1.0)
}

/// Visible pixels in a metre, `z` metres away.
pub fn pixels_per_metre(z: f32) -> f32 {
    FOCAL / z
}

/// The row where something `z` metres away stands on the ground.
pub fn ground_row(z: f32) -> f32 {
    HORIZON + EYE * FOCAL / z
}
