//! Stage 3: one picture out of two.
//!
//! Input: [`AlignedPair`](crate::align::AlignedPair) and [`Guidance`]. Output: fused luma, then
//! RGB by mode. Thread: fuse. Blocks: never. Allocates: when made; tract allocates inside its
//! own run. Fails when: [`FuseError`]. Not its job: geometry, overlay.

mod classic;
pub mod color;
mod emphasis;
mod entries;
mod fade;
mod fused_frame;
mod int8;
mod model;
mod modes;
mod network;
mod palette;
mod published;
mod runner;
mod stage;
mod tensors;
mod tone;

pub use classic::ClassicFuser;
pub use emphasis::Emphasiser;
pub use entries::{LanguageModelEntry, ModelRole, NetworkEntry, NeutralEntry};
pub use fade::{EffectiveGuidance, GuidanceBlend, GuidanceFade};
pub use fused_frame::{FusedFrame, SourceViews};
pub use model::{MANIFEST_NAME, Manifest};
pub use modes::{Composer, DisplaySettings};
pub use network::NetworkFuser;
pub use palette::{Lut, lut_of};
pub use published::{MOST_TOKENS, PublishedFilm};
pub use stage::{FuseStage, LOADING};
pub use tone::Tone;

use crate::describe::Guidance;
use crate::frame::Picture;

/// Why a frame was not fused.
#[derive(Debug, thiserror::Error)]
pub enum FuseError {
    /// The model file or its manifest cannot be used; says what was found and what to do.
    #[error("{0}")]
    Model(String),
    /// The network failed on this frame; its state was made anew.
    #[error("the network failed on a frame: {0}")]
    Run(String),
    /// The two pictures, or the output, are not of one size.
    #[error("the pictures to fuse differ in size: {0}")]
    Size(String),
}

/// Fuses two luma pictures of one size.
pub trait Fuser: Send {
    /// For status and overlay.
    fn name(&self) -> &str;

    /// Fuses `infrared` and `visible` (one channel each, of the size the fuser was made for)
    /// into `fused` (same size, one channel).
    ///
    /// # Errors
    /// [`FuseError::Run`]: the next frame may succeed. [`FuseError::Size`]: a caller's mistake.
    fn fuse_shown(
        &mut self,
        infrared: &Picture,
        visible: &Picture,
        guidance: &EffectiveGuidance<'_>,
        fused: &mut Picture,
    ) -> Result<(), FuseError>;

    /// As [`Fuser::fuse_shown`], by one text.
    ///
    /// # Errors
    /// As there.
    fn fuse(
        &mut self,
        infrared: &Picture,
        visible: &Picture,
        guidance: &Guidance,
        fused: &mut Picture,
    ) -> Result<(), FuseError> {
        self.fuse_shown(infrared, visible, &EffectiveGuidance::Text(guidance), fused)
    }
}
