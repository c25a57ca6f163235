//! What a measured picture needs: a request for more than that changes nothing.

use super::RequestKind as Kind;
use crate::align::AlignedPair;
use crate::clean::LumaHistogram;
use crate::describe::Facts;
use crate::describe::facts::SourceFaults;

/// Luma of the visible picture's lightest twentieth, 0..=1, below which it is dark.
const DARK_WHITE: f32 = 0.45;
/// Its mean below which it is dark, whatever shines in it.
const DARK_MEAN: f32 = 0.2;
/// Share of saturated pixels from which on a light picture is over-exposed.
const CLIPPED: f32 = 0.16;
/// Mean luma of a light picture.
const LIGHT_MEAN: f32 = 0.45;
/// Share of saturated pixels from which on something glares.
const GLARING: f32 = 0.01;
/// Haze is pale where it is darkest, and flat.
const PALE: f32 = 0.3;
const FLAT: f32 = 0.11;
/// Standard deviation of the infrared picture's luma, 0..=1.
const INFRARED_FLAT: f32 = 0.11;

/// What a pair needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Need {
    /// Both sources are there.
    pub has: [bool; 2],
    /// The visible picture is dark.
    pub light: bool,
    /// It is over-exposed.
    pub over_exposure: bool,
    /// It has glare.
    pub glare: bool,
    /// It is hazy.
    pub haze: bool,
    /// Infrared, visible: noisy or striped.
    pub noise: [bool; 2],
    /// The visible picture is blurred.
    pub blur: bool,
    /// The infrared picture is flat.
    pub contrast: bool,
}

impl Need {
    /// What `pair` needs, by its pixels and by its facts. Only an infrared-visible pair needs anything.
    pub fn measure(pair: &AlignedPair, facts: &Facts) -> Self {
        let Facts::Ivf(scene) = facts else {
            return Self::default();
        };
        let (infrared, visible) = (
            LumaHistogram::of(&pair.infrared),
            LumaHistogram::of(&pair.visible),
        );
        let over_exposure = visible.clipped >= CLIPPED && visible.mean >= LIGHT_MEAN;
        let flat = visible.deviation < FLAT && visible.quantile(0.01) > PALE;
        let noisy = |faults: &SourceFaults| {
            [faults.noise, faults.columns, faults.rows]
                .iter()
                .any(|fault| fault.value.is_some())
        };
        Self {
            has: [pair.has_infrared, pair.has_visible],
            light: visible.quantile(0.95) < DARK_WHITE || visible.mean < DARK_MEAN,
            over_exposure,
            glare: scene.visible.glare.says(|places| !places.is_empty())
                || visible.clipped > GLARING,
            haze: flat || !scene.visible.haze.value.is_empty(),
            noise: [noisy(&scene.faults.infrared), noisy(&scene.faults.visible)],
            blur: scene.faults.visible.blur.value.is_some(),
            contrast: infrared.deviation < INFRARED_FLAT,
        }
    }

    /// Why a request is not needed; `None`: it is, or nothing has to be measured for it.
    pub(super) fn refuses(&self, kind: Kind) -> Option<&'static str> {
        let (is_needed, reason) = match kind {
            Kind::Light => (self.light, "the picture is not dark"),
            Kind::OverExposure => (self.over_exposure, "the picture is not over-exposed"),
            Kind::Glare => (self.glare, "the picture has no glare"),
            Kind::Haze => (self.haze, "the picture is not hazy"),
            Kind::Noise => (self.noise != [false; 2], "neither picture is noisy"),
            Kind::NoiseInInfrared => (self.noise[0], "the infrared picture is not noisy"),
            Kind::NoiseInVisible => (self.noise[1], "the visible picture is not noisy"),
            Kind::Blur => (self.blur, "the visible picture is not blurred"),
            Kind::InfraredContrast => (self.contrast, "the infrared picture has contrast"),
            Kind::Texture | Kind::Edges => (self.has[1], "there is no visible picture"),
            _ => (true, ""),
        };
        let source = match kind {
            Kind::NoiseInInfrared | Kind::InfraredContrast => self.has[0],
            Kind::Noise => self.has[0] || self.has[1],
            Kind::People | Kind::Animals | Kind::WarmObjects => self.has[0],
            _ => self.has[1],
        };
        match (source, is_needed) {
            (false, _) => Some("that picture is missing"),
            (true, false) => Some(reason),
            (true, true) => None,
        }
    }
}
