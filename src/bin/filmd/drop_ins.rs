//! Which of the shipped drop-ins of filmd.service a configuration needs: the unit alone opens V4L2 and DRM devices only.

use std::path::Path;

use filmd::config::{BusKind, ButtonSource, CameraConfig, Config, ScreenKind, SourceConfig};

/// Where an installed filmd has them.
const SHIPPED: &str = "/usr/share/filmd/drop-ins";
/// Where systemd looks for those in use.
const IN_USE: &str = "/etc/systemd/system/filmd.service.d";

/// Their names, in alphabetical order.
pub fn needed(config: &Config) -> Vec<&'static str> {
    let cameras: Vec<&CameraConfig> = match &config.source {
        SourceConfig::Cameras(cameras) => vec![&cameras.infrared, &cameras.visible],
        _ => Vec::new(),
    };
    let buttons = &config.buttons;
    let has_buttons = !buttons.button.is_empty() || !buttons.chord.is_empty();
    let panel = &config.status_panel;
    let (present, spi) = (&config.present, &config.present.spi);
    [
        (
            "buttons.conf",
            has_buttons && buttons.source == ButtonSource::Gpio,
        ),
        (
            "camera-program.conf",
            cameras.iter().any(|c| !c.program.is_empty()),
        ),
        (
            "framebuffer.conf",
            present.screen == ScreenKind::Framebuffer,
        ),
        (
            "spi-panel.conf",
            present.screen == ScreenKind::Spi && spi.bus == BusKind::Device,
        ),
        (
            "status-panel.conf",
            panel.enabled && panel.bus == BusKind::Device,
        ),
        ("vision-models.conf", config.describe.vision.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_needed)| is_needed.then_some(name))
    .collect()
}

/// The line to paste for those that are not in use yet.
pub fn line_to_paste(config: &Config) -> Option<String> {
    let missing: Vec<_> = needed(config)
        .into_iter()
        .filter(|name| !Path::new(IN_USE).join(name).exists())
        .collect();
    if missing.is_empty() {
        return None;
    }
    let files: Vec<_> = missing
        .iter()
        .map(|name| format!("{SHIPPED}/{name}"))
        .collect();
    Some(format!(
        "sudo install -D -m 644 -t {IN_USE} {} && sudo systemctl daemon-reload",
        files.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_beside_cameras_and_drm_has_its_drop_in() {
        assert!(needed(&Config::default()).is_empty());
        let config: Config = toml::from_str(
            "[source]\nkind = \"cameras\"\n\
             [source.infrared]\ndevice = \"usb:1e4e:0100\"\nformat = \"Y16\"\nwidth = 160\nheight = 120\n\
             [source.visible]\nprogram = [\"rpicam-vid\"]\nformat = \"YU12\"\nwidth = 640\nheight = 480\nfps = 30\n\
             [present]\nscreen = \"spi\"\n[status_panel]\nenabled = true\n\
             [buttons]\nbutton = [{ line = 5, short = \"mode\" }]\n\
             [describe.vision]\nmodel = \"a.gguf\"\nmmproj = \"b.gguf\"\n",
        )
        .unwrap();
        let names = needed(&config);
        let rest = [
            "buttons",
            "camera-program",
            "spi-panel",
            "status-panel",
            "vision-models",
        ];
        assert_eq!(names, rest.map(|name| format!("{name}.conf")));
        // Each of them is shipped, and each that is shipped is needed by something.
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/filmd.service.d");
        let mut files: Vec<_> = std::fs::read_dir(shipped)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let mut named = names.clone();
        let mut config = Config::default();
        config.present.screen = ScreenKind::Framebuffer;
        named.extend(needed(&config));
        named.sort_unstable();
        assert_eq!(named, files);
        let line = line_to_paste(&config).unwrap();
        assert!(
            line.contains("/usr/share/filmd/drop-ins/framebuffer.conf"),
            "{line}"
        );
    }
}
