//! Noise and fixed patterns of one grey picture, measured in that picture alone.
//!
//! All functions take samples row by row and the samples in a row, and give standard deviations in grey
//! levels. They allocate, and are for the text path. Slow shading is not measured here: one picture does
//! not tell a sensor's shading from a sky.

/// Samples on each side whose mean is taken off before offsets are measured.
const AROUND: usize = 4;
/// Parts of a line whose medians are taken apart.
const BANDS: usize = 4;

/// Noise that differs from pixel to pixel. Immerkær, "Fast noise variance estimation", CVIU 64(2), 1996:
/// the mean of a Laplacian difference, which offsets of whole rows and columns leave as it is; here of
/// each of many parts, and of these the quietest fifth, where no texture is.
pub fn noise(luma: &[u8], width: usize) -> f32 {
    const PART: usize = 32;
    let height = luma.len() / width.max(1);
    let row = |y: usize| &luma[y * width..][..width];
    let mut parts = Vec::new();
    for y in (1..height.saturating_sub(1)).step_by(7) {
        let [a, b, c] = [row(y - 1), row(y), row(y + 1)];
        for from in (1..width.saturating_sub(PART + 1)).step_by(PART) {
            let sum: i32 = (from..from + PART)
                .map(|x| {
                    let at = |row: &[u8], x: usize| i32::from(row[x]);
                    let rim = at(a, x - 1) + at(a, x + 1) + at(c, x - 1) + at(c, x + 1);
                    let sides = at(a, x) + at(b, x - 1) + at(b, x + 1) + at(c, x);
                    (rim - 2 * sides + 4 * at(b, x)).abs()
                })
                .sum();
            // Clipped parts have no noise, whatever the sensor has.
            let clipped = b[from..from + PART].iter().all(|v| *v < 3 || *v > 252);
            if !clipped {
                parts.push(sum as f32 / PART as f32);
            }
        }
    }
    if parts.is_empty() {
        return 0.0;
    }
    let at = parts.len() / 5;
    let quiet = *parts.select_nth_unstable_by(at, f32::total_cmp).1;
    std::f32::consts::FRAC_PI_2.sqrt() * quiet / 6.0
}

/// Offsets of whole columns; 0 where they are not the same from the top to the bottom.
pub fn columns(luma: &[u8], width: usize) -> f32 {
    let height = luma.len() / width.max(1);
    pattern((width, height), |line, at| luma[at * width + line])
}

/// Offsets of whole rows; 0 where they are not the same from the left to the right.
pub fn rows(luma: &[u8], width: usize) -> f32 {
    let height = luma.len() / width.max(1);
    pattern((height, width), |line, at| luma[line * width + at])
}

/// Offsets of `lines` lines of `length` samples each, which `sample` (line, place in it) gives: what each
/// sample differs from the mean across lines, its median in each band, and what the bands share. The
/// deviation is that of the median absolute deviation, so that a few posts and trunks do not count.
fn pattern((lines, length): (usize, usize), sample: impl Fn(usize, usize) -> u8) -> f32 {
    let across = 2 * AROUND + 1;
    let band = length / BANDS;
    if lines < 4 * across || band < 8 {
        return 0.0;
    }
    let places = AROUND..lines - AROUND;
    let mut offsets = vec![[0.0_f32; BANDS]; places.len()];
    let mut values: Vec<Vec<i32>> = vec![Vec::with_capacity(band); places.len()];
    for part in 0..BANDS {
        for at in part * band..(part + 1) * band {
            let level = |line: usize| i32::from(sample(line, at));
            let mut sum: i32 = (0..across).map(level).sum();
            for (i, line) in places.clone().enumerate() {
                values[i].push(across as i32 * level(line) - sum);
                if line + AROUND + 1 < lines {
                    sum += level(line + AROUND + 1) - level(line - AROUND);
                }
            }
        }
        for (offset, values) in offsets.iter_mut().zip(&mut values) {
            offset[part] = median(values) as f32 / across as f32;
            values.clear();
        }
    }
    let mut away: Vec<f32> = offsets.iter_mut().map(shared).collect();
    let middle = away.len() / 2;
    1.4826 * *away.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// How far a line lies away in three of its four bands at least; 0 where these differ in direction. A
/// sensor's offsets go on from one end to the other, a fence or a trunk seldom does.
fn shared(bands: &mut [f32; BANDS]) -> f32 {
    bands.sort_unstable_by(f32::total_cmp);
    bands[1].max(-bands[2]).max(0.0)
}

fn median(values: &mut [i32]) -> i32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable(middle).1
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (160, 120);

    fn random(state: &mut u32) -> f32 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*state >> 8) as f32 / (1 << 24) as f32
    }

    /// Nearly Gaussian, of deviation 1.
    fn gauss(state: &mut u32) -> f32 {
        (0..12).map(|_| random(state)).sum::<f32>() - 6.0
    }

    /// Waves, with noise and with offsets of columns and rows of these deviations.
    fn picture(noise: f32, columns: f32, rows: f32) -> Vec<u8> {
        let mut state = 7;
        let (w, h) = SIZE;
        let mut line = |n: usize, deviation: f32| -> Vec<f32> {
            (0..n).map(|_| deviation * gauss(&mut state)).collect()
        };
        let (across, down) = (line(w, columns), line(h, rows));
        let grain = line(w * h, noise);
        (0..w * h)
            .map(|i| {
                let (x, y) = (i % w, i / w);
                let wave = 60.0 * (x as f32 / 20.0).sin() * (y as f32 / 20.0).cos();
                (128.0 + wave + across[x] + down[y] + grain[i]).clamp(0.0, 255.0) as u8
            })
            .collect()
    }

    #[test]
    fn each_fault_is_measured_beside_the_others() {
        for (noisy, striped, barred) in [(8.0, 0.0, 0.0), (0.0, 8.0, 0.0), (6.0, 5.0, 9.0)] {
            let found = picture(noisy, striped, barred);
            let near = |name: &str, found: f32, wanted: f32| {
                let room = 0.25 * wanted + 1.0;
                assert!(
                    (found - wanted).abs() < room,
                    "{name}: {found}, not {wanted}"
                );
            };
            near("noise", noise(&found, SIZE.0), noisy);
            near("columns", columns(&found, SIZE.0), striped);
            near("rows", rows(&found, SIZE.0), barred);
        }
    }

    #[test]
    fn texture_and_a_fence_in_one_half_are_no_pattern() {
        let (w, h) = SIZE;
        let fence: Vec<u8> = (0..w * h)
            .map(|i| match (i / w < h / 2, i % w % 8 < 4) {
                (true, true) => 160,
                _ => 90,
            })
            .collect();
        assert!(columns(&fence, w) < 1.0, "{}", columns(&fence, w));
        let texture = picture(20.0, 0.0, 0.0);
        assert!(columns(&texture, w) < 2.5, "{}", columns(&texture, w));
    }

    #[test]
    fn small_pictures_have_no_faults() {
        for (w, h) in [(0, 0), (1, 1), (3, 2), (40, 7), (7, 40)] {
            let picture = vec![50; w * h];
            let found = [noise(&picture, w), columns(&picture, w), rows(&picture, w)];
            assert_eq!(found, [0.0; 3], "{w}x{h}");
        }
    }
}
