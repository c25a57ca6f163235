//! Two folders of pictures, paired by file stem.
//!
//! Input: two folders, or one with two suffixes. Output: [`FolderPairs`], sorted with numbers in names as numbers.
//! Fails when: [`FileError`]. Not its job: reading the pictures.
//!
//! A name need not be UTF-8, and `e` with an accent is one name whether it is written composed (NFC, Linux and
//! Windows) or decomposed (NFD, macOS).

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use unicode_normalization::UnicodeNormalization;

use crate::files::{FileError, is_picture};

/// Names that a message shows.
const EXAMPLES: usize = 3;
/// Names of what was left out that a message shows.
const LEFT_OUT: usize = 10;

/// Two files with one stem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePair {
    /// The name without its extension and suffix, for people.
    pub stem: String,
    /// The same as the second file has it, which need not be UTF-8.
    pub name: OsString,
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
    /// Files and folders that are no part of any pair, each with the reason.
    pub left_out: Vec<String>,
}

/// What the names of the two pictures of a pair end in, before the extension: `_T` and `_V` of a drone's cameras.
pub type Suffixes<'a> = (&'a str, &'a str);

/// The pictures of one folder.
struct Listing {
    /// Each with the name that pairs it.
    found: Vec<(Vec<u8>, OsString, PathBuf)>,
    left_out: Vec<String>,
}

/// Whether a file name ends as a picture's, in any case.
pub fn has_picture_extension(path: &Path) -> bool {
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    matches!(
        extension.as_deref(),
        Some(
            "png"
                | "jpg"
                | "jpeg"
                | "jpe"
                | "jfif"
                | "tif"
                | "tiff"
                | "bmp"
                | "webp"
                | "gif"
                | "pnm"
                | "pgm"
                | "ppm"
        )
    )
}

/// The pictures of a folder (by extension or content; hidden files and sub-folders are left out) with
/// their stems, sorted.
///
/// # Errors
/// [`FileError::Absent`], [`FileError::Kind`], [`FileError::Read`], [`FileError::NoPicture`],
/// [`FileError::Duplicate`].
pub fn pictures_by_stem(folder: &Path) -> Result<Vec<(String, PathBuf)>, FileError> {
    let listing = list(folder, "")?;
    for two in listing.found.windows(2) {
        if two[0].0 == two[1].0 {
            return Err(FileError::Duplicate {
                first: two[0].2.clone(),
                second: two[1].2.clone(),
            });
        }
    }
    let shown = |(key, _, path): (Vec<u8>, OsString, PathBuf)| (lossy(&key), path);
    Ok(listing.found.into_iter().map(shown).collect())
}

/// Lists a folder's pictures whose stems end in `suffix`.
fn list(folder: &Path, suffix: &str) -> Result<Listing, FileError> {
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
    let mut listing = Listing {
        found: Vec::new(),
        left_out: Vec::new(),
    };
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let (Some(name), Some(stem)) = (path.file_name(), path.file_stem()) else {
            continue;
        };
        if name.as_bytes().starts_with(b".") {
            continue;
        }
        let shown = name.to_string_lossy();
        if path.is_dir() {
            listing.left_out.push(format!("{shown} (a folder)"));
        } else if !has_picture_extension(&path) && is_picture(&path) != Some(true) {
            listing.left_out.push(format!("{shown} (no picture)"));
        } else if let Some(kept) = stem.as_bytes().strip_suffix(suffix.as_bytes()) {
            let kept = OsStr::from_bytes(kept).to_owned();
            listing.found.push((key_of(&kept), kept, path));
        } else {
            listing
                .left_out
                .push(format!("{shown} (no {suffix} at its end)"));
        }
    }
    listing.left_out.sort();
    if listing.found.is_empty() {
        let left = said(&listing.left_out, LEFT_OUT).map_or(String::new(), |l| format!("; {l}"));
        return Err(FileError::NoPicture(folder.to_owned(), left));
    }
    let order = |x: &(Vec<u8>, OsString, PathBuf), y: &(Vec<u8>, OsString, PathBuf)| {
        natural_order(&x.0, &y.0).then_with(|| x.2.cmp(&y.2))
    };
    listing.found.sort_by(order);
    Ok(listing)
}

/// What makes two names one: composed characters; a name that is no UTF-8 as it is.
fn key_of(stem: &OsStr) -> Vec<u8> {
    match stem.to_str() {
        Some(text) => text.nfc().collect::<String>().into_bytes(),
        None => stem.as_bytes().to_vec(),
    }
}

fn lossy(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

/// Pairs two folders by stem.
///
/// # Errors
/// Those of [`pictures_by_stem`]; [`FileError::NoPair`] where no stem is in both.
pub fn pair_folders(a: &Path, b: &Path) -> Result<FolderPairs, FileError> {
    pair_folders_by(a, b, ("", ""))
}

/// Pairs two folders, which may be one, by their stems without suffixes. A name that is twice in a folder is left out.
///
/// # Errors
/// Those of [`pair_folders`].
pub fn pair_folders_by(a: &Path, b: &Path, by: Suffixes<'_>) -> Result<FolderPairs, FileError> {
    let (mut of_a, mut of_b) = (list(a, by.0)?, list(b, by.1)?);
    let mut left_out = Vec::new();
    for listing in [&mut of_a, &mut of_b] {
        drop_ambiguous(listing);
        // In one folder, the other side's pictures are not left out.
        if a != b || by.0 == by.1 {
            left_out.append(&mut listing.left_out);
        }
    }
    let mut pairs = Vec::new();
    let mut only_a = Vec::new();
    let mut rest: BTreeMap<Vec<u8>, (OsString, PathBuf)> = BTreeMap::new();
    let stems_b: Vec<Vec<u8>> = of_b.found.iter().map(|(key, ..)| key.clone()).collect();
    let count = (of_a.found.len(), of_b.found.len());
    rest.extend(
        of_b.found
            .into_iter()
            .map(|(key, name, path)| (key, (name, path))),
    );
    for (key, _, path) in of_a.found {
        match rest.remove(&key) {
            Some((name, partner)) => pairs.push(FilePair {
                stem: lossy(&key),
                name,
                a: path,
                b: partner,
            }),
            None => only_a.push(lossy(&key)),
        }
    }
    let only_b: Vec<String> = stems_b
        .iter()
        .filter(|key| rest.contains_key(*key))
        .map(|key| lossy(key))
        .collect();
    if pairs.is_empty() {
        return Err(FileError::NoPair(format!(
            "no name is in both folders: {} has {} pictures (such as {}), {} has {} (such as {}); \
             pictures are paired by their names without the extension (--suffixes _T,_V pairs x_T with x_V)",
            a.display(),
            count.0,
            examples(&only_a),
            b.display(),
            count.1,
            examples(&only_b),
        )));
    }
    Ok(FolderPairs {
        pairs,
        only_a,
        only_b,
        left_out,
    })
}

/// Takes out names that more than one picture has.
fn drop_ambiguous(listing: &mut Listing) {
    let mut times: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for (key, ..) in &listing.found {
        *times.entry(key.clone()).or_default() += 1;
    }
    listing.found.retain(|(key, _, path)| {
        let alone = times.get(key) == Some(&1);
        if !alone {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            listing
                .left_out
                .push(format!("{name} (another picture has its name)"));
        }
        alone
    });
}

/// The first few names, for a message.
fn examples(stems: &[String]) -> String {
    stems[..stems.len().min(EXAMPLES)].join(", ")
}

/// Names with their number, at most so many.
fn said(names: &[String], most: usize) -> Option<String> {
    let shown = names.get(..most.min(names.len()))?.join(", ");
    let more = match names.len().saturating_sub(most) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| format!("{} left out: {shown}{more}", names.len()))
}

impl FolderPairs {
    /// A sentence about unmatched names and files that are no part of a pair, where there are any.
    pub fn unmatched(&self) -> Option<String> {
        let sides = [("first", &self.only_a), ("second", &self.only_b)];
        let mut parts: Vec<String> = sides
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
        parts.extend(said(&self.left_out, LEFT_OUT));
        (!parts.is_empty()).then(|| format!("left out: {}", parts.join("; ")))
    }
}

/// Digits compare as numbers, everything else byte by byte; ties by the plain order.
fn natural_order(x: &[u8], y: &[u8]) -> Ordering {
    let (mut a, mut b) = (x, y);
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
mod tests;
