//! Our own code allocates nothing per frame once it is warm (invariant 4). A counting allocator
//! sees every allocation of a test's thread, on which the whole frame path runs: with classic fusion
//! in the place of the network, and with the shipped network. The clean-up and the tone map are on, and the guidance
//! fades from one text to another; in the frame with which that comes, its words are laid out.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use filmd::acquire::{PairSource, open_source};
use filmd::config::{CleanMode, Config, Mode, SourceConfig, SyntheticConfig, Task, ToneMode};
use filmd::describe::{Guidance, Origin, TokenFeatures};
use filmd::frame::{Picture, Size};
use filmd::fuse::FusedFrame;
use filmd::fuse::SourceViews;
use filmd::fuse::{
    ClassicFuser, EffectiveGuidance, FuseError, FuseStage, Fuser, Manifest, NetworkFuser,
};
use filmd::metrics::{Marks, Metrics};
use filmd::present::{Overlay, OverlayInfo};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn note(size: usize) {
    // A thread that ends has neither any more.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

/// Allocations of this thread from now on, and the largest one's bytes.
fn counted(run: impl FnOnce()) -> (u64, usize) {
    let before = ALLOCATIONS.get();
    LARGEST.set(0);
    run();
    (ALLOCATIONS.get() - before, LARGEST.get())
}

#[expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait; the test counts with it"
)]
// SAFETY: every call goes to the system's allocator unchanged; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A fuser that is handed guidance as a network is, and whose frames between two texts are counted.
struct Watched {
    fuser: Box<dyn Fuser>,
    faded: Arc<AtomicU64>,
}

impl Fuser for Watched {
    fn name(&self) -> &str {
        self.fuser.name()
    }

    fn fuse_shown(
        &mut self,
        infrared: &Picture,
        visible: &Picture,
        guidance: &EffectiveGuidance<'_>,
        fused: &mut Picture,
    ) -> Result<(), FuseError> {
        if matches!(guidance, EffectiveGuidance::Blend(between) if between.part > 0.0) {
            self.faded.fetch_add(1, Relaxed);
        }
        (self.fuser).fuse_shown(infrared, visible, guidance, fused)
    }
}

fn guidance(value: f32, words: &str) -> Guidance {
    let features = TokenFeatures {
        rows: 1,
        dim: 1,
        values: vec![value],
    };
    Guidance::new(&features, (1, 1), words, Origin::Neutral, Task::Ivf).unwrap()
}

/// The stages from a pair to the picture with its overlay.
struct FramePath {
    source: Box<dyn PairSource>,
    stage: FuseStage,
    frame: FusedFrame,
    overlay: Overlay,
    metrics: Metrics,
}

impl FramePath {
    fn new(fuser: impl FnOnce(Size) -> Box<dyn Fuser>) -> Self {
        let mut config = Config {
            source: SourceConfig::Synthetic(SyntheticConfig {
                unpaced: true,
                ..SyntheticConfig::default()
            }),
            ..Config::default()
        };
        config.tone.mode = ToneMode::On;
        config.clean.mode = CleanMode::On;
        let source = open_source(&config.source, &config.clean).unwrap();
        let calibration = source.info().calibration.clone().unwrap();
        let size = config.output.size();
        let frame = FusedFrame {
            picture: Picture::rgb(size),
            timestamp: Default::default(),
            sequence: 0,
            mode: Mode::Fused,
            marks: Marks::default(),
            sources: Some(SourceViews {
                visible: Picture::rgb(size),
                thermal: Picture::rgb(source.info().infrared),
                aligned: Picture::rgb(size),
            }),
        };
        Self {
            source,
            stage: FuseStage::new(&config, &calibration, Some(fuser(size))).unwrap(),
            frame,
            overlay: Overlay::new(size),
            metrics: Metrics::default(),
        }
    }

    fn step(&mut self, mode: Mode, guidance: &Guidance) {
        let pair = self.source.next_pair(Duration::from_secs(5)).unwrap();
        assert!(pair.infrared.as_ref().unwrap().condition.cleaned);
        self.stage
            .run(&pair, guidance, mode, &mut self.frame, &self.metrics);
        let info = OverlayInfo {
            mode,
            task: Task::Ivf,
            fps: 29.97,
            text: &guidance.text,
            origin: guidance.origin,
            marks: self.frame.marks,
            detail: true,
        };
        self.overlay.draw(&mut self.frame.picture, &info);
    }

    /// Each mode twice, so that every buffer has its size.
    fn warm_up(&mut self, guidance: &Guidance) {
        for mode in Mode::ALL.into_iter().chain(Mode::ALL) {
            self.step(mode, guidance);
        }
    }
}

/// The frame with which the second text comes.
const NEW_TEXT: usize = 30;

/// Runs the frame path with the first text, through the fade to the second, and with that one, and
/// has no frame allocate.
fn allocations(texts: [Guidance; 2], fuser: impl FnOnce(Size) -> Box<dyn Fuser>) {
    let faded = Arc::new(AtomicU64::new(0));
    let mut path = FramePath::new(|size| {
        Box::new(Watched {
            fuser: fuser(size),
            faded: Arc::clone(&faded),
        })
    });
    path.warm_up(&texts[0]);
    for n in 0..400 {
        let text = &texts[usize::from(n >= NEW_TEXT)];
        let mode = if n % 10 == 9 {
            Mode::ALL[n / 10 % Mode::ALL.len()]
        } else {
            Mode::Fused
        };
        let (allocations, largest) = counted(|| path.step(mode, text));
        if n == NEW_TEXT {
            // The overlay breaks a new text into lines, once.
            assert!(
                allocations <= 8 && largest < 1024,
                "{allocations}, {largest} bytes"
            );
        } else {
            assert_eq!((allocations, largest), (0, 0), "frame {n}");
        }
    }
    let faded = faded.load(Relaxed);
    assert!(faded > 20, "{faded} frames between two texts");
    assert!(path.metrics.summary().stages_ms.tone.p50 > 0.0);
    assert!(!path.frame.marks.classic);
}

#[test]
fn the_frame_path_allocates_nothing_per_frame() {
    // The counter counts: otherwise this test could not fail.
    let probe = counted(|| drop(std::hint::black_box(vec![1_u8; 100])));
    assert_eq!(probe, (1, 100));
    let texts = [guidance(1.0, "Fuse both."), guidance(2.0, "Keep the heat.")];
    allocations(texts, |size| Box::new(ClassicFuser::new(size)));
}

#[test]
fn with_the_network_and_a_changing_text_it_allocates_nothing_either() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = Manifest::load(&folder.join("models/manifest.toml")).unwrap();
    let mut texts = [Task::Ivf, Task::Mef].map(|task| manifest.neutral(task).unwrap());
    texts[1].task = Task::Ivf;
    allocations(texts, |size| {
        Box::new(NetworkFuser::new(&manifest, None, size).unwrap())
    });
}
