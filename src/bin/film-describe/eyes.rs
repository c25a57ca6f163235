//! The part of a language model that sees: pictures become tokens of a sequence (llama.cpp's
//! mtmd).

use std::ffi::CString;
use std::path::Path;

use anyhow::{Context, bail};
use filmd::describe::process::view::View;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::gguf::GgufContext;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::mtmd::{
    MtmdBitmap, MtmdContext, MtmdContextParams, MtmdInputChunkType, MtmdInputText,
    mtmd_default_marker,
};

use crate::files;

/// Most tokens of one picture, in models that take any size.
const TOKENS: i32 = 256;

/// A vision encoder and its projection into `model`'s tokens.
pub struct Eyes<'a> {
    context: MtmdContext,
    /// The encoder keeps a pointer to it.
    _model: &'a LlamaModel,
}

impl<'a> Eyes<'a> {
    /// Loads the encoder made for `model`, one thread, checked first: made for another model it
    /// would read past its ends.
    pub fn load(
        path: &Path,
        expected: Option<&str>,
        model: &'a LlamaModel,
    ) -> anyhow::Result<Self> {
        files::check(path, expected)?;
        let shown = path.display();
        let header = GgufContext::from_file(path)
            .with_context(|| format!("the header of {shown} cannot be read"))?;
        let architecture = header.find_key("general.architecture");
        let kind = (architecture >= 0).then(|| header.val_str(architecture));
        if kind.flatten() != Some("clip") {
            bail!("{shown} is no mmproj file, its general.architecture is not clip");
        }
        let name = path.to_str().context("its path is not UTF-8")?;
        let params = MtmdContextParams {
            use_gpu: false,
            print_timings: false,
            n_threads: 1,
            media_marker: CString::new(mtmd_default_marker())?,
            image_min_tokens: -1,
            image_max_tokens: TOKENS,
        };
        let context = MtmdContext::init_from_file(name, model, &params).with_context(|| {
            format!(
                "llama.cpp cannot use {shown} with this language model ({} features a token): \
                 it is damaged or made for another one",
                model.n_embd()
            )
        })?;
        if !context.support_vision() {
            bail!("{shown} sees no pictures");
        }
        Ok(Self {
            context,
            _model: model,
        })
    }

    /// Reads `view` into `sequence` from position `at` on; returns the position after it. Before
    /// `room` it must end.
    pub fn show(
        &mut self,
        view: &View,
        llama: &mut LlamaContext<'_>,
        (at, room): (usize, usize),
        sequence: i32,
    ) -> anyhow::Result<usize> {
        let text = MtmdInputText {
            text: mtmd_default_marker().to_owned(),
            add_special: false,
            parse_special: true,
        };
        let bitmap = MtmdBitmap::from_image_data(
            u32::try_from(view.width)?,
            u32::try_from(view.height)?,
            &rgb(view),
        )?;
        let chunks = self.context.tokenize(text, &[&bitmap])?;
        let batch = llama.n_ubatch();
        for chunk in (0..chunks.len()).filter_map(|i| chunks.get(i)) {
            let tokens = chunk.n_tokens();
            // Attention within a picture may not be causal; it must come in one batch then, and
            // llama.cpp aborts where it does not.
            if chunk.chunk_type() == MtmdInputChunkType::Image && tokens > batch as usize {
                bail!("a picture takes {tokens} tokens, at most {batch} can be read");
            }
        }
        let end = at + chunks.total_tokens().max(chunks.total_positions() as usize);
        if end >= room {
            bail!("a picture ends at token {end}, at most {room} can be read");
        }
        let batch = i32::try_from(batch)?;
        let begin = i32::try_from(at)?;
        let after = chunks.eval_chunks(&mut self.context, llama, begin, sequence, batch, false)?;
        Ok(usize::try_from(after)?)
    }
}

/// Three channels.
fn rgb(view: &View) -> Vec<u8> {
    match view.channels {
        3 => view.data.clone(),
        _ => view.data.iter().flat_map(|&luma| [luma; 3]).collect(),
    }
}
