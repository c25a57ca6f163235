//! Trimmed until the stages are merged.
fn main() {}
