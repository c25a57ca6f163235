//! From understood requests and a measured pair to what is done: which are accepted and why not, a text
//! for the network, and controls beside it.

use super::{Answer, Degree, Need, Request, RequestKind as Kind, Understood, understand};
use crate::config::Task;
use crate::describe::facts::list;
use crate::describe::{Controls, Emphasis, Facts, Place};

/// What is done for a text on one pair.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Every request with its fate.
    pub answers: Vec<Answer>,
    /// What guides the network, in its own words; `None`: the task's neutral sentence.
    pub text: Option<String>,
    /// What is done beside the network.
    pub controls: Controls,
}

impl Plan {
    /// What `understood` asks for, where `need` and the task allow it.
    pub fn new(understood: &Understood, facts: &Facts, need: &Need) -> Self {
        let mut plan = Self::default();
        let mut wanted = Vec::new();
        for request in &understood.requests {
            let refusal = refusal(request, facts.task(), need);
            if refusal.is_none() && facts.task() == Task::Ivf {
                plan.controls.set(request, need);
                wanted.extend(wording(request.kind));
            }
            plan.answers.push(Answer {
                request: request.clone(),
                accepted: refusal.is_none(),
                reason: refusal,
            });
        }
        plan.text = paragraph(facts, &wanted);
        plan
    }

    /// What a description of the pair asks for of its own accord: to mend what a sensor broke (noise, stripes, blur),
    /// where it was measured. A dark or hazy scene stays as it is until a user asks, and what else is said
    /// never reaches a pixel.
    pub fn of_description(text: &str, facts: &Facts, need: &Need) -> Self {
        let mut understood = understand(text);
        understood.requests.retain(|request| {
            matches!(
                request.kind,
                Kind::Noise | Kind::NoiseInInfrared | Kind::NoiseInVisible | Kind::Blur
            )
        });
        Self::new(&understood, facts, need)
    }

    /// Nothing takes effect.
    pub fn is_neutral(&self) -> bool {
        self.text.is_none() && self.controls == Controls::default()
    }

    /// What needs features of a text cannot be had: those requests are refused, the others stay.
    pub fn without_text(&mut self, why: &str) {
        self.text = None;
        for answer in &mut self.answers {
            if answer.accepted && wording(answer.request.kind).is_some() {
                answer.accepted = false;
                answer.reason = Some(why.to_owned());
            }
        }
    }
}

/// It takes effect through a text that guides the network.
pub fn guides(kind: Kind) -> bool {
    wording(kind).is_some()
}

/// The tasks in whose pictures this can be asked for.
pub const fn fits(kind: Kind, task: Task) -> bool {
    match task {
        Task::Ivf => !matches!(
            kind,
            Kind::Bone | Kind::Activity | Kind::SoftTissue | Kind::Sky
        ),
        Task::Mif => matches!(kind, Kind::Bone | Kind::Activity | Kind::SoftTissue),
        Task::Mef => matches!(
            kind,
            Kind::Sky | Kind::Light | Kind::OverExposure | Kind::Texture
        ),
        Task::Mff => matches!(kind, Kind::Blur | Kind::Texture | Kind::Edges),
    }
}

fn refusal(request: &Request, task: Task, need: &Need) -> Option<String> {
    if !fits(request.kind, task) {
        return Some(format!("not a request for the task {}", task.name()));
    }
    if task != Task::Ivf {
        // The neutral sentence asks for the same.
        return None;
    }
    need.refuses(request.kind)
        .map(|why| format!("not needed: {why}"))
}

impl Controls {
    /// What a request sets beside the network; what the others set stays.
    fn set(&mut self, request: &Request, need: &Need) {
        let share = match request.degree {
            Degree::Slightly => 0.4,
            Degree::Plain => 0.9,
            Degree::Strongly => 1.0,
        };
        let [infrared, visible] = &mut self.levels;
        match request.kind {
            Kind::Light => visible.brighten = visible.brighten.max(share),
            Kind::OverExposure => visible.darken = visible.darken.max(share),
            Kind::Haze => visible.dehaze = visible.dehaze.max(share),
            Kind::InfraredContrast => infrared.contrast = infrared.contrast.max(share),
            Kind::People | Kind::Animals | Kind::WarmObjects => {
                let strength = match request.degree {
                    Degree::Slightly => 0.5,
                    Degree::Plain => 1.0,
                    Degree::Strongly => 1.6,
                };
                self.raise(strength, request.place);
            }
            Kind::Blur => self.sharpen = self.sharpen.max(share),
            Kind::Noise | Kind::NoiseInInfrared | Kind::NoiseInVisible => {
                let named = match request.kind {
                    Kind::NoiseInInfrared => [true, false],
                    Kind::NoiseInVisible => [false, true],
                    _ => need.noise,
                };
                for (side, own) in self.denoise.iter_mut().enumerate() {
                    if named[side] {
                        *own = own.max(share);
                    }
                }
            }
            _ => {}
        }
    }

    /// Two requests for different places are one for everywhere.
    fn raise(&mut self, strength: f32, place: Option<Place>) {
        self.emphasis = Some(match self.emphasis {
            None => Emphasis { strength, place },
            Some(same) => Emphasis {
                strength: same.strength.max(strength),
                place: place.filter(|_| same.place == place),
            },
        });
    }
}

/// Of a request: what it says of the visible picture, and what the fused image should do. The words are those
/// that the network was trained with (`_SAID` in models/texts.py).
struct Wording {
    visible: Option<&'static str>,
    step: &'static str,
}

/// `None`: it does not go to the network.
fn wording(kind: Kind) -> Option<Wording> {
    let of = |visible, step| Wording { visible, step };
    Some(match kind {
        Kind::Glare => of(Some("has strong glare"), "suppress the glare"),
        Kind::Texture => of(None, "strengthen the visible texture"),
        Kind::Edges => of(None, "sharpen the edges"),
        _ => return None,
    })
}

/// Steps that a text may ask for: more of them take more rows than the network has.
const MOST_STEPS: usize = 3;

/// What the pictures are like, and what the fused image should do; `None` where that is nothing.
fn paragraph(facts: &Facts, wanted: &[Wording]) -> Option<String> {
    let wanted = &wanted[..wanted.len().min(MOST_STEPS)];
    if wanted.is_empty() {
        return None;
    }
    let is_warm = match facts {
        Facts::Ivf(scene) => !scene.groups().is_empty() || !scene.areas.is_empty(),
        _ => false,
    };
    let infrared = match is_warm {
        true => "shows warm objects",
        false => "shows no warm objects",
    };
    let mut visible: Vec<&str> = wanted.iter().filter_map(|w| w.visible).collect();
    let mut steps: Vec<&str> = wanted.iter().map(|w| w.step).collect();
    if !visible.is_empty() && !steps.iter().any(|step| step.ends_with("texture")) {
        steps.push("keep the visible texture");
    }
    // With a fault these words cost a decibel.
    if visible.is_empty() {
        visible.push("shows texture everywhere");
    }
    Some(format!(
        "The infrared image {infrared}. The visible image {}. The fused image should {}.",
        list(&visible),
        list(&steps)
    ))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
