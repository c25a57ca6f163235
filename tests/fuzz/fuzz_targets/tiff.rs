#![no_main]

#[path = "../entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // Both orders of bytes, both widths of offsets.
    let marks: [&[u8]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
    if let Some((first, rest)) = data.split_first() {
        entries::picture_of(marks[usize::from(*first) % 4], rest);
    }
});
