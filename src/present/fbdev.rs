//! The display of a kernel that has a frame buffer but no DRM: /dev/fbN.
//!
//! Input: [`FusedFrame`]s. Output: the picture in its aspect, written over the whole screen in one
//! call; there is no vertical blank to wait for, so that a picture may tear. Thread: present.
//! Blocks: for the copy. Allocates: in [`FramebufferScreen::open`], and where the picture's size
//! changes. Fails when: there is no such device, no permission, or its pixels are of an unknown
//! kind. Source of the geometry: sysfs, Documentation/ABI/testing/sysfs-class-graphics. Not its
//! job: the console that shares the screen (`vt.global_cursor_default=0` hides its cursor).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::paint::{Painter, rgb565};
use super::{PresentError, Screen, ScreenEvent};
use crate::frame::Size;
use crate::fuse::FusedFrame;

/// What the kernel says of a frame buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Geometry {
    size: Size,
    pitch: usize,
    /// 16 (RGB565) or 32 (XRGB8888) bits a pixel.
    bits: usize,
}

/// A frame buffer.
pub struct FramebufferScreen {
    name: String,
    path: PathBuf,
    file: File,
    geometry: Geometry,
    painter: Painter,
    /// XRGB8888.
    picture: Vec<u8>,
    /// RGB565, where the screen has that.
    packed: Vec<u8>,
}

impl FramebufferScreen {
    /// Opens `path` (/dev/fbN), whose description the kernel keeps under /sys/class/graphics.
    ///
    /// # Errors
    /// [`PresentError::Unavailable`].
    pub fn open(path: &Path, degrees: u16) -> Result<Self, PresentError> {
        let name = path.file_name().unwrap_or_default();
        Self::open_with(path, &Path::new("/sys/class/graphics").join(name), degrees)
    }

    fn open_with(path: &Path, about: &Path, degrees: u16) -> Result<Self, PresentError> {
        let unavailable = |why: String| {
            PresentError::Unavailable(format!(
                "{}: {why}; set [present] framebuffer to a device of /sys/class/graphics that \
                 filmd's user may write (group video), or screen to \"drm\"",
                path.display()
            ))
        };
        let file = File::options()
            .write(true)
            .open(path)
            .map_err(|error| unavailable(error.to_string()))?;
        let geometry = read_geometry(about).map_err(unavailable)?;
        let Geometry { size, pitch, bits } = geometry;
        let row = if bits == 32 { pitch } else { 4 * size.width };
        Ok(Self {
            name: format!("{} {size}, {bits} bits", path.display()),
            path: path.to_owned(),
            file,
            geometry,
            painter: Painter::new(size, degrees),
            picture: vec![0; row * size.height],
            packed: vec![0; if bits == 32 { 0 } else { pitch * size.height }],
        })
    }

    fn pack(&mut self) {
        let rows = self.picture.chunks_exact(4 * self.geometry.size.width);
        for (out, row) in self.packed.chunks_mut(self.geometry.pitch).zip(rows) {
            let pixels = row.as_chunks::<4>().0.iter();
            for (out, &[b, g, r, _]) in out.as_chunks_mut::<2>().0.iter_mut().zip(pixels) {
                *out = rgb565([r, g, b]).to_ne_bytes();
            }
        }
    }
}

fn read_geometry(about: &Path) -> Result<Geometry, String> {
    let read = |name: &str| {
        std::fs::read_to_string(about.join(name))
            .map_err(|error| format!("{}: {error}", about.join(name).display()))
    };
    let number = |name: &str| -> Result<usize, String> {
        let text = read(name)?;
        let parsed = text.trim().parse();
        parsed.map_err(|_| format!("{name} says {:?}", text.trim()))
    };
    let size = read("virtual_size")?;
    let (width, height) = size
        .trim()
        .split_once(',')
        .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)))
        .ok_or_else(|| format!("virtual_size says {:?}", size.trim()))?;
    // Drivers that pan have twice the rows: the mode says which of them are seen.
    let seen = ["mode", "modes"]
        .iter()
        .find_map(|name| visible_size(&read(name).ok()?));
    let (width, height) = match seen {
        Some(seen) if seen.0 <= width && seen.1 <= height => seen,
        _ => (width, height),
    };
    let geometry = Geometry {
        size: Size::new(width, height),
        pitch: number("stride")?,
        bits: number("bits_per_pixel")?,
    };
    let usable = (1..=16_384).contains(&width)
        && (1..=16_384).contains(&height)
        && [16, 32].contains(&geometry.bits)
        && (width * geometry.bits / 8..=1 << 18).contains(&geometry.pitch);
    if usable {
        Ok(geometry)
    } else {
        Err(format!("{geometry:?} is not understood"))
    }
}

/// Of the first line of the kernel's list of modes, `U:1024x768p-60`.
fn visible_size(modes: &str) -> Option<(usize, usize)> {
    let (_, mode) = modes.lines().next()?.split_once(':')?;
    let (width, rest) = mode.split_once('x')?;
    let height: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((width.parse().ok()?, height.parse().ok()?)).filter(|(w, h)| *w > 0 && *h > 0)
}

impl Screen for FramebufferScreen {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> Option<Size> {
        Some(self.painter.size())
    }

    fn show(&mut self, frame: &FusedFrame) -> Result<(), PresentError> {
        if self.painter.prepare(frame.picture.size()) {
            self.picture.fill(0);
        }
        let Geometry { size, pitch, bits } = self.geometry;
        let row = if bits == 32 { pitch } else { 4 * size.width };
        self.painter.paint(&frame.picture, &mut self.picture, row);
        let bytes = if bits == 32 {
            &self.picture
        } else {
            self.pack();
            &self.packed
        };
        self.file.write_all_at(bytes, 0).map_err(|error| {
            PresentError::Unavailable(format!(
                "{}: cannot write a picture: {error}",
                self.path.display()
            ))
        })
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        None
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::config::Mode;
    use crate::frame::Picture;
    use crate::metrics::Marks;

    fn framebuffer(bits: &str, stride: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("virtual_size", "8,4\n"),
            ("bits_per_pixel", bits),
            ("stride", stride),
            ("fb0", ""),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let path = folder.path().join("fb0");
        (folder, path)
    }

    fn frame() -> FusedFrame {
        let mut picture = Picture::rgb(Size::new(8, 4));
        for (n, pixel) in picture.data_mut().chunks_exact_mut(3).enumerate() {
            pixel.copy_from_slice(&[n as u8, 0x84, 0xf8]);
        }
        FusedFrame {
            picture,
            timestamp: Timestamp::ZERO,
            sequence: 1,
            mode: Mode::Fused,
            marks: Marks::default(),
            sources: None,
        }
    }

    #[test]
    fn pixels_of_32_and_16_bits_are_written_by_the_pitch() {
        let (folder, path) = framebuffer("32", "40\n");
        let mut screen = FramebufferScreen::open_with(&path, folder.path(), 0).unwrap();
        screen.show(&frame()).unwrap();
        let written = std::fs::read(&path).unwrap();
        assert_eq!(written.len(), 160);
        assert_eq!(written[40 + 4..40 + 8], [0xf8, 0x84, 9, 0]);
        let (folder, path) = framebuffer("16", "16\n");
        let mut screen = FramebufferScreen::open_with(&path, folder.path(), 180).unwrap();
        screen.show(&frame()).unwrap();
        let written = std::fs::read(&path).unwrap();
        assert_eq!(written.len(), 64);
        // Turned: the last pixel comes first.
        let first = u16::from_ne_bytes([written[0], written[1]]);
        assert_eq!(first, (31 >> 3) << 11 | (0x84 >> 2) << 5 | 0xf8 >> 3);
    }

    #[test]
    fn the_visible_size_counts_where_the_driver_pans() {
        let (folder, path) = framebuffer("32", "32\n");
        let says = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        says("virtual_size", "8,8\n");
        says("mode", "");
        says("modes", "U:8x4p-60\nU:4x4p-60\n");
        let screen = FramebufferScreen::open_with(&path, folder.path(), 0).unwrap();
        assert_eq!(screen.size(), Some(Size::new(8, 4)));
        says("modes", "nonsense");
        let screen = FramebufferScreen::open_with(&path, folder.path(), 0).unwrap();
        assert_eq!(screen.size(), Some(Size::new(8, 8)));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (bits, stride) in [("24", "24"), ("32", "31"), ("32", "x"), ("", "32")] {
            let (folder, path) = framebuffer(bits, stride);
            let refused = FramebufferScreen::open_with(&path, folder.path(), 0);
            let error = refused.err().unwrap().to_string();
            assert!(error.contains("fb0"), "{error}");
            assert!(error.contains("[present] framebuffer"), "{error}");
        }
        let missing = FramebufferScreen::open(Path::new("/dev/fb-none"), 0);
        assert!(missing.err().unwrap().to_string().contains("fb-none"));
    }
}
