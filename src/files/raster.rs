//! PNG, JPEG, BMP, WebP, GIF and PNM, by the image crate.
//!
//! Input: bytes. Output: [`Loaded`]. Thread: any. Blocks: never. Fails when: [`Fault`]. Not its job: TIFF.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat};

use super::error::Fault;
use super::loaded::{Content, Loaded, RawGrey};
use super::upright::{TRANSPARENT, over_black, upright, upright_size};
use super::{MAX_AREA, MAX_SIDE, checked_size, flir, guard, jpeg};
use crate::frame::{Picture, Size};

/// What the decoder gives.
pub struct Decoded {
    pub image: DynamicImage,
    orientation: Orientation,
    profile: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
}

/// Reads a file of a format.
pub fn load(bytes: &[u8], format: ImageFormat) -> Result<Loaded, Fault> {
    let mut notes = Vec::new();
    if format == ImageFormat::Jpeg {
        let about = jpeg::about(bytes)?;
        if !about.flir.is_empty() {
            match flir::read(&about.flir) {
                Ok(record) => return Ok(of_flir(record)),
                Err(_) => notes.push(FLIR_UNREAD.to_owned()),
            }
        }
        notes.extend(about.note);
    }
    let decoded = match format {
        ImageFormat::Jpeg => decode_jpeg(bytes, &mut notes)?,
        _ => decode(bytes, format)?,
    };
    let Decoded {
        image,
        orientation,
        profile,
        mut exif,
    } = decoded;
    let content = content(image, &mut notes)?;
    if let Some(exif) = &mut exif {
        let _ = Orientation::remove_from_exif_chunk(exif);
    }
    Ok(Loaded {
        content: upright(content, orientation),
        notes,
        visible: None,
        profile,
        exif,
    })
}

const FLIR_UNREAD: &str = "it has a FLIR record that cannot be read, so its preview is used, with whatever is drawn on it";

/// A record's counts and visible picture.
pub fn of_flir(record: flir::Record) -> Loaded {
    Loaded {
        notes: vec![record.note],
        visible: record.visible,
        ..Loaded::of(Content::Counts(record.raw))
    }
}

/// The size once upright, by the header.
pub fn size(bytes: &[u8], format: ImageFormat) -> Result<Size, Fault> {
    if format == ImageFormat::Jpeg {
        jpeg::about(bytes)?;
    }
    let mut decoder = open(bytes, format)?;
    let (width, height) = decoder.dimensions();
    let size = checked_size(width.into(), height.into())?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok(upright_size(size, orientation))
}

fn open(bytes: &[u8], format: ImageFormat) -> Result<impl ImageDecoder + '_, Fault> {
    image::ImageReader::with_format(Cursor::new(bytes), format)
        .into_decoder()
        .map_err(failed)
}

fn failed(error: ImageError) -> Fault {
    match error {
        ImageError::Limits(_) => Fault::TooLarge("by its header".to_owned()),
        ImageError::Unsupported(what) => {
            Fault::unsupported(format!("a picture of a rare kind ({what})"))
        }
        other => Fault::Damaged(other.to_string()),
    }
}

/// Decodes within the limits.
pub fn decode(bytes: &[u8], format: ImageFormat) -> Result<Decoded, Fault> {
    let mut decoder = open(bytes, format)?;
    let (width, height) = decoder.dimensions();
    checked_size(width.into(), height.into())?;
    // The pixels, the decoder's own planes, and a copy without alpha or upright.
    let needed = decoder.total_bytes().saturating_mul(3);
    if !guard::has_memory(needed) {
        return Err(Fault::Memory(needed));
    }
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    // 16-bit RGBA at the largest area.
    limits.max_alloc = Some(MAX_AREA * 8);
    decoder.set_limits(limits).map_err(failed)?;
    // Odd metadata is no reason to refuse a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or_default();
    let exif = decoder.exif_metadata().unwrap_or_default();
    Ok(Decoded {
        image: DynamicImage::from_decoder(decoder).map_err(failed)?,
        orientation,
        profile,
        exif,
    })
}

/// A JPEG without its end marker may be whole nevertheless.
fn decode_jpeg(bytes: &[u8], notes: &mut Vec<String>) -> Result<Decoded, Fault> {
    let Err(reason) = crate::jpeg::check(bytes) else {
        return decode(bytes, ImageFormat::Jpeg);
    };
    // The decoder fills what is missing with whatever comes, and says nothing.
    let [one, other] = jpeg::endings(bytes);
    let damaged = |_| Fault::Damaged(reason.to_owned());
    let one = decode(&one, ImageFormat::Jpeg).map_err(damaged)?;
    let other = decode(&other, ImageFormat::Jpeg).map_err(damaged)?;
    if one.image != other.image {
        return Err(Fault::Damaged(reason.to_owned()));
    }
    notes.push("its end marker is missing, but its picture is whole".to_owned());
    Ok(one)
}

fn content(image: DynamicImage, notes: &mut Vec<String>) -> Result<Content, Fault> {
    let size = Size::new(image.width() as usize, image.height() as usize);
    let mut seen = |any: bool| notes.extend(any.then(|| TRANSPARENT.to_owned()));
    let counts = |size, data| Content::Counts(RawGrey::of(size, data));
    let (channels, data) = match image {
        DynamicImage::ImageLuma8(grey) => (1, grey.into_raw()),
        DynamicImage::ImageRgb8(rgb) => (3, rgb.into_raw()),
        DynamicImage::ImageLumaA8(grey) => {
            let (data, any) = over_black(grey.as_raw(), 2, 255);
            seen(any);
            (1, data)
        }
        DynamicImage::ImageRgba8(rgba) => {
            let (data, any) = over_black(rgba.as_raw(), 4, 255);
            seen(any);
            (3, data)
        }
        DynamicImage::ImageLuma16(grey) => return Ok(counts(size, grey.into_raw())),
        DynamicImage::ImageLumaA16(grey) => {
            let (data, any) = over_black(grey.as_raw(), 2, 65_535);
            seen(any);
            return Ok(counts(size, data));
        }
        DynamicImage::ImageRgb16(rgb) => (3, high_bytes(rgb.as_raw())),
        DynamicImage::ImageRgba16(rgba) => {
            let (data, any) = over_black(rgba.as_raw(), 4, 65_535);
            seen(any);
            (3, high_bytes(&data))
        }
        other => (3, other.into_rgb8().into_raw()),
    };
    let picture = Picture::from_data(size, channels, data);
    picture
        .map(Content::Picture)
        .map_err(|mismatch| Fault::Damaged(mismatch.to_string()))
}

fn high_bytes(samples: &[u16]) -> Vec<u8> {
    samples.iter().map(|v| (v >> 8) as u8).collect()
}
