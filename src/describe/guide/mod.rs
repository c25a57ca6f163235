//! The guide thread's work: it looks at pairs, decides when a description is due, and publishes guidance.

mod event_log;
mod history;
mod observer;
mod pause;
mod settings;
mod worker;

pub use pause::FrameCount;
pub use settings::GuideSettings;
pub use worker::GuideWorker;
