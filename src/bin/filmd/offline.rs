//! Fusion of single pairs, outside the frame path.
//!
//! Input: [`AlignedPair`] of any size. Output: [`Guidance`], the fused picture in colour. Thread:
//! main. Blocks: yes, on the describer. Fails when: a model or the describer cannot be used.
//! Not its job: files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::setup::model_files;
use anyhow::{Context, Result, bail};
use filmd::align::AlignedPair;
use filmd::config::{DescribeConfig, Engine, Task, ToneConfig};
use filmd::describe::{self, DescribeRequest, Describer, Description, Facts, Guidance, Prompt};
use filmd::frame::{Picture, Size};
use filmd::fuse::color::{self, Chroma};
use filmd::fuse::{ClassicFuser, Fuser, Manifest, NetworkEntry, NetworkFuser, Tone};

/// Longer than any board needs; a person waits here, no frame does.
const DEADLINE: Duration = Duration::from_secs(120);

/// Where the guiding text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextSource {
    /// The manifest's sentence for the task.
    Neutral,
    /// A person.
    User(String),
    /// Facts of the pair, through the language model.
    Describe,
}

/// What is asked for.
#[derive(Debug)]
pub struct Settings<'a> {
    /// What is fused.
    pub task: Task,
    /// Network or classic.
    pub engine: Engine,
    /// The models' manifest; absent: looked for in the usual places.
    pub manifest: Option<&'a Path>,
    /// A network's name or an ONNX file; absent: the manifest's first.
    pub model: Option<&'a str>,
    /// Where the text comes from.
    pub text: TextSource,
    /// What is done to the fused picture's contrast.
    pub tone: ToneConfig,
}

/// A verified graph, ready to be made for any size.
struct Network {
    entry: NetworkEntry,
    bytes: Vec<u8>,
    shape: (usize, usize),
}

enum Guide {
    /// One guidance for all pairs.
    Fixed(Guidance),
    /// A new one for each pair.
    Each(Box<dyn Describer>),
}

/// Fuses pair after pair; the network is made anew only where the size changes.
pub struct Offline {
    task: Task,
    tone: ToneConfig,
    network: Option<Network>,
    guide: Guide,
    fuser: Option<(Size, Box<dyn Fuser>)>,
}

impl Offline {
    /// Loads and verifies what the settings need, and nothing else.
    ///
    /// # Errors
    /// No usable manifest, network or describer.
    pub fn new(settings: Settings<'_>) -> Result<Self> {
        let task = settings.task;
        if settings.engine == Engine::Classic {
            if settings.text != TextSource::Neutral {
                bail!("classic fusion takes no text; leave --text and --describe, or the engine");
            }
            return Ok(Self {
                task,
                tone: settings.tone,
                network: None,
                guide: Guide::Fixed(Guidance::none(task)),
                fuser: None,
            });
        }
        let manifest = Manifest::find(settings.manifest)?;
        let network = load_network(&manifest, settings.model)?;
        let guide = match settings.text {
            TextSource::Neutral => Guide::Fixed(manifest.neutral(task)?),
            TextSource::User(text) => {
                let mut describer = open_describer(&manifest, false)?;
                let prompt = Prompt::Text(text);
                Guide::Fixed(guide(describer.as_mut(), task, prompt, network.shape)?)
            }
            TextSource::Describe => Guide::Each(open_describer(&manifest, true)?),
        };
        Ok(Self {
            task,
            tone: settings.tone,
            network: Some(network),
            guide,
            fuser: None,
        })
    }

    /// Whether a text has any effect.
    pub fn takes_text(&self) -> bool {
        self.network.is_some()
    }

    /// Name of the network, or `classic`, once a pair was fused.
    pub fn fuser_name(&self) -> &str {
        self.fuser.as_ref().map_or("", |(_, fuser)| fuser.name())
    }

    /// The guidance for a pair.
    ///
    /// # Errors
    /// The describer's.
    pub fn guidance(&mut self, pair: &AlignedPair) -> Result<Guidance> {
        match (&mut self.guide, &self.network) {
            (Guide::Fixed(guidance), _) => Ok(guidance.clone()),
            (Guide::Each(describer), Some(network)) => {
                let prompt = Prompt::Facts(Facts::measure(self.task, pair).sentences());
                guide(describer.as_mut(), self.task, prompt, network.shape)
            }
            (Guide::Each(_), None) => bail!("classic fusion takes no text"),
        }
    }

    /// Fuses the luma, maps its tone and gives the fused picture the sources' colour.
    ///
    /// # Errors
    /// The fuser's.
    pub fn fuse(&mut self, pair: &AlignedPair, guidance: &Guidance) -> Result<Picture> {
        let size = pair.visible.size();
        let mut infrared = Picture::grey(size);
        let mut visible = Picture::grey(size);
        let mut fused = Picture::grey(size);
        color::luma(&pair.infrared, &mut infrared);
        color::luma(&pair.visible, &mut visible);
        self.fuser_for(size)?
            .fuse(&infrared, &visible, guidance, &mut fused)?;
        if let Some(mut tone) = Tone::new(self.tone, self.task, size) {
            tone.apply_alone(&mut fused);
        }
        if Chroma::of(self.task, &pair.infrared, &pair.visible) == Chroma::Grey {
            return Ok(fused);
        }
        let mut out = Picture::rgb(size);
        color::recombine(self.task, &pair.infrared, &pair.visible, &fused, &mut out);
        Ok(out)
    }

    /// Makes the fuser ready for a size, so that the time of the fusion itself can be taken.
    ///
    /// # Errors
    /// [`filmd::fuse::FuseError`].
    pub fn prepare(&mut self, size: Size) -> Result<()> {
        self.fuser_for(size).map(|_| ())
    }

    fn fuser_for(&mut self, size: Size) -> Result<&mut dyn Fuser> {
        let fuser: Box<dyn Fuser> = match (self.fuser.take(), &self.network) {
            (Some((made_for, fuser)), _) if made_for == size => fuser,
            (_, Some(network)) => Box::new(NetworkFuser::from_onnx(
                &network.bytes,
                &network.entry,
                size,
            )?),
            (_, None) => Box::new(ClassicFuser::new(size)),
        };
        Ok(self.fuser.insert((size, fuser)).1.as_mut())
    }
}

/// By name from the manifest, verified; or an ONNX file that its user vouches for.
fn load_network(manifest: &Manifest, model: Option<&str>) -> Result<Network> {
    let shape = manifest.guidance_shape();
    let file = model
        .map(Path::new)
        .filter(|path| path.extension().is_some_and(|e| e == "onnx") || path.is_file());
    let Some(path) = file else {
        let entry = manifest.network(model)?.clone();
        let bytes = manifest.network_bytes(&entry)?;
        return Ok(Network {
            entry,
            bytes,
            shape,
        });
    };
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut entry = manifest.network(None)?.clone();
    entry.name = path.file_stem().map_or_else(
        || path.display().to_string(),
        |s| s.to_string_lossy().into_owned(),
    );
    entry.file = PathBuf::from(path);
    Ok(Network {
        entry,
        bytes,
        shape,
    })
}

/// The film-describe process; `llm`: not without the language model.
///
/// # Errors
/// A program or file that is not there, and how to get it.
pub fn open_describer(manifest: &Manifest, llm: bool) -> Result<Box<dyn Describer>> {
    let config = DescribeConfig::default();
    let files = model_files(&config, manifest);
    if llm && files.llm.is_none() {
        let folders: Vec<_> = files
            .searched
            .iter()
            .map(|f| f.display().to_string())
            .collect();
        bail!(
            "the language model's file is in none of these folders: {}; fetch it with `make \
             models`, or do without --describe",
            folders.join(", ")
        );
    }
    Ok(describe::open(
        &config,
        &files,
        manifest.guidance_shape().0,
    )?)
}

/// One question to the describer.
///
/// # Errors
/// The describer's.
pub fn ask(describer: &mut dyn Describer, task: Task, text: Prompt) -> Result<Description> {
    let request = DescribeRequest {
        task,
        text,
        deadline: DEADLINE,
    };
    Ok(describer.describe(&request)?)
}

fn guide(
    describer: &mut dyn Describer,
    task: Task,
    text: Prompt,
    shape: (usize, usize),
) -> Result<Guidance> {
    let said = ask(describer, task, text)?;
    Ok(Guidance::new(
        &said.features,
        shape,
        &said.text,
        said.origin,
        task,
    )?)
}
