use image::{ImageBuffer, Luma, LumaA, Rgb, Rgba};
use proptest::prelude::*;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn pattern(size: Size, channels: usize) -> Picture {
    let mut picture = Picture::new(size, channels);
    for (i, v) in picture.data_mut().iter_mut().enumerate() {
        *v = (i * 37 % 256) as u8;
    }
    picture
}

#[test]
fn lossless_formats_come_back_as_they_went() {
    let dir = folder();
    for channels in [1, 3] {
        let picture = pattern(Size::new(13, 7), channels);
        for name in ["p.png", "p.tif", "p.TIFF", "p.bmp"] {
            let path = dir.path().join(name);
            write_picture(&path, &picture).unwrap();
            let back = read_picture(&path).unwrap();
            assert_eq!(back.size(), picture.size());
            let rgb_of_grey = channels == 1 && back.channels() == 3;
            if rgb_of_grey {
                // BMP keeps grey as a palette.
                let first: Vec<u8> = back.data().chunks_exact(3).map(|p| p[0]).collect();
                assert_eq!(first, picture.data(), "{name}");
            } else {
                assert_eq!(back, picture, "{name}");
            }
        }
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 4, "temporary files were left behind");
}

#[test]
fn a_jpeg_is_told_by_its_content() {
    let dir = folder();
    let picture = Picture::from_data(Size::new(16, 16), 1, vec![77; 256]).unwrap();
    write_picture(&dir.path().join("p.jpg"), &picture).unwrap();
    let path = dir.path().join("p.png");
    std::fs::rename(dir.path().join("p.jpg"), &path).unwrap();
    assert_eq!(read_picture(&path).unwrap(), picture);
}

#[test]
fn every_cut_of_a_file_is_an_error() {
    let dir = folder();
    let picture = pattern(Size::new(24, 20), 3);
    for name in ["p.jpg", "p.png", "p.tif", "p.bmp"] {
        let path = dir.path().join(name);
        write_picture(&path, &picture).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for share in [1, 3, 5, 7, 9] {
            std::fs::write(&path, &bytes[..bytes.len() * share / 10]).unwrap();
            let error = read_picture(&path).unwrap_err();
            assert!(
                matches!(error, FileError::Damaged { .. } | FileError::NotAPicture(_)),
                "{name} {share}/10: {error}"
            );
        }
    }
}

#[test]
fn absent_empty_and_foreign_files_are_told_apart() {
    let dir = folder();
    let path = dir.path().join("p.png");
    assert!(matches!(read_picture(&path), Err(FileError::Absent(_))));
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(read_picture(&path), Err(FileError::Empty(_))));
    std::fs::write(&path, b"a text, not a picture").unwrap();
    assert!(matches!(
        read_picture(&path),
        Err(FileError::NotAPicture(_))
    ));
    assert!(matches!(
        read_picture(dir.path()),
        Err(FileError::Kind { .. })
    ));
}

#[test]
fn a_picture_that_unpacks_to_gigabytes_is_refused_by_its_header() {
    let dir = folder();
    let path = dir.path().join("bomb.png");
    write_picture(&path, &Picture::grey(Size::new(1, 1))).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // IHDR: width and height at 16..24, its checksum at 29..33.
    bytes[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let error = read_picture(&path).unwrap_err();
    assert!(matches!(error, FileError::TooLarge { .. }), "{error}");
    assert!(error.to_string().contains("60000x60000"), "{error}");
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[test]
fn sixteen_bit_grey_is_mapped_and_colour_keeps_its_high_byte() {
    let dir = folder();
    let path = dir.path().join("p.png");
    let counts: ImageBuffer<Luma<u16>, Vec<u16>> =
        ImageBuffer::from_raw(3, 1, vec![28_000, 30_000, 32_000]).unwrap();
    counts.save(&path).unwrap();
    let mapped = read_picture(&path).unwrap();
    let [low, middle, top] = mapped.data() else {
        panic!("three pixels");
    };
    assert!(*low < 3 && (90..166).contains(middle) && *top > 252);
    let high = read_picture_with(&path, Grey16::HighByte).unwrap();
    assert_eq!(high.data(), [109, 117, 125]);
    let rgb: ImageBuffer<Rgb<u16>, Vec<u16>> =
        ImageBuffer::from_raw(1, 1, vec![0x1234, 0xff00, 0x00ff]).unwrap();
    rgb.save(&path).unwrap();
    assert_eq!(read_picture(&path).unwrap().data(), [0x12, 0xff, 0x00]);
}

#[test]
fn transparent_parts_are_black() {
    let dir = folder();
    let path = dir.path().join("p.png");
    let rgba: ImageBuffer<Rgba<u8>, Vec<u8>> =
        ImageBuffer::from_raw(2, 1, vec![9, 8, 7, 0, 3, 2, 1, 255]).unwrap();
    rgba.save(&path).unwrap();
    assert_eq!(read_picture(&path).unwrap().data(), [0, 0, 0, 3, 2, 1]);
    let grey: ImageBuffer<LumaA<u8>, Vec<u8>> = ImageBuffer::from_raw(1, 1, vec![200, 51]).unwrap();
    grey.save(&path).unwrap();
    let back = read_picture(&path).unwrap();
    assert_eq!((back.channels(), back.data()), (1, [40].as_slice()));
}

#[test]
fn writing_says_what_is_wrong_and_leaves_nothing() {
    let dir = folder();
    let picture = Picture::grey(Size::new(2, 2));
    let error = write_picture(&dir.path().join("p.webp"), &picture).unwrap_err();
    assert!(matches!(error, FileError::Extension(_)));
    let error = write_picture(&dir.path().join("none/p.png"), &picture).unwrap_err();
    assert!(matches!(error, FileError::Write { .. }));
    // A folder in the way: the rename fails after the temporary file was made.
    std::fs::create_dir(dir.path().join("q.png")).unwrap();
    std::fs::write(dir.path().join("q.png/full"), b"").unwrap();
    assert!(write_picture(&dir.path().join("q.png"), &picture).is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn flipped_bytes_never_panic(seed: u64, format in 0usize..4) {
        let dir = folder();
        let name = ["p.jpg", "p.png", "p.tif", "p.bmp"][format];
        let path = dir.path().join(name);
        write_picture(&path, &pattern(Size::new(9, 9), 3)).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let mut state = seed | 1;
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 20) as u8;
        }
        std::fs::write(&path, &bytes).unwrap();
        let _ = read_picture(&path);
    }
}
