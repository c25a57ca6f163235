//! The clean-up on real pictures: nothing measurable on clean ones, a gain on noisy ones. They lie outside of the
//! repository (see models/README.md); without them the tests say so and pass.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where something is not as it must be, and says what it left out"
)]

use std::path::{Path, PathBuf};

use filmd::clean::{Cleaner, Condition};
use filmd::config::CleanConfig;
use filmd::files::read_picture;
use filmd::frame::{Picture, Size};

/// The folder, where it is there.
fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there", path.display());
    None
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    found.sort();
    let deeper = found.into_iter().flat_map(|path| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    });
    deeper.collect()
}

fn psnr(a: &Picture, b: &Picture) -> f64 {
    let squares = a
        .data()
        .iter()
        .zip(b.data())
        .map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2));
    let mean = squares.sum::<f64>() / a.data().len() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-6)).log10()
}

fn cleaned(path: &Path) -> (Picture, Picture, Condition) {
    let before = read_picture(path).unwrap();
    let mut after = before.clone();
    let condition =
        Cleaner::new(&CleanConfig::default(), Size::new(0, 0)).still_picture(&mut after);
    (before, after, condition)
}

#[test]
fn clean_infrared_stays_as_it_is() {
    for name in [
        "m3svd/infrared_Enhance",
        "train/roadscene171/a",
        "train/tno_rest/a",
    ] {
        let Some(folder) = data(name) else { continue };
        let mut touched = 0;
        let files = files(&folder);
        for path in &files {
            let (before, after, condition) = cleaned(path);
            let psnr = psnr(&after, &before);
            assert!(psnr >= 45.0, "{}: {psnr} {condition:?}", path.display());
            touched += usize::from(condition.cleaned);
        }
        eprintln!("{name}: {touched} of {} touched", files.len());
        assert!(touched * 4 <= files.len(), "{name}: {touched} touched");
    }
}

#[test]
fn noisy_infrared_comes_nearer_to_the_clean_one() {
    let Some(folder) = data("m3svd/infrared_noise") else {
        return;
    };
    let (mut before_sum, mut after_sum, mut count) = (0.0, 0.0, 0.0);
    for path in files(&folder) {
        let (before, after, condition) = cleaned(&path);
        assert!(
            condition.cleaned && condition.noise > 5.0 && condition.columns > 4.0,
            "{condition:?}"
        );
        assert!(condition.rows < 0.8, "{condition:?}");
        let clean = path
            .to_str()
            .unwrap()
            .replace("infrared_noise", "infrared_Enhance");
        let clean = read_picture(Path::new(&clean)).unwrap();
        before_sum += psnr(&before, &clean);
        after_sum += psnr(&after, &clean);
        count += 1.0;
    }
    let (before, after) = (before_sum / count, after_sum / count);
    eprintln!("m3svd/infrared_noise: {before:.2} to {after:.2} dB");
    assert!(after > before + 1.5, "{before} to {after}");
}

#[test]
fn clean_visible_pictures_stay_as_they_are() {
    for name in [
        "m3svd/visible_Enhance",
        "m3svd/visible_Blur",
        "train/roadscene171/b",
        "train/tno_rest/b",
    ] {
        let Some(folder) = data(name) else { continue };
        for path in files(&folder).iter().step_by(3) {
            let before = read_picture(path).unwrap();
            let mut after = before.clone();
            let mut cleaner = Cleaner::new(&CleanConfig::default(), Size::new(0, 0));
            let condition = cleaner.still_visible(&mut after);
            assert!(after == before, "{}: {condition:?}", path.display());
        }
    }
}

#[test]
fn grain_is_taken_from_a_visible_picture_and_colours_stay() {
    let Some(folder) = data("m3svd/visible_Blur") else {
        return;
    };
    let clean = read_picture(&files(&folder)[0]).unwrap();
    let mut noisy = clean.clone();
    let mut state = 1_u32;
    for pixel in noisy.data_mut().chunks_exact_mut(3) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let step = (state >> 24) as i16 % 49 - 24;
        for sample in pixel {
            *sample = (i16::from(*sample) + step).clamp(0, 255) as u8;
        }
    }
    let mut found = noisy.clone();
    let condition =
        Cleaner::new(&CleanConfig::default(), Size::new(0, 0)).still_visible(&mut found);
    assert!(condition.cleaned && condition.noise > 8.0, "{condition:?}");
    let (before, after) = (psnr(&noisy, &clean), psnr(&found, &clean));
    assert!(after > before + 5.0, "{before} to {after}");
}
