//! What the network and its runner share: the name of the text's input, and writing into a tensor.

use std::sync::Arc;

use tract_onnx::prelude::*;

pub(super) const GUIDANCE: &str = "guidance";

/// Overwrites the tensor's values. A run may leave a second owner behind (a node that passes its
/// input through); then a copy takes its place.
pub(super) fn overwrite(
    tensor: &mut Arc<Tensor>,
    write: impl FnOnce(&mut [f32]),
) -> Result<(), String> {
    let in_tract = |error: TractError| format!("{error:#}");
    let mut view = Arc::make_mut(tensor)
        .try_as_plain_ram_mut()
        .map_err(in_tract)?;
    write(view.as_slice_mut::<f32>().map_err(in_tract)?);
    Ok(())
}
