//! The parts of a machine, each looked at by itself.

use std::path::Path;

use filmd::acquire::camera::list::{Listed, cameras};
use filmd::config::{Config, DescribeConfig, Engine, ScreenKind};
use filmd::control::{Reply, Request, ask, observe_socket, running_socket};
use filmd::fuse::{Fuser, Manifest, NetworkFuser};

use super::{Finding, Host};
use crate::{check, drop_ins, setup};

/// The service's configuration.
const SERVICE_CONFIG: &str = "/etc/filmd/filmd.toml";
/// A board this hot, degrees Celsius, slows its processor down.
const HOT: f64 = 80.0;
/// The interface class of a USB camera (USB Device Class Definition for Video Devices, table A-1).
const USB_VIDEO: &str = "0e";

/// All of them; `config` is the file that the user named.
pub fn all(host: &Host, config: Option<&Path>) -> Vec<Finding> {
    let found = config.or_else(|| {
        let usual = Path::new(SERVICE_CONFIG);
        usual.exists().then_some(usual)
    });
    let config = found.and_then(|path| setup::load(path).ok());
    let mut findings = vec![configuration(found)];
    findings.extend(camera(host));
    findings.extend([
        modules(host),
        rights(host),
        display(host, config.as_ref()),
        network(config.as_ref()),
        text(config.as_ref()),
        heat(host),
        memory_controller(host),
        service(host),
    ]);
    findings
}

fn configuration(path: Option<&Path>) -> Finding {
    const PART: &str = "config";
    let Some(path) = path else {
        let mend = "filmd setup --out filmd.toml";
        return Finding::note(PART, format!("no {SERVICE_CONFIG}"), mend);
    };
    match check::examine(path) {
        Ok(config) => match drop_ins::line_to_paste(&config) {
            None => Finding::ok(PART, path.display().to_string()),
            Some(line) => Finding::note(
                PART,
                format!(
                    "{} needs rights that filmd.service alone does not give",
                    path.display()
                ),
                line,
            ),
        },
        Err(error) => Finding::fault(
            PART,
            format!("{error:#}"),
            format!("mend {}, then: filmd check {0}", path.display()),
        ),
    }
}

fn camera(host: &Host) -> Vec<Finding> {
    const PART: &str = "cameras";
    let found = cameras();
    if found.is_empty() {
        let seen = format!(
            "none ({} nodes /dev/video*)",
            host.nodes("/dev", "video").len()
        );
        let mend = "plug one in and look for it: lsusb; dmesg | tail; filmd cameras";
        return vec![Finding::note(PART, seen, mend)];
    }
    let of = |camera: &Listed| {
        let name = format!("{} ({})", camera.node.path.display(), camera.node.card);
        match (&camera.problem, camera.stanza()) {
            (Some(problem), _) => {
                Finding::fault(PART, format!("{name}: {problem}"), "filmd cameras")
            }
            (None, None) => Finding::note(
                PART,
                format!("{name} offers no format that filmd reads"),
                "filmd cameras",
            ),
            (None, Some(_)) => Finding::ok(PART, name),
        }
    };
    found.iter().map(of).collect()
}

/// The driver of USB cameras: only where one is plugged in.
fn modules(host: &Host) -> Finding {
    const PART: &str = "modules";
    let devices = "/sys/bus/usb/devices";
    let is_camera = |name: &String| {
        let class = host.read(&format!("{devices}/{name}/bInterfaceClass"));
        class.is_some_and(|class| class == USB_VIDEO)
    };
    let plugged = host
        .names(devices, "")
        .iter()
        .filter(|n| is_camera(n))
        .count();
    let loaded = host.has("/sys/module/uvcvideo");
    match (plugged, loaded) {
        (0, _) => Finding::ok(PART, "no USB camera needs a driver"),
        (_, true) => Finding::ok(PART, "uvcvideo is loaded"),
        (_, false) => Finding::fault(
            PART,
            "a USB camera is plugged in and its driver uvcvideo is not loaded",
            "sudo modprobe uvcvideo",
        ),
    }
}

fn rights(host: &Host) -> Finding {
    const PART: &str = "rights";
    let mut nodes = host.nodes("/dev", "video");
    nodes.extend(host.nodes("/dev/dri", "card"));
    let refused: Vec<_> = nodes.iter().filter(|node| !host.may_use(node)).collect();
    if refused.is_empty() {
        let count = nodes.len();
        return Finding::ok(
            PART,
            format!("this user may use {count} cameras and displays"),
        );
    }
    let mut groups: Vec<_> = refused.iter().filter_map(|n| host.group_of(n)).collect();
    groups.sort();
    groups.dedup();
    let names: Vec<_> = refused.iter().map(|node| node.as_str()).collect();
    Finding::fault(
        PART,
        format!("this user may not use {}", names.join(", ")),
        format!(
            "sudo usermod -aG {} $USER    (then log in again)",
            groups.join(",")
        ),
    )
}

fn display(host: &Host, config: Option<&Config>) -> Finding {
    const PART: &str = "display";
    let drm = "/sys/class/drm";
    let outputs = host.names(drm, "card").into_iter().filter(|name| {
        let status = host.read(&format!("{drm}/{name}/status"));
        status.is_some_and(|status| status == "connected")
    });
    let mut found: Vec<_> = outputs.map(|name| format!("{name} is connected")).collect();
    found.extend(host.nodes("/dev", "fb"));
    let session = ["WAYLAND_DISPLAY", "DISPLAY"];
    let window = session.iter().find_map(std::env::var_os);
    found.extend(window.map(|_| "a desktop session".to_owned()));
    let wanted = config.map(|config| config.present.screen);
    let needs_none = matches!(wanted, Some(ScreenKind::Headless | ScreenKind::Spi));
    match (found.is_empty(), needs_none) {
        (false, _) => Finding::ok(PART, found.join(", ")),
        (true, true) => Finding::ok(PART, "none, and the configuration needs none"),
        (true, false) => Finding::note(
            PART,
            "no connected output, no framebuffer, no desktop session",
            "connect a display, or set [present] screen = \"headless\" and look with: filmctl snapshot now.png",
        ),
    }
}

fn network(config: Option<&Config>) -> Finding {
    const PART: &str = "network";
    if config.is_some_and(|config| config.fuse.engine == Engine::Classic) {
        return Finding::ok(PART, "the configuration asks for classic fusion");
    }
    let usual = Config::default();
    let config = config.unwrap_or(&usual);
    let name = config.fuse.network.as_deref();
    let made = setup::manifest(config)
        .and_then(|manifest| Ok(NetworkFuser::new(&manifest, name, config.output.size())?));
    match made {
        Ok(network) => Finding::ok(PART, network.name()),
        Err(error) => Finding::fault(PART, format!("{error:#}"), "install filmd again"),
    }
}

/// What writes and encodes texts.
fn text(config: Option<&Config>) -> Finding {
    const PART: &str = "text";
    const MEND: &str = "make models    (or: sudo apt install ./filmd-models_*.deb)";
    let usual = DescribeConfig::default();
    let describe = config.map_or(&usual, |config| &config.describe);
    if !describe.enabled {
        return Finding::ok(PART, "the configuration asks for none");
    }
    let manifest = config.and_then(|config| config.fuse.manifest.as_deref());
    let Ok(manifest) = Manifest::find(manifest) else {
        return Finding::fault(
            PART,
            "the models' manifest cannot be read",
            "install filmd again",
        );
    };
    let files = setup::model_files(describe, &manifest);
    if let Err(error) = filmd::describe::open(describe, &files, manifest.guidance_shape().0) {
        return Finding::note(PART, format!("no text guides the picture: {error}"), MEND);
    }
    match &files.llm {
        Some(llm) => Finding::ok(PART, format!("film-describe, {}", llm.path.display())),
        None => Finding::note(PART, "no language model: texts come from a template", MEND),
    }
}

fn heat(host: &Host) -> Finding {
    const PART: &str = "heat";
    let zones = "/sys/class/thermal";
    let hottest = host
        .names(zones, "thermal_zone")
        .iter()
        .filter_map(|zone| {
            host.read(&format!("{zones}/{zone}/temp"))?
                .parse::<f64>()
                .ok()
        })
        .fold(f64::NAN, f64::max)
        / 1e3;
    if hottest.is_nan() {
        let mend = "filmd goes on describing however hot it is: [describe] thermal_zone names another file";
        return Finding::note(PART, "this machine tells no temperature", mend);
    }
    let found = format!("{hottest:.0} degrees Celsius");
    if hottest > HOT {
        return Finding::note(PART, found, "cool the board: it slows down");
    }
    Finding::ok(PART, found)
}

/// Without it film-describe has no limit of its own.
fn memory_controller(host: &Host) -> Finding {
    const PART: &str = "memory";
    let controllers = host.read("/sys/fs/cgroup/cgroup.controllers");
    match controllers {
        Some(names) if names.split(' ').any(|name| name == "memory") => {
            Finding::ok(PART, "the kernel can limit film-describe's memory")
        }
        Some(_) => Finding::note(
            PART,
            "the kernel's memory controller is off: film-describe's memory has no limit",
            "add cgroup_enable=memory to the kernel's command line (Raspberry Pi: /boot/firmware/cmdline.txt)",
        ),
        None => Finding::note(
            PART,
            "there are no control groups of version 2 here: film-describe's memory has no limit",
            "mount them at /sys/fs/cgroup; distributions with systemd do",
        ),
    }
}

fn service(host: &Host) -> Finding {
    const PART: &str = "service";
    match ask(&observe_socket(&running_socket()), &Request::Health) {
        Ok((Reply::Health { healthy: true, .. }, _)) => {
            Finding::ok(PART, "filmd runs, the picture goes on")
        }
        Ok((Reply::Health { detail, .. }, _)) => {
            Finding::fault(PART, format!("filmd runs: {detail}"), "filmctl status")
        }
        _ if host.has("/usr/lib/systemd/system/filmd.service") => Finding::note(
            PART,
            "filmd is installed and does not run",
            "sudo systemctl enable --now filmd; journalctl -u filmd",
        ),
        _ => Finding::note(
            PART,
            "filmd is not installed as a service",
            "sudo -E make install",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::doctor::Health;

    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let host = Host::at(folder.path());
        (folder, host)
    }

    #[test]
    fn a_usb_camera_needs_its_driver() {
        let camera = ("sys/bus/usb/devices/1-1:1.0/bInterfaceClass", "0e\n");
        let (_folder, bare) = host(&[("sys/bus/usb/devices/1-1:1.1/bInterfaceClass", "03\n")]);
        assert_eq!(modules(&bare).health, Health::Ok);
        let (_folder, missing) = host(&[camera]);
        let found = modules(&missing);
        assert_eq!(found.health, Health::Fault);
        assert_eq!(found.mend.unwrap(), "sudo modprobe uvcvideo");
        let (_folder, loaded) = host(&[camera, ("sys/module/uvcvideo/refcnt", "0")]);
        assert_eq!(modules(&loaded).health, Health::Ok);
    }

    #[test]
    fn memory_and_heat_are_read_where_the_kernel_tells_them() {
        let zone = "sys/class/thermal/thermal_zone0/temp";
        let groups = "sys/fs/cgroup/cgroup.controllers";
        let (_folder, well) = host(&[(zone, "45123\n"), (groups, "cpu memory pids\n")]);
        assert_eq!(heat(&well), Finding::ok("heat", "45 degrees Celsius"));
        assert_eq!(memory_controller(&well).health, Health::Ok);
        let (_folder, ill) = host(&[(zone, "91000"), (groups, "cpu pids")]);
        assert_eq!(heat(&ill).health, Health::Note);
        let mend = memory_controller(&ill).mend.unwrap();
        assert!(mend.contains("cgroup_enable=memory"), "{mend}");
        let (_folder, bare) = host(&[]);
        assert_eq!(heat(&bare).health, Health::Note);
        assert_eq!(memory_controller(&bare).health, Health::Note);
    }

    #[test]
    fn a_connected_output_is_a_display() {
        let output = |status| ("sys/class/drm/card1-HDMI-A-1/status", status);
        let (_folder, on) = host(&[output("connected\n")]);
        let found = display(&on, None);
        assert!(found.found.contains("card1-HDMI-A-1"), "{found:?}");
        let mut config = Config::default();
        config.present.screen = ScreenKind::Headless;
        let (_folder, off) = host(&[output("disconnected\n")]);
        assert_eq!(display(&off, Some(&config)).health, Health::Ok);
    }

    #[test]
    fn a_node_that_is_refused_names_its_group() {
        let (folder, machine) = host(&[
            ("dev/video0", ""),
            ("etc/group", "root:x:0:\nvideo:x:44:\n"),
        ]);
        assert_eq!(rights(&machine).health, Health::Ok);
        let node = folder.path().join("dev/video0");
        std::fs::set_permissions(&node, PermissionsExt::from_mode(0o000)).unwrap();
        if rustix::process::geteuid().is_root() {
            // Root may use everything; the group is found all the same.
            assert_eq!(machine.group_of("/dev/video0").unwrap(), "root");
            return;
        }
        let found = rights(&machine);
        assert_eq!(found.health, Health::Fault);
        assert!(found.mend.unwrap().contains("usermod -aG"));
    }
}
