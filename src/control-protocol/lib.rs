//! How a running filmd is spoken to: requests, replies, and the status that it reports.
//!
//! filmd and filmctl share this crate; it needs nothing of the fusion, so that filmctl is small. filmd's
//! own modules export its types again where they belong.

mod choices;
mod condition;
mod guide_status;
mod protocol;
mod request;
mod status;
mod timings;

pub use choices::{Mode, Palette, Task};
pub use condition::Condition;
pub use guide_status::{GuideStatus, Origin};
pub use protocol::{
    CLIENT_TIMEOUT, ControlError, LINE_LIMIT, Reply, Request, SnapshotFormat, ask, default_socket,
    observe_socket, parse_request, running_socket,
};
pub use request::{
    Answer, Degree, MOST_WORDS, Place, Reason, RequestKind, TextRequest, Understanding, plain,
};
pub use status::{ClockReading, Clocks, Marks, Status};
pub use timings::{Quantiles, StageTimes, Summary};
