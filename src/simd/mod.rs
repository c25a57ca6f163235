//! The kernels: a safe facade over one implementation per processor.
//!
//! Input and output: slices of samples. Thread: any. Blocks: never. Allocates: never.
//! Fails when: slices do not fit (a panic: a caller's mistake). Not its job: threads.

pub mod reference;
