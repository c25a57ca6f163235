//! Colours for thermal values.
//!
//! Input: a [`Palette`]. Output: 256 RGB colours, made at compile time. Thread: any. Blocks: never.
//! Allocates: never. Not its job: contrast (see `acquire`).

use crate::config::Palette;

/// One RGB colour a grey level.
pub type Lut = [[u8; 3]; 256];

static WHITE_HOT: Lut = lut(&[(0, [0, 0, 0]), (255, [255, 255, 255])]);
static BLACK_HOT: Lut = lut(&[(0, [255, 255, 255]), (255, [0, 0, 0])]);
/// Black body colours: luma rises all the way, so hotter is also brighter on a grey screen.
static IRONBOW: Lut = lut(&[
    (0, [0, 0, 8]),
    (40, [32, 0, 96]),
    (90, [132, 0, 148]),
    (140, [214, 44, 78]),
    (185, [246, 124, 12]),
    (225, [255, 212, 46]),
    (255, [255, 255, 240]),
]);
static RAINBOW: Lut = lut(&[
    (0, [0, 0, 112]),
    (48, [0, 72, 255]),
    (96, [0, 200, 208]),
    (136, [32, 208, 64]),
    (184, [248, 232, 24]),
    (224, [255, 112, 0]),
    (255, [208, 0, 0]),
]);

/// The colours of a palette.
pub fn lut_of(palette: Palette) -> &'static Lut {
    match palette {
        Palette::WhiteHot => &WHITE_HOT,
        Palette::BlackHot => &BLACK_HOT,
        Palette::Ironbow => &IRONBOW,
        Palette::Rainbow => &RAINBOW,
    }
}

/// Straight lines between control points, which begin at 0, rise, and end at 255.
const fn lut(points: &[(usize, [u8; 3])]) -> Lut {
    let mut table = [[0; 3]; 256];
    let mut next = 1;
    let mut level = 0;
    while level < 256 {
        if level > points[next].0 {
            next += 1;
        }
        let ((from, a), (to, b)) = (points[next - 1], points[next]);
        let (span, part) = (to - from, level - from);
        let mut c = 0;
        while c < 3 {
            let sum = a[c] as usize * (span - part) + b[c] as usize * part;
            table[level][c] = ((sum + span / 2) / span) as u8;
            c += 1;
        }
        level += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_palettes_are_straight_lines() {
        for level in 0..=255_u8 {
            let i = usize::from(level);
            assert_eq!(lut_of(Palette::WhiteHot)[i], [level; 3]);
            assert_eq!(lut_of(Palette::BlackHot)[i], [255 - level; 3]);
        }
    }

    #[test]
    fn ironbow_rises_in_luma() {
        let luma =
            |c: &[u8; 3]| 299 * u32::from(c[0]) + 587 * u32::from(c[1]) + 114 * u32::from(c[2]);
        let table = lut_of(Palette::Ironbow);
        assert!(table.is_sorted_by(|a, b| luma(a) <= luma(b)));
        assert!(luma(&table[255]) > 250_000 && luma(&table[0]) < 2_000);
    }

    #[test]
    fn rainbow_goes_from_blue_to_red_without_a_step() {
        let table = lut_of(Palette::Rainbow);
        assert!(table[0][2] > table[0][0] && table[255][0] > table[255][2]);
        for pair in table.windows(2) {
            let steps = pair[0].iter().zip(&pair[1]);
            assert!(
                steps.into_iter().all(|(a, b)| a.abs_diff(*b) <= 6),
                "{pair:?}"
            );
        }
    }
}
