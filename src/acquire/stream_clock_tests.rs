use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// A camera of 30 frames a second whose clock is `ahead` of the board's and `ppm` slower, on a bus
/// that takes 2 to 2 + `jitter_ms` milliseconds.
struct Camera {
    ahead: i64,
    ppm: f64,
    jitter_ms: u64,
    random: u64,
}

impl Camera {
    /// When frame `n` is taken, what it is stamped with, when it arrives.
    fn frame(&mut self, n: u64) -> (u64, Timestamp, Timestamp) {
        let taken = 100 * SECOND + n * SECOND / 30;
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let late = 2_000_000 + (self.random >> 33) % (self.jitter_ms * 1_000_000 + 1);
        let slower = (n as f64 / 30.0 * self.ppm * 1e3) as i64;
        let stamp = taken as i64 + self.ahead - slower;
        (taken, at(stamp as u64), at(taken + late))
    }
}

proptest! {
    #[test]
    fn a_clock_of_its_own_is_followed(
        ahead in prop_oneof![-90i64..-2, 2i64..5_000_000_000], ppm in -300f64..300.0,
        jitter_ms in 0u64..25, random: u64,
    ) {
        let mut camera = Camera { ahead: ahead * SECOND as i64, ppm, jitter_ms, random };
        let mut clock = StreamClock::new(Some(30.0));
        let mut last = Timestamp::ZERO;
        for n in 0..3600 {
            let (taken, stamp, arrived) = camera.frame(n);
            let placed = clock.place(Some(stamp), n, arrived);
            prop_assert!(placed > last && placed <= arrived, "frame {}", n);
            last = placed;
            // After the first window only the bus's constant part and the drift of two windows
            // are left, and what chance left of the jitter.
            if n > 300 {
                let error = placed.distance(at(taken)).as_secs_f64() * 1e3;
                prop_assert!(error < 2.0 + 8.5e-3 * ppm.abs() + jitter_ms as f64 / 4.0, "{} ms", error);
            }
        }
        let reading = clock.reading();
        prop_assert!(reading.own_clock && reading.steps == 0, "{:?}", reading);
        let drift = reading.drift_ppm.unwrap();
        prop_assert!((drift - ppm).abs() < 2.0 + 8.0 * jitter_ms as f64, "{} for {}", drift, ppm);
        let rate = reading.rate_ppm.unwrap();
        prop_assert!((rate - ppm).abs() < 2.0, "rate {} for {}", rate, ppm);
    }
}

#[test]
fn the_boards_own_stamps_are_taken_as_they_are() {
    let mut camera = Camera {
        ahead: 0,
        ppm: 0.0,
        jitter_ms: 300,
        random: 7,
    };
    let mut clock = StreamClock::new(Some(30.0));
    for n in 0..600 {
        let (_, stamp, arrived) = camera.frame(n);
        assert_eq!(clock.place(Some(stamp), n, arrived), stamp);
    }
    let reading = clock.reading();
    assert!(
        !reading.own_clock && (2.0..15.0).contains(&reading.offset_ms),
        "{reading:?}"
    );
    assert!((reading.fps - 30.0).abs() < 0.01, "{reading:?}");
}

#[test]
fn a_driver_that_stamps_the_end_of_a_frame_ahead_keeps_the_boards_clock() {
    // As vivid does: nine tenths of a period ahead, now and then the stamp of the frame before.
    let mut clock = StreamClock::new(Some(5.0));
    for n in 0..200u64 {
        let arrived = at(SECOND + n * SECOND / 5);
        let ahead = if n % 50 == 49 { 0 } else { 180_000_000 };
        let stamp = at(arrived.as_nanos() + ahead);
        assert_eq!(clock.place(Some(stamp), n, arrived), stamp);
    }
    assert!(!clock.reading().own_clock);
    assert_eq!(clock.reading().steps, 0);
}

#[test]
fn a_late_first_buffer_does_not_make_it_another_clock() {
    let mut clock = StreamClock::new(None);
    // The thread was busy for three seconds when the stream began.
    let placed = clock.place(Some(at(10 * SECOND)), 0, at(13 * SECOND));
    assert_eq!(placed, at(13 * SECOND));
    assert!(clock.reading().own_clock);
    let stamp = at(13 * SECOND + 30_000_000);
    assert_eq!(
        clock.place(Some(stamp), 1, stamp.plus(Duration::from_millis(4))),
        stamp
    );
    assert!(!clock.reading().own_clock);
}

#[test]
fn a_clock_that_is_set_or_wraps_is_measured_anew() {
    let mut clock = StreamClock::new(Some(30.0));
    let mut now = 500 * SECOND;
    let mut run = |clock: &mut StreamClock, stamp_of: &dyn Fn(u64) -> u64| {
        for _ in 0..200 {
            now += SECOND / 30;
            let placed = clock.place(
                Some(at(stamp_of(now))),
                now * 30 / SECOND,
                at(now + 3_000_000),
            );
            assert!(
                placed.distance(at(now)) <= Duration::from_millis(3),
                "{placed:?} at {now}"
            );
        }
    };
    run(&mut clock, &|now| now);
    assert_eq!(
        (clock.reading().own_clock, clock.reading().steps),
        (false, 0)
    );
    // Ahead by an age, as vivid's wrapping stamps are; then back at zero; then the board's again.
    run(&mut clock, &|now| now + (1 << 62));
    assert_eq!(
        (clock.reading().own_clock, clock.reading().steps),
        (true, 1)
    );
    run(&mut clock, &|now| now - 500 * SECOND);
    assert_eq!(
        (clock.reading().own_clock, clock.reading().steps),
        (true, 2)
    );
    run(&mut clock, &|now| now);
    assert_eq!(
        (clock.reading().own_clock, clock.reading().steps),
        (false, 3)
    );
}

#[test]
fn rates_come_from_numbers_and_stamps() {
    let mut clock = StreamClock::new(Some(30.0));
    assert_eq!(clock.place(None, 0, at(SECOND)), at(SECOND));
    assert_eq!(clock.reading(), ClockReading::default());
    // Every other frame was lost on the way: the camera keeps its rate all the same.
    for n in (0..600u64).step_by(2) {
        let stamp = at(SECOND + n * SECOND / 30);
        clock.place(Some(stamp), n, stamp);
    }
    assert!(
        (clock.reading().fps - 30.0).abs() < 0.01 && clock.reading().rate_ppm.unwrap().abs() < 1.0
    );
    // A camera that exposes for longer has another rate, not a wrong clock.
    let mut slow = StreamClock::new(Some(30.0));
    for n in 0..300u64 {
        let stamp = at(SECOND + n * SECOND / 15);
        slow.place(Some(stamp), n, stamp);
    }
    assert!((slow.reading().fps - 15.0).abs() < 0.01);
    assert_eq!(slow.reading().rate_ppm, None);
}
