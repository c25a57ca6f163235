//! What the commands on picture files share: pairs brought to one size, progress.
//!
//! Input: paths. Output: [`AlignedPair`]. Fails when: a file cannot be used, or the sizes do not go
//! together. Not its job: fusing.

use std::path::Path;

use anyhow::{Result, bail};
use filmd::align::AlignedPair;
use filmd::clean::{Cleaner, Condition};
use filmd::config::{CleanConfig, CleanMode, Task};
use filmd::frame::{Picture, Size};
use image::imageops::{FilterType, resize};
use image::{GrayImage, RgbImage};
use indicatif::{ProgressBar, ProgressStyle};

use crate::sources::{Reading, read_sources};

/// How far two aspect ratios may be apart: crops to whole pixels stay below it, another field of
/// view does not.
const ASPECT_TOLERANCE: f64 = 0.02;

/// A bar on standard error; silent where that is no terminal.
pub fn progress_bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    let template = "{bar:32} {pos}/{len} {eta:>5} {wide_msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// The clean-up of pairs of files.
pub struct PairCleaner {
    infrared: Cleaner,
    visible: Cleaner,
}

impl PairCleaner {
    /// For infrared and visible pictures; those of other tasks come from no thermal camera.
    pub fn new(task: Task, mode: CleanMode) -> Option<Self> {
        let config = CleanConfig {
            mode,
            ..CleanConfig::default()
        };
        // Each picture brings its own size.
        let cleaner = || Cleaner::new(&config, Size::new(0, 0));
        (task == Task::Ivf).then(|| Self {
            infrared: cleaner(),
            visible: cleaner(),
        })
    }
}

impl PairCleaner {
    /// How much more grain is taken from A and B than was measured, 0 (none) to 1.
    pub fn set_denoise(&mut self, [a, b]: [f32; 2]) {
        self.infrared.set_denoise(a);
        self.visible.set_denoise(b);
    }
}

/// Reads two pictures, cleans them, and brings A to the size of B.
///
/// # Errors
/// Unreadable files; aspect ratios that differ, unless `stretch`.
pub fn read_pair(
    (a, b): (&Path, &Path),
    task: Task,
    stretch: bool,
    cleaner: Option<&mut PairCleaner>,
) -> Result<AlignedPair> {
    let reading = Reading {
        task,
        ..Reading::default()
    };
    let mut sources = read_sources(&[a, b], &reading)?;
    for (path, source) in [a, b].into_iter().zip(&sources) {
        for note in &source.notes {
            complain!("filmd: {}: {note}", path.display());
        }
    }
    match (sources.pop(), sources.pop()) {
        (Some(visible), Some(first)) => pair_of(first.picture, visible.picture, stretch, cleaner),
        _ => bail!("a pair has two pictures"),
    }
}

/// Cleans two pictures and brings the first to the size of the second.
///
/// # Errors
/// Aspect ratios that differ, unless `stretch`.
pub fn pair_of(
    mut first: Picture,
    mut visible: Picture,
    stretch: bool,
    cleaner: Option<&mut PairCleaner>,
) -> Result<AlignedPair> {
    check_aspect(first.size(), visible.size(), stretch)?;
    let condition = cleaned(&mut first, &mut visible, cleaner);
    let mut pair = AlignedPair::new(visible.size());
    pair.condition = condition;
    pair.infrared = scaled(first, visible.size())?;
    pair.visible = visible;
    (pair.has_infrared, pair.has_visible) = (true, true);
    Ok(pair)
}

/// Takes sensor faults from both; what they suffered from.
pub fn cleaned(
    first: &mut Picture,
    visible: &mut Picture,
    cleaner: Option<&mut PairCleaner>,
) -> [Condition; 2] {
    cleaner.map_or_else(Default::default, |cleaner| {
        [
            cleaner.infrared.still_picture(first),
            cleaner.visible.still_visible(visible),
        ]
    })
}

/// Whether two sizes may be of one field of view.
///
/// # Errors
/// Aspect ratios that differ, unless `stretch`.
pub fn check_aspect(a: Size, b: Size, stretch: bool) -> Result<()> {
    let ratio = |size: Size| size.width as f64 / size.height as f64;
    let off = (ratio(a) / ratio(b)).ln().abs();
    // Rounding a scaled picture to whole pixels moves small ones further than the tolerance.
    let rounding = 0.5 / a.width.min(a.height).min(b.width).min(b.height) as f64;
    if stretch || a == b || off <= ASPECT_TOLERANCE.max(rounding.min(0.1)) {
        return Ok(());
    }
    bail!(
        "the pictures have different aspect ratios: A is {a}, B is {b}, so they do not show one \
         field of view; crop them to the same view, or pass --stretch to scale A to B's size"
    )
}

/// Area average where it shrinks, bilinear where it grows; neither overshoots.
///
/// # Errors
/// None in practice: the size of what was scaled is known.
pub fn scaled(picture: Picture, size: Size) -> Result<Picture> {
    if picture.size() == size {
        return Ok(picture);
    }
    let (from, channels) = (picture.size(), picture.channels());
    let (w, h) = (from.width as u32, from.height as u32);
    let (to_w, to_h) = (size.width as u32, size.height as u32);
    let data = picture.data().to_vec();
    let data = if channels == 1 {
        GrayImage::from_raw(w, h, data)
            .map(|grey| resize(&grey, to_w, to_h, FilterType::Triangle).into_raw())
    } else {
        RgbImage::from_raw(w, h, data)
            .map(|rgb| resize(&rgb, to_w, to_h, FilterType::Triangle).into_raw())
    };
    Ok(Picture::from_data(
        size,
        channels,
        data.unwrap_or_default(),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_of_view_may_come_in_any_resolution() {
        let same = [
            ((160, 120), (640, 480)),
            ((213, 160), (640, 480)),
            ((1, 1), (1, 1)),
            ((3, 2), (13, 9)),
        ];
        for ((aw, ah), (bw, bh)) in same {
            let (a, b) = (Size::new(aw, ah), Size::new(bw, bh));
            assert!(check_aspect(a, b, false).is_ok(), "{a} {b}");
        }
    }

    #[test]
    fn another_field_of_view_is_refused_unless_stretched() {
        let (a, b) = (Size::new(640, 512), Size::new(640, 480));
        let said = check_aspect(a, b, false).unwrap_err().to_string();
        assert!(
            said.contains("640x512") && said.contains("--stretch"),
            "{said}"
        );
        assert!(check_aspect(a, b, true).is_ok());
    }

    #[test]
    fn scaling_keeps_flat_pictures_flat() {
        for channels in [1, 3] {
            let size = Size::new(5, 4);
            let data = vec![77; size.area() * channels];
            let picture = Picture::from_data(size, channels, data).unwrap();
            let large = scaled(picture, Size::new(11, 9)).unwrap();
            assert_eq!(
                (large.size(), large.channels()),
                (Size::new(11, 9), channels)
            );
            assert!(large.data().iter().all(|&v| v == 77));
        }
    }
}
