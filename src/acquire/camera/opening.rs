//! Opening a camera on a thread of its own.
//!
//! A wedged USB camera answers no control transfer: open, a control and STREAMON each wait for the kernel's time-out,
//! 5 s apiece in uvcvideo. Nobody else is to wait with them.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use super::pipe::PipeCamera;
use super::{CameraLink, V4lCamera};
use crate::acquire::AcquireError;
use crate::config::CameraConfig;

/// What the thread hands back.
type Outcome = Result<Box<dyn CameraLink>, AcquireError>;

/// A camera that is being opened. Dropped, the camera is closed as soon as it has opened.
pub struct Opening(Receiver<Outcome>);

fn open(config: &CameraConfig) -> Outcome {
    Ok(match config.program.is_empty() {
        true => Box::new(V4lCamera::open(config)?),
        false => Box::new(PipeCamera::open(config)?),
    })
}

impl Opening {
    /// Begins.
    pub fn begin(config: &CameraConfig) -> Self {
        let (sender, receiver) = sync_channel(1);
        let (config, device) = (config.clone(), config.device.clone());
        let failed = sender.clone();
        let thread = std::thread::Builder::new().name("open camera".to_owned());
        let started = thread.spawn(move || {
            let link = open(&config);
            // Nobody waits for it any more at the end.
            let _ = sender.send(link);
        });
        if let Err(error) = started {
            let _ = failed.send(Err(AcquireError::Source {
                path: device,
                message: format!("no thread to open it: {error}"),
            }));
        }
        Self(receiver)
    }

    /// The outcome, once it is known; asked for once.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.0.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(AcquireError::Source {
                path: "camera".into(),
                message: "opening it ended without an answer".to_owned(),
            })),
        }
    }
}
