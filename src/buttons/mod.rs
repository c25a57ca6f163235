//! Buttons on GPIO lines: what was pressed, and what that asks for.
//!
//! Input: edges of lines, from a GPIO chip or a named pipe. Output: [`Action`]s. Thread: main, which does
//! them as it does what filmctl asks for. Fails when: the chip is not there or a line is in use. Not its
//! job: what an action does.

mod gestures;
mod lines;

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

pub use self::gestures::{Edge, Gestures};
use self::lines::Lines;
use crate::clock::Timestamp;
use crate::config::{Action, ButtonsConfig};

/// Why there are no buttons.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ButtonError(String);

/// The buttons of a board.
pub struct Buttons {
    lines: Lines,
    gestures: Gestures,
    /// When the lines will have been at rest since their last edge.
    rest_at: Option<Timestamp>,
    debounce: Duration,
    broken: bool,
}

impl Buttons {
    /// Asks for the lines that `config` names.
    ///
    /// # Errors
    /// [`ButtonError`], with what was found and what to do.
    pub fn open(config: &ButtonsConfig) -> Result<Self, ButtonError> {
        Ok(Self {
            lines: Lines::open(config).map_err(ButtonError)?,
            gestures: Gestures::new(config),
            rest_at: None,
            debounce: config.debounce(),
            broken: false,
        })
    }

    /// Readable once something was pressed or let go; `None` once the chip is gone.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        (!self.broken).then(|| self.lines.fd())
    }

    /// When [`Buttons::poll`] should be called although nothing is readable: a press is about to
    /// count, or to become a long one.
    pub fn deadline(&self) -> Option<Timestamp> {
        [self.rest_at, self.gestures.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next action asked for until `now`; `None` when there is none (more).
    pub fn poll(&mut self, now: Timestamp) -> Option<Action> {
        while !self.broken {
            match self.lines.next() {
                Ok(Some(edge)) => {
                    self.rest_at = Some(edge.at.plus(self.debounce));
                    self.gestures.feed(edge);
                }
                Ok(None) => break,
                Err(error) => self.give_up(&error),
            }
        }
        if self.rest_at.is_some_and(|at| at <= now) {
            self.rest_at = None;
            self.look(now);
        }
        self.gestures.next(now)
    }

    /// A controller that is asked late merges edges, and where contacts bounce the last one may be
    /// lost: what the lines are at rest counts.
    fn look(&mut self, now: Timestamp) {
        match self.lines.levels() {
            Ok(levels) => {
                for (line, pressed) in levels {
                    self.gestures.feed(Edge {
                        line,
                        pressed,
                        at: now,
                    });
                }
            }
            Err(error) => self.give_up(&error),
        }
    }

    fn give_up(&mut self, error: &io::Error) {
        log::error!("the buttons are gone: {error}; `filmctl reload` tries again");
        self.broken = true;
    }
}
