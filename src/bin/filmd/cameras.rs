//! `filmd cameras`: what is plugged in, and the lines to paste into the configuration.

use std::fmt::Write as _;

use anyhow::Result;
use filmd::acquire::camera::list::{Listed, Offer, cameras};

/// Arguments of `filmd cameras`.
#[derive(clap::Args)]
pub struct Args {}

/// Lists cameras; a machine without one says what to look at.
///
/// # Errors
/// Never; cameras that cannot be asked say why in their place.
pub fn run(_: &Args) -> Result<()> {
    let found = cameras();
    if found.is_empty() {
        say!(
            "No camera that filmd can read. Is it plugged in (`lsusb`), is its driver loaded \
             (`dmesg`), and is this user in the group video?"
        );
    }
    for camera in &found {
        say!("{}", describe(camera)?);
    }
    Ok(())
}

fn describe(camera: &Listed) -> Result<String> {
    let mut text = format!("{}: {}", camera.node.path.display(), camera.node.card);
    if let Some(usb) = &camera.node.usb {
        let serial = usb.serial.as_deref().unwrap_or("without a serial number");
        write!(text, " (usb:{}, {serial})", usb.id)?;
    }
    writeln!(text)?;
    for link in &camera.links {
        writeln!(text, "  also {}", link.display())?;
    }
    if let Some(problem) = &camera.problem {
        writeln!(text, "  cannot be asked: {problem}")?;
    }
    for offer in &camera.offers {
        writeln!(text, "  {}", offered(offer))?;
    }
    if !camera.controls.is_empty() {
        writeln!(text, "  controls: {}", camera.controls.join(", "))?;
    }
    match camera.stanza() {
        Some(stanza) => write!(text, "\n{stanza}")?,
        None => write!(text, "  it offers no format that filmd reads")?,
    }
    Ok(text)
}

fn offered(offer: &Offer) -> String {
    let sizes: Vec<_> = offer
        .sizes
        .iter()
        .map(|(w, h)| format!("{w}x{h}"))
        .collect();
    let name = match offer.format {
        Some(format) => format.to_string(),
        None => format!("{} (not read by filmd)", offer.fourcc),
    };
    format!("{name} {}", sizes.join(" "))
}
