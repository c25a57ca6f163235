//! Cameras that filmd knows: board/cameras/*.toml, compiled in.
//!
//! Input: those files. Output: [`Profile`]s. Thread: main. Blocks: never. A test parses
//! every file. Not its job: opening cameras.

use serde::Deserialize;

use crate::acquire::Role;
use crate::config::CameraConfig;

const FILES: [&str; 10] = [
    include_str!("../../../board/cameras/lepton-3.5-purethermal.toml"),
    include_str!("../../../board/cameras/lepton-2.5-purethermal.toml"),
    include_str!("../../../board/cameras/boson-640.toml"),
    include_str!("../../../board/cameras/boson-320.toml"),
    include_str!("../../../board/cameras/boson-640-radiometric.toml"),
    include_str!("../../../board/cameras/infiray-p2-pro.toml"),
    include_str!("../../../board/cameras/infiray-ht820.toml"),
    include_str!("../../../board/cameras/v4l2loopback-bridge.toml"),
    include_str!("../../../board/cameras/csi-rpicam.toml"),
    include_str!("../../../board/cameras/generic-uvc-visible.toml"),
];

/// What is known of a kind of camera.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// For people.
    pub name: String,
    /// Which of the two it is good for.
    pub role: Role,
    /// Where the facts are from.
    pub source: String,
    /// Only a person can tell that this is the camera.
    #[serde(default)]
    pub by_hand: bool,
    /// Keys of the configuration.
    pub camera: CameraConfig,
    /// Known temperatures, for cameras whose counts are such.
    #[serde(default)]
    pub radiometry: Vec<Point>,
}

/// A count as the camera sends it, and the temperature that it means.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The two bytes of the pixel, in the order of the camera.
    pub bytes: [u8; 2],
    /// Degrees Celsius.
    pub celsius: f64,
}

/// All of them; those of the same USB identity from the larger picture to the smaller.
pub fn profiles() -> Vec<Profile> {
    FILES
        .iter()
        .filter_map(|text| toml::from_str(text).ok())
        .collect()
}

/// The profile of a camera of that USB identity which offers the profile's format (by V4L2's four
/// characters) in the profile's size.
pub fn profile_of(usb: &str, offers: impl Fn([u8; 4], u32, u32) -> bool) -> Option<Profile> {
    let device = format!("usb:{}", usb.to_ascii_lowercase());
    let fits = |profile: &Profile| {
        let camera = &profile.camera;
        let Ok(format) = camera.format.parse::<crate::acquire::unpack::PixelFormat>() else {
            return false;
        };
        let same = camera.device.as_os_str() == device.as_str() && !profile.by_hand;
        same && offers(format.fourcc(), camera.width as u32, camera.height as u32)
    };
    profiles().into_iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acquire::camera::{check_config, expected};
    use crate::acquire::unpack::counts;
    use crate::frame::{Counts, Size};

    #[test]
    fn every_file_is_compiled_in_and_can_be_used() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("board/cameras");
        let files = std::fs::read_dir(folder).unwrap().flatten();
        let count = files
            .filter(|f| f.path().extension().is_some_and(|e| e == "toml"))
            .count();
        assert_eq!((count, profiles().len()), (FILES.len(), FILES.len()));
        for text in FILES {
            let profile: Profile = toml::from_str(text).unwrap();
            check_config(&profile.camera).unwrap();
            assert!(
                !profile.name.is_empty() && profile.source.len() > 10,
                "{text}"
            );
            let radiometric = profile.camera.kelvin_per_count.is_some();
            assert_eq!(
                radiometric,
                !profile.radiometry.is_empty(),
                "{}",
                profile.name
            );
        }
    }

    /// Bytes of a whole frame through the same unpacking as a real camera's.
    #[test]
    fn bytes_become_the_temperatures_of_the_profile() {
        let mut points = 0;
        for profile in profiles() {
            let format = check_config(&profile.camera).unwrap();
            let layout = expected(&profile.camera, format).layout;
            for point in &profile.radiometry {
                // What is not counts must not get into them: telemetry, the picture for people.
                let (above, width) = (
                    profile.camera.height - layout.size.height - layout.telemetry_rows,
                    layout.size.width,
                );
                let mut bytes = [200, 0x80].repeat(above * width);
                bytes.extend(point.bytes.repeat(layout.size.area()));
                bytes.extend([0xee; 2].repeat(layout.telemetry_rows * width));
                let mut out = Counts::new(Size::new(1, 1));
                counts(&layout, format, &bytes, &mut out).unwrap();
                let kelvin = f64::from(profile.camera.kelvin_per_count.unwrap());
                assert_eq!(out.data.len(), layout.size.area());
                for count in out.data {
                    let celsius = f64::from(count) * kelvin - 273.15;
                    assert!(
                        (celsius - point.celsius).abs() < 2e-3,
                        "{}: {celsius}",
                        profile.name
                    );
                }
                points += 1;
            }
        }
        assert!(points >= 7, "only {points} points");
    }

    #[test]
    fn sizes_tell_the_cameras_of_one_identity_apart() {
        let name = |usb, width, height| {
            let offers = move |fourcc, w, h| fourcc == *b"Y16 " && (w, h) == (width, height);
            profile_of(usb, offers).map(|profile| profile.name)
        };
        assert_eq!(
            name("1E4E:0100", 80, 63).unwrap(),
            "FLIR Lepton 2.5 on PureThermal"
        );
        assert_eq!(
            name("1e4e:0100", 160, 122).unwrap(),
            "FLIR Lepton 3.5 on PureThermal"
        );
        assert_eq!(name("09cb:4007", 640, 512).unwrap(), "FLIR Boson 640");
        assert_eq!(name("09cb:4007", 1, 1), None);
        assert_eq!(name("1234:5678", 160, 122), None);
    }
}
