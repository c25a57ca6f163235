//! A picture moved back over its reference.

use super::Motion;
use super::level::ranks;
use crate::frame::Picture;

/// `other` as if it had been taken from where `reference` was; both have one size. What it did not see is taken from
/// the reference, with `other`'s own range of values.
pub fn moved(other: &Picture, reference: &Picture, motion: Motion) -> Picture {
    let (size, channels) = (other.size(), other.channels());
    let centre = (
        (size.width.max(1) - 1) as f64 / 2.0,
        (size.height.max(1) - 1) as f64 / 2.0,
    );
    let unseen: Vec<[u8; 256]> = (0..channels)
        .map(|c| alike(reference, c.min(reference.channels() - 1), other, c))
        .collect();
    let mut out = Picture::new(size, channels);
    for y in 0..size.height {
        for x in 0..size.width {
            let (u, v) = motion.apply((x as f64 - centre.0, y as f64 - centre.1));
            let (u, v) = (u + centre.0, v + centre.1);
            let inside =
                u > -0.5 && v > -0.5 && u < size.width as f64 - 0.5 && v < size.height as f64 - 0.5;
            let from = &reference.row(y)[x * reference.channels()..];
            let pixel = &mut out.row_mut(y)[x * channels..(x + 1) * channels];
            for (c, (value, unseen)) in pixel.iter_mut().zip(&unseen).enumerate() {
                *value = match inside {
                    true => cubic(other, c, u, v),
                    false => unseen[usize::from(from[c.min(reference.channels() - 1)])],
                };
            }
        }
    }
    out
}

/// Between pixels, by Catmull and Rom's cubic, within the four nearest so that no edge rings.
fn cubic(picture: &Picture, channel: usize, x: f64, y: f64) -> u8 {
    let (u, v) = (x.floor(), y.floor());
    let (wx, wy) = (weights((x - u) as f32), weights((y - v) as f32));
    let (width, height) = (picture.width() as i64, picture.height() as i64);
    let (mut sum, mut least, mut most) = (0.0f32, 255.0f32, 0.0f32);
    for (j, wy) in wy.into_iter().enumerate() {
        let row = picture.row((v as i64 - 1 + j as i64).clamp(0, height - 1) as usize);
        for (i, wx) in wx.into_iter().enumerate() {
            let column = (u as i64 - 1 + i as i64).clamp(0, width - 1) as usize;
            let value = f32::from(row[column * picture.channels() + channel]);
            sum += wx * wy * value;
            if (1..=2).contains(&i) && (1..=2).contains(&j) {
                (least, most) = (least.min(value), most.max(value));
            }
        }
    }
    sum.clamp(least, most).round() as u8
}

fn weights(t: f32) -> [f32; 4] {
    [
        0.5 * (-t + 2.0 * t * t - t * t * t),
        0.5 * (2.0 - 5.0 * t * t + 3.0 * t * t * t),
        0.5 * (t + 4.0 * t * t - 3.0 * t * t * t),
        0.5 * (t * t * t - t * t),
    ]
}

/// For each value of a channel of `from` the value of `to` that as many pixels are below.
fn alike(from: &Picture, channel: usize, to: &Picture, to_channel: usize) -> [u8; 256] {
    let plane = |picture: &Picture, channel: usize| -> Vec<u8> {
        let pixels = picture.data().chunks_exact(picture.channels());
        pixels.map(|p| p[channel]).collect()
    };
    let (a, b) = (ranks(&plane(from, channel)), ranks(&plane(to, to_channel)));
    a.map(|rank| {
        let nearest = |v: &usize| (b[*v] - rank).abs();
        let found = (0..256usize).min_by(|x, y| nearest(x).total_cmp(&nearest(y)));
        found.unwrap_or(0) as u8
    })
}
