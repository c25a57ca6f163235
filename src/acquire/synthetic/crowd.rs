//! Random people and cars in the scene: what the describer's facts are tried on.
//!
//! Input: a seed, a frame's number. Output: what moves in it. Thread: any. Blocks: never. Allocates: never.
//! Not its job: pixels.
//!
//! Time is cut into episodes; each has its own people and its own car, drawn so that in its middle
//! none hides another (an outline that is two objects has no right answer). Before and after that
//! they walk and drive, and may meet.

use super::cast::{CAR, FIRE, FIRE_SIZE, LAMP, LAMP_HEAD, PEOPLE, Person, Vehicle};
use super::random::{Random, hash};
use super::world::{CENTRE, FOCAL, VISIBLE, project};

/// Seconds of an episode.
pub const EPISODE: f64 = 8.0;
/// Least gap between two outlines in the middle of an episode, visible pixels: three thermal ones.
const GAP: f32 = 13.0;
/// Tries to find room for a person before it stays away.
const TRIES: usize = 30;

/// Who is where at frame `number`; the fire's strength is the caller's.
pub fn people_and_car(
    seed: u64,
    number: u64,
    fps: f64,
) -> ([Person; PEOPLE], usize, Option<Vehicle>) {
    let time = number as f64 / fps;
    let episode = (time / EPISODE) as u64;
    let since = (time - (episode as f64 + 0.5) * EPISODE) as f32;
    let mut random = Random::new(hash(seed ^ 0xca57, episode));
    let wanted = random.bits() as usize % (PEOPLE + 1);
    let car = (random.unit() < 0.5).then(|| car(&mut random));
    let mut people = [still(); PEOPLE];
    let mut count = 0;
    for _ in 0..wanted {
        for _ in 0..TRIES {
            let person = person(&mut random);
            let alone = people[..count]
                .iter()
                .map(span)
                .chain(fixed())
                .chain(car.iter().map(car_span))
                .all(|other| apart(span(&person), other));
            if alone {
                people[count] = person;
                count += 1;
                break;
            }
        }
    }
    let speed = 0.8 + 0.8 * random.unit();
    for person in &mut people {
        let way = since * speed;
        person.x += way * person.heading;
        person.gait += way / 1.4;
    }
    let moved = car.and_then(|mut car| {
        let way = 4.0 * since;
        car.z += if car.oncoming { -way } else { way };
        (4.0..110.0).contains(&car.z).then_some(car)
    });
    (people, count, moved)
}

fn still() -> Person {
    Person {
        x: 0.0,
        z: 1_000.0,
        heading: 1.0,
        gait: 0.0,
        height: 1.7,
        clothes: [[80, 80, 80]; 2],
    }
}

fn person(random: &mut Random) -> Person {
    let z = 5.5 + 20.5 * random.unit();
    let column = VISIBLE.width as f32 * (0.05 + 0.9 * random.unit());
    let heading = if random.unit() < 0.5 { 1.0 } else { -1.0 };
    let mut shade = || [0; 3].map(|_: u8| 44 + (random.bits() % 80) as u8);
    let clothes = [shade(), shade()];
    Person {
        x: (column - CENTRE) * z / FOCAL,
        z,
        heading,
        // Away from zero, so that walking back in time stays positive.
        gait: 64.0 + random.unit(),
        height: 1.55 + 0.35 * random.unit(),
        clothes,
    }
}

fn car(random: &mut Random) -> Vehicle {
    let oncoming = random.unit() < 0.5;
    Vehicle {
        x: if oncoming { 3.0 } else { 6.6 },
        z: if oncoming { 8.0 } else { 12.0 } + 22.0 * random.unit(),
        oncoming,
    }
}

/// First and last column of a person, arms and stride included.
fn span(person: &Person) -> (f32, f32) {
    let at = |dx: f32| project(person.x + dx, 0.0, person.z).0;
    (at(-0.5), at(0.5))
}

fn car_span(car: &Vehicle) -> (f32, f32) {
    let edge = |side: f32, z: f32| project(car.x + side * CAR.1 / 2.0, 0.0, z).0;
    let (near, far) = (car.z, car.z + CAR.0);
    let ends = [
        edge(-1.0, near),
        edge(-1.0, far),
        edge(1.0, near),
        edge(1.0, far),
    ];
    (
        ends.iter().copied().fold(f32::MAX, f32::min),
        ends.iter().copied().fold(f32::MIN, f32::max),
    )
}

/// The fire and the lamp's post, which stay where they are.
fn fixed() -> [(f32, f32); 2] {
    let at = |x: f32, z: f32| project(x, 0.0, z).0;
    let half = FIRE_SIZE.0;
    [
        (at(FIRE.0 - half, FIRE.1), at(FIRE.0 + half, FIRE.1)),
        (at(LAMP.0, LAMP.1), at(LAMP.0 + LAMP_HEAD.1 + 0.4, LAMP.1)),
    ]
}

fn apart(a: (f32, f32), b: (f32, f32)) -> bool {
    a.0 > b.1 + GAP || b.0 > a.1 + GAP
}

/// The frame in the middle of an episode.
pub fn middle(episode: u64, fps: f64) -> u64 {
    ((episode as f64 + 0.5) * EPISODE * fps).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn episodes_differ_and_nobody_hides_another_in_their_middle() {
        let (mut people, mut cars) = ([0; PEOPLE + 1], 0);
        for episode in 0..300 {
            let (found, count, car) = people_and_car(1, middle(episode, 30.0), 30.0);
            people[count] += 1;
            cars += usize::from(car.is_some());
            for i in 0..count {
                for j in 0..i {
                    assert!(apart(span(&found[i]), span(&found[j])));
                }
            }
        }
        assert!(people.iter().all(|&n| n > 20), "{people:?}");
        assert!((100..200).contains(&cars), "{cars}");
    }

    #[test]
    fn people_walk_within_an_episode() {
        let at = |number| people_and_car(1, number, 30.0);
        let episode = (0..).find(|&e| at(middle(e, 30.0)).1 > 0).unwrap_or(0);
        let now = middle(episode, 30.0);
        let (before, after) = (at(now).0[0], at(now + 15).0[0]);
        assert!((after.x - before.x) * before.heading > 0.3);
        assert!((after.z - before.z).abs() < 1e-6);
    }
}
