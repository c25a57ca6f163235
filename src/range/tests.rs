use super::*;
use proptest::prelude::*;

fn mapped(mapper: &mut RangeMapper, counts: &[u16]) -> Vec<u8> {
    let mut grey = vec![0; counts.len()];
    mapper.map(counts, &mut grey);
    grey
}

fn ramp() -> Vec<u16> {
    (0..19_200u32).map(|i| (28_000 + i / 8) as u16).collect()
}

#[test]
fn the_same_scene_in_fewer_bits_has_the_same_greys() {
    let scene: Vec<u16> = (0..9_000u32).map(|n| 400 + (n * 7 % 120) as u16).collect();
    let wide: Vec<u16> = scene.iter().map(|count| count << 6).collect();
    let few = mapped(
        &mut RangeMapper::new(RangeConfig::for_counts(10, None)),
        &scene,
    );
    let many = mapped(
        &mut RangeMapper::new(RangeConfig::for_counts(16, None)),
        &wide,
    );
    let most = few.iter().zip(&many).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(most <= Some(2), "{most:?}");
    assert!(few.iter().max() > Some(&200), "not flat");
    let kelvin = RangeConfig::for_counts(14, Some(0.04));
    assert_eq!(kelvin.min_span, 100.0);
}

#[test]
fn a_constant_picture_is_flat_and_neither_black_nor_white() {
    for level in [600, 29_315, 65_000] {
        let grey = mapped(&mut RangeMapper::new(RangeConfig::default()), &[level; 500]);
        assert!(grey.iter().all(|&g| g == grey[0]));
        assert!((20..=235).contains(&grey[0]), "{}", grey[0]);
    }
}

#[test]
fn the_ends_of_the_counts_do_not_break_it() {
    for level in [0, 1, 65_535] {
        let grey = mapped(&mut RangeMapper::new(RangeConfig::default()), &[level; 9]);
        assert!(grey.iter().all(|&g| g == grey[0]));
    }
    assert!(mapped(&mut RangeMapper::new(RangeConfig::default()), &[]).is_empty());
}

#[test]
fn a_single_hot_pixel_is_white_and_takes_no_contrast() {
    let mut counts = ramp();
    let without = mapped(&mut RangeMapper::new(RangeConfig::default()), &counts);
    counts[77] = 60_000;
    let with = mapped(&mut RangeMapper::new(RangeConfig::default()), &counts);
    assert_eq!(with[77], 255);
    let most = with.iter().zip(&without).enumerate();
    let worst = most
        .filter(|(i, _)| *i != 77)
        .map(|(_, (a, b))| a.abs_diff(*b))
        .max();
    assert!(worst < Some(3), "{worst:?}");
}

#[test]
fn people_keep_contrast_beside_a_fire() {
    // Ground at 7 C with noise, 2% people at 28 C, 1% fire at 300 C.
    let counts: Vec<u16> = (0..20_000u32)
        .map(|i| match i % 100 {
            0 => 57_000 + (i % 37) as u16,
            1 | 2 => 30_100 + (i % 31) as u16,
            _ => 28_000 + (i * 7 % 61) as u16,
        })
        .collect();
    let grey = mapped(&mut RangeMapper::new(RangeConfig::default()), &counts);
    let linear = (30_100 - 28_000) * 255 / (57_000 - 28_000);
    let found = i32::from(grey[1]) - i32::from(grey[50]);
    assert!(found > 2 * linear, "{found} against {linear}");
    assert!(grey[0] > grey[1]);
}

#[test]
fn a_fire_that_flares_up_does_not_make_the_ground_jump() {
    let mut mapper = RangeMapper::new(RangeConfig::default());
    let mut counts = ramp();
    let mut before = mapped(&mut mapper, &counts);
    let settled = before.clone();
    counts[..1000].fill(45_000);
    for _ in 0..120 {
        let now = mapped(&mut mapper, &counts);
        let step = now[1000..]
            .iter()
            .zip(&before[1000..])
            .map(|(a, b)| a.abs_diff(*b));
        // The weight of one frame, and rounding.
        assert!(step.max() <= Some(32), "the picture jumps");
        before = now;
    }
    assert!(
        before[1000..] != settled[1000..],
        "it has to follow in the end"
    );
    let again = mapped(&mut mapper, &counts);
    assert!(again.iter().zip(&before).all(|(a, b)| a.abs_diff(*b) <= 1));
}

proptest! {
    #[test]
    fn hotter_is_never_darker(
        frames in proptest::collection::vec(
            proptest::collection::vec(any::<u16>(), 1..300), 1..4),
    ) {
        let mut mapper = RangeMapper::new(RangeConfig::default());
        for frame in &frames {
            mapped(&mut mapper, frame);
        }
        let all: Vec<u16> = (0..=u16::MAX).step_by(13).collect();
        let mut grey = vec![0; all.len()];
        mapper.apply(&all, &mut grey);
        prop_assert!(grey.windows(2).all(|w| w[0] <= w[1]));
    }
}
