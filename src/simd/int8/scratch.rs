//! Vectors that a thread lends to its kernels and gets back, so that a frame allocates none.
//!
//! Input: a length. Output: a vector of it, given back where it is dropped. Thread: any; each keeps its
//! own. Blocks: never. Allocates: until a thread has lent as many and as long ones before: in its first
//! frames. Not its job: what they hold.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use super::{BLOCK, CELL};

/// A thread's vectors that nobody has, per type.
#[derive(Debug, Default)]
pub struct Spare {
    signed: Vec<Vec<i8>>,
    raised: Vec<Vec<u8>>,
    wide: Vec<Vec<i16>>,
    blocks: Vec<Vec<[i16; BLOCK]>>,
    sums: Vec<Vec<i32>>,
    values: Vec<Vec<f32>>,
    pairs: Vec<Vec<[f32; 2]>>,
    lanes: Vec<Vec<[f32; CELL * CELL]>>,
    numbers: Vec<Vec<usize>>,
}

thread_local! {
    static SPARE: RefCell<Spare> = RefCell::default();
}

/// What there are vectors of.
pub trait Lendable: Copy {
    /// Those of this type.
    fn among(spare: &mut Spare) -> &mut Vec<Vec<Self>>;
}

/// Types and their fields.
macro_rules! lendable {
    ($($field:ident: $kind:ty),* $(,)?) => {
        $(impl Lendable for $kind {
            fn among(spare: &mut Spare) -> &mut Vec<Vec<Self>> {
                &mut spare.$field
            }
        })*
    };
}

lendable! {
    signed: i8,
    raised: u8,
    wide: i16,
    blocks: [i16; BLOCK],
    sums: i32,
    values: f32,
    pairs: [f32; 2],
    lanes: [f32; CELL * CELL],
    numbers: usize,
}

/// A vector of the thread that drops it.
#[derive(Debug)]
pub struct Lent<T: Lendable>(Vec<T>);

/// So many of `value`.
pub fn lend<T: Lendable>(value: T, length: usize) -> Lent<T> {
    lend_within(value, length, length)
}

/// So many of `value`, in a vector that has place for `most`, at least as many, so that none has to grow
/// where later there are more.
pub fn lend_within<T: Lendable>(value: T, length: usize, most: usize) -> Lent<T> {
    let mut vector = SPARE
        .try_with(|spare| {
            let mut spare = spare.borrow_mut();
            let spare = T::among(&mut spare);
            // The shortest that is long enough; else the longest has to grow.
            let fits = |v: &Vec<T>| (v.capacity() < most, v.capacity().abs_diff(most));
            let best = (0..spare.len()).min_by_key(|&i| fits(&spare[i]));
            best.map(|i| spare.swap_remove(i)).unwrap_or_default()
        })
        .unwrap_or_default();
    vector.clear();
    vector.reserve(most);
    vector.resize(length, value);
    Lent(vector)
}

impl<T: Lendable> Lent<T> {
    /// Leaves the first `length`, or all.
    pub(super) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }
}

impl<T: Lendable> Deref for Lent<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Lendable> DerefMut for Lent<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T: Lendable> Drop for Lent<T> {
    fn drop(&mut self) {
        let vector = std::mem::take(&mut self.0);
        // A thread that ends has no use for it.
        let _ = SPARE.try_with(|spare| T::among(&mut spare.borrow_mut()).push(vector));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_lent_again_with_the_values_asked_for() {
        let (short, long) = (lend(1_i16, 10), lend(2_i16, 1000));
        assert_eq!((&short[..], long.len()), (&[1; 10][..], 1000));
        let places = [short.as_ptr(), long.as_ptr()];
        drop((short, long));
        let again = [lend(7_i16, 9), lend(0_i16, 1000)];
        assert_eq!(&again[0][..], &[7; 9]);
        assert_eq!(again.each_ref().map(|v| v.as_ptr()), places);
        let third = lend(0_i16, 10);
        assert!(!places.contains(&third.as_ptr()));
    }

    #[test]
    fn other_threads_have_their_own() {
        let mine = lend(1_u8, 100);
        let theirs = std::thread::scope(|scope| scope.spawn(|| lend(2_u8, 100)).join());
        assert_ne!(theirs.map(|v| v.as_ptr()).ok(), Some(mine.as_ptr()));
    }
}
