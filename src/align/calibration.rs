//! The calibration file: how the two cameras lie to each other.
//!
//! Input: TOML text. Output: [`Calibration`], checked. Thread: main, control (reload). Blocks:
//! file reads and writes. Fails when: [`AlignError`]. Not its job: measuring a
//! calibration; turning it into tables (see `geometry`, `remap`).

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::AlignError;
use super::homography::Homography;
use super::lens::Lens;
use crate::bounded;
use crate::frame::Size;
use crate::position::line_and_column;

/// The largest side of a picture that a calibration may name.
const MAX_SIDE: usize = 16_384;

/// The map between the two cameras.
///
/// The homography takes a pixel position of the visible picture to the one of the infrared
/// picture that shows the same point of a far scene, both undistorted and at the sizes named;
/// sources of other sizes are taken as the same view scaled. Positions count from the centre of
/// the top left pixel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    homography: [f64; 9],
    visible: CameraGeometry,
    infrared: CameraGeometry,
    #[serde(default, rename = "preset", skip_serializing_if = "Vec::is_empty")]
    presets: Vec<Preset>,
}

/// `[visible]`, `[infrared]`: the size the numbers hold for, and the lens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CameraGeometry {
    width: usize,
    height: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lens: Option<Lens>,
}

impl CameraGeometry {
    const fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

/// `[[preset]]`: cameras side by side see near things apart (parallax), so each distance has a
/// map of its own: a whole homography, or a shift added after the common one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What `align.preset` names.
    pub name: String,
    /// Distance of the scene it was measured at, metres; for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<f64>,
    /// Takes the place of the common homography.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homography: Option<[f64; 9]>,
    /// Added to infrared positions, pixels at the infrared size of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<[f64; 2]>,
}

impl Calibration {
    /// From `h`, row-major, which takes a pixel position of a `visible` sized picture to one of
    /// an `infrared` sized picture. Unusable values are refused where the calibration is put to
    /// use (`Aligner::new`) or checked ([`Calibration::check`]).
    pub fn from_homography(h: [f64; 9], infrared: Size, visible: Size) -> Self {
        let camera = |size: Size| CameraGeometry {
            width: size.width,
            height: size.height,
            lens: None,
        };
        Self {
            homography: h,
            visible: camera(visible),
            infrared: camera(infrared),
            presets: Vec::new(),
        }
    }

    /// For sources that lie over each other already: both are scaled to the output.
    pub fn identity() -> Self {
        let unit = Size::new(1, 1);
        Self::from_homography(Homography::IDENTITY.0, unit, unit)
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`AlignError::Read`] and [`AlignError::Invalid`], naming the file and the place in it.
    pub fn load(path: &Path) -> Result<Self, AlignError> {
        let text = bounded::read_text(path, bounded::TEXT).map_err(|source| AlignError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Checks a text; `path` only names it in errors.
    ///
    /// # Errors
    /// [`AlignError::Invalid`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, AlignError> {
        let invalid = |message| AlignError::Invalid {
            path: path.to_owned(),
            message,
        };
        let calibration: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let (line, column) = line_and_column(text, at);
            invalid(format!("line {line}, column {column}: {}", error.message()))
        })?;
        calibration.check().map_err(|error| match error {
            AlignError::Unusable(message) => invalid(message),
            other => other,
        })?;
        Ok(calibration)
    }

    /// As the text of a file.
    ///
    /// # Errors
    /// [`AlignError::Unusable`] where [`Calibration::check`] refuses it.
    pub fn to_toml(&self) -> Result<String, AlignError> {
        self.check()?;
        toml::to_string(self).map_err(|error| AlignError::Unusable(error.to_string()))
    }

    /// Writes a file; after a power cut it is the old one or the new one, whole.
    ///
    /// # Errors
    /// [`AlignError::Unusable`] and [`AlignError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), AlignError> {
        let text = self.to_toml()?;
        replace_file(path, text.as_bytes()).map_err(|source| AlignError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// Sizes not zero, numbers finite, maps invertible over the visible picture.
    ///
    /// # Errors
    /// [`AlignError::Unusable`], naming the key.
    pub fn check(&self) -> Result<(), AlignError> {
        for (name, camera) in [("visible", self.visible), ("infrared", self.infrared)] {
            let size = camera.size();
            let sides = 1..=MAX_SIDE;
            if !sides.contains(&size.width) || !sides.contains(&size.height) {
                return Err(AlignError::Unusable(format!(
                    "[{name}] names a size of {size}: both sides must be 1 to {MAX_SIDE} pixels"
                )));
            }
            if let Some(defect) = camera.lens.and_then(|lens| lens.defect(size)) {
                return Err(AlignError::Unusable(format!("[{name}.lens]: {defect}")));
            }
        }
        self.check_map("homography", &Homography(self.homography))?;
        for (i, preset) in self.presets.iter().enumerate() {
            self.check_preset(preset, &self.presets[..i])?;
        }
        Ok(())
    }

    fn check_map(&self, key: &str, map: &Homography) -> Result<(), AlignError> {
        match map.defect(self.visible.size(), self.infrared.size()) {
            None => Ok(()),
            Some(defect) => Err(AlignError::Unusable(format!("{key}: {defect}"))),
        }
    }

    fn check_preset(&self, preset: &Preset, earlier: &[Preset]) -> Result<(), AlignError> {
        let name = &preset.name;
        let refuse = |what: &str| Err(AlignError::Unusable(format!("[[preset]] {name:?}: {what}")));
        if name.is_empty() {
            return refuse("give it a name");
        }
        if earlier.iter().any(|other| other.name == *name) {
            return refuse("two presets have this name");
        }
        if preset
            .distance_m
            .is_some_and(|d| !(d.is_finite() && d > 0.0))
        {
            return refuse("distance_m must be greater than zero");
        }
        if preset.homography.is_some() == preset.shift.is_some() {
            return refuse("give either homography or shift");
        }
        if preset
            .shift
            .is_some_and(|s| !s.iter().all(|v| v.is_finite()))
        {
            return refuse("the shift is not finite");
        }
        self.check_map(&format!("[[preset]] {name:?}"), &self.preset_map(preset))
    }

    fn preset_map(&self, preset: &Preset) -> Homography {
        let common = Homography(preset.homography.unwrap_or(self.homography));
        preset.shift.map_or(common, |[x, y]| {
            common.then(&Homography::translation((x, y)))
        })
    }

    /// The map of the preset named, or the common one.
    ///
    /// # Errors
    /// [`AlignError::NoPreset`].
    pub(super) fn map(&self, preset: Option<&str>) -> Result<Homography, AlignError> {
        let Some(name) = preset else {
            return Ok(Homography(self.homography));
        };
        let found = self.presets.iter().find(|p| p.name == name);
        found
            .map(|p| self.preset_map(p))
            .ok_or_else(|| AlignError::NoPreset {
                name: name.to_owned(),
                known: self.presets.iter().map(|p| p.name.clone()).collect(),
            })
    }

    /// Adds presets, as a file's `[[preset]]` tables would.
    #[cfg(test)]
    pub(super) fn with_presets(mut self, presets: Vec<Preset>) -> Self {
        self.presets = presets;
        self
    }

    /// Adds lens terms, as a file's `[infrared.lens]` and `[visible.lens]` would.
    #[cfg(test)]
    pub(super) fn with_lenses(mut self, infrared: Option<Lens>, visible: Option<Lens>) -> Self {
        self.infrared.lens = infrared;
        self.visible.lens = visible;
        self
    }

    /// Visible pixel position to infrared pixel position, row-major.
    pub fn homography(&self) -> [f64; 9] {
        self.homography
    }

    /// The presets, in the file's order.
    pub fn presets(&self) -> &[Preset] {
        &self.presets
    }

    /// The infrared size that the numbers hold for.
    pub fn infrared_size(&self) -> Size {
        self.infrared.size()
    }

    /// The visible size that the numbers hold for.
    pub fn visible_size(&self) -> Size {
        self.visible.size()
    }

    /// The infrared lens.
    pub fn infrared_lens(&self) -> Option<Lens> {
        self.infrared.lens
    }

    /// The visible lens.
    pub fn visible_lens(&self) -> Option<Lens> {
        self.visible.lens
    }
}

/// Writes beside `path`, then renames over it.
fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let write = || {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        // The rename itself lasts only once the folder is on disk.
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => {
                std::fs::File::open(folder)?.sync_all()
            }
            _ => std::fs::File::open(".")?.sync_all(),
        }
    };
    write().inspect_err(|_| {
        // The first error is the one to tell; a left-over file does no harm.
        let _ = std::fs::remove_file(&beside);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
homography = [0.25, 0, -0.375, 0, 0.25, -0.375, 0, 0, 1]

[visible]
width = 640
height = 480

[visible.lens]
fx = 500.0
fy = 500.0
cx = 319.5
cy = 239.5
k1 = -0.1

[infrared]
width = 160
height = 120

[[preset]]
name = "near"
distance_m = 1.5
shift = [-3.5, 0.0]
"#;

    fn parse(text: &str) -> Result<Calibration, AlignError> {
        Calibration::parse(text, Path::new("pair.toml"))
    }

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_file_survives_writing_and_reading() {
        let calibration = parse(FILE).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pair.toml");
        calibration.save(&path).unwrap();
        calibration.save(&path).unwrap();
        assert_eq!(Calibration::load(&path).unwrap(), calibration);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_preset_shifts_infrared_positions() {
        let calibration = parse(FILE).unwrap();
        let far = calibration.map(None).unwrap().map((319.5, 239.5));
        let near = calibration.map(Some("near")).unwrap().map((319.5, 239.5));
        assert!((near.0 - (far.0 - 3.5)).abs() < 1e-12 && near.1 == far.1);
        let error = calibration.map(Some("nera")).unwrap_err().to_string();
        assert!(error.contains("nera") && error.contains("near"), "{error}");
    }

    #[test]
    fn mistakes_are_named() {
        let unknown = refusal(&FILE.replace("k1 =", "k9 ="));
        assert!(
            unknown.contains("pair.toml") && unknown.contains("k9"),
            "{unknown}"
        );
        assert!(unknown.contains("line 13, column 1"), "{unknown}");
        let short = refusal(&FILE.replace(", 0, 0, 1]", ", 0, 1]"));
        assert!(short.contains("line 2"), "{short}");
        let singular = refusal(&FILE.replace("0.25, 0, -0.375, 0", "0, 0, -0.375, 0"));
        assert!(singular.contains("singular"), "{singular}");
        let nan = refusal(&FILE.replace("[0.25,", "[nan,"));
        assert!(nan.contains("finite"), "{nan}");
        let zero = refusal(&FILE.replace("width = 160", "width = 0"));
        assert!(
            zero.contains("[infrared]") && zero.contains("0x120"),
            "{zero}"
        );
        let huge = refusal(&FILE.replace("width = 160", "width = 99999999"));
        assert!(huge.contains("16384"), "{huge}");
        let neither = refusal(&FILE.replace("shift = [-3.5, 0.0]", ""));
        assert!(neither.contains("\"near\""), "{neither}");
        let missing = refusal("homography = [1, 0, 0, 0, 1, 0, 0, 0, 1]");
        assert!(missing.contains("visible"), "{missing}");
    }

    #[test]
    fn the_example_is_accepted() {
        parse(include_str!("../../board/calibration-example.toml")).unwrap();
    }

    #[test]
    fn an_unreadable_file_is_named() {
        let error = Calibration::load(Path::new("/nonexistent/pair.toml")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/pair.toml"));
        let error = Calibration::identity().save(Path::new("/nonexistent/pair.toml"));
        assert!(matches!(error, Err(AlignError::Write { .. })));
    }
}
