use proptest::prelude::*;

use super::*;

const SIZE: Size = Size::new(160, 120);

/// Normal noise of standard deviation 1, the same for the same seed.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u32 << 24) as f32
    }

    fn next(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }
}

/// A scene: a slope, a warm box with hard edges, a pole, and texture.
fn scene(x: usize, y: usize, shift: usize) -> f32 {
    let slope = 70.0 + y as f32 * 0.4;
    let boxed = (40 + shift..70 + shift).contains(&x) && (30..60).contains(&y);
    let pole = (120..123).contains(&x) && y < 50;
    let grass = if y > 95 {
        ((x * 7 + y * 13) % 11) as f32 * 2.0
    } else {
        0.0
    };
    slope + f32::from(u8::from(boxed)) * 90.0 + f32::from(u8::from(pole)) * 60.0 + grass
}

fn picture(level: impl Fn(usize, usize) -> f32) -> Vec<u8> {
    (0..SIZE.area())
        .map(|i| {
            level(i % SIZE.width, i / SIZE.width)
                .round()
                .clamp(0.0, 255.0) as u8
        })
        .collect()
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    let squares = a
        .iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2));
    let mean = squares.sum::<f64>() / a.len() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

fn auto() -> Cleaner {
    Cleaner::new(&CleanConfig::default(), SIZE)
}

#[test]
fn a_clean_picture_stays_as_it_is() {
    let clean = picture(|x, y| scene(x, y, 0));
    let mut found = clean.clone();
    let condition = auto().still(SIZE, &mut found);
    assert!(found == clean, "{condition:?}");
    assert!(!condition.cleaned && condition.dead == 0, "{condition:?}");
}

#[test]
fn whatever_is_asked_of_a_clean_picture_does_little() {
    let clean = picture(|x, y| scene(x, y, 0));
    let config = CleanConfig {
        mode: CleanMode::On,
        ..CleanConfig::default()
    };
    let mut found = clean.clone();
    Cleaner::new(&config, SIZE).still(SIZE, &mut found);
    assert!(psnr(&found, &clean) > 45.0, "{}", psnr(&found, &clean));
}

#[test]
fn columns_are_measured_and_taken_away() {
    let clean = picture(|x, y| scene(x, y, 0));
    let mut noise = Noise(1);
    let offsets: Vec<f32> = (0..SIZE.width).map(|_| 6.0 * noise.next()).collect();
    let mut found = picture(|x, y| scene(x, y, 0) + offsets[x]);
    let before = psnr(&found, &clean);
    let condition = auto().still(SIZE, &mut found);
    assert!((4.0..9.0).contains(&condition.columns), "{condition:?}");
    assert!(
        condition.rows < 0.8 && condition.noise < 2.0,
        "{condition:?}"
    );
    assert!(
        psnr(&found, &clean) > before + 6.0,
        "{before} to {}",
        psnr(&found, &clean)
    );
}

#[test]
fn rows_are_measured_and_taken_away() {
    let clean = picture(|x, y| scene(x, y, 0));
    let mut noise = Noise(2);
    let offsets: Vec<f32> = (0..SIZE.height).map(|_| 6.0 * noise.next()).collect();
    let mut found = picture(|x, y| scene(x, y, 0) + offsets[y]);
    let before = psnr(&found, &clean);
    let condition = auto().still(SIZE, &mut found);
    assert!((4.0..9.0).contains(&condition.rows), "{condition:?}");
    assert!(condition.columns < 0.8, "{condition:?}");
    assert!(
        psnr(&found, &clean) > before + 6.0,
        "{before} to {}",
        psnr(&found, &clean)
    );
}

#[test]
fn grain_is_measured_and_taken_away_and_edges_stay() {
    let clean = picture(|x, y| scene(x, y, 0));
    for sigma in [6.0, 12.0] {
        let mut noise = Noise(3);
        let noisy: Vec<u8> = clean
            .iter()
            .map(|&v| (f32::from(v) + sigma * noise.next()).round() as u8)
            .collect();
        let mut found = noisy.clone();
        let mut cleaner = auto();
        // The range of this picture was not set by its noise.
        let condition = cleaner.live(SIZE, &mut found);
        assert!(
            (condition.noise - sigma).abs() < 0.2 * sigma,
            "{condition:?}"
        );
        assert!(
            condition.columns < 1.6 && condition.cleaned,
            "{condition:?}"
        );
        let (before, after) = (psnr(&noisy, &clean), psnr(&found, &clean));
        assert!(after > before + 5.0, "{before} to {after}");
        // The box's left edge, away from its corners.
        let level = |x: usize| {
            (35..55)
                .map(|y| f32::from(found[y * SIZE.width + x]))
                .sum::<f32>()
                / 20.0
        };
        assert!(
            level(41) - level(38) > 0.85 * 90.0,
            "{} {}",
            level(38),
            level(41)
        );
    }
}

#[test]
fn more_grain_is_taken_where_it_is_asked_for() {
    let clean = picture(|x, y| scene(x, y, 0));
    let mut noise = Noise(4);
    // Below the gate: nothing is done unasked.
    let noisy: Vec<u8> = clean
        .iter()
        .map(|&v| (f32::from(v) + 1.2 * noise.next()).round() as u8)
        .collect();
    let (mut alone, mut asked) = (noisy.clone(), noisy.clone());
    assert!(!auto().still(SIZE, &mut alone).cleaned);
    let mut cleaner = auto();
    cleaner.set_denoise(1.0);
    assert!(cleaner.still(SIZE, &mut asked).cleaned);
    // Where nothing but the slope is.
    let flat = |grey: &[u8]| {
        let rows = (5..90).map(|y| y * SIZE.width + 80..y * SIZE.width + 115);
        rows.flat_map(|row| grey[row].to_vec()).collect::<Vec<u8>>()
    };
    let [clean, noisy, asked] = [&clean, &noisy, &asked].map(|grey| flat(grey));
    let (before, after) = (psnr(&noisy, &clean), psnr(&asked, &clean));
    assert!(after > before + 3.0, "{before} to {after}");
}

#[test]
fn dead_pixels_are_counted_and_replaced() {
    let clean = picture(|x, y| scene(x, y, 0));
    let mut found = clean.clone();
    let places: Vec<usize> = (0..20)
        .map(|i| (5 + i * 4) * SIZE.width + 10 + i * 7)
        .collect();
    for (i, &at) in places.iter().enumerate() {
        found[at] = if i % 2 == 0 { 255 } else { 0 };
    }
    let condition = auto().still(SIZE, &mut found);
    // Those on an edge cannot be told from it.
    assert!((16..=20).contains(&condition.dead), "{condition:?}");
    let left = places
        .iter()
        .filter(|&&at| found[at].abs_diff(clean[at]) > 12)
        .count();
    assert!(left <= 4, "{left}");
}

#[test]
fn nothing_is_done_where_it_is_off() {
    let mut noise = Noise(5);
    let noisy = picture_with(&mut noise, 9.0, 0);
    let mut found = noisy.clone();
    let condition = Cleaner::new(&CleanConfig::OFF, SIZE).still(SIZE, &mut found);
    assert!(found == noisy && !condition.cleaned);
    assert!(condition.noise > 5.0, "it is measured: {condition:?}");
}

/// The last of `count` frames with grain of `sigma`; `shift` moves the box in each.
fn video(
    cleaner: &mut Cleaner,
    count: usize,
    sigma: f32,
    shift: impl Fn(usize) -> usize,
) -> Vec<u8> {
    let mut noise = Noise(6);
    let mut last = Vec::new();
    for frame in 0..count {
        last = picture_with(&mut noise, sigma, shift(frame));
        cleaner.live(SIZE, &mut last);
    }
    last
}

fn picture_with(noise: &mut Noise, sigma: f32, shift: usize) -> Vec<u8> {
    (0..SIZE.area())
        .map(|i| scene(i % SIZE.width, i / SIZE.width, shift) + sigma * noise.next())
        .map(|level| level.round().clamp(0.0, 255.0) as u8)
        .collect()
}

#[test]
fn what_stands_still_has_less_noise_in_video() {
    let clean = picture(|x, y| scene(x, y, 0));
    let still = video(&mut auto(), 1, 8.0, |_| 0);
    let settled = video(&mut auto(), 12, 8.0, |_| 0);
    let (once, long) = (psnr(&still, &clean), psnr(&settled, &clean));
    assert!(long > once + 1.5, "{once} to {long}");
}

#[test]
fn what_moves_leaves_no_trail() {
    // Eight frames on one place, then the box jumps away: nothing of it is left where it was.
    let mut cleaner = auto();
    let found = video(&mut cleaner, 9, 8.0, |frame| if frame < 8 { 0 } else { 35 });
    let clean = picture(|x, y| scene(x, y, 35));
    let mean = |grey: &[u8]| {
        let rows = 35..55_usize;
        let sum: f32 = rows
            .map(|y| {
                grey[y * SIZE.width + 45..][..20]
                    .iter()
                    .map(|&v| f32::from(v))
                    .sum::<f32>()
            })
            .sum();
        sum / 400.0
    };
    let left = mean(&found) - mean(&clean);
    // The box was 90 grey levels brighter.
    assert!(left.abs() < 2.0, "{left}");
    assert!(psnr(&found, &clean) > 27.0, "{}", psnr(&found, &clean));
}

#[test]
fn offsets_are_learnt_from_frames_and_forgotten_at_the_shutter() {
    let mut noise = Noise(7);
    let offsets: Vec<f32> = (0..SIZE.width).map(|_| 5.0 * noise.next()).collect();
    let frame = |shift: usize, offsets: &[f32]| picture(|x, y| scene(x, y, shift) + offsets[x]);
    let mut cleaner = auto();
    let (mut first, mut last) = (0.0, 0.0);
    for shift in 0..30 {
        let mut grey = frame(shift, &offsets);
        cleaner.live(SIZE, &mut grey);
        last = psnr(&grey, &picture(|x, y| scene(x, y, shift)));
        if shift == 0 {
            first = last;
        }
    }
    assert!(last > first - 0.5 && last > 30.0, "{first} to {last}");
    cleaner.reset();
    let mut clean = frame(0, &vec![0.0; SIZE.width]);
    cleaner.live(SIZE, &mut clean);
    assert!(psnr(&clean, &picture(|x, y| scene(x, y, 0))) > 45.0);
}

#[test]
fn shading_is_learnt_while_the_scene_moves_and_taken_away() {
    let vignette = |x: usize, y: usize| {
        12.0 * (shading::square(x, SIZE.width) + shading::square(y, SIZE.height) - 2.0 / 3.0)
    };
    // A camera that turns over a wide scene.
    let wide = |x: usize, y: usize, frame: usize| {
        let at = x + frame * 5;
        let hash = (at / 16).wrapping_mul(2_654_435_761) % 97 + (y / 12).wrapping_mul(40_503) % 31;
        70.0 + ((hash * 37 + (at / 16) * 11) % 80) as f32
    };
    let mut cleaner = auto();
    let (mut first, mut last) = (0.0, 0.0);
    let mut condition = Condition::default();
    for frame in 0..400 {
        let mut grey = picture(|x, y| wide(x, y, frame) + vignette(x, y));
        condition = cleaner.live(SIZE, &mut grey);
        last = psnr(&grey, &picture(|x, y| wide(x, y, frame)));
        if frame == 0 {
            first = last;
        }
    }
    assert!((2.0..8.0).contains(&condition.shading), "{condition:?}");
    assert!(last > first + 5.0, "{first} to {last}");
}

#[test]
fn counts_are_cleaned_as_grey_levels_are() {
    let mut noise = Noise(8);
    let clean: Vec<u16> = (0..SIZE.area())
        .map(|i| 29_000 + (scene(i % SIZE.width, i / SIZE.width, 0) * 8.0) as u16)
        .collect();
    let mut cleaner = auto();
    let mut counts = Vec::new();
    let mut condition = Condition::default();
    for _ in 0..8 {
        counts = clean
            .iter()
            .map(|&c| (f32::from(c) + 40.0 * noise.next()).round() as u16)
            .collect();
        condition = cleaner.live_counts(SIZE, &mut counts, 8.0);
    }
    assert!((condition.noise - 5.0).abs() < 1.0, "{condition:?}");
    let squares = counts
        .iter()
        .zip(&clean)
        .map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2));
    let rms = (squares.sum::<f64>() / clean.len() as f64).sqrt();
    assert!(rms < 16.0, "{rms} of 40");
}

#[test]
fn counts_without_noise_stay_as_they_are() {
    let clean: Vec<u16> = (0..SIZE.area())
        .map(|i| 29_000 + (scene(i % SIZE.width, i / SIZE.width, 0) * 8.0) as u16)
        .collect();
    let (mut cleaner, mut counts) = (auto(), clean.clone());
    let condition = cleaner.live_counts(SIZE, &mut counts, 8.0);
    assert!(counts == clean && !condition.cleaned, "{condition:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Any size and content is taken, one after the other by the same cleaner.
    #[test]
    fn any_picture_is_taken(sizes in proptest::collection::vec((1_usize..70, 1_usize..70), 1..4), seed in any::<u64>()) {
        let config = CleanConfig { mode: CleanMode::On, ..CleanConfig::default() };
        let mut cleaner = Cleaner::new(&config, Size::new(0, 0));
        let mut noise = Noise(seed);
        for (width, height) in sizes {
            let size = Size::new(width, height);
            let mut grey: Vec<u8> = (0..size.area()).map(|_| (noise.uniform() * 256.0) as u8).collect();
            let condition = cleaner.still(size, &mut grey);
            prop_assert!(condition.noise.is_finite() && condition.columns.is_finite());
            let mut counts: Vec<u16> = (0..size.area()).map(|_| (noise.uniform() * 65_536.0) as u16).collect();
            cleaner.live_counts(size, &mut counts, 0.0);
        }
    }
}
