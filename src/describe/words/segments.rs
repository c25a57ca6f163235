//! Segments of guidance: the features of several texts in the rows of one.
//!
//! Input: each text's features and weight. Output: rows one text after the other, scaled by its weight.
//! Fails when: [`GuidanceError`]. Not its job: which texts, and what they weigh.

use serde::Serialize;

use super::questions::Level;
use crate::describe::{GuidanceError, Origin, TokenFeatures};

/// A worded answer, and where it stands in the guidance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segment {
    /// The question's level.
    pub level: Level,
    /// The question.
    pub question: String,
    /// The answer.
    pub text: String,
    /// Who worded it.
    pub origin: Origin,
    /// What its rows were multiplied with, above 0 to 1.
    pub weight: f32,
    /// Its first row and how many it has; `None` where nothing was encoded.
    pub rows: Option<(usize, usize)>,
}

/// The features of all parts, each times its weight, in at most `most` rows; for each part its
/// first row and how many it has. Where there are too many rows, the longest parts lose rows
/// first, before their last one: that is the encoder's end of text, which stands for all of it.
///
/// # Errors
/// No part, more parts than rows, a weight out of range, parts of different dimensions, values
/// that are no features.
pub(in crate::describe) fn join(
    parts: &[(f32, &TokenFeatures)],
    most: usize,
) -> Result<(TokenFeatures, Vec<(usize, usize)>), GuidanceError> {
    if parts.is_empty() || parts.len() > most {
        return Err(GuidanceError::Damaged("no segment, or more than rows"));
    }
    let dim = parts[0].1.dim;
    for (weight, features) in parts {
        if !(*weight > 0.0 && *weight <= 1.0) {
            return Err(GuidanceError::Damaged("a weight is not above 0, at most 1"));
        }
        features.check(dim)?;
    }
    let lengths: Vec<usize> = parts.iter().map(|(_, f)| f.rows).collect();
    let mut values = Vec::with_capacity(most * dim);
    let mut places = Vec::with_capacity(parts.len());
    for ((weight, features), rows) in parts.iter().zip(shares(&lengths, most)) {
        places.push((values.len() / dim, rows));
        let last = (features.rows - 1) * dim;
        let kept = features.values[..(rows - 1) * dim]
            .iter()
            .chain(&features.values[last..]);
        values.extend(kept.map(|v| v * weight));
    }
    let rows = values.len() / dim;
    Ok((TokenFeatures { rows, dim, values }, places))
}

/// How many of `most` rows each part gets: as many as it has, or as many as the others that have
/// too many, to within one; the first ones get the rows that are left.
fn shares(lengths: &[usize], most: usize) -> Vec<usize> {
    let mut shares = vec![0; lengths.len()];
    for _ in 0..most.min(lengths.iter().sum()) {
        let least = (0..lengths.len())
            .filter(|&i| shares[i] < lengths[i])
            .min_by_key(|&i| shares[i]);
        if let Some(i) = least {
            shares[i] += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn features(rows: usize, first: f32) -> TokenFeatures {
        let values = (0..rows).flat_map(|r| [first + r as f32; 2]).collect();
        TokenFeatures {
            rows,
            dim: 2,
            values,
        }
    }

    #[test]
    fn segments_stand_one_after_the_other_times_their_weight() {
        let (a, b) = (features(2, 10.0), features(3, 20.0));
        let (joined, places) = join(&[(1.0, &a), (0.5, &b)], 64).unwrap();
        assert_eq!(places, [(0, 2), (2, 3)]);
        assert_eq!((joined.rows, joined.dim), (5, 2));
        let column: Vec<f32> = joined.values.iter().step_by(2).copied().collect();
        assert_eq!(column, [10.0, 11.0, 10.0, 10.5, 11.0]);
    }

    #[test]
    fn the_longest_lose_rows_first_and_keep_their_end() {
        let (a, b) = (features(9, 10.0), features(2, 50.0));
        let (joined, places) = join(&[(1.0, &a), (1.0, &b)], 6).unwrap();
        assert_eq!(places, [(0, 4), (4, 2)]);
        let column: Vec<f32> = joined.values.iter().step_by(2).copied().collect();
        assert_eq!(column, [10.0, 11.0, 12.0, 18.0, 50.0, 51.0]);
        assert_eq!(shares(&[5, 5, 5], 7), [3, 2, 2]);
        assert_eq!(shares(&[1, 40, 40], 64), [1, 32, 31]);
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let good = features(2, 1.0);
        for weight in [0.0, -1.0, 1.01, f32::NAN, f32::INFINITY] {
            assert!(join(&[(weight, &good)], 64).is_err(), "{weight}");
        }
        let mut nan = good.clone();
        nan.values[1] = f32::NAN;
        let mut short = good.clone();
        short.values.pop();
        let mut wide = features(2, 1.0);
        (wide.rows, wide.dim) = (1, 4);
        for bad in [&nan, &short, &wide, &features(0, 0.0)] {
            assert!(join(&[(1.0, &good), (1.0, bad)], 64).is_err(), "{bad:?}");
        }
        assert!(join(&[], 64).is_err());
        assert!(join(&[(1.0, &good), (1.0, &good)], 1).is_err());
    }

    proptest! {
        #[test]
        fn no_row_is_lost_while_there_is_room_and_shares_are_even(
            lengths in prop::collection::vec(1usize..70, 1..9), most in 8usize..80,
        ) {
            let shares = shares(&lengths, most);
            prop_assert_eq!(shares.iter().sum::<usize>(), most.min(lengths.iter().sum()));
            let cut = (0..shares.len()).filter(|&i| shares[i] < lengths[i]);
            let least = cut.map(|i| shares[i]).min().unwrap_or(usize::MAX);
            for (share, length) in shares.iter().zip(&lengths) {
                prop_assert!(share <= length && *share >= 1);
                prop_assert!(least == usize::MAX || *share <= least + 1);
            }
        }
    }
}
