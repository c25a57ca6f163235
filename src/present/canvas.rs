//! Drawing on a [`Picture`] with `embedded-graphics`.
//!
//! Input: embedded-graphics drawables. Output: pixels of an RGB picture. Thread: any. Blocks: never.
//! Allocates: never. What lies outside is clipped. Not its job: video, which is blitted by rows (see
//! [`scale`](super::scale)); what is drawn.

use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Dimensions, OriginDimensions, Point, Size};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::{Pixel, prelude::PointsIter};

use crate::frame::Picture;

/// An RGB picture as a target of embedded-graphics. Rectangles go by rows, not by pixels.
#[derive(Debug)]
pub struct Canvas<'a> {
    picture: &'a mut Picture,
}

impl<'a> Canvas<'a> {
    /// `None` where `picture` is not RGB: colours have no place in a grey picture.
    pub fn new(picture: &'a mut Picture) -> Option<Self> {
        (picture.channels() == 3).then_some(Self { picture })
    }

    /// Darkens `area`, clipped, to a quarter: white text reads on it whatever was there
    /// (at worst white on 63, a contrast ratio of 10:1).
    pub fn darken(&mut self, area: &Rectangle) {
        self.rows(area, |row| {
            for sample in row {
                *sample >>= 2;
            }
        });
    }

    /// Calls `visit` with the samples of each row of `area`, clipped.
    fn rows(&mut self, area: &Rectangle, mut visit: impl FnMut(&mut [u8])) {
        let Some((x, y, width, height)) = unsigned(&area.intersection(&self.bounding_box())) else {
            return;
        };
        for row in y..y + height {
            visit(&mut self.picture.row_mut(row)[3 * x..3 * (x + width)]);
        }
    }
}

/// Left, top, width and height of a rectangle inside the picture; `None` where it is empty.
fn unsigned(area: &Rectangle) -> Option<(usize, usize, usize, usize)> {
    let x = usize::try_from(area.top_left.x).ok()?;
    let y = usize::try_from(area.top_left.y).ok()?;
    let (width, height) = (area.size.width as usize, area.size.height as usize);
    (width > 0 && height > 0).then_some((x, y, width, height))
}

fn samples(color: Rgb888) -> [u8; 3] {
    [color.r(), color.g(), color.b()]
}

impl OriginDimensions for Canvas<'_> {
    fn size(&self) -> Size {
        let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Size::new(side(self.picture.width()), side(self.picture.height()))
    }
}

impl DrawTarget for Canvas<'_> {
    type Color = Rgb888;
    type Error = std::convert::Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Self::Error>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        let (width, height) = (self.picture.width(), self.picture.height());
        let data = self.picture.data_mut();
        for Pixel(point, color) in pixels {
            let (Ok(x), Ok(y)) = (usize::try_from(point.x), usize::try_from(point.y)) else {
                continue;
            };
            if x < width && y < height {
                let at = 3 * (y * width + x);
                data[at..at + 3].copy_from_slice(&samples(color));
            }
        }
        Ok(())
    }

    fn fill_contiguous<I>(&mut self, area: &Rectangle, colors: I) -> Result<(), Self::Error>
    where
        I: IntoIterator<Item = Rgb888>,
    {
        let visible = area.intersection(&self.bounding_box());
        if visible != *area {
            let points = area.points().zip(colors);
            return self.draw_iter(points.map(|(point, color)| Pixel(point, color)));
        }
        let mut colors = colors.into_iter();
        self.rows(area, |row| {
            for (pixel, color) in row.chunks_exact_mut(3).zip(&mut colors) {
                pixel.copy_from_slice(&samples(color));
            }
        });
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb888) -> Result<(), Self::Error> {
        let samples = samples(color);
        self.rows(area, |row| {
            for pixel in row.chunks_exact_mut(3) {
                pixel.copy_from_slice(&samples);
            }
        });
        Ok(())
    }
}

/// Enlarges what is drawn by a whole factor about `origin`: the fonts of embedded-graphics end
/// at 10x20 pixels, too small on a large display.
#[derive(Debug)]
pub struct Enlarged<'c, 'p> {
    /// Where it lands.
    pub canvas: &'c mut Canvas<'p>,
    /// The point of the canvas that is (0, 0) here.
    pub origin: Point,
    /// Side of a pixel on the canvas, 1 or more.
    pub factor: u32,
}

impl Dimensions for Enlarged<'_, '_> {
    fn bounding_box(&self) -> Rectangle {
        let bounds = self.canvas.bounding_box();
        let factor = i32::try_from(self.factor).unwrap_or(i32::MAX);
        let first = bounds.top_left - self.origin;
        // Rounded outwards; the canvas clips exactly.
        let top_left = Point::new(first.x.div_euclid(factor), first.y.div_euclid(factor));
        let size = Size::new(
            bounds.size.width / self.factor + 2,
            bounds.size.height / self.factor + 2,
        );
        Rectangle::new(top_left, size)
    }
}

impl DrawTarget for Enlarged<'_, '_> {
    type Color = Rgb888;
    type Error = std::convert::Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Self::Error>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        if self.factor == 1 {
            let origin = self.origin;
            let moved = pixels.into_iter().map(|Pixel(p, c)| Pixel(p + origin, c));
            return self.canvas.draw_iter(moved);
        }
        for Pixel(point, color) in pixels {
            self.fill_solid(&Rectangle::new(point, Size::new_equal(1)), color)?;
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb888) -> Result<(), Self::Error> {
        let factor = i32::try_from(self.factor).unwrap_or(i32::MAX);
        let area = Rectangle::new(
            self.origin + area.top_left * factor,
            area.size * self.factor,
        );
        self.canvas.fill_solid(&area, color)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size as PictureSize;
    use embedded_graphics::prelude::*;
    use embedded_graphics::primitives::{Circle, PrimitiveStyle};
    use proptest::prelude::*;

    /// What a target must do, pixel by pixel.
    struct Naive(Picture);

    impl OriginDimensions for Naive {
        fn size(&self) -> Size {
            Size::new(self.0.width() as u32, self.0.height() as u32)
        }
    }

    impl DrawTarget for Naive {
        type Color = Rgb888;
        type Error = std::convert::Infallible;

        fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
            &mut self,
            pixels: I,
        ) -> Result<(), Self::Error> {
            for Pixel(p, c) in pixels {
                if self.bounding_box().contains(p) {
                    let row = self.0.row_mut(p.y as usize);
                    row[3 * p.x as usize..][..3].copy_from_slice(&samples(c));
                }
            }
            Ok(())
        }
    }

    const SIZE: PictureSize = PictureSize::new(23, 17);

    fn color(n: usize) -> Rgb888 {
        Rgb888::new((n * 37 % 251) as u8 + 1, (n * 11 % 241) as u8, n as u8)
    }

    proptest! {
        #[test]
        fn rectangles_equal_those_drawn_pixel_by_pixel(
            x in -30i32..40, y in -30i32..40, width in 0u32..50, height in 0u32..50,
        ) {
            let area = Rectangle::new(Point::new(x, y), Size::new(width, height));
            let colors = (0..area.size.width * area.size.height).map(|n| color(n as usize));
            let mut naive = Naive(Picture::rgb(SIZE));
            let mut picture = Picture::rgb(SIZE);
            naive.fill_contiguous(&area, colors.clone()).unwrap();
            Canvas::new(&mut picture).unwrap().fill_contiguous(&area, colors).unwrap();
            prop_assert_eq!(&picture, &naive.0);

            naive.fill_solid(&area, color(5)).unwrap();
            Canvas::new(&mut picture).unwrap().fill_solid(&area, color(5)).unwrap();
            prop_assert_eq!(&picture, &naive.0);
        }

        #[test]
        fn enlarged_pixels_are_squares(factor in 1u32..4, x in -9i32..9, y in -9i32..9) {
            let circle = Circle::new(Point::new(-2, 1), 7)
                .into_styled(PrimitiveStyle::with_fill(color(9)));
            let origin = Point::new(x, y);
            let mut picture = Picture::rgb(SIZE);
            let mut canvas = Canvas::new(&mut picture).unwrap();
            circle.draw(&mut Enlarged { canvas: &mut canvas, origin, factor }).unwrap();

            let mut naive = Naive(Picture::rgb(SIZE));
            let side = factor as i32;
            let squares = circle.pixels().flat_map(|Pixel(p, c)| {
                Rectangle::new(origin + p * side, Size::new_equal(factor))
                    .points()
                    .map(move |p| Pixel(p, c))
            });
            naive.draw_iter(squares).unwrap();
            prop_assert_eq!(&picture, &naive.0);
        }
    }

    #[test]
    fn darkening_is_clipped_and_leaves_the_rest() {
        let mut picture = Picture::from_data(SIZE, 3, vec![255; SIZE.area() * 3]).unwrap();
        Canvas::new(&mut picture)
            .unwrap()
            .darken(&Rectangle::new(Point::new(-5, 15), Size::new(100, 100)));
        assert!(picture.row(14).iter().all(|&s| s == 255));
        assert!(picture.row(15).iter().all(|&s| s == 63));
    }

    #[test]
    fn a_grey_picture_is_no_canvas() {
        assert!(Canvas::new(&mut Picture::grey(SIZE)).is_none());
    }
}
