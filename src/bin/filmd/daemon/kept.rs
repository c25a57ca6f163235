//! What an operator set, which a reload keeps.

use filmd::config::{Mode, Palette};
use filmd::describe::UserText;
use filmd::describe::request::Understood;
use filmd::pipeline::{GuideCommand, Pipeline};

/// Mode, palette, nudge, freeze and text of a running pipeline.
pub struct Kept {
    mode: Mode,
    palette: Palette,
    nudge: (i32, i32),
    frozen: bool,
    text: Option<UserText>,
}

impl Kept {
    /// Of `pipeline`.
    pub fn of(pipeline: &Pipeline) -> Self {
        let shared = pipeline.shared();
        let text = shared.status().guide.wish.map(|read| UserText {
            text: read.text,
            understood: Understood {
                requests: read.requests.into_iter().map(|a| a.request).collect(),
                ..Understood::default()
            },
        });
        Self {
            mode: shared.mode(),
            palette: shared.palette(),
            nudge: shared.nudge(),
            frozen: shared.frozen(),
            text,
        }
    }

    /// What a new configuration names anew counts more than what the operator set.
    pub fn replace(&mut self, mode: Option<Mode>, palette: Option<Palette>) {
        self.mode = mode.unwrap_or(self.mode);
        self.palette = palette.unwrap_or(self.palette);
    }

    /// Sets it on another pipeline.
    pub fn restore(&self, pipeline: &Pipeline) {
        let shared = pipeline.shared();
        shared.set_mode(self.mode);
        shared.set_palette(self.palette);
        shared.set_nudge(self.nudge);
        shared.set_frozen(self.frozen);
        if let Some(user_text) = &self.text
            && let Err(error) = pipeline.guide(GuideCommand::Text(user_text.clone()))
        {
            log::warn!(
                "the text \"{}\" is not in force any more: {error}",
                user_text.text
            );
        }
    }
}
