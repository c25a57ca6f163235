//! Thin wrappers of system calls that no crate gives, or that need care.
//!
//! Input and output: plain values. Thread: any. Blocks: as each function says. Allocates: little.
//! Fails when: the kernel says so (`std::io::Error`). Not its job: policy.

pub mod cores;
pub mod planes;
pub mod poll;
