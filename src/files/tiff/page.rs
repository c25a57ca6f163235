//! One page of a TIFF file: what its pixels are, and whether they can be read.
//!
//! Input: a [`Directory`]. Output: [`Page`]. Fails when: the page is of a kind that is not read, or its tags
//! do not fit each other. Not its job: decoding.

use image::metadata::Orientation;

use super::directory::Directory;
use crate::files::error::Fault;
use crate::frame::Size;

/// What the samples of a pixel mean (PhotometricInterpretation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    Grey { white_is_zero: bool },
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
    Lab { signed: bool },
}

/// How a sample is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Unsigned,
    Signed,
    Float,
}

/// What is in the samples beyond the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alpha {
    None,
    /// The colours are multiplied by it already.
    Associated,
    Unassociated,
}

/// A page that can be read.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    pub tags: Directory<'a>,
    pub size: Size,
    pub colours: Colours,
    pub samples: usize,
    pub bits: usize,
    pub format: Format,
    pub alpha: Alpha,
    pub planar: bool,
    pub compression: u64,
    pub predictor: u64,
    /// Size of a strip or tile.
    pub chunk: Size,
    pub tiled: bool,
    pub offsets: Vec<u64>,
    pub lengths: Vec<u64>,
    /// Chroma samples are so much rarer, across and down.
    pub subsampling: (usize, usize),
    pub orientation: Orientation,
}

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const MAKE: u16 = 271;
const ORIENTATION: u16 = 274;
const SAMPLES: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const PLANAR: u16 = 284;
const PREDICTOR: u16 = 317;
const EXTRA: u16 = 338;
const FORMAT: u16 = 339;
const SUBSAMPLING: u16 = 530;
const DNG_VERSION: u16 = 50_706;

/// The width and height that a directory says; 0 where it says none.
pub fn size_of(tags: &Directory<'_>) -> (u64, u64) {
    let number = |tag| tags.number(tag).unwrap_or(0);
    (number(WIDTH), number(HEIGHT))
}

/// How a page lies, by its tag.
pub fn orientation_of(tags: &Directory<'_>) -> Orientation {
    let number = tags.number(ORIENTATION).and_then(|v| u8::try_from(v).ok());
    number
        .and_then(Orientation::from_exif)
        .unwrap_or(Orientation::NoTransforms)
}

fn missing() -> Fault {
    Fault::Damaged("the TIFF does not say where its pixels are".to_owned())
}

/// Where strips or tiles lie, and how long they are.
fn places(tags: &Directory<'_>, tiled: bool) -> Option<(Vec<u64>, Vec<u64>)> {
    let (at, long) = if tiled { (324, 325) } else { (273, 279) };
    let offsets = tags.numbers(at)?;
    match tags.numbers(long) {
        Some(lengths) if lengths.len() == offsets.len() => Some((offsets, lengths)),
        // Some writers of a single uncompressed strip leave its length out.
        None if offsets.len() == 1 => {
            let rest = (tags.file().bytes.len() as u64).saturating_sub(offsets[0]);
            Some((offsets, vec![rest]))
        }
        _ => None,
    }
}

impl<'a> Page<'a> {
    /// Reads the tags of a page.
    pub fn new(tags: Directory<'a>) -> Result<Self, Fault> {
        let number = |tag, usual| tags.number(tag).unwrap_or(usual);
        let (width, height) = size_of(&tags);
        let size = crate::files::checked_size(width, height)?;
        let samples = number(SAMPLES, 1) as usize;
        let bits = tags.numbers(BITS).unwrap_or_else(|| vec![1]);
        let compression = number(COMPRESSION, 1);
        check_compression(compression)?;
        let (first, mixed) = (bits.first().copied(), bits.iter().any(|b| *b != bits[0]));
        let bits = first.filter(|b| (1..=64).contains(b)).unwrap_or(0) as usize;
        if mixed || bits == 0 || !(1..=64).contains(&samples) {
            return Err(Fault::unsupported("a TIFF of samples of mixed sizes"));
        }
        if number(FILL_ORDER, 1) == 2 && compression != 4 {
            return Err(Fault::unsupported("a TIFF with its bits in reverse order"));
        }
        let format = match number(FORMAT, 1) {
            1 | 4 => Format::Unsigned,
            2 => Format::Signed,
            3 => Format::Float,
            _ => return Err(Fault::unsupported("a TIFF of complex numbers")),
        };
        let colours = colours_of(&tags, samples)?;
        let extra = tags.numbers(EXTRA).and_then(|e| e.first().copied());
        let alpha = match extra {
            Some(1) => Alpha::Associated,
            Some(2) => Alpha::Unassociated,
            _ => Alpha::None,
        };
        let tiled = tags.has(324);
        let (offsets, lengths) = places(&tags, tiled).ok_or_else(missing)?;
        let chunk = match tiled {
            true => crate::files::checked_size(number(322, 0), number(323, 0))?,
            false => {
                let rows = number(ROWS_PER_STRIP, height).clamp(1, height);
                Size::new(size.width, rows as usize)
            }
        };
        let usual = vec![2, 2];
        let subsampling = match tags.numbers(SUBSAMPLING).unwrap_or(usual)[..] {
            [across @ 1..=4, down @ 1..=4] => (across as usize, down as usize),
            _ => return Err(missing()),
        };
        let page = Self {
            size,
            colours,
            samples,
            bits,
            format,
            alpha,
            planar: number(PLANAR, 1) == 2 && samples > 1,
            compression,
            predictor: number(PREDICTOR, 1),
            chunk,
            tiled,
            offsets,
            lengths,
            subsampling: match colours {
                Colours::YCbCr if compression != 7 => subsampling,
                _ => (1, 1),
            },
            orientation: orientation_of(&tags),
            tags,
        };
        let chunks = page.chunks_across() * page.chunks_down() * page.planes();
        if page.offsets.len() < chunks {
            return Err(missing());
        }
        Ok(page)
    }

    pub fn chunks_across(&self) -> usize {
        self.size.width.div_ceil(self.chunk.width)
    }

    pub fn chunks_down(&self) -> usize {
        self.size.height.div_ceil(self.chunk.height)
    }

    pub fn planes(&self) -> usize {
        if self.planar { self.samples } else { 1 }
    }
}

fn colours_of(tags: &Directory<'_>, samples: usize) -> Result<Colours, Fault> {
    let least = |n: usize, colours| match samples >= n {
        true => Ok(colours),
        false => Err(Fault::Damaged(format!("a pixel has {samples} samples"))),
    };
    let photometric = tags.number(PHOTOMETRIC);
    match photometric {
        Some(0) => Ok(Colours::Grey {
            white_is_zero: true,
        }),
        Some(1) => Ok(Colours::Grey {
            white_is_zero: false,
        }),
        Some(2) => least(3, Colours::Rgb),
        Some(3) => Ok(Colours::Palette),
        Some(5) => least(4, Colours::Cmyk),
        Some(6) => least(3, Colours::YCbCr),
        Some(8) => least(3, Colours::Lab { signed: true }),
        Some(9) => least(3, Colours::Lab { signed: false }),
        Some(32_803 | 34_892) => Err(raw(tags)),
        Some(4) => Err(Fault::unsupported("a TIFF mask of transparency")),
        Some(32_844 | 32_845) => Err(Fault::unsupported("a TIFF of LogLuv colours")),
        Some(other) => Err(Fault::unsupported(format!(
            "a TIFF of colours of kind {other}"
        ))),
        None if samples >= 3 => Ok(Colours::Rgb),
        None => Ok(Colours::Grey {
            white_is_zero: false,
        }),
    }
}

/// A photograph as the sensor saw it.
fn raw(tags: &Directory<'_>) -> Fault {
    let what = match (tags.has(DNG_VERSION), tags.text(MAKE)) {
        (true, _) => "a DNG raw file".to_owned(),
        (false, make) if make.is_empty() => "a camera's raw file".to_owned(),
        (false, make) => format!("a raw file of a camera by {make}"),
    };
    let advice = "develop it to a 16-bit TIFF with a raw converter";
    Fault::Unsupported(what, advice.to_owned())
}

/// Whether a page is raw by its camera's marks, whatever its colours say.
pub fn is_raw(tags: &Directory<'_>) -> Option<Fault> {
    matches!(tags.number(PHOTOMETRIC), Some(32_803 | 34_892)).then(|| raw(tags))
}

fn check_compression(compression: u64) -> Result<(), Fault> {
    let name = match compression {
        1 | 4 | 5 | 7 | 8 | 32_946 | 32_773 => return Ok(()),
        2 => "CCITT RLE",
        3 => "CCITT group 3 (fax)",
        6 => "old-style JPEG",
        32_766 => "NeXT",
        32_809 => "ThunderScan",
        34_661 => "JBIG",
        34_676 | 34_677 => "SGI LogLuv",
        34_712 | 33_003 | 33_005 => "JPEG 2000",
        34_713 => return Err(Fault::unsupported("a Nikon raw file (NEF)")),
        34_887 => "LERC",
        34_925 => "LZMA",
        50_000 => "Zstandard",
        50_001 => "WebP",
        50_002 | 52_546 => "JPEG XL",
        other => {
            return Err(Fault::unsupported(format!(
                "a TIFF compressed by method {other}"
            )));
        }
    };
    Err(Fault::Unsupported(
        format!("a TIFF compressed with {name}"),
        "convert it to a TIFF with LZW or Deflate, or to PNG".to_owned(),
    ))
}
