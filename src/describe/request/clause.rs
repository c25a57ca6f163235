//! Reads one clause: what it asks for, or asks to leave alone.

use super::RequestKind as Kind;
use super::lexicon::WordRole;

/// What a clause says about a kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Asks for it.
    Ask(Kind),
    /// Asks to keep it: a request where the text has no other.
    Hold(Kind),
    /// Asks for the opposite, or to leave it; `None`: to leave everything.
    Leave(Option<Kind>),
}

/// What drives a clause; a clause without one takes that of the clause before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drive {
    Raise,
    Make,
    Suppress,
    Keep,
    Let,
    /// "The image is ...".
    State,
    /// "The image should be ...".
    Should,
}

/// Clauses with a smaller share of known words are not clear.
const KNOWN: f32 = 0.7;
/// The same for reports, which prose is full of.
const KNOWN_STATED: f32 = 0.8;

/// The same for texture and edges, which are words of prose, too.
const KNOWN_WANTED: f32 = 0.9;

/// One clause's words.
#[derive(Debug, Clone, Default)]
pub(super) struct Clause {
    pub roles: Vec<WordRole>,
    /// A question mark ends its sentence.
    pub asks: bool,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reading {
    pub meanings: Vec<Meaning>,
    pub drive: Option<Drive>,
    /// Enough of its words are known.
    pub is_clear: bool,
}

impl Clause {
    fn has(&self, role: WordRole) -> bool {
        self.roles.contains(&role)
    }

    fn any(&self, test: impl Fn(WordRole) -> bool) -> bool {
        self.roles.iter().any(|r| test(*r))
    }

    fn share_known(&self) -> f32 {
        let known = self
            .roles
            .iter()
            .filter(|r| **r != WordRole::Unknown)
            .count();
        known as f32 / self.roles.len().max(1) as f32
    }

    /// The first word that drives the clause, with no unknown word before it.
    fn own_drive(&self) -> Option<(usize, Drive)> {
        let mut should = false;
        for (at, role) in self.roles.iter().enumerate() {
            let reports = || self.reports_before(at);
            let drive = match role {
                WordRole::Unknown => return None,
                WordRole::Should => {
                    should = true;
                    continue;
                }
                WordRole::Raise | WordRole::More | WordRole::Better(_) | WordRole::Worse(_) => {
                    Drive::Raise
                }
                WordRole::See if !reports() => Drive::Raise,
                WordRole::Make => Drive::Make,
                WordRole::Suppress => Drive::Suppress,
                WordRole::Keep => Drive::Keep,
                WordRole::Let => Drive::Let,
                WordRole::See | WordRole::Be | WordRole::Too => Drive::State,
                _ => continue,
            };
            return Some((at, drive));
        }
        should.then_some((0, Drive::Should))
    }

    /// "I see", "I can see" is a report; "I want to see" is none.
    fn reports_before(&self, at: usize) -> bool {
        let before = &self.roles[..at];
        before.contains(&WordRole::I)
            && !before
                .iter()
                .any(|r| matches!(r, WordRole::Want | WordRole::Should))
    }

    /// "People who like jazz": tells what they do by words that are not known.
    fn tells(&self) -> bool {
        let who = self.roles.iter().skip(1).position(|r| *r == WordRole::Asks);
        who.is_some_and(|at| self.roles[at + 1..].contains(&WordRole::Unknown))
    }

    /// Nothing but a noun phrase.
    fn is_bare(&self) -> bool {
        !self.roles.is_empty()
            && self.roles.iter().all(|r| {
                use WordRole::{
                    And, Fault, Filler, Infrared, Picture, Target, Thing, Through, Visible, Want,
                    Wanted, Warm,
                };
                matches!(
                    r,
                    Fault(_)
                        | And
                        | Filler
                        | Infrared
                        | Picture
                        | Target(_)
                        | Thing
                        | Through
                        | Visible
                        | Wanted(_)
                        | Want
                        | Warm
                )
            })
    }

    /// The same, of more than one word: "fox" alone asks for nothing.
    fn is_phrase(&self) -> bool {
        self.roles.len() > 1 && self.is_bare()
    }

    /// Reads the clause after one that was driven by `before`.
    pub fn read(&self, before: Option<Drive>) -> Reading {
        let own = self.own_drive();
        let drive = own.map(|(_, drive)| drive).or(before);
        let least = match drive {
            Some(Drive::State) | None => KNOWN_STATED,
            Some(_) => KNOWN,
        };
        let is_clear = self.share_known() >= least && !self.tells();
        let mut reading = Reading {
            meanings: Vec::new(),
            drive,
            is_clear,
        };
        let not = self.has(WordRole::Not);
        if self.leaves_all(drive, not) {
            reading.meanings.push(Meaning::Leave(None));
            return reading;
        }
        if self.has(WordRole::Quiz) && !self.has(WordRole::Should) {
            return reading;
        }
        let inherited = own.is_none() && before.is_some();
        for (at, role) in self.roles.iter().enumerate() {
            let no = self.no_before(at);
            let says = Says {
                clause: self,
                drive,
                not,
                no,
                inherited,
                at,
            };
            reading.meanings.extend(says.of(*role));
        }
        if self.share_known() < KNOWN_WANTED {
            // No measurement stands between these and the picture.
            let spare = |m: &Meaning| {
                matches!(
                    m,
                    Meaning::Ask(Kind::Texture | Kind::Edges) | Meaning::Hold(_)
                )
            };
            reading.meanings.retain(|m| !spare(m));
        }
        reading
    }

    fn leaves_all(&self, drive: Option<Drive>, not: bool) -> bool {
        let change = self.has(WordRole::Change) && (not || self.has(WordRole::No));
        let as_is = self.has(WordRole::AsIs) && !not;
        let asks = matches!(drive, Some(Drive::Keep | Drive::Make | Drive::Let) | None);
        change || as_is && asks
    }

    /// "no" or "without" among the two words before `at`.
    fn no_before(&self, at: usize) -> bool {
        self.roles[at.saturating_sub(2)..at].contains(&WordRole::No)
    }
}

/// A topic in its clause.
struct Says<'a> {
    clause: &'a Clause,
    drive: Option<Drive>,
    not: bool,
    no: bool,
    inherited: bool,
    at: usize,
}

impl Says<'_> {
    fn of(&self, role: WordRole) -> Option<Meaning> {
        match role {
            WordRole::Fault(kind) => self.fault(kind, true),
            WordRole::Bad(kind) => self.fault(kind, false),
            WordRole::Dark => self.dark(),
            WordRole::Night => {
                let keeps = matches!(self.drive, Some(Drive::Keep)) && !self.not;
                keeps.then_some(Meaning::Leave(Some(Kind::Light)))
            }
            WordRole::Target(kind) => self.target(kind),
            WordRole::Warm => {
                let thing = self.clause.has(WordRole::Thing) || self.clause.has(WordRole::It);
                let other = self.clause.any(|r| matches!(r, WordRole::Target(_)));
                (thing && !other).then(|| self.target(Kind::WarmObjects))?
            }
            WordRole::Wanted(kind) => self.wanted(kind),
            WordRole::Better(kind) => self.better(kind),
            WordRole::Worse(kind) => self.worse(kind),
            WordRole::Blind => self.blind(),
            WordRole::Lamp => {
                let dims = self.drive == Some(Drive::Suppress) && !self.not;
                dims.then(|| self.ask(Kind::Glare))
            }
            _ => None,
        }
    }

    fn ask(&self, kind: Kind) -> Meaning {
        Meaning::Ask(match kind {
            Kind::Noise if self.clause.has(WordRole::Infrared) => Kind::NoiseInInfrared,
            Kind::Noise if self.of_visible() => Kind::NoiseInVisible,
            kind => kind,
        })
    }

    /// "visible" as the name of a source.
    fn of_visible(&self) -> bool {
        let named = |pair: &[WordRole]| pair == [WordRole::Seen, WordRole::Picture];
        self.clause.has(WordRole::Visible) || self.clause.roles.windows(2).any(named)
    }

    fn ask_or_leave(&self, kind: Kind, asks: bool) -> Option<Meaning> {
        Some(match asks {
            true => self.ask(kind),
            false => Meaning::Leave(Some(kind)),
        })
    }

    /// A fault that is named, and what is done with it.
    fn fault(&self, kind: Kind, is_noun: bool) -> Option<Meaning> {
        let negated = self.not || self.no;
        let asks = match self.drive {
            Some(Drive::Suppress) => !self.not,
            // "Recover the highlights."
            Some(Drive::Raise) if is_noun && kind == Kind::OverExposure => !negated,
            Some(Drive::Raise) => {
                let through = self.clause.has(WordRole::Through);
                let context = self
                    .clause
                    .any(|r| matches!(r, WordRole::Target(_) | WordRole::Better(_)));
                if context && !through {
                    return self
                        .clause
                        .has(WordRole::Worse(kind))
                        .then_some(Meaning::Leave(Some(kind)));
                }
                negated || through
            }
            Some(Drive::Make) if is_noun => {
                let goes = self.clause.has(WordRole::Lost) || self.clause.has(WordRole::Off);
                return goes.then(|| self.ask_or_leave(kind, !self.not))?;
            }
            Some(Drive::Make | Drive::Should) => negated,
            Some(Drive::Keep) => negated || self.clause.has(WordRole::Lack),
            Some(Drive::Let) => negated,
            Some(Drive::State) => {
                let subject = self.clause.roles[..self.at].contains(&WordRole::Unknown);
                // "Is this picture dark?", "Where there is smoke ...", "I am in the dark."
                let first = self.clause.roles.first();
                let asks = self.clause.asks && first == Some(&WordRole::Be);
                let other = first == Some(&WordRole::Asks) || self.is_about_me();
                if subject || negated || asks || other {
                    return None;
                }
                true
            }
            None if self.no => true,
            None if self.not => return Some(Meaning::Leave(Some(kind))),
            None => {
                let bare = is_noun && self.clause.is_bare();
                return bare.then(|| self.ask(kind));
            }
        };
        // "not the haze" after "remove the noise".
        let asks = asks && !(self.inherited && self.not && self.drive != Some(Drive::Suppress));
        self.ask_or_leave(kind, asks)
    }

    /// "I am", but not "I see" or "I have".
    fn is_about_me(&self) -> bool {
        let before = &self.clause.roles[..self.at];
        let be = before.iter().position(|r| *r == WordRole::Be);
        be.is_some_and(|at| at > 0 && before[at - 1] == WordRole::I)
    }

    fn dark(&self) -> Option<Meaning> {
        let others = |r: WordRole| {
            matches!(
                r,
                WordRole::Better(_) | WordRole::Target(_) | WordRole::Warm
            )
        };
        if self.clause.any(others) {
            // "Brighten the dark road", "people in the dark".
            return None;
        }
        let raises = matches!(self.drive, Some(Drive::Raise));
        if raises && self.clause.any(|r| matches!(r, WordRole::Worse(_))) {
            return Some(Meaning::Leave(Some(Kind::Light)));
        }
        if raises {
            return self.ask_or_leave(Kind::Light, !(self.not || self.no));
        }
        self.fault(Kind::Light, false)
    }

    fn target(&self, kind: Kind) -> Option<Meaning> {
        let before = &self.clause.roles[..self.at];
        let other = before
            .iter()
            .rposition(|r| matches!(r, WordRole::Target(_)));
        if other.is_some_and(|at| !before[at..].contains(&WordRole::And)) {
            return None; // "The men near the car."
        }
        let seen = self
            .clause
            .any(|r| matches!(r, WordRole::Seen | WordRole::Raise | WordRole::See));
        let lost = self.clause.has(WordRole::Lost);
        let negated = self.not || self.no;
        let asks = match self.drive {
            Some(Drive::Raise) if !self.inherited && !self.clause.any(is_raising) => return None,
            Some(Drive::Raise) => !negated,
            Some(Drive::Suppress) => self.not,
            Some(Drive::Make) => {
                let worse = self
                    .clause
                    .any(|r| matches!(r, WordRole::Worse(_) | WordRole::Dark));
                let better = seen
                    || self
                        .clause
                        .any(|r| matches!(r, WordRole::Better(_) | WordRole::Wanted(_)));
                if !worse && !better && !lost {
                    return None;
                }
                if worse {
                    return Some(Meaning::Leave(Some(kind)));
                }
                lost == negated
            }
            Some(Drive::Keep) => seen && !negated,
            Some(Drive::Let) => (lost && negated) || (seen && !negated),
            Some(Drive::State) => return self.target_stated(kind, lost, seen),
            Some(Drive::Should) => seen && !negated,
            None if negated => false,
            None if self.clause.asks || self.clause.has(WordRole::Asks) => true,
            None => return self.clause.is_phrase().then(|| self.ask(kind)),
        };
        self.ask_or_leave(kind, asks)
    }

    /// "Is anyone there?", "The people are hard to see."
    fn target_stated(&self, kind: Kind, lost: bool, seen: bool) -> Option<Meaning> {
        let asks = self.clause.asks || self.clause.roles.first() == Some(&WordRole::Asks);
        let unseen = lost || seen && self.not;
        let known = !self.clause.roles[..self.at].contains(&WordRole::Unknown);
        (known && (asks || unseen)).then(|| self.ask(kind))
    }

    /// Something that can be strengthened.
    fn wanted(&self, kind: Kind) -> Option<Meaning> {
        let target = self.clause.any(|r| matches!(r, WordRole::Target(_)));
        let absorbed = target && matches!(kind, Kind::Light | Kind::Blur | Kind::InfraredContrast);
        let stated = matches!(self.drive, Some(Drive::State));
        if absorbed && !stated {
            return None;
        }
        let negated = self.not || self.no;
        let lacks = self.clause.has(WordRole::Lack) || self.no;
        let asks = match self.drive {
            Some(Drive::Raise | Drive::Make | Drive::Should) => !negated,
            Some(Drive::Keep) if kind == Kind::Light => return None,
            Some(Drive::Keep) if !negated => return Some(Meaning::Hold(kind)),
            Some(Drive::Keep | Drive::Let) => !negated,
            Some(Drive::Suppress) => {
                let bright = kind == Kind::Light && !self.not;
                return if bright && self.clause.has(WordRole::Lamp) {
                    Some(self.ask(Kind::Glare))
                } else {
                    (!self.not).then_some(Meaning::Leave(Some(kind)))
                };
            }
            Some(Drive::State) => {
                let known = !self.clause.roles[..self.at].contains(&WordRole::Unknown);
                return (known && lacks).then(|| self.ask(kind));
            }
            None if negated => false,
            None => {
                let vague = matches!(kind, Kind::Light | Kind::Blur);
                let bare = self.clause.is_phrase() && !vague;
                return bare.then(|| self.ask(kind));
            }
        };
        self.ask_or_leave(kind, asks)
    }

    fn better(&self, kind: Kind) -> Option<Meaning> {
        let negated = self.not || self.no;
        let has = |test: fn(WordRole) -> bool| self.clause.any(test);
        if has(|r| matches!(r, WordRole::Target(_))) && matches!(kind, Kind::Light | Kind::Blur) {
            return None; // "Make the people brighter" is about the people.
        }
        if kind == Kind::Blur && self.clause.has(WordRole::Wanted(Kind::Edges)) {
            return None;
        }
        let asks = !negated && !matches!(self.drive, Some(Drive::Suppress));
        self.ask_or_leave(kind, asks)
    }

    fn worse(&self, kind: Kind) -> Option<Meaning> {
        let over = self.clause.any(|r| {
            matches!(
                r,
                WordRole::Bad(Kind::OverExposure) | WordRole::Fault(Kind::OverExposure)
            )
        });
        let bright = self.clause.has(WordRole::Wanted(Kind::Light)) || over;
        if kind == Kind::Light && bright && !self.not {
            return Some(self.ask(Kind::OverExposure));
        }
        Some(Meaning::Leave(Some(kind)))
    }

    fn blind(&self) -> Option<Meaning> {
        let ours = |r: WordRole| {
            matches!(
                r,
                WordRole::Me | WordRole::Lamp | WordRole::Picture | WordRole::Fault(Kind::Glare)
            )
        };
        self.clause.any(ours).then(|| self.ask(Kind::Glare))
    }
}

/// It raises a target; "more people" does not.
fn is_raising(role: WordRole) -> bool {
    matches!(
        role,
        WordRole::Raise | WordRole::See | WordRole::Better(_) | WordRole::Worse(_) | WordRole::Seen
    )
}
