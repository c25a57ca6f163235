//! Planar YCbCr 4:2:0 to RGB: NV12, YU12, YV12.
//!
//! Input: luma rows, then chroma of half the size both ways, with the luma's stride (or half of it
//! where Cb and Cr have planes of their own). Output: RGB by BT.601. Thread: acquire. Blocks: never.
//! Allocates: where the picture given has another shape. Fails when: the buffer is short or a side is
//! odd ([`UnpackError`]). Not its job: chroma filtering; each 2x2 block has its own chroma.

use super::{BufferLayout, PairsToRgb, PixelFormat, Quantization, UnpackError};
use crate::frame::{Picture, Size};
use crate::simd::int8::Path;

/// Where in a buffer chroma lies.
struct Chroma {
    /// Start of Cb and of Cr.
    starts: [usize; 2],
    /// From row to row.
    stride: usize,
    /// From pixel to pixel of the same plane.
    step: usize,
}

impl Chroma {
    fn new(layout: &BufferLayout, format: PixelFormat) -> Self {
        let luma = layout.stride * layout.size.height;
        let (half, plane) = (
            layout.stride / 2,
            layout.stride / 2 * (layout.size.height / 2),
        );
        match format {
            PixelFormat::Yu12 => Self {
                starts: [luma, luma + plane],
                stride: half,
                step: 1,
            },
            PixelFormat::Yv12 => Self {
                starts: [luma + plane, luma],
                stride: half,
                step: 1,
            },
            _ => Self {
                starts: [luma, luma + 1],
                stride: layout.stride,
                step: 2,
            },
        }
    }

    /// One past the last byte that is read, of `size` pixels of luma.
    fn end(&self, size: Size) -> usize {
        let last = (size.height / 2).saturating_sub(1) * self.stride;
        let across = (size.width / 2).saturating_sub(1) * self.step;
        self.starts[0].max(self.starts[1]) + last + across + 1
    }
}

/// NV12, YU12 or YV12 to RGB.
///
/// # Errors
/// [`UnpackError`]; `out` is untouched then.
pub fn planar_to_rgb(
    layout: &BufferLayout,
    format: PixelFormat,
    quantization: Quantization,
    source: &[u8],
    out: &mut Picture,
) -> Result<(), UnpackError> {
    let Size { width, height } = layout.size;
    if !width.is_multiple_of(2) {
        return Err(UnpackError::OddWidth(width, format));
    }
    if !height.is_multiple_of(2) {
        return Err(UnpackError::OddHeight(height, format));
    }
    if layout.stride < width {
        return Err(UnpackError::Stride {
            format,
            width,
            expected: width,
            found: layout.stride,
        });
    }
    let chroma = Chroma::new(layout, format);
    let expected = chroma.end(layout.size);
    if source.len() < expected {
        return Err(UnpackError::Short {
            format,
            size: layout.size,
            expected,
            found: source.len(),
        });
    }
    out.reshape(layout.size, 3);
    for y in 0..height {
        let luma = &source[y * layout.stride..][..width];
        let [cb, cr] = chroma.starts.map(|s| &source[s + y / 2 * chroma.stride..]);
        let (lumas, out) = (luma.as_chunks::<2>().0.iter().copied(), out.row_mut(y));
        match chroma.step {
            1 => Path::best().run(PairsToRgb {
                pairs: lumas.zip(cb.iter().zip(cr).map(|(&cb, &cr)| [cb, cr])),
                quantization,
                out,
            }),
            // Cb and Cr in turn.
            _ => Path::best().run(PairsToRgb {
                pairs: lumas.zip(cb.as_chunks::<2>().0.iter().copied()),
                quantization,
                out,
            }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acquire::unpack::packed_to_rgb;
    use proptest::prelude::*;

    fn layout(width: usize, height: usize, stride: usize) -> BufferLayout {
        BufferLayout {
            size: Size::new(width, height),
            stride,
            telemetry_rows: 0,
        }
    }

    /// The same picture in each of the formats.
    fn packed(format: PixelFormat, l: &BufferLayout, luma: &[u8], chroma: &[[u8; 2]]) -> Vec<u8> {
        let Size { width, height } = l.size;
        let (half, mut out) = (width / 2, vec![0xee; l.stride * height]);
        for y in 0..height {
            out[y * l.stride..][..width].copy_from_slice(&luma[y * width..][..width]);
        }
        let mut plane = |which: &[usize], stride: usize| {
            for y in 0..height / 2 {
                let row = chroma[y * half..][..half].iter();
                let mut bytes: Vec<u8> = row.flat_map(|c| which.iter().map(|&i| c[i])).collect();
                bytes.resize(stride, 0xee);
                out.extend(bytes);
            }
        };
        match format {
            PixelFormat::Nv12 => plane(&[0, 1], l.stride),
            PixelFormat::Yu12 => [0, 1].iter().for_each(|&i| plane(&[i], l.stride / 2)),
            _ => [1, 0].iter().for_each(|&i| plane(&[i], l.stride / 2)),
        }
        out
    }

    proptest! {
        #[test]
        fn planar_formats_give_what_yuyv_gives(
            half_width in 1usize..9, half_height in 1usize..5, pad in 0usize..4,
            luma in proptest::collection::vec(any::<u8>(), 16 * 8),
            chroma in proptest::collection::vec(any::<[u8; 2]>(), 8 * 4), full: bool,
        ) {
            let q = if full { Quantization::Full } else { Quantization::Limited };
            let (width, height) = (2 * half_width, 2 * half_height);
            let mut yuyv = Vec::new();
            for y in 0..height {
                for x in 0..width {
                    let [cb, cr] = chroma[y / 2 * half_width + x / 2];
                    yuyv.extend([luma[y * width + x], if x % 2 == 0 { cb } else { cr }]);
                }
            }
            let mut expected = Picture::rgb(Size::new(1, 1));
            let plain = layout(width, height, 2 * width);
            packed_to_rgb(&plain, PixelFormat::Yuyv, q, &yuyv, &mut expected).unwrap();
            for format in [PixelFormat::Nv12, PixelFormat::Yu12, PixelFormat::Yv12] {
                let l = layout(width, height, width + 2 * pad);
                let bytes = packed(format, &l, &luma, &chroma);
                let mut out = Picture::rgb(Size::new(1, 1));
                planar_to_rgb(&l, format, q, &bytes, &mut out).unwrap();
                prop_assert_eq!(&out, &expected, "{}", format);
            }
        }

        #[test]
        fn short_and_odd_buffers_are_refused(length in 0usize..200, width in 0usize..20, height in 0usize..12, stride in 0usize..24) {
            for format in [PixelFormat::Nv12, PixelFormat::Yu12, PixelFormat::Yv12] {
                let l = layout(width, height, stride);
                let mut out = Picture::rgb(Size::new(2, 2));
                let result = planar_to_rgb(&l, format, Quantization::Full, &vec![0; length], &mut out);
                if length < width * height * 3 / 2 {
                    prop_assert!(result.is_err());
                }
            }
        }
    }
}
