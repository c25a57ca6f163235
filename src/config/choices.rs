//! The values that configuration and command line share: engine, tone, text, screen. Task, mode and
//! palette are those of the control protocol.

pub use control_protocol::{Mode, Palette, Task};
use serde::{Deserialize, Serialize};

/// What the guiding text is made of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum TextStyle {
    /// One paragraph, as FILM has it.
    #[default]
    Paragraph,
    /// Answers to a hierarchy of questions, each a weighted segment of guidance.
    Questions,
}

/// What medical source A is. Pixels tell colour from grey, and no more than that.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Coloured: functional; grey: CT.
    #[default]
    Auto,
    /// PET or SPECT, nobody says which.
    Functional,
    /// Positron emission tomography.
    Pet,
    /// Single-photon emission computed tomography.
    Spect,
    /// Computed tomography.
    Ct,
}

impl Modality {
    /// As a text calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Auto | Self::Functional => "functional",
            Self::Pet => "PET",
            Self::Spect => "SPECT",
            Self::Ct => "CT",
        }
    }
}

/// Which fusion runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The text-guided network; classic fusion is its fallback.
    #[default]
    Network,
    /// Laplacian pyramid, no text.
    Classic,
}

/// Whether blur is taken back from the visible picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SharpenMode {
    /// Never, whatever a text asks for.
    Off,
    /// As much as it is measured to be blurred, of infrared-visible pairs.
    #[default]
    Auto,
}

/// Whether the fused picture's contrast is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ToneMode {
    /// Never.
    Off,
    /// For infrared-visible pictures; medical, multi-exposure and multi-focus pictures keep their
    /// grey levels.
    #[default]
    Auto,
    /// Whatever the task.
    On,
}

/// Where the picture goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ScreenKind {
    /// Nothing is shown; `filmd demo` leaves files.
    #[default]
    Headless,
    /// A window of the desktop.
    Window,
    /// The display itself, through DRM/KMS.
    Drm,
    /// A frame buffer (fbdev), where the kernel has no DRM for the display.
    Framebuffer,
    /// A panel on SPI: `[present.spi]`.
    Spi,
}

/// What the rows of telemetry below a picture are to be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TelemetryKind {
    /// FLIR Lepton: frames that were sent again and frames of the closed shutter are left out.
    Lepton,
}
