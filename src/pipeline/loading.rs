//! The load thread: makes the network while classic fusion already shows pictures.
//!
//! Input: a [`NetworkLoad`]. Output: the network, or why there is none, in a mailbox that the fuse thread looks
//! into once a frame. Blocks: its own thread only, which nobody waits for. Not its job: how a network is made.

use std::sync::Arc;

use crate::channel::Mailbox;
use crate::fuse::Fuser;

/// Makes the network. It takes a second or so, and longer on a small board.
pub type NetworkLoad = Box<dyn FnOnce() -> Result<Box<dyn Fuser>, String> + Send>;

/// What became of it.
pub(super) type Loaded = Result<Box<dyn Fuser>, String>;

/// Starts the thread; it ends once the network is there.
///
/// # Errors
/// Where the system refuses a thread.
pub(super) fn start(load: NetworkLoad) -> std::io::Result<Arc<Mailbox<Loaded>>> {
    let outbox = Arc::new(Mailbox::default());
    let theirs = Closing(Arc::clone(&outbox));
    super::spawn("load", move || {
        // Nobody takes it where the pipeline has ended meanwhile.
        let _ = theirs.0.put(load());
    })?;
    Ok(outbox)
}

/// Closes the mailbox however the thread ends, even by a panic: the fuse thread must learn that nothing comes.
struct Closing(Arc<Mailbox<Loaded>>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}
