//! The running pipeline as a screen sees it: order, modes, accounting.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use filmd::acquire::open_source;
use filmd::config::{Config, Engine, Mode, OutputConfig, SourceConfig, SyntheticConfig, Task};
use filmd::describe::{DescribeError, Guidance};
use filmd::frame::{Picture, Size};
use filmd::fuse::{EffectiveGuidance, FuseError, FuseStage, FusedFrame, Fuser, LOADING};
use filmd::pipeline::{NetworkLoad, Parts, Pipeline, ScreenFactory};
use filmd::present::{PresentError, Screen, ScreenEvent};

/// What was shown: number and mode of each frame.
type Shown = Arc<Mutex<Vec<(u64, Mode)>>>;

/// The picture of each frame, and whether it is marked as held.
type Pictures = Arc<Mutex<Vec<(Picture, bool)>>>;

struct Watcher(Pictures);

impl Screen for Watcher {
    fn name(&self) -> &str {
        "watcher"
    }

    fn size(&self) -> Option<Size> {
        None
    }

    fn show(&mut self, frame: &FusedFrame) -> Result<(), PresentError> {
        let shown = (frame.picture.clone(), frame.marks.frozen);
        self.0.lock().unwrap().push(shown);
        Ok(())
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        None
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        Ok(Vec::new())
    }
}

struct Recorder(Shown);

impl Screen for Recorder {
    fn name(&self) -> &str {
        "recorder"
    }

    fn size(&self) -> Option<Size> {
        None
    }

    fn show(&mut self, frame: &FusedFrame) -> Result<(), PresentError> {
        self.0.lock().unwrap().push((frame.sequence, frame.mode));
        Ok(())
    }

    fn poll_event(&mut self) -> Option<ScreenEvent> {
        None
    }

    fn finish(&mut self) -> Result<Vec<PathBuf>, PresentError> {
        Ok(Vec::new())
    }
}

fn start(unpaced: bool) -> (Pipeline, Shown) {
    let shown = Shown::default();
    let record = Arc::clone(&shown);
    let screen = Box::new(move || Ok(Box::new(Recorder(Arc::clone(&record))) as Box<dyn Screen>));
    (start_with(unpaced, screen), shown)
}

fn start_with(unpaced: bool, screen: ScreenFactory) -> Pipeline {
    start_loading(unpaced, screen, None)
}

/// With a network that is loaded later, where there is one.
fn start_loading(unpaced: bool, screen: ScreenFactory, network: Option<NetworkLoad>) -> Pipeline {
    let mut config = Config {
        source: SourceConfig::Synthetic(SyntheticConfig {
            unpaced,
            ..Default::default()
        }),
        output: OutputConfig {
            width: 160,
            height: 128,
        },
        ..Config::default()
    };
    if network.is_none() {
        config.fuse.engine = Engine::Classic;
    }
    config.present.overlay = false;
    let source = open_source(&config.source, &config.clean).unwrap();
    let calibration = source.info().calibration.clone().unwrap();
    let stage = FuseStage::new(&config, &calibration, None).unwrap();
    let parts = Parts {
        source,
        stage,
        network,
        screen,
        describer: Err(DescribeError::Absent("not in this test".into())),
        neutral: Guidance::none(Task::Ivf),
        snapshots: None,
        keep_sources: false,
        config,
    };
    Pipeline::start(parts).unwrap()
}

fn wait_for<T>(shown: &Mutex<Vec<T>>, frames: usize) {
    let end = common::now() + common::PATIENCE;
    while shown.lock().unwrap().len() < frames {
        assert!(common::now() < end, "no {frames} frames were shown");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_mode_holds_from_the_next_frame_that_is_fused() {
    let (pipeline, shown) = start(false);
    wait_for(&shown, 10);
    pipeline.shared().set_mode(Mode::Thermal);
    let (last, _) = *shown.lock().unwrap().last().unwrap();
    let so_far = shown.lock().unwrap().len();
    wait_for(&shown, so_far + 20);
    pipeline.stop().unwrap();
    // When the mode was set, one frame may have been on the screen, one waiting, one being fused.
    let shown = shown.lock().unwrap();
    let after = shown.iter().filter(|(sequence, _)| *sequence > last + 3);
    assert!(after.clone().count() > 10);
    assert!(
        after.clone().all(|(_, mode)| *mode == Mode::Thermal),
        "{shown:?}"
    );
}

#[test]
fn frames_come_in_order_and_each_pair_is_accounted_for() {
    // As fast as it goes: most pairs are displaced by newer ones.
    let (pipeline, shown) = start(true);
    wait_for(&shown, 200);
    let shared = Arc::clone(pipeline.shared());
    pipeline.stop().unwrap();
    let shown = shown.lock().unwrap();
    assert!(shown.windows(2).all(|two| two[0].0 < two[1].0), "{shown:?}");
    let frames = shared.metrics.summary();
    let unseen = frames.pairs - (frames.presented + frames.dropped).min(frames.pairs);
    assert!(unseen <= 3, "{frames:?}");
    assert!(
        frames.presented + frames.dropped <= frames.pairs,
        "{frames:?}"
    );
    assert_eq!(frames.presented, shown.len() as u64);
}

#[test]
fn a_held_picture_stays_and_is_marked_while_frames_go_on() {
    let shown = Pictures::default();
    let record = Arc::clone(&shown);
    let screen = Box::new(move || Ok(Box::new(Watcher(Arc::clone(&record))) as Box<dyn Screen>));
    let pipeline = start_with(false, screen);
    let shared = Arc::clone(pipeline.shared());
    wait_for(&shown, 5);
    shared.set_frozen(true);
    let so_far = shown.lock().unwrap().len();
    wait_for(&shown, so_far + 10);
    shared.set_frozen(false);
    let so_far = shown.lock().unwrap().len();
    wait_for(&shown, so_far + 10);
    pipeline.stop().unwrap();

    let shown = shown.lock().unwrap();
    let is_held = |frame: &&(Picture, bool)| frame.1;
    let held: Vec<_> = shown.iter().filter(is_held).collect();
    assert!(held.len() > 8, "{}", held.len());
    assert!(held.windows(2).all(|two| two[0] == two[1]), "it moved");
    // They are together, with moving pictures before and after.
    let first = shown.iter().position(|frame| frame.1).unwrap();
    let after = first + held.len();
    assert!(first >= 5 && shown[after..].len() > 5);
    assert!(shown[first..after].iter().all(|frame| frame.1));
    assert!(shown[0].0 != shown[first - 1].0 && shown[after].0 != shown[shown.len() - 1].0);
}

/// Keeps the infrared picture.
struct Infrared;

impl Fuser for Infrared {
    fn name(&self) -> &str {
        "a network"
    }

    fn fuse_shown(
        &mut self,
        infrared: &Picture,
        _: &Picture,
        _: &EffectiveGuidance<'_>,
        fused: &mut Picture,
    ) -> Result<(), FuseError> {
        fused.copy_from(infrared);
        Ok(())
    }
}

/// What a load ends with.
type Loaded = Result<Box<dyn Fuser>, String>;

/// A pipeline whose network comes once the sender says what became of it.
fn start_waiting() -> (Pipeline, Shown, SyncSender<Loaded>) {
    let shown = Shown::default();
    let record = Arc::clone(&shown);
    let screen = Box::new(move || Ok(Box::new(Recorder(Arc::clone(&record))) as Box<dyn Screen>));
    let (sender, result) = sync_channel::<Loaded>(1);
    let load: NetworkLoad = Box::new(move || {
        result
            .recv()
            .unwrap_or_else(|gone| panic!("the load ends: {gone}"))
    });
    (start_loading(false, screen, Some(load)), shown, sender)
}

fn wait_for_engine(pipeline: &Pipeline, wanted: &str) {
    let end = common::now() + common::PATIENCE;
    while pipeline.shared().status().engine != wanted {
        assert!(common::now() < end, "{}", pipeline.shared().status().engine);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn pictures_are_shown_before_the_network_is_loaded_and_fused_by_it_after() {
    let (pipeline, shown, sender) = start_waiting();
    wait_for(&shown, 10);
    let shared = Arc::clone(pipeline.shared());
    assert_eq!(shared.status().engine, LOADING);
    assert!(shared.marks().classic, "the overlay says who fuses");
    sender.send(Ok(Box::new(Infrared))).unwrap();
    wait_for_engine(&pipeline, "a network");
    let so_far = shown.lock().unwrap().len();
    wait_for(&shown, so_far + 10);
    assert!(!shared.marks().classic);
    pipeline.stop().unwrap();
}

#[test]
fn a_network_that_cannot_be_loaded_leaves_classic_fusion_and_says_so() {
    let failed = "classic (the network could not be loaded)";
    let (pipeline, shown, sender) = start_waiting();
    sender.send(Err("the file is torn".into())).unwrap();
    wait_for_engine(&pipeline, failed);
    let so_far = shown.lock().unwrap().len();
    wait_for(&shown, so_far + 10);
    assert!(pipeline.shared().marks().classic);
    pipeline.stop().unwrap();

    // The thread that loads it panics.
    let (pipeline, shown, sender) = start_waiting();
    drop(sender);
    wait_for_engine(&pipeline, failed);
    let so_far = shown.lock().unwrap().len();
    wait_for(&shown, so_far + 10);
    pipeline.stop().unwrap();
}

#[test]
fn a_pipeline_that_ends_does_not_wait_for_the_network() {
    let (pipeline, shown, sender) = start_waiting();
    wait_for(&shown, 2);
    let begun = common::now();
    pipeline.stop().unwrap();
    assert!(common::now() - begun < Duration::from_secs(5));
    drop(sender);
}
