//! A TIFF page's samples as grey, RGB or counts.
//!
//! Input: a [`Page`]. Output: [`Content`] and notes. Fails when: the samples are of a kind that has no meaning
//! here. Sources: TIFF 6.0, 1992, sections 5, 16, 20 to 23; IEC 61966-2-1 (sRGB).

use super::page::{Alpha, Colours, Format, Page};
use super::view::{self, Samples};
use crate::files::error::Fault;
use crate::files::loaded::{Content, RawGrey};
use crate::files::upright::{TRANSPARENT, over_black};
use crate::files::values::{Source, to_counts};
use crate::frame::Picture;

const PALETTE: u16 = 320;
const YCBCR_COEFFICIENTS: u16 = 529;
const REFERENCE_BLACK_WHITE: u16 = 532;

/// Decodes a page.
pub fn decode(page: &Page<'_>) -> Result<(Content, Vec<String>), Fault> {
    let mut notes = Vec::new();
    let content = match page.colours {
        Colours::Grey { white_is_zero } => grey(page, white_is_zero, &mut notes)?,
        Colours::Palette => palette(page)?,
        Colours::Rgb => rgb(page, &mut notes)?,
        Colours::Cmyk => coloured(page, 4, cmyk)?,
        Colours::YCbCr => ycbcr(page)?,
        Colours::Lab { signed } => coloured(page, 3, |p| lab(p, signed))?,
    };
    Ok((content, notes))
}

/// The first `wanted` samples of each pixel, beside each other.
fn samples(page: &Page<'_>, wanted: usize) -> Result<Samples, Fault> {
    let have = page.samples;
    if !page.planar {
        let all = view::plane(page, 0)?;
        return Ok(match all {
            _ if have == wanted => all,
            Samples::U8(v) => Samples::U8(keep(&v, have, wanted)),
            Samples::U16(v) => Samples::U16(keep(&v, have, wanted)),
            Samples::Values(v) => Samples::Values(keep(&v, have, wanted)),
        });
    }
    let (mut bytes, mut words, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for plane in 0..wanted {
        match view::plane(page, plane)? {
            Samples::U8(v) => bytes.push(v),
            Samples::U16(v) => words.push(v),
            Samples::Values(v) => values.push(v),
        }
    }
    Ok(match (bytes.is_empty(), words.is_empty()) {
        (false, _) => Samples::U8(interleave(&bytes)),
        (_, false) => Samples::U16(interleave(&words)),
        _ => Samples::Values(interleave(&values)),
    })
}

fn keep<T: Copy>(data: &[T], have: usize, wanted: usize) -> Vec<T> {
    let pixels = data.chunks_exact(have);
    pixels.flat_map(|p| p[..wanted].iter().copied()).collect()
}

fn interleave<T: Copy>(planes: &[Vec<T>]) -> Vec<T> {
    let length = planes.iter().map(Vec::len).min().unwrap_or(0);
    (0..length)
        .flat_map(|i| planes.iter().map(move |p| p[i]))
        .collect()
}

fn picture(page: &Page<'_>, channels: usize, data: Vec<u8>) -> Result<Content, Fault> {
    let picture = Picture::from_data(page.size, channels, data);
    picture
        .map(Content::Picture)
        .map_err(|e| Fault::Damaged(e.to_string()))
}

/// Grey of any depth; further samples but alpha are left out.
fn grey(page: &Page<'_>, white_is_zero: bool, notes: &mut Vec<String>) -> Result<Content, Fault> {
    let alpha = page.alpha != Alpha::None && page.samples > 1;
    let wanted = if alpha { 2 } else { 1 };
    if page.samples > wanted {
        notes.push(format!("of its {} bands the first is used", page.samples));
    }
    let most = ((1u64 << page.bits.min(16)) - 1) as u32;
    match samples(page, wanted)? {
        Samples::U8(v) => {
            let mut v = single(page, v, most, notes);
            for value in &mut v {
                let grey = u32::from(*value).min(most) * 255 / most;
                *value = if white_is_zero {
                    255 - grey as u8
                } else {
                    grey as u8
                };
            }
            picture(page, 1, v)
        }
        Samples::U16(v) => {
            let mut v = single(page, v, most, notes);
            if white_is_zero {
                v.iter_mut()
                    .for_each(|v| *v = most as u16 - (*v).min(most as u16));
            }
            counts(page, RawGrey::of(page.size, v))
        }
        Samples::Values(v) => {
            let v = if alpha { keep(&v, 2, 1) } else { v };
            let bits = page.bits as u8;
            let source = match page.format {
                Format::Float => Source::Float(bits),
                Format::Signed => Source::Signed(bits),
                Format::Unsigned => Source::Unsigned(bits),
            };
            if v.len() != page.size.area() {
                return Err(Fault::Damaged("samples are missing".to_owned()));
            }
            counts(page, to_counts(page.size, &v, source))
        }
    }
}

fn counts(page: &Page<'_>, raw: RawGrey) -> Result<Content, Fault> {
    match raw.counts.data.len() == page.size.area() {
        true => Ok(Content::Counts(raw)),
        false => Err(Fault::Damaged("samples are missing".to_owned())),
    }
}

/// Grey without its alpha.
fn single<T>(page: &Page<'_>, data: Vec<T>, most: u32, notes: &mut Vec<String>) -> Vec<T>
where
    T: Copy + Into<u32> + TryFrom<u32>,
{
    match page.alpha {
        _ if page.samples == 1 => data,
        Alpha::None => data,
        Alpha::Associated => keep(&data, 2, 1),
        Alpha::Unassociated => {
            let (grey, any) = over_black(&data, 2, most);
            notes.extend(any.then(|| TRANSPARENT.to_owned()));
            grey
        }
    }
}

fn rgb(page: &Page<'_>, notes: &mut Vec<String>) -> Result<Content, Fault> {
    let alpha = page.alpha == Alpha::Unassociated && page.samples > 3;
    let wanted = if alpha { 4 } else { 3 };
    let mut any = false;
    let mut colours = |(rgb, transparent): (Vec<u8>, bool)| {
        any = transparent;
        rgb
    };
    let data = match to_bytes(page, samples(page, wanted)?) {
        v if alpha => colours(over_black(&v, 4, 255)),
        v => v,
    };
    notes.extend(any.then(|| TRANSPARENT.to_owned()));
    picture(page, 3, data)
}

/// Samples as 8 bits: the high byte, or the part of 1 (of the most, beyond it).
fn to_bytes(page: &Page<'_>, samples: Samples) -> Vec<u8> {
    match samples {
        Samples::U8(v) if page.bits == 8 => v,
        Samples::U8(v) => {
            let most = (1u32 << page.bits) - 1;
            v.into_iter()
                .map(|v| (u32::from(v) * 255 / most) as u8)
                .collect()
        }
        Samples::U16(v) => {
            let shift = page.bits.clamp(9, 16) - 8;
            v.into_iter().map(|v| (v >> shift) as u8).collect()
        }
        Samples::Values(v) => {
            let most = match page.format {
                Format::Float => v
                    .iter()
                    .copied()
                    .filter(|v| v.is_finite())
                    .fold(1.0, f32::max),
                Format::Signed => ((1u64 << (page.bits - 1)) - 1) as f32,
                Format::Unsigned => 2f32.powi(page.bits as i32) - 1.0,
            };
            v.into_iter()
                .map(|v| (v / most * 255.0).round() as u8)
                .collect()
        }
    }
}

/// Colours through a function of a pixel's first samples.
fn coloured(
    page: &Page<'_>,
    wanted: usize,
    convert: impl Fn(&[u8]) -> [u8; 3],
) -> Result<Content, Fault> {
    let data = to_bytes(page, samples(page, wanted)?);
    let rgb = data.chunks_exact(wanted).flat_map(convert).collect();
    picture(page, 3, rgb)
}

fn cmyk(p: &[u8]) -> [u8; 3] {
    let light = |ink: u8| {
        let product = (255 - u32::from(ink)) * (255 - u32::from(p[3]));
        ((product + 127) / 255) as u8
    };
    [light(p[0]), light(p[1]), light(p[2])]
}

fn palette(page: &Page<'_>) -> Result<Content, Fault> {
    let missing = || Fault::Damaged("the TIFF's palette is missing or short".to_owned());
    let table = page.tags.numbers(PALETTE).ok_or_else(missing)?;
    let colours = 1usize << page.bits.min(16);
    if page.bits > 16 || table.len() < 3 * colours {
        return Err(missing());
    }
    // Some writers put 8 bits where 16 belong.
    let shift = if table.iter().all(|v| *v < 256) { 0 } else { 8 };
    let colour =
        |i: usize| [0, 1, 2].map(|c| (table[c * colours + i.min(colours - 1)] >> shift) as u8);
    let data = match samples(page, 1)? {
        Samples::U8(v) => v.into_iter().flat_map(|i| colour(usize::from(i))).collect(),
        Samples::U16(v) => v.into_iter().flat_map(|i| colour(usize::from(i))).collect(),
        Samples::Values(_) => return Err(missing()),
    };
    picture(page, 3, data)
}

fn ycbcr(page: &Page<'_>) -> Result<Content, Fault> {
    let of_jpeg = page.compression == 7;
    let [red, green, blue] = match page.tags.fractions(YCBCR_COEFFICIENTS) {
        Some(c) if c.len() == 3 && c[1] > 0.0 && !of_jpeg => [c[0], c[1], c[2]],
        _ => [0.299, 0.587, 0.114],
    };
    let range = match page.tags.fractions(REFERENCE_BLACK_WHITE) {
        Some(r) if r.len() == 6 && !of_jpeg => r,
        _ => vec![0.0, 255.0, 128.0, 255.0, 128.0, 255.0],
    };
    let scaled = |v: u8, at: usize, full: f32| {
        let width = (range[at + 1] - range[at]).max(1.0);
        (f32::from(v) - range[at]) * full / width
    };
    let convert = |p: &[u8]| {
        let (y, cb, cr) = (
            scaled(p[0], 0, 255.0),
            scaled(p[1], 2, 127.0),
            scaled(p[2], 4, 127.0),
        );
        let (r, b) = (y + cr * (2.0 - 2.0 * red), y + cb * (2.0 - 2.0 * blue));
        let g = (y - red * r - blue * b) / green;
        // A cast of a float saturates.
        [r, g, b].map(|v| v.round() as u8)
    };
    if page.subsampling == (1, 1) {
        return coloured(page, 3, convert);
    }
    let Samples::U8(blocks) = view::plane(page, 0)? else {
        return Err(Fault::Damaged("chroma of no 8 bits".to_owned()));
    };
    let (across, down) = page.subsampling;
    let block = across * down + 2;
    let row = page.size.width.div_ceil(across) * block;
    let mut data = Vec::with_capacity(page.size.area() * 3);
    for y in 0..page.size.height {
        for x in 0..page.size.width {
            let at = y / down * row + x / across * block;
            let luma = at + y % down * across + x % across;
            let pixel = [luma, at + block - 2, at + block - 1];
            data.extend(convert(&pixel.map(|i| blocks.get(i).copied().unwrap_or(0))));
        }
    }
    picture(page, 3, data)
}

/// CIE L*a*b* of D50 to sRGB.
fn lab(p: &[u8], signed: bool) -> [u8; 3] {
    let chroma = |v: u8| match signed {
        true => f32::from(v as i8),
        false => f32::from(v) - 128.0,
    };
    let fy = (f32::from(p[0]) * 100.0 / 255.0 + 16.0) / 116.0;
    let (fx, fz) = (fy + chroma(p[1]) / 500.0, fy - chroma(p[2]) / 200.0);
    let cube = |t: f32| match t > 6.0 / 29.0 {
        true => t * t * t,
        false => (t - 16.0 / 116.0) * 3.0 * (6.0f32 / 29.0).powi(2),
    };
    let (x, y, z) = (0.9642 * cube(fx), cube(fy), 0.8249 * cube(fz));
    // D50 to sRGB's primaries (Bradford).
    let linear = [
        3.1339 * x - 1.6169 * y - 0.4906 * z,
        -0.9788 * x + 1.9161 * y + 0.0335 * z,
        0.0719 * x - 0.2290 * y + 1.4052 * z,
    ];
    linear.map(|v| {
        let v = v.clamp(0.0, 1.0);
        let curved = match v <= 0.003_130_8 {
            true => 12.92 * v,
            false => 1.055 * v.powf(1.0 / 2.4) - 0.055,
        };
        (curved * 255.0).round() as u8
    })
}
