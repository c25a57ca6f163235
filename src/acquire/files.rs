//! Pictures in files: reading one, and pairing two folders by file stem.
//!
//! Input: paths. Output: [`Frame`]s, [`FilePair`]s. Thread: any but the fuse thread. Blocks: file
//! reads. Allocates: yes. Fails when: a file is missing, unknown or cut ([`AcquireError::Source`]
//! with the file and the reason). Not its job: time, order of play.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, ImageReader};

use super::AcquireError;
use super::range::{RangeConfig, RangeMapper};
use super::unpack::check_jpeg;
use crate::frame::{Counts, Frame, Picture, Size, SizeMismatch};

/// File endings that are taken for pictures.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "tif", "tiff", "bmp"];
/// The largest side that is read, pixels; a header that says more is taken for damage.
const LARGEST: u32 = 16_384;

/// The two pictures of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePair {
    /// File name without its ending, the same on both sides.
    pub stem: String,
    /// Source A.
    pub infrared: PathBuf,
    /// Source B.
    pub visible: PathBuf,
}

pub(super) fn refused(path: &Path, message: impl Into<String>) -> AcquireError {
    AcquireError::Source {
        path: path.to_owned(),
        message: message.into(),
    }
}

/// Reads a picture: 8-bit grey or RGB as it is, 16-bit grey as counts and mapped to grey by
/// `range`; transparency is dropped.
///
/// # Errors
/// [`AcquireError::Source`] with the file and the reason: missing, not a picture, cut, too large.
pub fn read_frame(
    path: &Path,
    range: &mut RangeMapper,
    frame: &mut Frame,
) -> Result<(), AcquireError> {
    let bytes = std::fs::read(path).map_err(|e| refused(path, format!("cannot be read: {e}")))?;
    let decoded = decode(&bytes, path)?;
    let size = Size::new(decoded.width() as usize, decoded.height() as usize);
    let kept = match decoded {
        DynamicImage::ImageLuma16(_) | DynamicImage::ImageLumaA16(_) => {
            let data = decoded.into_luma16().into_raw();
            frame.picture.reshape(size, 1);
            range.map(&data, frame.picture.data_mut());
            frame.counts = Some(Counts { size, data });
            return Ok(());
        }
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLumaA8(_) => {
            Picture::from_data(size, 1, decoded.into_luma8().into_raw())
        }
        _ => Picture::from_data(size, 3, decoded.into_rgb8().into_raw()),
    };
    frame.counts = None;
    frame.picture = kept.map_err(|e: SizeMismatch| refused(path, e.to_string()))?;
    Ok(())
}

/// Reads a single picture on its own; see [`read_frame`].
///
/// # Errors
/// As [`read_frame`].
pub fn load_frame(path: &Path) -> Result<Frame, AcquireError> {
    let mut frame = Frame::new(Size::new(0, 0), 1, false);
    read_frame(
        path,
        &mut RangeMapper::new(RangeConfig::default()),
        &mut frame,
    )?;
    Ok(frame)
}

fn decode(bytes: &[u8], path: &Path) -> Result<DynamicImage, AcquireError> {
    if bytes.is_empty() {
        return Err(refused(path, "the file is empty"));
    }
    let mut reader = reader(bytes, path)?;
    if reader.format() == Some(ImageFormat::Jpeg) {
        check_jpeg(bytes).map_err(|reason| {
            refused(
                path,
                format!(
                    "{} bytes are not a whole JPEG picture: {reason}",
                    bytes.len()
                ),
            )
        })?;
    }
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(LARGEST);
    limits.max_image_height = Some(LARGEST);
    reader.limits(limits);
    let decoded = reader.decode().map_err(|e| {
        refused(
            path,
            format!("cannot be decoded, it may be cut or damaged: {e}"),
        )
    })?;
    if decoded.width() == 0 || decoded.height() == 0 {
        return Err(refused(path, "the picture has no pixels"));
    }
    Ok(decoded)
}

/// A reader of the format that the first bytes say, whatever the file is called.
fn reader<'a>(bytes: &'a [u8], path: &Path) -> Result<ImageReader<Cursor<&'a [u8]>>, AcquireError> {
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| refused(path, format!("cannot be read: {e}")))?;
    if reader.format().is_none() {
        let known = "it does not begin like a PNG, JPEG, TIFF or BMP picture";
        return Err(refused(path, known));
    }
    Ok(reader)
}

/// The size that a picture's header says.
///
/// # Errors
/// As [`read_frame`], without reading beyond the header.
pub fn read_size(path: &Path) -> Result<Size, AcquireError> {
    let reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|e| refused(path, format!("cannot be read: {e}")))?;
    let (width, height) = reader
        .into_dimensions()
        .map_err(|e| refused(path, format!("its header cannot be read: {e}")))?;
    if width == 0 || height == 0 || width > LARGEST || height > LARGEST {
        let message = format!("its header says {width}x{height}; 1 to {LARGEST} pixels are read");
        return Err(refused(path, message));
    }
    Ok(Size::new(width as usize, height as usize))
}

/// The pictures of two folders that have the same file stem, in counting order (`2` before `10`).
///
/// # Errors
/// [`AcquireError::Source`] where a folder cannot be read, has no pictures, has two of one stem,
/// or where no stem is common.
pub fn pair_folders(infrared: &Path, visible: &Path) -> Result<Vec<FilePair>, AcquireError> {
    let mut first = pictures(infrared)?;
    let second = pictures(visible)?;
    let (count_a, count_b) = (first.len(), second.len());
    let example =
        |stems: &BTreeMap<String, PathBuf>| stems.keys().next().cloned().unwrap_or_default();
    let names = (example(&first), example(&second));
    let mut pairs: Vec<FilePair> = second
        .into_iter()
        .filter_map(|(stem, visible)| {
            let infrared = first.remove(&stem)?;
            Some(FilePair {
                stem,
                infrared,
                visible,
            })
        })
        .collect();
    if pairs.is_empty() {
        let message = format!(
            "its {count_a} picture(s) and the {count_b} in {} have no file name in common \
             ({:?} here, {:?} there); give both pictures of a pair the same name",
            visible.display(),
            names.0,
            names.1,
        );
        return Err(refused(infrared, message));
    }
    pairs.sort_by(|a, b| counting_order(&a.stem, &b.stem));
    Ok(pairs)
}

/// The pictures of a folder by stem.
fn pictures(folder: &Path) -> Result<BTreeMap<String, PathBuf>, AcquireError> {
    let entries = std::fs::read_dir(folder)
        .map_err(|e| refused(folder, format!("is not a folder that can be read: {e}")))?;
    let mut found = BTreeMap::new();
    let mut others = 0;
    for entry in entries {
        let path = entry
            .map_err(|e| refused(folder, format!("cannot be listed: {e}")))?
            .path();
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        if !ENDINGS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(ending))
            || path.is_dir()
        {
            others += 1;
            continue;
        }
        let Some(stem) = path.file_stem().and_then(|s| s.to_str()).map(str::to_owned) else {
            others += 1;
            continue;
        };
        if let Some(twin) = found.insert(stem, path.clone()) {
            let message = format!("has the same name as {}; remove one", twin.display());
            return Err(refused(&path, message));
        }
    }
    if found.is_empty() {
        let message = format!(
            "has no pictures ({others} other entries); put in {} files",
            ENDINGS.join(", ")
        );
        return Err(refused(folder, message));
    }
    Ok(found)
}

/// Compares names so that runs of digits count as numbers.
pub fn counting_order(a: &str, b: &str) -> std::cmp::Ordering {
    let (mut x, mut y) = (a, b);
    loop {
        let ((da, ra), (db, rb)) = (split_digits(x), split_digits(y));
        if !da.is_empty() && !db.is_empty() {
            let value = |d: &str| {
                (
                    d.trim_start_matches('0').len(),
                    d.trim_start_matches('0').to_owned(),
                )
            };
            let order = value(da).cmp(&value(db));
            if order.is_ne() {
                return order;
            }
            (x, y) = (ra, rb);
            continue;
        }
        match (x.chars().next(), y.chars().next()) {
            // Equal but for leading zeros: any fixed order will do.
            (None, None) => return a.cmp(b),
            (p, q) if p != q => return p.cmp(&q),
            (p, _) => {
                let length = p.map_or(0, char::len_utf8);
                (x, y) = (&x[length..], &y[length..]);
            }
        }
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range() -> RangeMapper {
        RangeMapper::new(RangeConfig::default())
    }

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["b10", "b9", "b010x", "a", "b9a", "", "é2", "é10", "b09"];
        names.sort_by(|a, b| counting_order(a, b));
        assert_eq!(
            names,
            ["", "a", "b09", "b9", "b9a", "b10", "b010x", "é2", "é10"]
        );
    }

    proptest! {
        #[test]
        fn counting_order_is_an_order(mut names in proptest::collection::vec("[a-b0-2é]{0,5}", 3)) {
            names.sort_by(|a, b| counting_order(a, b));
            prop_assert!(counting_order(&names[0], &names[2]).is_le());
            prop_assert_eq!(
                counting_order(&names[0], &names[1]),
                counting_order(&names[1], &names[0]).reverse()
            );
            prop_assert_eq!(counting_order(&names[0], &names[1]).is_eq(), names[0] == names[1]);
        }
    }

    #[test]
    fn sixteen_bits_come_as_counts_and_grey() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "a.tiff"] {
            let path = folder.path().join(name);
            let data: Vec<u16> = (0..600).map(|i| 29_000 + i * 3).collect();
            image::ImageBuffer::<image::Luma<u16>, _>::from_raw(30, 20, data.clone())
                .unwrap()
                .save(&path)
                .unwrap();
            let frame = load_frame(&path).unwrap();
            assert_eq!(frame.counts.as_ref().unwrap().data, data);
            assert_eq!(
                (frame.picture.channels(), frame.picture.size()),
                (1, Size::new(30, 20))
            );
            assert!(frame.picture.data()[599] > 240 && frame.picture.data()[0] < 10);
        }
    }

    #[test]
    fn colour_grey_and_transparency_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        image::RgbaImage::from_pixel(1, 1, image::Rgba([9, 8, 7, 3]))
            .save(&path)
            .unwrap();
        assert_eq!(load_frame(&path).unwrap().picture.data(), [9, 8, 7]);
        let path = folder.path().join("a.bmp");
        image::GrayImage::from_pixel(2, 1, image::Luma([77]))
            .save(&path)
            .unwrap();
        assert_eq!(load_frame(&path).unwrap().picture.size(), Size::new(2, 1));
    }

    #[test]
    fn damaged_files_are_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let noise = image::RgbImage::from_fn(64, 48, |x, y| {
            image::Rgb([(x * 7 + y * 31) as u8, (x * y) as u8, 9])
        });
        let mut frame = Frame::new(Size::new(1, 1), 1, false);
        for name in ["a.jpg", "a.png", "a.tif", "a.bmp"] {
            let path = folder.path().join(name);
            noise.save(&path).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            read_frame(&path, &mut range(), &mut frame).unwrap();
            for length in [0, 1, 30, bytes.len() / 2, bytes.len() * 9 / 10] {
                std::fs::write(&path, &bytes[..length]).unwrap();
                let error = read_frame(&path, &mut range(), &mut frame)
                    .unwrap_err()
                    .to_string();
                assert!(error.contains(name), "{error}");
            }
        }
        let path = folder.path().join("b.png");
        std::fs::write(&path, "not a picture").unwrap();
        let error = load_frame(&path).unwrap_err().to_string();
        assert!(error.contains("PNG, JPEG"), "{error}");
        let error = load_frame(&folder.path().join("none.png"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("none.png") && error.contains("No such file"),
            "{error}"
        );
    }

    #[test]
    fn folders_without_pairs_are_refused_with_both_counts() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let refuse = || pair_folders(a.path(), b.path()).unwrap_err().to_string();
        std::fs::write(a.path().join("readme.txt"), "").unwrap();
        assert!(refuse().contains("no pictures (1 other"), "{}", refuse());
        for i in 0..3 {
            std::fs::write(a.path().join(format!("ir{i}.PNG")), "").unwrap();
        }
        std::fs::write(b.path().join("vis0.jpg"), "").unwrap();
        let text = refuse();
        assert!(
            text.contains("3 picture(s)") && text.contains("the 1 in"),
            "{text}"
        );
        assert!(text.contains("ir0") && text.contains("vis0"), "{text}");
        std::fs::write(b.path().join("ir2.bmp"), "").unwrap();
        assert_eq!(pair_folders(a.path(), b.path()).unwrap().len(), 1);
        std::fs::write(b.path().join("ir2.png"), "").unwrap();
        assert!(refuse().contains("same name"), "{}", refuse());
        assert!(pair_folders(Path::new("/nowhere"), b.path()).is_err());
    }
}
