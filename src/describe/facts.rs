//! What can be measured in a pair, and the sentences that say so.
//!
//! Input: [`AlignedPair`]. Output: [`Facts`], then sentences. Thread: guide. Blocks: never, no
//! I/O. Allocates: small grids. Fails when: never; a picture of one pixel has few facts.
//! Not its job: naming things. No object is recognised and nothing is diagnosed here: facts are
//! brightness, place, number, size and shape.

mod blobs;
mod exposure;
mod focus;
mod grid;
mod medical;
mod scene;
mod words;

use serde::Serialize;

pub use exposure::ExposureFacts;
pub use focus::FocusFacts;
pub use medical::{MedicalFacts, Modality};
pub use scene::{Distance, Light, SceneFacts, Shape, WarmGroup};
pub use words::Place;

use crate::align::AlignedPair;
use crate::config::Task;

/// What was measured, by task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "task", rename_all = "lowercase")]
pub enum Facts {
    /// Infrared and visible.
    Ivf(SceneFacts),
    /// Medical.
    Mif(MedicalFacts),
    /// Multi-exposure.
    Mef(ExposureFacts),
    /// Multi-focus.
    Mff(FocusFacts),
}

impl Facts {
    /// Measures a pair. A source that is not there counts as missing, whatever its picture holds.
    pub fn measure(task: Task, pair: &AlignedPair) -> Self {
        match task {
            Task::Ivf => Self::Ivf(SceneFacts::measure(pair)),
            Task::Mif => Self::Mif(MedicalFacts::measure(pair)),
            Task::Mef => Self::Mef(ExposureFacts::measure(pair)),
            Task::Mff => Self::Mff(FocusFacts::measure(pair)),
        }
    }

    /// The task they were measured for.
    pub const fn task(&self) -> Task {
        match self {
            Self::Ivf(_) => Task::Ivf,
            Self::Mif(_) => Task::Mif,
            Self::Mef(_) => Task::Mef,
            Self::Mff(_) => Task::Mff,
        }
    }

    /// One or two plain sentences in the words the network was trained with, each with its
    /// full stop, together short enough for the network's 64 rows of guidance.
    pub fn sentences(&self) -> Vec<String> {
        match self {
            Self::Ivf(facts) => facts.sentences(),
            Self::Mif(facts) => facts.sentences(),
            Self::Mef(facts) => facts.sentences(),
            Self::Mff(facts) => facts.sentences(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Picture, Size};
    use proptest::prelude::*;

    fn pair(size: Size, channels: (usize, usize), seed: u32) -> AlignedPair {
        let noise = |channels: usize, seed: u32| {
            let mut picture = Picture::new(size, channels);
            let mut state = seed | 1;
            for sample in picture.data_mut() {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                *sample = (state >> 24) as u8;
            }
            picture
        };
        let (a, b) = (
            noise(channels.0, seed),
            noise(channels.1, seed ^ 0x5bd1_e995),
        );
        let mut pair = AlignedPair::registered(a, b);
        pair.has_infrared = seed & 2 == 0;
        pair.has_visible = seed & 4 == 0;
        pair
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_pair_has_sentences(
            w in 1usize..150, h in 1usize..60, a in 0usize..2, b in 0usize..2, seed in any::<u32>(),
        ) {
            for task in Task::ALL {
                let pair = pair(Size::new(w, h), (1 + 2 * a, 1 + 2 * b), seed);
                let facts = Facts::measure(task, &pair);
                prop_assert_eq!(facts.task(), task);
                let sentences = facts.sentences();
                prop_assert!((1..=2).contains(&sentences.len()));
                for s in &sentences {
                    prop_assert!(s.starts_with("The ") || s.starts_with("There "), "{}", s);
                    prop_assert!(s.ends_with('.') && !s.contains("  "), "{}", s);
                }
                prop_assert!(rows(task, &sentences) <= 64, "{:?}", sentences);
            }
        }
    }

    /// Rows of guidance the paragraph takes, nearly as the encoder counts: words, punctuation,
    /// begin and end, and one for the longest wording of the advice.
    fn rows(task: Task, sentences: &[String]) -> usize {
        let text = crate::describe::paragraph(task, sentences);
        let marks = text.chars().filter(char::is_ascii_punctuation).count();
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .count()
            + marks
            + 3
    }

    #[test]
    fn the_longest_sentences_fit_the_guidance() {
        let group = |place| WarmGroup {
            count: 9,
            shape: Shape::Upright,
            place,
            distance: Distance::Far,
            area: 0.1,
        };
        let two = vec![Place::Left, Place::Centre];
        let scene = |low_contrast, haze, glare: &[Place]| {
            Facts::Ivf(SceneFacts {
                has: (true, true),
                light: Light::WellLit,
                low_contrast,
                glare: glare.to_vec(),
                haze,
                texture: two.clone(),
                infrared_flat: false,
                warm: [Place::Left, Place::Centre].map(group).to_vec(),
            })
        };
        let exposure = |clipped: &[Place], detailed: &[Place]| {
            Facts::Mef(ExposureFacts {
                has: (true, true),
                swapped: true,
                detailed: (detailed.to_vec(), detailed.to_vec()),
                black: (clipped.to_vec(), clipped.to_vec()),
                white: (clipped.to_vec(), clipped.to_vec()),
            })
        };
        let focus = Facts::Mff(FocusFacts {
            has: (true, true),
            first: two.clone(),
            second: two.clone(),
        });
        for facts in [
            scene(true, false, &two),
            scene(true, true, &two),
            scene(false, false, &two),
            scene(true, false, &[]),
            scene(true, true, &[]),
            exposure(&two[..1], &two[..1]),
            exposure(&two, &two),
            focus,
        ] {
            let sentences = facts.sentences();
            let rows = rows(facts.task(), &sentences);
            assert!(rows <= 64, "{rows}: {sentences:?}");
        }
    }

    #[test]
    fn a_missing_source_is_said_to_be_missing() {
        let mut pair = pair(Size::new(40, 30), (1, 3), 0);
        (pair.has_infrared, pair.has_visible) = (false, true);
        for task in Task::ALL {
            let text = Facts::measure(task, &pair).sentences().join(" ");
            assert!(text.contains("missing"), "{text}");
        }
    }
}
