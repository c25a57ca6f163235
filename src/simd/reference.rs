//! The kernels in plain Rust: what every other implementation is tested against.
