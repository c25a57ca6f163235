//! Picture files as sources: 8-bit pictures, whatever the files hold.
//!
//! Input: paths, a task. Output: [`Source`]. Fails when: a file cannot be used. Not its job: sizes, fusing.

use std::path::Path;

use anyhow::{Result, bail};
use filmd::config::Task;
use filmd::files::{Content, Loaded, RawGrey, Temperatures, guard, load, read_size};
use filmd::frame::{Picture, Size};
use filmd::range::still;
use filmd::range::window::Window;

/// How files become pictures.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// What is fused.
    pub task: Task,
    /// What is black and white of an infrared source: degrees Celsius where its temperatures are known, else counts.
    pub range: Option<(f32, f32)>,
    /// The values of a medical source A that are shown.
    pub window: Option<Window>,
    /// Source A shows what is hot dark.
    pub black_hot: bool,
}

/// One source of a fusion.
#[derive(Debug)]
pub struct Source {
    /// 8 bits.
    pub picture: Picture,
    /// What was special about the file.
    pub notes: Vec<String>,
    /// Those of the file, where it has any.
    pub temperatures: Option<Temperatures>,
    /// The visible picture that a thermal camera's file brings.
    pub visible: Option<Picture>,
    /// The file's ICC profile.
    pub profile: Option<Vec<u8>>,
    /// The file's EXIF block.
    pub exif: Option<Vec<u8>>,
}

/// Bytes that a fusion takes for each pixel of the result, from reading to writing (measured: 59 by the network, 40
/// without), and for each pixel of a source.
const FUSION: u64 = 72;
const SOURCE: u64 = 12;

/// An allocation that fails ends the process, and with it the other pairs of a folder: so memory is asked for before.
fn check_memory(paths: &[&Path]) -> Result<()> {
    let (mut all, mut last) = (0, Size::new(0, 0));
    for path in paths {
        last = read_size(path)?;
        all += last.area() as u64;
    }
    let needed = last.area() as u64 * FUSION + all * SOURCE;
    if !guard::has_memory(needed) {
        bail!(
            "a result of {last} takes about {} MB of memory, and they are not there; scale the pictures down",
            needed >> 20
        );
    }
    Ok(())
}

/// Reads the sources of one fusion, in order. Deep grey of exposures and foci is brought to 8 bits by one scale for
/// all.
///
/// # Errors
/// A file that cannot be used, by name.
pub fn read_sources(paths: &[&Path], reading: &Reading) -> Result<Vec<Source>> {
    check_memory(paths)?;
    let loaded: Vec<Loaded> = paths
        .iter()
        .map(|path| load(path))
        .collect::<Result<_, _>>()?;
    let white = loaded.iter().map(most).fold(0.0, f32::max);
    let white = WHITES.into_iter().find(|w| *w >= white).unwrap_or(white);
    loaded
        .into_iter()
        .enumerate()
        .map(|(index, loaded)| source(loaded, index == 0, white, reading))
        .collect()
}

/// Whites of the scales that files have: parts of 1, and 8 to 16 bits.
const WHITES: [f32; 6] = [1.0, 255.0, 1023.0, 4095.0, 16_383.0, 65_535.0];

/// The largest value of a file of deep grey.
fn most(loaded: &Loaded) -> f32 {
    match &loaded.content {
        Content::Counts(raw) => {
            let most = raw.counts.data.iter().copied().max().unwrap_or(0);
            raw.value_of(f32::from(most))
        }
        Content::Picture(_) => 0.0,
    }
}

/// An 8-bit picture within so many grey levels shows nothing.
const FLAT: u8 = 2;

/// A flat picture (a closed shutter, a cap) as grey as one of counts would be, and a word of it.
fn even_out(picture: &mut Picture, notes: &mut Vec<String>) {
    let least = picture.data().iter().copied().min().unwrap_or(0);
    let most = picture.data().iter().copied().max().unwrap_or(0);
    if most - least <= FLAT && picture.data().len() > picture.channels() {
        picture.data_mut().fill(128);
        notes.push("it is flat: nothing stands out (a closed shutter, a cap or fog?)".to_owned());
    }
}

fn source(loaded: Loaded, is_a: bool, white: f32, reading: &Reading) -> Result<Source> {
    let Loaded {
        content,
        mut notes,
        visible,
        profile,
        exif,
    } = loaded;
    let mut temperatures = None;
    let mut picture = match content {
        Content::Picture(mut picture) => {
            if is_a && reading.task == Task::Ivf {
                even_out(&mut picture, &mut notes);
            }
            if is_a && reading.range.is_some() {
                notes.push("it has 8 bits, so --range does not apply".to_owned());
            }
            picture
        }
        Content::Counts(raw) => match reading.task {
            Task::Ivf if is_a => {
                let mut raw = raw;
                let picture = thermal(&mut raw, reading, &mut notes)?;
                temperatures = raw.temperatures();
                picture
            }
            Task::Ivf => Window::percentiles(&raw.counts.data).apply(&raw.counts),
            Task::Mif => medical(&raw, is_a, reading, &mut notes),
            Task::Mef | Task::Mff => {
                let limits = (raw.of_value(0.0), raw.of_value(white));
                still::map_between(&raw.counts, limits).picture
            }
        },
    };
    if is_a && reading.black_hot {
        if temperatures.is_some() {
            bail!("--black-hot is for pictures; source A has temperatures, and hot is white");
        }
        picture.data_mut().iter_mut().for_each(|v| *v = 255 - *v);
    }
    Ok(Source {
        picture,
        notes,
        temperatures,
        visible,
        profile,
        exif,
    })
}

fn thermal(raw: &mut RawGrey, reading: &Reading, notes: &mut Vec<String>) -> Result<Picture> {
    if let Some(defects) = raw.mend().words() {
        notes.push(format!("filled in: {defects}"));
    }
    let mapped = match reading.range {
        None => raw.map(),
        Some((low, high)) => {
            let count = |value: f32| raw.count_of(value).unwrap_or(raw.of_value(value));
            still::map_between(&raw.counts, (count(low), count(high)))
        }
    };
    if mapped.flat {
        let (low, high) = mapped.limits;
        notes.push(format!(
            "it is flat: nothing stands out between {low:.0} and {high:.0} counts (a closed shutter, a cap or fog?)"
        ));
    }
    Ok(mapped.picture)
}

fn medical(raw: &RawGrey, is_a: bool, reading: &Reading, notes: &mut Vec<String>) -> Picture {
    if let Some(window) = reading.window.filter(|_| is_a) {
        let window = Window {
            centre: raw.of_value(window.centre),
            width: window.width * raw.linear.0,
        };
        return window.apply(&raw.counts);
    }
    let (window, is_ct) = Window::of(&raw.counts.data);
    let (centre, width) = (raw.value_of(window.centre), window.width / raw.linear.0);
    let why = match is_ct {
        true => "its counts look like a CT's, so the window of a brain is shown",
        false => "nearly all of its values are shown",
    };
    notes.push(format!(
        "{why}: --window {centre:.0},{width:.0}; another window shows other values"
    ));
    window.apply(&raw.counts)
}
