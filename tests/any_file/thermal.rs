//! Rows of the table about thermal files.

use std::fs::File;
use std::path::Path;

use tiff::encoder::{TiffEncoder, colortype};

use crate::scene::{self, HEIGHT, WIDTH, around, person};
use crate::{Fused, apart, data, fused, mean};

/// What befalls the counts of the scene.
type Change<'a> = &'a dyn Fn(&mut [u16]);
/// What writes the scene in another type.
type Writer<'a> = &'a dyn Fn(&mut TiffEncoder<File>);

fn with_visible(file: &Path, more: &[&str]) -> Fused {
    fused(&[file, &data("visible.png")], more)
}

fn contrast(fused: &Fused) -> f64 {
    mean(&fused.luma, person) - mean(&fused.luma, around)
}

fn as_in_the_clean_file(found: &Fused, clean: f64) {
    let found = contrast(found);
    assert!(
        (found / clean - 1.0).abs() <= 0.05,
        "{found} against {clean}"
    );
}

#[test]
fn dead_pixels_rows_and_columns_take_no_contrast() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, change: &dyn Fn(&mut [u16])| {
        with_visible(&scene::file(folder.path(), name, change), &[])
    };
    let clean = contrast(&of("clean.tif", &|_| {}));
    assert!(clean > 60.0, "{clean}");
    let at = |x: u32, y: u32| (y * WIDTH + x) as usize;
    let cases: [(&str, Change); 6] = [
        ("cold", &|d| d[at(31, 40)] = 0),
        ("both", &|d| (d[at(31, 40)], d[at(200, 7)]) = (0, 65_535)),
        ("row", &|d| d[at(0, 77)..at(0, 78)].fill(0)),
        ("hot row", &|d| d[at(0, 9)..at(0, 10)].fill(65_535)),
        ("column", &|d| {
            (0..HEIGHT).for_each(|y| d[at(300, y)] = 31_800)
        }),
        ("a thousandth", &|d| {
            for i in (0..d.len()).step_by(997) {
                d[i] = if i % 2 == 0 { 0 } else { 65_535 };
            }
        }),
    ];
    for (name, change) in cases {
        let found = of(&format!("{name}.tif"), change);
        as_in_the_clean_file(&found, clean);
        assert!(found.said.contains("filled in"), "{name}: {}", found.said);
    }
}

#[test]
fn a_flat_source_leaves_the_visible_picture_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let visible = image::open(data("visible.png")).unwrap().to_luma8();
    let of_visible = mean(&visible, |_, _| true);
    let closed = scene::file(folder.path(), "closed.tif", |d| d.fill(29_000));
    let closed = with_visible(&closed, &[]);
    let found = mean(&closed.luma, |_, _| true);
    assert!(
        (found - of_visible).abs() < 20.0,
        "{found} against {of_visible}"
    );
    assert!(closed.said.contains("flat"), "{}", closed.said);
    let black = scene::file(folder.path(), "black.tif", |d| d.fill(0));
    let dark = folder.path().join("dark.png");
    image::GrayImage::new(WIDTH, HEIGHT).save(&dark).unwrap();
    for path in [black, dark] {
        let found = with_visible(&path, &[]);
        assert!(found.said.contains("flat"), "{}", found.said);
        let found = mean(&found.luma, |_, _| true);
        assert!(
            (found - of_visible).abs() < 20.0,
            "{found} against {of_visible}"
        );
    }
    for span in [12u32, 5] {
        let noise = scene::file(folder.path(), "noise.tif", |d| {
            for (i, count) in d.iter_mut().enumerate() {
                let random = (i as u32).wrapping_mul(2_654_435_761) >> 16;
                *count = 28_994 + (random % (span + 1)) as u16;
            }
        });
        let noise = with_visible(&noise, &[]);
        assert!(noise.said.contains("flat"), "{}", noise.said);
        let off = noise.luma.as_raw().iter().zip(closed.luma.as_raw());
        let squares = off
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
            .sum::<f64>();
        let sigma = (squares / f64::from(WIDTH * HEIGHT)).sqrt();
        assert!(sigma <= 10.0, "{sigma}");
    }
}

#[test]
fn telemetry_rows_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    for (width, height, rows) in [(160u32, 120u32, 2u32), (80, 60, 3)] {
        let whole = scene::counts();
        let scale = WIDTH / width;
        let mut data: Vec<u16> = (0..width * height)
            .map(|i| whole[((i / width) * scale * WIDTH + (i % width) * scale) as usize])
            .collect();
        let path = folder.path().join("clean.tif");
        let clean = with_visible(&scene::write16(&path, width, height, &data), &[]);
        data.extend((0..width * rows).map(|i| (i * 40_503 % 65_536) as u16));
        let path = folder.path().join("telemetry.tif");
        let found = with_visible(&scene::write16(&path, width, height + rows, &data), &[]);
        assert!(found.said.contains("telemetry"), "{}", found.said);
        assert_eq!(apart(&found.luma, &clean.luma), 0.0);
    }
}

#[test]
fn temperatures_are_read_in_every_type_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let clean = contrast(&with_visible(
        &scene::file(folder.path(), "c.tif", |_| {}),
        &[],
    ));
    let path = folder.path().join("t.tif");
    let writers: [(&str, Writer); 6] = [
        ("32-bit floats", &|out| {
            out.write_image::<colortype::Gray32Float>(WIDTH, HEIGHT, &scene::celsius())
                .unwrap();
        }),
        ("32-bit floats", &|out| {
            let mut kelvins: Vec<f32> = scene::celsius().iter().map(|c| c + 273.15).collect();
            (kelvins[77], kelvins[9_000]) = (f32::NAN, f32::INFINITY);
            out.write_image::<colortype::Gray32Float>(WIDTH, HEIGHT, &kelvins)
                .unwrap();
        }),
        ("64-bit floats", &|out| {
            let doubles: Vec<f64> = scene::celsius().into_iter().map(f64::from).collect();
            out.write_image::<colortype::Gray64Float>(WIDTH, HEIGHT, &doubles)
                .unwrap();
        }),
        ("signed 16-bit", &|out| {
            let hundredths: Vec<i16> = scene::celsius()
                .iter()
                .map(|c| (c * 100.0).round() as i16)
                .collect();
            out.write_image::<colortype::GrayI16>(WIDTH, HEIGHT, &hundredths)
                .unwrap();
        }),
        ("32-bit integers, thousandths", &|out| {
            let milli: Vec<u32> = scene::counts()
                .into_iter()
                .map(|c| u32::from(c) * 10)
                .collect();
            out.write_image::<colortype::Gray32>(WIDTH, HEIGHT, &milli)
                .unwrap();
        }),
        ("32-bit integers, hundredths", &|out| {
            let centi: Vec<u32> = scene::counts().into_iter().map(u32::from).collect();
            out.write_image::<colortype::Gray32>(WIDTH, HEIGHT, &centi)
                .unwrap();
        }),
    ];
    for (read_as, write) in writers {
        write(&mut TiffEncoder::new(File::create(&path).unwrap()).unwrap());
        let found = with_visible(&path, &[]);
        as_in_the_clean_file(&found, clean);
        let temperatures = &found.report["temperatures"][0];
        let said = temperatures["read_as"].as_str().unwrap();
        assert!(said.contains(read_as), "{said}");
        let highest = temperatures["highest"].as_f64().unwrap();
        assert!((highest - 31.0).abs() < 0.2, "{temperatures}");
        assert_eq!(found.report["temperatures"][1], serde_json::Value::Null);
    }
    // In degrees, and what is beyond is white or black.
    let narrow = with_visible(
        &path,
        &["--range", "18,28", "--engine", "classic", "--clean", "off"],
    );
    let wide = with_visible(
        &path,
        &["--range=-100,300", "--engine", "classic", "--clean", "off"],
    );
    assert!(contrast(&narrow) > 2.0 * contrast(&wide).abs());
}

#[test]
fn a_double_frame_of_a_p2_pro_is_read_as_dump_and_as_picture() {
    let folder = tempfile::tempdir().unwrap();
    let hand = |i: u32| u16::from(i % 256 > 100 && i % 256 < 140) * 12 * 64;
    let words: Vec<u16> = (0..256 * 192u32)
        .map(|i| 0x8000 | (i % 200) as u16)
        .chain((0..256 * 192).map(|i| 18_762 + hand(i)))
        .collect();
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    let dump = folder.path().join("frame.raw");
    std::fs::write(&dump, bytes).unwrap();
    let picture = scene::write16(&folder.path().join("frame.tif"), 256, 384, &words);
    for path in [dump, picture] {
        let found = with_visible(&path, &[]);
        let highest = found.report["temperatures"][0]["highest"].as_f64().unwrap();
        assert!((highest - 32.0).abs() < 0.1, "{}", found.report);
        assert!(found.said.contains("double frame"), "{}", found.said);
    }
}

/// A FLIR record of parts: kind, bytes.
fn record(parts: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut record = b"FFF\0".to_vec();
    record.resize(20, 0);
    record.extend(101u32.to_be_bytes());
    record.extend(64u32.to_be_bytes());
    record.extend((parts.len() as u32).to_be_bytes());
    record.resize(64 + 32 * parts.len(), 0);
    for (i, (kind, bytes)) in parts.iter().enumerate() {
        let (at, from) = (64 + 32 * i, record.len() as u32);
        record[at..at + 2].copy_from_slice(&kind.to_be_bytes());
        record[at + 12..at + 16].copy_from_slice(&from.to_be_bytes());
        record[at + 16..at + 20].copy_from_slice(&(bytes.len() as u32).to_be_bytes());
        record.extend_from_slice(bytes);
    }
    record
}

fn raw_part(width: u32, height: u32, counts: &[u16]) -> Vec<u8> {
    let mut raw = vec![2u8, 0];
    raw.extend((width as u16).to_le_bytes());
    raw.extend((height as u16).to_le_bytes());
    raw.resize(32, 0);
    raw.extend(counts.iter().flat_map(|c| c.to_le_bytes()));
    raw
}

/// A record of few bytes, for damage.
pub fn small_record() -> Vec<u8> {
    let counts: Vec<u16> = (0..48 * 36).map(|i| 12_000 + i % 700).collect();
    let camera = (0..0x400u32).map(|i| (i * 37) as u8).collect();
    record(&[(1, raw_part(48, 36, &counts)), (32, camera)])
}

/// A JPEG with a FLIR record in several segments: counts of the scene, and a visible picture.
fn flir(path: &Path, with_visible: bool) {
    let counts: Vec<u16> = scene::counts().iter().map(|c| c - 16_000).collect();
    let mut parts = vec![(1u16, raw_part(WIDTH, HEIGHT, &counts))];
    if with_visible {
        let mut embedded = vec![0; 32];
        let mut jpeg = std::io::Cursor::new(Vec::new());
        let visible = image::open(data("visible.png")).unwrap();
        visible
            .write_to(&mut jpeg, image::ImageFormat::Jpeg)
            .unwrap();
        embedded.extend(jpeg.into_inner());
        parts.push((14, embedded));
    }
    let record = record(&parts);
    let preview =
        image::RgbImage::from_fn(640, 480, |x, _| image::Rgb([x as u8, 0, 255 - x as u8]));
    let mut jpeg = std::io::Cursor::new(Vec::new());
    preview
        .write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .unwrap();
    let jpeg = jpeg.into_inner();
    let mut file = jpeg[..2].to_vec();
    let chunks: Vec<&[u8]> = record.chunks(60_000).collect();
    for (number, chunk) in chunks.iter().enumerate() {
        file.extend([0xff, 0xe1]);
        file.extend((chunk.len() as u16 + 10).to_be_bytes());
        file.extend(b"FLIR\0\x01");
        file.extend([number as u8, chunks.len() as u8 - 1]);
        file.extend_from_slice(chunk);
    }
    file.extend_from_slice(&jpeg[2..]);
    std::fs::write(path, file).unwrap();
}

#[test]
fn the_record_of_a_flir_picture_is_used_and_not_its_preview() {
    let folder = tempfile::tempdir().unwrap();
    let clean = scene::file(folder.path(), "clean.tif", |d| {
        d.iter_mut().for_each(|c| *c -= 16_000)
    });
    let clean = contrast(&with_visible(&clean, &[]));
    let path = folder.path().join("flir.jpg");
    flir(&path, false);
    let found = with_visible(&path, &[]);
    as_in_the_clean_file(&found, clean);
    assert!(found.said.contains("raw thermal record"), "{}", found.said);
    let alone = crate::refused(&[&path], &[]);
    assert!(alone.contains("name source B"), "{alone}");
    flir(&path, true);
    let both = fused(&[&path], &[]);
    as_in_the_clean_file(&both, clean);
    assert_eq!(both.rgb.dimensions(), (320, 240));
    assert!(
        both.rgb.pixels().any(|p| p[0].abs_diff(p[2]) > 60),
        "its colours are the visible picture's"
    );
}

#[test]
fn hot_may_be_dark_and_a_calibration_lays_a_over_b() {
    let folder = tempfile::tempdir().unwrap();
    let inverted: Vec<u8> = (0..WIDTH * HEIGHT)
        .map(|i| {
            if person(i % WIDTH, i / WIDTH) {
                20
            } else {
                190
            }
        })
        .collect();
    let path = folder.path().join("a.png");
    image::GrayImage::from_raw(WIDTH, HEIGHT, inverted)
        .unwrap()
        .save(&path)
        .unwrap();
    let as_it_is = with_visible(&path, &[]);
    let turned = with_visible(&path, &["--black-hot"]);
    assert!(contrast(&turned) > 60.0 && contrast(&as_it_is) < 0.0);
    // A sees the middle of B's view only; the rest of the result is B.
    let calibration = folder.path().join("c.toml");
    let text = "homography = [2.0, 0.0, -160.0, 0.0, 2.0, -120.0, 0.0, 0.0, 1.0]\n\
                [visible]\nwidth = 320\nheight = 240\n[infrared]\nwidth = 320\nheight = 240\n";
    std::fs::write(&calibration, text).unwrap();
    let option = [
        "--calibration",
        calibration.to_str().unwrap(),
        "--black-hot",
    ];
    let found = with_visible(&path, &option);
    // The person stands at (220, 100) of A, so at (190, 110) of B.
    let there = mean(&found.luma, |x, y| {
        x.abs_diff(190) < 4 && y.abs_diff(110) < 15
    });
    assert!(there > 200.0, "{there}");
    let visible = image::open(data("visible.png")).unwrap().to_luma8();
    let beyond = |x: u32, y: u32| x < 60 && y < 200;
    assert!((mean(&found.luma, beyond) - mean(&visible, beyond)).abs() < 1.0);
}
