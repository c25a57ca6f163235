//! A thermal scene with a person, as counts of hundredths of a kelvin, and files of it.

use std::fs::File;
use std::path::{Path, PathBuf};

use tiff::encoder::{TiffEncoder, colortype};

pub const WIDTH: u32 = 320;
pub const HEIGHT: u32 = 240;

/// Whether a pixel shows the person.
pub fn person(x: u32, y: u32) -> bool {
    let (dx, dy) = (x as f64 - 220.0, y as f64 - 100.0);
    (dx / 13.0).powi(2) + (dy / 55.0).powi(2) <= 1.0
}

/// Whether a pixel lies around the person.
pub fn around(x: u32, y: u32) -> bool {
    let (dx, dy) = (x as f64 - 220.0, y as f64 - 100.0);
    let far = (dx / 13.0).powi(2) + (dy / 55.0).powi(2);
    (1.3..3.0).contains(&far)
}

pub fn counts() -> Vec<u16> {
    (0..WIDTH * HEIGHT)
        .map(|i| {
            let (x, y) = (i % WIDTH, i / WIDTH);
            let grain = (i.wrapping_mul(2_654_435_761) >> 28) as u16;
            let ground = 29_000 + x as u16 * 2 + y as u16 / 2 + grain;
            if person(x, y) { 30_400 + grain } else { ground }
        })
        .collect()
}

pub fn write16(path: &Path, width: u32, height: u32, data: &[u16]) -> PathBuf {
    let mut out = TiffEncoder::new(File::create(path).unwrap()).unwrap();
    out.write_image::<colortype::Gray16>(width, height, data)
        .unwrap();
    path.to_owned()
}

/// The scene with `change` applied to its counts, as a TIFF.
pub fn file(folder: &Path, name: &str, change: impl Fn(&mut [u16])) -> PathBuf {
    let mut data = counts();
    change(&mut data);
    write16(&folder.join(name), WIDTH, HEIGHT, &data)
}

pub fn celsius() -> Vec<f32> {
    counts()
        .into_iter()
        .map(|c| f32::from(c) / 100.0 - 273.15)
        .collect()
}
