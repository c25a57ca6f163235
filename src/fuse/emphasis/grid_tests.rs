use super::*;
use proptest::prelude::*;

/// A grid whose cells have these values, 0..=4080.
fn any_grid() -> impl Strategy<Value = (Shape, Vec<i16>)> {
    (1_usize..24, 1_usize..24).prop_flat_map(|(columns, rows)| {
        let shape = Shape {
            side: 4,
            columns,
            rows,
        };
        let cells = proptest::collection::vec(0_i16..=4080, columns * rows);
        (Just(shape), cells)
    })
}

/// All cells within some distance of one, as far as there are any.
fn around(shape: Shape, x: usize, y: usize, reach: (usize, usize)) -> Vec<usize> {
    let columns = x.saturating_sub(reach.0)..(x + reach.0 + 1).min(shape.columns);
    let rows = y.saturating_sub(reach.1)..(y + reach.1 + 1).min(shape.rows);
    rows.flat_map(|y| columns.clone().map(move |x| y * shape.columns + x))
        .collect()
}

fn by_cell(shape: Shape, value: impl Fn(usize, usize) -> i16) -> Vec<i16> {
    let cells = (0..shape.rows).flat_map(|y| (0..shape.columns).map(move |x| (x, y)));
    cells.map(|(x, y)| value(x, y)).collect()
}

#[test]
fn cells_grow_with_the_picture() {
    let side = |width, height| Shape::of(Size::new(width, height)).side;
    assert_eq!(side(640, 480), 4);
    assert_eq!(side(160, 120), 4);
    assert_eq!(side(1280, 720), 8);
    assert_eq!(side(1920, 1080), 8);
    assert_eq!(side(8000, 8000), 32);
}

proptest! {
    #[test]
    fn an_opening_is_the_greatest_of_the_least(
        (shape, values) in any_grid(),
        half in (1_usize..9, 1_usize..9),
    ) {
        let (mut row, mut column) = (vec![0; shape.cells()], vec![0; shape.cells()]);
        let mut opening = Opening::new(shape, 2 * half.0 + 1, 2 * half.1 + 1);
        // Twice, since the second one finds the first one's scratch.
        for _ in 0..2 {
            opening.open(&values, Axis::Row, &mut row);
            opening.open(&values, Axis::Column, &mut column);
        }
        for (reach, found) in [((half.0, 0), &row), ((0, half.1), &column)] {
            let pick = |of: &[i16], x, y, least: bool| {
                let cells = around(shape, x, y, reach).into_iter().map(|i| of[i]);
                if least { cells.min().unwrap() } else { cells.max().unwrap() }
            };
            let eroded = by_cell(shape, |x, y| pick(&values, x, y, true));
            let opened = by_cell(shape, |x, y| pick(&eroded, x, y, false));
            prop_assert_eq!(found, &opened);
        }
    }

    #[test]
    fn a_dilation_is_the_greatest_around((shape, values) in any_grid()) {
        let mut found = vec![0; shape.cells()];
        Filters::new(shape, 1, 1).dilate(&values, &mut found);
        let expected = by_cell(shape, |x, y| {
            around(shape, x, y, (1, 1)).into_iter().map(|i| values[i]).max().unwrap()
        });
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_mean_is_that_of_the_box((shape, values) in any_grid(), radius in 0_usize..9) {
        let mut found = vec![0; shape.cells()];
        Filters::new(shape, 1, 9).mean(&values, radius, &mut found);
        let clamped = |at: usize, by: usize, last: usize| {
            (at as isize + by as isize - radius as isize).clamp(0, last as isize) as usize
        };
        for y in 0..shape.rows {
            for x in 0..shape.columns {
                let (columns, rows) = (shape.columns - 1, shape.rows - 1);
                let steps = (0..=2 * radius).flat_map(|j| (0..=2 * radius).map(move |i| (i, j)));
                let sum: f64 = steps
                    .map(|(i, j)| {
                        let at = clamped(y, j, rows) * shape.columns + clamped(x, i, columns);
                        f64::from(values[at])
                    })
                    .sum();
                let mean = sum / ((2 * radius + 1) * (2 * radius + 1)) as f64;
                let error = f64::from(found[y * shape.columns + x]) - mean;
                // Rounded twice, and by an inverse that is cut off to 1/65536.
                prop_assert!(error.abs() <= 1.0 + 2.2 * (2 * radius + 1) as f64 * mean / 65_536.0);
            }
        }
    }

    #[test]
    fn means_of_cells_are_exact(
        width in 1_usize..40,
        height in 1_usize..40,
        side in prop::sample::select(vec![4_usize, 8]),
        seed in 0_usize..1000,
    ) {
        let size = Size::new(width, height);
        let shape = Shape { side, columns: width.div_ceil(side), rows: height.div_ceil(side) };
        let data: Vec<u8> = (0..size.area()).map(|i| ((i + seed) * 97 % 256) as u8).collect();
        let picture = Picture::from_data(size, 1, data).unwrap();
        let mut found = vec![0; shape.cells()];
        Filters::new(shape, width, 1).means(&picture, &mut found);
        let expected = by_cell(shape, |x, y| {
            let rows = y * side..((y + 1) * side).min(height);
            let columns = x * side..((x + 1) * side).min(width);
            let area = rows.len() * columns.len();
            let pixels = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
            let sum: usize = pixels.map(|(x, y)| usize::from(picture.row(y)[x])).sum();
            (sum * 16 / area) as i16
        });
        prop_assert_eq!(found, expected);
    }
}
