use super::*;
use proptest::prelude::*;

fn reference(quantization: Quantization, y: u8, cb: u8, cr: u8) -> [f64; 3] {
    // BT.601: Kr = 0.299, Kb = 0.114.
    let (y, cb, cr) = (f64::from(y), f64::from(cb) - 128.0, f64::from(cr) - 128.0);
    let (y, cb, cr) = match quantization {
        Quantization::Limited => ((y - 16.0) / 219.0, cb / 224.0, cr / 224.0),
        Quantization::Full => (y / 255.0, cb / 255.0, cr / 255.0),
    };
    let (kr, kb) = (0.299, 0.114);
    let r = y + 2.0 * (1.0 - kr) * cr;
    let b = y + 2.0 * (1.0 - kb) * cb;
    let g = (y - kr * r - kb * b) / (1.0 - kr - kb);
    [r, g, b].map(|v| (v * 255.0).clamp(0.0, 255.0))
}

fn layout(width: usize, height: usize, stride: usize, telemetry_rows: usize) -> BufferLayout {
    BufferLayout {
        size: Size::new(width, height),
        stride,
        telemetry_rows,
    }
}

proptest! {
    #[test]
    fn yuyv_is_within_one_of_the_float_reference(
        y0: u8, y1: u8, cb: u8, cr: u8, full: bool,
    ) {
        let q = if full { Quantization::Full } else { Quantization::Limited };
        let mut out = Picture::rgb(Size::new(2, 1));
        packed_to_rgb(&layout(2, 1, 4, 0),PixelFormat::Yuyv, q, &[y0, cb, y1, cr], &mut out).unwrap();
        for (pixel, y) in [(0, y0), (1, y1)] {
            for (channel, exact) in reference(q, y, cb, cr).into_iter().enumerate() {
                let found = f64::from(out.data()[pixel * 3 + channel]);
                prop_assert!((found - exact).abs() <= 1.0, "{found} {exact}");
            }
        }
    }

    #[test]
    fn y16_honours_stride_and_cuts_telemetry(
        width in 1usize..40, height in 1usize..20, pad in 0usize..9, telemetry in 0usize..4,
    ) {
        let stride = width * 2 + pad;
        let l = layout(width, height, stride, telemetry);
        let mut bytes = vec![0xee; stride * (height + telemetry)];
        for y in 0..height {
            for x in 0..width {
                let count = (y * 1000 + x) as u16;
                bytes[y * stride + 2 * x..][..2].copy_from_slice(&count.to_le_bytes());
            }
        }
        let mut out = Counts::new(Size::new(1, 1));
        counts(&l, PixelFormat::Y16, &bytes, &mut out).unwrap();
        prop_assert_eq!(out.size, l.size);
        for (i, count) in out.data.iter().enumerate() {
            prop_assert_eq!(usize::from(*count), i / width * 1000 + i % width);
        }
    }

    #[test]
    fn every_short_buffer_is_refused(missing in 1usize..200) {
        let l = layout(10, 8, 24, 2);
        let whole = 9 * 24 + 20;
        let found = whole - missing;
        let error = counts(&l, PixelFormat::Y16, &vec![0; found], &mut Counts::new(l.size)).unwrap_err();
        let text = error.to_string();
        prop_assert!(text.contains(&format!("needs {whole} bytes, {found} were")), "{}", text);
    }

    #[test]
    fn no_bytes_make_the_jpeg_walk_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut with_start = vec![0xff, 0xd8];
        with_start.extend(&bytes);
        let _ = jpeg::check(&with_start);
        let _ = MjpgDecoder::default().decode(Size::new(8, 8), &with_start, &mut Picture::rgb(Size::new(8, 8)));
    }
}

#[test]
fn grey_takes_the_last_row_without_padding() {
    let l = layout(3, 2, 5, 0);
    let mut out = Picture::grey(Size::new(1, 1));
    grey(&l, &[1, 2, 3, 0, 0, 4, 5, 6], &mut out).unwrap();
    assert_eq!(out.data(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_stride_shorter_than_a_row_is_refused() {
    let error = grey(
        &layout(8, 2, 7, 0),
        &[0; 99],
        &mut Picture::grey(Size::new(1, 1)),
    );
    assert!(matches!(
        error,
        Err(UnpackError::Stride {
            expected: 8,
            found: 7,
            ..
        })
    ));
    let odd = packed_to_rgb(
        &layout(3, 1, 6, 0),
        PixelFormat::Yuyv,
        Quantization::Limited,
        &[0; 6],
        &mut Picture::rgb(Size::new(1, 1)),
    );
    assert_eq!(odd, Err(UnpackError::OddWidth(3, PixelFormat::Yuyv)));
}

fn decode(size: Size, bytes: &[u8], out: &mut Picture) -> Result<(), UnpackError> {
    MjpgDecoder::default().decode(size, bytes, out)
}

fn jpeg(size: Size) -> Vec<u8> {
    let data: Vec<u8> = (0..size.area() * 3).map(|i| (i / 7 % 256) as u8).collect();
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95)
        .encode(
            &data,
            size.width as u32,
            size.height as u32,
            image::ExtendedColorType::Rgb8,
        )
        .unwrap();
    bytes
}

#[test]
fn mjpg_is_decoded_and_padding_behind_it_is_ignored() {
    let size = Size::new(64, 48);
    let mut bytes = jpeg(size);
    bytes.extend([0; 100]);
    let mut out = Picture::rgb(Size::new(1, 1));
    decode(size, &bytes, &mut out).unwrap();
    assert_eq!((out.size(), out.channels()), (size, 3));
    let off = |i: usize| i32::from(out.data()[i]) - (i / 7 % 256) as i32;
    assert!((0..300).all(|i| off(i).abs() < 40));
}

#[test]
fn mjpg_without_huffman_tables_is_decoded() {
    // What many UVC cameras send: the standard tables are left out.
    let size = Size::new(32, 32);
    let whole = jpeg(size);
    let mut bare = vec![0xff, 0xd8];
    let mut at = 2;
    loop {
        let marker = whole[at + 1];
        let length = usize::from(u16::from_be_bytes([whole[at + 2], whole[at + 3]]));
        if marker != 0xc4 {
            bare.extend(&whole[at..at + 2 + length]);
        }
        at += 2 + length;
        if marker == 0xda {
            break;
        }
    }
    bare.extend(&whole[at..]);
    assert!(bare.len() < whole.len());
    let (mut a, mut b) = (Picture::rgb(size), Picture::rgb(size));
    decode(size, &whole, &mut a).unwrap();
    decode(size, &bare, &mut b).unwrap();
    assert_eq!(a, b);
}

#[test]
fn a_torn_jpeg_is_refused_wherever_it_was_cut() {
    let size = Size::new(64, 48);
    let bytes = jpeg(size);
    let mut out = Picture::rgb(size);
    for length in (0..bytes.len() - 1).step_by(37) {
        let error = decode(size, &bytes[..length], &mut out)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("{length} bytes are not")),
            "{error}"
        );
    }
    let other = decode(Size::new(48, 64), &bytes, &mut out)
        .unwrap_err()
        .to_string();
    assert!(
        other.contains("48x64") && other.contains("64x48"),
        "{other}"
    );
}

#[test]
fn formats_are_read_by_name() {
    assert_eq!("y16".parse(), Ok(PixelFormat::Y16));
    assert_eq!("Y16 ".parse(), Ok(PixelFormat::Y16));
    assert!("H264".parse::<PixelFormat>().unwrap_err().contains("H264"));
}

#[test]
fn uyvy_is_yuyv_with_its_bytes_swapped() {
    let bytes = [10, 20, 30, 40, 50, 60, 70, 80];
    let swapped = [20, 10, 40, 30, 60, 50, 80, 70];
    let l = layout(4, 1, 8, 0);
    let [mut a, mut b] = [(); 2].map(|()| Picture::rgb(Size::new(1, 1)));
    packed_to_rgb(&l, PixelFormat::Yuyv, Quantization::Limited, &bytes, &mut a).unwrap();
    packed_to_rgb(
        &l,
        PixelFormat::Uyvy,
        Quantization::Limited,
        &swapped,
        &mut b,
    )
    .unwrap();
    assert_eq!(a, b);
}

#[test]
fn counts_keep_only_the_bits_of_their_format() {
    let l = layout(2, 1, 4, 0);
    let mut out = Counts::new(l.size);
    let mut of = |format| {
        counts(&l, format, &[0x34, 0x12, 0xff, 0xff], &mut out).unwrap();
        out.data.clone()
    };
    assert_eq!(of(PixelFormat::Y16), [0x1234, 0xffff]);
    assert_eq!(of(PixelFormat::Y16Be), [0x3412, 0xffff]);
    assert_eq!(of(PixelFormat::Y12), [0x0234, 0x0fff]);
    assert_eq!(of(PixelFormat::Y10), [0x0234, 0x03ff]);
}

#[test]
fn the_counts_below_a_picture_are_taken_and_must_be_there() {
    // One row of picture, one of counts, as a P2 Pro has 192 of each.
    let l = layout(2, 1, 4, 0);
    let bytes = [200, 0x80, 201, 0x80, 0x94, 0x49, 0x00, 0x4b];
    let mut out = Counts::new(Size::new(1, 1));
    counts(&l, PixelFormat::YuyvOverY16, &bytes, &mut out).unwrap();
    assert_eq!(out.data, [0x4994, 0x4b00]);
    assert!(counts(&l, PixelFormat::YuyvOverY16, &bytes[..7], &mut out).is_err());
}

#[test]
fn rgb_is_taken_as_it_is_without_padding() {
    let mut out = Picture::grey(Size::new(1, 1));
    let bytes = [1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12];
    rgb(&layout(2, 2, 8, 0), &bytes, &mut out).unwrap();
    assert_eq!(out.data(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
}
