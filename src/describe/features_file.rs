//! Text features from a file, for those who encode their texts elsewhere.
//!
//! Input: a `.npy` file (NumPy's format, versions 1 to 3): little-endian f32, `[N,D]` or `[1,N,D]`, row by
//! row, which is how the published FILM data come. Output: [`TokenFeatures`]. Fails when:
//! [`FeaturesError`], whatever the bytes. Not its job: whether a network takes that many columns or rows.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::TokenFeatures;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Far above any text encoder's.
const MOST_SIDE: usize = 8192;
/// Most bytes that are read.
const MOST_BYTES: u64 = 1 << 26;

/// Why a file of text features cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FeaturesError {
    /// Not there, or not readable.
    #[error("cannot read the text features {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Read, but of no use.
    #[error("the text features {path} cannot be used: {what}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found and what to do.
        what: String,
    },
}

impl TokenFeatures {
    /// Reads a `.npy` file of finite features, at least one row and one column.
    ///
    /// # Errors
    /// [`FeaturesError`].
    pub fn read_npy(path: &Path) -> Result<Self, FeaturesError> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|source| FeaturesError::Read {
                path: path.to_owned(),
                source,
            })?;
        parse(&bytes).map_err(|what| FeaturesError::Content {
            path: path.to_owned(),
            what,
        })
    }
}

fn parse(bytes: &[u8]) -> Result<TokenFeatures, String> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it has more than {MOST_BYTES} bytes"));
    }
    let (header, data) = split(bytes)?;
    let (rows, dim) = shape(header)?;
    let expected = rows * dim * size_of::<f32>();
    if data.len() != expected {
        return Err(format!(
            "{rows} rows of {dim} features need {expected} bytes, {} follow its header; copy it \
             again from its source",
            data.len()
        ));
    }
    let values: Vec<f32> = data
        .chunks_exact(size_of::<f32>())
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    if let Some(place) = values.iter().position(|v| !v.is_finite()) {
        return Err(format!(
            "row {}, column {} is {}, which is no feature; encode the text again",
            place / dim,
            place % dim,
            values[place]
        ));
    }
    Ok(TokenFeatures { rows, dim, values })
}

/// The header's text and the values' bytes.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let not_npy =
        || "it is no .npy file; write one with numpy.save(FILE, x.astype('<f4'))".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(not_npy)?;
    let cut = || "its header is cut short; copy it again from its source".to_owned();
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        [1..=3, ..] | [] => return Err(cut()),
        [version, ..] => return Err(format!("it is of .npy version {version}, 1 to 3 are read")),
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| not_npy())?;
    Ok((header, data))
}

/// Rows and columns of a header such as
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 31, 768), }`.
fn shape(header: &str) -> Result<(usize, usize), String> {
    let of = |key: &str| {
        let (_, after) = header.split_once(&format!("'{key}':"))?;
        Some(after.trim_start())
    };
    let kind = of("descr").unwrap_or_default();
    if !kind.starts_with("'<f4'") {
        let kind = kind.split(',').next().unwrap_or_default();
        return Err(format!(
            "its values are of type {kind}, '<f4' is needed; save it as x.astype('<f4')"
        ));
    }
    if !of("fortran_order").is_some_and(|order| order.starts_with("False")) {
        return Err("it is stored column by column; save it as numpy.ascontiguousarray(x)".into());
    }
    let inside = of("shape")
        .and_then(|s| s.strip_prefix('('))
        .and_then(|s| s.split_once(')'))
        .map(|(inside, _)| inside)
        .unwrap_or_default();
    let sizes: Option<Vec<usize>> = inside
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(|size| size.parse().ok())
        .collect();
    match sizes.as_deref() {
        Some(&([rows, dim] | [1, rows, dim]))
            if (1..=MOST_SIDE).contains(&rows) && (1..=MOST_SIDE).contains(&dim) =>
        {
            Ok((rows, dim))
        }
        _ => Err(format!(
            "its shape is ({inside}); (tokens, features) or (1, tokens, features) is needed"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn npy(kind: &str, order: &str, shape: &str, values: &[f32]) -> Vec<u8> {
        let header =
            format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': ({shape}), }}\n");
        let mut bytes = [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes()].concat();
        bytes.extend(header.as_bytes());
        bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        bytes
    }

    #[test]
    fn both_shapes_and_all_versions_are_read() {
        let values = [1.0, -2.0, 3.5, 0.0, 5.0, 6.0];
        for shape in ["2, 3", "1, 2, 3"] {
            let found = parse(&npy("<f4", "False", shape, &values)).unwrap();
            assert_eq!((found.rows, found.dim), (2, 3));
            assert_eq!(found.values, values);
        }
        let first = npy("<f4", "False", "2, 3", &values);
        let mut second = [MAGIC, &[2, 0]].concat();
        second.extend([first[8], first[9], 0, 0]);
        second.extend(&first[10..]);
        assert_eq!(parse(&second).unwrap().values, values);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |bytes: &[u8]| parse(bytes).unwrap_err();
        let two = [1.0, 2.0];
        assert!(said(b"").contains("no .npy"));
        assert!(said(b"\x93NUMPY").contains("cut short"));
        assert!(said(b"\x93NUMPY\x01\x00\xff\xff{").contains("cut short"));
        assert!(said(b"\x93NUMPY\x09\x00\x00\x00").contains("version 9"));
        assert!(said(&npy("<f8", "False", "1, 2", &two)).contains("'<f8'"));
        assert!(said(&npy("<f4", "True", "1, 2", &two)).contains("column by column"));
        for shape in [
            "2,",
            "",
            "2, 1, 1",
            "0, 2",
            "-1, 2",
            "1, 1, 1, 2",
            "99999999, 1",
        ] {
            let found = said(&npy("<f4", "False", shape, &two));
            assert!(found.contains(&format!("({shape})")), "{found}");
        }
        assert!(said(&npy("<f4", "False", "2, 2", &two)).contains("need 16 bytes, 8 follow"));
        let nan = said(&npy("<f4", "False", "2, 1", &[0.0, f32::NAN]));
        assert!(nan.contains("row 1, column 0 is NaN"), "{nan}");
        let said = TokenFeatures::read_npy(Path::new("/no/such.npy")).unwrap_err();
        assert!(said.to_string().contains("/no/such.npy"), "{said}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(
            tail in proptest::collection::vec(any::<u8>(), 0..200),
            header in "[ '{}:,()a-z<f0-9]{0,60}",
        ) {
            let _ = parse(&tail);
            let _ = parse(&[MAGIC, &tail].concat());
            let mut framed = [MAGIC, &[1, 0, header.len() as u8, 0]].concat();
            framed.extend(header.as_bytes());
            framed.extend(&tail);
            let _ = parse(&framed);
            let _ = shape(&header);
        }
    }
}
