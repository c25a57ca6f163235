//! TIFF: the first full page, whatever its colours, samples and layout.
//!
//! Input: a file's bytes. Output: [`Loaded`]. Thread: any. Blocks: never. Fails when: the file is cut, or of a
//! kind that is not read ([`Fault`]). Not its job: compression, which the tiff crate undoes.

mod colour;
mod directory;
mod page;
mod view;

use directory::{Directory, Tiff};
use page::Page;

use super::error::Fault;
use super::loaded::Loaded;
use super::upright::{upright, upright_size};
use crate::frame::Size;

const NEW_SUBFILE_TYPE: u16 = 254;
const SUBFILE_TYPE: u16 = 255;
const ICC: u16 = 34_675;
/// Bits of NewSubfileType: a reduced picture, a mask.
const REDUCED_OR_MASK: u64 = 1 | 4;

/// Reads the first full page.
pub(super) fn load(bytes: &[u8]) -> Result<Loaded, Fault> {
    let pages = Tiff::new(bytes)
        .and_then(|file| file.pages())
        .map_err(Fault::Damaged)?;
    let (tags, full) = first_full(&pages)?;
    let page = Page::new(tags.clone())?;
    let (content, mut notes) = colour::decode(&page)?;
    if full > 1 {
        notes.push(format!("it has {full} pages; the first is used"));
    }
    let profile = page.tags.bytes(ICC).map(<[u8]>::to_vec);
    Ok(Loaded {
        content: upright(content, page.orientation),
        notes,
        visible: None,
        profile,
        exif: None,
    })
}

/// The size of the page that [`load`] reads.
pub(super) fn size(bytes: &[u8]) -> Result<Size, Fault> {
    let pages = Tiff::new(bytes)
        .and_then(|file| file.pages())
        .map_err(Fault::Damaged)?;
    let (tags, _) = first_full(&pages)?;
    let (width, height) = page::size_of(tags);
    let size = super::checked_size(width, height)?;
    Ok(upright_size(size, page::orientation_of(tags)))
}

/// The first page that is no thumbnail, and the number of such pages.
fn first_full<'p, 'a>(pages: &'p [Directory<'a>]) -> Result<(&'p Directory<'a>, usize), Fault> {
    let area = |page: &Directory<'_>| {
        let (width, height) = page::size_of(page);
        width.saturating_mul(height)
    };
    let most = pages.iter().map(area).max().unwrap_or(0);
    // Some writers do not mark their thumbnails.
    let full: Vec<_> = pages
        .iter()
        .filter(|page| !is_reduced(page) && area(page) >= most / 4)
        .collect();
    // A raw file's previews are not its picture.
    if let Some(fault) = pages.iter().find_map(page::is_raw) {
        return Err(fault);
    }
    let largest = || pages.iter().max_by_key(|page| area(page));
    match full.first().copied().or_else(largest) {
        Some(page) => Ok((page, full.len())),
        None => Err(Fault::Damaged("the TIFF has no page".to_owned())),
    }
}

fn is_reduced(page: &Directory<'_>) -> bool {
    page.number(NEW_SUBFILE_TYPE)
        .is_some_and(|v| v & REDUCED_OR_MASK != 0)
        || page.number(SUBFILE_TYPE) == Some(2)
}

#[cfg(test)]
mod tests;
