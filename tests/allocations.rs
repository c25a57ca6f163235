//! Our own code allocates nothing per frame once it is warm (invariant 4). A counting allocator
//! sees every allocation of a test's thread, on which the whole frame path runs: with classic fusion
//! in the place of the network; and with the shipped network, where tract's own few small
//! allocations are left in frames whose text is another than the last frame's. The tone map is on, and
//! the guidance fades from one text to another. The counts are printed: `cargo test --release --test allocations --
//! --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where something is not as it must be, and says what it measured"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use filmd::acquire::{PairSource, open_source};
use filmd::config::{Config, Mode, SourceConfig, SyntheticConfig, Task, ToneMode};
use filmd::describe::{Guidance, Origin, TokenFeatures};
use filmd::frame::{FusedFrame, Picture, Size};
use filmd::fuse::{ClassicFuser, FuseError, FuseStage, Fuser, Manifest, NetworkFuser};
use filmd::metrics::{Marks, Metrics};
use filmd::present::{Overlay, OverlayInfo, SourceViews};

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

/// Classic fusion that is handed guidance as a network is.
struct Stub {
    classic: ClassicFuser,
    /// Frames with a guidance between two texts.
    faded: std::sync::Arc<AtomicU64>,
}

impl Fuser for Stub {
    fn name(&self) -> &str {
        "stub"
    }

    fn fuse(
        &mut self,
        infrared: &Picture,
        visible: &Picture,
        guidance: &Guidance,
        fused: &mut Picture,
    ) -> Result<(), FuseError> {
        if guidance.values()[0].fract() != 0.0 {
            self.faded.fetch_add(1, Relaxed);
        }
        self.classic.fuse(infrared, visible, guidance, fused)
    }
}

fn guidance(value: f32) -> Guidance {
    let features = TokenFeatures {
        rows: 1,
        dim: 1,
        values: vec![value],
    };
    Guidance::new(&features, (1, 1), "Fuse both.", Origin::Neutral, Task::Ivf).unwrap()
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
        let source = open_source(&config.source).unwrap();
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

#[test]
fn the_frame_path_allocates_nothing_per_frame() {
    let faded = std::sync::Arc::new(AtomicU64::new(0));
    let mut path = FramePath::new(|size| {
        Box::new(Stub {
            classic: ClassicFuser::new(size),
            faded: std::sync::Arc::clone(&faded),
        })
    });
    let texts = [guidance(1.0), guidance(2.0)];
    path.warm_up(&texts[0]);
    let (allocations, _) = counted(|| {
        for n in 0..60 {
            path.step(Mode::ALL[n % Mode::ALL.len()], &texts[n / 20 % 2]);
        }
    });
    assert_eq!(allocations, 0, "in 60 frames");
    assert!(faded.load(Relaxed) > 0, "no frame was between two texts");
    assert!(path.metrics.summary().stages_ms.tone.p50 > 0.0);
    // The counter counts: otherwise this test could not fail.
    let probe = counted(|| drop(std::hint::black_box(vec![1_u8; 100])));
    assert_eq!(probe, (1, 100));
}

/// What tract allocates at most in a frame of a fade, where it looks at a text anew: lists of values of
/// its plan, and what becomes of the text before it meets the picture. With AVX-512 it is 79 pieces;
/// tract's kernels differ by processor.
const OF_TRACT: u64 = 80;
/// Bytes of the largest of them at most: the text's 64 rows, packed for a product (with AVX-512 104 KiB).
const LARGEST_OF_TRACT: usize = 128 << 10;

#[test]
fn with_the_network_only_a_changing_text_allocates_a_few_small_pieces() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = Manifest::load(&folder.join("models/manifest.toml")).unwrap();
    let mut path =
        FramePath::new(|size| Box::new(NetworkFuser::new(&manifest, None, size).unwrap()));
    let mut texts = [Task::Ivf, Task::Mef].map(|task| manifest.neutral(task).unwrap());
    texts[1].task = Task::Ivf;
    path.warm_up(&texts[0]);
    let mut frame = |text: &Guidance| counted(|| path.step(Mode::Fused, text));
    for n in 0..30 {
        assert_eq!(frame(&texts[0]), (0, 0), "frame {n} with one text");
    }
    // The first runs of tract's plan in a thread set more up than later ones.
    frame(&texts[1]);
    let fade: Vec<_> = (0..400).map(|_| frame(&texts[1])).collect();
    let fading = fade.iter().position(|&found| found == (0, 0)).unwrap();
    assert!(fading > 20, "{fading} frames of a fade");
    let (during, after) = fade.split_at(fading);
    assert!(after.iter().all(|&found| found == (0, 0)), "{after:?}");
    let most = during.iter().map(|found| found.0).max().unwrap();
    let largest = during.iter().map(|found| found.1).max().unwrap();
    eprintln!(
        "{fading} frames of a fade: {most} allocations in one at most, {largest} bytes the largest"
    );
    assert!(most <= OF_TRACT && largest <= LARGEST_OF_TRACT);
    assert!(!path.frame.marks.classic);
}
