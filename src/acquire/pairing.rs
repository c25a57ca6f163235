//! Pairs by time, from two streams that may differ in rate, stall or vanish.
//!
//! The faster stream drives: each of its frames leaves once, with the nearest frame of the other
//! stream, which is used again where that one is slower. A driving frame waits only while a nearer
//! partner is about to come, at most half its own period. Where the driving stream falls silent,
//! the other one drives.
//!
//! Input: frames with their times, and the time now. Output: [`Paired`]. Thread: acquire. Blocks: never.
//! Allocates: never (frames are shared, not copied). Not its job: clocks, devices, files; it does
//! no I/O.

use std::time::Duration;

use super::Role;
use crate::clock::Timestamp;

/// What the pairer needs to know of a frame.
pub trait Timed: Clone {
    /// When it was taken.
    fn timestamp(&self) -> Timestamp;
}

/// How frames are paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairingConfig {
    /// Two frames of streams of like rate at most this far apart are of one moment.
    pub max_skew: Duration,
    /// The same where a slow stream's frame is used again: older than this, it is stale.
    pub stale_after: Duration,
    /// A side that brought nothing for so long is missing; until then its last frame is held.
    pub missing_after: Duration,
    /// Period of each stream until it is measured, in the order infrared, visible.
    pub nominal_period: [Duration; 2],
}

impl Default for PairingConfig {
    fn default() -> Self {
        Self {
            max_skew: Duration::from_millis(60),
            stale_after: Duration::from_millis(250),
            // A thermal camera's shutter (FFC) takes 0.9 s, users see up to 3 s.
            missing_after: Duration::from_millis(3_500),
            nominal_period: [Duration::from_nanos(33_333_333); 2],
        }
    }
}

/// A pair, or one side alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paired<T> {
    /// Infrared, visible; at least one is there.
    pub frames: [Option<T>; 2],
    /// Which of them are held for too long to be of the same moment.
    pub stale: [bool; 2],
}

#[derive(Debug)]
struct Held<T> {
    frame: T,
    used: bool,
}

#[derive(Debug)]
struct Stream<T> {
    /// The newest frame.
    newest: Option<Held<T>>,
    /// The one before it, as long as it may still be the nearer one.
    before: Option<Held<T>>,
    /// When the newest arrived.
    arrived: Option<Timestamp>,
    /// When it was last said that more is to come.
    kept: Option<Timestamp>,
    /// Running mean of the time between frames, nanoseconds.
    period: u64,
}

impl<T: Timed> Stream<T> {
    fn time(&self) -> Option<Timestamp> {
        self.newest.as_ref().map(|held| held.frame.timestamp())
    }

    fn fresh(&self) -> bool {
        self.newest.as_ref().is_some_and(|held| !held.used)
    }

    fn silent_for(&self, now: Timestamp) -> Duration {
        self.arrived.map_or(Duration::MAX, |at| now.since(at))
    }
}

/// The two streams' newest frames.
#[derive(Debug)]
pub struct Pairer<T> {
    config: PairingConfig,
    streams: [Stream<T>; 2],
    dropped: u64,
}

/// A clock that jumps back by more than this has been set anew: the stream starts again.
const RESTART: Duration = Duration::from_secs(1);
/// A step between frames longer than this is a pause, not a period.
const LONGEST_PERIOD: Duration = Duration::from_millis(500);

const fn index(role: Role) -> usize {
    match role {
        Role::Infrared => 0,
        Role::Visible => 1,
    }
}

impl<T: Timed> Pairer<T> {
    /// A pairer without frames.
    pub fn new(config: PairingConfig) -> Self {
        let stream = |i: usize| Stream {
            newest: None,
            before: None,
            arrived: None,
            kept: None,
            period: nanos(config.nominal_period[i]).max(1),
        };
        Self {
            config,
            streams: [stream(0), stream(1)],
            dropped: 0,
        }
    }

    /// Frames that never left: displaced by a newer one, or out of order.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes a frame that arrived `now`.
    pub fn push(&mut self, role: Role, frame: T, now: Timestamp) {
        let side = index(role);
        let stream = &mut self.streams[side];
        if let Some(last) = stream.time() {
            let time = frame.timestamp();
            if time <= last && last.since(time) < RESTART {
                self.dropped += 1;
                return;
            }
            let step = time.since(last);
            if !step.is_zero() && step < LONGEST_PERIOD {
                stream.period = (stream.period * 7 + nanos(step)) / 8;
            }
            if time < last {
                // Started again: what is held belongs to another time.
                self.lose(role);
            }
        }
        let stream = &mut self.streams[side];
        stream.arrived = Some(now);
        let held = Held { frame, used: false };
        let displaced = std::mem::replace(&mut stream.before, stream.newest.replace(held));
        self.count_unused(displaced);
    }

    /// The device of this side is gone: what it brought is not used any more.
    pub fn lose(&mut self, role: Role) {
        let stream = &mut self.streams[index(role)];
        (stream.arrived, stream.kept) = (None, None);
        let (newest, before) = (stream.newest.take(), stream.before.take());
        self.count_unused(newest);
        self.count_unused(before);
    }

    /// This side brings nothing for a known reason (its shutter is closed): what it brought last is
    /// held on, although it is silent.
    pub fn keep(&mut self, role: Role, now: Timestamp) {
        self.streams[index(role)].kept = Some(now);
    }

    /// The next pair, if one is due.
    pub fn poll(&mut self, now: Timestamp) -> Option<Paired<T>> {
        self.expire(now);
        let driver = self.driver(now);
        if !self.streams[driver].fresh() || self.wait_until(driver).is_some_and(|t| now < t) {
            return None;
        }
        let time = self.streams[driver].time()?;
        let partner = 1 - driver;
        let held = self.take_partner(partner, time);
        let stale = held
            .as_ref()
            .is_some_and(|frame| frame.timestamp().distance(time) > self.limit(driver));
        // The driver's own frame stays as well: it is held if this side stalls.
        let before = self.streams[driver].before.take();
        self.count_unused(before);
        let mut frames = [None, None];
        frames[driver] = self.take_newest(driver);
        frames[partner] = held;
        let mut flags = [false; 2];
        flags[partner] = stale;
        Some(Paired {
            frames,
            stale: flags,
        })
    }

    /// When [`Self::poll`] should be asked again although no frame came; `None`: not needed.
    pub fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let driver = self.driver(now);
        if self.streams[driver].fresh() {
            return self.wait_until(driver);
        }
        // The other side has something and takes over once the driver counts as silent.
        let arrived = self.streams[driver].arrived?;
        self.streams[1 - driver]
            .fresh()
            .then(|| arrived.plus(self.silence(driver)))
    }

    /// The faster stream, or the other one where that is silent; visible where they are equal.
    fn driver(&self, now: Timestamp) -> usize {
        let [infrared, visible] = &self.streams;
        // An eighth of margin: two clocks of the same nominal rate must not take turns.
        let faster = usize::from(infrared.period + infrared.period / 8 >= visible.period);
        let silent = |i: usize| self.streams[i].silent_for(now) > self.silence(i);
        if silent(faster) && !silent(1 - faster) {
            1 - faster
        } else {
            faster
        }
    }

    /// How long a stream may pause before the other one drives.
    fn silence(&self, side: usize) -> Duration {
        let periods = Duration::from_nanos(self.streams[side].period).saturating_mul(5) / 2;
        periods.max(Duration::from_millis(50))
    }

    /// Until when the driver's newest frame waits for a nearer partner; `None`: none is to come.
    fn wait_until(&self, driver: usize) -> Option<Timestamp> {
        let time = self.streams[driver].time()?;
        let arrived = self.streams[driver].arrived?;
        let half = self.streams[driver].period / 2;
        let partner = &self.streams[1 - driver];
        let last = partner.time()?;
        if last >= time {
            return None;
        }
        let behind = nanos(time.since(last));
        let next = last.plus(Duration::from_nanos(partner.period));
        let nearer = nanos(next.distance(time)) < behind;
        let soon = next <= time.plus(Duration::from_nanos(half));
        // A partner that is overdue by a period has stalled: nothing to wait for.
        let overdue = behind > partner.period * 2;
        (nearer && soon && !overdue).then(|| arrived.plus(Duration::from_nanos(half)))
    }

    fn limit(&self, driver: usize) -> Duration {
        let (fast, slow) = (self.streams[driver].period, self.streams[1 - driver].period);
        if slow > fast + fast / 2 {
            self.config.max_skew.max(self.config.stale_after)
        } else {
            self.config.max_skew
        }
    }

    /// The partner's frame nearest to `time`; an older one that lost is gone.
    fn take_partner(&mut self, partner: usize, time: Timestamp) -> Option<T> {
        let distance = |held: &Option<Held<T>>| {
            let at = held.as_ref().map(|h| h.frame.timestamp());
            at.map_or(Duration::MAX, |at| at.distance(time))
        };
        let stream = &self.streams[partner];
        if stream.before.is_some() && distance(&stream.before) < distance(&stream.newest) {
            let held = self.streams[partner].before.take()?;
            return Some(held.frame);
        }
        let before = self.streams[partner].before.take();
        self.count_unused(before);
        self.take_newest(partner)
    }

    /// The newest frame, which stays to be used again with a later partner.
    fn take_newest(&mut self, side: usize) -> Option<T> {
        let held = self.streams[side].newest.as_mut()?;
        held.used = true;
        Some(held.frame.clone())
    }

    /// Lets go of sides that brought nothing for too long.
    fn expire(&mut self, now: Timestamp) {
        for role in [Role::Infrared, Role::Visible] {
            let stream = &self.streams[index(role)];
            let kept = stream.kept.map_or(Duration::MAX, |at| now.since(at));
            let silent = stream.silent_for(now).min(kept);
            if stream.arrived.is_some() && silent > self.config.missing_after {
                self.lose(role);
            }
        }
    }

    fn count_unused(&mut self, held: Option<Held<T>>) {
        self.dropped += u64::from(held.is_some_and(|held| !held.used));
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "pairing_tests.rs"]
mod tests;
