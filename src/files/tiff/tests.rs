use super::*;
use crate::files::loaded::Content;
use crate::frame::Picture;

/// One entry of a directory: tag, type, values.
type Entry = (u16, u16, Vec<u64>);

/// A classic TIFF with its strips behind the header, and one directory a page.
fn file(big_endian: bool, pages: &[(Vec<Entry>, Vec<Vec<u8>>)]) -> Vec<u8> {
    let put = |out: &mut Vec<u8>, value: u64, length: usize| {
        let bytes = value.to_be_bytes();
        match big_endian {
            true => out.extend_from_slice(&bytes[8 - length..]),
            false => out.extend(bytes[8 - length..].iter().rev()),
        }
    };
    let mut out = if big_endian {
        b"MM".to_vec()
    } else {
        b"II".to_vec()
    };
    put(&mut out, 42, 2);
    put(&mut out, 0, 4);
    let mut link = 4;
    for (entries, chunks) in pages {
        let mut offsets = Vec::new();
        for chunk in chunks {
            offsets.push(out.len() as u64);
            out.extend_from_slice(chunk);
        }
        let lengths = chunks.iter().map(|c| c.len() as u64).collect();
        let tiled = entries.iter().any(|(tag, ..)| *tag == 322);
        let (at, long) = if tiled { (324, 325) } else { (273, 279) };
        let mut entries = entries.clone();
        entries.push((at, 4, offsets));
        entries.push((long, 4, lengths));
        entries.sort_by_key(|e| e.0);
        let mut places = Vec::new();
        for (_, kind, values) in &entries {
            let width = if *kind == 3 { 2 } else { 4 };
            places.push((values.len() * width > 4).then_some(out.len() as u64));
            if values.len() * width > 4 {
                values.iter().for_each(|v| put(&mut out, *v, width));
            }
        }
        let mut at = Vec::new();
        put(&mut at, out.len() as u64, 4);
        out[link..link + 4].copy_from_slice(&at);
        put(&mut out, entries.len() as u64, 2);
        for ((tag, kind, values), place) in entries.iter().zip(places) {
            put(&mut out, u64::from(*tag), 2);
            put(&mut out, u64::from(*kind), 2);
            put(&mut out, values.len() as u64, 4);
            let start = out.len();
            match place {
                Some(place) => put(&mut out, place, 4),
                None => {
                    let width = if *kind == 3 { 2 } else { 4 };
                    values.iter().for_each(|v| put(&mut out, *v, width));
                    out.resize(start + 4, 0);
                }
            }
        }
        link = out.len();
        put(&mut out, 0, 4);
    }
    out
}

fn basics(width: u64, height: u64, bits: &[u64], photometric: u64) -> Vec<Entry> {
    vec![
        (256, 4, vec![width]),
        (257, 4, vec![height]),
        (258, 3, bits.to_vec()),
        (259, 3, vec![1]),
        (262, 3, vec![photometric]),
        (277, 3, vec![bits.len() as u64]),
    ]
}

fn picture(bytes: &[u8]) -> Picture {
    match load(bytes).unwrap().content {
        Content::Picture(picture) => picture,
        Content::Counts(raw) => panic!("{raw:?}"),
    }
}

fn counts(bytes: &[u8]) -> Vec<u16> {
    match load(bytes).unwrap().content {
        Content::Counts(raw) => raw.counts.data,
        Content::Picture(picture) => panic!("{picture:?}"),
    }
}

#[test]
fn planes_in_tiles_that_do_not_fill_the_picture_are_read() {
    // 20 x 20 in tiles of 16 x 16: the case that the tiff crate panics on.
    let mut entries = basics(20, 20, &[8, 8, 8], 2);
    entries.extend([(284, 3, vec![2]), (322, 3, vec![16]), (323, 3, vec![16])]);
    let tile = |plane: usize, tx: usize, ty: usize| {
        let pixel = |i: usize| (plane * 80 + (tx * 16 + i % 16) + (ty * 16 + i / 16)) as u8;
        (0..256).map(pixel).collect::<Vec<u8>>()
    };
    let tiles = (0..12).map(|i| tile(i / 4, i % 2, i / 2 % 2)).collect();
    let found = picture(&file(false, &[(entries, tiles)]));
    for (i, pixel) in found.data().chunks_exact(3).enumerate() {
        let sum = i % 20 + i / 20;
        assert_eq!(pixel, [sum as u8, (80 + sum) as u8, (160 + sum) as u8]);
    }
}

#[test]
fn palettes_of_4_and_8_bits_are_read() {
    for (bits, data) in [(4u64, vec![0x01, 0x20]), (8, vec![0, 1, 2])] {
        let colours = 1usize << bits;
        let mut table = vec![0u64; 3 * colours];
        for (c, (r, g, b)) in [(10u64, 20, 30), (40, 50, 60), (70, 80, 90)]
            .into_iter()
            .enumerate()
        {
            table[c] = r << 8;
            table[colours + c] = g << 8;
            table[2 * colours + c] = b << 8;
        }
        let mut entries = basics(3, 1, &[bits], 3);
        entries.push((320, 3, table));
        let found = picture(&file(true, &[(entries, vec![data])]));
        assert_eq!(found.data(), [10, 20, 30, 40, 50, 60, 70, 80, 90]);
    }
}

#[test]
fn chroma_that_is_rarer_than_luma_is_spread() {
    // Two blocks of 2 x 2: grey 100 and 200, the second one reddish.
    let mut entries = basics(4, 2, &[8, 8, 8], 6);
    entries.push((530, 3, vec![2, 2]));
    let blocks = vec![100, 100, 100, 100, 128, 128, 200, 200, 200, 200, 128, 148];
    let found = picture(&file(false, &[(entries, vec![blocks])]));
    assert_eq!(&found.data()[..6], [100; 6]);
    let reddish = &found.data()[6..9];
    assert!(
        reddish[0] > 220 && reddish[1] < 200 && reddish[2] == 200,
        "{reddish:?}"
    );
}

#[test]
fn lab_cmyk_and_white_is_zero_have_their_colours() {
    let grey = picture(&file(
        false,
        &[(
            basics(2, 1, &[8, 8, 8], 8),
            vec![vec![255, 0, 0, 137, 0, 0]],
        )],
    ));
    assert!(
        grey.data()[..3].iter().all(|v| *v >= 253),
        "{:?}",
        grey.data()
    );
    assert!(
        grey.data()[3..].iter().all(|v| v.abs_diff(128) < 4),
        "{:?}",
        grey.data()
    );
    let red = picture(&file(
        true,
        &[(basics(1, 1, &[8; 4], 5), vec![vec![0, 255, 255, 0]])],
    ));
    assert_eq!(red.data(), [255, 0, 0]);
    let white = picture(&file(
        false,
        &[(basics(8, 1, &[1], 0), vec![vec![0b1010_0000]])],
    ));
    assert_eq!(white.data(), [0, 255, 0, 255, 255, 255, 255, 255]);
}

#[test]
fn twelve_bits_and_alpha_are_unpacked() {
    let packed = file(
        false,
        &[(
            basics(3, 1, &[12], 1),
            vec![vec![0x12, 0x3a, 0xbc, 0xde, 0xf0]],
        )],
    );
    assert_eq!(counts(&packed), [0x123, 0xabc, 0xdef]);
    let mut entries = basics(2, 1, &[8, 8], 1);
    entries.push((338, 3, vec![2]));
    let page = [(entries, vec![vec![200, 255, 200, 0]])];
    let loaded = load(&file(false, &page)).unwrap();
    assert_eq!(loaded.notes.len(), 1);
    assert_eq!(picture(&file(false, &page)).data(), [200, 0]);
}

#[test]
fn the_thumbnail_is_not_the_picture_and_pages_are_counted() {
    let mut thumbnail = basics(2, 2, &[8], 1);
    thumbnail.push((254, 4, vec![1]));
    let page = |v: u8| (basics(8, 8, &[8], 1), vec![vec![v; 64]]);
    let marked = file(true, &[(thumbnail, vec![vec![9; 4]]), page(50), page(60)]);
    let loaded = load(&marked).unwrap();
    assert_eq!(loaded.notes, ["it has 2 pages; the first is used"]);
    assert_eq!(picture(&marked).data(), [50; 64]);
    let unmarked = file(
        false,
        &[(basics(2, 2, &[8], 1), vec![vec![9; 4]]), page(50)],
    );
    assert_eq!(picture(&unmarked).data(), [50; 64]);
    assert_eq!(size(&unmarked).unwrap(), Size::new(8, 8));
}

#[test]
fn the_orientation_tag_is_obeyed() {
    let mut entries = basics(3, 2, &[8], 1);
    entries.push((274, 3, vec![6]));
    let bytes = file(false, &[(entries, vec![vec![1, 2, 3, 4, 5, 6]])]);
    assert_eq!(picture(&bytes).data(), [4, 1, 5, 2, 6, 3]);
    assert_eq!(size(&bytes).unwrap(), Size::new(2, 3));
}

#[test]
fn what_is_not_read_is_named_and_never_called_damaged() {
    for (tag, value, word) in [
        (259u16, 50_000u64, "Zstandard"),
        (259, 34_925, "LZMA"),
        (259, 6, "old-style JPEG"),
        (262, 32_803, "raw file"),
        (262, 32_845, "LogLuv"),
        (266, 2, "reverse order"),
    ] {
        let mut entries = basics(4, 4, &[8], 1);
        entries.retain(|(t, ..)| *t != tag);
        entries.push((tag, 3, vec![value]));
        let fault = load(&file(false, &[(entries, vec![vec![0; 16]])])).unwrap_err();
        assert!(
            matches!(&fault, Fault::Unsupported(what, _) if what.contains(word)),
            "{fault:?}"
        );
    }
}

#[test]
fn floats_and_signed_integers_are_temperatures() {
    let celsius = |v: f32| v.to_le_bytes().to_vec();
    let mut entries = basics(2, 2, &[32], 1);
    entries.push((339, 3, vec![3]));
    let data = [20.0, 30.0, f32::NAN, 25.0]
        .into_iter()
        .flat_map(celsius)
        .collect();
    let Content::Counts(raw) = load(&file(false, &[(entries, vec![data])]))
        .unwrap()
        .content
    else {
        panic!("no counts");
    };
    assert_eq!((raw.counts.data[0], raw.missing[2]), (29_315, true));
    let mut entries = basics(2, 1, &[16], 1);
    entries.push((339, 3, vec![2]));
    let data = [-500i16, 2_000]
        .into_iter()
        .flat_map(i16::to_be_bytes)
        .collect();
    let Content::Counts(raw) = load(&file(true, &[(entries, vec![data])])).unwrap().content else {
        panic!("no counts");
    };
    assert_eq!(raw.counts.data, [26_815, 29_315]);
}

#[test]
fn half_floats_and_narrow_tiles_of_lzw_are_read() {
    // 20.0 and 30.0 as IEEE 754 halves.
    let mut entries = basics(2, 1, &[16], 1);
    entries.push((339, 3, vec![3]));
    let loaded = load(&file(
        false,
        &[(entries, vec![vec![0x00, 0x4d, 0x80, 0x4f]])],
    ))
    .unwrap();
    let Content::Counts(raw) = loaded.content else {
        panic!("no counts");
    };
    assert_eq!(raw.counts.data, [29_315, 30_315]);
    // Two tiles of 16 x 16 as weezl packs them, which the crate's own way through rows does not finish.
    let tile: Vec<u8> = (0..=255).map(|i: u8| i.wrapping_mul(37)).collect();
    let packed = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
        .encode(&tile)
        .unwrap();
    let mut entries = basics(20, 16, &[8], 1);
    entries[3].2 = vec![5];
    entries.extend([(322, 3, vec![16]), (323, 3, vec![16])]);
    let found = picture(&file(false, &[(entries, vec![packed.clone(), packed])]));
    for (i, grey) in found.data().iter().enumerate() {
        assert_eq!(*grey, tile[i / 20 * 16 + i % 20 % 16]);
    }
}

#[test]
fn a_chain_of_pages_that_leads_back_ends() {
    let mut bytes = file(false, &[(basics(4, 4, &[8], 1), vec![vec![7; 16]])]);
    let first = bytes[4..8].to_vec();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&first);
    assert_eq!(picture(&bytes).data(), [7; 16]);
}
