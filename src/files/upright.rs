//! Pixels as the photographer saw them: turned by EXIF's or TIFF's orientation, and without transparency.

use image::metadata::Orientation;

use super::loaded::Content;
use crate::frame::{Picture, Size};

/// Turns and mirrors a picture, so that it is upright.
pub fn upright(content: Content, orientation: Orientation) -> Content {
    if orientation == Orientation::NoTransforms {
        return content;
    }
    match content {
        Content::Picture(picture) => {
            let channels = picture.channels();
            let (size, data) = turn(picture.size(), channels, picture.data(), orientation);
            match Picture::from_data(size, channels, data) {
                Ok(turned) => Content::Picture(turned),
                Err(_) => Content::Picture(picture),
            }
        }
        Content::Counts(mut raw) => {
            let size = raw.counts.size;
            if !raw.missing.is_empty() {
                raw.missing = turn(size, 1, &raw.missing, orientation).1;
            }
            (raw.counts.size, raw.counts.data) = turn(size, 1, &raw.counts.data, orientation);
            Content::Counts(raw)
        }
    }
}

/// The size of a picture once it is upright.
pub fn upright_size(size: Size, orientation: Orientation) -> Size {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    match orientation {
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => Size::new(size.height, size.width),
        _ => size,
    }
}

fn turn<T: Copy>(
    size: Size,
    channels: usize,
    data: &[T],
    orientation: Orientation,
) -> (Size, Vec<T>) {
    let (w, h) = (size.width, size.height);
    let to = upright_size(size, orientation);
    let mut out = Vec::with_capacity(data.len());
    for y in 0..to.height {
        for x in 0..to.width {
            // Where the upright pixel lies in the file.
            let (u, v) = match orientation {
                Orientation::NoTransforms => (x, y),
                Orientation::FlipHorizontal => (w - 1 - x, y),
                Orientation::Rotate180 => (w - 1 - x, h - 1 - y),
                Orientation::FlipVertical => (x, h - 1 - y),
                Orientation::Rotate90FlipH => (y, x),
                Orientation::Rotate90 => (y, h - 1 - x),
                Orientation::Rotate270FlipH => (w - 1 - y, h - 1 - x),
                Orientation::Rotate270 => (w - 1 - y, x),
            };
            let at = (v * w + u) * channels;
            out.extend_from_slice(&data[at..at + channels]);
        }
    }
    (to, out)
}

/// Takes the alpha channel out of grey (2 channels) or RGB (4): transparent parts become black. Whether any part
/// was transparent. A picture that is transparent everywhere has an alpha channel that nobody filled in.
pub fn over_black<T>(data: &[T], channels: usize, most: u32) -> (Vec<T>, bool)
where
    T: Copy + Into<u32> + TryFrom<u32>,
{
    let colours = channels - 1;
    let mut pixels = data.chunks_exact(channels);
    if pixels.all(|pixel| pixel[colours].into() == 0) {
        let pixels = data.chunks_exact(channels);
        return (
            pixels.flat_map(|p| p[..colours].iter().copied()).collect(),
            false,
        );
    }
    let mut out = Vec::with_capacity(data.len() / channels * colours);
    let mut any = false;
    for pixel in data.chunks_exact(channels) {
        let alpha: u32 = pixel[colours].into();
        if alpha >= most {
            out.extend_from_slice(&pixel[..colours]);
            continue;
        }
        any = true;
        for &value in &pixel[..colours] {
            let seen = (u64::from(value.into()) * u64::from(alpha) + u64::from(most) / 2)
                / u64::from(most);
            // No larger than the value itself.
            out.push(T::try_from(seen as u32).unwrap_or(value));
        }
    }
    (out, any)
}

/// Said of a picture with transparent parts.
pub const TRANSPARENT: &str = "its transparent parts are shown black";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_orientation_is_undone_as_the_image_crate_does() {
        let size = Size::new(3, 2);
        let data: Vec<u8> = (0..18).collect();
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let rgb = image::RgbImage::from_raw(3, 2, data.clone()).unwrap();
            let mut expected = image::DynamicImage::ImageRgb8(rgb);
            expected.apply_orientation(orientation);
            let (to, turned) = turn(size, 3, &data, orientation);
            assert_eq!((to.width as u32, to.height as u32), {
                (expected.width(), expected.height())
            });
            assert_eq!(turned, expected.into_bytes(), "{exif}");
        }
    }

    #[test]
    fn what_is_hidden_stays_hidden() {
        let (rgb, any) = over_black(&[200u8, 100, 50, 0, 200, 100, 50, 255], 4, 255);
        assert_eq!((rgb.as_slice(), any), (&[0, 0, 0, 200, 100, 50][..], true));
        let (grey, any) = over_black(&[40_000u16, 32_768, 9, 65_535], 2, 65_535);
        assert_eq!((grey.as_slice(), any), (&[20_000, 9][..], true));
        assert!(!over_black(&[1u8, 255], 2, 255).1);
        // Some BMPs have a fourth byte that means nothing.
        assert_eq!(
            over_black(&[9u8, 8, 7, 0, 6, 5, 4, 0], 4, 255),
            (vec![9, 8, 7, 6, 5, 4], false)
        );
    }
}
