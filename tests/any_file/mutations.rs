//! Damaged files of every format, each through `filmd fuse` of its own: an error or a result, never a crash, never
//! more than 2 GB or 20 seconds.
//!
//! `FILMD_MUTATIONS=10000` takes so many of each format; without it a few are taken. `FILMD_FORMATS=tiff` takes only
//! the formats with that in their names, and `FILMD_PROGRAM` names another build.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use filmd::clock::Clock;
use image::{DynamicImage, ImageFormat};
use tiff::encoder::{TiffEncoder, colortype};

const FEW: usize = 25;
const LONGEST: Duration = Duration::from_secs(20);

/// A generator that gives the same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..1 + random.below(6) {
        // Half of the damage hits the headers, where it means most.
        let head = if random.below(2) == 0 {
            out.len().min(200)
        } else {
            out.len()
        };
        let at = random.below(head);
        match random.below(6) {
            0 => out[at] ^= 1 << random.below(8),
            1 => out[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            2 => out[at] = random.below(256) as u8,
            3 => out.truncate(at.max(8)),
            4 => drop(out.drain(at..(at + 1 + random.below(40)).min(out.len()))),
            _ => {
                let end = (at + 1 + random.below(40)).min(out.len());
                let copy = out[at..end].to_vec();
                let to = random.below(out.len());
                out.splice(to..to, copy);
            }
        }
        if out.is_empty() {
            out.push(0);
        }
    }
    out
}

/// 48 x 36 in three planes of tiles of 32 x 32, little-endian: a directory, and all tiles behind it.
fn planes_in_tiles() -> Vec<u8> {
    let tiles = 12u32;
    let (behind, size) = (8 + 2 + 12 * 12 + 4, 32 * 32u32);
    let long = |values: Vec<u32>| {
        values
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let first = behind as u32 + tiles * 8;
    let entries: [(u16, u16, u32, u32); 12] = [
        (256, 3, 1, 48),
        (257, 3, 1, 36),
        // One number may stand for all samples.
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (277, 3, 1, 3),
        (284, 3, 1, 2),
        (322, 3, 1, 32),
        (323, 3, 1, 32),
        (324, 4, tiles, behind as u32),
        (325, 4, tiles, behind as u32 + tiles * 4),
        (339, 3, 1, 1),
    ];
    let mut out = b"II*\0\x08\0\0\0".to_vec();
    out.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    out.extend([0; 4]);
    out.extend(long((0..tiles).map(|i| first + i * size).collect()));
    out.extend(long(vec![size; tiles as usize]));
    out.extend((0..tiles * size).map(|i| (i * 7 / 32) as u8));
    out
}

fn examples() -> Vec<(&'static str, Vec<u8>)> {
    let rgb = image::RgbImage::from_fn(48, 36, |x, y| {
        image::Rgb([(x * 5) as u8, (y * 7) as u8, (x * y) as u8])
    });
    let rgb = DynamicImage::ImageRgb8(rgb);
    let of = |format: ImageFormat, picture: &DynamicImage| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let deep = image::ImageBuffer::from_fn(48, 36, |x, y| {
        image::Luma([29_000 + (x * 9 + y * 4) as u16])
    });
    let deep = DynamicImage::ImageLuma16(deep);
    let mut float = Cursor::new(Vec::new());
    let celsius: Vec<f32> = (0..48 * 36).map(|i| 15.0 + (i % 48) as f32 / 4.0).collect();
    TiffEncoder::new(&mut float)
        .unwrap()
        .write_image::<colortype::Gray32Float>(48, 36, &celsius)
        .unwrap();
    let mut packed = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new_big(&mut packed)
        .unwrap()
        .with_compression(tiff::encoder::Compression::Lzw);
    encoder
        .write_image::<colortype::RGB8>(48, 36, rgb.as_bytes())
        .unwrap();
    let planes = planes_in_tiles();
    let mut flir = vec![0xff, 0xd8, 0xff, 0xe1];
    let record = crate::thermal::small_record();
    flir.extend((record.len() as u16 + 10).to_be_bytes());
    flir.extend(b"FLIR\0\x01\0\0");
    flir.extend(record);
    flir.extend(&of(ImageFormat::Jpeg, &rgb)[2..]);
    vec![
        ("png", of(ImageFormat::Png, &rgb)),
        ("png of 16 bits", of(ImageFormat::Png, &deep)),
        ("jpeg", of(ImageFormat::Jpeg, &rgb)),
        ("flir jpeg", flir),
        ("tiff", of(ImageFormat::Tiff, &deep)),
        ("tiff of floats", float.into_inner()),
        ("tiff of planes in tiles", planes),
        ("bigtiff", packed.into_inner()),
        ("bmp", of(ImageFormat::Bmp, &rgb)),
        ("gif", of(ImageFormat::Gif, &rgb)),
        ("webp", of(ImageFormat::WebP, &rgb)),
        ("pnm", of(ImageFormat::Pnm, &rgb)),
    ]
}

/// The exit code, or what went wrong instead.
fn run(path: &Path, partner: &Path, out: &Path) -> Result<i32, String> {
    let start = Clock.now();
    let named = std::env::var("FILMD_PROGRAM");
    let program = named.unwrap_or_else(|_| env!("CARGO_BIN_EXE_filmd").to_owned());
    let mut child = Command::new("sh")
        .args([
            "-c",
            "ulimit -v 2000000; exec \"$@\"",
            "sh",
            &program,
            "fuse",
        ])
        .args([path, partner])
        .args(["--engine", "classic", "--stretch", "--out"])
        .arg(out)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().ok_or_else(|| format!("{status}"));
        }
        if Clock.now().since(start) > LONGEST {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err("more than 20 seconds".to_owned());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn damaged_files_give_an_error_or_a_result() {
    let wanted = std::env::var("FILMD_MUTATIONS")
        .ok()
        .and_then(|n| n.parse().ok());
    let count = wanted.unwrap_or(FEW);
    let folder = tempfile::tempdir().unwrap();
    let partner: PathBuf = folder.path().join("partner.png");
    image::RgbImage::from_pixel(48, 36, image::Rgb([9, 99, 199]))
        .save(&partner)
        .unwrap();
    let check = |(format, bytes): (&str, Vec<u8>)| {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ format.len() as u64);
        let name = format.replace(' ', "-");
        let [path, out] = ["in", "png"].map(|end| folder.path().join(format!("{name}.{end}")));
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(run(&path, &partner, &out), Ok(0), "{format} undamaged");
        let mut codes = [0usize; 2];
        for number in 0..count {
            std::fs::write(&path, damaged(&bytes, &mut random)).unwrap();
            match run(&path, &partner, &out) {
                Ok(code @ 0..=1) => codes[code as usize] += 1,
                other => {
                    let kept = std::env::temp_dir().join(format!("filmd-{name}-{number}"));
                    std::fs::copy(&path, &kept).unwrap();
                    panic!("{format} {number}: {other:?}; kept as {}", kept.display());
                }
            }
        }
        eprintln!("{format}: {} fused, {} refused", codes[0], codes[1]);
        assert!(codes[1] > 0 || count < 10, "{format}: nothing was damaged");
    };
    std::thread::scope(|scope| {
        let mut examples = examples();
        if let Ok(only) = std::env::var("FILMD_FORMATS") {
            examples.retain(|(format, _)| format.contains(&only));
        }
        let rest = examples.split_off(examples.len() / 2);
        for half in [examples, rest] {
            scope.spawn(|| half.into_iter().for_each(check));
        }
    });
}
