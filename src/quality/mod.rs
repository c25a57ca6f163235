//! Beside the path: how good a fused picture is.
//!
//! Input: two sources and a fused picture, 8-bit luma. Output: the field's metrics and the guards
//! that keep them honest. Thread: any. Blocks: never. Allocates: freely. Fails when: sizes differ.
//! Not its job: running in the frame path.
