//! One frame from a picture file.
//!
//! Input: a path. Output: a [`Frame`], with counts where the file has more than 8 bits of grey. Thread: acquire.
//! Blocks: file reads. Fails when: the file cannot be used ([`AcquireError::File`]).
//! Not its job: time, order of play; formats (see [`crate::files`]).

use std::path::Path;

use super::AcquireError;
use super::intake::Intake;
use crate::files::{Content, load};
use crate::frame::Frame;

/// Reads a picture: 8-bit grey or RGB, or counts, whose dead pixels are filled in; `intake` cleans it and maps
/// counts to grey. What was special about the file, in words.
///
/// # Errors
/// [`AcquireError::File`]: missing, not a picture, cut, too large.
pub fn read_frame(
    path: &Path,
    intake: &mut Intake,
    frame: &mut Frame,
) -> Result<Vec<String>, AcquireError> {
    let mut loaded = load(path)?;
    frame.counts = None;
    match loaded.content {
        Content::Picture(picture) => frame.picture = picture,
        Content::Counts(mut raw) => {
            let defects = raw.mend().words();
            loaded
                .notes
                .extend(defects.map(|d| format!("filled in: {d}")));
            intake.fit(&raw.counts);
            frame.counts = Some(raw.counts);
        }
    }
    intake.take(frame);
    Ok(loaded.notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acquire::Role;
    use crate::config::CleanConfig;
    use crate::frame::Size;

    fn load_frame(path: &Path) -> Result<Frame, AcquireError> {
        let mut frame = Frame::new(Size::new(0, 0), 1, false);
        read_frame(path, &mut intake(), &mut frame)?;
        Ok(frame)
    }

    fn intake() -> Intake {
        Intake::new(
            Role::Infrared,
            &CleanConfig::default(),
            Size::new(30, 20),
            crate::range::RangeConfig::default(),
        )
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
        // Three of 255 parts are seen.
        assert_eq!(load_frame(&path).unwrap().picture.data(), [0, 0, 0]);
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
            read_frame(&path, &mut intake(), &mut frame).unwrap();
            for length in [0, 1, 30, bytes.len() / 2, bytes.len() * 9 / 10] {
                std::fs::write(&path, &bytes[..length]).unwrap();
                let error = read_frame(&path, &mut intake(), &mut frame)
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
            error.contains("none.png") && error.contains("not exist"),
            "{error}"
        );
    }
}
