use super::*;

const SIZE: Size = Size::new(60, 48);

/// Source A: a warm disc of 200 on 50. Source B: green, bright from the middle column on.
fn pair() -> AlignedPair {
    let mut pair = AlignedPair::new(SIZE);
    pair.infrared.reshape(SIZE, 1);
    for y in 0..SIZE.height {
        for x in 0..SIZE.width {
            let (dx, dy) = (x as isize - 15, y as isize - 15);
            pair.infrared.row_mut(y)[x] = if dx * dx + dy * dy < 64 { 200 } else { 50 };
            let green = if x < 30 { [10, 60, 20] } else { [30, 180, 60] };
            pair.visible.row_mut(y)[3 * x..3 * x + 3].copy_from_slice(&green);
        }
    }
    pair.has_infrared = true;
    pair.has_visible = true;
    pair
}

fn compose(view: DisplaySettings, pair: &AlignedPair) -> Picture {
    let mut composer = Composer::new(SIZE);
    let mut out = Picture::grey(SIZE);
    let (infrared, visible) = composer.luma_planes(pair);
    assert_eq!((infrared.channels(), visible.channels()), (1, 1));
    let fused = infrared.clone();
    // Every mode leaves its marks on the scratch pictures; none may show in the next frame.
    for mode in Mode::ALL {
        composer.compose(DisplaySettings { mode, ..view }, pair, &fused, &mut out);
        assert_eq!((out.size(), out.channels()), (SIZE, 3));
    }
    composer.compose(view, pair, &fused, &mut out);
    out
}

fn view(mode: Mode) -> DisplaySettings {
    DisplaySettings {
        mode,
        palette: Palette::Ironbow,
        ..DisplaySettings::default()
    }
}

fn at(picture: &Picture, x: usize, y: usize) -> [u8; 3] {
    picture.row(y)[3 * x..3 * x + 3].try_into().unwrap()
}

fn iron(level: usize) -> [u8; 3] {
    lut_of(Palette::Ironbow)[level]
}

#[test]
fn visible_and_thermal_show_one_source() {
    let pair = pair();
    assert_eq!(compose(view(Mode::Visible), &pair), pair.visible);
    let thermal = compose(view(Mode::Thermal), &pair);
    assert_eq!(at(&thermal, 15, 15), iron(200));
    assert_eq!(at(&thermal, 50, 40), iron(50));
}

#[test]
fn fused_has_the_visible_hue() {
    let [r, g, b] = at(&compose(view(Mode::Fused), &pair()), 15, 15);
    assert!(g > r && g > b);
}

#[test]
fn blend_is_half_and_half() {
    let blend = compose(view(Mode::Blend), &pair());
    let half = |a: [u8; 3], b: [u8; 3]| {
        std::array::from_fn(|c| (u16::from(a[c]) + u16::from(b[c])).div_ceil(2) as u8)
    };
    assert_eq!(at(&blend, 15, 15), half(iron(200), [10, 60, 20]));
    assert_eq!(at(&blend, 50, 40), half(iron(50), [30, 180, 60]));
}

#[test]
fn edges_of_the_visible_picture_lie_over_the_thermal_one() {
    let edges = compose(view(Mode::Edges), &pair());
    assert_eq!(at(&edges, 15, 15), iron(200));
    let [r, g, b] = at(&edges, 30, 40);
    assert!(g > 120 && g > r && g > b, "{r} {g} {b}");
    assert_eq!(at(&edges, 33, 40), iron(50));
}

#[test]
fn the_inset_lies_inside_the_corner_with_a_border() {
    let pair = pair();
    let picture = compose(view(Mode::PictureInPicture), &pair);
    assert_eq!(at(&picture, 5, 5), [10, 60, 20]);
    // 20 x 16 pixels, one pixel of margin, three rows of title.
    assert_eq!(at(&picture, 39, 4), BORDER);
    assert_eq!(at(&picture, 58, 19), BORDER);
    assert_eq!(at(&picture, 59, 20), at(&pair.visible, 59, 20));
    assert_eq!(at(&picture, 39 + 5, 4 + 5), iron(200));
    assert_eq!(at(&picture, 39 + 15, 4 + 12), iron(50));
}

#[test]
fn the_other_source_stands_alone() {
    let mut pair = pair();
    pair.has_infrared = false;
    for mode in Mode::ALL {
        assert_eq!(compose(view(mode), &pair), pair.visible);
        assert!(!Composer::needs_fusion(mode, &pair));
    }
    let mut composer = Composer::new(SIZE);
    let (infrared, visible) = composer.luma_planes(&pair);
    assert_eq!(infrared, visible);
    pair.has_visible = false;
    let black = compose(view(Mode::Fused), &pair);
    assert!(black.data().iter().all(|&v| v == 0));
    pair.has_infrared = true;
    assert_eq!(at(&compose(view(Mode::Visible), &pair), 15, 15), iron(200));
}

#[test]
fn where_source_a_has_no_view_source_b_is_fused_with_itself() {
    let mut pair = pair();
    pair.is_covered = false;
    for y in 0..SIZE.height {
        pair.coverage.row_mut(y)[40..].fill(0);
    }
    let mut composer = Composer::new(SIZE);
    let (infrared, visible) = composer.luma_planes(&pair);
    assert_eq!(infrared.row(20)[39], 50);
    assert_eq!(infrared.row(20)[40..], visible.row(20)[40..]);
    assert_eq!(at(&compose(view(Mode::Thermal), &pair), 45, 20), [0; 3]);
    assert_eq!(
        at(&compose(view(Mode::Blend), &pair), 45, 20),
        [30, 180, 60]
    );
    assert_eq!(at(&compose(view(Mode::Thermal), &pair), 15, 15), iron(200));
}

#[test]
fn other_tasks_show_source_a_in_its_own_colours() {
    let mut pair = pair();
    pair.infrared = Picture::rgb(SIZE);
    pair.infrared.data_mut().fill(77);
    let view = DisplaySettings {
        task: Task::Mif,
        ..view(Mode::Thermal)
    };
    assert_eq!(compose(view, &pair), pair.infrared);
}

#[test]
fn the_smallest_picture_works() {
    let size = Size::new(1, 1);
    let mut pair = AlignedPair::new(size);
    pair.has_infrared = true;
    pair.has_visible = true;
    let mut composer = Composer::new(size);
    composer.luma_planes(&pair);
    let (fused, mut out) = (Picture::grey(size), Picture::grey(size));
    for mode in Mode::ALL {
        composer.compose(view(mode), &pair, &fused, &mut out);
    }
}

/// `$FILMD_SHARED`, else `../shared` beside the repository.
fn shared() -> std::path::PathBuf {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    std::env::var_os("FILMD_SHARED").map_or(beside, Into::into)
}

fn open(path: &std::path::Path) -> Picture {
    let image = image::open(path).unwrap();
    let size = Size::new(image.width() as usize, image.height() as usize);
    match image.color().has_color() {
        true => Picture::from_data(size, 3, image.into_rgb8().into_raw()).unwrap(),
        false => Picture::from_data(size, 1, image.into_luma8().into_raw()).unwrap(),
    }
}

fn save(picture: &Picture, path: &std::path::Path) {
    let color = match picture.channels() {
        1 => image::ExtendedColorType::L8,
        _ => image::ExtendedColorType::Rgb8,
    };
    let (w, h) = (picture.width() as u32, picture.height() as u32);
    image::save_buffer(path, picture.data(), w, h, color).unwrap();
}

/// For looking at: every mode of real pairs of each task, classic fusion, into the folder that
/// `FILMD_LOOK` names.
#[test]
#[ignore = "writes pictures to look at: FILMD_LOOK=DIR cargo test -- --ignored look"]
fn look_at_every_mode() {
    let data = shared().join("data/train");
    let Some(folder) = std::env::var_os("FILMD_LOOK").map(std::path::PathBuf::from) else {
        panic!("name a folder for the pictures in FILMD_LOOK");
    };
    assert!(
        data.is_dir(),
        "no pairs in {}: set FILMD_SHARED",
        data.display()
    );
    let sets = [
        (Task::Ivf, "roadscene171"),
        (Task::Mif, "harvard_pet"),
        (Task::Mif, "harvard_ct"),
        (Task::Mef, "mefb_half"),
        (Task::Mff, "mfifb_half"),
    ];
    for (task, set) in sets {
        let mut names: Vec<_> = std::fs::read_dir(data.join(set).join("a"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        for name in names.iter().take(3) {
            let stem = std::path::Path::new(name).with_extension("");
            let other = std::fs::read_dir(data.join(set).join("b")).unwrap();
            let same = other
                .map(|entry| entry.unwrap().path())
                .find(|path| path.file_stem() == Some(stem.as_os_str()));
            let a = open(&data.join(set).join("a").join(name));
            let b = open(&same.unwrap());
            look_at_pair(
                task,
                (&a, &b),
                &folder.join(format!("{set}-{}", stem.display())),
            );
        }
    }
}

fn guidance() -> crate::describe::Guidance {
    use crate::describe::{Guidance, Origin, TokenFeatures};
    let features = TokenFeatures {
        rows: 1,
        dim: 1,
        values: vec![0.0],
    };
    Guidance::new(&features, (1, 1), "", Origin::Neutral, Task::Ivf).unwrap()
}

fn look_at_pair(task: Task, (a, b): (&Picture, &Picture), stem: &std::path::Path) {
    use crate::fuse::{ClassicFuser, Fuser};
    let size = b.size();
    let identity = crate::align::Calibration::identity();
    let mut aligner = crate::align::Aligner::new(&identity, None, size).unwrap();
    let mut pair = AlignedPair::new(size);
    aligner.align_pictures(Some(a), Some(b), &mut pair);
    let mut composer = Composer::new(size);
    let (mut fused, mut out) = (Picture::grey(size), Picture::grey(size));
    let (infrared, visible) = composer.luma_planes(&pair);
    let name = |what: &str| std::path::PathBuf::from(format!("{}-{what}.png", stem.display()));
    save(infrared, &name("a"));
    save(visible, &name("b"));
    let guidance = guidance();
    let mut fuser = ClassicFuser::new(size);
    fuser
        .fuse(infrared, visible, &guidance, &mut fused)
        .unwrap();
    save(&fused, &name("luma"));
    for mode in Mode::ALL {
        let view = DisplaySettings {
            task,
            mode,
            palette: Palette::Ironbow,
        };
        composer.compose(view, &pair, &fused, &mut out);
        save(&out, &name(mode.name()));
    }
}
