//! From edges to gestures: short, long, and two buttons together; bounce is waited out.
//!
//! Input: [`Edge`]s with their own times. Output: [`Action`]s. Unknown lines are ignored. Not its job:
//! clocks.
//!
//! A change of a line counts once the line has been at rest for the debounce time. A button
//! with nothing but a short action acts when it is pressed; one that may become a long press or
//! part of a chord acts when it is let go.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::{Action, ButtonConfig, ButtonsConfig, ChordConfig};

/// A line changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Which.
    pub line: u32,
    /// The button is down now.
    pub pressed: bool,
    /// When, on filmd's clock.
    pub at: Timestamp,
}

/// A button between edges.
#[derive(Debug)]
struct Button {
    config: ButtonConfig,
    in_chord: bool,
    /// The last edge, which counts once it has rested.
    raw: bool,
    raw_at: Timestamp,
    /// What counts.
    down: bool,
    down_at: Timestamp,
    /// This press has done what it does.
    spent: bool,
}

/// All buttons of a board.
#[derive(Debug)]
pub struct Gestures {
    debounce: Duration,
    long: Duration,
    buttons: Vec<Button>,
    chords: Vec<ChordConfig>,
    actions: VecDeque<Action>,
}

impl Gestures {
    /// All up.
    pub fn new(config: &ButtonsConfig) -> Self {
        let button = |&config_of: &ButtonConfig| Button {
            config: config_of,
            in_chord: config
                .chord
                .iter()
                .any(|c| c.lines.contains(&config_of.line)),
            raw: false,
            raw_at: Timestamp::ZERO,
            down: false,
            down_at: Timestamp::ZERO,
            spent: false,
        };
        Self {
            debounce: config.debounce(),
            long: config.long(),
            buttons: config.button.iter().map(button).collect(),
            chords: config.chord.clone(),
            actions: VecDeque::with_capacity(16),
        }
    }

    /// Takes an edge in. Edges come in order.
    pub fn feed(&mut self, edge: Edge) {
        // What had come to rest before this edge, also where nobody looked in between.
        self.advance(edge.at);
        let found = self.buttons.iter_mut().find(|b| b.config.line == edge.line);
        if let Some(button) = found
            && button.raw != edge.pressed
        {
            button.raw = edge.pressed;
            button.raw_at = edge.at;
        }
    }

    /// The next action asked for until `now`.
    pub fn next(&mut self, now: Timestamp) -> Option<Action> {
        self.advance(now);
        self.actions.pop_front()
    }

    /// When something will happen without another edge.
    pub fn deadline(&self) -> Option<Timestamp> {
        let rest = |b: &Button| (b.raw != b.down).then(|| b.raw_at.plus(self.debounce));
        let hold = |b: &Button| {
            let waits = b.down && !b.spent && b.config.long.is_some();
            waits.then(|| b.down_at.plus(self.long))
        };
        let times = self.buttons.iter().flat_map(|b| [rest(b), hold(b)]);
        times.flatten().min()
    }

    /// Lets everything happen that is due at `now`, in the order in which it was due.
    fn advance(&mut self, now: Timestamp) {
        while let Some(due) = self.deadline().filter(|due| *due <= now) {
            for n in 0..self.buttons.len() {
                let button = &mut self.buttons[n];
                if button.raw != button.down && button.raw_at.plus(self.debounce) == due {
                    button.down = button.raw;
                    if button.down {
                        button.down_at = button.raw_at;
                        self.pressed(n);
                    } else {
                        self.released(n);
                    }
                    continue;
                }
                let held = button.down && !button.spent && button.down_at.plus(self.long) == due;
                if let (true, Some(action)) = (held, button.config.long) {
                    button.spent = true;
                    self.actions.push_back(action);
                }
            }
        }
    }

    fn pressed(&mut self, n: usize) {
        let line = self.buttons[n].config.line;
        self.buttons[n].spent = false;
        let down = |line: u32| {
            let mut buttons = self.buttons.iter();
            buttons.any(|b| b.config.line == line && b.down && !b.spent)
        };
        let chord = self
            .chords
            .iter()
            .find(|c| c.lines.contains(&line) && c.lines.iter().all(|&l| down(l)));
        if let Some(&ChordConfig { lines, action }) = chord {
            self.actions.push_back(action);
            for button in &mut self.buttons {
                button.spent |= lines.contains(&button.config.line);
            }
            return;
        }
        let button = &mut self.buttons[n];
        if button.config.long.is_none() && !button.in_chord {
            button.spent = true;
            self.actions.extend(button.config.short);
        }
    }

    fn released(&mut self, n: usize) {
        let button = &mut self.buttons[n];
        if !std::mem::replace(&mut button.spent, true) {
            self.actions.extend(button.config.short);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(n: u64) -> Timestamp {
        Timestamp::from_nanos(n * 1_000_000)
    }

    fn gestures() -> Gestures {
        Gestures::new(&ButtonsConfig {
            debounce_ms: 10,
            long_ms: 500,
            button: vec![
                ButtonConfig {
                    line: 1,
                    short: Some(Action::Mode),
                    long: None,
                },
                ButtonConfig {
                    line: 2,
                    short: Some(Action::Palette),
                    long: Some(Action::Freeze),
                },
                ButtonConfig {
                    line: 3,
                    short: Some(Action::NudgeUp),
                    long: None,
                },
            ],
            chord: vec![ChordConfig {
                lines: [2, 3],
                action: Action::NudgeReset,
            }],
            ..ButtonsConfig::default()
        })
    }

    /// Edges as (time in ms, line, pressed); actions with the time at which each was seen, when
    /// somebody looks every millisecond.
    fn play(edges: &[(u64, u32, bool)], until: u64) -> Vec<(u64, Action)> {
        let mut gestures = gestures();
        let mut seen = Vec::new();
        for now in 0..=until {
            for &(at, line, pressed) in edges.iter().filter(|e| e.0 == now) {
                gestures.feed(Edge {
                    line,
                    pressed,
                    at: ms(at),
                });
            }
            while let Some(action) = gestures.next(ms(now)) {
                seen.push((now, action));
            }
        }
        seen
    }

    #[test]
    fn a_plain_button_acts_when_pressed_and_only_then() {
        let seen = play(&[(100, 1, true), (2000, 1, false)], 3000);
        assert_eq!(seen, [(110, Action::Mode)]);
    }

    #[test]
    fn a_press_is_short_or_long_never_both() {
        let seen = play(&[(100, 2, true), (300, 2, false)], 2000);
        assert_eq!(seen, [(310, Action::Palette)]);
        let seen = play(&[(100, 2, true), (1500, 2, false)], 2000);
        assert_eq!(seen, [(600, Action::Freeze)], "while it is still held");
    }

    #[test]
    fn bounce_counts_once_and_a_spike_not_at_all() {
        let bounce = [
            (100, 1, true),
            (102, 1, false),
            (104, 1, true),
            (105, 1, false),
            (107, 1, true),
            (400, 1, false),
            (403, 1, true),
            (405, 1, false),
        ];
        assert_eq!(play(&bounce, 1000), [(117, Action::Mode)]);
        assert_eq!(play(&[(100, 1, true), (103, 1, false)], 1000), []);
    }

    #[test]
    fn two_buttons_together_are_a_chord_and_nothing_else() {
        let chord = [
            (100, 2, true),
            (160, 3, true),
            (900, 3, false),
            (950, 2, false),
        ];
        assert_eq!(play(&chord, 2000), [(170, Action::NudgeReset)]);
        // One alone, afterwards, is itself again.
        let alone = [(100, 3, true), (200, 3, false)];
        assert_eq!(play(&alone, 1000), [(210, Action::NudgeUp)]);
    }

    #[test]
    fn an_action_is_found_late_as_well() {
        let mut gestures = gestures();
        for (at, pressed) in [(100, true), (200, false), (300, true), (400, false)] {
            gestures.feed(Edge {
                line: 2,
                pressed,
                at: ms(at),
            });
        }
        assert_eq!(gestures.next(ms(5000)), Some(Action::Palette));
        assert_eq!(gestures.next(ms(5000)), Some(Action::Palette));
        assert_eq!(gestures.next(ms(5000)), None);
        assert_eq!(gestures.deadline(), None);
    }

    proptest! {
        #[test]
        fn looking_seldom_gives_the_same_actions(
            steps in proptest::collection::vec((0_u64..60, 1_u32..=3, any::<bool>()), 0..40),
        ) {
            let mut at = 0;
            let edges: Vec<_> = steps.iter().map(|&(step, line, pressed)| {
                at += step;
                (at, line, pressed)
            }).collect();
            let often = play(&edges, at + 1000);
            let mut late = gestures();
            for &(at, line, pressed) in &edges {
                late.feed(Edge { line, pressed, at: ms(at) });
            }
            for (_, action) in often {
                prop_assert_eq!(late.next(ms(at + 1000)), Some(action));
            }
            prop_assert_eq!(late.next(ms(at + 1000)), None);
        }
    }
}
