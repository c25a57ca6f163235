//! What a file is, by its content.
//!
//! Input: the first bytes. Output: [`Kind`]. Fails when: never; what nobody knows is [`Kind::Unknown`].
//! Not its job: decoding; kinds within JPEG and TIFF (see `jpeg.rs` and `tiff/`).

use image::ImageFormat;

use super::error::CONVERT;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A format that the image crate reads.
    Raster(ImageFormat),
    /// TIFF or BigTIFF.
    Tiff,
    /// A record of a FLIR camera without a preview.
    Flir,
    /// A kind that is known and not read: its name with an article, and what to do.
    Foreign(&'static str, &'static str),
    /// Nothing that is known.
    Unknown,
}

/// Bytes that [`Kind::of`] looks at, at most.
pub const LOOKED_AT: usize = 512;

const RAW: &str = "develop it to a 16-bit TIFF with the camera maker's program or a raw converter";
const VIDEO: &str = "save single frames as PNG first";
const MEDICAL: &str = "export its slices as 16-bit PNG or TIFF with a medical viewer";
const UNPACK: &str = "unpack it first";
const EXPORT: &str = "export it as PNG or TIFF first";

/// Signatures of kinds that are not read: place, bytes, name, what to do.
const FOREIGN: &[(usize, &[u8], &str, &str)] = &[
    (128, b"DICM", "a DICOM file", MEDICAL),
    (344, b"n+1\0", "a NIfTI file", MEDICAL),
    (344, b"ni1\0", "the header of a NIfTI file", MEDICAL),
    (0, b"NRRD000", "an NRRD file", MEDICAL),
    (8, b"CR\x02", "a Canon raw file (CR2)", RAW),
    (6, b"HEAPCCDR", "a Canon raw file (CRW)", RAW),
    (4, b"ftypcrx ", "a Canon raw file (CR3)", RAW),
    (0, b"IIRO", "an Olympus raw file (ORF)", RAW),
    (0, b"IIRS", "an Olympus raw file (ORF)", RAW),
    (0, b"MMOR", "an Olympus raw file (ORF)", RAW),
    (0, b"IIU\0", "a Panasonic raw file (RW2)", RAW),
    (0, b"FUJIFILMCCD-RAW", "a Fujifilm raw file (RAF)", RAW),
    (0, b"FOVb", "a Sigma raw file (X3F)", RAW),
    (0, b"\0MRM", "a Minolta raw file (MRW)", RAW),
    (4, b"ftypheic", "an HEIC picture", CONVERT),
    (4, b"ftypheix", "an HEIC picture", CONVERT),
    (4, b"ftyphevc", "an HEIC sequence", CONVERT),
    (4, b"ftypmif1", "an HEIF picture", CONVERT),
    (4, b"ftypmsf1", "an HEIF sequence", CONVERT),
    (4, b"ftypavif", "an AVIF picture", CONVERT),
    (4, b"ftypavis", "an AVIF sequence", CONVERT),
    (4, b"ftyp", "a video (MP4 or QuickTime)", VIDEO),
    (4, b"moov", "a QuickTime video", VIDEO),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", CONVERT),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 stream", CONVERT),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture", CONVERT),
    (0, b"\xff\x0a", "a JPEG XL picture", CONVERT),
    (0, b"II\xbc", "a JPEG XR picture", CONVERT),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture", CONVERT),
    (0, b"#?RADIANCE", "a Radiance HDR picture", CONVERT),
    (0, b"#?RGBE", "a Radiance HDR picture", CONVERT),
    (0, b"8BPS", "a Photoshop file", EXPORT),
    (0, b"gimp xcf", "a GIMP file", EXPORT),
    (0, b"%PDF", "a PDF file", EXPORT),
    (0, b"qoif", "a QOI picture", CONVERT),
    (0, b"DDS ", "a DDS texture", CONVERT),
    (0, b"farbfeld", "a farbfeld picture", CONVERT),
    (0, b"\0\0\x01\0", "a Windows icon", EXPORT),
    (0, b"SIMPLE  =", "a FITS file", CONVERT),
    (
        0,
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file (or MATLAB's)",
        EXPORT,
    ),
    (0, b"MATLAB 5.0", "a MATLAB file", EXPORT),
    (
        0,
        b"\x93NUMPY",
        "a NumPy array",
        "save it as a 16-bit PNG or a TIFF",
    ),
    (8, b"AVI ", "an AVI video", VIDEO),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video", VIDEO),
    (0, b"PK\x03\x04", "a ZIP archive", UNPACK),
    (0, b"\x1f\x8b", "a gzip file", UNPACK),
    (0, b"BZh", "a bzip2 file", UNPACK),
    (0, b"\xfd7zXZ\0", "an xz file", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file", UNPACK),
    (0, b"Rar!", "a RAR archive", UNPACK),
    (0, b"<svg", "an SVG drawing", EXPORT),
    (
        0,
        b"<!DOCTYPE html",
        "a web page, not a picture",
        "download the picture itself",
    ),
    (
        0,
        b"<html",
        "a web page, not a picture",
        "download the picture itself",
    ),
    (
        0,
        b"version https://git-lfs",
        "a Git LFS pointer, not the picture",
        "fetch the file itself with git lfs pull",
    ),
];

impl Kind {
    /// Of a file that begins with `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let at = |place: usize, mark: &[u8]| {
            bytes
                .get(place..place + mark.len())
                .is_some_and(|found| found == mark)
        };
        let foreign = FOREIGN.iter().find(|(place, mark, ..)| at(*place, mark));
        // CR2 is a TIFF as well, and DICOM may begin as one.
        if let Some((_, _, name, advice)) = foreign {
            return Self::Foreign(name, advice);
        }
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => Self::Raster(ImageFormat::Png),
            [0xff, 0xd8, ..] => Self::Raster(ImageFormat::Jpeg),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Self::Tiff,
            [b'B', b'M', ..] if bytes.len() > 14 => Self::Raster(ImageFormat::Bmp),
            [b'G', b'I', b'F', b'8', ..] => Self::Raster(ImageFormat::Gif),
            [b'R', b'I', b'F', b'F', ..] if at(8, b"WEBP") => Self::Raster(ImageFormat::WebP),
            [b'P', b'1'..=b'7', end, ..] if end.is_ascii_whitespace() => {
                Self::Raster(ImageFormat::Pnm)
            }
            [b'F' | b'A', b'F', b'F', 0, ..] => Self::Flir,
            _ => Self::Unknown,
        }
    }

    /// Whether it is read.
    pub fn is_read(self) -> bool {
        matches!(self, Self::Raster(_) | Self::Tiff | Self::Flir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_content() {
        let mut dicom = vec![0; 128];
        dicom.extend(b"DICM");
        let named = [
            (&dicom[..], "DICOM"),
            (b"II*\0\x10\0\0\0CR\x02\0", "Canon raw"),
            (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
            (b"\0\0\0\x18ftypisom\0\0", "video"),
            (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        ];
        for (bytes, word) in named {
            let kind = Kind::of(bytes);
            assert!(
                matches!(kind, Kind::Foreign(name, _) if name.contains(word)),
                "{word}: {kind:?}"
            );
        }
        assert_eq!(Kind::of(b"II*\0\x08\0\0\0"), Kind::Tiff);
        assert_eq!(Kind::of(b"MM\0+\0\x08\0\0"), Kind::Tiff);
        assert_eq!(Kind::of(b"P5\n3 3"), Kind::Raster(ImageFormat::Pnm));
        assert_eq!(Kind::of(b"a text"), Kind::Unknown);
        assert_eq!(Kind::of(b""), Kind::Unknown);
    }

    #[test]
    fn every_name_has_an_article_and_says_what_to_do() {
        for (_, mark, name, advice) in FOREIGN {
            assert!(!mark.is_empty() && !advice.is_empty());
            assert!(
                ["a ", "an ", "the "].iter().any(|a| name.starts_with(a)),
                "{name}"
            );
        }
    }
}
