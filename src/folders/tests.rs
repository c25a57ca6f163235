use super::*;
use proptest::prelude::*;

fn touch(folder: &Path, names: &[&str]) {
    for name in names {
        std::fs::write(folder.join(name), b"x").unwrap();
    }
}

#[test]
fn numbers_in_names_sort_as_numbers() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    touch(
        a.path(),
        &[
            "img10.png",
            "img2.png",
            "img1.png",
            "notes.txt",
            "x.png",
            ".h.png",
        ],
    );
    touch(b.path(), &["img1.jpg", "img2.jpg", "img10.TIF", "y.bmp"]);
    let found = pair_folders(a.path(), b.path()).unwrap();
    let stems: Vec<&str> = found.pairs.iter().map(|p| p.stem.as_str()).collect();
    assert_eq!(stems, ["img1", "img2", "img10"]);
    let said = found.unmatched().unwrap();
    assert!(
        said.contains("such as x") && said.contains("such as y"),
        "{said}"
    );
}

#[test]
fn suffixes_pair_the_pictures_of_one_folder() {
    let a = tempfile::tempdir().unwrap();
    touch(
        a.path(),
        &[
            "DJI_0001_T.JPG",
            "DJI_0001_V.JPG",
            "DJI_0002_T.JPG",
            "notes.txt",
        ],
    );
    let found = pair_folders_by(a.path(), a.path(), ("_T", "_V")).unwrap();
    assert_eq!(found.pairs.len(), 1);
    assert_eq!(found.pairs[0].stem, "DJI_0001");
    assert!(found.pairs[0].a.ends_with("DJI_0001_T.JPG"));
    assert!(found.pairs[0].b.ends_with("DJI_0001_V.JPG"));
    assert_eq!(found.only_a, ["DJI_0002"]);
}

#[test]
fn names_pair_in_any_form_and_extension() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    touch(a.path(), &["caf\u{e9}.png", "x.JFIF", "y.jpe", "z.Png"]);
    touch(b.path(), &["cafe\u{301}.tif", "x.webp", "y.pgm", "z.gif"]);
    assert_eq!(pair_folders(a.path(), b.path()).unwrap().pairs.len(), 4);
}

#[test]
fn a_name_that_is_no_utf_8_is_kept_and_shown() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let names = [&b"latin1_\xe9.png"[..], b"latin1_\xe8.png"].map(OsStr::from_bytes);
    for folder in [a.path(), b.path()] {
        for name in names {
            std::fs::write(folder.join(name), b"x").unwrap();
        }
    }
    let found = pair_folders(a.path(), b.path()).unwrap();
    assert_eq!(found.pairs.len(), 2);
    assert_ne!(found.pairs[0].name, found.pairs[1].name);
    assert_eq!(found.pairs[0].stem, "latin1_\u{fffd}");
}

#[test]
fn what_is_left_out_is_named_and_content_decides_without_an_extension() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let grey = image::GrayImage::new(4, 4);
    for folder in [a.path(), b.path()] {
        let with = folder.join("bare.png");
        grey.save(&with).unwrap();
        std::fs::rename(with, folder.join("bare")).unwrap();
    }
    touch(a.path(), &["scan.dcm", "two.png", "two.jpg"]);
    touch(b.path(), &["two.png"]);
    std::fs::create_dir(a.path().join("sub")).unwrap();
    let found = pair_folders(a.path(), b.path()).unwrap();
    assert_eq!(found.pairs.len(), 1);
    let said = found.unmatched().unwrap();
    for word in [
        "scan.dcm",
        "sub (a folder)",
        "two.png (another",
        "4 left out",
    ] {
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn folders_without_a_common_name_say_what_they_have() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    touch(a.path(), &["one.png", "two.png"]);
    touch(b.path(), &["drei.png"]);
    let said = pair_folders(a.path(), b.path()).unwrap_err().to_string();
    assert!(said.contains("2 pictures (such as one, two)"), "{said}");
    assert!(said.contains("has 1 (such as drei)"), "{said}");
}

#[test]
fn empty_absent_and_ambiguous_folders_are_told_apart() {
    let a = tempfile::tempdir().unwrap();
    let error = pictures_by_stem(a.path()).unwrap_err();
    assert!(matches!(error, FileError::NoPicture(..)));
    let error = pictures_by_stem(&a.path().join("none")).unwrap_err();
    assert!(matches!(error, FileError::Absent(_)));
    touch(a.path(), &["p.png", "p.jpg"]);
    let error = pictures_by_stem(a.path()).unwrap_err();
    assert!(matches!(error, FileError::Duplicate { .. }));
    let error = pictures_by_stem(&a.path().join("p.png")).unwrap_err();
    assert!(matches!(error, FileError::Kind { .. }));
}

proptest! {
    #[test]
    fn the_order_is_total(x in "[a0-9]{0,6}", y in "[a0-9]{0,6}", z in "[a0-9]{0,6}") {
        prop_assert_eq!(natural_order(x.as_bytes(), y.as_bytes()), natural_order(y.as_bytes(), x.as_bytes()).reverse());
        prop_assert_eq!(natural_order(x.as_bytes(), y.as_bytes()) == Ordering::Equal, x == y);
        if natural_order(x.as_bytes(), y.as_bytes()).is_le() && natural_order(y.as_bytes(), z.as_bytes()).is_le() {
            prop_assert!(natural_order(x.as_bytes(), z.as_bytes()).is_le());
        }
    }
}
