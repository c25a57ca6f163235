//! What the camera says it is: USB 2.0, chapter 9, and USB Video Class 1.1, chapter 3.

use crate::format::Format;

/// The entity that has brightness and contrast.
pub const PROCESSING_UNIT: u8 = 2;
/// Payload header of a video payload: length, flags, and a clock that is not used.
pub const PAYLOAD_HEADER: usize = 12;
/// Bytes of the probe and commit controls in UVC 1.1.
pub const PROBE: usize = 34;

/// A camera's identity.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Vendor and product.
    pub id: (u16, u16),
    /// Product name.
    pub name: String,
    /// Serial number.
    pub serial: String,
}

/// A camera's only mode.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// Pixel format.
    pub format: Format,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Frames a second.
    pub fps: f64,
}

impl Mode {
    /// Bytes of the largest frame.
    pub fn frame_bytes(&self) -> usize {
        self.format.frame_bytes(self.width, self.height)
    }

    /// Time between frames in units of 100 ns.
    pub fn interval(&self) -> u32 {
        (1e7 / self.fps) as u32
    }

    /// The probe control: this mode and no other.
    pub fn probe(&self) -> [u8; PROBE] {
        let mut probe = [0; PROBE];
        probe[0] = 1;
        probe[2] = 1;
        probe[3] = 1;
        probe[4..8].copy_from_slice(&self.interval().to_le_bytes());
        probe[18..22].copy_from_slice(&dword(self.frame_bytes()));
        probe[22..26].copy_from_slice(&dword(self.frame_bytes() + PAYLOAD_HEADER));
        probe[26..30].copy_from_slice(&48_000_000u32.to_le_bytes());
        probe[30..].copy_from_slice(&[3, 1, 1, 1]);
        probe
    }
}

fn dword(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
}

/// The device descriptor.
pub fn device(identity: &Identity) -> Vec<u8> {
    let [v0, v1] = identity.id.0.to_le_bytes();
    let [p0, p1] = identity.id.1.to_le_bytes();
    vec![
        18, 1, 0, 2, 0xef, 2, 1, 64, v0, v1, p0, p1, 0, 1, 1, 2, 3, 1,
    ]
}

/// String descriptor `index`; `None` where there is none.
pub fn string(identity: &Identity, index: u8) -> Option<Vec<u8>> {
    let text = match index {
        0 => return Some(vec![4, 3, 9, 4]),
        1 => "filmd",
        2 => &identity.name,
        3 => &identity.serial,
        _ => return None,
    };
    let mut out = vec![0, 3];
    out.extend(text.encode_utf16().take(100).flat_map(u16::to_le_bytes));
    out[0] = u8::try_from(out.len()).unwrap_or(u8::MAX);
    Some(out)
}

/// The configuration descriptor with all that hangs from it.
pub fn configuration(mode: &Mode) -> Vec<u8> {
    let mut out = vec![9, 2, 0, 0, 2, 1, 0, 0x80, 250];
    // The two interfaces belong together: video.
    out.extend([8, 11, 0, 2, 0x0e, 3, 0, 2]);
    out.extend([9, 4, 0, 0, 0, 0x0e, 1, 0, 2]);
    let entities: [&[u8]; 3] = [
        // A camera without controls, a unit with brightness and contrast, the way to USB.
        &[18, 0x24, 2, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0],
        &[12, 0x24, 5, PROCESSING_UNIT, 1, 0, 0, 2, 3, 0, 0, 0],
        &[9, 0x24, 3, 3, 1, 1, 0, PROCESSING_UNIT, 0],
    ];
    let total = 13 + entities.iter().map(|e| e.len()).sum::<usize>();
    out.extend([13, 0x24, 1, 0x10, 1, total as u8, 0, 0, 0x6c, 0xdc, 2, 1, 1]);
    entities.iter().for_each(|entity| out.extend(*entity));
    // The stream: one bulk endpoint, which needs no alternate setting and no reserved bandwidth.
    out.extend([9, 4, 1, 0, 1, 0x0e, 2, 0, 0]);
    out.extend(stream(mode));
    out.extend([7, 5, 0x81, 2, 0, 2, 0]);
    let length = u16::try_from(out.len()).unwrap_or(u16::MAX).to_le_bytes();
    out[2..4].copy_from_slice(&length);
    out
}

fn stream(mode: &Mode) -> Vec<u8> {
    let mut out = vec![14, 0x24, 1, 1, 0, 0, 0x81, 0, 3, 0, 0, 0, 1, 0];
    let compressed = mode.format == Format::Mjpg;
    if compressed {
        out.extend([11, 0x24, 6, 1, 1, 1, 1, 0, 0, 0, 0]);
    } else {
        out.extend([27, 0x24, 4, 1, 1]);
        out.extend(mode.format.guid());
        out.extend([mode.format.bits() as u8, 1, 0, 0, 0, 0]);
    }
    let bits = dword((mode.frame_bytes() as f64 * 8.0 * mode.fps) as usize);
    let side = |n: usize| u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes();
    out.extend([30, 0x24, if compressed { 7 } else { 5 }, 1, 0]);
    out.extend(side(mode.width));
    out.extend(side(mode.height));
    out.extend(bits);
    out.extend(bits);
    out.extend(dword(mode.frame_bytes()));
    out.extend(mode.interval().to_le_bytes());
    out.push(1);
    out.extend(mode.interval().to_le_bytes());
    out.extend([6, 0x24, 0x0d, 1, 1, 4]);
    let length = side(out.len());
    out[4..6].copy_from_slice(&length);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_as_long_as_they_say() {
        for format in [Format::Y16, Format::Mjpg] {
            let mode = Mode {
                format,
                width: 160,
                height: 120,
                fps: 9.0,
            };
            let all = configuration(&mode);
            assert_eq!(usize::from(u16::from_le_bytes([all[2], all[3]])), all.len());
            let mut rest = &all[..];
            while let Some(&length) = rest.first() {
                assert!(length > 2 && usize::from(length) <= rest.len(), "{rest:?}");
                rest = &rest[usize::from(length)..];
            }
        }
    }

    #[test]
    fn names_are_utf_16_with_their_length() {
        let identity = Identity {
            id: (1, 2),
            name: "Kamera".into(),
            serial: "7".into(),
        };
        let name = string(&identity, 2).unwrap_or_default();
        assert_eq!((name[0], name[1], name[2], name[3]), (14, 3, b'K', 0));
        assert_eq!(string(&identity, 4), None);
    }
}
