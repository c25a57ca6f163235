use super::*;

const TEXT: &str = "Two people walk past a parked car with a warm engine; smoke drifts from the left \
    over the road, and the headlights of a second car glare behind the trees on the right side.";

fn info(text: &str) -> OverlayInfo<'_> {
    OverlayInfo {
        mode: Mode::Fused,
        task: Task::Ivf,
        fps: 29.97,
        text,
        origin: Origin::Llm,
        marks: Marks::default(),
        detail: true,
    }
}

fn filled(width: usize, height: usize, value: u8) -> Picture {
    let size = frame::Size::new(width, height);
    Picture::from_data(size, 3, vec![value; size.area() * 3]).unwrap()
}

fn drawn(width: usize, height: usize, value: u8, info: &OverlayInfo) -> Picture {
    let mut picture = filled(width, height, value);
    Overlay::new(picture.size()).draw(&mut picture, info);
    picture
}

/// Rows whose first pixel (in the margin) was darkened: the bands.
fn band(picture: &Picture, value: u8) -> Vec<bool> {
    (0..picture.height())
        .map(|y| picture.row(y)[0] == value >> 2)
        .collect()
}

fn count(picture: &Picture, rows: std::ops::Range<usize>, color: Rgb888) -> usize {
    let wanted = [color.r(), color.g(), color.b()];
    rows.flat_map(|y| picture.row(y).chunks_exact(3))
        .filter(|pixel| *pixel == wanted)
        .count()
}

#[test]
fn text_is_inside_the_bands_and_nothing_outside_changes() {
    for value in [8, 255] {
        for (width, height) in [(320, 240), (640, 480), (960, 720), (1920, 1080)] {
            let picture = drawn(width, height, value, &info(TEXT));
            let band = band(&picture, value);
            let top = band.iter().position(|b| !b).unwrap();
            let bottom = height - band.iter().rev().position(|b| !b).unwrap();
            assert!(top > 0 && bottom < height && (top + height - bottom) * 3 < height);
            for y in top..bottom {
                assert!(picture.row(y).iter().all(|&s| s == value), "row {y}");
            }
            assert!(count(&picture, 0..top, Rgb888::WHITE) > 200);
            assert!(count(&picture, bottom..height, Rgb888::WHITE) > 500);
            assert!(count(&picture, bottom..height, tag(Origin::Llm).1) > 20);
        }
    }
}

#[test]
fn letters_grow_with_the_picture() {
    let ink = |width, height| {
        let picture = drawn(width, height, 0, &info(""));
        count(&picture, 0..height, Rgb888::WHITE)
    };
    let small = ink(640, 480);
    assert_eq!(ink(960, 720), 4 * small);
    assert_eq!(ink(1920, 1080), 9 * small);
}

#[test]
fn medical_pictures_always_carry_the_notice() {
    for (detail, text) in [(true, TEXT), (true, ""), (false, "")] {
        let info = OverlayInfo {
            task: Task::Mif,
            detail,
            ..info(text)
        };
        let picture = drawn(640, 480, 255, &info);
        assert!(count(&picture, 0..100, Rgb888::YELLOW) > 300);
    }
}

#[test]
fn marks_are_shown_without_detail_and_nothing_else_is() {
    let plain = OverlayInfo {
        detail: false,
        ..info(TEXT)
    };
    assert_eq!(drawn(640, 480, 200, &plain), filled(640, 480, 200));

    let missing = OverlayInfo {
        marks: Marks {
            no_infrared: true,
            classic: true,
            ..Marks::default()
        },
        ..plain
    };
    let picture = drawn(640, 480, 200, &missing);
    assert!(count(&picture, 0..40, Rgb888::CSS_RED) > 500);
    assert!(count(&picture, 0..40, Rgb888::CSS_ORANGE) > 500);
}

#[test]
fn all_marks_fit_a_narrow_picture_in_a_row_of_their_own() {
    let all = OverlayInfo {
        mode: Mode::PictureInPicture,
        marks: Marks {
            no_infrared: true,
            visible_stale: true,
            classic: true,
            ..Marks::default()
        },
        ..info("")
    };
    let picture = drawn(320, 240, 200, &all);
    let band = band(&picture, 200).iter().filter(|b| **b).count();
    assert_eq!(band, 2 * 24 + 4);
}

#[test]
fn the_longest_header_fits_320_pixels() {
    let info = OverlayInfo {
        mode: Mode::PictureInPicture,
        ..info("")
    };
    let columns = Lettering::for_width(320).columns(320);
    let narrow = header(&info, columns);
    assert_eq!(narrow.as_str(), "PICTURE-IN-PICTURE ivf 30.0 fps");
    assert!(narrow.as_str().len() <= columns);
    let wide = header(&info, 64);
    assert_eq!(wide.as_str(), "PICTURE-IN-PICTURE  ivf  30.0 fps");
    let unknown = OverlayInfo {
        fps: f32::NAN,
        ..info
    };
    assert!(header(&unknown, 64).as_str().ends_with("- fps"));
}

#[test]
fn the_lines_are_made_once() {
    let mut overlay = Overlay::new(frame::Size::new(640, 480));
    let mut picture = filled(640, 480, 0);
    overlay.draw(&mut picture, &info(TEXT));
    let kept: Vec<_> = overlay.lines.iter().map(|l| l.as_ptr()).collect();
    assert_eq!(kept.len(), 3);
    overlay.draw(&mut picture, &info(TEXT));
    assert_eq!(
        kept,
        overlay.lines.iter().map(|l| l.as_ptr()).collect::<Vec<_>>()
    );
    overlay.draw(&mut picture, &info("Another text."));
    assert_eq!(overlay.lines, ["LLM: Another text."]);
}

#[test]
fn any_size_and_rate_is_drawn_without_panic() {
    for size in [(1, 1), (32, 32), (33, 4096), (4096, 32), (239, 17)] {
        for fps in [f32::NAN, -1.0, f32::INFINITY, 0.0, 1e9] {
            let odd = OverlayInfo {
                fps,
                task: Task::Mif,
                marks: Marks {
                    no_infrared: true,
                    no_visible: true,
                    infrared_stale: true,
                    visible_stale: true,
                    classic: true,
                    frozen: true,
                },
                ..info(TEXT)
            };
            drawn(size.0, size.1, 100, &odd);
        }
    }
}

#[test]
fn a_grey_picture_stays_as_it_is() {
    let mut picture = Picture::grey(frame::Size::new(64, 64));
    Overlay::new(picture.size()).draw(&mut picture, &info(TEXT));
    assert!(picture.data().iter().all(|&s| s == 0));
}
