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
}

/// A fixed set of equal values, made at start. [`Pool::take`] never allocates.
#[derive(Debug)]
pub struct Pool<T> {
    free: Free<T>,
}

/// Values that nobody uses. Each is in an `Arc` from the start, so that sharing one allocates nothing.
type Free<T> = Arc<Mutex<Vec<Arc<T>>>>;

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
        let make = std::iter::repeat_with(make).map(Arc::new);
        let free: Vec<_> = make.take(count).collect();
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
        let lent = Shared {
            value: Some(value),
            home: Arc::clone(&self.free),
        };
        Some(Pooled { lent })
    }
}

/// A value on loan from a [`Pool`]; goes back when dropped.
#[derive(Debug)]
pub struct Pooled<T> {
    lent: Shared<T>,
}

impl<T> Pooled<T> {
    /// For several readers from now on.
    pub fn share(self) -> Shared<T> {
        self.lent
    }
}

/// A value on loan from a [`Pool`] that nobody changes any more; goes back when its last reader drops it.
#[derive(Debug)]
pub struct Shared<T> {
    // `None` only while `drop` runs.
    value: Option<Arc<T>>,
    home: Free<T>,
}

impl<T> Shared<T> {
    /// The value, to be changed; `None` where it has other readers.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut().and_then(Arc::get_mut)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            home: Arc::clone(&self.home),
        }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        let mut free = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that of two readers who drop it at once one sees that it is the last.
        if let Some(mut value) = self.value.take()
            && Arc::get_mut(&mut value).is_some()
        {
            // Capacity never grows: a pool holds no more values than it was made with.
            free.push(value);
        }
    }
}

impl<T> Deref for Pooled<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.lent
    }
}

impl<T> Deref for Shared<T> {
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
        match self.lent.get_mut() {
            Some(value) => value,
            None => unreachable!("a pooled value is there and not shared until it is dropped"),
        }
    }
}

/// What the acquire stage hands on: one frame of each camera, paired by time.
/// A camera that stalls or is unplugged leaves `None`; the picture goes on with the other one.
#[derive(Debug, Default)]
pub struct FramePair {
    /// Infrared (ivf), functional or CT (mif), under-exposed (mef), near focus (mff).
    pub infrared: Option<Shared<Frame>>,
    /// Visible (ivf), MRI (mif), over-exposed (mef), far focus (mff).
    pub visible: Option<Shared<Frame>>,
    /// The infrared frame is a repeat held over an FFC or a short stall.
    pub infrared_stale: bool,
    /// The visible frame is a repeat.
    pub visible_stale: bool,
}

impl FramePair {
    /// Time of the newer of the two frames.
    pub fn timestamp(&self) -> Timestamp {
        let of = |f: &Option<Shared<Frame>>| f.as_ref().map_or(Timestamp::ZERO, |f| f.timestamp);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_value_goes_back_with_its_last_reader() {
        let pool = Pool::new(1, || 7);
        let mut value = pool.take().unwrap();
        *value = 8;
        let mut first = value.share();
        let second = first.clone();
        assert!(first.get_mut().is_none() && pool.take().is_none());
        drop(first);
        assert!(pool.take().is_none());
        assert_eq!(*second, 8);
        drop(second);
        assert_eq!(*pool.take().unwrap(), 8);
    }

    #[test]
    fn readers_that_drop_it_at_once_lose_nothing() {
        let pool = Pool::new(1, || 0);
        for _ in 0..1000 {
            let first = pool.take().unwrap().share();
            let second = first.clone();
            std::thread::scope(|scope| {
                scope.spawn(move || drop(first));
                drop(second);
            });
        }
    }
}
