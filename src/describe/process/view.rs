//! Pictures for a model that sees: small copies, each with a weight.
//!
//! Input: pictures of the output size. Output: [`View`]s. Not its job: looking at them.

use serde::{Deserialize, Serialize};

use crate::align::AlignedPair;
use crate::align::area::AreaShrink;
use crate::frame::{Picture, Size};

/// Most pixels of a view: three of them in colour fit one message.
pub const MAX_PIXELS: usize = 100_000;
/// Most views of a request.
pub const MAX_VIEWS: usize = 3;

/// What a view shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ViewKind {
    /// Source A.
    Infrared,
    /// Source B.
    Visible,
    /// The result.
    Fused,
}

/// A small picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// What it shows.
    pub kind: ViewKind,
    /// Its share of the say, above 0; only their ratio counts.
    pub weight: f32,
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// 1 or 3.
    pub channels: usize,
    /// `width * height * channels` values, row by row. They follow the message's header.
    #[serde(skip)]
    pub data: Vec<u8>,
}

impl View {
    /// A copy of `picture` with at most [`MAX_PIXELS`] pixels.
    pub fn of(kind: ViewKind, weight: f32, picture: &Picture) -> Self {
        let to = small(picture.size());
        let mut out = Picture::new(to, picture.channels());
        AreaShrink::new(picture.size(), to).apply(picture, &mut out);
        Self {
            kind,
            weight,
            width: to.width,
            height: to.height,
            channels: out.channels(),
            data: out.data().to_vec(),
        }
    }

    /// Bytes its picture has, where its shape is one that [`View::of`] makes and its weight counts.
    pub fn bytes(&self) -> Option<usize> {
        let pixels = self.width.checked_mul(self.height)?;
        let is_sound = (1..=MAX_PIXELS).contains(&pixels)
            && matches!(self.channels, 1 | 3)
            && self.weight.is_finite()
            && self.weight > 0.0;
        is_sound.then_some(pixels * self.channels)
    }
}

/// How much each picture of a pair has to say, 0 to 1; at 0 it is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ViewWeights {
    /// Source A's.
    pub infrared: f32,
    /// Source B's.
    pub visible: f32,
    /// The result's.
    pub fused: f32,
}

impl ViewWeights {
    /// Views of what is there.
    pub fn views(&self, pair: &AlignedPair, fused: Option<&Picture>) -> Vec<View> {
        let infrared = pair.has_infrared.then_some(&pair.infrared);
        let visible = pair.has_visible.then_some(&pair.visible);
        [
            (ViewKind::Infrared, self.infrared, infrared),
            (ViewKind::Visible, self.visible, visible),
            (ViewKind::Fused, self.fused, fused),
        ]
        .into_iter()
        .filter(|(_, weight, _)| *weight > 0.0)
        .filter_map(|(kind, weight, picture)| Some(View::of(kind, weight, picture?)))
        .collect()
    }
}

fn small(size: Size) -> Size {
    let pixels = (size.width * size.height).max(1);
    if pixels <= MAX_PIXELS {
        return size;
    }
    let scale = (MAX_PIXELS as f64 / pixels as f64).sqrt();
    let side = |n: usize| ((n as f64 * scale) as usize).max(1);
    Size {
        width: side(size.width),
        height: side(size.height),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_keeps_the_shape_and_the_mean_and_stays_small() {
        let size = Size {
            width: 640,
            height: 480,
        };
        let mut picture = Picture::rgb(size);
        for pixel in picture.data_mut().chunks_exact_mut(3) {
            pixel.copy_from_slice(&[200, 100, 0]);
        }
        let view = View::of(ViewKind::Visible, 1.0, &picture);
        assert!(view.width * view.height <= MAX_PIXELS);
        assert!((view.width * 3).abs_diff(view.height * 4) <= 4);
        assert_eq!(view.bytes(), Some(view.data.len()));
        assert!(view.data.chunks_exact(3).all(|p| p == [200, 100, 0]));
    }

    #[test]
    fn only_what_is_there_and_has_a_weight_is_looked_at() {
        let size = Size {
            width: 8,
            height: 4,
        };
        let mut pair = AlignedPair::registered(Picture::grey(size), Picture::rgb(size));
        let weights = ViewWeights {
            infrared: 0.5,
            visible: 1.0,
            fused: 0.25,
        };
        let kinds = |pair: &AlignedPair, weights: ViewWeights, fused: Option<&Picture>| {
            let views = weights.views(pair, fused);
            views.iter().map(|v| (v.kind, v.weight)).collect::<Vec<_>>()
        };
        let fused = Picture::rgb(size);
        assert_eq!(
            kinds(&pair, weights, Some(&fused)),
            [
                (ViewKind::Infrared, 0.5),
                (ViewKind::Visible, 1.0),
                (ViewKind::Fused, 0.25)
            ]
        );
        pair.has_infrared = false;
        let visible_off = ViewWeights {
            visible: 0.0,
            ..weights
        };
        assert_eq!(kinds(&pair, visible_off, None), []);
    }

    #[test]
    fn shapes_and_weights_that_make_no_sense_have_no_bytes() {
        let view = View {
            kind: ViewKind::Fused,
            weight: 1.0,
            width: 4,
            height: 2,
            channels: 3,
            data: Vec::new(),
        };
        assert_eq!(view.bytes(), Some(24));
        let damaged = |change: fn(&mut View)| {
            let mut view = view.clone();
            change(&mut view);
            view.bytes()
        };
        assert_eq!(damaged(|v| v.width = usize::MAX), None);
        assert_eq!(damaged(|v| v.height = 0), None);
        assert_eq!(damaged(|v| v.channels = 2), None);
        assert_eq!(damaged(|v| v.weight = f32::NAN), None);
        assert_eq!(damaged(|v| v.weight = 0.0), None);
    }
}
