use super::*;
use proptest::prelude::*;

fn picture(size: Size, channels: usize) -> Picture {
    let data = (0..size.area() * channels)
        .map(|n| (n * n * 31 + n * 7) as u8)
        .collect();
    Picture::from_data(size, channels, data).unwrap()
}

fn scaled(picture: &Picture, dst: Size, filter: Filter, layout: PixelOrder) -> Vec<u8> {
    let mut target = vec![0xee; dst.area() * layout.bytes()];
    Scaler::new(picture.size(), dst, filter, layout).scale(
        picture,
        &mut target,
        dst.width * layout.bytes(),
    );
    target
}

/// The same in floating point, pixel by pixel.
fn naive(picture: &Picture, dst: Size, x: usize, y: usize, channel: usize) -> f64 {
    let at = |n: usize, src: usize, dst: usize| {
        (((n as f64 + 0.5) * src as f64 / dst as f64) - 0.5).clamp(0.0, src as f64 - 1.0)
    };
    let (sx, sy) = (
        at(x, picture.width(), dst.width),
        at(y, picture.height(), dst.height),
    );
    let sample = |x: usize, y: usize| {
        let x = x.min(picture.width() - 1);
        let row = picture.row(y.min(picture.height() - 1));
        f64::from(row[x * picture.channels() + channel])
    };
    let (x0, y0) = (sx as usize, sy as usize);
    let (fx, fy) = (sx.fract(), sy.fract());
    let line = |y| sample(x0, y) * (1.0 - fx) + sample(x0 + 1, y) * fx;
    line(y0) * (1.0 - fy) + line(y0 + 1) * fy
}

proptest! {
    #[test]
    fn a_fitted_rectangle_is_the_largest_of_its_aspect(
        sw in 1usize..3000, sh in 1usize..3000, dw in 1usize..3000, dh in 1usize..3000,
    ) {
        let rect = fit(Size::new(sw, sh), Size::new(dw, dh));
        let Size { width, height } = rect.size;
        prop_assert!(width >= 1 && height >= 1);
        prop_assert!(rect.x + width <= dw && rect.y + height <= dh);
        prop_assert!(width == dw || height == dh);
        // In the middle, to a pixel.
        prop_assert!((dw - width - rect.x).abs_diff(rect.x) <= 1);
        prop_assert!((dh - height - rect.y).abs_diff(rect.y) <= 1);
        // The other side is off by less than a pixel, but for the least side of 1.
        let exact = if width == dw {
            (height as f64, sh as f64 * dw as f64 / sw as f64)
        } else {
            (width as f64, sw as f64 * dh as f64 / sh as f64)
        };
        prop_assert!((exact.0 - exact.1).abs() <= 1.0, "{:?}", exact);
    }

    #[test]
    fn bilinear_agrees_with_floating_point(
        sw in 1usize..12, sh in 1usize..12, dw in 1usize..30, dh in 1usize..30, rgb: bool,
    ) {
        let picture = picture(Size::new(sw, sh), if rgb { 3 } else { 1 });
        let dst = Size::new(dw, dh);
        let got = scaled(&picture, dst, Filter::Bilinear, PixelOrder::Rgb);
        for (n, &value) in got.iter().enumerate() {
            let (x, y, c) = (n / 3 % dw, n / 3 / dw, n % 3);
            let exact = naive(&picture, dst, x, y, if rgb { c } else { 0 });
            // Weights are whole 1/256: at most 1 off for each direction, and two roundings.
            prop_assert!((f64::from(value) - exact).abs() < 3.0, "{value} {exact} at {x},{y}");
        }
    }

    #[test]
    fn nearest_only_gives_pixels_of_the_source(
        sw in 1usize..12, sh in 1usize..12, dw in 1usize..30, dh in 1usize..30,
    ) {
        let picture = picture(Size::new(sw, sh), 3);
        let got = scaled(&picture, Size::new(dw, dh), Filter::Nearest, PixelOrder::Rgb);
        for (n, pixel) in got.chunks_exact(3).enumerate() {
            let (x, y) = (n % dw, n / dw);
            // The source pixel that the target pixel's centre lies in.
            let (x, y) = ((2 * x + 1) * sw / (2 * dw), (2 * y + 1) * sh / (2 * dh));
            prop_assert_eq!(pixel, &picture.row(y)[3 * x..3 * x + 3]);
        }
    }
}

#[test]
fn half_size_is_the_mean_of_four() {
    let size = Size::new(8, 6);
    let picture = picture(size, 1);
    let got = scaled(&picture, Size::new(4, 3), Filter::Bilinear, PixelOrder::Rgb);
    for (n, pixel) in got.chunks_exact(3).enumerate() {
        let (x, y) = (2 * (n % 4), 2 * (n / 4));
        let four = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
        let sum: u32 = four
            .iter()
            .map(|&(x, y)| u32::from(picture.row(y)[x]))
            .sum();
        let mean = f64::from(sum) / 4.0;
        assert!((f64::from(pixel[0]) - mean).abs() <= 1.0);
    }
}

#[test]
fn the_same_size_is_a_copy_in_the_order_of_the_display() {
    let picture = picture(Size::new(5, 3), 3);
    for filter in [Filter::Nearest, Filter::Bilinear] {
        let got = scaled(&picture, picture.size(), filter, PixelOrder::Rgb);
        assert_eq!(got, picture.data());
        let got = scaled(&picture, picture.size(), filter, PixelOrder::Xrgb8888);
        for (xrgb, rgb) in got.chunks_exact(4).zip(picture.data().chunks_exact(3)) {
            assert_eq!(xrgb, [rgb[2], rgb[1], rgb[0], 0]);
        }
    }
}

#[test]
fn only_the_target_is_written() {
    let picture = picture(Size::new(4, 4), 3);
    let dst = Size::new(6, 6);
    let pitch = 40;
    let mut target = vec![0xee; pitch * 8];
    let mut scaler = Scaler::new(picture.size(), dst, Filter::Bilinear, PixelOrder::Xrgb8888);
    scaler.scale(&picture, &mut target, pitch);
    for (y, row) in target.chunks_exact(pitch).enumerate() {
        let written = if y < 6 { 24 } else { 0 };
        assert!(row[written..].iter().all(|&b| b == 0xee), "row {y}");
        assert!(row[..written].chunks_exact(4).all(|p| p[3] == 0));
    }
    // A target that ends early, a pitch that is too small, another picture: no panic.
    scaler.scale(&picture, &mut target[..pitch + 3], pitch);
    scaler.scale(&picture, &mut target, 23);
    scaler.scale(&Picture::rgb(Size::new(3, 4)), &mut target, pitch);
}

#[test]
fn a_second_picture_leaves_no_trace_of_the_first() {
    let size = Size::new(4, 4);
    let mut scaler = Scaler::new(size, Size::new(9, 9), Filter::Bilinear, PixelOrder::Rgb);
    let mut target = vec![0; 9 * 9 * 3];
    scaler.scale(&picture(size, 3), &mut target, 27);
    let white = Picture::from_data(size, 3, vec![255; 48]).unwrap();
    scaler.scale(&white, &mut target, 27);
    assert!(target.iter().all(|&s| s == 255));
}
