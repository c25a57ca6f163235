//! Two folders of pictures, paired by file stem.
//!
//! Input: two folders. Output: [`FolderPairs`], sorted with numbers in names as numbers. Fails when:
//! [`FileError`]. Not its job: reading the pictures.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use crate::files::FileError;

/// Unmatched names that a message shows.
const EXAMPLES: usize = 3;

/// Two files with one stem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePair {
    /// The name without its extension.
    pub stem: String,
    /// Of the first folder.
    pub a: PathBuf,
    /// Of the second folder.
    pub b: PathBuf,
}

/// What two folders have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderPairs {
    /// At least one pair; `img2` before `img10`.
    pub pairs: Vec<FilePair>,
    /// Stems only in the first folder.
    pub only_a: Vec<String>,
    /// Stems only in the second folder.
    pub only_b: Vec<String>,
}

/// Whether a file name ends as a picture's: png, jpg, jpeg, tif, tiff, bmp, in any case.
pub fn has_picture_extension(path: &Path) -> bool {
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    matches!(
        extension.as_deref(),
        Some("png" | "jpg" | "jpeg" | "tif" | "tiff" | "bmp")
    )
}

/// The pictures of a folder (by extension; hidden files and sub-folders are left out) with
/// their stems, sorted.
///
/// # Errors
/// [`FileError::Absent`], [`FileError::Kind`], [`FileError::Read`], [`FileError::NoPicture`],
/// [`FileError::Duplicate`].
pub fn pictures_by_stem(folder: &Path) -> Result<Vec<(String, PathBuf)>, FileError> {
    let refused = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => FileError::Absent(folder.to_owned()),
        std::io::ErrorKind::NotADirectory => FileError::Kind {
            path: folder.to_owned(),
            expected: "a folder",
        },
        _ => FileError::Read {
            path: folder.to_owned(),
            source,
        },
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if hidden || !has_picture_extension(&path) || !path.is_file() {
            continue;
        }
        if let Some(stem) = path.file_stem() {
            found.push((stem.to_string_lossy().into_owned(), path));
        }
    }
    if found.is_empty() {
        return Err(FileError::NoPicture(folder.to_owned()));
    }
    found.sort_by(|x, y| natural_order(&x.0, &y.0).then_with(|| x.1.cmp(&y.1)));
    for two in found.windows(2) {
        if two[0].0 == two[1].0 {
            return Err(FileError::Duplicate {
                first: two[0].1.clone(),
                second: two[1].1.clone(),
            });
        }
    }
    Ok(found)
}

/// Pairs two folders by stem.
///
/// # Errors
/// Those of [`pictures_by_stem`]; [`FileError::NoPair`] where no stem is in both.
pub fn pair_folders(a: &Path, b: &Path) -> Result<FolderPairs, FileError> {
    let (of_a, of_b) = (pictures_by_stem(a)?, pictures_by_stem(b)?);
    let mut pairs = Vec::new();
    let mut only_a = Vec::new();
    let mut rest: std::collections::BTreeMap<&str, &PathBuf> = of_b
        .iter()
        .map(|(stem, path)| (stem.as_str(), path))
        .collect();
    for (stem, path) in &of_a {
        match rest.remove(stem.as_str()) {
            Some(partner) => pairs.push(FilePair {
                stem: stem.clone(),
                a: path.clone(),
                b: partner.clone(),
            }),
            None => only_a.push(stem.clone()),
        }
    }
    let only_b: Vec<String> = of_b
        .iter()
        .filter(|(stem, _)| rest.contains_key(stem.as_str()))
        .map(|(stem, _)| stem.clone())
        .collect();
    if pairs.is_empty() {
        return Err(FileError::NoPair(format!(
            "no name is in both folders: {} has {} pictures (such as {}), {} has {} (such as {}); \
             pictures are paired by their names without the extension",
            a.display(),
            of_a.len(),
            examples(&only_a),
            b.display(),
            of_b.len(),
            examples(&only_b),
        )));
    }
    Ok(FolderPairs {
        pairs,
        only_a,
        only_b,
    })
}

/// The first few names, for a message.
fn examples(stems: &[String]) -> String {
    stems[..stems.len().min(EXAMPLES)].join(", ")
}

impl FolderPairs {
    /// A sentence about unmatched names, where there are any.
    pub fn unmatched(&self) -> Option<String> {
        if self.only_a.is_empty() && self.only_b.is_empty() {
            return None;
        }
        let sides = [("first", &self.only_a), ("second", &self.only_b)];
        let said: Vec<String> = sides
            .into_iter()
            .filter(|(_, stems)| !stems.is_empty())
            .map(|(name, stems)| {
                let number = stems.len();
                format!(
                    "{number} only in the {name} folder (such as {})",
                    examples(stems)
                )
            })
            .collect();
        Some(format!("left out: {}", said.join(", ")))
    }
}

/// Digits compare as numbers, everything else byte by byte; ties by the plain order.
fn natural_order(x: &str, y: &str) -> Ordering {
    let (mut a, mut b) = (x.as_bytes(), y.as_bytes());
    while let (Some(&u), Some(&v)) = (a.first(), b.first()) {
        let order = if u.is_ascii_digit() && v.is_ascii_digit() {
            let (n, rest_a) = split_number(a);
            let (m, rest_b) = split_number(b);
            (a, b) = (rest_a, rest_b);
            // Without leading zeros the longer number is the larger one.
            n.len().cmp(&m.len()).then_with(|| n.cmp(m))
        } else {
            (a, b) = (&a[1..], &b[1..]);
            u.cmp(&v)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len()).then_with(|| x.cmp(y))
}

/// The leading digits without zeros in front, and what follows.
fn split_number(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(bytes.len());
    let zeros = bytes[..end].iter().take_while(|&&b| b == b'0').count();
    (&bytes[zeros..end], &bytes[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn touch(folder: &Path, names: &[&str]) {
        for name in names {
            std::fs::write(folder.join(name), b"x").unwrap();
        }
    }

    #[test]
    fn numbers_in_names_sort_as_numbers() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        touch(
            a.path(),
            &[
                "img10.png",
                "img2.png",
                "img1.png",
                "notes.txt",
                "x.png",
                ".h.png",
            ],
        );
        touch(b.path(), &["img1.jpg", "img2.jpg", "img10.TIF", "y.bmp"]);
        let found = pair_folders(a.path(), b.path()).unwrap();
        let stems: Vec<&str> = found.pairs.iter().map(|p| p.stem.as_str()).collect();
        assert_eq!(stems, ["img1", "img2", "img10"]);
        let said = found.unmatched().unwrap();
        assert!(
            said.contains("such as x") && said.contains("such as y"),
            "{said}"
        );
    }

    #[test]
    fn folders_without_a_common_name_say_what_they_have() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        touch(a.path(), &["one.png", "two.png"]);
        touch(b.path(), &["drei.png"]);
        let said = pair_folders(a.path(), b.path()).unwrap_err().to_string();
        assert!(said.contains("2 pictures (such as one, two)"), "{said}");
        assert!(said.contains("has 1 (such as drei)"), "{said}");
    }

    #[test]
    fn empty_absent_and_ambiguous_folders_are_told_apart() {
        let a = tempfile::tempdir().unwrap();
        let error = pictures_by_stem(a.path()).unwrap_err();
        assert!(matches!(error, FileError::NoPicture(_)));
        let error = pictures_by_stem(&a.path().join("none")).unwrap_err();
        assert!(matches!(error, FileError::Absent(_)));
        touch(a.path(), &["p.png", "p.jpg"]);
        let error = pictures_by_stem(a.path()).unwrap_err();
        assert!(matches!(error, FileError::Duplicate { .. }));
        let error = pictures_by_stem(&a.path().join("p.png")).unwrap_err();
        assert!(matches!(error, FileError::Kind { .. }));
    }

    proptest! {
        #[test]
        fn the_order_is_total(x in "[a0-9]{0,6}", y in "[a0-9]{0,6}", z in "[a0-9]{0,6}") {
            prop_assert_eq!(natural_order(&x, &y), natural_order(&y, &x).reverse());
            prop_assert_eq!(natural_order(&x, &y) == Ordering::Equal, x == y);
            if natural_order(&x, &y).is_le() && natural_order(&y, &z).is_le() {
                prop_assert!(natural_order(&x, &z).is_le());
            }
        }
    }
}
