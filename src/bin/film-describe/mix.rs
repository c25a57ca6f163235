//! Late fusion of what one model says of several pictures: the mean of its next-token
//! probabilities (vLMIG, arXiv 2406.13621, there over generated images of one text;
//! here over the pictures of a pair, with weights of the configuration).

/// A weighted mean of distributions over one vocabulary.
#[derive(Debug, Default)]
pub struct Mixture {
    sums: Vec<f64>,
    weight: f64,
}

impl Mixture {
    /// Takes in the softmax of `logits`; all calls have the same length, `weight` is above 0.
    pub fn add(&mut self, logits: &[f32], weight: f64) {
        self.sums.resize(logits.len(), 0.0);
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        let power = |logit: f32| f64::from(logit - most).exp();
        let total: f64 = logits.iter().map(|&logit| power(logit)).sum();
        for (sum, &logit) in self.sums.iter_mut().zip(logits) {
            *sum += weight * power(logit) / total;
        }
        self.weight += weight;
    }

    /// Logarithms of the mean probabilities, all finite: what no picture supports stays possible
    /// where the grammar allows nothing else.
    pub fn logits(&self) -> impl Iterator<Item = f32> + '_ {
        self.sums
            .iter()
            .map(|sum| (sum / self.weight).max(f64::MIN_POSITIVE).ln() as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(parts: &[(&[f32], f64)]) -> Vec<f32> {
        let mut mixture = Mixture::default();
        for (logits, weight) in parts {
            mixture.add(logits, *weight);
        }
        mixture.logits().collect()
    }

    #[test]
    fn probabilities_are_averaged_by_weight() {
        // 3/4, 1/4 and 1/4, 3/4, at weights 1 to 3: 3/8, 5/8.
        let third = 3f32.ln();
        let logits = mixed(&[(&[third, 0.0], 1.0), (&[0.0, third], 3.0)]);
        assert!((logits[0].exp() - 0.375).abs() < 1e-6, "{logits:?}");
        assert!((logits[1].exp() - 0.625).abs() < 1e-6, "{logits:?}");
    }

    #[test]
    fn one_picture_alone_keeps_its_order_whatever_its_weight_and_offset() {
        let logits = mixed(&[(&[101.0, 100.0, 102.0], 0.1)]);
        assert!(logits[2] > logits[0] && logits[0] > logits[1]);
        let total: f32 = logits.iter().map(|l| l.exp()).sum();
        assert!((total - 1.0).abs() < 1e-6, "{total}");
    }

    #[test]
    fn a_word_that_both_find_likely_beats_one_that_only_one_is_sure_of() {
        let sure = [0.0, 2.0f32, 3.0];
        let unsure = [0.0, 2.0f32, -30.0];
        let logits = mixed(&[(&sure, 1.0), (&unsure, 1.0)]);
        assert!(logits[1] > logits[2], "{logits:?}");
    }

    #[test]
    fn the_impossible_stays_finite() {
        let logits = mixed(&[(&[0.0, -1e9, f32::NEG_INFINITY], 1.0)]);
        assert!(logits.iter().all(|l| l.is_finite()), "{logits:?}");
    }
}
