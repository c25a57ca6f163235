//! Infrared and visible: warm objects, and what the visible picture is like.

use serde::Serialize;

use super::SAY;
use super::faults::Faults;
use super::grid::Grid;
use super::groups::{Group, groups};
use super::heat_map::{CELLS, HeatMap, Kind};
use super::light::VisibleFacts;
use super::motion;
use super::objects::{self, NamedObject};
use super::warm::{self, Shape, WarmObject};
use super::words::{Place, Sentence, list, places};
use crate::align::AlignedPair;

/// What the infrared and the visible picture show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SceneFacts {
    /// Both sources are there: infrared, visible.
    pub has: (bool, bool),
    /// The visible picture.
    pub visible: VisibleFacts,
    /// What the two sources suffer from.
    pub faults: Faults,
    /// The infrared picture's luma deviates by less than 0.05.
    pub infrared_flat: bool,
    /// Source A tells temperatures: what it does not find is not there.
    pub radiometric: bool,
    /// Source A was stretched to grey before filmd got it: walls are as white as people, and one
    /// thing comes in parts or with its neighbours. Nothing is counted then, and only upright
    /// outlines that stand apart are called objects.
    pub stretched: bool,
    /// Where the infrared picture is warm over larger parts; empty: nowhere.
    pub areas: Vec<Place>,
    /// Warm objects, those that cover most first; also those that are in doubt.
    pub warm: Vec<WarmObject>,
    /// What a detector names in the visible picture; empty without one.
    pub objects: Vec<NamedObject>,
}

impl SceneFacts {
    pub(super) fn measure(pair: &AlignedPair) -> Self {
        let (infrared, visible) = (Grid::luma(&pair.infrared), Grid::luma(&pair.visible));
        let fine = Grid::luma_in(&pair.visible, CELLS);
        let map = HeatMap::new(pair);
        Self {
            has: (pair.has_infrared, pair.has_visible),
            visible: VisibleFacts::measure(pair, &visible, &infrared),
            faults: Faults::measure(pair),
            infrared_flat: infrared.spread().deviation < 0.05,
            radiometric: map.kind == Kind::Radiometric,
            stretched: map.kind == Kind::Stretched,
            areas: map.warm_areas(),
            warm: warm::find(&map, &fine),
            objects: Vec::new(),
        }
    }

    /// Gives the objects their motion since a look `seconds` earlier.
    pub(super) fn follow(&mut self, before: &Self, seconds: f32) {
        motion::follow(&mut self.warm, &before.warm, seconds);
    }

    /// The objects that are sure enough to be named, in groups, those that cover most first.
    pub fn groups(&self) -> Vec<Group> {
        groups(self.warm.iter().filter(|o| o.confidence >= SAY))
    }

    /// Thirds with objects that the visible picture does not show; where a detector finds something it
    /// does show.
    fn hidden(&self) -> Vec<Place> {
        let named = self.groups();
        let mut found: Vec<Place> = named
            .iter()
            .take(2)
            .filter(|g| g.hidden == g.count)
            .map(|g| g.place)
            .filter(|place| !self.objects.iter().any(|o| o.place() == *place))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(super) fn sentences(&self) -> Vec<Sentence> {
        vec![self.infrared_sentence(), self.visible_sentence()]
    }

    fn infrared_sentence(&self) -> Sentence {
        if !self.has.0 {
            return Sentence::fixed("The infrared image is missing");
        }
        let mut sentence = self.shown_sentence();
        self.faults.infrared.say(&mut sentence);
        sentence
    }

    /// What the infrared image shows.
    fn shown_sentence(&self) -> Sentence {
        if self.stretched {
            return self.stretched_sentence();
        }
        let groups = self.groups();
        if groups.is_empty() && !self.radiometric && !self.areas.is_empty() {
            // Among much that is warm only the place is sure.
            return Sentence::fixed(format!(
                "The infrared image shows warm areas {}",
                places(&self.areas)
            ));
        }
        if groups.is_empty() {
            return self.with_contrast("The infrared image shows no warm objects".to_owned());
        }
        // Two groups fit the guidance; the others are the smaller ones.
        let phrases =
            |with: bool| -> Vec<String> { groups.iter().take(2).map(|g| g.phrase(with)).collect() };
        let mut sentence = Sentence::fixed(format!(
            "The infrared image shows {}",
            list(&phrases(false))
        ));
        sentence.longer(
            format!("The infrared image shows {}", list(&phrases(true))),
            0.7,
        );
        sentence
    }

    /// Of a stretched picture: places, but no number, no size and no distance.
    fn stretched_sentence(&self) -> Sentence {
        let of = |is_upright: bool| -> Vec<Place> {
            let sure = self.warm.iter().filter(|o| o.confidence >= SAY);
            sure.filter(|o| (o.shape == Shape::Upright && o.apart) == is_upright)
                .map(|o| o.place)
                .collect()
        };
        let distinct = |mut places: Vec<Place>| {
            places.sort_unstable();
            places.dedup();
            places
        };
        let upright = of(true);
        let alone = upright.len() == 1;
        let (upright, mut others) = (distinct(upright), distinct(of(false)));
        if upright.is_empty() && others.is_empty() {
            others.clone_from(&self.areas);
        }
        let mut shown = Vec::new();
        if alone {
            shown.push(format!("a warm upright object {}", places(&upright)));
        } else if !upright.is_empty() {
            shown.push(format!("warm upright objects {}", places(&upright)));
        }
        if !others.is_empty() {
            shown.push(format!("warm areas {}", places(&others)));
        }
        if shown.is_empty() {
            shown.push("no warm objects that stand out".to_owned());
        }
        self.with_contrast(format!("The infrared image shows {}", list(&shown)))
    }

    /// What the infrared image shows, and its low contrast.
    fn with_contrast(&self, shown: String) -> Sentence {
        let mut sentence = Sentence::fixed(shown);
        if self.infrared_flat {
            sentence.add("has low contrast", 0.6);
        }
        sentence
    }

    fn visible_sentence(&self) -> Sentence {
        if !self.has.1 {
            return Sentence::fixed("The visible image is missing");
        }
        let visible = &self.visible;
        let light = visible.light.value.word();
        let mut sentence = Sentence::fixed(format!("The visible image is {light}"));
        if visible.haze.says(|haze| !haze.is_empty()) {
            sentence.add(format!("has haze {}", places(&visible.haze.value)), 0.9);
        } else if visible.low_contrast.says(|low| *low) {
            sentence.add("has low contrast", 0.5);
        }
        self.faults.visible.say(&mut sentence);
        if visible.glare.says(|glare| !glare.is_empty()) {
            sentence.add(format!("has glare {}", places(&visible.glare.value)), 0.85);
        }
        let hidden = self.hidden();
        if !hidden.is_empty() {
            sentence.add(format!("hides the warm objects {}", places(&hidden)), 0.75);
        }
        if let Some(named) = objects::phrase(&self.objects) {
            sentence.add(format!("shows {named}"), 0.8);
        } else if !visible.texture.is_empty() {
            sentence.add(format!("shows texture {}", places(&visible.texture)), 0.3);
        }
        sentence
    }
}

#[cfg(test)]
#[path = "scene_tests.rs"]
mod tests;
