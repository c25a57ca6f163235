//! A preview in a window of the desktop (X11, or XWayland).
//!
//! Input: [`FusedFrame`]s; keys: M next mode, 1 to 6 modes, S snapshot, Q or Esc quit. Output: a
//! window, resizable, the picture in its aspect. Thread: present: the window belongs to the
//! thread that showed the first frame. Blocks: a few ms, on the X server. Allocates: at the
//! first frame of a size. Fails when: there is no X server. Not its job: what the keys ask for.
//!
//! Xlib ends the process where the X server dies; an appliance shows through DRM.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::PathBuf;

use minifb::{Key, KeyRepeat, ScaleMode, Window, WindowOptions};

use super::{PresentError, Screen, ScreenEvent};
use crate::config::Mode;
use crate::frame::{FusedFrame, Picture, Size};

thread_local! {
    // minifb's window is not Send, a Screen is: the window stays with the thread that shows.
    static WINDOW: RefCell<Option<Window>> = const { RefCell::new(None) };
}

/// Events kept until they are asked for; more keys than that are mashing.
const MAX_EVENTS: usize = 8;

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

/// The preview window; it opens with the first frame.
#[derive(Debug)]
pub struct WindowScreen {
    size: Option<Size>,
    // 0RGB, as minifb takes it.
    pixels: Vec<u32>,
    events: VecDeque<ScreenEvent>,
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
            return Err(unavailable("$DISPLAY is not set"));
        }
        Ok(Self {
            size: None,
            pixels: Vec::new(),
            events: VecDeque::with_capacity(MAX_EVENTS),
            closed: false,
        })
    }

    /// Takes the keys pressed since the window was updated last.
    fn collect(&mut self, window: &Window) {
        let pressed = KEYS
            .iter()
            .filter(|(key, _)| window.is_key_pressed(*key, KeyRepeat::No));
        for (_, event) in pressed {
            if self.events.len() < MAX_EVENTS {
                self.events.push_back(*event);
            }
        }
        if !window.is_open() {
            self.closed = true;
            self.events.push_back(ScreenEvent::Quit);
        }
    }
}

fn unavailable(found: &str) -> PresentError {
    PresentError::Unavailable(format!(
        "no window: {found}; run filmd inside a desktop session, or set [present] screen to \
         \"drm\" or \"headless\""
    ))
}

fn open_window(size: Size) -> Result<Window, PresentError> {
    let options = WindowOptions {
        resize: true,
        scale_mode: ScaleMode::AspectRatioStretch,
        ..WindowOptions::default()
    };
    let mut window = Window::new("filmd", size.width, size.height, options)
        .map_err(|error| unavailable(&error.to_string()))?;
    // The frames come at their own rate.
    window.set_target_fps(0);
    Ok(window)
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
        WINDOW.with_borrow_mut(|slot| {
            let window = match slot {
                Some(window) => window,
                None => slot.insert(open_window(size)?),
            };
            window
                .update_with_buffer(&self.pixels, size.width, size.height)
                .map_err(|error| unavailable(&error.to_string()))?;
            let (width, height) = window.get_size();
            self.size = Some(Size::new(width, height));
            self.collect(window);
            if self.closed {
                *slot = None;
            }
            Ok(())
        })
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        // Keys must work while no frame comes, too.
        WINDOW.with_borrow_mut(|slot| {
            if let Some(window) = slot {
                window.update();
                self.collect(window);
                if self.closed {
                    *slot = None;
                }
            }
        });
        self.events.pop_front()
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        WINDOW.with_borrow_mut(|slot| *slot = None);
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
