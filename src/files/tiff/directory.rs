//! The directories of a TIFF file: which tags each page has.
//!
//! Input: the file's bytes. Output: [`Tiff`], [`Directory`]. Fails when: the bytes are cut or lead in a
//! circle. Not its job: pixels, which the tiff crate decodes.
//!
//! The crate reads no page whose colours it does not know, so the tags have to be known before. Sources: TIFF 6.0,
//! 1992, section 2; BigTIFF.

use std::collections::BTreeMap;

/// Pages that are looked at.
const MOST_PAGES: usize = 256;
/// Entries of a directory.
const MOST_ENTRIES: u64 = 4096;
/// Values of one entry: the tiles of the largest picture.
const MOST_VALUES: u64 = 1 << 22;

/// A file's order of bytes and width of offsets.
#[derive(Debug, Clone, Copy)]
pub struct Tiff<'a> {
    pub bytes: &'a [u8],
    pub big_endian: bool,
    /// BigTIFF: offsets of 64 bits.
    pub big: bool,
    first: u64,
}

/// Where an entry's values lie.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: u16,
    count: u64,
    at: usize,
}

/// The tags of one page.
#[derive(Debug, Clone)]
pub struct Directory<'a> {
    file: Tiff<'a>,
    entries: BTreeMap<u16, Entry>,
}

const CUT: &str = "a directory of the TIFF lies beyond the file's end";

impl<'a> Tiff<'a> {
    /// Of a file that begins as a TIFF.
    pub fn new(bytes: &'a [u8]) -> Result<Self, String> {
        let mut file = Self {
            bytes,
            big_endian: bytes.starts_with(b"MM"),
            big: false,
            first: 0,
        };
        file.big = file.number(2, 2)? == 43;
        file.first = match file.big {
            true => file.number(8, 8)?,
            false => file.number(4, 4)?,
        };
        Ok(file)
    }

    /// An unsigned number of 1, 2, 4 or 8 bytes.
    fn number(&self, at: usize, length: usize) -> Result<u64, String> {
        let end = at.checked_add(length).ok_or(CUT)?;
        let bytes = self.bytes.get(at..end).ok_or(CUT)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Ok(match self.big_endian {
            true => bytes.iter().fold(0, add),
            false => bytes.iter().rev().fold(0, add),
        })
    }

    /// All pages, each followed by its sub-pages.
    pub fn pages(&self) -> Result<Vec<Directory<'a>>, String> {
        let mut pages: Vec<Directory<'a>> = Vec::new();
        let mut seen = Vec::new();
        let mut at = self.first;
        while at != 0 && pages.len() < MOST_PAGES && !seen.contains(&at) {
            seen.push(at);
            let (page, next) = match self.directory(at) {
                Ok(found) => found,
                // What was written before a cut is whole.
                Err(_) if !pages.is_empty() => break,
                Err(error) => return Err(error),
            };
            let below = page.numbers(SUB_IFDS).unwrap_or_default();
            pages.push(page);
            for at in below.into_iter().take(16) {
                if !seen.contains(&at) && pages.len() < MOST_PAGES {
                    seen.push(at);
                    pages.extend(self.directory(at).ok().map(|(page, _)| page));
                }
            }
            at = next;
        }
        Ok(pages)
    }

    fn directory(&self, at: u64) -> Result<(Directory<'a>, u64), String> {
        let at = usize::try_from(at).map_err(|_| CUT)?;
        let (head, step, width) = if self.big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.number(at, head)?;
        if count > MOST_ENTRIES {
            return Err(format!("a directory of the TIFF has {count} entries"));
        }
        let mut entries = BTreeMap::new();
        let mut place = at + head;
        for _ in 0..count {
            let tag = self.number(place, 2)? as u16;
            let kind = self.number(place + 2, 2)? as u16;
            let count = self.number(place + 4, width)?;
            let inside = place + 4 + width;
            let fits = count.saturating_mul(bytes_of(kind) as u64) <= width as u64;
            let at = match fits {
                true => inside,
                false => usize::try_from(self.number(inside, width)?).map_err(|_| CUT)?,
            };
            entries.entry(tag).or_insert(Entry { kind, count, at });
            place += step;
        }
        // A file may end behind its last entry.
        let next = self.number(place, width).unwrap_or(0);
        let file = *self;
        Ok((Directory { file, entries }, next))
    }
}

/// Bytes of one value of a type; unknown types count as bytes.
fn bytes_of(kind: u16) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 1,
    }
}

/// Tag of the pages below a page.
const SUB_IFDS: u16 = 330;

impl<'a> Directory<'a> {
    /// The file it is of.
    pub fn file(&self) -> &Tiff<'a> {
        &self.file
    }

    /// Whether the page has a tag.
    pub fn has(&self, tag: u16) -> bool {
        self.entries.contains_key(&tag)
    }

    /// A tag's unsigned values; `None`: it is absent or has others.
    pub fn numbers(&self, tag: u16) -> Option<Vec<u64>> {
        let entry = self.entries.get(&tag)?;
        let length = bytes_of(entry.kind);
        if entry.count > MOST_VALUES || !matches!(entry.kind, 1 | 3 | 4 | 7 | 13 | 16 | 18) {
            return None;
        }
        (0..entry.count as usize)
            .map(|i| {
                self.file
                    .number(entry.at.checked_add(i * length)?, length)
                    .ok()
            })
            .collect()
    }

    /// A tag's first unsigned value.
    pub fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag)?.first().copied()
    }

    /// A tag's fractions.
    pub fn fractions(&self, tag: u16) -> Option<Vec<f32>> {
        let entry = self
            .entries
            .get(&tag)
            .filter(|e| e.kind == 5 && e.count <= 64)?;
        (0..entry.count as usize)
            .map(|i| {
                let at = entry.at.checked_add(8 * i)?;
                let over = self.file.number(at, 4).ok()?;
                let under = self.file.number(at + 4, 4).ok()?;
                (under != 0).then(|| over as f32 / under as f32)
            })
            .collect()
    }

    /// A tag's bytes as they are.
    pub fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        let entry = self.entries.get(&tag)?;
        let length = usize::try_from(entry.count)
            .ok()?
            .checked_mul(bytes_of(entry.kind))?;
        self.file.bytes.get(entry.at..entry.at.checked_add(length)?)
    }

    /// A tag's text.
    pub fn text(&self, tag: u16) -> String {
        let bytes = self.bytes(tag).unwrap_or_default();
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end.min(64)])
            .trim()
            .to_owned()
    }
}
