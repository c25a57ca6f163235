//! What stands and moves in the scene: people, cars, the fire, the lamp, and their sizes.

/// Where the fire burns: x, z.
pub const FIRE: (f32, f32) = (-4.3, 12.0);
/// The fire's width and height, metres.
pub const FIRE_SIZE: (f32, f32) = (1.1, 1.7);
/// Where the street lamp stands: x, z; its head is above the road's edge.
pub const LAMP: (f32, f32) = (0.75, 19.0);
/// Height of the lamp's head and its reach towards the road.
pub const LAMP_HEAD: (f32, f32) = (5.4, 0.9);
/// Most people at once.
pub const PEOPLE: usize = 4;
/// A person walking to and fro.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// To the right, metres.
    pub x: f32,
    /// Ahead, metres.
    pub z: f32,
    /// 1: walks to the right, -1: to the left.
    pub heading: f32,
    /// Steps, in full cycles of two.
    pub gait: f32,
    /// Height, metres.
    pub height: f32,
    /// Colours of jacket and trousers, as under white light.
    pub clothes: [[u8; 3]; 2],
}

/// A car on the road.
#[derive(Debug, Clone, Copy)]
pub struct Vehicle {
    /// Middle, metres to the right.
    pub x: f32,
    /// The nearer end, metres ahead.
    pub z: f32,
    /// Its headlights face the camera.
    pub oncoming: bool,
}

/// Length, width and height of the car, metres.
pub const CAR: (f32, f32, f32) = (4.3, 1.8, 1.45);
