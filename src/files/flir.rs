//! The record (FFF) that FLIR cameras keep in their JPEGs: raw counts, the camera's constants, the visible picture.
//!
//! Input: the record's bytes. Output: [`Record`]. Fails when: the record has no counts that are read.
//! Not its job: JPEG segments (see [`super::jpeg`]).
//!
//! Sources: ExifTool, tags of FLIR; Thermimage, raw2temp.R (G. Tattersall): Planck's law with the camera's
//! constants, the emitted part by emissivity, the way through the air by its transmission.

use image::ImageFormat;

use super::error::Fault;
use super::loaded::{RawGrey, ZERO_KELVIN};
use crate::frame::{Counts, Picture, Size};

/// Records of the index.
const RAW: u16 = 1;
const EMBEDDED: u16 = 14;
const CAMERA: u16 = 32;
const PICTURE_IN_PICTURE: u16 = 42;
/// Entries that are looked at.
const MOST: usize = 256;
/// Kelvins a count of what is made of the raw counts.
const STEP: f64 = 0.01;

/// What a record holds.
#[derive(Debug)]
pub struct Record {
    /// Temperatures, or counts where the constants are missing.
    pub raw: RawGrey,
    /// The visible camera's picture.
    pub visible: Option<Picture>,
    /// What was done.
    pub note: String,
}

/// Little-endian or big-endian numbers of a part of the record.
#[derive(Clone, Copy)]
struct Part<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Part<'a> {
    /// A part begins with a small number, which tells its order.
    fn new(bytes: &'a [u8]) -> Self {
        let big_endian = matches!(bytes, [0, low, ..] if *low != 0);
        Self { bytes, big_endian }
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at + 2)?.try_into().ok()?;
        Some(match self.big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at + 4)?.try_into().ok()?;
        Some(match self.big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        })
    }

    fn f64(&self, at: usize) -> Option<f64> {
        let value = f64::from(f32::from_bits(self.u32(at)?));
        value.is_finite().then_some(value)
    }
}

/// Reads a record.
pub fn read(bytes: &[u8]) -> Result<Record, Fault> {
    let damaged = || Fault::Damaged("its FLIR record is cut or has no raw counts".to_owned());
    let parts = index(bytes).ok_or_else(damaged)?;
    let part = |kind: u16| {
        parts
            .iter()
            .find(|(k, _)| *k == kind)
            .map(|(_, part)| *part)
    };
    let (size, data) = raw_counts(part(RAW).ok_or_else(damaged)?)?;
    let constants = part(CAMERA).and_then(Constants::read);
    let view = part(PICTURE_IN_PICTURE).and_then(View::read);
    let visible = part(EMBEDDED).and_then(embedded);
    let visible = visible.map(|picture| match view {
        Some(view) => view.cut(&picture),
        None => picture,
    });
    let (raw, temperatures) = match constants {
        Some(constants) => (constants.apply(size, &data), ""),
        None => (
            RawGrey::of(size, data),
            ", as counts, since the camera's constants are missing",
        ),
    };
    Ok(Record {
        raw,
        note: format!("its raw thermal record of {size} is used{temperatures}, not its preview"),
        visible,
    })
}

/// The parts that the index names.
fn index(bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut head = Part {
        bytes,
        big_endian: true,
    };
    // The version is about 100 in the right order.
    head.big_endian = (100..200).contains(&head.u32(20)?);
    let (start, count) = (head.u32(24)? as usize, head.u32(28)? as usize);
    let mut parts = Vec::new();
    for entry in 0..count.min(MOST) {
        let at = start.checked_add(entry * 32)?;
        let (kind, from) = (head.u16(at)?, head.u32(at.checked_add(12)?)? as usize);
        let end = from.checked_add(head.u32(at + 16)? as usize)?;
        if kind != 0
            && let Some(part) = bytes.get(from..end.min(bytes.len()))
        {
            parts.push((kind, part));
        }
    }
    Some(parts)
}

/// 16-bit counts, or a PNG of them.
fn raw_counts(bytes: &[u8]) -> Result<(Size, Vec<u16>), Fault> {
    let damaged = || Fault::Damaged("the raw counts of its FLIR record are cut".to_owned());
    // The width stands where a small number tells the order of other parts.
    let mut part = Part {
        bytes,
        big_endian: false,
    };
    part.big_endian = part.u16(2).ok_or_else(damaged)? > 0x1fff || part.u16(2) == Some(0);
    let body = bytes.get(32..).ok_or_else(damaged)?;
    if body.starts_with(b"\x89PNG") {
        let decoded = super::raster::decode(body, ImageFormat::Png)?;
        let image::DynamicImage::ImageLuma16(grey) = decoded.image else {
            return Err(damaged());
        };
        let size = Size::new(grey.width() as usize, grey.height() as usize);
        // These cameras write the two bytes of a sample in the wrong order.
        let data = grey.into_raw().into_iter().map(u16::swap_bytes).collect();
        return Ok((size, data));
    }
    if body.starts_with(b"\xff\xd8") || body.starts_with(b"\xff\xf7") {
        return Err(Fault::unsupported(
            "a FLIR record with compressed counts (JPEG-LS)",
        ));
    }
    let at = |place| part.u16(place).map(u64::from).ok_or_else(damaged);
    let found = (at(2)?, at(4)?);
    let size = super::checked_size(found.0, found.1)?;
    let bytes = body.get(..size.area() * 2).ok_or_else(damaged)?;
    let word = match part.big_endian {
        true => u16::from_be_bytes,
        false => u16::from_le_bytes,
    };
    let data = bytes
        .chunks_exact(2)
        .map(|two| word([two[0], two[1]]))
        .collect();
    Ok((size, data))
}

/// The visible picture, where it is a JPEG or PNG.
fn embedded(bytes: &[u8]) -> Option<Picture> {
    let body = bytes.get(32..)?;
    let format = image::guess_format(body).ok()?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png) {
        return None;
    }
    let decoded = super::raster::decode(body, format).ok()?;
    let rgb = decoded.image.into_rgb8();
    let size = Size::new(rgb.width() as usize, rgb.height() as usize);
    Picture::from_data(size, 3, rgb.into_raw()).ok()
}

/// Where in the visible picture the thermal one lies.
struct View {
    /// The visible camera sees so many times as much, on each axis.
    wider: f64,
    /// From the middle of the visible picture, in its pixels.
    offset: (i64, i64),
}

impl View {
    fn read(bytes: &[u8]) -> Option<Self> {
        [false, true].into_iter().find_map(|big_endian| {
            let part = Part { bytes, big_endian };
            let wider = part.f64(0).filter(|wider| (1.0..8.0).contains(wider))?;
            let offset = |at| part.u16(at).map(|v| i64::from(v as i16));
            Some(Self {
                wider,
                offset: (offset(4)?, offset(6)?),
            })
        })
    }

    /// The part of the visible picture that the thermal camera sees, as far as it is there.
    fn cut(&self, picture: &Picture) -> Picture {
        let range = |full: usize, offset: i64| {
            let length = ((full as f64 / self.wider).round() as usize).clamp(1, full);
            let start = (full - length) as i64 / 2 + offset;
            (start.clamp(0, (full - length) as i64) as usize, length)
        };
        let (left, width) = range(picture.width(), self.offset.0);
        let (top, height) = range(picture.height(), self.offset.1);
        let mut out = Picture::new(Size::new(width, height), picture.channels());
        for y in 0..height {
            let row = &picture.row(top + y)[left * picture.channels()..];
            let length = out.row(y).len();
            out.row_mut(y).copy_from_slice(&row[..length]);
        }
        out
    }
}

/// What turns counts into temperatures.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Constants {
    r1: f64,
    r2: f64,
    b: f64,
    f: f64,
    o: f64,
    emissivity: f64,
    /// Of what the object reflects, and of the air, in kelvins.
    reflected: f64,
    air: f64,
    /// Part of the light that passes the air.
    transmission: f64,
}

impl Constants {
    fn read(bytes: &[u8]) -> Option<Self> {
        let part = Part::new(bytes);
        let kelvin = |at| part.f64(at).filter(|k| (150.0..2000.0).contains(k));
        let air = kelvin(0x2c).unwrap_or(293.15);
        let distance = part.f64(0x24)?.clamp(0.0, 10_000.0);
        // A part of 1, or a percentage.
        let humidity = match part.f64(0x3c)?.clamp(0.0, 100.0) {
            part if part <= 1.0 => part,
            percent => percent / 100.0,
        };
        let pairs = [
            [part.f64(0x70)?, part.f64(0x78)?],
            [part.f64(0x74)?, part.f64(0x7c)?],
        ];
        let x = part.f64(0x80)?;
        let celsius = air + f64::from(ZERO_KELVIN);
        let water = humidity
            * (1.5587 + 0.06939 * celsius - 2.7816e-4 * celsius.powi(2)
                + 6.8455e-7 * celsius.powi(3))
            .exp();
        let passes = pairs.map(|[a, b]| (-distance.sqrt() * (a + b * water.sqrt())).exp());
        let transmission = x * passes[0] + (1.0 - x) * passes[1];
        let constants = Self {
            r1: part.f64(0x58)?,
            b: part.f64(0x5c)?,
            f: part.f64(0x60)?,
            o: f64::from(part.u32(0x308)? as i32),
            r2: part.f64(0x30c)?,
            emissivity: part
                .f64(0x20)
                .filter(|e| (0.01..=1.0).contains(e))
                .unwrap_or(1.0),
            reflected: kelvin(0x28).unwrap_or(air),
            air,
            transmission: match transmission.is_finite() {
                true => transmission.clamp(0.05, 1.0),
                false => 1.0,
            },
        };
        (constants.r1 > 0.0 && constants.r2 != 0.0 && constants.b > 0.0).then_some(constants)
    }

    /// The counts of a black body.
    fn counts_of(&self, kelvin: f64) -> f64 {
        self.r1 / (self.r2 * ((self.b / kelvin).exp() - self.f)) - self.o
    }

    fn kelvin_of(&self, count: f64) -> f64 {
        let passed = self.emissivity * self.transmission;
        let reflected = (1.0 - self.emissivity) / self.emissivity * self.counts_of(self.reflected);
        let air = (1.0 - self.transmission) / passed * self.counts_of(self.air);
        let object = count / passed - reflected - air;
        self.b / (self.r1 / (self.r2 * (object + self.o)) + self.f).ln()
    }

    fn apply(&self, size: Size, data: &[u16]) -> RawGrey {
        let kelvins: Vec<f64> = (0..=u16::MAX)
            .map(|c| self.kelvin_of(f64::from(c)))
            .collect();
        let of = |count: &u16| kelvins[usize::from(*count)];
        // Beyond the curve's ends there is no temperature.
        let missing: Vec<bool> = data
            .iter()
            .map(|c| of(c).is_nan() || of(c) <= 0.0)
            .collect();
        RawGrey {
            counts: Counts {
                size,
                data: data.iter().map(|c| (of(c) / STEP).round() as u16).collect(),
                kelvin: Some(STEP as f32),
            },
            missing: match missing.contains(&true) {
                true => missing,
                false => Vec::new(),
            },
            linear: (1.0, 0.0),
            read_as: Some(format!(
                "FLIR raw counts by the camera's Planck constants, emissivity {:.2}, transmission {:.3}",
                self.emissivity, self.transmission
            )),
        }
    }
}

#[cfg(test)]
#[path = "flir_tests.rs"]
mod tests;
