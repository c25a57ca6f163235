//! What can be measured in a pair, and the sentences that say so.
//!
//! Input: [`AlignedPair`]. Output: [`Facts`], then sentences. A picture of one pixel has few facts. Not its
//! job: naming things. Nothing is diagnosed here, and facts are brightness, place, number, size, shape,
//! temperature and motion; nouns come from a detector, where there is one ([`super::Detector::name`]).
//!
//! Each fact that is a judgement carries a confidence, and below [`SAY`] it is kept for machines
//! and not said.

mod blobs;
mod changes;
mod exposure;
mod faults;
mod focus;
mod grid;
mod groups;
mod heat_map;
mod light;
mod medical;
mod motion;
mod objects;
mod scene;
mod warm;
mod words;

use serde::Serialize;

pub(super) use changes::changes;
pub use changes::{Change, ChangeKind};
pub use exposure::ExposureFacts;
pub use faults::{Fault, Faults, SourceFaults, Strength};
pub use focus::FocusFacts;
pub use groups::Group;
pub use light::{Light, VisibleFacts};
pub use medical::MedicalFacts;
pub use objects::NamedObject;
pub use scene::SceneFacts;
pub use warm::{Distance, Motion, Shape, WarmObject};
pub use words::Place;

use crate::align::AlignedPair;
use crate::config::{Modality, Task};
use words::Sentence;
pub(super) use words::{list, merged, rows};

/// Judgements of less confidence are not said.
pub const SAY: f32 = 0.5;
/// Rows of guidance that fact sentences may take: 64, less the longest advice, less the encoder's
/// begin and end.
const ROWS: usize = 40;

/// A judgement, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rated<T> {
    /// What is judged.
    pub value: T,
    /// 0..=1; 0.5 is a toss-up.
    pub confidence: f32,
}

const fn rated<T>(value: T, confidence: f32) -> Rated<T> {
    Rated { value, confidence }
}

impl<T> Rated<T> {
    /// Sure enough to be said, and `test` holds.
    pub fn says(&self, test: impl FnOnce(&T) -> bool) -> bool {
        self.confidence > SAY && test(&self.value)
    }
}

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
        Self::measure_as(task, Modality::default(), pair)
    }

    /// The same, where it is known what medical source A is.
    pub fn measure_as(task: Task, modality: Modality, pair: &AlignedPair) -> Self {
        match task {
            Task::Ivf => Self::Ivf(SceneFacts::measure(pair)),
            Task::Mif => Self::Mif(MedicalFacts::measure(pair, modality)),
            Task::Mef => Self::Mef(ExposureFacts::measure(pair)),
            Task::Mff => Self::Mff(FocusFacts::measure(pair)),
        }
    }

    /// Gives objects the motion they had since `before`, which was measured `seconds` earlier.
    pub fn follow(&mut self, before: &Self, seconds: f32) {
        if let (Self::Ivf(now), Self::Ivf(before)) = (self, before) {
            now.follow(before, seconds);
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
    /// full stop, together short enough for the network's 64 rows of guidance: what is worth
    /// least is left out.
    pub fn sentences(&self) -> Vec<String> {
        words::fit(&self.spoken(), ROWS)
    }

    /// Every fact that is sure enough, each as a sentence of its own.
    pub fn parts(&self) -> Vec<String> {
        self.spoken().iter().flat_map(Sentence::parts).collect()
    }

    fn spoken(&self) -> Vec<Sentence> {
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
                    prop_assert!(!is_diagnosis(s), "{}", s);
                }
                prop_assert!(paragraph_rows(task, &sentences) <= 64, "{:?}", sentences);
            }
        }
    }

    /// Rows of guidance the paragraph takes: begin and end, and one for the longest wording of
    /// the advice.
    fn paragraph_rows(task: Task, sentences: &[String]) -> usize {
        rows(&crate::describe::paragraph(task, sentences)) + 3
    }

    /// Words that judge health; filmd measures pictures and says nothing of the kind.
    fn is_diagnosis(text: &str) -> bool {
        let words = [
            "lesion",
            "tumo",
            "cancer",
            "stroke",
            "disease",
            "abnormal",
            "patholog",
            "infarct",
            "haemorrhage",
            "hemorrhage",
            "alzheimer",
            "dementia",
            "healthy",
            "diagnos",
            "patient",
            "metasta",
            "glioma",
            "edema",
            "oedema",
            "atrophy",
        ];
        let text = text.to_lowercase();
        words.iter().any(|word| text.contains(word))
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
