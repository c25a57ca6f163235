//! One frame from a picture file.
//!
//! Input: a path. Output: a [`Frame`], with counts where the file has 16 bits. Thread: acquire.
//! Blocks: file reads. Fails when: the file cannot be used ([`AcquireError::File`]).
//! Not its job: time, order of play; formats (see [`crate::files`]).

use std::path::Path;

use image::DynamicImage;

use super::intake::Intake;
use super::{AcquireError, refused};
use crate::files::read_image;
use crate::frame::{Counts, Frame, Picture, Size, SizeMismatch};

/// Reads a picture: 8-bit grey or RGB, 16-bit grey as counts; `intake` cleans it and maps counts to grey.
/// Transparency is dropped.
///
/// # Errors
/// [`AcquireError::File`]: missing, not a picture, cut, too large.
pub fn read_frame(path: &Path, intake: &mut Intake, frame: &mut Frame) -> Result<(), AcquireError> {
    let decoded = read_image(path)?;
    let size = Size::new(decoded.width() as usize, decoded.height() as usize);
    let kept = match decoded {
        DynamicImage::ImageLuma16(_) | DynamicImage::ImageLumaA16(_) => {
            let data = decoded.into_luma16().into_raw();
            frame.counts = Some(Counts {
                size,
                data,
                kelvin: None,
            });
            intake.take(frame);
            return Ok(());
        }
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLumaA8(_) => {
            Picture::from_data(size, 1, decoded.into_luma8().into_raw())
        }
        _ => Picture::from_data(size, 3, decoded.into_rgb8().into_raw()),
    };
    frame.counts = None;
    frame.picture = kept.map_err(|e: SizeMismatch| refused(path, e.to_string()))?;
    intake.take(frame);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acquire::Role;
    use crate::config::CleanConfig;

    fn load(path: &Path) -> Result<Frame, AcquireError> {
        let mut frame = Frame::new(Size::new(0, 0), 1, false);
        read_frame(path, &mut intake(), &mut frame)?;
        Ok(frame)
    }

    fn intake() -> Intake {
        Intake::new(
            Role::Infrared,
            &CleanConfig::default(),
            Size::new(30, 20),
            crate::acquire::range::RangeConfig::default(),
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
            let frame = load(&path).unwrap();
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
        assert_eq!(load(&path).unwrap().picture.data(), [9, 8, 7]);
        let path = folder.path().join("a.bmp");
        image::GrayImage::from_pixel(2, 1, image::Luma([77]))
            .save(&path)
            .unwrap();
        assert_eq!(load(&path).unwrap().picture.size(), Size::new(2, 1));
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
        let error = load(&path).unwrap_err().to_string();
        assert!(error.contains("PNG, JPEG"), "{error}");
        let error = load(&folder.path().join("none.png"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("none.png") && error.contains("not exist"),
            "{error}"
        );
    }
}
