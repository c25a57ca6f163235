//! What a picture file holds.

use crate::frame::{Counts, Picture, Size};
use crate::range::defects::{self, Defects};
use crate::range::still::{self, Mapped};

/// Degrees Celsius at the zero of absolute temperature.
pub const ZERO_KELVIN: f32 = -273.15;

/// The pixels of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// 8 bits: grey or RGB.
    Picture(Picture),
    /// Grey of more than 8 bits.
    Counts(RawGrey),
}

impl Content {
    /// In pixels.
    pub fn size(&self) -> Size {
        match self {
            Self::Picture(picture) => picture.size(),
            Self::Counts(raw) => raw.counts.size,
        }
    }
}

/// Grey of more than 8 bits: a thermal camera's counts or temperatures, or a scanner's.
#[derive(Debug, Clone, PartialEq)]
pub struct RawGrey {
    /// As the file has them; temperatures are absolute, in steps of `counts.kelvin`.
    pub counts: Counts,
    /// A flag a sample that has no value (NaN, infinite); empty: all have one.
    pub missing: Vec<bool>,
    /// A value of the file has the count `value * linear.0 + linear.1`.
    pub linear: (f32, f32),
    /// What the file's values are, where they are temperatures: "32-bit floats, degrees Celsius".
    pub read_as: Option<String>,
}

/// Temperatures that were read from a file, in degrees Celsius.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Temperatures {
    /// What the file's values are.
    pub read_as: String,
    /// The coldest sample.
    pub lowest: f32,
    /// As many samples are colder as are warmer.
    pub median: f32,
    /// The hottest sample.
    pub highest: f32,
}

impl RawGrey {
    /// Counts of no known unit.
    pub fn of(size: Size, data: Vec<u16>) -> Self {
        let counts = Counts {
            size,
            data,
            kelvin: None,
        };
        Self {
            counts,
            missing: Vec::new(),
            linear: (1.0, 0.0),
            read_as: None,
        }
    }

    /// The count of a value of the file.
    pub fn of_value(&self, value: f32) -> f32 {
        value * self.linear.0 + self.linear.1
    }

    /// The value of the file that a count had.
    pub fn value_of(&self, count: f32) -> f32 {
        (count - self.linear.1) / self.linear.0
    }

    /// Fills in what is no count of the scene.
    pub fn mend(&mut self) -> Defects {
        let found = defects::mend(self.counts.size, &mut self.counts.data, &self.missing);
        self.missing.clear();
        found
    }

    /// The grey that a live camera's first frame of these counts would have.
    pub fn map(&self) -> Mapped {
        still::map(&self.counts)
    }

    /// The high byte of each count.
    pub fn high_bytes(&self) -> Picture {
        let mut picture = Picture::grey(self.counts.size);
        for (grey, count) in picture.data_mut().iter_mut().zip(&self.counts.data) {
            *grey = (count >> 8) as u8;
        }
        picture
    }

    /// The counts that a temperature in degrees Celsius has; `None`: nobody knows.
    pub fn count_of(&self, celsius: f32) -> Option<f32> {
        self.counts.kelvin.map(|k| (celsius - ZERO_KELVIN) / k)
    }

    /// Coldest, median and hottest, where the file has temperatures.
    pub fn temperatures(&self) -> Option<Temperatures> {
        let (kelvin, read_as) = (self.counts.kelvin?, self.read_as.clone()?);
        let mut sorted = self.counts.data.clone();
        sorted.sort_unstable();
        let at = |index: usize| {
            let celsius = f32::from(*sorted.get(index)?) * kelvin + ZERO_KELVIN;
            Some((celsius * 100.0).round() / 100.0)
        };
        Some(Temperatures {
            read_as,
            lowest: at(0)?,
            median: at(sorted.len() / 2)?,
            highest: at(sorted.len().saturating_sub(1))?,
        })
    }
}

/// A file's pixels and what else it tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Upright.
    pub content: Content,
    /// What somebody who uses the file should know, in words.
    pub notes: Vec<String>,
    /// The visible picture that a thermal camera keeps beside its counts.
    pub visible: Option<Picture>,
    /// The file's ICC profile.
    pub profile: Option<Vec<u8>>,
    /// The file's EXIF block (TIFF structure), its orientation set to 1.
    pub exif: Option<Vec<u8>>,
}

impl Loaded {
    /// Pixels and nothing else.
    pub fn of(content: Content) -> Self {
        Self {
            content,
            notes: Vec::new(),
            visible: None,
            profile: None,
            exif: None,
        }
    }
}
