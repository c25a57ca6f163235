//! The arithmetic of [`super`], one row at a time.

use super::{MOST, MOST_CHANGE, MOST_DETAIL, ONE, TRUST};

/// [1 4 6 4 1] / 16 by six means of two.
#[inline(always)]
fn binomial([a, b, c, d, e]: [u16; 5], mean: impl Fn(u16, u16) -> u16) -> u16 {
    let (inner, outer) = (mean(b, d), mean(mean(a, e), c));
    mean(mean(outer, inner), mean(inner, c))
}

#[inline(always)]
pub(super) fn smooth_down(rows: [&[u16]; 5], out: &mut [u16]) {
    let [a, b, c, d, e] = rows.map(|row| &row[..out.len()]);
    for (i, out) in out.iter_mut().enumerate() {
        // Two samples of 15 bits fit 16.
        *out = binomial([a[i], b[i], c[i], d[i], e[i]], |x, y| {
            x.wrapping_add(y) >> 1
        });
    }
}

#[inline(always)]
pub(super) fn smooth_across(padded: &[u16], step: usize, out: &mut [u16]) {
    let tap = |i: usize| &padded[i * step..][..out.len()];
    let [a, b, c, d, e] = [tap(0), tap(1), tap(2), tap(3), tap(4)];
    for (i, out) in out.iter_mut().enumerate() {
        *out = binomial([a[i], b[i], c[i], d[i], e[i]], |x, y| {
            x.wrapping_add(y).wrapping_add(1) >> 1
        });
    }
}

#[inline(always)]
pub(super) fn detail(fine: &[u16], coarse: &[u16], shift: u32, out: &mut [u16]) {
    for ((out, &fine), &coarse) in out.iter_mut().zip(fine).zip(coarse) {
        *out = (fine.abs_diff(coarse) >> shift).min(MOST_DETAIL);
    }
}

#[inline(always)]
pub(super) fn sum_across(padded: &[u16], out: &mut [u16]) {
    let tap = |i: usize| &padded[i..][..out.len()];
    let [a, b, c, d, e] = [tap(0), tap(1), tap(2), tap(3), tap(4)];
    for (i, out) in out.iter_mut().enumerate() {
        let sides = a[i].wrapping_add(b[i]).wrapping_add(d[i]);
        *out = sides.wrapping_add(e[i]).wrapping_add(c[i]);
    }
}

#[inline(always)]
pub(super) fn shrink(
    [fine, coarse]: [&[u16]; 2],
    energy: [&[u16]; 5],
    trust: &[u8],
    (low, slope): (u16, u16),
    sum: &mut [i16],
) {
    let len = sum.len();
    let [a, b, c, d, e] = energy.map(|row| &row[..len]);
    let (fine, coarse, trust) = (&fine[..len], &coarse[..len], &trust[..len]);
    for (i, sum) in sum.iter_mut().enumerate() {
        let rows = a[i].wrapping_add(b[i]).wrapping_add(c[i]);
        let around = u32::from(rows.wrapping_add(d[i]).wrapping_add(e[i]));
        let around = ((around * u32::from(trust[i])) >> 6).min(65_535);
        let above = around.saturating_sub(u32::from(low));
        let gain = ((above * u32::from(slope)) >> 16).min(ONE) as i32;
        let difference = i32::from(fine[i]) - i32::from(coarse[i]);
        *sum = sum.saturating_add(((difference * gain + 128) >> 8) as i16);
    }
}

#[inline(always)]
pub(super) fn restore(coarse: &[u16], sum: &[i16], out: &mut [u16]) {
    for ((out, &coarse), &sum) in out.iter_mut().zip(coarse).zip(sum) {
        *out = inside(i32::from(coarse) + i32::from(sum));
    }
}

#[inline(always)]
fn inside(value: i32) -> u16 {
    value.clamp(0, i32::from(MOST)) as u16
}

#[inline(always)]
pub(super) fn residue(a: &[u16], b: &[u16], out: &mut [i16]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = a.wrapping_sub(b) as i16;
    }
}

#[inline(always)]
pub(super) fn vote(
    residue: &[i16],
    offsets: &[i16],
    limit: i32,
    sums: &mut [i32],
    counts: &mut [i32],
) {
    let both = sums.iter_mut().zip(counts.iter_mut());
    for ((&residue, &offset), (sum, count)) in residue.iter().zip(offsets).zip(both) {
        let left = i32::from(residue) - i32::from(offset);
        let counted = i32::from(left.abs() < limit);
        *sum += left * counted;
        *count += counted;
    }
}

#[inline(always)]
pub(super) fn take_offsets(offsets: &[i16], row: &mut [u16]) {
    for (sample, &offset) in row.iter_mut().zip(offsets) {
        *sample = inside(i32::from(*sample) - i32::from(offset));
    }
}

#[inline(always)]
pub(super) fn laplacian(rows: [&[u16]; 3], out: &mut [u32]) {
    let len = out.len();
    let [up, at, down] = rows.map(|row| &row[..len + 2]);
    for (i, out) in out.iter_mut().enumerate() {
        let across = |row: &[u16]| {
            let [a, b, c] = [row[i], row[i + 1], row[i + 2]].map(i32::from);
            a - 2 * b + c
        };
        *out = (across(up) - 2 * across(at) + across(down)).unsigned_abs();
    }
}

#[inline(always)]
pub(super) fn isolated(rows: [&[u16]; 3], limit: i32, out: &mut [u16], flags: &mut [u8]) {
    let len = out.len();
    let [up, at, down] = rows.map(|row| &row[..len + 2]);
    let flags = &mut flags[..len];
    for (i, out) in out.iter_mut().enumerate() {
        let [a, b, c] = [up[i], up[i + 1], up[i + 2]];
        let [d, sample, e] = [at[i], at[i + 1], at[i + 2]];
        let [f, g, h] = [down[i], down[i + 1], down[i + 2]];
        let most = a.max(b).max(c.max(d)).max(e.max(f).max(g.max(h)));
        let least = a.min(b).min(c.min(d)).min(e.min(f).min(g.min(h)));
        let value = i32::from(sample);
        let beyond = (value - i32::from(most)).max(i32::from(least) - value);
        let alone = beyond > limit.max(i32::from(most) - i32::from(least));
        let mean = ((i32::from(b) + i32::from(d) + i32::from(e) + i32::from(g) + 2) >> 2) as u16;
        *out = if alone { mean } else { sample };
        flags[i] = u8::from(alone);
    }
}

#[inline(always)]
pub(super) fn change(new: &[u16], mean: &[u16], shift: u32, out: &mut [i16]) {
    for ((out, &new), &mean) in out.iter_mut().zip(new).zip(mean) {
        let difference = (new.wrapping_sub(mean) as i16) >> shift;
        *out = difference.clamp(-MOST_CHANGE, MOST_CHANGE);
    }
}

#[inline(always)]
pub(super) fn sum_changes(padded: &[i16], out: &mut [i16]) {
    let tap = |i: usize| &padded[i..][..out.len()];
    let [a, b, c, d, e] = [tap(0), tap(1), tap(2), tap(3), tap(4)];
    for (i, out) in out.iter_mut().enumerate() {
        let sides = a[i].wrapping_add(b[i]).wrapping_add(d[i]);
        *out = sides.wrapping_add(e[i]).wrapping_add(c[i]);
    }
}

#[inline(always)]
pub(super) fn follow(
    new: &[u16],
    changes: [&[i16]; 5],
    limit: i16,
    trust: &mut [u8],
    mean: &mut [u16],
) {
    let len = mean.len();
    let [a, b, c, d, e] = changes.map(|row| &row[..len]);
    let (new, trust) = (&new[..len], &mut trust[..len]);
    let [fresh, second, third, old] = TRUST;
    for (i, mean) in mean.iter_mut().enumerate() {
        let rows = a[i].wrapping_add(b[i]).wrapping_add(c[i]);
        let around = rows.wrapping_add(d[i]).wrapping_add(e[i]);
        let moved = around > limit || around < -limit;
        let before = trust[i];
        let next = if before == second { third } else { old };
        let next = if before == fresh { second } else { next };
        let next = if moved { fresh } else { next };
        // 3/10, 1/3, 1/2, 1.
        let weight = if next == third { 85 } else { 77 };
        let weight = if next == second { 128 } else { weight };
        let weight = if next == fresh { 256 } else { weight };
        let difference = i32::from(new[i]) - i32::from(*mean);
        *mean = inside(i32::from(*mean) + ((difference * weight + 128) >> 8));
        trust[i] = next;
    }
}

#[inline(always)]
pub(super) fn widen(from: &[u8], to: &mut [u16]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = u16::from(from) << 7;
    }
}

#[inline(always)]
pub(super) fn narrow(from: &[u16], to: &mut [u8]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = ((from + 64) >> 7).min(255) as u8;
    }
}
