use proptest::prelude::*;

use super::*;

/// Some samples of 15 bits; extremes beside each other differ most.
fn samples(len: usize) -> impl Strategy<Value = Vec<u16>> {
    let sample = prop_oneof![Just(0), Just(MOST), 0..=MOST];
    proptest::collection::vec(sample, len)
}

fn rows<const N: usize>(len: usize) -> impl Strategy<Value = [Vec<u16>; N]> {
    proptest::collection::vec(samples(len), N).prop_map(|rows| rows.try_into().unwrap())
}

fn slices<const N: usize, T>(rows: &[Vec<T>; N]) -> [&[T]; N] {
    std::array::from_fn(|i| rows[i].as_slice())
}

/// Runs a kernel on every path that this processor has.
fn on_each<T: Clone + PartialEq + std::fmt::Debug>(
    start: &[T],
    wanted: &[T],
    run: impl Fn(Path, &mut [T]),
) -> Result<(), TestCaseError> {
    for path in Path::available() {
        let mut found = start.to_vec();
        run(path, &mut found);
        prop_assert_eq!(&found[..], wanted, "{}", path.name());
    }
    Ok(())
}

/// [1 4 6 4 1] / 16, unrounded.
fn binomial(taps: [u16; 5]) -> f64 {
    let weights = [1.0, 4.0, 6.0, 4.0, 1.0];
    let sum: f64 = taps
        .iter()
        .zip(weights)
        .map(|(&t, w)| f64::from(t) * w)
        .sum();
    sum / 16.0
}

fn sum_of<T: Copy + Into<i64>>(values: &[T]) -> i64 {
    values.iter().map(|&v| v.into()).sum()
}

proptest! {
    #[test]
    fn smoothing_is_binomial(rows in rows::<5>(37), padded in samples(37 + 8 * 4), step in 1_usize..9) {
        let width = padded.len() - 4 * step;
        let plain = Path::REFERENCE;
        let mut down = vec![0; 37];
        smooth_down_by(plain, slices(&rows), &mut down);
        for (i, &found) in down.iter().enumerate() {
            let exact = binomial(std::array::from_fn(|j| rows[j][i]));
            let lost = exact - f64::from(found);
            prop_assert!((0.0..2.5).contains(&lost), "{} for {}", found, exact);
        }
        let mut across = vec![0; width];
        smooth_across_by(plain, &padded, step, &mut across);
        for (i, &found) in across.iter().enumerate() {
            let exact = binomial(std::array::from_fn(|j| padded[i + j * step]));
            let won = f64::from(found) - exact;
            prop_assert!((0.0..2.5).contains(&won), "{} for {}", found, exact);
        }
        on_each(&[0; 37], &down, |path, out| smooth_down_by(path, slices(&rows), out))?;
        let start = vec![0; width];
        on_each(&start, &across, |path, out| smooth_across_by(path, &padded, step, out))?;
    }

    #[test]
    fn energies_are_sums_of_details([fine, coarse] in rows::<2>(45), shift in 0_u32..6) {
        let pairs = fine.iter().zip(&coarse);
        let details: Vec<u16> = pairs
            .map(|(&f, &c)| ((i32::from(f) - i32::from(c)).abs() >> shift).min(2621) as u16)
            .collect();
        on_each(&[0; 45], &details, |path, out| detail_by(path, &fine, &coarse, shift, out))?;
        let sums: Vec<u16> = details.windows(5).map(|w| w.iter().sum()).collect();
        on_each(&[0; 41], &sums, |path, out| sum_across_by(path, &details, out))?;
    }

    #[test]
    fn details_fade_in_with_their_energy(
        [fine, coarse] in rows::<2>(29),
        energy in proptest::collection::vec(proptest::collection::vec(0_u16..=13_105, 29), 5),
        trust in proptest::collection::vec(prop_oneof![Just(64_u8), Just(140)], 29),
        low in any::<u16>(), slope in 1..=u16::MAX,
        start in proptest::collection::vec(any::<i16>(), 29),
    ) {
        let energy: [Vec<u16>; 5] = energy.try_into().unwrap();
        let wanted: Vec<i16> = (0..29).map(|i| {
            let around: i64 = sum_of(&[0, 1, 2, 3, 4].map(|j: usize| energy[j][i]));
            let around = (around * i64::from(trust[i]) / 64).min(65_535);
            let gain = ((around - i64::from(low)).max(0) * i64::from(slope) / 65_536).min(256);
            let part = (i64::from(fine[i]) - i64::from(coarse[i])) * gain;
            let rounded = (part as f64 / 256.0 + 0.5).floor() as i64;
            (i64::from(start[i]) + rounded).clamp(-32_768, 32_767) as i16
        }).collect();
        on_each(&start, &wanted, |path, sum| {
            shrink_by(path, [&fine, &coarse], slices(&energy), &trust, (low, slope), sum);
        })?;
    }

    #[test]
    fn votes_are_sums_below_the_limit(
        residues in proptest::collection::vec(-32_767_i16..=32_767, 33),
        offsets in proptest::collection::vec(-2_000_i16..2_000, 33),
        limit in 0..40_000,
    ) {
        let left: Vec<i32> = residues.iter().zip(&offsets)
            .map(|(&r, &o)| i32::from(r) - i32::from(o)).collect();
        let sums: Vec<i32> = left.iter().map(|&l| 7 + if l.abs() < limit { l } else { 0 }).collect();
        let counts: Vec<i32> = left.iter().map(|&l| 3 + i32::from(l.abs() < limit)).collect();
        let both: Vec<(i32, i32)> = sums.into_iter().zip(counts).collect();
        on_each(&[(7, 3); 33], &both, |path, out| {
            let (mut sums, mut counts): (Vec<i32>, Vec<i32>) = out.iter().copied().unzip();
            vote_by(path, &residues, &offsets, limit, &mut sums, &mut counts);
            out.iter_mut().zip(sums.into_iter().zip(counts)).for_each(|(o, b)| *o = b);
        })?;
    }

    #[test]
    fn rows_are_corrected_within_their_range(
        [a, b] in rows::<2>(40),
        offsets in proptest::collection::vec(any::<i16>(), 40),
    ) {
        let within = |value: i32| value.clamp(0, 32_767) as u16;
        let wide = |i: usize| i32::from(a[i]);
        let taken: Vec<u16> = (0..40).map(|i| within(wide(i) - i32::from(offsets[i]))).collect();
        on_each(&a, &taken, |path, row| take_offsets_by(path, &offsets, row))?;
        let restored: Vec<u16> = (0..40).map(|i| within(wide(i) + i32::from(offsets[i]))).collect();
        on_each(&[0; 40], &restored, |path, out| restore_by(path, &a, &offsets, out))?;
        let residues: Vec<i16> = (0..40).map(|i| (wide(i) - i32::from(b[i])) as i16).collect();
        on_each(&[0; 40], &residues, |path, out| residue_by(path, &a, &b, out))?;
    }

    #[test]
    fn neighbours_are_compared(three in rows::<3>(31), limit in 0_i32..20_000) {
        let at = |y: usize, x: usize| i32::from(three[y][x]);
        let curved: Vec<u32> = (0..29).map(|x| {
            let across = |y| at(y, x) - 2 * at(y, x + 1) + at(y, x + 2);
            (across(0) - 2 * across(1) + across(2)).unsigned_abs()
        }).collect();
        on_each(&[0; 29], &curved, |path, out| laplacian_by(path, slices(&three), out))?;
        let wanted: Vec<(u16, u8)> = (0..29).map(|x| {
            let around: Vec<i32> = (0..9).filter(|i| *i != 4).map(|i| at(i / 3, x + i % 3)).collect();
            let (least, most) = (around.iter().min().unwrap(), around.iter().max().unwrap());
            let sample = at(1, x + 1);
            let limit = limit.max(most - least);
            if sample - most > limit || least - sample > limit {
                let cross = at(0, x + 1) + at(1, x) + at(1, x + 2) + at(2, x + 1);
                (((cross + 2) / 4) as u16, 1)
            } else {
                (sample as u16, 0)
            }
        }).collect();
        on_each(&[(0, 9); 29], &wanted, |path, out| {
            let (mut samples, mut flags): (Vec<u16>, Vec<u8>) = out.iter().copied().unzip();
            isolated_by(path, slices(&three), limit, &mut samples, &mut flags);
            out.iter_mut().zip(samples.into_iter().zip(flags)).for_each(|(o, b)| *o = b);
        })?;
    }

    #[test]
    fn the_mean_follows_where_it_moves(
        [new, mean] in rows::<2>(34),
        changes in proptest::collection::vec(proptest::collection::vec(-6_550_i16..=6_550, 34), 5),
        trust in proptest::collection::vec(0_usize..4, 34),
        limit in 0_i16..=i16::MAX, shift in 0_u32..8,
    ) {
        let differences: Vec<i16> = new.iter().zip(&mean).map(|(&n, &m)| {
            let shifted = (f64::from(n) - f64::from(m)) / f64::from(1 << shift);
            shifted.floor().clamp(-1310.0, 1310.0) as i16
        }).collect();
        on_each(&[0; 34], &differences, |path, out| change_by(path, &new, &mean, shift, out))?;
        let sums: Vec<i16> = differences.windows(5).map(|w| w.iter().sum()).collect();
        on_each(&[0; 30], &sums, |path, out| sum_changes_by(path, &differences, out))?;
        let changes: [Vec<i16>; 5] = changes.try_into().unwrap();
        let wanted: Vec<(u8, u16)> = (0..34).map(|i| {
            let around = sum_of(&[0, 1, 2, 3, 4].map(|j: usize| changes[j][i]));
            let age = if around.abs() > i64::from(limit) { 0 } else { (trust[i] + 1).min(3) };
            let step = (f64::from(new[i]) - f64::from(mean[i])) * [256.0, 128.0, 85.0, 77.0][age] / 256.0;
            (TRUST[age], (f64::from(mean[i]) + (step + 0.5).floor()) as u16)
        }).collect();
        let start: Vec<(u8, u16)> = trust.iter().map(|&t| TRUST[t]).zip(mean).collect();
        on_each(&start, &wanted, |path, out| {
            let (mut trust, mut mean): (Vec<u8>, Vec<u16>) = out.iter().copied().unzip();
            follow_by(path, &new, slices(&changes), limit, &mut trust, &mut mean);
            out.iter_mut().zip(trust.into_iter().zip(mean)).for_each(|(o, b)| *o = b);
        })?;
    }

    #[test]
    fn eight_bits_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..70), noise in 0_u16..64) {
        let wide: Vec<u16> = bytes.iter().map(|&b| u16::from(b) * 128).collect();
        let start = vec![0; bytes.len()];
        on_each(&start, &wide, |path, out| widen_by(path, &bytes, out))?;
        let near: Vec<u16> = wide.iter().map(|w| w + noise).collect();
        let start = vec![0; bytes.len()];
        on_each(&start, &bytes, |path, out| narrow_by(path, &near, out))?;
    }
}

#[test]
fn the_brightest_stays_the_brightest() {
    let mut out = [0];
    narrow(&[MOST], &mut out);
    assert_eq!(out, [255]);
}
