//! Pictures and the pools they come from.
//!
//! Input: none. Output: the value types that every stage passes on. Thread: any. Blocks: never.
//! Allocates: only in constructors and [`Pool::new`]; the frame path takes from pools and gives
//! back on drop. Fails when: a size does not fit its data ([`SizeMismatch`]).
//! Not its job: file formats ([`image`] does that), pixel arithmetic (see `simd`, `fuse`).

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use control_protocol::Condition;

/// Width and height of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Size {
    /// A size of `width` x `height` pixels.
    pub const fn new(width: usize, height: usize) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub const fn area(self) -> usize {
        self.width * self.height
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// The bytes given do not fill the picture named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {size} picture of {channels} channel(s) needs {expected} samples, {found} were given")]
pub struct SizeMismatch {
    /// The size asked for.
    pub size: Size,
    /// Samples a pixel.
    pub channels: usize,
    /// Samples needed.
    pub expected: usize,
    /// Samples found.
    pub found: usize,
}

/// An 8-bit picture: rows from the top, tightly packed, `channels` interleaved
/// (1 = luma or thermal grey, 3 = RGB), full range 0..=255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    size: Size,
    channels: usize,
    data: Vec<u8>,
}

impl Picture {
    /// A black picture.
    pub fn new(size: Size, channels: usize) -> Self {
        Self {
            size,
            channels,
            data: vec![0; size.area() * channels],
        }
    }

    /// A black single-channel picture.
    pub fn grey(size: Size) -> Self {
        Self::new(size, 1)
    }

    /// A black RGB picture.
    pub fn rgb(size: Size) -> Self {
        Self::new(size, 3)
    }

    /// Wraps existing samples.
    ///
    /// # Errors
    /// [`SizeMismatch`] where `data` is not `width * height * channels` long.
    pub fn from_data(size: Size, channels: usize, data: Vec<u8>) -> Result<Self, SizeMismatch> {
        let expected = size.area() * channels;
        if data.len() != expected {
            return Err(SizeMismatch {
                size,
                channels,
                expected,
                found: data.len(),
            });
        }
        Ok(Self {
            size,
            channels,
            data,
        })
    }

    /// Size in pixels.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.size.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.size.height
    }

    /// Samples a pixel: 1 or 3.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// All samples.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// All samples, to write.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// The samples of row `y`; panics where `y` is not below the height.
    pub fn row(&self, y: usize) -> &[u8] {
        let stride = self.size.width * self.channels;
        &self.data[y * stride..(y + 1) * stride]
    }

    /// The samples of row `y`, to write; panics where `y` is not below the height.
    pub fn row_mut(&mut self, y: usize) -> &mut [u8] {
        let stride = self.size.width * self.channels;
        &mut self.data[y * stride..(y + 1) * stride]
    }

    /// Gives the picture another shape. Allocates only where it never was that large before.
    pub fn reshape(&mut self, size: Size, channels: usize) {
        self.size = size;
        self.channels = channels;
        self.data.resize(size.area() * channels, 0);
    }

    /// Becomes a copy of `other`, shape and samples; see [`Picture::reshape`] on allocation.
    pub fn copy_from(&mut self, other: &Self) {
        self.reshape(other.size, other.channels);
        self.data.copy_from_slice(&other.data);
    }
}

/// A raw thermal picture: one unsigned 16-bit count a pixel, rows from the top, tightly packed.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Size in pixels.
    pub size: Size,
    /// `size.area()` counts.
    pub data: Vec<u16>,
    /// Kelvins a count, where the counts are absolute temperatures (0.01 for a Lepton's TLinear).
    pub kelvin: Option<f32>,
}

impl Counts {
    /// All counts zero.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            data: vec![0; size.area()],
            kelvin: None,
        }
    }

    /// Becomes a copy of `other`; allocates only where it never was that large before.
    pub fn copy_from(&mut self, other: &Self) {
        self.size = other.size;
        self.data.clone_from(&other.data);
        self.kelvin = other.kelvin;
    }
}

/// One camera's frame after unpacking.
#[derive(Debug, Clone)]
pub struct Frame {
    /// When the sensor delivered it (monotonic clock).
    pub timestamp: Timestamp,
    /// The driver's or the source's running number.
    pub sequence: u64,
    /// What is seen: RGB or grey; for a 16-bit thermal camera the range-mapped grey.
    pub picture: Picture,
    /// The raw counts of a 16-bit thermal camera, else `None`.
    pub counts: Option<Counts>,
    /// What the picture was measured to suffer from, before it was cleaned.
    pub condition: Condition,
}

impl Frame {
    /// An empty frame of the given shape; `with_counts` for 16-bit cameras.
    pub fn new(size: Size, channels: usize, with_counts: bool) -> Self {
        Self {
            timestamp: Timestamp::ZERO,
            sequence: 0,
            picture: Picture::new(size, channels),
            counts: with_counts.then(|| Counts::new(size)),
            condition: Condition::default(),
        }
    }

    /// Becomes a copy of `other`; allocates only where it never was that large before.
    pub fn copy_from(&mut self, other: &Self) {
        self.timestamp = other.timestamp;
        self.sequence = other.sequence;
        self.condition = other.condition;
        self.picture.copy_from(&other.picture);
        match (&mut self.counts, &other.counts) {
            (Some(mine), Some(theirs)) => {
                mine.size = theirs.size;
                mine.kelvin = theirs.kelvin;
                mine.data.resize(theirs.data.len(), 0);
                mine.data.copy_from_slice(&theirs.data);
            }
            (mine, theirs) => mine.clone_from(theirs),
        }
    }
}

/// A fixed set of equal values, made at start. [`Pool::take`] never allocates.
#[derive(Debug)]
pub struct Pool<T> {
    free: Arc<Mutex<Vec<T>>>,
}

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self {
            free: Arc::clone(&self.free),
        }
    }
}

impl<T> Pool<T> {
    /// `count` values made by `make`.
    pub fn new(count: usize, make: impl FnMut() -> T) -> Self {
        let free: Vec<T> = std::iter::repeat_with(make).take(count).collect();
        Self {
            free: Arc::new(Mutex::new(free)),
        }
    }

    /// A free value, or `None` while all are in use: the caller drops the frame then.
    pub fn take(&self) -> Option<Pooled<T>> {
        let value = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()?;
        Some(Pooled {
            value: Some(value),
            home: Arc::clone(&self.free),
        })
    }
}

/// A value on loan from a [`Pool`]; goes back when dropped.
#[derive(Debug)]
pub struct Pooled<T> {
    // `None` only while `drop` runs.
    value: Option<T>,
    home: Arc<Mutex<Vec<T>>>,
}

impl<T> Drop for Pooled<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            // Capacity never grows: a pool holds no more values than it was made with.
            self.home
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(value);
        }
    }
}

impl<T> Deref for Pooled<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("a pooled value is there until it is dropped"),
        }
    }
}

impl<T> DerefMut for Pooled<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => unreachable!("a pooled value is there until it is dropped"),
        }
    }
}

/// What the acquire stage hands on: one frame of each camera, paired by time.
/// A camera that stalls or is unplugged leaves `None`; the picture goes on with the other one.
#[derive(Debug, Default)]
pub struct FramePair {
    /// Infrared (ivf), functional or CT (mif), under-exposed (mef), near focus (mff).
    pub infrared: Option<Pooled<Frame>>,
    /// Visible (ivf), MRI (mif), over-exposed (mef), far focus (mff).
    pub visible: Option<Pooled<Frame>>,
    /// The infrared frame is a repeat held over an FFC or a short stall.
    pub infrared_stale: bool,
    /// The visible frame is a repeat.
    pub visible_stale: bool,
}

impl FramePair {
    /// Time of the newer of the two frames.
    pub fn timestamp(&self) -> Timestamp {
        let of = |f: &Option<Pooled<Frame>>| f.as_ref().map_or(Timestamp::ZERO, |f| f.timestamp);
        of(&self.infrared).max(of(&self.visible))
    }

    /// How far apart in time the two frames were taken; zero where one is missing.
    pub fn skew(&self) -> std::time::Duration {
        match (&self.infrared, &self.visible) {
            (Some(a), Some(b)) => a.timestamp.distance(b.timestamp),
            _ => std::time::Duration::ZERO,
        }
    }
}
