//! The display itself, through DRM/KMS: no compositor between, no tearing.
//!
//! Input: [`FusedFrame`]s. Output: the picture in its aspect on the first connected display, at
//! the display's preferred mode, swapped at the vertical blank. Thread: present. Blocks: until
//! the frame before is on the display, at most [`FLIP_TIMEOUT`]. Allocates: in
//! [`DrmScreen::open`], and where the picture's size changes. Fails when: the card is missing,
//! forbidden, in use or drives no display; later when the display is unplugged.
//! Not its job: choices and messages (see `drm_choice`), more than one display.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::drm::Device;
use ::drm::buffer::{Buffer, DrmFourcc};
use ::drm::control::dumbbuffer::{DumbBuffer, DumbMapping};
use ::drm::control::{
    Device as ControlDevice, Event, Mode, ModeFlags, ModeTypeFlags, PageFlipFlags, connector, crtc,
    framebuffer,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::drm_choice::{
    Link, ModeFacts, cards, choose_connector, choose_crtc, choose_mode, explain, explain_open,
};
use super::paint::Painter;
use super::{PresentError, Screen, ScreenEvent};
use crate::clock::{Clock, Timestamp};
use crate::config::PresentConfig;
use crate::frame::Size;
use crate::fuse::FusedFrame;

/// A display that has not taken a frame for so long is gone: the slowest show 10 a second.
const FLIP_TIMEOUT: Duration = Duration::from_secs(1);
/// How often the connector is looked at: a page flip does not fail where a cable is pulled out.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// An open card.
#[derive(Debug)]
struct Card(File);

impl AsFd for Card {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Device for Card {}
impl ControlDevice for Card {}

/// A buffer the display can read; freed with the card's descriptor.
struct Surface {
    framebuffer: framebuffer::Handle,
    pitch: usize,
    memory: DumbMapping<'static>,
}

impl Surface {
    fn new(card: &Card, size: Size) -> io::Result<Self> {
        let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let size = (side(size.width), side(size.height));
        let buffer = card.create_dumb_buffer(size, DrmFourcc::Xrgb8888, 32)?;
        let framebuffer = card.add_framebuffer(&buffer, 24, 32)?;
        // The mapping borrows the buffer's description for as long as it lives: these few bytes
        // are given up for each display opened, so that frames need no mapping of their own.
        let buffer: &'static mut DumbBuffer = Box::leak(Box::new(buffer));
        let pitch = buffer.pitch() as usize;
        let mut memory = card.map_dumb_buffer(buffer)?;
        memory.fill(0);
        Ok(Self {
            framebuffer,
            pitch,
            memory,
        })
    }
}

/// Where on a card the picture goes.
struct Output {
    connector: connector::Info,
    crtc: crtc::Handle,
    mode: Mode,
}

impl Output {
    fn size(&self) -> Size {
        let (width, height) = self.mode.size();
        Size::new(width.into(), height.into())
    }
}

/// A display driven by this process alone.
pub struct DrmScreen {
    path: PathBuf,
    name: String,
    card: Card,
    output: Output,
    /// What the CRTC showed before, to be put back.
    before: crtc::Info,
    surfaces: [Surface; 2],
    /// The surface to draw on; the other one is, or is about to be, on the display.
    back: usize,
    /// A flip was asked for and has not happened yet.
    pending: bool,
    painter: Painter,
    /// The kernel's word on the connector, where it has one.
    status: Option<PathBuf>,
    checked: Timestamp,
}

impl DrmScreen {
    /// Opens the card of `config` (`auto`: the first one with a display), becomes its master, and shows black on its
    /// display. `holds`: pixels across and down of the pictures to come.
    ///
    /// # Errors
    /// [`PresentError::Unavailable`]: no such card, no permission, another master, no display
    /// connected, no such mode, or a call refused.
    pub fn open(config: &PresentConfig, holds: Size) -> Result<Self, PresentError> {
        if config.card != Path::new("auto") {
            return Self::open_card(&config.card, config, holds);
        }
        let mut refusals = Vec::new();
        for card in cards() {
            match Self::open_card(&card, config, holds) {
                Ok(screen) => return Ok(screen),
                Err(error) => refusals.push(error.to_string()),
            }
        }
        Err(PresentError::Unavailable(match refusals.is_empty() {
            true => "no display card under /dev/dri; set [present] screen to \"headless\", \"framebuffer\" or \
                     \"spi\""
                .to_owned(),
            false => refusals.join("; "),
        }))
    }

    fn open_card(path: &Path, config: &PresentConfig, holds: Size) -> Result<Self, PresentError> {
        let refused = |doing: &'static str| {
            move |error: io::Error| PresentError::Unavailable(explain(path, doing, &error))
        };
        let file = File::options().read(true).write(true).open(path);
        let card = file
            .map(Card)
            .map_err(|error| PresentError::Unavailable(explain_open(path, &error)))?;
        let output = find_output(&card, path, config, holds)?;
        // Opening made this process master where there was none; asking tells.
        card.acquire_master_lock()
            .map_err(refused("becoming its master"))?;
        let before = card
            .get_crtc(output.crtc)
            .map_err(refused("reading what is shown"))?;
        let surface =
            || Surface::new(&card, output.size()).map_err(refused("making a picture buffer"));
        let surfaces = [surface()?, surface()?];
        let size = output.size();
        card.set_crtc(
            output.crtc,
            Some(surfaces[0].framebuffer),
            (0, 0),
            &[output.connector.handle()],
            Some(output.mode),
        )
        .map_err(refused("setting the display's mode"))?;
        Ok(Self {
            path: path.to_owned(),
            name: format!("{} {} {}", path.display(), output.connector, output.size()),
            status: status_file(path, &output.connector),
            card,
            output,
            before,
            surfaces,
            back: 1,
            pending: false,
            painter: Painter::new(size, config.rotation),
            checked: Clock.now(),
        })
    }

    fn refused(&self, doing: &str, error: &io::Error) -> PresentError {
        PresentError::Unavailable(explain(&self.path, doing, error))
    }

    /// Waits until the flip asked for has happened.
    fn wait_for_flip(&mut self) -> Result<(), PresentError> {
        let deadline = Clock.now().plus(FLIP_TIMEOUT);
        while self.pending {
            let left = deadline.since(Clock.now());
            if left.is_zero() {
                return Err(PresentError::Unavailable(format!(
                    "{}: the display did not take a frame within {FLIP_TIMEOUT:?}; is it on and \
                     plugged in?",
                    self.name
                )));
            }
            let timeout = Timespec {
                tv_sec: 0,
                tv_nsec: left.min(FLIP_TIMEOUT / 2).subsec_nanos().into(),
            };
            let ready = poll(
                &mut [PollFd::new(&self.card, PollFlags::IN)],
                Some(&timeout),
            );
            match ready {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(self.refused("waiting for the display", &error.into())),
            }
            let events = self
                .card
                .receive_events()
                .map_err(|error| self.refused("waiting for the display", &error))?;
            for event in events {
                if matches!(event, Event::PageFlip(flip) if flip.crtc == self.output.crtc) {
                    self.pending = false;
                }
            }
        }
        Ok(())
    }

    /// Looks whether the display is still there, now and then.
    fn check_connection(&mut self) -> Result<(), PresentError> {
        let now = Clock.now();
        if now.since(self.checked) < CHECK_INTERVAL {
            return Ok(());
        }
        self.checked = now;
        let mut word = [0; 16];
        let read = |status: &PathBuf| File::open(status)?.read(&mut word);
        let gone = match self.status.as_ref().map(read) {
            None => false,
            Some(Ok(length)) => word[..length].starts_with(b"disconnected"),
            // The file goes with the card.
            Some(Err(error)) => error.kind() == io::ErrorKind::NotFound,
        };
        if gone {
            return Err(PresentError::Unavailable(format!(
                "{}: the display was unplugged; it is used again once it is back",
                self.name
            )));
        }
        Ok(())
    }

    fn draw(&mut self, frame: &FusedFrame) {
        if self.painter.prepare(frame.picture.size()) {
            for surface in &mut self.surfaces {
                surface.memory.fill(0);
            }
        }
        let Surface { pitch, memory, .. } = &mut self.surfaces[self.back];
        self.painter.paint(&frame.picture, memory, *pitch);
    }

    fn flip(&mut self) -> Result<(), PresentError> {
        let framebuffer = self.surfaces[self.back].framebuffer;
        let crtc = self.output.crtc;
        let flipped = self
            .card
            .page_flip(crtc, framebuffer, PageFlipFlags::EVENT, None);
        match flipped {
            Ok(()) => self.pending = true,
            // Simple drivers without page flips set the picture at once.
            Err(error)
                if matches!(
                    Errno::from_io_error(&error),
                    Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
                ) =>
            {
                let connectors = [self.output.connector.handle()];
                let mode = Some(self.output.mode);
                self.card
                    .set_crtc(crtc, Some(framebuffer), (0, 0), &connectors, mode)
                    .map_err(|error| self.refused("showing a frame", &error))?;
            }
            Err(error) => return Err(self.refused("showing a frame", &error)),
        }
        self.back = 1 - self.back;
        Ok(())
    }
}

impl Screen for DrmScreen {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> Option<Size> {
        Some(self.painter.size())
    }

    fn show(&mut self, frame: &FusedFrame) -> Result<(), PresentError> {
        self.check_connection()?;
        self.wait_for_flip()?;
        self.draw(frame);
        self.flip()
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        None
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        Ok(Vec::new())
    }
}

impl Drop for DrmScreen {
    fn drop(&mut self) {
        // Best effort: the display may be gone, and closing the card frees the rest.
        let _ = self.wait_for_flip();
        let connectors = [self.output.connector.handle()];
        let (handle, mode) = (self.before.handle(), self.before.mode());
        let shown = self.before.framebuffer().filter(|_| mode.is_some());
        let _ = match shown {
            Some(_) => {
                let position = self.before.position();
                self.card
                    .set_crtc(handle, shown, position, &connectors, mode)
            }
            None => self.card.set_crtc(handle, None, (0, 0), &[], None),
        };
    }
}

fn find_output(
    card: &Card,
    path: &Path,
    config: &PresentConfig,
    holds: Size,
) -> Result<Output, PresentError> {
    let refused =
        |error: io::Error| PresentError::Unavailable(explain(path, "listing its outputs", &error));
    let resources = card.resource_handles().map_err(refused)?;
    let mut connectors = Vec::new();
    for handle in resources.connectors() {
        connectors.push(card.get_connector(*handle, true).map_err(refused)?);
    }
    let states: Vec<_> = connectors
        .iter()
        .map(|info| (link(info.state()), info.modes().len(), info.to_string()))
        .collect();
    let Some(chosen) = choose_connector(&states, config.connector.as_deref()) else {
        let names: Vec<_> = connectors.iter().map(ToString::to_string).collect();
        let wanted = config.connector.as_ref();
        let wanted = wanted.map_or_else(String::new, |name| format!(" to {name}"));
        return Err(PresentError::Unavailable(format!(
            "{}: no display is connected{wanted} (outputs: {}); plug one in, or set [present] screen to \
             \"headless\"",
            path.display(),
            names.join(", ")
        )));
    };
    let connector = connectors.swap_remove(chosen);
    let facts: Vec<_> = connector.modes().iter().map(mode_facts).collect();
    let wanted = config.mode_size();
    let sideways = matches!(config.rotation, 90 | 270);
    let holds = match sideways {
        true => (holds.height, holds.width),
        false => (holds.width, holds.height),
    };
    let mode = choose_mode(&facts, wanted, holds);
    if let (None, Some((width, height))) = (mode, wanted) {
        let mut sizes: Vec<_> = facts
            .iter()
            .map(|m| format!("{}x{}", m.size.0, m.size.1))
            .collect();
        sizes.dedup();
        return Err(PresentError::Unavailable(format!(
            "{}: {connector} has no mode {width}x{height}; [present] mode may be one of {}",
            path.display(),
            sizes.join(", ")
        )));
    }
    let mode = mode.and_then(|index| connector.modes().get(index).copied());

    let current = connector.current_encoder();
    let current = current.and_then(|handle| card.get_encoder(handle).ok()?.crtc());
    let mut possible = Vec::new();
    for handle in connector.encoders() {
        let encoder = card.get_encoder(*handle).map_err(refused)?;
        possible.extend(resources.filter_crtcs(encoder.possible_crtcs()));
    }
    match (mode, choose_crtc(current, &possible)) {
        (Some(mode), Some(crtc)) => Ok(Output {
            connector,
            crtc,
            mode,
        }),
        _ => Err(PresentError::Unavailable(format!(
            "{}: {connector} has no mode or no CRTC that can drive it; try another output",
            path.display()
        ))),
    }
}

fn link(state: connector::State) -> Link {
    match state {
        connector::State::Connected => Link::Connected,
        connector::State::Disconnected => Link::Disconnected,
        connector::State::Unknown => Link::Unknown,
    }
}

fn mode_facts(mode: &Mode) -> ModeFacts {
    ModeFacts {
        size: mode.size(),
        refresh: mode.vrefresh(),
        preferred: mode.mode_type().contains(ModeTypeFlags::PREFERRED),
        interlaced: mode.flags().contains(ModeFlags::INTERLACE),
    }
}

/// The kernel's file that says whether the connector is connected, where there is one.
fn status_file(card: &Path, connector: &connector::Info) -> Option<PathBuf> {
    // A stable name under /dev/dri/by-path leads to the number that the kernel uses.
    let card = card.canonicalize().ok()?;
    let name = format!("{}-{connector}", card.file_name()?.to_str()?);
    let file = Path::new("/sys/class/drm").join(name).join("status");
    file.exists().then_some(file)
}
