use super::*;

/// A record of parts: kind, bytes.
fn record(parts: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut out = b"FFF\0".to_vec();
    out.resize(20, 0);
    out.extend(101u32.to_be_bytes());
    out.extend(64u32.to_be_bytes());
    out.extend((parts.len() as u32).to_be_bytes());
    out.resize(64 + 32 * parts.len(), 0);
    for (i, (kind, bytes)) in parts.iter().enumerate() {
        let (at, from) = (64 + 32 * i, out.len() as u32);
        out[at..at + 2].copy_from_slice(&kind.to_be_bytes());
        out[at + 12..at + 16].copy_from_slice(&from.to_be_bytes());
        out[at + 16..at + 20].copy_from_slice(&(bytes.len() as u32).to_be_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

fn raw_part(size: (u16, u16), counts: &[u16]) -> Vec<u8> {
    let mut out = vec![2, 0];
    out.extend(size.0.to_le_bytes());
    out.extend(size.1.to_le_bytes());
    out.resize(32, 0);
    out.extend(counts.iter().flat_map(|c| c.to_le_bytes()));
    out
}

/// Constants of a usual camera: little-endian floats at their places.
fn camera_part(emissivity: f32) -> Vec<u8> {
    let mut out = vec![0; 0x400];
    out[0] = 2;
    for (at, value) in [
        (0x20, emissivity),
        (0x24, 1.0),
        (0x28, 293.15),
        (0x2c, 293.15),
        (0x3c, 0.5),
        (0x58, 21_106.77),
        (0x5c, 1_501.0),
        (0x60, 1.0),
        (0x70, 0.006_569),
        (0x74, 0.012_62),
        (0x78, -0.002_276),
        (0x7c, -0.006_67),
        (0x80, 1.9),
        (0x30c, 0.012_545_258),
    ] {
        out[at..at + 4].copy_from_slice(&f32::to_le_bytes(value));
    }
    out[0x308..0x30c].copy_from_slice(&(-7_340i32).to_le_bytes());
    out
}

#[test]
fn counts_become_temperatures_by_the_cameras_constants() {
    // There and back.
    let constants = Constants {
        emissivity: 1.0,
        transmission: 1.0,
        ..Constants::read(&camera_part(1.0)).unwrap()
    };
    let celsius = constants.kelvin_of(constants.counts_of(303.15)) + f64::from(ZERO_KELVIN);
    assert!((celsius - 30.0).abs() < 1e-4, "{celsius}");
    // A black body of 20 degrees among things of 20 degrees has no emissivity.
    let grey = Constants::read(&camera_part(0.7)).unwrap();
    let celsius = grey.kelvin_of(grey.counts_of(293.15)) + f64::from(ZERO_KELVIN);
    assert!((celsius - 20.0).abs() < 1e-4, "{celsius}");
    // A hot thing of emissivity 0.7 is hotter than it looks.
    assert!(grey.kelvin_of(grey.counts_of(373.15)) > 380.0);
}

#[test]
fn a_record_is_read_with_and_without_constants() {
    let constants = Constants::read(&camera_part(0.95)).unwrap();
    let counts: Vec<u16> = (0..12)
        .map(|i| constants.counts_of(290.0 + f64::from(i)) as u16)
        .collect();
    let with = read(&record(&[
        (1, raw_part((4, 3), &counts)),
        (32, camera_part(0.95)),
    ]))
    .unwrap();
    let found = with.raw.temperatures().unwrap();
    assert!(
        (found.lowest - 16.8).abs() < 0.5 && (found.highest - 28.0).abs() < 1.2,
        "{found:?}"
    );
    assert!(found.read_as.contains("0.95"));
    let without = read(&record(&[(1, raw_part((4, 3), &counts))])).unwrap();
    assert_eq!(
        (without.raw.counts.data, without.raw.counts.kelvin),
        (counts, None)
    );
}

#[test]
fn a_png_record_has_its_bytes_turned_and_the_visible_picture_is_found() {
    let grey = image::ImageBuffer::<image::Luma<u16>, _>::from_fn(6, 4, |x, y| {
        image::Luma([(12_000 + x as u16 * 10 + y as u16).swap_bytes()])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    grey.write_to(&mut png, ImageFormat::Png).unwrap();
    let mut raw = raw_part((6, 4), &[]);
    raw.extend(png.into_inner());
    let mut embedded = vec![0; 32];
    let rgb = image::RgbImage::from_pixel(8, 6, image::Rgb([200, 30, 30]));
    let mut jpeg = std::io::Cursor::new(Vec::new());
    rgb.write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    embedded.extend(jpeg.into_inner());
    let found = read(&record(&[(1, raw.clone()), (14, embedded.clone())])).unwrap();
    assert_eq!(found.raw.counts.data[7], 12_011);
    assert_eq!(found.visible.unwrap().size(), Size::new(8, 6));
    // The thermal camera sees half of it, to the left.
    let mut view = 2.0f32.to_le_bytes().to_vec();
    view.extend((-2i16).to_le_bytes());
    view.extend(0i16.to_le_bytes());
    let found = read(&record(&[(1, raw), (14, embedded), (42, view)])).unwrap();
    assert_eq!(found.visible.unwrap().size(), Size::new(4, 3));
}

#[test]
fn a_cut_record_is_an_error() {
    let whole = record(&[(1, raw_part((4, 3), &[7; 12]))]);
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
    assert!(read(&whole).is_ok());
}
