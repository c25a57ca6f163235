use proptest::prelude::*;

use super::*;

/// A frame without a picture.
#[derive(Debug, Clone)]
struct Stub {
    time: Timestamp,
    number: u64,
}

impl Timed for Stub {
    fn timestamp(&self) -> Timestamp {
        self.time
    }
}

fn ms(millis: u64) -> Timestamp {
    Timestamp::from_nanos(millis * 1_000_000)
}

fn at(millis: u64, number: u64) -> Stub {
    Stub {
        time: ms(millis),
        number,
    }
}

fn pairer() -> Pairer<Stub> {
    Pairer::new(PairingConfig::default())
}

/// When a pair left, and the numbers in it.
#[derive(Debug, Clone, PartialEq)]
struct Out {
    now: u64,
    times: [Option<u64>; 2],
    numbers: [Option<u64>; 2],
    stale: [bool; 2],
}

fn poll(pairer: &mut Pairer<Stub>, now: u64) -> Option<Out> {
    pairer.poll(ms(now)).map(|pair| Out {
        now,
        times: pair
            .frames
            .each_ref()
            .map(|f| f.as_ref().map(|f| f.time.as_nanos() / 1_000_000)),
        numbers: pair.frames.each_ref().map(|f| f.as_ref().map(|f| f.number)),
        stale: pair.stale,
    })
}

/// Plays two lists of (time taken, time arrived) and asks every millisecond.
fn play(pairer: &mut Pairer<Stub>, streams: [&[(u64, u64)]; 2], until: u64) -> Vec<Out> {
    let mut out = Vec::new();
    for now in 0..until {
        for (role, stream) in [Role::Infrared, Role::Visible].into_iter().zip(streams) {
            for (number, &(taken, _)) in stream.iter().enumerate().filter(|(_, f)| f.1 == now) {
                pairer.push(role, at(taken, number as u64), ms(now));
            }
        }
        out.extend(poll(pairer, now));
    }
    out
}

fn stream(first: u64, period: u64, latency: u64, count: u64) -> Vec<(u64, u64)> {
    (0..count)
        .map(|i| (first + i * period, first + i * period + latency))
        .collect()
}

#[test]
fn equal_rates_pair_with_the_nearest_frame_and_nothing_is_dropped() {
    for phase in [1, 5, 16, 20, 32] {
        let (a, b) = (stream(500 + phase, 33, 4, 60), stream(500, 33, 4, 60));
        let mut pairer = pairer();
        let out = play(&mut pairer, [&a, &b], 3000);
        // At the end the infrared side may have one more, which leaves on its own.
        assert!(
            (60..=61).contains(&out.len()),
            "phase {phase}: {}",
            out.len()
        );
        for pair in &out[2..59] {
            let (Some(a), Some(b)) = (pair.times[0], pair.times[1]) else {
                panic!("a side is missing: {pair:?}");
            };
            assert!(a.abs_diff(b) <= 17, "phase {phase}: {pair:?}");
            assert_eq!(pair.stale, [false; 2]);
        }
        assert!(pairer.dropped() <= 2, "{}", pairer.dropped());
    }
}

#[test]
fn a_slow_stream_is_used_again_and_the_fast_one_is_not_held_up() {
    let (slow, fast) = (stream(500, 111, 9, 20), stream(507, 33, 5, 66));
    let mut pairer = pairer();
    let out = play(&mut pairer, [&slow, &fast], 2600);
    // All visible frames leave, apart from those of the first moments.
    assert!(out.len() >= 64, "{}", out.len());
    for pair in &out[8..] {
        assert_eq!(pair.stale, [false; 2], "{pair:?}");
        let taken = pair.times[1].expect("the fast side is always there");
        assert!(pair.now - taken - 5 <= 17, "{pair:?}");
        assert!(pair.times[0].expect("held").abs_diff(taken) <= 111 + 9);
    }
}

#[test]
fn a_shutter_pause_marks_the_held_frame_stale_and_then_lets_it_go() {
    let mut thermal = stream(0, 33, 2, 30);
    thermal.extend(stream(5000, 33, 2, 30));
    let visible = stream(3, 33, 2, 180);
    let mut pairer = pairer();
    let out = play(&mut pairer, [&thermal, &visible], 5900);
    let near = |time: u64| out.iter().find(|p| p.now >= time).expect("there is one");
    assert_eq!(near(900).stale, [false, false]);
    assert_eq!(near(1500).stale, [true, false]);
    assert_eq!(near(1500).numbers[0], Some(29));
    assert_eq!(near(4800).numbers[0], None, "missing after the time-out");
    assert_eq!(near(5300).stale, [false, false]);
    assert!(near(5300).numbers[0] > Some(29));
    // The visible picture never pauses.
    assert!(out.windows(2).all(|w| w[1].now - w[0].now <= 70));
}

#[test]
fn the_slower_side_drives_when_the_faster_one_is_silent() {
    let (slow, fast) = (stream(0, 111, 5, 60), stream(0, 33, 5, 30));
    let out = play(&mut pairer(), [&slow, &fast], 6600);
    let late: Vec<_> = out
        .iter()
        .filter(|p| p.now > 1200 && p.now < 4000)
        .collect();
    assert!(late.len() >= 24, "{}", late.len());
    assert!(late.iter().all(|p| p.stale == [false, true]), "{late:?}");
    let last = out.last().expect("there is one");
    assert_eq!(last.numbers[1], None);
    assert_eq!(last.numbers[0], Some(58 + 1));
}

#[test]
fn an_unplugged_side_is_missing_at_once() {
    let mut pairer = pairer();
    pairer.push(Role::Infrared, at(0, 0), ms(1));
    pairer.push(Role::Visible, at(1, 0), ms(2));
    assert_eq!(
        poll(&mut pairer, 2).map(|p| p.numbers),
        Some([Some(0), Some(0)])
    );
    pairer.lose(Role::Infrared);
    pairer.push(Role::Visible, at(34, 1), ms(35));
    assert_eq!(
        poll(&mut pairer, 35).map(|p| p.numbers),
        Some([None, Some(1)])
    );
}

#[test]
fn the_newest_frame_wins_and_the_displaced_ones_are_counted() {
    let mut pairer = pairer();
    for i in 0..5 {
        pairer.push(Role::Visible, at(100 + 33 * i, i), ms(240));
    }
    assert_eq!(
        poll(&mut pairer, 240).map(|p| p.numbers),
        Some([None, Some(4)])
    );
    assert_eq!(poll(&mut pairer, 241), None);
    assert_eq!(pairer.dropped(), 4);
}

#[test]
fn a_frame_out_of_order_is_dropped_but_a_restarted_clock_is_followed() {
    let mut pairer = pairer();
    pairer.push(Role::Visible, at(90_000, 0), ms(0));
    assert!(poll(&mut pairer, 0).is_some());
    pairer.push(Role::Visible, at(89_990, 1), ms(1));
    assert_eq!(poll(&mut pairer, 1), None);
    assert_eq!(pairer.dropped(), 1);
    pairer.push(Role::Visible, at(50, 2), ms(2));
    assert_eq!(
        poll(&mut pairer, 2).map(|p| p.numbers),
        Some([None, Some(2)])
    );
}

#[test]
fn the_deadline_is_when_a_waiting_frame_leaves() {
    let mut pairer = pairer();
    pairer.push(Role::Infrared, at(10, 0), ms(11));
    pairer.push(Role::Visible, at(30, 0), ms(31));
    // The next infrared frame, due at 43, would be nearer than the one at 10.
    assert_eq!(poll(&mut pairer, 31), None);
    let deadline = pairer.deadline(ms(31)).expect("it waits").as_nanos() / 1_000_000;
    assert!((32..=48).contains(&deadline), "{deadline}");
    assert_eq!(
        poll(&mut pairer, deadline + 1).map(|p| p.numbers),
        Some([Some(0), Some(0)])
    );
}

/// Frames of one stream: steps between them, and how late each arrives.
fn any_stream() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let step = prop_oneof![8 => 8u64..140, 1 => 300u64..5000];
    proptest::collection::vec((step, 0u64..60), 0..60).prop_map(|steps| {
        let (mut taken, mut arrived) = (0, 0);
        let frame = |(step, late): (u64, u64)| {
            taken += step;
            arrived = (taken + late).max(arrived);
            (taken, arrived)
        };
        steps.into_iter().map(frame).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_frame_is_used_dropped_or_held_and_none_goes_back(
        a in any_stream(), b in any_stream(),
    ) {
        let end = a.iter().chain(&b).map(|f| f.1).max().unwrap_or(0) + 6_000;
        let mut pairer = pairer();
        let out = play(&mut pairer, [&a, &b], end);
        let mut used = 0;
        for side in 0..2 {
            let numbers: Vec<u64> = out.iter().filter_map(|p| p.numbers[side]).collect();
            prop_assert!(numbers.windows(2).all(|w| w[0] <= w[1]), "side {} goes back", side);
            let mut once = numbers;
            once.dedup();
            used += once.len() as u64;
        }
        // By the end everything held was let go.
        prop_assert_eq!(used + pairer.dropped(), (a.len() + b.len()) as u64);
        for pair in &out {
            prop_assert!(pair.numbers.iter().any(Option::is_some));
            prop_assert!(pair.numbers != [None, None] && pair.stale != [true, true]);
            if let [Some(a), Some(b)] = pair.times
                && a.abs_diff(b) > 250 {
                prop_assert!(pair.stale[0] || pair.stale[1], "{:?}", pair);
            }
        }
        // Each pair brings something new.
        prop_assert!(out.windows(2).all(|w| w[0].numbers != w[1].numbers));
    }
}

#[test]
fn a_side_that_is_kept_is_held_and_marked_for_as_long() {
    let held = |kept: bool| {
        let mut pairer = pairer();
        pairer.push(Role::Infrared, at(0, 0), ms(0));
        let mut last = None;
        // The other side goes on for six seconds, longer than a silent side is held.
        for number in 0..180 {
            let now = number * 33;
            pairer.push(Role::Visible, at(now, number), ms(now));
            if kept {
                pairer.keep(Role::Infrared, ms(now));
            }
            last = poll(&mut pairer, now + 20).or(last);
        }
        last.map(|out| (out.numbers[0], out.stale[0]))
    };
    assert_eq!(held(true), Some((Some(0), true)));
    assert_eq!(held(false), Some((None, false)));
}
