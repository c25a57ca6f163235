//! Rows of telemetry that cameras put above or below their picture, and that tools save with it.
//!
//! Input: counts. Output: counts without these rows. Fails when: never. Not its job: what the telemetry says
//! (see `acquire/telemetry`).

use super::loaded::RawGrey;

/// Pictures of cameras that send telemetry: width, height, rows of it.
const CAMERAS: [(usize, usize, usize); 7] = [
    // Lepton 3 and 2.
    (160, 120, 2),
    (80, 60, 3),
    (80, 60, 1),
    // Boson and Tau.
    (640, 512, 2),
    (640, 512, 1),
    (320, 256, 2),
    (320, 256, 1),
];
/// Telemetry differs from the row beside it by this many times what rows of the picture do.
const UNLIKE: f32 = 8.0;

/// Cuts telemetry off; its number of rows and where they were.
pub fn cut(raw: &mut RawGrey) -> Option<(usize, &'static str)> {
    let size = raw.counts.size;
    let (_, height, rows) = *CAMERAS
        .iter()
        .find(|(w, h, rows)| (size.width, size.height) == (*w, h + rows))?;
    let data = &raw.counts.data;
    let width = size.width;
    let unlike = |a: usize, b: usize| {
        let row = |y: usize| &data[y * width..(y + 1) * width];
        let mut steps: Vec<u16> = row(a)
            .iter()
            .zip(row(b))
            .map(|(u, v)| u.abs_diff(*v))
            .collect();
        steps.sort_unstable();
        f32::from(steps[width / 2])
    };
    let middle = (height / 4..height * 3 / 4).map(|y| unlike(y, y + 1));
    let usual = middle.fold(0.0, f32::max).max(1.0) * UNLIKE;
    let below = (0..rows).all(|i| unlike(height + i, height - 1) > usual);
    let above = (0..rows).all(|i| unlike(i, rows) > usual);
    let (range, place) = match (below, above) {
        (true, _) => (0..height, "below"),
        (false, true) => (rows..rows + height, "above"),
        (false, false) => return None,
    };
    let range = range.start * width..range.end * width;
    raw.counts.data = data[range.clone()].to_vec();
    if !raw.missing.is_empty() {
        raw.missing = raw.missing[range].to_vec();
    }
    raw.counts.size.height = height;
    Some((rows, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    fn picture(rows_above: usize, rows_below: usize) -> RawGrey {
        let junk = |i: usize| (i * 40_503 % 65_536) as u16;
        let scene = (0..160 * 120).map(|i| 29_000 + (i % 160) as u16 * 3 + (i / 160) as u16);
        let data: Vec<u16> = (0..160 * rows_above)
            .map(junk)
            .chain(scene)
            .chain((0..160 * rows_below).map(junk))
            .collect();
        RawGrey::of(Size::new(160, 120 + rows_above + rows_below), data)
    }

    #[test]
    fn telemetry_is_cut_where_it_is() {
        for (above, below, place) in [(2, 0, "above"), (0, 2, "below")] {
            let mut raw = picture(above, below);
            assert_eq!(cut(&mut raw), Some((2, place)));
            assert_eq!(raw, picture(0, 0));
        }
    }

    #[test]
    fn a_picture_of_that_size_without_telemetry_is_left() {
        let mut raw = RawGrey::of(Size::new(160, 122), (0..160 * 122).collect());
        assert_eq!(cut(&mut raw), None);
        assert_eq!(cut(&mut picture(0, 0)), None);
    }
}
