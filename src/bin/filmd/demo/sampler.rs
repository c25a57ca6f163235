//! A bounded, even choice out of a stream of unknown length.
//!
//! Input: a rising number for each item (its index, or its time). Output: places to keep some items in. Not
//! its job: what is kept.

/// Keeps items whose numbers are about `stride` apart; once all places are taken, every second
/// one is given up and the stride doubles. At any time between a half and all of the places are
/// taken, evenly over the stream.
#[derive(Debug)]
pub struct Sampler<T> {
    slots: Vec<T>,
    // Numbers of the items in the first slots; never longer than `slots`.
    numbers: Vec<u64>,
    stride: u64,
}

impl<T> Sampler<T> {
    /// `capacity` (at least 2) places made by `make`, for items at least `stride` (at least 1)
    /// apart.
    pub fn new(capacity: usize, stride: u64, make: impl FnMut() -> T) -> Self {
        let capacity = capacity.max(2);
        Self {
            slots: std::iter::repeat_with(make).take(capacity).collect(),
            numbers: Vec::with_capacity(capacity),
            stride: stride.max(1),
        }
    }

    /// A place for item `number`, which the caller fills, or `None` where it is not kept.
    pub fn offer(&mut self, number: u64) -> Option<&mut T> {
        loop {
            if let Some(&last) = self.numbers.last()
                && number / self.stride <= last / self.stride
            {
                return None;
            }
            if self.numbers.len() < self.slots.len() {
                self.numbers.push(number);
                return self.slots.get_mut(self.numbers.len() - 1);
            }
            self.stride = self.stride.checked_mul(2)?;
            self.thin();
        }
    }

    /// Keeps the first item of each stretch of `stride`.
    fn thin(&mut self) {
        let mut kept = 0;
        let mut last = None;
        for n in 0..self.numbers.len() {
            let stretch = Some(self.numbers[n] / self.stride);
            if stretch != last {
                last = stretch;
                self.numbers.swap(kept, n);
                self.slots.swap(kept, n);
                kept += 1;
            }
        }
        self.numbers.truncate(kept);
    }

    /// What is kept, in order, with its numbers.
    pub fn kept(&self) -> impl ExactSizeIterator<Item = (u64, &T)> {
        self.numbers.iter().copied().zip(&self.slots)
    }

    /// At most `count` of what is kept, evenly chosen; the first one is among them.
    pub fn spread(&self, count: usize) -> impl Iterator<Item = (u64, &T)> {
        let kept = self.numbers.len();
        let count = count.min(kept);
        (0..count)
            .map(move |n| n * kept / count)
            .map(|n| (self.numbers[n], &self.slots[n]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(capacity: usize, stride: u64, numbers: impl Iterator<Item = u64>) -> Sampler<u64> {
        let mut sampler = Sampler::new(capacity, stride, || 0);
        for number in numbers {
            if let Some(slot) = sampler.offer(number) {
                *slot = number;
            }
        }
        sampler
    }

    #[test]
    fn any_length_gives_a_bounded_even_choice() {
        for length in [1u64, 5, 6, 7, 10, 300, 100_000] {
            let sampler = run(6, 1, 0..length);
            let kept: Vec<_> = sampler.kept().collect();
            assert!(
                kept.len() <= 6 && kept.len() as u64 >= length.min(3),
                "{length}"
            );
            assert!(kept.iter().all(|(number, value)| number == *value));
            let stride = kept.get(1).map_or(1, |(n, _)| *n);
            for (n, (number, _)) in kept.iter().enumerate() {
                assert_eq!(*number, n as u64 * stride);
            }
            assert!(length - kept[kept.len() - 1].0 <= stride);
        }
    }

    #[test]
    fn a_spread_begins_with_the_first_and_stays_in_bounds() {
        let sampler = run(6, 1, 0..6);
        let spread = |count| sampler.spread(count).map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(spread(4), [0, 1, 3, 4]);
        assert_eq!(spread(9), [0, 1, 2, 3, 4, 5]);
        assert!(spread(0).is_empty());
        assert_eq!(run(6, 1, 0..0).spread(4).count(), 0);
    }

    proptest! {
        #[test]
        fn numbers_rise_and_are_never_lost_however_they_jump(
            steps in proptest::collection::vec(0u64..u64::MAX / 64, 1..60),
            capacity in 2usize..9, stride in 1u64..100,
        ) {
            let mut sum = 0;
            let numbers: Vec<u64> = steps.iter().map(|s| { sum += s; sum }).collect();
            let sampler = run(capacity, stride, numbers.iter().copied());
            let kept: Vec<_> = sampler.kept().collect();
            prop_assert!(!kept.is_empty() && kept.len() <= capacity);
            prop_assert!(kept.iter().all(|(n, value)| n == *value && numbers.contains(n)));
            prop_assert!(kept.windows(2).all(|w| w[0].0 < w[1].0));
        }
    }
}
