//! The scores of a picture, their names, their means and their table as CSV.
//!
//! Input: numbers. Output: [`Scores`], CSV. Blocks: on the writer. Fails when: the writer fails. Not its
//! job: computing.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

/// What is measured. The first six are the papers' tables, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Entropy, bits.
    En,
    /// Standard deviation, grey levels.
    Sd,
    /// Spatial frequency.
    Sf,
    /// Average gradient.
    Ag,
    /// Visual information fidelity, sum over both sources.
    Viff,
    /// Edge preservation, 0..1.
    Qabf,
    /// Structural similarity, sum over both sources, up to 2.
    Ssim,
    /// Mutual information with both sources, nats.
    Mi,
    /// Sum of the correlations of differences, up to 2.
    Scd,
    /// Mean correlation with the sources.
    Cc,
    /// Guard: edge preservation where a source dominates, the worse source; low for a copy.
    Domq,
    /// Guard: artefacts; low is good.
    Nabf,
    /// Guard: grey levels outside the sources' envelope; low is good.
    Src,
    /// Guard: the same after the best affine grey map.
    Srcn,
    /// Guard: share of newly clipped pixels.
    Clip,
    /// Guard: local structure shared with either source, up to 1.
    Core,
}

impl Metric {
    /// All metrics, in the order of the table.
    pub const ALL: [Self; 16] = [
        Self::En,
        Self::Sd,
        Self::Sf,
        Self::Ag,
        Self::Viff,
        Self::Qabf,
        Self::Ssim,
        Self::Mi,
        Self::Scd,
        Self::Cc,
        Self::Domq,
        Self::Nabf,
        Self::Src,
        Self::Srcn,
        Self::Clip,
        Self::Core,
    ];

    /// The name in tables, CSV and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "EN",
            Self::Sd => "SD",
            Self::Sf => "SF",
            Self::Ag => "AG",
            Self::Viff => "VIFF",
            Self::Qabf => "QABF",
            Self::Ssim => "SSIM",
            Self::Mi => "MI",
            Self::Scd => "SCD",
            Self::Cc => "CC",
            Self::Domq => "DOMQ",
            Self::Nabf => "NABF",
            Self::Src => "SRC",
            Self::Srcn => "SRCN",
            Self::Clip => "CLIP",
            Self::Core => "CORE",
        }
    }

    /// A few words for tables.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::En => "entropy, bits",
            Self::Sd => "standard deviation",
            Self::Sf => "spatial frequency",
            Self::Ag => "average gradient",
            Self::Viff => "visual information fidelity, sum over both sources",
            Self::Qabf => "edge preservation, at most 1",
            Self::Ssim => "structural similarity, sum over both sources, at most 2",
            Self::Mi => "mutual information with both sources, nats",
            Self::Scd => "sum of the correlations of differences, at most 2",
            Self::Cc => "mean correlation with the sources",
            Self::Domq => "guard: edges kept where a source dominates; low for a copy",
            Self::Nabf => "guard: artefacts; low is good",
            Self::Src => "guard: grey levels no source has; low is good",
            Self::Srcn => "guard: the same but for contrast; low is good",
            Self::Clip => "guard: share of newly clipped pixels; low is good",
            Self::Core => "guard: structure shared with a source, at most 1",
        }
    }
}

/// One picture's scores, or their means. A metric that does not apply (a picture smaller than
/// its window, sources without any edge) is absent; serialises as a map with `null` for those.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    values: [Option<f64>; Metric::ALL.len()],
}

impl Scores {
    /// The value, where the metric applies; always finite.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.values[metric as usize]
    }

    pub(super) fn from_values(values: impl IntoIterator<Item = (Metric, Option<f64>)>) -> Self {
        let mut scores = Self::default();
        for (metric, value) in values {
            scores.set(metric, value);
        }
        scores
    }

    fn set(&mut self, metric: Metric, value: Option<f64>) {
        self.values[metric as usize] = value.filter(|v| v.is_finite());
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Metric::ALL.len()))?;
        for metric in Metric::ALL {
            map.serialize_entry(metric.name(), &self.get(metric))?;
        }
        map.end()
    }
}

/// Means over the pictures a metric applies to; absent where it applies to none.
pub fn mean_scores(all: &[Scores]) -> Scores {
    let mut means = Scores::default();
    for metric in Metric::ALL {
        let values: Vec<f64> = all.iter().filter_map(|s| s.get(metric)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        means.set(metric, Some(mean));
    }
    means
}

/// Writes a table: `name`, then one column a metric; nothing between the commas where a metric
/// does not apply. Names with a comma, a quote or a line break are quoted (RFC 4180).
///
/// # Errors
/// Those of `out`.
pub fn write_csv(out: &mut impl Write, rows: &[(String, Scores)]) -> io::Result<()> {
    write!(out, "name")?;
    for metric in Metric::ALL {
        write!(out, ",{}", metric.name())?;
    }
    writeln!(out)?;
    for (name, scores) in rows {
        if name.contains([',', '"', '\n', '\r']) {
            write!(out, "\"{}\"", name.replace('"', "\"\""))?;
        } else {
            write!(out, "{name}")?;
        }
        for metric in Metric::ALL {
            match scores.get(metric) {
                Some(value) => write!(out, ",{value:.6}")?,
                None => write!(out, ",")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(en: f64, qabf: Option<f64>) -> Scores {
        let mut scores = Scores::default();
        scores.set(Metric::En, Some(en));
        scores.set(Metric::Qabf, qabf);
        scores
    }

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (i, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, i);
        }
    }

    #[test]
    fn means_skip_what_does_not_apply() {
        let mean = mean_scores(&[scores(1.0, None), scores(3.0, Some(0.5))]);
        assert_eq!(mean.get(Metric::En), Some(2.0));
        assert_eq!(mean.get(Metric::Qabf), Some(0.5));
        assert_eq!(mean.get(Metric::Sd), None);
        assert_eq!(mean_scores(&[]).get(Metric::En), None);
    }

    #[test]
    fn csv_quotes_names_and_leaves_gaps() {
        let mut out = Vec::new();
        write_csv(&mut out, &[("a,\"b".to_owned(), scores(1.5, None))]).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("name,EN,SD,SF,AG,VIFF,QABF,SSIM"));
        assert_eq!(lines[1], "\"a,\"\"b\",1.500000,,,,,,,,,,,,,,,");
    }

    #[test]
    fn json_has_null_where_a_metric_does_not_apply() {
        let json = serde_json::to_value(scores(1.5, None)).unwrap();
        assert_eq!(json["EN"], 1.5);
        assert!(json["QABF"].is_null());
    }
}
