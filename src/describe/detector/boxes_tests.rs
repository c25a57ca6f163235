use proptest::prelude::*;

use super::*;

/// One box in each of the layouts that have a score for every class.
fn tensor(
    boxes: &[([f32; 4], usize, f32)],
    own: Option<f32>,
    planes: bool,
) -> (Vec<f32>, Vec<usize>) {
    let width = 84 + usize::from(own.is_some());
    let n = boxes.len();
    let mut values = vec![0.0; n * width];
    for (i, (at, class, score)) in boxes.iter().enumerate() {
        let mut row = at.to_vec();
        row.extend(own);
        row.resize(width, 0.01);
        row[4 + usize::from(own.is_some()) + class] = *score;
        for (k, v) in row.into_iter().enumerate() {
            values[if planes { k * n + i } else { i * width + k }] = v;
        }
    }
    let shape = if planes {
        vec![1, width, n]
    } else {
        vec![1, n, width]
    };
    (values, shape)
}

#[test]
fn every_layout_gives_the_same_boxes() {
    let boxes = [
        ([50.0, 40.0, 20.0, 60.0], 0, 0.9),
        ([200.0, 100.0, 80.0, 40.0], 2, 0.7),
    ];
    let expected = [
        (0, [40.0, 10.0, 60.0, 70.0]),
        (2, [160.0, 80.0, 240.0, 120.0]),
    ];
    for (own, planes) in [
        (None, true),
        (None, false),
        (Some(1.0), true),
        (Some(1.0), false),
    ] {
        let (values, shape) = tensor(&boxes, own, planes);
        let found = decode(&values, &shape, 0.5).unwrap();
        let said: Vec<_> = found.iter().map(|f| (f.class, f.corners)).collect();
        assert_eq!(said, expected, "{shape:?}");
    }
    let done = [
        40.0, 10.0, 60.0, 70.0, 0.9, 0.0, 160.0, 80.0, 240.0, 120.0, 0.7, 2.0,
    ];
    let found = decode(&done, &[1, 2, 6], 0.5).unwrap();
    let said: Vec<_> = found.iter().map(|f| (f.class, f.corners)).collect();
    assert_eq!(said, expected);
}

#[test]
fn a_box_of_its_own_score_counts_by_both() {
    let (values, shape) = tensor(&[([50.0, 40.0, 20.0, 60.0], 0, 0.8)], Some(0.5), false);
    assert_eq!(decode(&values, &shape, 0.5).unwrap(), []);
    assert!((decode(&values, &shape, 0.3).unwrap()[0].score - 0.4).abs() < 1e-6);
}

#[test]
fn one_object_is_found_once_and_its_neighbour_too() {
    let boxes = [
        ([50.0, 50.0, 20.0, 20.0], 0, 0.9),
        ([52.0, 50.0, 20.0, 20.0], 0, 0.8), // the same again
        ([52.0, 50.0, 20.0, 20.0], 1, 0.8), // its bicycle
        ([70.0, 50.0, 20.0, 20.0], 0, 0.7), // touches
    ];
    let (values, shape) = tensor(&boxes, None, true);
    let classes: Vec<_> = decode(&values, &shape, 0.5)
        .unwrap()
        .iter()
        .map(|f| f.class)
        .collect();
    assert_eq!(classes, [0, 1, 0]);
}

#[test]
fn what_is_no_detector_is_refused_by_what_was_found() {
    let said = decode(&[0.0; 12], &[1, 12], 0.5).unwrap_err();
    assert!(
        said.contains("[1, 12]") && said.contains("[1, 84, N]"),
        "{said}"
    );
    let (mut values, shape) = tensor(&[([50.0, 40.0, 20.0, 60.0], 0, 7.5)], None, true);
    assert!(decode(&values, &shape, 0.5).unwrap_err().contains("7.5"));
    values.pop();
    assert!(
        decode(&values, &shape, 0.5)
            .unwrap_err()
            .contains("83 values")
    );
}

proptest! {
    #[test]
    fn no_values_bring_it_down(
        values in prop::collection::vec(prop_oneof![
            any::<f32>(), 0f32..1.0, Just(f32::NAN), Just(f32::INFINITY)
        ], 84 * 5),
    ) {
        for shape in [[1, 84, 5], [1, 5, 84], [1, 70, 6]] {
            if let Ok(found) = decode(&values, &shape, 0.5) {
                for f in found {
                    prop_assert!(f.class < CLASSES.len() && f.score >= 0.5 && f.score <= HIGHEST);
                    prop_assert!(f.corners.iter().all(|c| c.is_finite()));
                }
            }
        }
    }
}
