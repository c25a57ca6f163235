//! The numbered picture.
//!
//! Each row carries the frame's number, so that a picture made of two frames shows two numbers. A row is 40 cells wide. Cells 0 to 19 are black (0) or white (255): white, black,
//! sixteen bits of the number from the highest, then the parity of the number and its inverse.
//! Cells 20 to 39 are a scene: a ramp, and a disc that moves with the number.

/// Cells in a row.
pub const CELLS: usize = 40;

/// The cells that carry `number`: white is `true`.
pub fn cells(number: u16) -> [bool; 20] {
    let mut cells = [false; 20];
    cells[0] = true;
    for bit in 0..16 {
        cells[2 + bit] = number >> (15 - bit) & 1 == 1;
    }
    let odd = number.count_ones() % 2 == 1;
    cells[18] = odd;
    cells[19] = !odd;
    cells
}

/// Writes the luma of frame `number` into `luma`, `width` x `height` bytes.
pub fn draw(number: u16, width: usize, height: usize, luma: &mut [u8]) {
    let marks = cells(number);
    let cell = (width / CELLS).max(1);
    let (radius, phase) = (height as i64 / 8, i64::from(number));
    let centre_x = width as i64 * 3 / 4;
    let centre_y = radius + phase * 2 % (height as i64 - 2 * radius).max(1);
    for (y, row) in luma.chunks_exact_mut(width).take(height).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            let from_centre = [x as i64 - centre_x, y as i64 - centre_y];
            let distance: i64 = from_centre.iter().map(|d| d * d).sum();
            *value = match marks.get(x / cell) {
                Some(true) => 255,
                Some(false) => 0,
                None if distance < radius * radius => 240,
                None => (32 + y * 128 / height.max(1)) as u8,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_cells_of_its_own_with_its_parity() {
        let mut seen = std::collections::HashSet::new();
        for number in 0..=u16::MAX {
            let cells = cells(number);
            assert!(cells[0] && !cells[1] && cells[18] != cells[19]);
            assert!(seen.insert(cells));
        }
    }

    #[test]
    fn every_row_carries_the_number() {
        let mut luma = vec![7; 160 * 120];
        draw(0xA5C3, 160, 120, &mut luma);
        for y in 0..120 {
            for (i, white) in cells(0xA5C3).into_iter().enumerate() {
                assert_eq!(luma[y * 160 + i * 4 + 2] == 255, white, "row {y} cell {i}");
            }
        }
    }
}
