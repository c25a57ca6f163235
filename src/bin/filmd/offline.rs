//! Fusion of single pairs, outside the frame path.
//!
//! Input: [`AlignedPair`] of any size. Output: [`Guidance`], the fused picture in colour. Fails when: a
//! model or the describer cannot be used. Not its job: files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::asked::Asked;
use crate::graph::{Graph, needed};
use crate::setup::model_files;
use anyhow::{Context, Result, bail};
use filmd::align::AlignedPair;
use filmd::clean::{EdgeWidths, Levels, Sharpener, Sharpening};
use filmd::config::{CleanMode, DescribeConfig, Engine, Task, ToneConfig};
use filmd::describe::request::{Need, Plan};
use filmd::describe::words::questions::Questions;
use filmd::describe::{
    self, DescribeRequest, Describer, Description, Facts, Guidance, ModelFile, Origin, Prompt,
    TokenFeatures,
};
use filmd::frame::{Picture, Size};
use filmd::fuse::color::{self, Chroma};
use filmd::fuse::{ClassicFuser, Emphasiser, FuseError, Fuser, Manifest, Tone};

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
    /// The same, as answers to the questions of a file, or to the shipped ones.
    Questions(Option<PathBuf>),
    /// Text features from a `.npy` file, or from one a pair in a folder, by the pair's name.
    Features(PathBuf),
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
    /// A text encoder (GGUF) in place of the manifest's.
    pub encoder: Option<&'a Path>,
    /// When sensor faults are taken from the sources; `Off`: the visible picture is not sharpened either.
    pub clean: CleanMode,
}

enum Guide {
    /// One guidance for all pairs.
    Fixed(Guidance),
    /// A new one for each pair: a paragraph, or answers to questions.
    Each {
        describer: Box<dyn Describer>,
        questions: Option<Questions>,
        /// Guides the network in place of a paragraph; `None`: the text itself does.
        neutral: Option<Guidance>,
    },
    /// A user's text, by what each pair needs of it.
    Asked(Box<Asked>),
    /// One file a pair, in this folder.
    Folder(PathBuf),
}

/// Fuses pair after pair; the network is made anew only where the size changes.
pub struct Offline {
    task: Task,
    tone: ToneConfig,
    /// Takes blur back from the visible luma; `None`: not for this task.
    sharpener: Option<Sharpener>,
    /// How much of it, of the last pair: 0..=1.
    sharpened: f32,
    graph: Option<Graph>,
    guide: Guide,
    /// The last one, and the size and the rows of guidance that it was made for.
    fuser: Option<((Size, usize), Box<dyn Fuser>)>,
}

impl Offline {
    /// Loads and verifies what the settings need, and nothing else.
    ///
    /// # Errors
    /// No usable manifest, network or describer.
    pub fn new(settings: Settings<'_>) -> Result<Self> {
        let task = settings.task;
        let sharpener = (task == Task::Ivf && settings.clean != CleanMode::Off)
            .then(|| Sharpener::new(Size::new(0, 0)));
        if settings.engine == Engine::Classic {
            if settings.text != TextSource::Neutral || settings.encoder.is_some() {
                bail!("classic fusion takes no text; leave its options, or the engine");
            }
            return Ok(Self {
                task,
                tone: settings.tone,
                sharpener,
                sharpened: 0.0,
                graph: None,
                guide: Guide::Fixed(Guidance::none(task)),
                fuser: None,
            });
        }
        let manifest = Manifest::find(settings.manifest);
        let graph = Graph::load(&manifest, settings.model, task)?;
        let guide = guide_by(&settings, &graph, &manifest)?;
        Ok(Self {
            task,
            tone: settings.tone,
            sharpener,
            sharpened: 0.0,
            graph: Some(graph),
            guide,
            fuser: None,
        })
    }

    /// Whether a text has any effect.
    pub fn takes_text(&self) -> bool {
        self.graph.is_some()
    }

    /// Name of the network, or `classic`, once a pair was fused.
    pub fn fuser_name(&self) -> &str {
        self.fuser.as_ref().map_or("", |(_, fuser)| fuser.name())
    }

    /// How much of its blur was taken back from the last pair's visible picture, 0..=1.
    pub fn sharpened(&self) -> f32 {
        self.sharpened
    }

    /// The guidance for a pair; `name` finds its file in a folder of text features.
    ///
    /// # Errors
    /// The describer's; features that cannot be used.
    pub fn guidance(&mut self, pair: &AlignedPair, name: &str) -> Result<Guidance> {
        match (&mut self.guide, &self.graph) {
            (Guide::Fixed(guidance), _) => Ok(guidance.clone()),
            (
                Guide::Each {
                    describer,
                    questions,
                    neutral,
                },
                Some(graph),
            ) => {
                let facts = Facts::measure(self.task, pair);
                let prompt = match questions {
                    None => Prompt::Facts(facts.sentences()),
                    Some(questions) => Prompt::Answers {
                        answers: questions.answer_within(&facts, graph.most_rows()),
                        by_llm: true,
                    },
                };
                let guided = guide(describer.as_mut(), self.task, prompt, graph)?;
                let Some(neutral) = neutral else {
                    return Ok(guided);
                };
                let need = Need::measure(pair, &facts);
                let (text, origin) = (guided.text, guided.origin);
                let controls = Plan::of_description(&text, &facts, &need).controls;
                Ok(Guidance::described(neutral, text, origin, controls))
            }
            (Guide::Asked(asked), Some(graph)) => asked.guidance(pair, graph),
            (Guide::Folder(folder), Some(graph)) => {
                from_file(graph, &folder.join(format!("{name}.npy")), self.task)
            }
            (Guide::Each { .. } | Guide::Asked(_) | Guide::Folder(_), None) => {
                bail!("classic fusion takes no text")
            }
        }
    }

    /// A user's text and what came of it on the last pair.
    pub fn asked(&self) -> Option<&Asked> {
        match &self.guide {
            Guide::Asked(asked) => Some(asked),
            _ => None,
        }
    }

    /// Leaves the fuser, whose state may be half-made after a panic; the next pair makes another.
    pub fn forget(&mut self) {
        self.fuser = None;
    }

    /// Fuses the luma, emphasises what the text asks for, maps the tone and gives the fused picture the sources' colour.
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
        if let Some(sharpener) = &mut self.sharpener {
            let blur = EdgeWidths::of(visible.data(), size.width).blur();
            let sharpening = Sharpening::of(blur.unwrap_or_default(), guidance.controls.sharpen);
            sharpener.apply(&mut visible, sharpening);
            self.sharpened = sharpening.strength;
        }
        for (plane, wanted) in [&mut infrared, &mut visible]
            .into_iter()
            .zip(guidance.controls.levels)
        {
            Levels::of_picture(plane, wanted).apply(plane);
        }
        self.fuser_for(size, guidance)?
            .fuse(&infrared, &visible, guidance, &mut fused)?;
        if let (Some(wanted), Task::Ivf) = (guidance.controls.emphasis, self.task) {
            Emphasiser::new(size).apply_alone(&infrared, &mut fused, wanted);
        }
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
    /// [`filmd::fuse::FuseError`]; too little memory.
    pub fn prepare(&mut self, size: Size, guidance: &Guidance) -> Result<()> {
        self.fuser_for(size, guidance).map(|_| ())
    }

    fn fuser_for(&mut self, size: Size, guidance: &Guidance) -> Result<&mut dyn Fuser> {
        let wanted = (size, guidance.shape().0);
        if self
            .fuser
            .as_ref()
            .is_none_or(|(made_for, _)| *made_for != wanted)
        {
            // The old one's memory counts as free.
            self.fuser = None;
        }
        let fuser: Box<dyn Fuser> = match (self.fuser.take(), &self.graph) {
            (Some((made_for, fuser)), _) if made_for == wanted => fuser,
            (_, Some(graph)) => Box::new(graph.fuser(size, wanted.1)?),
            (_, None) => Box::new(ClassicFuser::new(size)),
        };
        Ok(self.fuser.insert((wanted, fuser)).1.as_mut())
    }
}

/// What guides the network, by the settings' source of text.
fn guide_by(
    settings: &Settings<'_>,
    graph: &Graph,
    manifest: &Result<Manifest, FuseError>,
) -> Result<Guide> {
    let (task, encoder) = (settings.task, settings.encoder);
    let published = graph.published_features();
    if let TextSource::Features(path) = &settings.text {
        return Ok(match path.is_dir() {
            true => Guide::Folder(path.clone()),
            false => Guide::Fixed(from_file(graph, path, task)?),
        });
    }
    if let (Some(features), None) = (published, encoder) {
        bail!(
            "a published FILM network is guided by {features} features a token, which the text \
             encoder of filmd does not give; pass --features with a .npy file of them, or \
             --encoder with a text encoder that gives them"
        );
    }
    let manifest = needed(manifest)?;
    let open = |llm| open_describer(manifest, llm, encoder, graph.most_rows());
    let encoded = |text: String, origin| -> Result<Guidance> {
        let said = ask(open(false)?.as_mut(), task, Prompt::Text(text))?;
        graph.guidance(&said.features, (&said.text, origin), task)
    };
    let neutral = || -> Result<Guidance> {
        let shipped = manifest.neutral(task)?;
        match encoder {
            None => Ok(shipped),
            Some(_) => encoded(shipped.text, Origin::Neutral),
        }
    };
    match &settings.text {
        TextSource::Neutral => neutral().map(Guide::Fixed),
        // A published network was trained with any text.
        TextSource::User(text) if published.is_some() => {
            encoded(text.clone(), Origin::User).map(Guide::Fixed)
        }
        TextSource::User(text) => {
            let asked = Asked::read(text, neutral()?, manifest, (encoder, graph))?;
            Ok(Guide::Asked(Box::new(asked)))
        }
        TextSource::Questions(file) => {
            let questions = Questions::open(file.as_deref())?;
            Ok(Guide::Each {
                describer: open(true)?,
                questions: Some(questions),
                neutral: None,
            })
        }
        TextSource::Describe | TextSource::Features(_) => Ok(Guide::Each {
            describer: open(true)?,
            questions: None,
            // A published network was trained with any text.
            neutral: match published {
                Some(_) => None,
                None => Some(neutral()?),
            },
        }),
    }
}

fn from_file(graph: &Graph, path: &Path, task: Task) -> Result<Guidance> {
    let features = TokenFeatures::read_npy(path)?;
    // Nobody knows what was encoded.
    graph
        .guidance(&features, ("", Origin::User), task)
        .with_context(|| format!("the text features {} do not fit", path.display()))
}

/// The film-describe process; `llm`: not without the language model; `encoder`: in place of the
/// manifest's; at most `rows` tokens a text.
///
/// # Errors
/// A program or file that is not there, and how to get it.
pub fn open_describer(
    manifest: &Manifest,
    llm: bool,
    encoder: Option<&Path>,
    rows: usize,
) -> Result<Box<dyn Describer>> {
    let config = DescribeConfig::default();
    let mut files = model_files(&config, manifest);
    if let Some(path) = encoder {
        if !path.is_file() {
            bail!("--encoder {} is no file", path.display());
        }
        files.encoder = Some(ModelFile {
            path: path.to_owned(),
            sha256: None,
        });
    }
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
    Ok(describe::open(&config, &files, rows)?)
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
        views: Vec::new(),
    };
    Ok(describer.describe(&request)?)
}

fn guide(
    describer: &mut dyn Describer,
    task: Task,
    text: Prompt,
    graph: &Graph,
) -> Result<Guidance> {
    let said = ask(describer, task, text)?;
    graph.guidance(&said.features, (&said.text, said.origin), task)
}
