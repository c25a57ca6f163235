//! A page's samples, by the tiff crate, through directories that ask for nothing but samples.
//!
//! Input: a [`Page`]. Output: samples as they are stored. Fails when: the crate says so.
//! Not its job: what the samples mean.
//!
//! The crate has no palettes, no chroma that is rarer than luma, no second channel of grey, no 12 bits; it panics on
//! planes in tiles (image-tiff#403), and of LZW in narrow tiles it misses the end. So every strip or tile is given to it
//! as a grey page of one strip: the file's bytes, with another directory behind them.

use std::io::{Read, Seek, SeekFrom};

use tiff::TiffError;
use tiff::decoder::{Decoder, DecodingResult, Limits};

use super::page::{Format, Page};
use crate::files::error::Fault;

/// The samples of a page, row by row.
#[derive(Debug)]
pub enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
    /// Everything else.
    Values(Vec<f32>),
}

/// A strip or tile as the crate is to see it, and its place among the others.
struct Grid {
    /// Pixels across, and rows of a whole chunk.
    chunk: (usize, usize),
    samples: usize,
    bits: usize,
    format: Format,
    predictor: u64,
    /// Rows of the page.
    height: usize,
    /// What the crate gives for a row of the page and of a chunk: samples, or bytes where these are packed.
    row: usize,
    chunk_row: usize,
}

/// Decodes plane `plane` (all samples of a pixel, where they lie together).
pub fn plane(page: &Page<'_>, plane: usize) -> Result<Samples, Fault> {
    let samples = if page.planar { 1 } else { page.samples };
    let grid = match page.bits {
        _ if page.subsampling != (1, 1) => blocks(page)?,
        8 | 16 | 32 | 64 => Grid {
            row: page.size.width * samples,
            chunk_row: page.chunk.width * samples,
            ..Grid::of(page, samples)
        },
        1 | 2 | 4 if page.tiled && !(page.chunk.width * samples * page.bits).is_multiple_of(8) => {
            return Err(Fault::unsupported("a TIFF of tiles that end within a byte"));
        }
        1 | 2 | 4 => Grid {
            row: packed_row(page, page.size.width, samples),
            chunk_row: packed_row(page, page.chunk.width, samples),
            ..Grid::of(page, samples)
        },
        _ => packed(page, samples)?,
    };
    let decoded = decode(page, &grid, plane)?;
    Ok(match decoded {
        DecodingResult::U8(v) if grid.bits == page.bits && page.bits < 8 => Samples::U8(
            unpack(&v, page, samples)
                .into_iter()
                .map(|v| v as u8)
                .collect(),
        ),
        DecodingResult::U8(v) if grid.bits != page.bits => Samples::U16(unpack(&v, page, samples)),
        DecodingResult::U8(v) => Samples::U8(v),
        DecodingResult::U16(v) => Samples::U16(v),
        DecodingResult::U32(v) => Samples::Values(v.into_iter().map(|v| v as f32).collect()),
        DecodingResult::U64(v) => Samples::Values(v.into_iter().map(|v| v as f32).collect()),
        DecodingResult::I8(v) => Samples::Values(v.into_iter().map(f32::from).collect()),
        DecodingResult::I16(v) => Samples::Values(v.into_iter().map(f32::from).collect()),
        DecodingResult::I32(v) => Samples::Values(v.into_iter().map(|v| v as f32).collect()),
        DecodingResult::I64(v) => Samples::Values(v.into_iter().map(|v| v as f32).collect()),
        DecodingResult::F16(v) => Samples::Values(v.into_iter().map(f32::from).collect()),
        DecodingResult::F32(v) => Samples::Values(v),
        DecodingResult::F64(v) => Samples::Values(v.into_iter().map(|v| v as f32).collect()),
    })
}

impl Grid {
    fn of(page: &Page<'_>, samples: usize) -> Self {
        Self {
            chunk: (page.chunk.width, page.chunk.height),
            samples,
            bits: page.bits,
            format: page.format,
            predictor: page.predictor,
            height: page.size.height,
            row: 0,
            chunk_row: 0,
        }
    }

    /// Rows of bytes.
    fn of_bytes(page: &Page<'_>, (row, height): (usize, usize), chunk: (usize, usize)) -> Self {
        Self {
            chunk,
            bits: 8,
            format: Format::Unsigned,
            predictor: 1,
            height,
            row,
            chunk_row: chunk.0,
            ..Self::of(page, 1)
        }
    }
}

/// Chroma that is rarer than luma lies in blocks of luma samples and one of each chroma: rows of blocks.
fn blocks(page: &Page<'_>) -> Result<Grid, Fault> {
    let (across, down) = page.subsampling;
    let block = across * down + 2;
    let whole = page.chunk.width.is_multiple_of(across) || !page.tiled;
    let last = page.chunks_down() == 1 || page.chunk.height.is_multiple_of(down);
    if page.planar || page.bits != 8 || page.predictor != 1 || !whole || !last {
        return Err(Fault::unsupported(
            "a TIFF of rarely sampled chroma in planes",
        ));
    }
    let row = |width: usize| width.div_ceil(across) * block;
    let height = page.size.height.div_ceil(down);
    let chunk = (row(page.chunk.width), page.chunk.height.div_ceil(down));
    Ok(Grid::of_bytes(page, (row(page.size.width), height), chunk))
}

/// Bytes of a row of samples of few or odd bits.
fn packed_row(page: &Page<'_>, width: usize, samples: usize) -> usize {
    (width * samples * page.bits).div_ceil(8)
}

/// Samples of 3, 10, 12 or 14 bits: rows of bytes.
fn packed(page: &Page<'_>, samples: usize) -> Result<Grid, Fault> {
    let plain = page.format == Format::Unsigned && page.predictor == 1 && page.bits <= 16;
    if !plain || page.tiled || page.compression == 7 {
        let bits = page.bits;
        return Err(Fault::unsupported(format!(
            "a TIFF of {bits}-bit samples of a rare kind"
        )));
    }
    let row = packed_row(page, page.size.width, samples);
    let chunk = (row, page.chunk.height);
    Ok(Grid::of_bytes(page, (row, page.size.height), chunk))
}

/// Samples of a number of bits out of rows of bytes, the high bits first.
fn unpack(bytes: &[u8], page: &Page<'_>, samples: usize) -> Vec<u16> {
    let across = page.size.width * samples;
    let row = (across * page.bits).div_ceil(8);
    let mut out = Vec::with_capacity(across * page.size.height);
    for row in bytes.chunks_exact(row.max(1)) {
        let (mut held, mut bits, mut next) = (0u32, 0, 0);
        for _ in 0..across {
            while bits < page.bits {
                held = held << 8 | u32::from(row[next]);
                next += 1;
                bits += 8;
            }
            bits -= page.bits;
            out.push((held >> bits) as u16);
            held &= (1 << bits) - 1;
        }
    }
    out
}

fn decode(page: &Page<'_>, grid: &Grid, plane: usize) -> Result<DecodingResult, Fault> {
    let bytes = (grid.row * grid.height) as u64 * grid.bits.div_ceil(8) as u64;
    // The samples, and what they become.
    if !crate::files::guard::has_memory(bytes.saturating_mul(4)) {
        return Err(Fault::Memory(bytes.saturating_mul(4)));
    }
    let (across, down) = (page.chunks_across(), page.chunks_down());
    let first = plane * across * down;
    let mut whole = chunk(page, grid, (first, 0))?;
    if across * down > 1 || grid.chunk_row != grid.row {
        let one = std::mem::replace(&mut whole, DecodingResult::U8(Vec::new()));
        whole = empty_like(&one, grid.row * grid.height);
        place(&one, &mut whole, grid, (0, 0))?;
    }
    for number in 1..across * down {
        let at = (number % across, number / across);
        let one = chunk(page, grid, (first + number, at.1))?;
        place(&one, &mut whole, grid, at)?;
    }
    Ok(whole)
}

/// Decodes one strip or tile, of a row of them.
fn chunk(
    page: &Page<'_>,
    grid: &Grid,
    (number, down): (usize, usize),
) -> Result<DecodingResult, Fault> {
    // The last strip has the rows that are left; tiles are always whole.
    let left = grid.height - down * grid.chunk.1;
    let rows = if page.tiled {
        grid.chunk.1
    } else {
        grid.chunk.1.min(left)
    };
    let bytes = grid.chunk.0 * rows * grid.samples * grid.bits.div_ceil(8);
    let mut limits = Limits::default();
    limits.decoding_buffer_size = bytes;
    limits.ifd_value_size = 1 << 26;
    limits.intermediate_buffer_size = crate::files::MAX_BYTES as usize;
    let view = View::new(page, grid, (number, rows));
    let mut decoder = Decoder::new(view).map_err(failed)?.with_limits(limits);
    decoder.read_image().map_err(failed)
}

/// Each kind of samples alike.
macro_rules! each_kind {
    ($of:expr, $v:ident => $value:expr) => {
        match $of {
            DecodingResult::U8($v) => DecodingResult::U8($value),
            DecodingResult::U16($v) => DecodingResult::U16($value),
            DecodingResult::U32($v) => DecodingResult::U32($value),
            DecodingResult::U64($v) => DecodingResult::U64($value),
            DecodingResult::F16($v) => DecodingResult::F16($value),
            DecodingResult::F32($v) => DecodingResult::F32($value),
            DecodingResult::F64($v) => DecodingResult::F64($value),
            DecodingResult::I8($v) => DecodingResult::I8($value),
            DecodingResult::I16($v) => DecodingResult::I16($value),
            DecodingResult::I32($v) => DecodingResult::I32($value),
            DecodingResult::I64($v) => DecodingResult::I64($value),
        }
    };
}

fn empty_like(one: &DecodingResult, length: usize) -> DecodingResult {
    fn empty<T: Copy + Default>(_: &[T], length: usize) -> Vec<T> {
        vec![T::default(); length]
    }
    each_kind!(one, v => empty(v, length))
}

/// Copies a chunk to its place, but for what lies beyond the page.
fn place(
    one: &DecodingResult,
    whole: &mut DecodingResult,
    grid: &Grid,
    (across, down): (usize, usize),
) -> Result<(), Fault> {
    fn copy<T: Copy>(one: &[T], whole: &mut [T], grid: &Grid, (left, top): (usize, usize)) {
        let width = grid.chunk_row.min(grid.row.saturating_sub(left));
        let rows = one.chunks_exact(grid.chunk_row.max(1));
        for (row, y) in rows.zip(top..grid.height) {
            let to = y * grid.row + left;
            whole[to..to + width].copy_from_slice(&row[..width]);
        }
    }
    let at = (across * grid.chunk_row, down * grid.chunk.1);
    match (one, whole) {
        (DecodingResult::U8(a), DecodingResult::U8(b)) => copy(a, b, grid, at),
        (DecodingResult::U16(a), DecodingResult::U16(b)) => copy(a, b, grid, at),
        (DecodingResult::U32(a), DecodingResult::U32(b)) => copy(a, b, grid, at),
        (DecodingResult::U64(a), DecodingResult::U64(b)) => copy(a, b, grid, at),
        (DecodingResult::F16(a), DecodingResult::F16(b)) => copy(a, b, grid, at),
        (DecodingResult::F32(a), DecodingResult::F32(b)) => copy(a, b, grid, at),
        (DecodingResult::F64(a), DecodingResult::F64(b)) => copy(a, b, grid, at),
        (DecodingResult::I8(a), DecodingResult::I8(b)) => copy(a, b, grid, at),
        (DecodingResult::I16(a), DecodingResult::I16(b)) => copy(a, b, grid, at),
        (DecodingResult::I32(a), DecodingResult::I32(b)) => copy(a, b, grid, at),
        (DecodingResult::I64(a), DecodingResult::I64(b)) => copy(a, b, grid, at),
        _ => return Err(Fault::Damaged("its chunks differ in type".to_owned())),
    }
    Ok(())
}

fn failed(error: TiffError) -> Fault {
    match error {
        TiffError::UnsupportedError(what) => {
            Fault::unsupported(format!("a TIFF of a rare kind ({what})"))
        }
        TiffError::LimitsExceeded => Fault::TooLarge("by its directory".to_owned()),
        other => Fault::Damaged(other.to_string()),
    }
}

/// Bytes of BigTIFF's header.
const HEAD: u64 = 16;

/// A header, the whole file, and a directory.
struct View<'a> {
    head: Vec<u8>,
    body: &'a [u8],
    tail: Vec<u8>,
    at: u64,
}

impl<'a> View<'a> {
    fn new(page: &Page<'a>, grid: &Grid, chunk: (usize, usize)) -> Self {
        let file = page.tags.file();
        let body = file.bytes;
        // Offsets are even.
        let start = (HEAD + body.len() as u64).next_multiple_of(2);
        let mut head = match file.big_endian {
            true => b"MM".to_vec(),
            false => b"II".to_vec(),
        };
        put(&mut head, file.big_endian, 43, 2);
        put(&mut head, file.big_endian, 8, 2);
        put(&mut head, file.big_endian, 0, 2);
        put(&mut head, file.big_endian, start, 8);
        let mut tail = vec![0; (start - HEAD) as usize - body.len()];
        directory(&mut tail, start, (page, grid), chunk);
        Self {
            head,
            body,
            tail,
            at: 0,
        }
    }
}

fn put(out: &mut Vec<u8>, big_endian: bool, value: u64, length: usize) {
    let bytes = value.to_be_bytes();
    let bytes = &bytes[8 - length..];
    match big_endian {
        true => out.extend_from_slice(bytes),
        false => out.extend(bytes.iter().rev()),
    }
}

/// Appends a BigTIFF directory that lies at `start`, its long values behind it: one strip of so many rows.
fn directory(
    out: &mut Vec<u8>,
    start: u64,
    (page, grid): (&Page<'_>, &Grid),
    (number, rows): (usize, usize),
) {
    let big_endian = page.tags.file().big_endian;
    let format = match grid.format {
        Format::Unsigned => 1,
        Format::Signed => 2,
        Format::Float => 3,
    };
    // (tag, type, values): SHORT is 3, LONG 4, LONG8 16.
    let mut entries = vec![
        (256, 4, vec![grid.chunk.0 as u64]),
        (257, 4, vec![rows as u64]),
        (258, 3, vec![grid.bits as u64]),
        (259, 3, vec![page.compression]),
        (262, 3, vec![1]),
        (273, 16, vec![page.offsets[number].saturating_add(HEAD)]),
        (277, 3, vec![grid.samples as u64]),
        (278, 4, vec![rows as u64]),
        (279, 16, vec![page.lengths[number]]),
        (317, 3, vec![grid.predictor]),
        (339, 3, vec![format]),
    ];
    let tables = page.tags.bytes(347).filter(|_| page.compression == 7);
    if let Some(tables) = tables {
        entries.push((347, 7, tables.iter().map(|b| u64::from(*b)).collect()));
    }
    entries.sort_by_key(|(tag, ..)| *tag);
    let mut long = Vec::new();
    let behind = start + 8 + 20 * entries.len() as u64 + 8;
    put(out, big_endian, entries.len() as u64, 8);
    for (tag, kind, values) in entries {
        put(out, big_endian, tag, 2);
        put(out, big_endian, kind, 2);
        put(out, big_endian, values.len() as u64, 8);
        let width = match kind {
            3 => 2,
            4 => 4,
            16 => 8,
            _ => 1,
        };
        let mut written = Vec::with_capacity(values.len() * width);
        for value in values {
            put(&mut written, big_endian, value, width);
        }
        if written.len() <= 8 {
            written.resize(8, 0);
            out.extend_from_slice(&written);
        } else {
            put(out, big_endian, behind + long.len() as u64, 8);
            long.extend_from_slice(&written);
        }
    }
    put(out, big_endian, 0, 8);
    out.extend_from_slice(&long);
}

impl Read for View<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        let (head, body) = (self.head.len(), self.body.len());
        let from = match at {
            _ if at < head => &self.head[at..],
            _ if at < head + body => &self.body[at - head..],
            _ => self.tail.get(at - head - body..).unwrap_or_default(),
        };
        let n = from.len().min(out.len());
        out[..n].copy_from_slice(&from[..n]);
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for View<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let end = HEAD + (self.body.len() + self.tail.len()) as u64;
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => end.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
