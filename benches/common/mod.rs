//! What both benchmarks draw.

use filmd::config::{Mode, Task};
use filmd::describe::Origin;
use filmd::metrics::Marks;
use filmd::present::OverlayInfo;

/// An overlay with everything on it.
pub fn overlay_info() -> OverlayInfo<'static> {
    OverlayInfo {
        mode: Mode::Fused,
        task: Task::Ivf,
        fps: 30.0,
        text: "The infrared image shows two warm upright objects on the left.",
        origin: Origin::Llm,
        marks: Marks::default(),
        detail: true,
    }
}
