//! Cameras that are opened late, again, or not at all.

use super::*;

/// Takes pairs until a time in milliseconds, or until none comes.
fn run_until(source: &mut PairedCameras<Fake>, world: &Shared, end: u64) {
    while source.next_pair(WAIT).is_ok() {
        if world.lock().unwrap().now > end {
            break;
        }
    }
}

#[test]
fn a_camera_that_hangs_is_opened_anew() {
    let mut world = steady(10, 400);
    world.script[0].truncate(20);
    let (mut source, shared) = open(world);
    run_until(&mut source, &shared, 13_000);
    let opened = shared.lock().unwrap().opened.clone();
    assert!(opened[0].len() >= 2 && opened[1].len() == 1, "{opened:?}");
}

#[test]
fn a_camera_that_refuses_at_the_start_is_tried_again_and_says_why() {
    let mut world = steady(10, 400);
    world.plugged_from[1] = 3_000;
    let (mut source, shared) = open(world);
    assert_eq!(source.complaints(), [None, Some("/dev/GREY: gone")]);
    let mut both = 0;
    while let Ok(pair) = source.next_pair(WAIT) {
        let now = shared.lock().unwrap().now;
        assert!(now > 3_000 || pair.visible.is_none());
        both += u32::from(pair.infrared.is_some() && pair.visible.is_some());
    }
    assert!(both > 100, "{both}");
    assert_eq!(source.complaints(), [None, None]);
}

#[test]
fn a_camera_that_takes_seven_seconds_to_open_holds_up_nobody() {
    let (mut source, shared) = open(unplugged(9_500));
    shared.lock().unwrap().open_takes[0] = 7_000;
    let (mut last, mut both_after) = (0, 0);
    while let Ok(pair) = source.next_pair(WAIT) {
        let now = shared.lock().unwrap().now;
        if now >= 19_700 {
            break;
        }
        assert!(now - last < 200, "the visible picture pauses at {now}");
        last = now;
        both_after += u32::from(now > 12_000 && pair.infrared.is_some());
    }
    assert!(both_after > 200, "{both_after}");
    let opened = shared.lock().unwrap().opened.clone();
    assert_eq!((opened[0].len(), opened[1].len()), (2, 1), "{opened:?}");
}

#[test]
fn a_wedged_camera_at_the_start_costs_three_seconds_and_then_nothing() {
    let mut world = steady(3_010, 200);
    world.open_takes[0] = 60_000;
    let (mut source, shared) = open(world);
    assert_eq!(shared.lock().unwrap().now, 3_000);
    for _ in 0..100 {
        let pair = source.next_pair(WAIT).unwrap();
        assert!(pair.infrared.is_none() && pair.visible.is_some());
    }
    assert_eq!(shared.lock().unwrap().opened[0].len(), 1);
}

#[test]
fn a_late_first_pair_and_a_long_pause_open_nothing_anew() {
    let (mut source, shared) = open(steady(10, 900));
    for pause in [7_000, 8_000] {
        shared.lock().unwrap().now += pause;
        for _ in 0..50 {
            let _ = source.next_pair(WAIT);
        }
    }
    let opened = shared.lock().unwrap().opened.clone();
    assert_eq!((opened[0].len(), opened[1].len()), (1, 1), "{opened:?}");
}

#[test]
fn a_camera_that_sends_only_damaged_buffers_is_opened_anew() {
    let mut world = steady(10, 400);
    for (_, event) in &mut world.script[0] {
        if let Event::Frame { error, .. } = event {
            *error = true;
        }
    }
    let (mut source, shared) = open(world);
    run_until(&mut source, &shared, 13_000);
    let opened = shared.lock().unwrap().opened.clone();
    assert!(opened[0].len() >= 2 && opened[1].len() == 1, "{opened:?}");
    assert!(source.counters().damaged > 300);
}

fn cameras() -> CamerasConfig {
    CamerasConfig {
        infrared: camera("Y16"),
        visible: camera("GREY"),
        max_skew_ms: 60,
    }
}

#[test]
fn a_camera_that_is_absent_at_the_start_is_taken_when_it_comes() {
    let mut world = steady(10, 400);
    world.absent = true;
    world.plugged_from[0] = 4_000;
    // What an unplugged camera would have brought.
    while world.script[0].front().is_some_and(|event| event.0 < 4_000) {
        world.script[0].pop_front();
    }
    let (mut source, shared) = open(world);
    assert_eq!(source.info().infrared, Size::new(4, 3));
    let (mut alone, mut first_both) = (0, None);
    while let Ok(pair) = source.next_pair(WAIT) {
        let now = shared.lock().unwrap().now;
        match pair.infrared {
            Some(_) => first_both = first_both.or(Some(now)),
            None => alone += 1,
        }
        if now > 8_000 {
            break;
        }
    }
    // Looked for twice a second, however long it was away.
    let first = first_both.unwrap();
    assert!(
        alone > 80 && (4_000..4_700).contains(&first),
        "{alone} alone, then at {first}"
    );
}

#[test]
fn two_absent_cameras_are_waited_for_and_impossible_configurations_are_errors() {
    let mut world = steady(2_000, 100);
    (world.absent, world.plugged_from) = (true, [1_500; 2]);
    let (mut source, shared) = open(world);
    assert_eq!(
        source.complaints(),
        [Some("/dev/Y16: not here"), Some("/dev/GREY: not here")]
    );
    assert!(matches!(
        source.next_pair(WAIT),
        Err(AcquireError::Stalled(_))
    ));
    let both = (0..40).filter_map(|_| source.next_pair(WAIT).ok());
    assert!(
        both.filter(|p| p.infrared.is_some() && p.visible.is_some())
            .count()
            > 10
    );
    let before = shared.lock().unwrap().opened[0].len();
    let mut wrong = cameras();
    wrong.visible.format = "H264".into();
    let text = PairedCameras::with_backend(&wrong, &Default::default(), Fake(Arc::clone(&shared)))
        .err()
        .unwrap()
        .to_string();
    assert!(text.contains("H264"), "{text}");
    // The configuration is looked at before any device is touched.
    assert_eq!(shared.lock().unwrap().opened[0].len(), before);
    let mut split = cameras();
    split.infrared.format = "YUYV+Y16".into();
    let text = PairedCameras::with_backend(&split, &Default::default(), Fake(shared))
        .err()
        .unwrap()
        .to_string();
    assert!(text.contains("3 are left"), "{text}");
}
