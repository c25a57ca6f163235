//! Boxes from a detector's output tensor.
//!
//! Input: values and shape. Output: [`Found`], without those that are the same thing twice. Fails when: the
//! shape, or the range of the scores, is not that of a detector of 80 classes. Not its job: running it.

use super::classes::CLASSES;

/// Boxes of one class that share more of their union are one object: Girshick's non-maximum
/// suppression, with the threshold that detectors of this family are scored with.
const SAME: f32 = 0.45;
/// Most boxes that are looked at, the surest first.
const MOST: usize = 300;
/// Scores are probabilities; a little more is rounding, much more is a graph without its sigmoid.
const HIGHEST: f32 = 1.01;

/// What the output holds, N boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputLayout {
    /// `[1, 84, N]`: centre x, centre y, width, height, 80 scores (YOLOv8, YOLO11). `[1, 85, N]`
    /// has the box's own score after the height.
    Planes {
        /// There is a score of the box's own.
        own: bool,
    },
    /// The same, box by box: `[1, N, 84]`, and `[1, N, 85]` (YOLOv5, YOLOv7).
    Rows {
        /// There is a score of the box's own.
        own: bool,
    },
    /// `[1, N, 6]`: left, top, right, bottom, score, class; suppression is part of the graph (YOLOv10).
    Done,
}

/// A box in pixels of the network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Index into the classes.
    pub class: usize,
    /// 0..=1.
    pub score: f32,
    /// Left, top, right, bottom.
    pub corners: [f32; 4],
}

impl OutputLayout {
    /// By the output's shape.
    ///
    /// # Errors
    /// The shape that was found, and those that can be read.
    pub fn of(shape: &[usize]) -> Result<Self, String> {
        match *shape {
            [1, _, 6] => Ok(Self::Done),
            [1, 84, _] => Ok(Self::Planes { own: false }),
            [1, 85, _] => Ok(Self::Planes { own: true }),
            [1, _, 84] => Ok(Self::Rows { own: false }),
            [1, _, 85] => Ok(Self::Rows { own: true }),
            _ => Err(format!(
                "its output is {shape:?}; [1, 84, N], [1, 85, N], [1, N, 84], [1, N, 85] or \
                 [1, N, 6] of the 80 COCO classes was expected"
            )),
        }
    }
}

/// Boxes whose score is at least `least`, the surest first.
///
/// # Errors
/// As [`OutputLayout::of`]; a length that is not the shape's; scores that are no probabilities.
pub fn decode(values: &[f32], shape: &[usize], least: f32) -> Result<Vec<Found>, String> {
    let layout = OutputLayout::of(shape)?;
    let (rows, columns) = (shape[1], shape[2]);
    if values.len() != rows * columns {
        return Err(format!(
            "its output has {} values, not those of {shape:?}",
            values.len()
        ));
    }
    let (count, own) = match layout {
        OutputLayout::Planes { own } => (columns, own),
        OutputLayout::Rows { own } => (rows, own),
        OutputLayout::Done => (rows, false),
    };
    // Value `k` of box `i`.
    let at = |i: usize, k: usize| match layout {
        OutputLayout::Planes { .. } => values[k * columns + i],
        OutputLayout::Rows { .. } | OutputLayout::Done => values[i * columns + k],
    };
    let read = |i: usize| match layout {
        OutputLayout::Done => finished([0, 1, 2, 3, 4, 5].map(|k| at(i, k))),
        _ => centred(
            [0, 1, 2, 3].map(|k| at(i, k)),
            own.then(|| at(i, 4)),
            |class| at(i, 4 + usize::from(own) + class),
        ),
    };
    let mut found: Vec<Found> = (0..count)
        .filter_map(read)
        .filter(|f| f.score >= least)
        .collect();
    if let Some(beyond) = found.iter().find(|f| f.score > HIGHEST) {
        return Err(format!(
            "a score is {}; scores of 0 to 1 were expected (export the graph with its sigmoid)",
            beyond.score
        ));
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MOST);
    let mut kept: Vec<Found> = Vec::new();
    for candidate in found {
        let again = |k: &Found| k.class == candidate.class && overlap(k, &candidate) > SAME;
        if layout == OutputLayout::Done || !kept.iter().any(again) {
            kept.push(candidate);
        }
    }
    Ok(kept)
}

/// A box with a score for every class: its best one.
fn centred(
    [x, y, w, h]: [f32; 4],
    own: Option<f32>,
    score: impl Fn(usize) -> f32,
) -> Option<Found> {
    let best = (0..CLASSES.len()).max_by(|&a, &b| score(a).total_cmp(&score(b)))?;
    let corners = [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0];
    sound(best, score(best) * own.unwrap_or(1.0), corners)
}

/// A box of a graph that has chosen already.
fn finished([left, top, right, bottom, score, class]: [f32; 6]) -> Option<Found> {
    let whole = (0.0..CLASSES.len() as f32).contains(&class);
    whole.then(|| sound(class as usize, score, [left, top, right, bottom]))?
}

fn sound(class: usize, score: f32, corners: [f32; 4]) -> Option<Found> {
    let [left, top, right, bottom] = corners;
    let holds = score.is_finite() && corners.iter().all(|c| c.is_finite());
    (holds && right > left && bottom > top).then_some(Found {
        class,
        score,
        corners,
    })
}

/// Intersection over union.
fn overlap(a: &Found, b: &Found) -> f32 {
    let area = |c: [f32; 4]| (c[2] - c[0]).max(0.0) * (c[3] - c[1]).max(0.0);
    let (p, q) = (a.corners, b.corners);
    let common = area([
        p[0].max(q[0]),
        p[1].max(q[1]),
        p[2].min(q[2]),
        p[3].min(q[3]),
    ]);
    common / (area(p) + area(q) - common)
}

#[cfg(test)]
#[path = "boxes_tests.rs"]
mod tests;
