//! The V4L2 pixel formats that are understood (Linux media documentation, "Image Formats").
//!
//! Input: the configuration's word. Output: [`PixelFormat`]. Thread: any. Blocks: never. Allocates:
//! error messages only. Fails when: the word is none of [`PixelFormat::ALL`]. Not its job: bytes (see
//! `unpack`).

use std::str::FromStr;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Packed YCbCr 4:2:2, the order Y0 Cb Y1 Cr; two bytes a pixel.
    Yuyv,
    /// The same in the order Cb Y0 Cr Y1.
    Uyvy,
    /// A plane of luma, then one of Cb and Cr in turn; 4:2:0.
    Nv12,
    /// Planes of luma, Cb, Cr; 4:2:0.
    Yu12,
    /// Planes of luma, Cr, Cb; 4:2:0.
    Yv12,
    /// Three bytes a pixel: red, green, blue.
    Rgb24,
    /// 8-bit grey.
    Grey,
    /// 10-bit counts in two bytes, little endian.
    Y10,
    /// 12-bit counts in two bytes, little endian.
    Y12,
    /// 16-bit counts, little endian.
    Y16,
    /// 16-bit counts, big endian.
    Y16Be,
    /// Announced as YUYV of twice the height: a picture for people above, 16-bit counts (little
    /// endian) below (InfiRay P2 Pro, Topdon TC001).
    YuyvOverY16,
    /// A JPEG picture in each buffer.
    Mjpg,
}

/// What a buffer is turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// RGB.
    Colour,
    /// 8-bit grey.
    Grey,
    /// Raw counts, to be range-mapped.
    Counts,
}

impl PixelFormat {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Yuyv,
        Self::Uyvy,
        Self::Nv12,
        Self::Yu12,
        Self::Yv12,
        Self::Rgb24,
        Self::Grey,
        Self::Y10,
        Self::Y12,
        Self::Y16,
        Self::Y16Be,
        Self::YuyvOverY16,
        Self::Mjpg,
    ];

    /// The four characters that V4L2 knows it by; short names are padded with spaces.
    pub const fn fourcc(self) -> [u8; 4] {
        match self {
            Self::Yuyv | Self::YuyvOverY16 => *b"YUYV",
            Self::Uyvy => *b"UYVY",
            Self::Nv12 => *b"NV12",
            Self::Yu12 => *b"YU12",
            Self::Yv12 => *b"YV12",
            Self::Rgb24 => *b"RGB3",
            Self::Grey => *b"GREY",
            Self::Y10 => *b"Y10 ",
            Self::Y12 => *b"Y12 ",
            Self::Y16 => *b"Y16 ",
            // v4l2_fourcc_be: the highest bit says big endian.
            Self::Y16Be => [b'Y', b'1', b'6', b' ' | 0x80],
            Self::Mjpg => *b"MJPG",
        }
    }

    /// The format that V4L2 means by four characters; never [`Self::YuyvOverY16`], which only a
    /// person can tell from YUYV.
    pub fn from_fourcc(fourcc: [u8; 4]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.fourcc() == fourcc)
    }

    /// Bytes of a pixel, of luma where the planes are apart; `None` for compressed pictures.
    pub const fn bytes_per_pixel(self) -> Option<usize> {
        match self {
            Self::Yuyv | Self::Uyvy | Self::YuyvOverY16 => Some(2),
            Self::Y10 | Self::Y12 | Self::Y16 | Self::Y16Be => Some(2),
            Self::Rgb24 => Some(3),
            Self::Grey | Self::Nv12 | Self::Yu12 | Self::Yv12 => Some(1),
            Self::Mjpg => None,
        }
    }

    /// What comes out.
    pub const fn content(self) -> Content {
        match self {
            Self::Grey => Content::Grey,
            Self::Y10 | Self::Y12 | Self::Y16 | Self::Y16Be | Self::YuyvOverY16 => Content::Counts,
            _ => Content::Colour,
        }
    }

    /// Channels of the picture that comes out: 3 (RGB) or 1.
    pub const fn channels(self) -> usize {
        match self.content() {
            Content::Colour => 3,
            Content::Grey | Content::Counts => 1,
        }
    }

    /// The bits of a count that mean something.
    pub const fn count_mask(self) -> u16 {
        match self {
            Self::Y10 => 0x03ff,
            Self::Y12 => 0x0fff,
            _ => 0xffff,
        }
    }
}

impl std::fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Yuyv => "YUYV",
            Self::Uyvy => "UYVY",
            Self::Nv12 => "NV12",
            Self::Yu12 => "YU12",
            Self::Yv12 => "YV12",
            Self::Rgb24 => "RGB24",
            Self::Grey => "GREY",
            Self::Y10 => "Y10",
            Self::Y12 => "Y12",
            Self::Y16 => "Y16",
            Self::Y16Be => "Y16-BE",
            Self::YuyvOverY16 => "YUYV+Y16",
            Self::Mjpg => "MJPG",
        })
    }
}

impl FromStr for PixelFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let same = |format: &Self| format.to_string().eq_ignore_ascii_case(text.trim());
        Self::ALL.into_iter().find(same).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(ToString::to_string).collect();
            format!("the format is {text:?}; use one of {}", all.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_fourccs_lead_back() {
        for format in PixelFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
            let expected = match format {
                PixelFormat::YuyvOverY16 => PixelFormat::Yuyv,
                other => other,
            };
            assert_eq!(PixelFormat::from_fourcc(format.fourcc()), Some(expected));
        }
        assert_eq!(PixelFormat::from_fourcc(*b"H264"), None);
        let text = PixelFormat::from_str("H264").unwrap_err();
        assert!(text.contains("H264") && text.contains("Y16-BE"), "{text}");
    }

    #[test]
    fn big_endian_is_another_fourcc_than_little() {
        assert_eq!(u32::from_le_bytes(PixelFormat::Y16Be.fourcc()) >> 31, 1);
        assert_eq!(&PixelFormat::Y16Be.fourcc()[..3], b"Y16");
    }
}
