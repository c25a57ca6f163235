//! The sources of one job as pictures over each other, in the order that the network takes them.
//!
//! Input: files. Output: [`Stack`]. Fails when: a file cannot be used, or the pictures do not go together.
//! Not its job: fusing.

use std::path::Path;

use anyhow::{Context, Result, bail};
use filmd::align::register::{self, Found};
use filmd::align::{AlignedPair, Aligner, Calibration};
use filmd::config::Task;
use filmd::files::Temperatures;
use filmd::frame::Picture;
use filmd::fuse::color;
use serde_json::{Value, json};

use super::job_text;
use super::jobs::Job;
use crate::pair_files::{PairCleaner, check_aspect, cleaned, pair_of, scaled};
use crate::sources::{Reading, Source, read_sources};

/// What the arguments say about bringing sources over each other.
#[derive(Debug, Clone, Copy)]
pub struct Placing<'a> {
    /// A may have another aspect ratio than B.
    pub stretch: bool,
    /// Exposures and foci are aligned.
    pub align: bool,
    /// A is laid over B by this.
    pub calibration: Option<&'a Calibration>,
}

/// Sources over each other.
pub struct Stack {
    /// At least two, in the order of fusion; all of the last source's size, by `pair`.
    pub pictures: Vec<Picture>,
    /// The first pair of them; what it suffered from and where A is seen.
    pub pair: AlignedPair,
    /// Of the last source.
    pub profile: Option<Vec<u8>>,
    /// Of the last source.
    pub exif: Option<Vec<u8>>,
    /// For the report.
    pub about: About,
}

/// What was found out about the sources, for people and for JSON.
#[derive(Debug, Default)]
pub struct About {
    /// Of each source, in the order they were named.
    pub notes: Vec<Vec<String>>,
    /// Of each source.
    pub temperatures: Vec<Option<Temperatures>>,
    /// Where the other sources lay against the last one; `Null`: not looked for.
    pub aligned: Value,
    /// The sources by exposure, darkest first, where that is not as they were named.
    pub order: Option<Vec<usize>>,
}

/// Reads a job's sources.
///
/// # Errors
/// Unreadable files; sizes that do not go together.
pub fn read(
    job: &Job,
    reading: &Reading,
    placing: Placing<'_>,
    cleaner: Option<&mut PairCleaner>,
) -> Result<Stack> {
    let paths: Vec<&Path> = job.sources.iter().map(AsRef::as_ref).collect();
    let mut sources = read_sources(&paths, reading)?;
    let one_file = sources.len() == 1;
    if one_file {
        let visible = sources[0].visible.take().with_context(|| {
            let path = job_text(paths[0]);
            format!(
                "{path} holds one picture; name source B as well (a FLIR picture may hold both)"
            )
        })?;
        sources.push(Source {
            picture: visible,
            notes: vec!["the visible picture of the same file is source B".to_owned()],
            temperatures: None,
            visible: None,
            profile: None,
            exif: None,
        });
    }
    let mut about = About::default();
    for source in &mut sources {
        about.notes.push(std::mem::take(&mut source.notes));
        about.temperatures.push(source.temperatures.take());
    }
    let last = sources.last_mut().context("no source")?;
    let (profile, exif) = (last.profile.take(), last.exif.take());
    let mut pictures: Vec<Picture> = sources.into_iter().map(|s| s.picture).collect();
    let pair = if matches!(reading.task, Task::Mef | Task::Mff) {
        stacked(&mut pictures, reading.task, placing, &mut about)?
    } else {
        // One file's halves are of one field of view.
        let stretch = placing.stretch || one_file;
        pair_over(&mut pictures, stretch, placing.calibration, cleaner)?
    };
    Ok(Stack {
        pictures,
        pair,
        profile,
        exif,
        about,
    })
}

/// Two cameras' pictures.
fn pair_over(
    pictures: &mut Vec<Picture>,
    stretch: bool,
    calibration: Option<&Calibration>,
    cleaner: Option<&mut PairCleaner>,
) -> Result<AlignedPair> {
    let (Some(mut visible), Some(mut first)) = (pictures.pop(), pictures.pop()) else {
        bail!("a pair has two pictures");
    };
    let pair = match calibration {
        None => pair_of(first, visible, stretch, cleaner)?,
        Some(calibration) => {
            let condition = cleaned(&mut first, &mut visible, cleaner);
            let size = visible.size();
            let mut pair = AlignedPair::new(size);
            pair.condition = condition;
            Aligner::new(calibration, None, size)?.align_pictures(
                Some(&first),
                Some(&visible),
                &mut pair,
            );
            pair
        }
    };
    *pictures = vec![pair.infrared.clone(), pair.visible.clone()];
    Ok(pair)
}

/// Exposures or foci: all brought to the last one's place and size; exposures darkest first.
fn stacked(
    pictures: &mut Vec<Picture>,
    task: Task,
    placing: Placing<'_>,
    about: &mut About,
) -> Result<AlignedPair> {
    let Some(reference) = pictures.pop() else {
        bail!("a stack has pictures");
    };
    let size = reference.size();
    let mut found = Vec::new();
    for (index, picture) in pictures.iter_mut().enumerate() {
        check_aspect(picture.size(), size, placing.stretch)?;
        *picture = scaled(std::mem::replace(picture, Picture::grey(size)), size)?;
        if placing.align {
            found.push(align(picture, &reference, &mut about.notes[index]));
        }
    }
    if placing.align {
        about.aligned = json!(found);
    }
    pictures.push(reference);
    if task == Task::Mef {
        let mut order: Vec<usize> = (0..pictures.len()).collect();
        let means: Vec<f64> = pictures.iter().map(mean_luma).collect();
        order.sort_by(|a, b| means[*a].total_cmp(&means[*b]));
        if !order.is_sorted() {
            let sorted = order.iter().map(|i| pictures[*i].clone());
            *pictures = sorted.collect();
            about.order = Some(order);
        }
        // The darkest and the brightest have the most to say; those between them follow.
        if let Some(brightest) = pictures.pop() {
            pictures.insert(1, brightest);
        }
    }
    Ok(AlignedPair::registered(
        pictures[0].clone(),
        pictures[1].clone(),
    ))
}

/// Moves a picture over the reference, where it is known by how much.
fn align(picture: &mut Picture, reference: &Picture, notes: &mut Vec<String>) -> Value {
    let (mut a, mut b) = (
        Picture::grey(reference.size()),
        Picture::grey(reference.size()),
    );
    color::luma(reference, &mut a);
    color::luma(picture, &mut b);
    match register::find(&a, &b) {
        Found::Still => json!({ "moved": false }),
        Found::Moved(motion) => {
            *picture = register::moved(picture, reference, motion);
            let (x, y) = motion.shift;
            json!({
                "moved": true, "shift": [round(x), round(y)], "turn": round(motion.turn),
                "scale": (motion.scale * 1e5).round() / 1e5,
            })
        }
        Found::Unsure(motion) => {
            let (x, y) = motion.shift;
            notes.push(format!(
                "it could not be aligned: it may lie {x:.0} pixels to the right and {y:.0} down, turned by {:.1} \
                 degrees; edges may be double",
                motion.turn
            ));
            json!({ "moved": null, "shift": [round(x), round(y)], "turn": round(motion.turn) })
        }
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn mean_luma(picture: &Picture) -> f64 {
    let sum: u64 = picture.data().iter().map(|v| u64::from(*v)).sum();
    sum as f64 / picture.data().len().max(1) as f64
}
