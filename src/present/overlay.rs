//! The text drawn over the picture: mode, task, frame rate, marks, the guiding text.
//!
//! Input: an RGB picture, [`OverlayInfo`]. Output: the same picture, written on. Thread: present. Blocks:
//! never. Allocates: when the guiding text changes; else never. A grey picture is left as it is. Not its
//! job: what the text says.

use std::fmt::Write;

use embedded_graphics::Drawable;
use embedded_graphics::geometry::{Dimensions, Point, Size};
use embedded_graphics::mono_font::iso_8859_1::{FONT_6X10, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{DrawTarget, RgbColor, WebColors};
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Baseline, Text};

use super::canvas::{Canvas, Enlarged};
use super::wrap::{FixedText, printable, wrap};
use crate::config::{Mode, Task};
use crate::describe::Origin;
use crate::frame::{self, Picture};
use crate::metrics::Marks;

/// Shown whenever medical pictures are fused, whatever the configuration says.
const NOT_DIAGNOSTIC: &str = "NOT FOR DIAGNOSTIC USE";

/// What the overlay shows.
#[derive(Debug, Clone, Copy)]
pub struct OverlayInfo<'a> {
    /// Mode shown.
    pub mode: Mode,
    /// Task fused.
    pub task: Task,
    /// Frames shown a second; not finite or negative where not known yet.
    pub fps: f32,
    /// The guiding text, any characters.
    pub text: &'a str,
    /// Who wrote it.
    pub origin: Origin,
    /// What is not as it should be.
    pub marks: Marks,
    /// Draw everything. `false` (`[present] overlay = false`): only the marks and the medical
    /// notice, which say that the picture must not be trusted as usual.
    pub detail: bool,
}

/// Letters of one size, and the margin about them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lettering {
    pub font: &'static MonoFont<'static>,
    pub factor: u32,
    pub margin: u32,
}

impl Lettering {
    /// 10x20 pixels, doubled from 960 pixels' width on, tripled from 1600 on; 6x10 below 240.
    pub fn for_width(width: usize) -> Self {
        if width < 240 {
            return Self {
                font: &FONT_6X10,
                factor: 1,
                margin: 2,
            };
        }
        let factor = u32::try_from((width + 320) / 640).unwrap_or(1).max(1);
        Self {
            font: &FONT_10X20,
            factor,
            margin: 4 * factor,
        }
    }

    fn column(self) -> u32 {
        (self.font.character_size.width + self.font.character_spacing) * self.factor
    }

    /// Height of a line.
    pub fn line(self) -> u32 {
        self.font.character_size.height * self.factor
    }

    pub fn text_width(self, text: &str) -> u32 {
        u32::try_from(text.chars().count()).unwrap_or(u32::MAX / 64) * self.column()
    }

    /// Letters that fit beside each other in `width` pixels.
    fn columns(self, width: usize) -> usize {
        width.saturating_sub(2 * self.margin as usize) / self.column() as usize
    }
}

/// Draws the overlay on pictures of one size.
#[derive(Debug)]
pub struct Overlay {
    size: frame::Size,
    lettering: Lettering,
    // What `lines` was made of.
    text: String,
    origin: Origin,
    lines: Vec<String>,
}

impl Overlay {
    /// For pictures of `size`; one of another size is drawn on all the same, its text laid out
    /// anew.
    pub fn new(size: frame::Size) -> Self {
        Self {
            size,
            lettering: Lettering::for_width(size.width),
            text: String::new(),
            origin: Origin::Neutral,
            lines: Vec::new(),
        }
    }

    /// Writes `info` on `picture`: a band at the top (mode, task, rate; marks; notice) and one
    /// at the bottom (who wrote the text, the text).
    pub fn draw(&mut self, picture: &mut Picture, info: &OverlayInfo) {
        self.lay_out(picture.size(), info);
        let Some(mut canvas) = Canvas::new(picture) else {
            return;
        };
        draw_top(&mut canvas, self.lettering, info);
        if info.detail {
            draw_bottom(&mut canvas, self.lettering, &self.lines, info.origin);
        }
    }

    /// Wraps the text again where it, its author or the picture's size changed.
    fn lay_out(&mut self, size: frame::Size, info: &OverlayInfo) {
        if (self.size, self.origin, self.text.as_str()) == (size, info.origin, info.text) {
            return;
        }
        self.size = size;
        self.lettering = Lettering::for_width(size.width);
        self.origin = info.origin;
        self.text.clear();
        self.text.push_str(info.text);
        let text = printable(info.text);
        self.lines.clear();
        if !text.is_empty() {
            // At most about a quarter of the picture under text.
            let line = self.lettering.line() as usize;
            let max_lines = (size.height / 6 / line).clamp(1, 3);
            let text = format!("{}: {text}", tag(info.origin).0);
            self.lines = wrap(&text, self.lettering.columns(size.width), max_lines);
        }
    }
}

/// Name and colour of a text's author.
fn tag(origin: Origin) -> (&'static str, Rgb888) {
    match origin {
        Origin::Neutral => ("neutral", Rgb888::CSS_LIGHT_GRAY),
        Origin::Template => ("template", Rgb888::CSS_KHAKI),
        Origin::Llm => ("LLM", Rgb888::CSS_AQUAMARINE),
        Origin::User => ("user", Rgb888::CSS_LIGHT_SKY_BLUE),
    }
}

/// The marks that are set, each with the colour of its field: red for what is missing, amber
/// for what stands in.
fn marks(task: Task, marks: Marks) -> impl Iterator<Item = (&'static str, Rgb888)> + Clone {
    let (no_a, no_b) = match task {
        Task::Ivf => ("NO THERMAL", "NO VISIBLE"),
        Task::Mif => ("NO CT/PET", "NO MRI"),
        Task::Mef => ("NO UNDER-EXP.", "NO OVER-EXP."),
        Task::Mff => ("NO NEAR", "NO FAR"),
    };
    let held = marks.infrared_stale || marks.visible_stale;
    [
        (marks.no_infrared, no_a, Rgb888::CSS_RED),
        (marks.no_visible, no_b, Rgb888::CSS_RED),
        (marks.frozen, "FROZEN", Rgb888::CSS_RED),
        (held, "HELD", Rgb888::CSS_ORANGE),
        (marks.classic, "CLASSIC", Rgb888::CSS_ORANGE),
    ]
    .into_iter()
    .filter_map(|(set, name, color)| set.then_some((name, color)))
}

fn draw_top(canvas: &mut Canvas, letters: Lettering, info: &OverlayInfo) {
    let width = canvas.bounding_box().size.width;
    let header = header(info, letters.columns(width as usize));
    let marks = marks(info.task, info.marks);
    let gap = letters.column();
    let marks_width: u32 = marks
        .clone()
        .map(|(name, _)| letters.text_width(name) + gap + letters.column())
        .sum();
    let header_width = letters.text_width(header.as_str());
    let beside = header_width + marks_width + 2 * letters.margin <= width;
    let has_marks = marks_width > 0;
    let rows = u32::from(info.detail)
        + u32::from(has_marks && !(info.detail && beside))
        + u32::from(info.task == Task::Mif);
    if rows == 0 {
        return;
    }
    let pitch = letters.line() + letters.margin;
    let band = Size::new(width, rows * pitch + letters.margin);
    canvas.darken(&Rectangle::new(Point::zero(), band));

    let mut y = letters.margin;
    draw_text(
        canvas,
        letters,
        (letters.margin, y),
        header.as_str(),
        Rgb888::WHITE,
    );
    if has_marks {
        if info.detail && !beside {
            y += pitch;
        }
        let mut x = width.saturating_sub(marks_width + letters.margin) + gap;
        for (name, color) in marks {
            let field = letters.text_width(name) + letters.column();
            fill(canvas, (x, y), Size::new(field, letters.line()), color);
            let at = (x + letters.column() / 2, y);
            let ink = if color == Rgb888::CSS_RED {
                Rgb888::WHITE
            } else {
                Rgb888::BLACK
            };
            draw_text(canvas, letters, at, name, ink);
            x += field + gap;
        }
    }
    if info.task == Task::Mif {
        if info.detail || has_marks {
            y += pitch;
        }
        let x = width.saturating_sub(letters.text_width(NOT_DIAGNOSTIC)) / 2;
        draw_text(canvas, letters, (x, y), NOT_DIAGNOSTIC, Rgb888::YELLOW);
    }
}

/// Mode, task and rate; one space apart where two would not fit.
fn header(info: &OverlayInfo, columns: usize) -> FixedText<48> {
    let mut wide = FixedText::default();
    let mut narrow = FixedText::default();
    if info.detail {
        // Room for every mode, task and rate; a longer text would only be cut short.
        let _ = write_header(&mut wide, info, "  ");
        let _ = write_header(&mut narrow, info, " ");
    }
    if wide.as_str().len() <= columns {
        wide
    } else {
        narrow
    }
}

fn write_header(header: &mut FixedText<48>, info: &OverlayInfo, gap: &str) -> std::fmt::Result {
    for c in info.mode.name().chars() {
        header.write_char(c.to_ascii_uppercase())?;
    }
    write!(header, "{gap}{}{gap}", info.task.name())?;
    if info.fps.is_finite() && info.fps >= 0.0 {
        write!(header, "{:.1} fps", info.fps.min(9999.0))
    } else {
        header.write_str("- fps")
    }
}

fn draw_bottom(canvas: &mut Canvas, letters: Lettering, lines: &[String], origin: Origin) {
    let Some((first, others)) = lines.split_first() else {
        return;
    };
    let size = canvas.bounding_box().size;
    let rows = u32::try_from(lines.len()).unwrap_or(1);
    let height = rows * letters.line() + 2 * letters.margin;
    let top = size.height.saturating_sub(height);
    let band = Size::new(size.width, height);
    canvas.darken(&Rectangle::new(Point::new(0, signed(top)), band));

    let mut at = (letters.margin, top + letters.margin);
    draw_text(canvas, letters, at, first, Rgb888::WHITE);
    // The author's name again over itself, in its colour.
    let (name, color) = tag(origin);
    let name = first.get(..=name.len()).unwrap_or(first);
    draw_text(canvas, letters, at, name, color);
    for line in others {
        at.1 += letters.line();
        draw_text(canvas, letters, at, line, Rgb888::WHITE);
    }
}

pub(super) fn draw_text(
    canvas: &mut Canvas,
    letters: Lettering,
    at: (u32, u32),
    text: &str,
    ink: Rgb888,
) {
    let mut target = Enlarged {
        canvas,
        origin: Point::new(signed(at.0), signed(at.1)),
        factor: letters.factor,
    };
    let style = MonoTextStyle::new(letters.font, ink);
    let text = Text::with_baseline(text, Point::zero(), style, Baseline::Top);
    let Ok(_) = text.draw(&mut target);
}

fn fill(canvas: &mut Canvas, at: (u32, u32), size: Size, color: Rgb888) {
    let area = Rectangle::new(Point::new(signed(at.0), signed(at.1)), size);
    let Ok(()) = canvas.fill_solid(&area, color);
}

pub(super) fn signed(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Writes a line of `text` on `picture` at (x, y), 10x20 pixels a letter.
pub fn label(picture: &mut Picture, at: (usize, usize), text: &str) {
    let Some(mut canvas) = Canvas::new(picture) else {
        return;
    };
    let letters = Lettering::for_width(640);
    let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX / 2);
    draw_text(
        &mut canvas,
        letters,
        (side(at.0), side(at.1)),
        text,
        Rgb888::WHITE,
    );
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
