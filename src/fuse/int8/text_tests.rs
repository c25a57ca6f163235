use proptest::prelude::*;

use super::*;

/// What `operator` makes of a text with rows of `features` values.
fn run<O: Operator>(operator: &O, text: &[f32], features: usize) -> TractResult<Vec<f32>> {
    let shape = [1, text.len() / features, features];
    let text = Tensor::from_shape(&shape, text)?;
    let (kind, shape) = operator.form(&[(f32::datum_type(), shape[..].into())])?;
    let mut out = Tensor::zero_dt(kind, &shape)?;
    // Whatever an earlier frame left there.
    out.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?.fill(9.0);
    operator.run(&[&text], &mut out)?;
    Ok(values::<f32>(&out)?.to_vec())
}

fn linear(
    (features, outputs): (usize, usize),
    numbers: &[f32],
    relu: bool,
) -> TractResult<TextLinear> {
    let (weights, bias) = numbers.split_at(features * outputs);
    let constants = [
        Tensor::from_shape(&[features, outputs], weights)?.into(),
        Tensor::from_shape(&[bias.len()], bias)?.into(),
    ];
    Attributes { relu }.with(&constants)
}

#[test]
fn rows_that_are_all_zero_count_neither_in_the_mean_nor_in_the_attention() {
    let text = [1.0, -2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0];
    let (slope, closed) = (1e4, 1e4);
    let mean = run(&TextMean { slope }, &text, 2).unwrap();
    assert_eq!(mean, [2.0, 1.0]);
    let closed = run(&TextClosed { slope, closed }, &text, 2).unwrap();
    assert_eq!(closed, [0.0, -1e4, 0.0, -1e4]);
    // A row that is nearly zero counts in part, for both.
    let faint = [0.0, 5e-5];
    let closed = run(&TextClosed { slope, closed: 2.0 }, &faint, 2).unwrap();
    assert!((closed[0] + 1.0).abs() < 1e-3, "{closed:?}");
}

#[test]
fn a_text_without_a_row_has_a_mean_of_zero() {
    let mean = run(&TextMean { slope: 1e4 }, &[0.0; 12], 4).unwrap();
    assert_eq!(mean, [0.0; 4]);
}

#[test]
fn what_is_no_number_is_not_hidden() {
    let layer = linear((1, 1), &[1.0, 0.0], true).unwrap();
    assert!(run(&layer, &[f32::NAN], 1).unwrap()[0].is_nan());
    assert!(
        run(&TextMean { slope: 1e4 }, &[f32::NAN, 1.0], 1)
            .unwrap()
            .iter()
            .all(|value| value.is_nan())
    );
}

#[test]
fn other_forms_are_refused() {
    let layer = linear((3, 2), &[0.5; 8], false).unwrap();
    let (f32, i8) = (f32::datum_type(), i8::datum_type());
    let good: Form = (f32, tvec!(1, 5, 3));
    assert_eq!(
        layer.form(std::slice::from_ref(&good)).unwrap(),
        (f32, tvec!(1, 5, 2))
    );
    for bad in [
        vec![],
        vec![good.clone(), good],
        vec![(i8, tvec!(1, 5, 3))],
        vec![(f32, tvec!(1, 5, 4))],
        vec![(f32, tvec!(2, 5, 3))],
        vec![(f32, tvec!(1, 0, 3))],
        vec![(f32, tvec!(5, 3))],
    ] {
        assert!(layer.form(&bad).is_err(), "{bad:?}");
    }
    for bad in [
        linear((3, 2), &[0.5; 7], false),
        linear((0, 2), &[0.5; 2], false),
    ] {
        assert!(bad.is_err());
    }
}

proptest! {
    #[test]
    fn a_layer_is_a_product_and_a_sum(
        rows in 1_usize..6,
        features in 1_usize..40,
        outputs in 1_usize..20,
        relu: bool,
        seed: u32,
    ) {
        let mut state = seed;
        let mut number = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let numbers: Vec<f32> = (0..(features + 1) * outputs).map(|_| number()).collect();
        let text: Vec<f32> = (0..rows * features).map(|_| number()).collect();
        let layer = linear((features, outputs), &numbers, relu).unwrap();
        let found = run(&layer, &text, features).unwrap();
        for (i, found) in found.into_iter().enumerate() {
            let (row, output) = (i / outputs, i % outputs);
            let products = (0..features).map(|n| {
                f64::from(text[row * features + n]) * f64::from(numbers[n * outputs + output])
            });
            let sum = products.sum::<f64>() + f64::from(numbers[features * outputs + output]);
            let wanted = if relu { sum.max(0.0) } else { sum };
            // 41 roundings of sums of at most 41.
            prop_assert!((f64::from(found) - wanted).abs() < 1e-4, "{found} and {wanted}");
        }
    }
}
