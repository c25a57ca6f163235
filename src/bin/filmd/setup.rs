//! From a configuration to the parts of a pipeline, for the daemon, the demo and the bench alike.

use std::path::Path;

use anyhow::{Context, Result};
use filmd::acquire::{check_source, open_source};
use filmd::align::Calibration;
use filmd::config::{CleanConfig, Config, ConfigError, DescribeConfig, Engine, FuseConfig, Task};
use filmd::describe::words::questions::Questions;
use filmd::describe::{self, DescribeError, Describer, Guidance, ModelFiles, ModelSpec};
use filmd::frame::Size;
use filmd::fuse::{FuseStage, Fuser, Manifest, ModelRole, NetworkFuser};
use filmd::pipeline::{NetworkLoad, Parts, ScreenFactory, fuse_team};

/// What to do when the network cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// Say so and end: someone is watching who can put it right.
    Refuse,
    /// Say so and go on with classic fusion: the picture must go on. It does not wait for the network either.
    Classic,
}

/// Reads the manifest that the configuration names, or the one in the usual places.
///
/// # Errors
/// Where there is none or it cannot be used.
pub fn manifest(config: &Config) -> Result<Manifest> {
    Manifest::find(config.fuse.manifest.as_deref()).context("the models' manifest cannot be used")
}

/// The network of the configuration. Takes a second or so.
fn network(config: &FuseConfig, size: Size, manifest: &Manifest) -> Result<Box<dyn Fuser>> {
    let fuser = NetworkFuser::new(manifest, config.network.as_deref(), size)?;
    let team = fuse_team(config).context("cannot start the threads of the network")?;
    Ok(Box::new(fuser.with_team(team)))
}

/// What loads it later, beside the first pictures.
fn load_later(config: &Config, manifest: Manifest) -> NetworkLoad {
    let (fuse, size) = (config.fuse.clone(), config.output.size());
    Box::new(move || network(&fuse, size, &manifest).map_err(|error| format!("{error:#}")))
}

/// The calibration of the configuration, else the source's own, else identity.
///
/// # Errors
/// Where the file cannot be used.
fn calibration(config: &Config, own: Option<&Calibration>) -> Result<Calibration> {
    Ok(match (&config.align.calibration, own) {
        (Some(path), _) => Calibration::load(path)?,
        (None, Some(own)) => own.clone(),
        (None, None) => Calibration::identity(),
    })
}

/// Where the manifest's language model and encoder lie on this machine.
pub fn model_files(config: &DescribeConfig, manifest: &Manifest) -> ModelFiles {
    let spec = |role| {
        manifest.language_model(role).map(|m| ModelSpec {
            file: m.file.to_string_lossy().into_owned(),
            sha256: m.sha256.clone(),
        })
    };
    let (llm, encoder) = (spec(ModelRole::Llm), spec(ModelRole::Encoder));
    ModelFiles::find(config, llm.as_ref(), encoder.as_ref())
}

/// The picture fills the output whatever its shape; a user should know when that stretches it.
fn warn_of_aspect(visible: Size, output: Size) {
    let ratio = |size: Size| size.width as f64 / size.height.max(1) as f64;
    if (ratio(visible) / ratio(output)).ln().abs() > 0.02 {
        log::warn!(
            "the visible source is {visible} and the output {output}: the picture is stretched; \
             set output.width and output.height to the same aspect"
        );
    }
}

/// The questions of the configuration can be used. Where they cannot, the guide thread asks the
/// shipped ones and says so in its status.
///
/// # Errors
/// Where the file cannot be used.
pub fn questions(config: &Config) -> Result<()> {
    let checked = Questions::open(config.describe.questions.as_deref());
    if let Err(error) = &checked {
        log::error!("{error}");
    }
    checked?;
    Ok(())
}

/// What the models' manifest leads to.
struct Models {
    network: Option<Box<dyn Fuser>>,
    /// In its place where the picture does not wait for it.
    later: Option<NetworkLoad>,
    neutral: Guidance,
    describer: Result<Box<dyn Describer>, DescribeError>,
}

fn models(config: &Config, fallback: Fallback) -> Result<Models> {
    let manifest = manifest(config)?;
    let is_wanted = config.fuse.engine == Engine::Network;
    let network = match fallback {
        Fallback::Refuse if is_wanted => {
            Some(network(&config.fuse, config.output.size(), &manifest)?)
        }
        _ => None,
    };
    let files = model_files(&config.describe, &manifest);
    let describer = describe::open(&config.describe, &files, manifest.guidance_shape().0);
    let neutral = manifest.neutral(config.task)?;
    let is_later = is_wanted && network.is_none();
    Ok(Models {
        network,
        later: is_later.then(|| load_later(config, manifest)),
        neutral,
        describer,
    })
}

/// Classic fusion alone, for a machine whose models cannot be used.
fn without_models(task: Task) -> Models {
    Models {
        network: None,
        later: None,
        neutral: Guidance::none(task),
        describer: Err(DescribeError::Absent(
            "the models' manifest cannot be used".into(),
        )),
    }
}

/// All parts of a pipeline.
///
/// # Errors
/// Where source, calibration or model cannot be used.
pub fn parts(
    config: Config,
    fallback: Fallback,
    screen: ScreenFactory,
    keep_sources: bool,
) -> Result<Parts> {
    // Sources of other tasks come from no thermal camera.
    let clean = match config.task {
        Task::Ivf => config.clean,
        _ => CleanConfig::OFF,
    };
    let source = open_source(&config.source, &clean)?;
    warn_of_aspect(source.info().visible, config.output.size());
    let calibration = calibration(&config, source.info().calibration.as_ref())?;
    let models = match (models(&config, fallback), fallback) {
        (Ok(models), _) => models,
        (Err(error), Fallback::Refuse) => return Err(error),
        (Err(error), Fallback::Classic) => {
            log::error!("{error:#}; going on with classic fusion");
            without_models(config.task)
        }
    };
    let Models {
        network,
        later,
        neutral,
        describer,
    } = models;
    if let (Err(error), Fallback::Refuse) = (questions(&config), fallback) {
        return Err(error);
    }
    let stage = FuseStage::new(&config, &calibration, network)?;
    if let (Err(error), true) = (&describer, config.describe.enabled) {
        log::warn!("{error}; the picture goes on with neutral guidance");
    }
    Ok(Parts {
        config,
        source,
        stage,
        network: later,
        screen,
        describer,
        neutral,
        snapshots: None,
        keep_sources,
    })
}

/// Reads a configuration file.
///
/// # Errors
/// [`filmd::config::ConfigError`], which becomes exit code 78.
pub fn load(path: &Path) -> Result<Config> {
    let config = Config::load(path)?;
    // What a camera's keys mean is known to the stage that reads them, and wrong all the same.
    check_source(&config.source).map_err(|error| ConfigError::Parse {
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    Ok(config)
}

/// A configuration made from the command line passes the same checks as a file: a rate of 0 is as
/// wrong there.
///
/// # Errors
/// [`filmd::config::ConfigError`].
pub fn checked(config: Config) -> Result<Config> {
    let text = toml::to_string(&config).context("the command line as a configuration")?;
    Ok(Config::parse(&text, Path::new("the command line"))?)
}
