//! Our own code allocates nothing per frame once it is warm (invariant 4). A counting allocator
//! sees every allocation of the process; the frame path runs on this test's only thread, with
//! classic fusion in the place of the network, since tract allocates its own intermediate tensors.
//! The tone map is on, and the guidance fades from one text to another.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use filmd::acquire::open_source;
use filmd::config::{Config, Mode, SourceConfig, SyntheticConfig, Task, ToneMode};
use filmd::describe::{Guidance, Origin, TokenFeatures};
use filmd::frame::{FusedFrame, Picture};
use filmd::fuse::{ClassicFuser, FuseError, FuseStage, Fuser};
use filmd::metrics::{Marks, Metrics};
use filmd::present::{Overlay, OverlayInfo, SourceViews};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait; the test counts with it"
)]
// SAFETY: every call goes to the system's allocator unchanged; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
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

#[test]
fn the_frame_path_allocates_nothing_per_frame() {
    let mut config = Config {
        source: SourceConfig::Synthetic(SyntheticConfig {
            unpaced: true,
            ..SyntheticConfig::default()
        }),
        ..Config::default()
    };
    config.tone.mode = ToneMode::On;
    let mut source = open_source(&config.source).unwrap();
    let calibration = source.info().calibration.clone().unwrap();
    let size = config.output.size();
    let faded = std::sync::Arc::new(AtomicU64::new(0));
    let stub = Box::new(Stub {
        classic: ClassicFuser::new(size),
        faded: std::sync::Arc::clone(&faded),
    });
    let mut stage = FuseStage::new(&config, &calibration, Some(stub)).unwrap();
    let texts = [guidance(1.0), guidance(2.0)];
    let mut frame = FusedFrame {
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
    let (mut overlay, metrics) = (Overlay::new(size), Metrics::default());

    let mut step = |mode: Mode, guidance: &Guidance| {
        let pair = source.next_pair(Duration::from_secs(5)).unwrap();
        stage.run(&pair, guidance, mode, &mut frame, &metrics);
        let info = OverlayInfo {
            mode,
            task: Task::Ivf,
            fps: 29.97,
            text: &guidance.text,
            origin: guidance.origin,
            marks: frame.marks,
            detail: true,
        };
        overlay.draw(&mut frame.picture, &info);
    };
    // Warm: each mode once, so that every buffer has its size.
    for mode in Mode::ALL.into_iter().chain(Mode::ALL) {
        step(mode, &texts[0]);
    }
    let before = ALLOCATIONS.load(Relaxed);
    for n in 0..60 {
        step(Mode::ALL[n % Mode::ALL.len()], &texts[n / 20 % 2]);
    }
    let allocations = ALLOCATIONS.load(Relaxed) - before;
    assert_eq!(allocations, 0, "in 60 frames");
    assert!(faded.load(Relaxed) > 0, "no frame was between two texts");
    assert!(metrics.summary().stages_ms.tone.p50 > 0.0);
    // The counter counts: otherwise this test could not fail.
    let probe = std::hint::black_box(vec![1_u8; 100]);
    assert!(ALLOCATIONS.load(Relaxed) > before, "{}", probe.len());
}
