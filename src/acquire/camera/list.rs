//! What is plugged in, for `filmd cameras`.
//!
//! Input: sysfs and the devices. Output: [`Listed`] cameras. Thread: main. Blocks: as long as the drivers
//! take. A camera that cannot be asked says why. Not its job: printing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use v4l::Device;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture;

use super::advice::formats;
use super::controls;
use super::find::{self, Node};
use super::profiles::{Profile, profile_of};
use super::takes_pictures;
use crate::acquire::Role;
use crate::acquire::unpack::{Content, PixelFormat};

/// A format with its sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The four characters of V4L2, without padding.
    pub fourcc: String,
    /// The word for `format` in the configuration; `None`: filmd does not understand it.
    pub format: Option<PixelFormat>,
    /// Width and height.
    pub sizes: Vec<(u32, u32)>,
}

/// One camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its node.
    pub node: Node,
    /// Stable names under /dev/v4l and /dev/filmd that lead to it.
    pub links: Vec<PathBuf>,
    /// What it offers.
    pub offers: Vec<Offer>,
    /// Controls with their ranges.
    pub controls: Vec<String>,
    /// Why it could not be asked.
    pub problem: Option<String>,
}

impl Listed {
    /// What `device` in the configuration should be: a link, else the USB identity, else the name.
    pub fn stable_name(&self) -> String {
        match (self.links.first(), &self.node.usb) {
            (Some(link), _) => link.display().to_string(),
            (None, Some(usb)) => format!("usb:{}", usb.id),
            (None, None) => format!("card:{}", self.node.card),
        }
    }

    /// The format and size to begin with: raw counts before pictures, the largest size up to
    /// 640x512.
    pub fn suggestion(&self) -> Option<(PixelFormat, u32, u32)> {
        let fits = |&&(width, height): &&(u32, u32)| width <= 640 && height <= 512;
        let all = self.offers.iter().filter_map(|offer| {
            let format = offer.format?;
            let (w, h) = offer
                .sizes
                .iter()
                .filter(fits)
                .max()
                .or(offer.sizes.first())?;
            Some((format, *w, *h))
        });
        all.min_by_key(|(format, ..)| match format.content() {
            Content::Counts => 0,
            Content::Colour if *format != PixelFormat::Mjpg => 1,
            Content::Colour => 2,
            Content::Grey => 3,
        })
    }

    /// What is known of this kind of camera, if it is one that filmd knows.
    pub fn profile(&self) -> Option<Profile> {
        let usb = self.node.usb.as_ref()?;
        profile_of(&usb.id, |fourcc, width, height| {
            let name = String::from_utf8_lossy(&fourcc).trim_end().to_owned();
            let sized = |offer: &&Offer| offer.sizes.contains(&(width, height));
            self.offers
                .iter()
                .filter(sized)
                .any(|offer| offer.fourcc == name)
        })
    }

    /// The lines to paste into the configuration.
    pub fn stanza(&self) -> Option<String> {
        if let Some(profile) = self.profile() {
            let role = match profile.role {
                Role::Infrared => "infrared",
                Role::Visible => "visible",
            };
            let mut camera = profile.camera;
            camera.device = self.stable_name().into();
            let keys = toml::to_string(&camera).ok()?;
            return Some(format!("# {}\n[source.{role}]\n{keys}", profile.name));
        }
        let (format, width, height) = self.suggestion()?;
        let thermal = format.content() == Content::Counts;
        let role = if thermal { "infrared" } else { "visible" };
        Some(format!(
            "[source.{role}]\ndevice = {:?}\nformat = \"{format}\"\nwidth = {width}\nheight = {height}\n",
            self.stable_name()
        ))
    }
}

/// The cameras that are plugged in; nodes that take no pictures are left out.
pub fn cameras() -> Vec<Listed> {
    let nodes = find::nodes(Path::new(find::SYSFS));
    let pictures = nodes.into_iter().filter(|node| takes_pictures(&node.path));
    pictures.map(listed).collect()
}

fn listed(node: Node) -> Listed {
    let links = links(&node.path, Path::new("/dev"));
    // The v4l crate panics on what it does not know.
    let asked = catch_unwind(AssertUnwindSafe(|| {
        let device = Device::with_path(&node.path)?;
        std::io::Result::Ok((offers(&device), controls::list(&device)))
    }));
    let (offers, controls, problem) = match asked {
        Ok(Ok((offers, controls))) => (offers, controls, None),
        Ok(Err(error)) => (Vec::new(), Vec::new(), Some(error.to_string())),
        Err(_) => (
            Vec::new(),
            Vec::new(),
            Some("its driver's answers cannot be read".into()),
        ),
    };
    Listed {
        node,
        links,
        offers,
        controls,
        problem,
    }
}

fn offers(device: &Device) -> Vec<Offer> {
    formats(device)
        .into_iter()
        .map(|fourcc| {
            let sizes = device.enum_framesizes(fourcc).unwrap_or_default();
            let sizes = sizes.iter().map(|s| match &s.size {
                FrameSizeEnum::Discrete(d) => (d.width, d.height),
                FrameSizeEnum::Stepwise(s) => (s.max_width, s.max_height),
            });
            Offer {
                fourcc: String::from_utf8_lossy(&fourcc.repr).trim_end().to_owned(),
                format: PixelFormat::from_fourcc(fourcc.repr),
                sizes: sizes.collect(),
            }
        })
        .collect()
}

/// The links under `dev` that lead to `node`: those of udev's rules and of filmd's own first.
fn links(node: &Path, dev: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["filmd", "v4l/by-id", "v4l/by-path"] {
        let Ok(entries) = std::fs::read_dir(dev.join(folder)) else {
            continue;
        };
        let mut here: Vec<_> = entries.flatten().map(|e| e.path()).collect();
        here.retain(|link| std::fs::canonicalize(link).is_ok_and(|target| target == node));
        here.sort();
        found.extend(here);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn camera(offers: &[(PixelFormat, &[(u32, u32)])]) -> Listed {
        let offer = |(format, sizes): &(PixelFormat, &[(u32, u32)])| Offer {
            fourcc: format.to_string(),
            format: Some(*format),
            sizes: sizes.to_vec(),
        };
        Listed {
            node: Node {
                path: "/dev/video4".into(),
                card: "A \"camera\"".into(),
                index: 0,
                device: "/sys/x".into(),
                usb: None,
            },
            links: Vec::new(),
            offers: offers.iter().map(offer).collect(),
            controls: Vec::new(),
            problem: None,
        }
    }

    #[test]
    fn the_stanzas_of_both_roles_make_a_configuration() {
        let thermal = camera(&[
            (PixelFormat::Uyvy, &[(160, 120)]),
            (PixelFormat::Y16, &[(80, 60), (160, 120)]),
        ]);
        let visible = camera(&[
            (PixelFormat::Mjpg, &[(1920, 1080), (640, 480)]),
            (PixelFormat::Yuyv, &[(1920, 1080), (640, 480), (320, 240)]),
        ]);
        assert_eq!(thermal.suggestion(), Some((PixelFormat::Y16, 160, 120)));
        assert_eq!(visible.suggestion(), Some((PixelFormat::Yuyv, 640, 480)));
        let (a, b) = (thermal.stanza().unwrap(), visible.stanza().unwrap());
        let text = format!("[source]\nkind = \"cameras\"\n{a}{b}");
        let config = Config::parse(&text, Path::new("pasted")).unwrap();
        let crate::config::SourceConfig::Cameras(cameras) = config.source else {
            panic!("{text}");
        };
        assert_eq!(cameras.infrared.device, Path::new("card:A \"camera\""));
        assert_eq!(camera(&[]).stanza(), None);
    }

    #[test]
    fn a_camera_that_filmd_knows_gets_the_keys_of_its_profile() {
        let mut lepton = camera(&[(PixelFormat::Y16, &[(160, 120), (160, 122)])]);
        lepton.node.usb = Some(crate::acquire::camera::find::UsbIdentity {
            id: "1e4e:0100".into(),
            serial: None,
        });
        let text = lepton.stanza().unwrap();
        for line in [
            "telemetry_rows = 2",
            "height = 122",
            "offset_ms = -115",
            "[source.infrared]",
        ] {
            assert!(text.contains(line), "{text}");
        }
        // Without the size that has the rows of telemetry it is not taken for one.
        lepton.offers[0].sizes.pop();
        assert!(!lepton.stanza().unwrap().contains("telemetry"));
    }

    #[test]
    fn links_to_other_nodes_are_not_taken() {
        let dev = tempfile::tempdir().unwrap();
        let root = dev.path().canonicalize().unwrap();
        for name in ["video0", "video1"] {
            std::fs::write(root.join(name), "").unwrap();
        }
        for (folder, name, target) in [
            ("filmd", "infrared", "video0"),
            ("v4l/by-id", "usb-a", "video0"),
            ("v4l/by-id", "usb-b", "video1"),
        ] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
            std::os::unix::fs::symlink(root.join(target), root.join(folder).join(name)).unwrap();
        }
        let found = links(&root.join("video0"), &root);
        assert_eq!(
            found,
            [root.join("filmd/infrared"), root.join("v4l/by-id/usb-a")]
        );
    }
}
