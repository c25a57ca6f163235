//! The values that configuration, command line and wire share: task, mode, palette, engine, tone, screen.

use serde::{Deserialize, Serialize};

/// What is fused. The text guidance tells the network which; see FILM, section 4.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Infrared and visible.
    #[default]
    Ivf,
    /// Medical: CT, PET or SPECT with MRI.
    Mif,
    /// Multi-exposure: under- and over-exposed.
    Mef,
    /// Multi-focus: near and far focus.
    Mff,
}

impl Task {
    /// All tasks, in the order of the model's manifest.
    pub const ALL: [Self; 4] = [Self::Ivf, Self::Mif, Self::Mef, Self::Mff];

    /// The name used in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ivf => "ivf",
            Self::Mif => "mif",
            Self::Mef => "mef",
            Self::Mff => "mff",
        }
    }

    /// What source A (the `infrared` input) and source B (`visible`) are called in this task.
    pub const fn sources(self) -> (&'static str, &'static str) {
        match self {
            Self::Ivf => ("infrared", "visible"),
            Self::Mif => ("functional or CT", "MRI"),
            Self::Mef => ("under-exposed", "over-exposed"),
            Self::Mff => ("near focus", "far focus"),
        }
    }
}

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

/// What is shown. Switched within one frame.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The fused picture.
    #[default]
    Fused,
    /// The visible camera alone.
    Visible,
    /// The aligned thermal picture alone, through the palette.
    Thermal,
    /// Visible and thermal (through the palette), half and half.
    Blend,
    /// The visible picture's edges drawn over the thermal picture.
    Edges,
    /// The visible picture with the thermal one in a corner.
    PictureInPicture,
}

impl Mode {
    /// All modes, in the order a mode button steps through them.
    pub const ALL: [Self; 6] = [
        Self::Fused,
        Self::Visible,
        Self::Thermal,
        Self::Blend,
        Self::Edges,
        Self::PictureInPicture,
    ];

    /// The mode after this one.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|m| *m == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// The name used in files, on the command line and in the overlay.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fused => "fused",
            Self::Visible => "visible",
            Self::Thermal => "thermal",
            Self::Blend => "blend",
            Self::Edges => "edges",
            Self::PictureInPicture => "picture-in-picture",
        }
    }
}

/// How grey thermal values are coloured in the thermal, blend and picture-in-picture modes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Palette {
    /// Hot is white.
    #[default]
    WhiteHot,
    /// Hot is black.
    BlackHot,
    /// Black, violet, orange, yellow, white.
    Ironbow,
    /// Blue, green, yellow, red.
    Rainbow,
}

impl Palette {
    /// All palettes, in the order a palette button steps through them.
    pub const ALL: [Self; 4] = [Self::WhiteHot, Self::BlackHot, Self::Ironbow, Self::Rainbow];

    /// The name used in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WhiteHot => "white-hot",
            Self::BlackHot => "black-hot",
            Self::Ironbow => "ironbow",
            Self::Rainbow => "rainbow",
        }
    }

    /// The palette after this one.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|p| *p == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
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
    /// Files only, or nothing at all.
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
