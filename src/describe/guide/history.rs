//! The looks of the last seconds, and what changed in them.
//!
//! Input: facts with their time. Output: [`Change`]s, a sentence. Allocates: at most 64 looks. Time that
//! jumps starts a new history. Not its job: when to look.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::describe::facts::{Change, Facts, changes, list};

const MOST: usize = 64;
/// Changes a sentence has room for.
const SAID: usize = 2;

/// Looks within a window of time.
#[derive(Debug)]
pub(super) struct History {
    window: Duration,
    looks: VecDeque<(Timestamp, Facts)>,
    /// Changes that are already known.
    known: Vec<Change>,
}

impl History {
    pub fn new(window: Duration) -> Self {
        Self {
            window,
            looks: VecDeque::new(),
            known: Vec::new(),
        }
    }

    /// Adds a look; returns the changes that it is the first to show.
    pub fn add(&mut self, now: Timestamp, facts: &Facts) -> Vec<Change> {
        let gap = self.looks.back().map(|(at, last)| {
            let jumped = now < *at || now.since(*at) > self.window;
            jumped || last.task() != facts.task()
        });
        if gap == Some(true) {
            self.looks.clear();
            self.known.clear();
        }
        self.looks.push_back((now, facts.clone()));
        while self.looks.len() > MOST
            || self
                .looks
                .front()
                .is_some_and(|(at, _)| now.since(*at) > self.window)
        {
            self.looks.pop_front();
        }
        let all = self.changes();
        let new = all.iter().filter(|c| !self.known.contains(c));
        let new = new.cloned().collect();
        self.known = all;
        new
    }

    fn changes(&self) -> Vec<Change> {
        let looks: Vec<&Facts> = self.looks.iter().map(|(_, facts)| facts).collect();
        changes(&looks)
    }

    /// "In the last 10 seconds one warm object appeared on the left."; `None`: nothing changed.
    pub fn sentence(&self) -> Option<String> {
        let told: Vec<&str> = self.known.iter().map(|c| c.text.as_str()).collect();
        let told = &told[..told.len().min(SAID)];
        (!told.is_empty()).then(|| {
            format!(
                "In the last {} seconds {}.",
                self.window.as_secs().max(1),
                list(told)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::AlignedPair;
    use crate::config::Task;
    use crate::frame::{Picture, Size};

    fn scene(light: u8) -> Facts {
        let size = Size::new(64, 48);
        let mut pair = AlignedPair::registered(Picture::grey(size), Picture::rgb(size));
        pair.visible.data_mut().fill(light);
        Facts::measure(Task::Ivf, &pair)
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO.plus(Duration::from_secs(1000 + seconds))
    }

    #[test]
    fn a_change_is_new_once_and_told_while_it_is_in_the_window() {
        let mut history = History::new(Duration::from_secs(10));
        let (dark, bright) = (scene(20), scene(220));
        for second in 0..4 {
            assert_eq!(history.add(at(second), &dark), []);
        }
        assert_eq!(history.sentence(), None);
        assert_eq!(history.add(at(4), &bright), []);
        assert_eq!(history.add(at(5), &bright).len(), 1);
        assert_eq!(history.add(at(6), &bright), []);
        assert_eq!(
            history.sentence().unwrap(),
            "In the last 10 seconds the light changed from dark to bright."
        );
        for second in 7..16 {
            assert_eq!(history.add(at(second), &bright), []);
        }
        assert_eq!(history.sentence(), None);
    }

    #[test]
    fn time_that_jumps_and_another_task_start_anew() {
        let mut history = History::new(Duration::from_secs(10));
        let (dark, bright) = (scene(20), scene(220));
        for start in [0, 100, 50] {
            for second in 0..3 {
                assert_eq!(history.add(at(start + second), &dark), [], "{start}");
            }
            // Seen before the jump: nothing that changed since.
            for second in 0..3 {
                assert_eq!(history.add(at(start + 30 + second), &bright), [], "{start}");
            }
        }
        let size = Size::new(8, 8);
        let pair = AlignedPair::registered(Picture::grey(size), Picture::rgb(size));
        history.add(at(83), &Facts::measure(Task::Mff, &pair));
        assert_eq!(history.looks.len(), 1);
    }

    #[test]
    fn looks_are_bounded() {
        let mut history = History::new(Duration::from_secs(3600));
        for second in 0..200 {
            history.add(at(second), &scene(20));
        }
        assert_eq!(history.looks.len(), MOST);
    }
}
