//! Rows of the table about pictures: kinds, orientation, transparency, windows.

use std::path::Path;

use image::{DynamicImage, ImageFormat};

use crate::{apart, data, fused, mean, refused};

#[test]
fn kinds_of_jpeg_that_are_not_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let jpeg = |name: &str, marker: u8, precision: u8| {
        let path = folder.path().join(name);
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = image::open(data("visible.png")).unwrap();
        picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
        let mut bytes = bytes.into_inner();
        let at = bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        (bytes[at + 1], bytes[at + 4]) = (marker, precision);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    for (path, word) in [
        (data("lossless_sof3.jpg"), "lossless JPEG (SOF3)"),
        (data("arithmetic_sof9.jpg"), "arithmetic-coded JPEG (SOF9)"),
        (jpeg("12.jpg", 0xc1, 12), "12-bit JPEG"),
        (jpeg("10.jpg", 0xca, 8), "arithmetic-coded JPEG (SOF10)"),
        (jpeg("ls.jpg", 0xf7, 8), "JPEG-LS"),
    ] {
        let said = refused(&[&data("visible.png"), &path], &[]);
        assert!(said.contains(word) && said.contains("convert"), "{said}");
        assert!(!said.contains("damaged"), "{said}");
    }
}

#[test]
fn foreign_files_are_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM\x02\0\0\0");
    for (bytes, words) in [
        (&dicom[..], ["DICOM", "medical viewer"]),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", ["HEIC", "convert"]),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", ["AVIF", "convert"]),
        (b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0", ["Canon raw", "develop"]),
        (b"\x93NUMPY\x01\0v\0{'descr'", ["NumPy", "16-bit PNG"]),
        (b"<!DOCTYPE html><html></html>", ["web page", "download"]),
    ] {
        let path = folder.path().join("x.png");
        std::fs::write(&path, bytes).unwrap();
        let said = refused(&[&data("visible.png"), &path], &[]);
        assert!(words.iter().all(|w| said.contains(w)), "{said}");
        assert!(!said.contains("damaged"), "{said}");
    }
}

#[test]
fn a_jpeg_without_its_end_marker_is_whole_or_it_is_not() {
    let visible = data("visible.png");
    let found = fused(&[&visible, &data("no_eoi.jpg")], &[]);
    assert!(
        found.said.contains("end marker is missing"),
        "{}",
        found.said
    );
    let bytes = std::fs::read(data("no_eoi.jpg")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.jpg");
    for cut in [40, 400, bytes.len() / 2] {
        std::fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        let said = refused(&[&visible, &path], &[]);
        assert!(said.contains("damaged or cut short"), "{said}");
    }
}

#[test]
fn what_is_transparent_is_black_and_said() {
    let folder = tempfile::tempdir().unwrap();
    // Hidden magenta, and hidden white in 16 bits.
    let hidden = |x: u32, y: u32| x > 200 && y > 120;
    let eight = image::RgbaImage::from_fn(320, 240, |x, y| match hidden(x, y) {
        true => image::Rgba([255, 0, 255, 0]),
        false => image::Rgba([90, 120, 60, 255]),
    });
    let deep = image::ImageBuffer::from_fn(320, 240, |x, y| match hidden(x, y) {
        true => image::LumaA([65_535u16, 0]),
        false => image::LumaA([30_000, 65_535]),
    });
    for (name, picture) in [
        ("8.png", DynamicImage::ImageRgba8(eight)),
        ("16.png", DynamicImage::ImageLumaA16(deep)),
    ] {
        let path = folder.path().join(name);
        picture.save(&path).unwrap();
        let found = fused(&[&path, &path], &["--task", "mff", "--align", "off"]);
        assert!(found.said.contains("transparent"), "{}", found.said);
        assert!(mean(&found.luma, |x, y| x > 210 && y > 130) < 12.0);
    }
    let pet = fused(
        &[&data("pet_rgba_white_hidden.png"), &data("mri.png")],
        &["--task", "mif"],
    );
    assert!(mean(&pet.luma, |x, y| x < 20 && y < 20) < 8.0);
}

#[test]
fn pictures_are_fused_upright_whatever_the_camera_noted() {
    let upright = fused(
        &[&data("under_upright.jpg"), &data("over_o3.jpg")],
        &["--task", "mef", "--align", "off"],
    );
    assert_eq!(upright.luma.dimensions(), (320, 240));
    for a in ["under.jpg", "under_upright.jpg"] {
        for b in ["over.jpg", "over_o3.jpg", "over_o6.jpg"] {
            let found = fused(&[&data(a), &data(b)], &["--task", "mef", "--align", "off"]);
            let off = apart(&found.luma, &upright.luma);
            assert!(off < 4.0, "{a} {b}: {off}");
        }
    }
}

#[test]
fn webp_gif_pnm_and_bmp_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let rgb = image::open(data("visible.png")).unwrap();
    let expected = fused(&[&data("visible.png"), &data("visible.png")], &[]);
    for name in ["v.webp", "v.ppm", "v.bmp", "v.tif"] {
        let path = folder.path().join(name);
        rgb.save(&path).unwrap();
        // By its content, not by its name.
        let bare = folder.path().join("bare");
        std::fs::rename(&path, &bare).unwrap();
        let found = fused(&[&bare, &bare], &[]);
        assert_eq!(found.rgb, expected.rgb, "{name}");
    }
    let path = folder.path().join("v.gif");
    rgb.save(&path).unwrap();
    fused(&[&path, &data("visible.png")], &[]);
}

#[test]
fn a_lesion_of_30_hounsfield_units_is_seen() {
    let sources = [data("ct16_with_a_lesion.png"), data("mri_of_ct16.png")];
    let sources = [sources[0].as_path(), sources[1].as_path()];
    let ct = image::open(sources[0]).unwrap().to_luma16();
    let plain = {
        // The same CT without its lesion.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plain.png");
        let mut without = ct.clone();
        without
            .pixels_mut()
            .filter(|p| p[0] == 1094)
            .for_each(|p| p[0] = 1064);
        without.save(&path).unwrap();
        fused(&[&path, sources[1]], &["--task", "mif"])
    };
    let seen = |more: &[&str]| {
        let found = fused(&sources, &[&["--task", "mif"], more].concat());
        let lesion = |x: u32, y: u32| ct.get_pixel(x, y)[0] == 1094;
        (
            mean(&found.luma, lesion) - mean(&plain.luma, lesion),
            found.said,
        )
    };
    let (by_default, said) = seen(&[]);
    assert!(by_default > 15.0, "{by_default}");
    assert!(said.contains("--window 1064,80"), "{said}");
    let (wide, said) = seen(&["--window", "1264,2500"]);
    assert!(
        wide.abs() < 15.0 && !said.contains("window"),
        "{wide} {said}"
    );
    // The same in Hounsfield units, which are signed: the window is in the file's own values.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hu.tif");
    let units: Vec<i16> = ct.as_raw().iter().map(|v| *v as i16 - 1024).collect();
    let mut out = tiff::encoder::TiffEncoder::new(std::fs::File::create(&path).unwrap()).unwrap();
    out.write_image::<tiff::encoder::colortype::GrayI16>(256, 256, &units)
        .unwrap();
    let signed = fused(
        &[&path, sources[1]],
        &["--task", "mif", "--window", "40,80"],
    );
    let plain = fused(&sources, &["--task", "mif"]);
    assert_eq!(apart(&signed.luma, &plain.luma), 0.0);
    let said = refused(&sources, &["--window", "1064,80"]);
    assert!(said.contains("--task mif"), "{said}");
}

#[test]
fn colour_profile_and_exif_go_into_the_result() {
    use image::{ImageDecoder, ImageEncoder};
    let folder = tempfile::tempdir().unwrap();
    let mut profile = vec![0u8; 132];
    profile[16..20].copy_from_slice(b"RGB ");
    // One entry: orientation 6, which turns the picture.
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0".to_vec();
    exif.extend([0; 4]);
    let b = folder.path().join("b.png");
    let rgb = image::open(data("visible.png")).unwrap().to_rgb8();
    let mut encoder = image::codecs::png::PngEncoder::new(std::fs::File::create(&b).unwrap());
    encoder.set_icc_profile(profile.clone()).unwrap();
    encoder.set_exif_metadata(exif.clone()).unwrap();
    encoder
        .write_image(&rgb, 320, 240, image::ExtendedColorType::Rgb8)
        .unwrap();
    for name in ["f.png", "f.jpg", "f.tif"] {
        let out = folder.path().join(name);
        let output = crate::filmd()
            .arg("fuse")
            .args([&b, &b])
            .arg("--out")
            .arg(&out)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", crate::said(&output));
        let mut decoder = image::ImageReader::open(&out)
            .unwrap()
            .into_decoder()
            .unwrap();
        assert_eq!(decoder.dimensions(), (240, 320), "{name}");
        assert_eq!(
            decoder.icc_profile().unwrap().as_ref(),
            Some(&profile),
            "{name}"
        );
        assert_eq!(
            decoder.orientation().unwrap(),
            image::metadata::Orientation::NoTransforms
        );
        if name != "f.tif" {
            assert!(decoder.exif_metadata().unwrap().is_some(), "{name}");
        }
    }
}

#[test]
fn tiffs_of_planes_palettes_and_chroma_are_fused() {
    // Each layout is compared pixel by pixel in src/files/tiff/tests.rs; here the way through the program.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("float.tif");
    let rgb: Vec<f32> = image::open(data("visible.png"))
        .unwrap()
        .to_rgb8()
        .as_raw()
        .iter()
        .map(|v| f32::from(*v) / 255.0)
        .collect();
    let mut out =
        tiff::encoder::TiffEncoder::new_big(std::fs::File::create(&path).unwrap()).unwrap();
    out.write_image::<tiff::encoder::colortype::RGB32Float>(320, 240, &rgb)
        .unwrap();
    let found = fused(&[Path::new(&path), &path], &[]);
    let expected = fused(&[&data("visible.png"), &data("visible.png")], &[]);
    assert_eq!(found.rgb, expected.rgb);
}
