//! Where a source lies in the output.
//!
//! Input: positions. Output: a grey picture, or nothing where the source fills the output. Thread: fuse,
//! when tables are made. Blocks: never. Allocates: the picture and a scratch row. Not its job: what is put
//! where the source is not (see `fuse`).

use super::geometry::Positions;
use crate::frame::{Picture, Size};

/// The ramp inside the source's border is the output's shorter side over this: long enough that
/// fusion does not take the border for an edge of the scene.
const RAMP_PART: usize = 15;

/// Distances are counted in thirds of a pixel: 3 straight, 4 diagonal (Borgefors, 1986).
const STRAIGHT: u16 = 3;
const DIAGONAL: u16 = 4;

/// 255 where the source is, 0 where it is not, a ramp inside its border. The
/// output's own border is no border of the source. `None` where all is covered.
pub(super) fn of(positions: &Positions, source: Size, output: Size) -> Option<Picture> {
    let inside = |x: usize, y: usize| {
        let (u, v) = positions.at(x as f64, y as f64);
        let holds = |p: f64, len: usize| p >= -0.5 && p <= len as f64 - 0.5;
        holds(u, source.width) && holds(v, source.height)
    };
    let (w, h) = (output.width, output.height);
    let ramp = (w.min(h) / RAMP_PART).clamp(1, 256) as u16;
    let full = ramp * STRAIGHT;
    let mut distance = vec![0_u16; output.area()];
    let mut whole = true;
    for (i, distance) in distance.iter_mut().enumerate() {
        let covered = inside(i % w, i / w);
        whole &= covered;
        *distance = if covered { full } else { 0 };
    }
    if whole {
        return None;
    }
    spread(&mut distance, (w, h));
    let mut coverage = Picture::grey(output);
    for (out, distance) in coverage.data_mut().iter_mut().zip(distance) {
        *out = ((u32::from(distance) * 255 + u32::from(full) / 2) / u32::from(full)) as u8;
    }
    Some(coverage)
}

/// Chamfer distance to the nearest zero, at most what is there: one pass down, one pass up.
fn spread(distance: &mut [u16], (w, h): (usize, usize)) {
    let pass = |distance: &mut [u16], i: usize, before: isize| {
        let (x, y) = ((i % w) as isize, (i / w) as isize);
        let near = |dx: isize, dy: isize, cost: u16| {
            let (x, y) = (x + dx, y + dy);
            let within = x >= 0 && y >= 0 && x < w as isize && y < h as isize;
            within.then(|| distance[y as usize * w + x as usize] + cost)
        };
        let neighbours = [
            near(before, 0, STRAIGHT),
            near(0, before, STRAIGHT),
            near(-1, before, DIAGONAL),
            near(1, before, DIAGONAL),
        ];
        let nearest = neighbours.into_iter().flatten().min();
        distance[i] = distance[i].min(nearest.unwrap_or(u16::MAX));
    };
    for i in 0..distance.len() {
        pass(distance, i, -1);
    }
    for i in (0..distance.len()).rev() {
        pass(distance, i, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::Calibration;
    use crate::align::geometry::Geometry;

    fn coverage(h: [f64; 9]) -> Option<Picture> {
        let (output, source) = (Size::new(100, 80), Size::new(50, 40));
        let calibration = Calibration::from_homography(h, source, output);
        let geometry = Geometry::infrared(&calibration, None, output).unwrap();
        of(&geometry.positions(source), source, output)
    }

    #[test]
    fn a_source_that_fills_the_output_has_none() {
        assert!(coverage([0.5, 0.0, -0.25, 0.0, 0.5, -0.25, 0.0, 0.0, 1.0]).is_none());
    }

    #[test]
    fn the_ramp_lies_inside_the_borders_that_show() {
        // The source ends 30 output pixels before the right border.
        let map = coverage([0.5, 0.0, 14.75, 0.0, 0.5, -0.25, 0.0, 0.0, 1.0]).unwrap();
        let row = map.row(40);
        assert_eq!((row[0], row[40], row[70], row[99]), (255, 255, 0, 0));
        assert!(row[69] > 0 && row[69] < 64);
        assert!(row.is_sorted_by(|a, b| a >= b));
        assert_eq!(map.row(0), map.row(79));
    }
}
