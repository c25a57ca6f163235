//! Connected components of a mask: what stands out, where and in what shape.

use super::grid::Grid;

/// One connected component, in cells. Edges are inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Blob {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
    /// Cells.
    pub area: usize,
    /// Mean column of its cells.
    pub x: f32,
}

/// The 8-connected components of `mask` (same shape as `grid`), largest first.
pub(super) fn components(grid: &Grid, mask: &[bool]) -> Vec<Blob> {
    let (w, h) = (grid.width, grid.height);
    let mut left_over = mask.to_vec();
    let mut stack = Vec::new();
    let mut found = Vec::new();
    for start in 0..left_over.len().min(w * h) {
        if !left_over[start] {
            continue;
        }
        left_over[start] = false;
        stack.push(start);
        let (x, y) = (start % w, start / w);
        let mut blob = Blob {
            left: x,
            top: y,
            right: x,
            bottom: y,
            area: 0,
            x: 0.0,
        };
        let mut sum = 0;
        while let Some(cell) = stack.pop() {
            let (x, y) = (cell % w, cell / w);
            blob.area += 1;
            sum += x;
            blob.left = blob.left.min(x);
            blob.right = blob.right.max(x);
            blob.bottom = blob.bottom.max(y);
            for v in y.saturating_sub(1)..(y + 2).min(h) {
                for u in x.saturating_sub(1)..(x + 2).min(w) {
                    let near = v * w + u;
                    if left_over[near] {
                        left_over[near] = false;
                        stack.push(near);
                    }
                }
            }
        }
        blob.x = sum as f32 / blob.area as f32 + 0.5;
        found.push(blob);
    }
    found.sort_by_key(|blob| std::cmp::Reverse(blob.area));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grid(width: usize, height: usize) -> Grid {
        Grid {
            width,
            height,
            values: vec![0.0; width * height],
        }
    }

    #[test]
    fn diagonal_cells_are_one_blob_and_a_gap_makes_two() {
        let mask = [true, false, false, false, true, false, false, false, false];
        let blobs = components(&grid(3, 3), &mask);
        assert_eq!(blobs.len(), 1);
        let Blob {
            left,
            top,
            right,
            bottom,
            area,
            ..
        } = blobs[0];
        assert_eq!((area, left, top, right, bottom), (2, 0, 0, 1, 1));
        let mask = [true, false, true, true, false, true, false, false, false];
        assert_eq!(components(&grid(3, 3), &mask).len(), 2);
    }

    proptest! {
        #[test]
        fn every_set_cell_is_in_exactly_one_blob(
            w in 1usize..9, mask in prop::collection::vec(any::<bool>(), 1..80),
        ) {
            let h = mask.len() / w;
            let mask = &mask[..w * h];
            let blobs = components(&grid(w, h), mask);
            let cells: usize = blobs.iter().map(|b| b.area).sum();
            prop_assert_eq!(cells, mask.iter().filter(|&&m| m).count());
            prop_assert!(blobs.is_sorted_by(|a, b| a.area >= b.area));
            for b in &blobs {
                prop_assert!(b.right < w && b.bottom < h && b.area <= (b.right - b.left + 1) * (b.bottom - b.top + 1));
            }
        }
    }
}
