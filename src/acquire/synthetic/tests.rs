use super::*;
use crate::frame::Picture;

fn frames() -> (Frame, Frame) {
    (Frame::new(INFRARED, 1, true), Frame::new(VISIBLE, 3, false))
}

fn mean_counts(frame: &Frame, found: &PixelBox) -> f32 {
    let counts = frame.counts.as_ref().expect("thermal frames have counts");
    let (mut sum, mut pixels) = (0.0, 0.0);
    for y in found.top as usize..found.bottom as usize {
        for x in found.left as usize..found.right as usize {
            sum += f32::from(counts.data[y * INFRARED.width + x]);
            pixels += 1.0;
        }
    }
    sum / pixels
}

fn luma(picture: &Picture, x: usize, y: usize) -> f32 {
    let at = &picture.row(y)[x * 3..x * 3 + 3];
    (f32::from(at[0]) + f32::from(at[1]) + f32::from(at[2])) / 3.0
}

fn digest(frame: &Frame) -> u64 {
    let counts = frame
        .counts
        .iter()
        .flat_map(|c| c.data.iter().flat_map(|v| v.to_le_bytes()));
    let bytes = frame.picture.data().iter().copied().chain(counts);
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn the_same_seed_and_number_give_the_same_bytes() {
    let (mut infrared, mut visible) = frames();
    let mut digests = Vec::new();
    for _ in 0..2 {
        let mut scene = SyntheticScene::new(1, 30.0);
        for number in [0, 150, 300] {
            scene.render_infrared(number, &mut infrared);
            scene.render_visible(number, &mut visible);
            digests.push((digest(&infrared), digest(&visible)));
        }
    }
    assert_eq!(digests[..3], digests[3..]);
    assert_ne!(digests[0], digests[1]);
    SyntheticScene::new(2, 30.0).render_visible(0, &mut visible);
    assert_ne!(digests[0].1, digest(&visible));
}

#[test]
fn the_bytes_are_those_of_every_other_processor() {
    let (mut infrared, mut visible) = frames();
    let mut scene = SyntheticScene::new(1, 30.0);
    scene.render_infrared(150, &mut infrared);
    scene.render_visible(150, &mut visible);
    // Written down on x86-64; a change of the scene changes them, a change of processor must not.
    let found = (digest(&infrared), digest(&visible));
    let known = (0x41f2_018c_905f_1fb4, 0xcfd7_1ddd_f6c4_1abe);
    assert_eq!(found, known, "{found:x?}");
}

#[test]
fn the_truth_is_where_the_thermal_picture_is_warm() {
    let mut scene = SyntheticScene::new(1, 30.0);
    let (mut infrared, _) = frames();
    let mut checked = 0;
    for number in (0..900).step_by(90) {
        scene.render_infrared(number, &mut infrared);
        for object in scene.truth(number).objects {
            let Some(found) = object.infrared_box.filter(|b| b.bottom - b.top > 8.0) else {
                continue;
            };
            let mean = (mean_counts(&infrared, &found) - 27_315.0) / 100.0;
            let least = match object.kind {
                TruthKind::Person => 9.0,
                TruthKind::Vehicle => 10.0,
                TruthKind::Fire => 45.0,
                TruthKind::Lamp => continue,
            };
            assert!(mean > least, "{object:?} has {mean} C at frame {number}");
            assert!(mean < object.temperature + 5.0, "{object:?} has {mean} C");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn boxes_of_both_cameras_agree_through_the_homography() {
    let scene = SyntheticScene::new(1, 30.0);
    for object in scene.truth(120).objects {
        let (Some(a), Some(b)) = (object.visible_box, object.infrared_box) else {
            continue;
        };
        let middle = ((a.left + a.right) / 2.0, (a.top + a.bottom) / 2.0);
        let mapped = world::SceneCamera::Infrared.point(middle, REFERENCE_DISTANCE);
        let off = mapped.0 - (b.left + b.right) / 2.0;
        assert!(off.abs() < 1.5, "{object:?} is {off} pixels off");
        let parallax = world::parallax(object.distance);
        assert!((off + parallax).abs() < 0.4, "{object:?}: {off} {parallax}");
    }
}

#[test]
fn smoke_hides_a_person_from_the_visible_camera_only() {
    let scene = SyntheticScene::new(1, 30.0);
    let (mut hidden, mut seen) = (0, 0);
    for number in 0..900 {
        for object in scene.truth(number).objects {
            if object.kind == TruthKind::Person {
                hidden += u32::from(object.seen_in_infrared && !object.seen_in_visible);
                seen += u32::from(object.seen_in_visible);
            }
        }
    }
    assert!(hidden > 200 && seen > 200, "{hidden} hidden, {seen} seen");
}

#[test]
fn headlights_dazzle_and_the_night_is_dark() {
    let scene = SyntheticScene::new(1, 30.0);
    let (_, mut frame) = frames();
    let oncoming = (0..1200).find(|&n| {
        scene
            .moment(n)
            .vehicle
            .is_some_and(|v| v.oncoming && (10.0..12.0).contains(&v.z))
    });
    let number = oncoming.expect("a car comes within 40 s");
    scene.render_visible(number, &mut frame);
    let car = scene.moment(number).vehicle.expect("it was found");
    let at = world::project(car.x - 0.65, 0.68, car.z);
    assert!(luma(&frame.picture, at.0 as usize, at.1 as usize) > 240.0);
    let sum: f32 = (0..480).map(|y| luma(&frame.picture, 60, y)).sum();
    assert!(sum / 480.0 < 70.0, "{}", sum / 480.0);
}

#[test]
fn the_scene_goes_on_for_days() {
    let scene = SyntheticScene::new(1, 30.0);
    let (_, mut frame) = frames();
    for number in [u64::from(u32::MAX), 30 * 86_400 * 365, u64::MAX] {
        scene.render_visible(number, &mut frame);
        assert!(scene.truth(number).objects.len() >= 5);
    }
}

#[test]
fn an_unpaced_source_counts_on_and_gives_way_when_all_frames_are_out() {
    let config = SyntheticConfig {
        unpaced: true,
        ..SyntheticConfig::default()
    };
    let mut source = SyntheticSource::new(&config, &Default::default()).unwrap();
    let wait = Duration::from_millis(1);
    let mut taken = Vec::new();
    for number in 0..POOL as u64 {
        let pair = source.next_pair(wait).unwrap();
        assert_eq!(pair.visible.as_ref().unwrap().sequence, number);
        assert!(pair.skew() >= Duration::from_millis(3) && pair.skew() < Duration::from_millis(7));
        taken.push(pair);
    }
    assert!(matches!(
        source.next_pair(wait),
        Err(AcquireError::Stalled(_))
    ));
    taken.pop();
    assert_eq!(
        source.next_pair(wait).unwrap().visible.unwrap().sequence,
        POOL as u64
    );
    let counters = source.counters();
    assert_eq!(
        (counters.visible_frames, counters.dropped),
        (POOL as u64 + 1, 0)
    );
}

#[test]
fn a_late_caller_gets_the_present_and_the_past_is_counted() {
    let config = SyntheticConfig {
        fps: 200.0,
        ..SyntheticConfig::default()
    };
    let mut source = SyntheticSource::new(&config, &Default::default()).unwrap();
    Clock.sleep_until(Clock.now().plus(Duration::from_millis(20)));
    let first = source.next_pair(Duration::from_secs(1)).unwrap();
    Clock.sleep_until(Clock.now().plus(Duration::from_millis(60)));
    let second = source.next_pair(Duration::from_secs(1)).unwrap();
    let number = |pair: &FramePair| pair.visible.as_ref().unwrap().sequence;
    assert_eq!(number(&first), 0, "time runs from the first call");
    assert!(number(&second) >= 10);
    let counters = source.counters();
    assert_eq!(counters.visible_frames, number(&second) + 1);
    assert_eq!(counters.dropped, 2 * (counters.visible_frames - 2));
}

#[test]
fn a_frame_that_is_not_due_yet_is_a_stall() {
    let config = SyntheticConfig {
        fps: 1.0,
        ..SyntheticConfig::default()
    };
    let mut source = SyntheticSource::new(&config, &Default::default()).unwrap();
    source.next_pair(Duration::from_secs(1)).unwrap();
    let wait = Duration::from_millis(3);
    assert!(matches!(source.next_pair(wait), Err(AcquireError::Stalled(t)) if t == wait));
    let bad = SyntheticConfig {
        fps: f64::NAN,
        ..config
    };
    assert!(
        SyntheticSource::new(&bad, &Default::default())
            .unwrap_err()
            .to_string()
            .contains("1 to 240")
    );
}

/// Writes pictures to look at: `cargo test --release --lib look_at -- --ignored`, then `out/`.
#[test]
#[ignore = "writes pictures for people"]
#[expect(clippy::print_stderr, reason = "says what a pair costs")]
fn look_at_the_scene() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("out/synthetic");
    std::fs::create_dir_all(&folder).unwrap();
    let mut scene = SyntheticScene::new(1, 30.0);
    let (mut infrared, mut visible) = frames();
    let mut cost = Duration::ZERO;
    for number in 0..900 {
        let before = Clock.now();
        scene.render_infrared(number, &mut infrared);
        scene.render_visible(number, &mut visible);
        cost += Clock.now().since(before);
        if number % 60 == 20 {
            let save = |name: &str, frame: &Frame, kind| {
                let size = frame.picture.size();
                let path = folder.join(format!("{number:04}-{name}.png"));
                let (width, height) = (size.width as u32, size.height as u32);
                image::save_buffer(path, frame.picture.data(), width, height, kind).unwrap();
            };
            save("visible", &visible, image::ColorType::Rgb8);
            save("infrared", &infrared, image::ColorType::L8);
        }
    }
    eprintln!("{:?} a pair", cost / 900);
}
