//! [`simd`] of filmd, and its tests, as a crate of its own.

#[path = "../../src/simd/mod.rs"]
pub mod simd;
