//! What in a thermal picture file is no count of the scene: dead pixels, rows and columns, and missing values.
//!
//! Input: counts, and which of them are missing. Output: [`Defects`]; the counts filled in. Thread: any.
//! Blocks: never. Allocates: a few planes. Not its job: live frames, which `clean/` follows over time.

use crate::frame::Size;

/// A defect stands out by this many typical steps between neighbours, and by this part of the spread.
const STEPS: f32 = 30.0;
const SPREAD: f32 = 0.5;
/// As above, for a whole row or column: each of its samples stands out, so less is enough.
const LINE_STEPS: f32 = 20.0;
const LINE_SPREAD: f32 = 0.25;
/// Dead lines beside each other, at most.
const WIDEST: usize = 3;
/// More missing samples than this part are an area without a picture, not dead pixels.
const AREA: f32 = 0.05;
/// Samples whose steps are looked at.
const SAMPLED: usize = 1 << 15;

/// What was left out of a picture and filled in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Defects {
    /// Single dead pixels, and samples without a value (NaN).
    pub pixels: usize,
    /// Dead rows.
    pub rows: usize,
    /// Dead columns.
    pub columns: usize,
    /// Samples of an area without a picture, which is shown black.
    pub empty: usize,
}

impl Defects {
    /// In words; `None`: there are none.
    pub fn words(&self) -> Option<String> {
        let named = [
            (self.pixels, "dead or missing pixels"),
            (self.rows, "dead rows"),
            (self.columns, "dead columns"),
            (self.empty, "samples without a value"),
        ];
        let said: Vec<String> = named
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, name)| format!("{number} {name}"))
            .collect();
        (!said.is_empty()).then(|| said.join(", "))
    }
}

/// Finds what is no count of the scene and fills it in. `missing` has a flag a sample, or is empty.
pub fn mend(size: Size, data: &mut [u16], missing: &[bool]) -> Defects {
    let mut found = Defects::default();
    if size.width < 3 || size.height < 3 || data.len() != size.area() {
        return found;
    }
    let mut bad = vec![false; data.len()];
    bad.iter_mut().zip(missing).for_each(|(b, m)| *b = *m);
    let Some(scale) = Scale::of(size, data, &bad) else {
        return found;
    };
    for (b, &v) in bad.iter_mut().zip(data.iter()) {
        *b |= v == 0 && scale.zero_is_no_count();
    }
    let empty = bad.iter().filter(|b| **b).count();
    if empty as f32 > AREA * data.len() as f32 {
        // As dark as the scene's darkest part, so that it moves no limit of the range.
        let dark = scale.low as u16;
        for (v, _) in data.iter_mut().zip(&bad).filter(|(_, b)| **b) {
            *v = dark;
        }
        found.empty = empty;
        return found;
    }
    for (across, count) in [(false, &mut found.rows), (true, &mut found.columns)] {
        let lines = dead_lines(size, data, across, &scale);
        *count = lines.len();
        fill_lines(size, (data, &mut bad), across, &lines);
    }
    mark_single(size, data, &mut bad, &scale);
    found.pixels = bad.iter().filter(|b| **b).count();
    fill(size, data, &mut bad);
    found
}

/// What is usual in a picture.
struct Scale {
    low: f32,
    spread: f32,
    step: f32,
}

impl Scale {
    fn of(size: Size, data: &[u16], bad: &[bool]) -> Option<Self> {
        let stride = (data.len() / SAMPLED).max(1);
        let mut values = Vec::with_capacity(SAMPLED);
        let mut steps = Vec::with_capacity(SAMPLED);
        // Whether 0 is a count is not known yet.
        let known = |i: usize| !bad[i] && data[i] > 0;
        // An odd stride does not stay in one column.
        for i in (0..data.len()).step_by(stride | 1).filter(|i| known(*i)) {
            values.push(data[i]);
            if (i + 1) % size.width != 0 && known(i + 1) {
                steps.push(data[i].abs_diff(data[i + 1]));
            }
        }
        if values.len() < 9 || steps.is_empty() {
            return None;
        }
        values.sort_unstable();
        steps.sort_unstable();
        let at = |part: f32| f32::from(values[(part * (values.len() - 1) as f32) as usize]);
        let (low, high) = (at(0.02), at(0.98));
        Some(Self {
            low,
            spread: high - low,
            step: f32::from(steps[steps.len() / 2]).max(1.0),
        })
    }

    /// Whether 0 lies so far below the scene that it can only mean "no value".
    fn zero_is_no_count(&self) -> bool {
        self.low > 4.0 * self.spread.max(64.0 * self.step)
    }
}

/// Rows (columns, `across`) that stand out from both sides in the same direction.
fn dead_lines(size: Size, data: &[u16], across: bool, scale: &Scale) -> Vec<usize> {
    let (lines, length) = match across {
        false => (size.height, size.width),
        true => (size.width, size.height),
    };
    let at = |line: usize, i: usize| match across {
        false => data[line * size.width + i],
        true => data[i * size.width + line],
    };
    let limit = (LINE_STEPS * scale.step).max(LINE_SPREAD * scale.spread);
    let mut excess = Vec::with_capacity(length);
    let mut stands_out = |line: usize, before: usize, after: usize| {
        excess.clear();
        for i in 0..length {
            let v = f32::from(at(line, i));
            let (a, b) = (v - f32::from(at(before, i)), v - f32::from(at(after, i)));
            // Of two sides of an edge only one differs.
            excess.push(if a * b > 0.0 {
                a.abs().min(b.abs())
            } else {
                0.0
            });
        }
        excess.sort_unstable_by(f32::total_cmp);
        excess[length / 2] > limit
    };
    let mut dead = Vec::new();
    let mut line = 0;
    while line < lines {
        let found = (1..=WIDEST).find(|&width| {
            let (before, after) = match (line, line + width) {
                // At the border the two lines inside must agree with each other.
                (0, after) if after + 1 < lines => (after + 1, after),
                (line, end) if end >= lines && line >= 2 => (line - 1, line - 2),
                (line, end) if line > 0 && end < lines => (line - 1, end),
                _ => return false,
            };
            line + width <= lines && (line..line + width).all(|l| stands_out(l, before, after))
        });
        let width = found.unwrap_or(0);
        dead.extend(line..line + width);
        line += width.max(1);
    }
    dead
}

/// Fills dead lines from the nearest ones that live.
fn fill_lines(size: Size, (data, bad): (&mut [u16], &mut [bool]), across: bool, dead: &[usize]) {
    let (lines, length) = match across {
        false => (size.height, size.width),
        true => (size.width, size.height),
    };
    for &line in dead {
        let before = (0..line).rev().find(|l| !dead.contains(l));
        let after = (line + 1..lines).find(|l| !dead.contains(l));
        for i in 0..length {
            let index = |line: usize| match across {
                false => line * size.width + i,
                true => i * size.width + line,
            };
            let value = match (before, after) {
                (Some(a), Some(b)) => {
                    let part = (line - a) as f32 / (b - a) as f32;
                    let (u, v) = (f32::from(data[index(a)]), f32::from(data[index(b)]));
                    (u + part * (v - u)).round() as u16
                }
                (Some(a), None) | (None, Some(a)) => data[index(a)],
                (None, None) => continue,
            };
            data[index(line)] = value;
            bad[index(line)] = false;
        }
    }
}

/// Marks samples far beyond their neighbours, where at most two of these are like them.
fn mark_single(size: Size, data: &[u16], bad: &mut [bool], scale: &Scale) {
    let limit = (STEPS * scale.step).max(SPREAD * scale.spread);
    let known = bad.to_vec();
    for y in 0..size.height {
        for x in 0..size.width {
            let i = y * size.width + x;
            let v = f32::from(data[i]);
            let mut around = [0.0f32; 8];
            let mut n = 0;
            for j in neighbours(size, x, y).filter(|j| !known[*j]) {
                around[n] = f32::from(data[j]);
                n += 1;
            }
            let around = &mut around[..n];
            if n < 3 || known[i] {
                continue;
            }
            around.sort_unstable_by(f32::total_cmp);
            let off = v - around[n / 2];
            let alike = around
                .iter()
                .filter(|u| (*u - around[n / 2]) * off.signum() > off.abs() / 2.0)
                .count();
            bad[i] = off.abs() > limit && alike <= 2;
        }
    }
}

fn neighbours(size: Size, x: usize, y: usize) -> impl Iterator<Item = usize> {
    let (left, right) = (x.saturating_sub(1), (x + 1).min(size.width - 1));
    let (top, bottom) = (y.saturating_sub(1), (y + 1).min(size.height - 1));
    (top..=bottom)
        .flat_map(move |v| (left..=right).map(move |u| (u, v)))
        .filter(move |at| *at != (x, y))
        .map(move |(u, v)| v * size.width + u)
}

/// Fills marked samples with the mean of the neighbours that have a value, from the border inwards.
fn fill(size: Size, data: &mut [u16], bad: &mut [bool]) {
    let mut left: Vec<usize> = (0..data.len()).filter(|i| bad[*i]).collect();
    while !left.is_empty() {
        let mut filled = Vec::new();
        for &i in &left {
            let (sum, n) = neighbours(size, i % size.width, i / size.width)
                .filter(|j| !bad[*j])
                .fold((0u32, 0u32), |(sum, n), j| {
                    (sum + u32::from(data[j]), n + 1)
                });
            let mean = (sum + n / 2).checked_div(n);
            filled.extend(mean.map(|mean| (i, mean as u16)));
        }
        if filled.is_empty() {
            return;
        }
        for (i, value) in filled {
            data[i] = value;
            bad[i] = false;
        }
        left.retain(|i| bad[*i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 80,
        height: 60,
    };

    /// A slope with grain, a warm person and a horizon.
    fn scene() -> Vec<u16> {
        (0..SIZE.area())
            .map(|i| {
                let (x, y) = (i % SIZE.width, i / SIZE.width);
                let person = (30..40).contains(&x) && (20..50).contains(&y);
                let ground = if y < 20 { 28_600 } else { 29_000 };
                ground + x as u16 * 2 + (i * 7919 % 11) as u16 + 1_100 * u16::from(person)
            })
            .collect()
    }

    #[test]
    fn a_scene_without_defects_is_left_as_it_is() {
        let mut data = scene();
        assert_eq!(mend(SIZE, &mut data, &[]), Defects::default());
        assert_eq!(data, scene());
    }

    #[test]
    fn dead_pixels_rows_and_columns_are_found_and_filled() {
        let clean = scene();
        let mut data = clean.clone();
        for y in 0..SIZE.height {
            data[y * SIZE.width + 61] = 31_900;
        }
        data[11 * SIZE.width..12 * SIZE.width].fill(0);
        data[..SIZE.width].fill(65_535);
        for (i, v) in [(2_033, 0), (2_900, 65_535), (3_111, 65_535)] {
            data[i] = v;
        }
        let found = mend(SIZE, &mut data, &[]);
        assert_eq!((found.rows, found.columns), (2, 1), "{found:?}");
        assert_eq!((found.pixels, found.empty), (3, 0), "{found:?}");
        let worst = data.iter().zip(&clean).map(|(a, b)| a.abs_diff(*b)).max();
        // Across the edge of the person at most.
        assert!(worst < Some(1_300), "{worst:?}");
        let off = data
            .iter()
            .zip(&clean)
            .filter(|(a, b)| a.abs_diff(**b) > 60);
        assert!(off.count() < 12);
    }

    #[test]
    fn a_fire_of_some_pixels_is_no_defect() {
        let mut data = scene();
        for y in 10..13 {
            data[y * SIZE.width + 10..y * SIZE.width + 13].fill(57_000);
        }
        let burning = data.clone();
        assert_eq!(mend(SIZE, &mut data, &[]), Defects::default());
        assert_eq!(data, burning);
    }

    #[test]
    fn an_area_without_a_picture_becomes_dark() {
        let mut data = scene();
        data[..20 * SIZE.width].fill(0);
        let found = mend(SIZE, &mut data, &[]);
        assert_eq!(found.empty, 20 * SIZE.width);
        assert!(data[..20 * SIZE.width].iter().all(|v| *v > 28_000));
    }

    #[test]
    fn pictures_of_any_size_and_content_are_mended_without_a_panic() {
        for (w, h) in [(1, 1), (2, 5), (3, 3), (4, 1000), (1000, 3)] {
            for value in [0, 7, 65_535] {
                let mut data = vec![value; w * h];
                mend(Size::new(w, h), &mut data, &vec![true; w * h]);
                mend(Size::new(w, h), &mut data, &[]);
            }
        }
    }
}
