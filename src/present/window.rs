//! A preview in a window of the desktop (X11, or XWayland).
//!
//! Input: [`FusedFrame`]s; keys: M next mode, 1 to 6 modes, S snapshot, Q or Esc quit. Output: a
//! window, resizable, the picture in its aspect. Thread: present: the window belongs to the
//! thread that showed the first frame. Blocks: a few ms, on the X server. Allocates: at the
//! first frame of a size. Fails when: there is no X server. Not its job: what the keys ask for.
//!
//! Xlib ends the process where the X server dies; an appliance shows through DRM.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;

use minifb::{InputCallback, Key, ScaleMode, Window, WindowOptions};

use super::{PresentError, Screen, ScreenEvent};
use crate::config::Mode;
use crate::frame::{Picture, Size};
use crate::fuse::FusedFrame;

thread_local! {
    // minifb's window is not Send, a Screen is: the window stays with the thread that shows.
    static PREVIEW: RefCell<Option<Preview>> = const { RefCell::new(None) };
}

const KEYS: [(Key, ScreenEvent); 10] = [
    (Key::M, ScreenEvent::NextMode),
    (Key::Key1, ScreenEvent::Mode(Mode::ALL[0])),
    (Key::Key2, ScreenEvent::Mode(Mode::ALL[1])),
    (Key::Key3, ScreenEvent::Mode(Mode::ALL[2])),
    (Key::Key4, ScreenEvent::Mode(Mode::ALL[3])),
    (Key::Key5, ScreenEvent::Mode(Mode::ALL[4])),
    (Key::Key6, ScreenEvent::Mode(Mode::ALL[5])),
    (Key::S, ScreenEvent::Snapshot),
    (Key::Q, ScreenEvent::Quit),
    (Key::Escape, ScreenEvent::Quit),
];

/// Keys pressed, one bit for each of [`KEYS`]. Told by every press: a tap between two updates
/// would be missed by looking at which keys are down.
#[derive(Debug, Default)]
struct Presses {
    waiting: Cell<u16>,
    down: Cell<u16>,
}

impl Presses {
    /// A key went down or up; a key held down goes down again and again, and counts once.
    fn set(&self, key: Key, down: bool) {
        let Some(index) = KEYS.iter().position(|(known, _)| *known == key) else {
            return;
        };
        let bit = 1 << index;
        if down && self.down.get() & bit == 0 {
            self.waiting.set(self.waiting.get() | bit);
        }
        let others = self.down.get() & !bit;
        self.down.set(if down { others | bit } else { others });
    }

    fn take(&self) -> Option<ScreenEvent> {
        let waiting = self.waiting.get();
        let (_, event) = KEYS.get(waiting.trailing_zeros() as usize)?;
        self.waiting.set(waiting & (waiting - 1));
        Some(*event)
    }
}

/// Hands the window's keys to [`Presses`].
struct Keyboard(Rc<Presses>);

impl InputCallback for Keyboard {
    fn add_char(&mut self, _: u32) {}

    fn set_key_state(&mut self, key: Key, down: bool) {
        self.0.set(key, down);
    }
}

/// What belongs to the thread that shows.
struct Preview {
    window: Window,
    presses: Rc<Presses>,
}

impl Preview {
    fn open(size: Size) -> Result<Self, PresentError> {
        let options = WindowOptions {
            resize: true,
            scale_mode: ScaleMode::AspectRatioStretch,
            ..WindowOptions::default()
        };
        let mut window = Window::new("filmd", size.width, size.height, options)
            .map_err(|error| unavailable(&error.to_string()))?;
        // The frames come at their own rate.
        window.set_target_fps(0);
        let presses = Rc::new(Presses::default());
        window.set_input_callback(Box::new(Keyboard(Rc::clone(&presses))));
        Ok(Self { window, presses })
    }
}

/// The preview window; it opens with the first frame.
#[derive(Debug)]
pub struct WindowScreen {
    size: Option<Size>,
    // 0RGB, as minifb takes it.
    pixels: Vec<u32>,
    closed: bool,
}

impl WindowScreen {
    /// Makes sure that a display server is named; it is only asked with the first frame.
    ///
    /// # Errors
    /// [`PresentError::Unavailable`] where $DISPLAY is not set.
    pub fn open() -> Result<Self, PresentError> {
        let display = std::env::var_os("DISPLAY").filter(|name| !name.is_empty());
        if display.is_none() {
            let wayland = std::env::var_os("WAYLAND_DISPLAY").is_some();
            return Err(unavailable(match wayland {
                true => {
                    "this is a Wayland session without Xwayland: install the package xwayland and log in again"
                }
                false => "$DISPLAY is not set",
            }));
        }
        Ok(Self {
            size: None,
            pixels: Vec::new(),
            closed: false,
        })
    }
}

fn unavailable(found: &str) -> PresentError {
    PresentError::Unavailable(format!(
        "no window: {found}; run filmd inside a desktop session, or set [present] screen to \
         \"drm\" or \"headless\""
    ))
}

fn pack(picture: &Picture, pixels: &mut Vec<u32>) {
    pixels.resize(picture.size().area(), 0);
    if picture.channels() == 1 {
        for (pixel, &grey) in pixels.iter_mut().zip(picture.data()) {
            *pixel = u32::from(grey) * 0x01_01_01;
        }
        return;
    }
    let (samples, _) = picture.data().as_chunks::<3>();
    for (pixel, &[r, g, b]) in pixels.iter_mut().zip(samples) {
        *pixel = u32::from_be_bytes([0, r, g, b]);
    }
}

impl Screen for WindowScreen {
    fn name(&self) -> &str {
        "window"
    }

    fn size(&self) -> Option<Size> {
        self.size
    }

    fn show(&mut self, frame: &FusedFrame) -> Result<(), PresentError> {
        // Whoever closed the window asked filmd to stop; no new one jumps up meanwhile.
        if self.closed {
            return Ok(());
        }
        let size = frame.picture.size();
        pack(&frame.picture, &mut self.pixels);
        PREVIEW.with_borrow_mut(|slot| {
            let Preview { window, .. } = match slot {
                Some(preview) => preview,
                None => slot.insert(Preview::open(size)?),
            };
            let shown = window.update_with_buffer(&self.pixels, size.width, size.height);
            let (width, height) = window.get_size();
            self.size = Some(Size::new(width, height));
            shown.map_err(|error| {
                // The next attempt starts with a new window.
                *slot = None;
                unavailable(&error.to_string())
            })
        })
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        PREVIEW.with_borrow_mut(|slot| {
            let Preview { window, presses } = slot.as_mut()?;
            let event = presses.take().or_else(|| {
                // Keys must work while no frame comes, too.
                window.update();
                presses.take()
            });
            if event.is_none() && !window.is_open() {
                self.closed = true;
                *slot = None;
                return Some(ScreenEvent::Quit);
            }
            event
        })
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        PREVIEW.with_borrow_mut(|slot| *slot = None);
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_packed_for_the_window() {
        let mut pixels = Vec::new();
        let size = Size::new(2, 1);
        let rgb = Picture::from_data(size, 3, vec![1, 2, 3, 255, 0, 16]).unwrap();
        pack(&rgb, &mut pixels);
        assert_eq!(pixels, [0x01_02_03, 0xff_00_10]);
        let grey = Picture::from_data(Size::new(1, 1), 1, vec![7]).unwrap();
        pack(&grey, &mut pixels);
        assert_eq!(pixels, [0x07_07_07]);
    }

    #[test]
    fn a_tap_counts_once_however_long_it_is() {
        let presses = Presses::default();
        presses.set(Key::M, true);
        presses.set(Key::M, true);
        presses.set(Key::Key6, true);
        presses.set(Key::Key6, false);
        presses.set(Key::A, true);
        assert_eq!(presses.take(), Some(ScreenEvent::NextMode));
        let last = Mode::ALL[Mode::ALL.len() - 1];
        assert_eq!(presses.take(), Some(ScreenEvent::Mode(last)));
        presses.set(Key::M, true);
        assert_eq!(presses.take(), None);
        presses.set(Key::M, false);
        presses.set(Key::M, true);
        assert_eq!(presses.take(), Some(ScreenEvent::NextMode));
    }

    #[test]
    fn every_mode_has_its_number() {
        let modes: Vec<_> = KEYS
            .iter()
            .filter_map(|(_, event)| match event {
                ScreenEvent::Mode(mode) => Some(*mode),
                _ => None,
            })
            .collect();
        assert_eq!(modes, Mode::ALL);
    }
}
