//! The known request that a text is nearest to, for wordings that the lexicon does not have.
//!
//! A text's vector is the mean of its tokens' features. It is compared by cosine with those of the
//! texts in examples.txt, which also has texts that ask for the opposite and texts that ask for
//! nothing. `examples.bin` holds their vectors (models/request_examples.py writes it).

use std::sync::OnceLock;

use super::RequestKind;
use crate::describe::TokenFeatures;

/// One `kind: text` a line.
const TEXTS: &str = include_str!("examples.txt");
/// SHA-256 of `TEXTS`, then for each text a scale (f32, little-endian) and [`DIM`] signed bytes.
const VECTORS: &[u8] = include_bytes!("examples.bin");
/// Features a token.
const DIM: usize = 384;
/// Bytes of the sum.
const SUM: usize = 32;
/// A text that is further than this from every example is none of them.
const LEAST: f32 = 0.6;
/// How much nearer a request has to be than any text that asks for nothing, or for the opposite.
const MARGIN: f32 = 0.07;

/// What a text is nearest to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// The nearest request.
    pub kind: RequestKind,
    /// Its cosine, -1..=1.
    pub cosine: f32,
    /// Cosine of the nearest text that is no such request.
    pub other: f32,
}

impl Nearest {
    /// The request, where it is near enough.
    pub fn decides(&self) -> Option<RequestKind> {
        (self.cosine >= LEAST && self.cosine >= self.other + MARGIN).then_some(self.kind)
    }
}

/// An example: its request, `None` where it asks for nothing, and its vector of length 1.
type Example = (Option<RequestKind>, Vec<f32>);

/// The nearest of the examples; `None` for features of another encoder.
pub fn nearest(features: &TokenFeatures) -> Option<Nearest> {
    let text = mean(features)?;
    let mut found: Option<Nearest> = None;
    let mut other = -1.0f32;
    for (kind, vector) in examples() {
        let cosine = vector.iter().zip(&text).map(|(a, b)| a * b).sum::<f32>();
        match kind {
            None => other = other.max(cosine),
            Some(kind) if found.is_none_or(|f| cosine > f.cosine) => {
                found = Some(Nearest {
                    kind: *kind,
                    cosine,
                    other: -1.0,
                });
            }
            Some(_) => {}
        }
    }
    found.map(|f| Nearest { other, ..f })
}

fn mean(features: &TokenFeatures) -> Option<Vec<f32>> {
    if features.dim != DIM || features.rows == 0 || features.values.len() != features.rows * DIM {
        return None;
    }
    let mut sum = vec![0.0f32; DIM];
    for row in features.values.chunks_exact(DIM) {
        sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
    }
    Some(unit(sum))
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
    vector.iter_mut().for_each(|v| *v /= length);
    vector
}

/// Read once.
fn examples() -> &'static [Example] {
    static EXAMPLES: OnceLock<Vec<Example>> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        let rows = VECTORS[SUM.min(VECTORS.len())..].chunks_exact(4 + DIM);
        texts()
            .zip(rows)
            .map(|((kind, _), row)| {
                let scale = f32::from_le_bytes([row[0], row[1], row[2], row[3]]);
                let vector = row[4..].iter().map(|v| scale * f32::from(v.cast_signed()));
                (kind, unit(vector.collect()))
            })
            .collect()
    })
}

/// The example texts and what they ask for.
fn texts() -> impl Iterator<Item = (Option<RequestKind>, &'static str)> {
    TEXTS.lines().filter_map(|line| {
        let (kind, text) = line.split_once(": ")?;
        let kind = serde_json::from_value(serde_json::Value::from(kind)).ok();
        Some((kind, text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_those_of_the_texts() {
        let sum: String = VECTORS[..SUM].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            sum,
            crate::digest::sha256(TEXTS.as_bytes()),
            "examples.txt has changed: run models/request_examples.py"
        );
        assert_eq!(VECTORS.len(), SUM + texts().count() * (4 + DIM));
        assert_eq!(examples().len(), TEXTS.lines().count());
    }

    #[test]
    fn every_kind_is_a_request_or_one_of_two_that_are_none() {
        for line in TEXTS.lines() {
            let (name, text) = line.split_once(": ").expect("kind: text");
            let value = serde_json::Value::from(name);
            let known = serde_json::from_value::<RequestKind>(value).is_ok();
            assert!(known || name == "leave" || name == "nothing", "{line}");
            assert!(!text.trim().is_empty());
        }
    }

    #[test]
    fn an_example_is_nearest_to_itself_and_damaged_features_to_nothing() {
        for (kind, vector) in examples() {
            let features = TokenFeatures {
                rows: 1,
                dim: DIM,
                values: vector.clone(),
            };
            let found = nearest(&features).expect("384 features");
            let own = if kind.is_some() {
                found.cosine
            } else {
                found.other
            };
            assert!(own > 0.999, "{kind:?} {found:?}");
        }
        let wrong = TokenFeatures {
            rows: 1,
            dim: 3,
            values: vec![1.0; 3],
        };
        assert_eq!(nearest(&wrong), None);
    }
}
