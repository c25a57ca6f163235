//! Which device node a camera is at, by what does not change: path, USB identity, name.
//!
//! Input: [`CameraConfig::device`] and sysfs. Output: [`Node`]s. Thread: acquire, and main for
//! listing. Blocks: on sysfs only. Allocates: yes; runs when a camera is opened. Fails when: nothing
//! or more than one thing fits ([`FindError`]). Not its job: opening, formats.

use std::path::{Path, PathBuf};

use crate::config::CameraConfig;

/// Where the kernel lists video devices.
pub const SYSFS: &str = "/sys/class/video4linux";

/// A USB device's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbIdentity {
    /// Vendor and product, four hexadecimal digits each with a colon between.
    pub id: String,
    /// Serial number, where there is one.
    pub serial: Option<String>,
}

/// A video device node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// /dev/videoN.
    pub path: PathBuf,
    /// The device's own name.
    pub card: String,
    /// Its number among the nodes of the same device; a camera's pictures come from the first.
    pub index: u32,
    /// Where it hangs, so that two nodes of one device are known as such.
    pub device: PathBuf,
    /// For USB cameras.
    pub usb: Option<UsbIdentity>,
}

/// How a configuration names a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// A path.
    Path(PathBuf),
    /// USB vendor and product, and a serial number where two of a kind are to be told apart.
    Usb(UsbIdentity),
    /// A name.
    Card(String),
}

/// Why no node fits. Whoever waits for a camera acts on the variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// It is not plugged in (yet).
    #[error("no camera is {wanted}; found: {found}")]
    Absent {
        /// What was looked for.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// The configuration cannot be right.
    #[error("{0}")]
    Wrong(String),
}

impl Binding {
    /// Reads [`CameraConfig::device`].
    ///
    /// # Errors
    /// [`FindError::Wrong`]: a number alone, or a USB identity that is none.
    pub fn of(config: &CameraConfig) -> Result<Self, FindError> {
        let text = config.device.to_string_lossy();
        if let Some(name) = text.strip_prefix("card:") {
            return Ok(Self::Card(name.trim().to_owned()));
        }
        if let Some(id) = text.strip_prefix("usb:") {
            return usb_binding(id);
        }
        let number = text.strip_prefix("/dev/video").unwrap_or("x");
        if number.bytes().all(|b| b.is_ascii_digit()) && config.card.is_none() {
            return Err(FindError::Wrong(format!(
                "{text} is a number, and numbers change with every plug; `filmd cameras` lists names \
                 that stay, or set card = \"...\" to what has to be found there"
            )));
        }
        Ok(Self::Path(config.device.clone()))
    }

    fn fits(&self, node: &Node) -> bool {
        match self {
            Self::Path(_) => false,
            Self::Card(name) => node.card.contains(name.as_str()),
            Self::Usb(wanted) => node.usb.as_ref().is_some_and(|usb| {
                usb.id.eq_ignore_ascii_case(&wanted.id)
                    && (wanted.serial.is_none() || usb.serial == wanted.serial)
            }),
        }
    }
}

impl std::fmt::Display for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => write!(f, "at {}", path.display()),
            Self::Card(name) => write!(f, "named {name:?}"),
            Self::Usb(usb) => match &usb.serial {
                Some(serial) => write!(f, "USB {} with serial {serial:?}", usb.id),
                None => write!(f, "USB {}", usb.id),
            },
        }
    }
}

fn usb_binding(text: &str) -> Result<Binding, FindError> {
    let mut parts = text.splitn(3, ':');
    let mut number = || {
        let part = parts.next().unwrap_or_default();
        (part.len() == 4 && u16::from_str_radix(part, 16).is_ok()).then_some(part)
    };
    let (Some(vendor), Some(product)) = (number(), number()) else {
        return Err(FindError::Wrong(format!(
            "\"usb:{text}\" is no USB camera: write vendor and product as `lsusb` shows them, \
             usb:1e4e:0100, and a serial number after a colon where there are two of a kind"
        )));
    };
    Ok(Binding::Usb(UsbIdentity {
        id: format!("{vendor}:{product}"),
        serial: parts.next().map(str::to_owned),
    }))
}

/// The path to open for `binding`, among the `nodes` there are. Of a device with several nodes the
/// first that `takes_pictures` is meant.
///
/// # Errors
/// [`FindError`]: none fits, or those of two devices do.
pub fn resolve(
    binding: &Binding,
    nodes: &[Node],
    takes_pictures: &dyn Fn(&Path) -> bool,
) -> Result<PathBuf, FindError> {
    if let Binding::Path(path) = binding {
        return Ok(path.clone());
    }
    let fitting = || nodes.iter().filter(|node| binding.fits(node));
    let cameras: Vec<_> = fitting()
        .filter(|node| takes_pictures(&node.path))
        .collect();
    let Some(first) = cameras.iter().min_by_key(|node| node.index) else {
        return Err(FindError::Absent {
            wanted: binding.to_string(),
            found: list(nodes),
        });
    };
    if let Some(other) = cameras.iter().find(|node| node.device != first.device) {
        return Err(FindError::Wrong(format!(
            "{} and {} are both {binding}; name one by its serial number or by /dev/v4l/by-path",
            first.path.display(),
            other.path.display()
        )));
    }
    Ok(first.path.clone())
}

fn list(nodes: &[Node]) -> String {
    let name = |node: &Node| match &node.usb {
        Some(usb) => format!("{:?} (usb:{})", node.card, usb.id),
        None => format!("{:?}", node.card),
    };
    let mut names: Vec<_> = nodes.iter().filter(|n| n.index == 0).map(name).collect();
    names.sort_unstable();
    match names.as_slice() {
        [] => "nothing".into(),
        names => names.join(", "),
    }
}

/// The video nodes of this machine, or those under another folder laid out as [`SYSFS`].
pub fn nodes(sysfs: &Path) -> Vec<Node> {
    let Ok(entries) = std::fs::read_dir(sysfs) else {
        return Vec::new();
    };
    let mut nodes: Vec<_> = entries.flatten().filter_map(|e| node(&e.path())).collect();
    nodes.sort_by(|a, b| a.path.cmp(&b.path));
    nodes
}

fn node(entry: &Path) -> Option<Node> {
    let read = |path: PathBuf| {
        // A name of 32 bytes may be cut in the middle of a character.
        let bytes = std::fs::read(path).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    };
    let device = std::fs::canonicalize(entry.join("device")).unwrap_or_else(|_| entry.to_owned());
    // A USB camera's video device hangs from an interface, and that from the USB device.
    let usb = device.parent().and_then(|parent| {
        let id = format!(
            "{}:{}",
            read(parent.join("idVendor"))?,
            read(parent.join("idProduct"))?
        );
        let serial = read(parent.join("serial"));
        Some(UsbIdentity { id, serial })
    });
    Some(Node {
        path: Path::new("/dev").join(entry.file_name()?),
        card: read(entry.join("name"))?,
        index: read(entry.join("index"))?.parse().ok()?,
        device,
        usb,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder laid out as sysfs: (node, index, name, USB port, identity).
    fn sysfs(cameras: &[(&str, u32, &str, &str, &str)]) -> (tempfile::TempDir, Vec<Node>) {
        let root = tempfile::tempdir().unwrap();
        let class = root.path().join("class");
        for (node, index, name, port, id) in cameras {
            let interface = root.path().join(port).join("1.0");
            std::fs::create_dir_all(&interface).unwrap();
            if let Some((vendor, rest)) = id.split_once(':') {
                let (product, serial) = rest.split_once(':').unwrap_or((rest, "S"));
                let parent = interface.parent().unwrap();
                for (file, text) in [
                    ("idVendor", vendor),
                    ("idProduct", product),
                    ("serial", serial),
                ] {
                    std::fs::write(parent.join(file), format!("{text}\n")).unwrap();
                }
            }
            let entry = class.join(node);
            std::fs::create_dir_all(&entry).unwrap();
            std::fs::write(entry.join("name"), format!("{name}\n")).unwrap();
            std::fs::write(entry.join("index"), format!("{index}\n")).unwrap();
            std::os::unix::fs::symlink(&interface, entry.join("device")).unwrap();
        }
        let found = nodes(&class);
        (root, found)
    }

    fn find(device: &str, found: &[Node]) -> Result<PathBuf, FindError> {
        let config = CameraConfig {
            device: device.into(),
            ..CameraConfig::default()
        };
        // What has an odd number is a metadata node here.
        let pictures = |path: &Path| !path.to_string_lossy().ends_with(['1', '3']);
        resolve(&Binding::of(&config)?, found, &pictures)
    }

    #[test]
    fn cameras_are_found_by_what_they_are_whatever_their_number() {
        let (_root, found) = sysfs(&[
            ("video1", 1, "PureThermal (fw:v1)", "1-1", "1e4e:0100"),
            ("video0", 0, "PureThermal (fw:v1)", "1-1", "1e4e:0100"),
            ("video2", 0, "HD Webcam", "1-2", "046D:0825:A7"),
            ("video3", 1, "HD Webcam", "1-2", "046D:0825:A7"),
        ]);
        assert_eq!(found.len(), 4);
        for (device, path) in [
            ("usb:1e4e:0100", "/dev/video0"),
            ("usb:046d:0825", "/dev/video2"),
            ("usb:046d:0825:A7", "/dev/video2"),
            ("card:PureThermal", "/dev/video0"),
            ("card:Webcam", "/dev/video2"),
            ("/dev/v4l/by-id/usb-x", "/dev/v4l/by-id/usb-x"),
        ] {
            assert_eq!(find(device, &found), Ok(path.into()), "{device}");
        }
        let absent = find("usb:046d:0825:B8", &found).unwrap_err();
        assert!(matches!(absent, FindError::Absent { .. }));
        let text = absent.to_string();
        assert!(
            text.contains("B8") && text.contains("\"HD Webcam\" (usb:046D:0825)"),
            "{text}"
        );
    }

    #[test]
    fn two_of_a_kind_are_not_guessed_between() {
        let (_root, found) = sysfs(&[
            ("video0", 0, "Webcam", "1-1", "046d:0825:A"),
            ("video2", 0, "Webcam", "1-2", "046d:0825:B"),
        ]);
        for device in ["usb:046d:0825", "card:Webcam"] {
            let error = find(device, &found).unwrap_err();
            assert!(
                matches!(&error, FindError::Wrong(text) if text.contains("by-path")),
                "{error}"
            );
        }
        assert_eq!(find("usb:046d:0825:B", &found), Ok("/dev/video2".into()));
    }

    #[test]
    fn numbers_alone_and_wrong_identities_are_refused() {
        let wrong = |device: &str| matches!(find(device, &[]), Err(FindError::Wrong(_)));
        assert!(wrong("/dev/video0") && wrong("/dev/video17"));
        assert!(wrong("usb:1e4e") && wrong("usb:1e4e:zzzz") && wrong("usb:1e4e0:100"));
        let named = CameraConfig {
            device: "/dev/video20".into(),
            card: Some("loop".into()),
            ..CameraConfig::default()
        };
        assert_eq!(
            Binding::of(&named),
            Ok(Binding::Path("/dev/video20".into()))
        );
        assert_eq!(nodes(Path::new("/no/such/folder")), []);
        let empty = find("card:x", &[]).unwrap_err().to_string();
        assert!(empty.ends_with("found: nothing"), "{empty}");
    }
}
