//! The fuzz targets' entries on damaged examples, in every test run: each example with bytes
//! flipped, cut out, doubled and replaced. `make fuzz` goes further, guided by coverage.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

#[path = "fuzz/entries.rs"]
mod entries;

use image::ImageFormat;
use proptest::prelude::*;

const CONFIG: &str = include_str!("../board/filmd.toml");
const CALIBRATION: &str = include_str!("../board/calibration-example.toml");
const CONTROL: &str = r#"{"request":"guide","text":"Bring out the people.\n\u00e9"}"#;

/// One way of damaging bytes.
#[derive(Debug, Clone)]
enum Damage {
    Flip(usize, u8),
    Cut(usize, usize),
    Double(usize, usize),
    Replace(usize, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (any::<usize>(), 0..64_usize).prop_map(|(at, n)| Damage::Cut(at, n)),
        (any::<usize>(), 0..64_usize).prop_map(|(at, n)| Damage::Double(at, n)),
        (
            any::<usize>(),
            proptest::collection::vec(any::<u8>(), 0..16)
        )
            .prop_map(|(at, bytes)| Damage::Replace(at, bytes)),
    ]
}

fn apply(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let len = bytes.len().max(1);
        match damage {
            Damage::Flip(at, bits) => {
                if let Some(byte) = bytes.get_mut(at % len) {
                    *byte ^= bits;
                }
            }
            Damage::Cut(at, n) => {
                let start = (at % len).min(bytes.len());
                let end = (start + n).min(bytes.len());
                bytes.drain(start..end);
            }
            Damage::Double(at, n) => {
                let start = (at % len).min(bytes.len());
                let end = (start + n).min(bytes.len());
                bytes.extend_from_within(start..end);
            }
            Damage::Replace(at, new) => {
                let start = (at % len).min(bytes.len());
                let end = (start + new.len()).min(bytes.len());
                bytes.splice(start..end, new.iter().copied());
            }
        }
    }
    bytes
}

fn picture(format: ImageFormat) -> Vec<u8> {
    let rgb = image::RgbImage::from_fn(24, 18, |x, y| image::Rgb([x as u8 * 9, y as u8 * 13, 7]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    rgb.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damaged_configurations(damages in proptest::collection::vec(damage(), 1..6)) {
        entries::config(&apply(CONFIG.into(), &damages));
    }

    #[test]
    fn damaged_calibrations(damages in proptest::collection::vec(damage(), 1..6)) {
        entries::calibration(&apply(CALIBRATION.into(), &damages));
    }

    #[test]
    fn damaged_requests(damages in proptest::collection::vec(damage(), 1..6)) {
        entries::control(&apply(CONTROL.into(), &damages));
    }

    #[test]
    fn damaged_pictures(format in 0..4_usize, damages in proptest::collection::vec(damage(), 1..6)) {
        let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff, ImageFormat::Bmp][format];
        entries::picture(&apply(picture(format), &damages));
    }

    #[test]
    fn any_bytes_on_the_describers_pipe(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        entries::protocol(&bytes);
    }
}

#[test]
fn the_undamaged_examples_are_accepted() {
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
    ] {
        assert!(filmd::files::decodes(&picture(format)));
    }
    let path = std::path::Path::new("example");
    filmd::config::Config::parse(CONFIG, path).unwrap();
    filmd::align::Calibration::parse(CALIBRATION, path).unwrap();
    filmd::control::parse_request(CONTROL.as_bytes()).unwrap();
}
