//! A detector's graph, run by tract.
//!
//! Input: an ONNX file, a picture. Output: [`NamedObject`]s. Blocks: on the file. Fails when: the file is
//! not there, not the one that was named, or no detector. Not its job: reading the output tensor
//! ([`super::boxes`]).

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;

use super::boxes::{self, OutputLayout};
use super::classes::CLASSES;
use crate::bounded;
use crate::config::DetectorConfig;
use crate::describe::facts::NamedObject;
use crate::digest::sha256;
use crate::frame::{Picture, Size};

/// Side of the input where the graph takes any, pixels: what the YOLO family is trained with.
const SIDE: usize = 640;
/// Longest side of an input that is taken, pixels.
const LONGEST: usize = 2048;
/// Grey around a picture of another aspect ratio, as that family is trained with.
const AROUND: f32 = 114.0 / 255.0;

pub(super) struct Network {
    plan: std::sync::Arc<TypedRunnableModel>,
    /// Of the input.
    size: Size,
    least: f32,
}

impl Network {
    pub fn load(config: &DetectorConfig) -> Result<Self, String> {
        let bytes = bounded::read(&config.model, bounded::NETWORK)
            .map_err(|error| format!("cannot read it: {error}"))?;
        if let Some(expected) = &config.sha256 {
            let found = sha256(&bytes);
            if !found.eq_ignore_ascii_case(expected) {
                return Err(format!("its SHA-256 is {found}, expected {expected}"));
            }
        }
        let of_tract = |error: TractError| format!("{error:#}");
        let mut model = tract_onnx::onnx()
            .model_for_read(&mut &bytes[..])
            .map_err(of_tract)?;
        let size = input_size(&model)?;
        let fact = InferenceFact::dt_shape(f32::datum_type(), [1, 3, size.height, size.width]);
        model.set_input_fact(0, fact).map_err(of_tract)?;
        let typed = model.into_typed().map_err(of_tract)?;
        let output = typed.output_outlets().map_err(of_tract)?[0];
        let fact = typed.outlet_fact(output).map_err(of_tract)?;
        match fact.shape.as_concrete() {
            Some(shape) if fact.datum_type == f32::datum_type() => OutputLayout::of(shape)?,
            _ => {
                return Err(format!(
                    "its output is {fact:?}; a fixed shape of f32 was expected"
                ));
            }
        };
        let plan = typed.into_optimized().and_then(IntoRunnable::into_runnable);
        Ok(Self {
            plan: plan.map_err(of_tract)?,
            size,
            least: config.confidence as f32,
        })
    }

    pub fn run(&mut self, picture: &Picture) -> Result<Vec<NamedObject>, String> {
        let of_tract = |error: TractError| format!("{error:#}");
        if picture.size().area() == 0 {
            return Ok(Vec::new());
        }
        let fit = Fit::new(picture.size(), self.size);
        let shape = [1, 3, self.size.height, self.size.width];
        let input = Tensor::from_shape(&shape, &fit.planes(picture)).map_err(of_tract)?;
        let outputs = self
            .plan
            .run(tvec!(input.into_tvalue()))
            .map_err(of_tract)?;
        let output = outputs.first().ok_or("it gave no output")?;
        let view = output.try_as_plain_ram().map_err(of_tract)?;
        let values = view.as_slice::<f32>().map_err(of_tract)?;
        let found = boxes::decode(values, output.shape(), self.least)?;
        Ok(found.iter().filter_map(|f| fit.object(f)).collect())
    }
}

/// Where the graph takes a picture, and of what size.
fn input_size(model: &InferenceModel) -> Result<Size, String> {
    let of_tract = |error: TractError| format!("{error:#}");
    let inputs = model.input_outlets().map_err(of_tract)?;
    if inputs.len() != 1 {
        return Err(format!(
            "it has {} inputs; one picture was expected",
            inputs.len()
        ));
    }
    let fact = model.input_fact(0).map_err(of_tract)?;
    let dims: Vec<Option<i64>> = fact
        .shape
        .dims()
        .map(|dim| dim.concretize().and_then(|dim| dim.to_i64().ok()))
        .collect();
    let wrong = || format!("its input is {fact:?}; [1, 3, height, width] of f32 was expected");
    let kind = fact.datum_type.concretize();
    let [batch, channels, height, width] = dims[..] else {
        return Err(wrong());
    };
    let fits = kind.is_none_or(|kind| kind == f32::datum_type())
        && batch.is_none_or(|n| n == 1)
        && channels.is_none_or(|n| n == 3);
    let side = |n: Option<i64>| match n {
        None => Some(SIDE),
        Some(n) => usize::try_from(n)
            .ok()
            .filter(|n| (1..=LONGEST).contains(n)),
    };
    match (fits, side(width), side(height)) {
        (true, Some(width), Some(height)) => Ok(Size::new(width, height)),
        _ => Err(wrong()),
    }
}

/// How a picture lies in the input: scaled evenly, in the middle, grey around it.
struct Fit {
    from: Size,
    to: Size,
    scale: f32,
    left: f32,
    top: f32,
}

impl Fit {
    fn new(from: Size, to: Size) -> Self {
        let across = to.width as f32 / from.width as f32;
        let scale = across.min(to.height as f32 / from.height as f32);
        Self {
            from,
            to,
            scale,
            left: (to.width as f32 - from.width as f32 * scale) / 2.0,
            top: (to.height as f32 - from.height as f32 * scale) / 2.0,
        }
    }

    /// Red, green and blue planes of 0..=1, bilinear.
    fn planes(&self, picture: &Picture) -> Vec<f32> {
        let (w, h) = (self.to.width, self.to.height);
        let mut planes = vec![AROUND; 3 * w * h];
        let channels = picture.channels();
        let last = (picture.width() - 1, picture.height() - 1);
        for y in 0..h {
            let v = (y as f32 + 0.5 - self.top) / self.scale - 0.5;
            if v < -0.5 || v > last.1 as f32 + 0.5 {
                continue;
            }
            let (v, y0) = (v.max(0.0), v.max(0.0) as usize);
            let rows = [
                picture.row(y0.min(last.1)),
                picture.row((y0 + 1).min(last.1)),
            ];
            for x in 0..w {
                let u = (x as f32 + 0.5 - self.left) / self.scale - 0.5;
                if u < -0.5 || u > last.0 as f32 + 0.5 {
                    continue;
                }
                let (u, x0) = (u.max(0.0), u.max(0.0) as usize);
                let columns = [x0.min(last.0), (x0 + 1).min(last.0)];
                for c in 0..3 {
                    let sample = |r: usize, k: usize| {
                        f32::from(rows[r][columns[k] * channels + c.min(channels - 1)])
                    };
                    let along = |r| mix(sample(r, 0), sample(r, 1), u - x0 as f32);
                    planes[(c * h + y) * w + x] = mix(along(0), along(1), v - y0 as f32) / 255.0;
                }
            }
        }
        planes
    }

    /// A box of the input in the picture; `None` where it lies in the grey.
    fn object(&self, found: &boxes::Found) -> Option<NamedObject> {
        let [left, top, right, bottom] = found.corners;
        let across =
            |x: f32| ((x - self.left) / self.scale / self.from.width as f32).clamp(0.0, 1.0);
        let down = |y: f32| ((y - self.top) / self.scale / self.from.height as f32).clamp(0.0, 1.0);
        let (left, right, top, bottom) = (across(left), across(right), down(top), down(bottom));
        let area = (right - left) * (bottom - top);
        (area > 0.0).then(|| NamedObject {
            class: CLASSES[found.class],
            confidence: found.score,
            x: (left + right) / 2.0,
            y: (top + bottom) / 2.0,
            area,
        })
    }
}

fn mix(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}
