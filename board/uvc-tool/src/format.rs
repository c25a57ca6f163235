//! Pixel formats: what uvcvideo calls them, and luma packed as they are.

use std::fmt;

/// What the camera sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Y0 Cb Y1 Cr.
    Yuyv,
    /// Cb Y0 Cr Y1.
    Uyvy,
    /// A plane of luma, then one of Cb and Cr in turn, halved both ways.
    Nv12,
    /// A plane of luma, one of Cb, one of Cr, halved both ways.
    Yu12,
    /// The same with Cr before Cb.
    Yv12,
    /// 8-bit grey.
    Grey,
    /// 10-bit grey in two bytes, little endian.
    Y10,
    /// 12-bit grey in two bytes, little endian.
    Y12,
    /// 16-bit counts, little endian: 27000 + 8 x luma, as of a camera in hundredths of a kelvin.
    Y16,
    /// A JPEG picture a frame.
    Mjpg,
}

/// The count of black in a [`Format::Y16`] picture.
pub const Y16_BLACK: u16 = 27_000;

impl Format {
    /// The four characters in front of the GUID (linux/include/linux/usb/uvc.h).
    const fn guid_name(self) -> [u8; 4] {
        match self {
            Self::Yuyv => *b"YUY2",
            Self::Uyvy => *b"UYVY",
            Self::Nv12 => *b"NV12",
            Self::Yu12 => *b"I420",
            Self::Yv12 => *b"YV12",
            Self::Grey => *b"Y800",
            Self::Y10 => *b"Y10 ",
            Self::Y12 => *b"Y12 ",
            Self::Y16 => *b"Y16 ",
            Self::Mjpg => *b"MJPG",
        }
    }

    /// The GUID of the format descriptor.
    pub fn guid(self) -> [u8; 16] {
        let mut guid = *b"\0\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
        guid[..4].copy_from_slice(&self.guid_name());
        guid
    }

    /// Bits of a pixel.
    pub const fn bits(self) -> usize {
        match self {
            Self::Grey => 8,
            Self::Nv12 | Self::Yu12 | Self::Yv12 => 12,
            Self::Yuyv | Self::Uyvy | Self::Y10 | Self::Y12 | Self::Y16 | Self::Mjpg => 16,
        }
    }

    /// Bytes of the largest frame.
    pub const fn frame_bytes(self, width: usize, height: usize) -> usize {
        width * height * self.bits() / 8
    }

    /// `luma` packed, grey where the format has colour.
    pub fn pack(self, luma: &[u8], width: usize, height: usize, out: &mut Vec<u8>) {
        out.clear();
        let words = |out: &mut Vec<u8>, word: &dyn Fn(u8) -> u16| {
            out.extend(luma.iter().flat_map(|&v| word(v).to_le_bytes()));
        };
        match self {
            Self::Yuyv => out.extend(luma.iter().flat_map(|&v| [video(v), 128])),
            Self::Uyvy => out.extend(luma.iter().flat_map(|&v| [128, video(v)])),
            Self::Nv12 | Self::Yu12 | Self::Yv12 => {
                out.extend(luma.iter().map(|&v| video(v)));
                out.resize(self.frame_bytes(width, height), 128);
            }
            Self::Grey => out.extend_from_slice(luma),
            Self::Y10 => words(out, &|v| u16::from(v) << 2),
            Self::Y12 => words(out, &|v| u16::from(v) << 4),
            Self::Y16 => words(out, &|v| Y16_BLACK + u16::from(v) * 8),
            Self::Mjpg => {
                let side = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
                let encoder = jpeg_encoder::Encoder::new(&mut *out, 90);
                let grey = jpeg_encoder::ColorType::Luma;
                if let Err(error) = encoder.encode(luma, side(width), side(height), grey) {
                    eprintln!("uvc-tool: no JPEG picture: {error}");
                }
            }
        }
    }
}

/// Full range luma as limited range (16 to 235), which is what UVC's YCbCr formats have.
fn video(v: u8) -> u8 {
    (16 + usize::from(v) * 219 / 255) as u8
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(&self.guid_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn packed_frames_have_the_announced_length() {
        let luma = vec![200; 64 * 32];
        let mut out = Vec::new();
        for &format in Format::value_variants() {
            format.pack(&luma, 64, 32, &mut out);
            let most = format.frame_bytes(64, 32);
            if format == Format::Mjpg {
                assert!(out.starts_with(b"\xff\xd8") && out.len() < most);
            } else {
                assert_eq!(out.len(), most, "{format}");
            }
        }
    }

    #[test]
    fn counts_are_those_that_the_documentation_names() {
        let mut out = Vec::new();
        Format::Y16.pack(&[0, 255], 2, 1, &mut out);
        assert_eq!(out, [120, 105, 112, 113]);
        Format::Y10.pack(&[255], 1, 1, &mut out);
        assert_eq!(out, [0xfc, 0x03]);
    }
}
