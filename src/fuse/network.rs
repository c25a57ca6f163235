//! The text-guided network.
//!
//! Input: two luma pictures and [`EffectiveGuidance`]. Output: fused luma. Thread: fuse. Blocks: never.
//! Allocates: see [`Runner`]. Fails when: [`FuseError`]; after a failed run the next frame starts from
//! a new state. Not its job: colour, fallback.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tract_onnx::prelude::*;

use super::int8::{self, bands_on, within};
use super::runner::Runner;
use super::tensors::{GUIDANCE, overwrite};
use super::{EffectiveGuidance, FuseError, Fuser, Manifest, NetworkEntry};
use crate::frame::{Picture, Size};
use crate::simd::int8::{Path as KernelPath, grey_row, unit_row};
use crate::team::Team;

const INFRARED: &str = "infrared";
const VISIBLE: &str = "visible";

/// A network at one size of picture.
#[derive(Debug)]
pub struct NetworkFuser {
    name: String,
    size: Size,
    padded: Size,
    guidance_shape: (usize, usize),
    runner: Runner,
    /// Input tensors in the graph's order, used again for every frame.
    inputs: [Arc<Tensor>; 3],
    order: InputOrder,
    team: Arc<Team>,
}

/// Positions of the inputs in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InputOrder {
    infrared: usize,
    visible: usize,
    guidance: usize,
}

impl NetworkFuser {
    /// Loads the manifest's network of that name (its first one for `None`) for pictures of
    /// `size`, verifies its file, and optimises it for this processor. Takes a second or so.
    ///
    /// # Errors
    /// [`FuseError::Model`] where the file is not the manifest's or not such a network.
    pub fn new(manifest: &Manifest, name: Option<&str>, size: Size) -> Result<Self, FuseError> {
        let entry = manifest.network(name)?;
        let bytes = manifest.network_bytes(entry)?;
        Self::from_onnx(&bytes, entry, size)
    }

    /// As [`NetworkFuser::new`], from an ONNX file's bytes that nobody vouches for; of `entry`
    /// the name, the shape of the guidance and `multiple_of` count.
    ///
    /// # Errors
    /// [`FuseError::Model`], [`FuseError::Size`] for a picture without a pixel.
    pub fn from_onnx(bytes: &[u8], entry: &NetworkEntry, size: Size) -> Result<Self, FuseError> {
        if size.area() == 0 {
            return Err(FuseError::Size(format!("{size} has no pixel")));
        }
        let padded = Size::new(
            size.width.next_multiple_of(entry.multiple_of),
            size.height.next_multiple_of(entry.multiple_of),
        );
        let refused = |what: String| {
            FuseError::Model(format!(
                "the network {} ({}) cannot be used: {what}",
                entry.name,
                entry.file.display()
            ))
        };
        let of_tract = |error: TractError| refused(format!("{error:#}"));
        let model = int8::reader()
            .model_for_read(&mut &bytes[..])
            .map_err(of_tract)?;
        let order = input_order(&model).map_err(&refused)?;
        let picture = [1, 1, padded.height, padded.width];
        let guidance = [1, entry.tokens, entry.features];
        let mut shapes = [&picture[..]; 3];
        shapes[order.guidance] = &guidance;
        let runner = Runner::of(model, shapes, order.guidance).map_err(of_tract)?;
        let zeros = |shape: &[usize]| Tensor::zero::<f32>(shape).map(Arc::new);
        let inputs = [
            zeros(shapes[0]).map_err(of_tract)?,
            zeros(shapes[1]).map_err(of_tract)?,
            zeros(shapes[2]).map_err(of_tract)?,
        ];
        Ok(Self {
            name: entry.name.clone(),
            size,
            padded,
            guidance_shape: (entry.tokens, entry.features),
            runner,
            inputs,
            order,
            team: Arc::default(),
        })
    }

    /// Shares the work on 8-bit features with a team; the picture is the same for any.
    #[must_use]
    pub fn with_team(mut self, team: Arc<Team>) -> Self {
        self.team = team;
        self
    }

    /// The size it was made for.
    pub fn size(&self) -> Size {
        self.size
    }

    fn check_shapes(
        &self,
        [infrared, visible]: [&Picture; 2],
        guidance: &EffectiveGuidance<'_>,
    ) -> Result<(), FuseError> {
        for (name, picture) in [(INFRARED, infrared), (VISIBLE, visible)] {
            if picture.size() != self.size || picture.channels() != 1 {
                return Err(FuseError::Size(format!(
                    "the {name} picture is {} with {} channel(s), the network was made for {} \
                     with one",
                    picture.size(),
                    picture.channels(),
                    self.size
                )));
            }
        }
        let guidance = guidance.shape();
        if guidance != self.guidance_shape {
            return Err(FuseError::Size(format!(
                "the guidance is {guidance:?}, the network takes {:?}",
                self.guidance_shape
            )));
        }
        Ok(())
    }
}

impl Fuser for NetworkFuser {
    fn name(&self) -> &str {
        &self.name
    }

    fn fuse_shown(
        &mut self,
        infrared: &Picture,
        visible: &Picture,
        guidance: &EffectiveGuidance<'_>,
        fused: &mut Picture,
    ) -> Result<(), FuseError> {
        self.check_shapes([infrared, visible], guidance)?;
        let (padded, team) = (self.padded, &self.team);
        let places = [
            (self.order.infrared, infrared),
            (self.order.visible, visible),
        ];
        for (input, picture) in places {
            let fill = |to: &mut [f32]| fill_picture(to, padded, picture, team);
            overwrite(&mut self.inputs[input], fill).map_err(FuseError::Run)?;
        }
        fused.reshape(self.size, 1);
        let read = |output: &Tensor| read_output(output, padded, fused, team);
        let (runner, inputs) = (&mut self.runner, &mut self.inputs);
        within(team, || runner.run(inputs, guidance, read)).map_err(FuseError::Run)
    }
}

/// Grey levels to 0..=1; columns and rows beyond the picture repeat its edge.
fn fill_picture(to: &mut [f32], padded: Size, from: &Picture, team: &Team) {
    let path = KernelPath::best();
    bands_on(team, to, padded.width, |first, to| {
        for (y, row) in (first..).zip(to.chunks_exact_mut(padded.width)) {
            let source = from.row(y.min(from.height() - 1));
            let (inside, beyond) = row.split_at_mut(source.len());
            unit_row(source, inside, path);
            beyond.fill(inside[inside.len() - 1]);
        }
    });
}

/// 0..=1 to grey levels, rounded, clamped; what was padded is cut off.
fn read_output(
    output: &Tensor,
    padded: Size,
    fused: &mut Picture,
    team: &Team,
) -> Result<(), String> {
    let view = output
        .try_as_plain_ram()
        .map_err(|error| format!("{error:#}"))?;
    let values = view
        .as_slice::<f32>()
        .map_err(|error| format!("{error:#}"))?;
    if values.len() != padded.area() {
        return Err(format!(
            "the output has {} values, {padded} were expected",
            values.len()
        ));
    }
    let (path, finite) = (KernelPath::best(), AtomicBool::new(true));
    let width = fused.width();
    bands_on(team, fused.data_mut(), width, |first, to| {
        for (y, row) in (first..).zip(to.chunks_exact_mut(width)) {
            if !grey_row(&values[y * padded.width..][..width], row, path) {
                finite.store(false, Relaxed);
            }
        }
    });
    if finite.into_inner() {
        Ok(())
    } else {
        Err("the output has values that are not finite".to_owned())
    }
}

/// Where the graph has its three inputs.
fn input_order(model: &InferenceModel) -> Result<InputOrder, String> {
    let of_tract = |error: TractError| format!("{error:#}");
    let mut names = Vec::new();
    for outlet in model.input_outlets().map_err(of_tract)? {
        names.push(model.node(outlet.node).name.as_str());
    }
    let position = |wanted: &str| names.iter().position(|name| *name == wanted);
    match (position(INFRARED), position(VISIBLE), position(GUIDANCE)) {
        (Some(infrared), Some(visible), Some(guidance)) if names.len() == 3 => Ok(InputOrder {
            infrared,
            visible,
            guidance,
        }),
        _ => Err(format!(
            "its inputs are {}; {INFRARED}, {VISIBLE} and {GUIDANCE} were expected",
            names.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Task;
    use crate::describe::{Guidance, Origin, TokenFeatures};

    fn manifest() -> Manifest {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny/manifest.toml");
        Manifest::load(&path).unwrap()
    }

    fn flat(size: Size, value: u8) -> Picture {
        Picture::from_data(size, 1, vec![value; size.area()]).unwrap()
    }

    fn guidance(value: f32) -> Guidance {
        let features = TokenFeatures {
            rows: 4,
            dim: 8,
            values: vec![value; 32],
        };
        Guidance::new(&features, (4, 8), "", Origin::User, Task::Ivf).unwrap()
    }

    /// What the tiny network computes.
    fn expected(a: u8, b: u8, mean: f32) -> u8 {
        let w = 1.0 / (1.0 + (-4.0 * mean).exp());
        (f32::from(a) * w + f32::from(b) * (1.0 - w)).round() as u8
    }

    #[test]
    fn pictures_of_any_size_are_padded_and_cut() {
        for size in [Size::new(1, 1), Size::new(16, 8), Size::new(13, 21)] {
            let mut fuser = NetworkFuser::new(&manifest(), None, size).unwrap();
            let mut infrared = flat(size, 0);
            for (i, v) in infrared.data_mut().iter_mut().enumerate() {
                *v = (i * 31 % 256) as u8;
            }
            let visible = flat(size, 90);
            let mut fused = Picture::rgb(Size::new(2, 2));
            let neutral = manifest().neutral(Task::Mff).unwrap();
            fuser
                .fuse(&infrared, &visible, &neutral, &mut fused)
                .unwrap();
            assert_eq!((fused.size(), fused.channels()), (size, 1));
            for (&f, &a) in fused.data().iter().zip(infrared.data()) {
                assert!(f.abs_diff(expected(a, 90, 0.75)) <= 1);
            }
        }
    }

    #[test]
    fn beyond_the_picture_its_edge_repeats() {
        let picture = Picture::from_data(Size::new(2, 2), 1, vec![0, 51, 102, 255]).unwrap();
        let mut filled = [9.0; 12];
        fill_picture(&mut filled, Size::new(4, 3), &picture, &Team::alone());
        let levels = filled.map(|v| (v * 255.0).round());
        let expected = [
            [0.0, 51.0, 51.0, 51.0],
            [102.0, 255.0, 255.0, 255.0],
            [102.0, 255.0, 255.0, 255.0],
        ];
        assert_eq!(levels, expected.concat()[..]);
    }

    #[test]
    fn guidance_takes_effect_on_the_next_frame() {
        let size = Size::new(8, 8);
        let mut fuser = NetworkFuser::new(&manifest(), Some("tiny"), size).unwrap();
        let (a, b, mut fused) = (flat(size, 200), flat(size, 0), Picture::grey(size));
        for mean in [-1.0, 0.0, 1.0, 0.0] {
            fuser.fuse(&a, &b, &guidance(mean), &mut fused).unwrap();
            assert!(
                fused.data()[0].abs_diff(expected(200, 0, mean)) <= 1,
                "{mean}"
            );
        }
    }

    #[test]
    fn input_tensors_are_used_again() {
        let size = Size::new(8, 8);
        let mut fuser = NetworkFuser::new(&manifest(), None, size).unwrap();
        let (a, mut fused) = (flat(size, 200), Picture::grey(size));
        let place = |fuser: &NetworkFuser| fuser.inputs.clone().map(|t| Arc::as_ptr(&t));
        fuser.fuse(&a, &a, &guidance(0.0), &mut fused).unwrap();
        let before = place(&fuser);
        fuser.fuse(&a, &a, &guidance(0.5), &mut fused).unwrap();
        assert_eq!(before, place(&fuser));
    }

    #[test]
    fn a_failed_frame_does_not_spoil_the_next() {
        let size = Size::new(8, 8);
        let mut fuser = NetworkFuser::new(&manifest(), Some("tiny-sqrt"), size).unwrap();
        let (a, mut fused) = (flat(size, 100), Picture::grey(size));
        let error = fuser.fuse(&a, &a, &guidance(-1.0), &mut fused).unwrap_err();
        assert!(matches!(error, FuseError::Run(_)), "{error}");
        fuser.fuse(&a, &a, &guidance(1.0), &mut fused).unwrap();
        assert_eq!(fused, a);
        // Beyond white is clamped.
        fuser.fuse(&a, &a, &guidance(100.0), &mut fused).unwrap();
        assert_eq!(fused, flat(size, 255));
    }

    #[test]
    fn wrong_sizes_are_a_callers_mistake() {
        let size = Size::new(8, 8);
        let mut fuser = NetworkFuser::new(&manifest(), None, size).unwrap();
        let (a, mut fused) = (flat(size, 1), Picture::grey(size));
        let wide = flat(Size::new(9, 8), 1);
        let error = fuser
            .fuse(&a, &wide, &guidance(0.0), &mut fused)
            .unwrap_err();
        assert!(matches!(error, FuseError::Size(_)) && error.to_string().contains("9x8"));
        let colour = Picture::rgb(size);
        assert!(fuser.fuse(&colour, &a, &guidance(0.0), &mut fused).is_err());
        assert!(NetworkFuser::new(&manifest(), None, Size::new(0, 4)).is_err());
    }

    #[test]
    fn graphs_of_another_shape_are_refused_in_plain_words() {
        let size = Size::new(64, 64);
        let said = |name: &str| {
            let error = NetworkFuser::new(&manifest(), Some(name), size).unwrap_err();
            assert!(matches!(error, FuseError::Model(_)));
            error.to_string()
        };
        let fixed = said("tiny-fixed");
        assert!(fixed.contains("16") && fixed.contains("64"), "{fixed}");
        let names = said("tiny-names");
        assert!(names.contains("left, right, guidance"), "{names}");
        let manifest = manifest();
        let entry = manifest.network(None).unwrap();
        let garbage = NetworkFuser::from_onnx(b"not a graph", entry, size).unwrap_err();
        assert!(matches!(garbage, FuseError::Model(_)), "{garbage}");
        let mut wide = entry.clone();
        wide.tokens = 64;
        let bytes = manifest.network_bytes(entry).unwrap();
        let error = NetworkFuser::from_onnx(&bytes, &wide, size).unwrap_err();
        assert!(error.to_string().contains("guidance"), "{error}");
    }
}
