//! Text for a fixed-width font: other characters replaced, broken into lines.
//!
//! Input: any text. Output: lines of Latin-1 characters, which `mono_font::iso_8859_1` draws. Thread: any.
//! Blocks: never. Allocates: the lines (called when the text changes, not for every frame). Not its job:
//! drawing.

use std::fmt;

/// Stands for what was cut off; ASCII, so that every font has it.
const ELLIPSIS: &str = "...";

/// Replaces what the font cannot draw: typographic marks by their ASCII likeness, white space
/// and control characters by single spaces, the rest by `?`.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        // U+00A0 is white space too; a soft hyphen or a zero-width character shows nothing.
        if c.is_whitespace() || c.is_control() {
            space = true;
            continue;
        }
        if matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}'
        ) {
            continue;
        }
        if space && !out.is_empty() {
            out.push(' ');
        }
        space = false;
        match c {
            ' '..='~' | '\u{a1}'..='\u{ff}' => out.push(c),
            '\u{2018}'..='\u{201b}' | '\u{2032}' => out.push('\''),
            '\u{201c}'..='\u{201f}' | '\u{2033}' => out.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
            '\u{2026}' => out.push_str(ELLIPSIS),
            '\u{2022}' => out.push('*'),
            '\u{2248}' => out.push('~'),
            '\u{2264}' => out.push_str("<="),
            '\u{2265}' => out.push_str(">="),
            '\u{2190}' => out.push_str("<-"),
            '\u{2192}' => out.push_str("->"),
            '\u{20ac}' => out.push_str("EUR"),
            _ => out.push('?'),
        }
    }
    out
}

/// Breaks `text` (see [`printable`]) at spaces into at most `max_lines` lines of at most
/// `columns` characters. A longer word is broken where the line ends. Where text is left over,
/// the last line ends in an ellipsis.
pub fn wrap(text: &str, columns: usize, max_lines: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if columns == 0 || max_lines == 0 {
        return lines;
    }
    let mut rest = text.trim();
    while !rest.is_empty() {
        if lines.len() == max_lines {
            if let Some(last) = lines.last_mut() {
                cut(last, columns);
            }
            break;
        }
        let (line, after) = split_line(rest, columns);
        lines.push(line.to_owned());
        rest = after;
    }
    lines
}

/// The longest beginning of `text` that fits `columns`, and what follows it.
fn split_line(text: &str, columns: usize) -> (&str, &str) {
    let Some((limit, next)) = text.char_indices().nth(columns) else {
        return (text, "");
    };
    let end = if next == ' ' {
        limit
    } else {
        text[..limit].rfind(' ').unwrap_or(limit)
    };
    (text[..end].trim_end(), text[end..].trim_start())
}

/// Ends `line` in an ellipsis within `columns`, at a word's end where there is one.
fn cut(line: &mut String, columns: usize) {
    let room = columns.saturating_sub(ELLIPSIS.len());
    if let Some((limit, next)) = line.char_indices().nth(room) {
        let end = if next == ' ' {
            limit
        } else {
            line[..limit].rfind(' ').unwrap_or(limit)
        };
        line.truncate(end);
    }
    line.truncate(line.trim_end().len());
    line.extend(ELLIPSIS.chars().take(columns));
}

/// A text of at most `N` bytes that needs no heap; what does not fit is left off.
#[derive(Debug, Clone, Copy)]
pub struct FixedText<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for FixedText<N> {
    fn default() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }
}

impl<const N: usize> FixedText<N> {
    /// What was written.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Write for FixedText<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            let end = self.len + c.len_utf8();
            if end > N {
                return Err(fmt::Error);
            }
            c.encode_utf8(&mut self.bytes[self.len..end]);
            self.len = end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write;

    #[test]
    fn typographic_marks_get_their_ascii_likeness() {
        assert_eq!(
            printable("“It’s 40\u{a0}°C” – a\tman…\n→ 火 ok\u{200b}"),
            "\"It's 40 °C\" - a man... -> ? ok"
        );
    }

    #[test]
    fn the_last_line_shows_that_text_is_left_over() {
        assert_eq!(
            wrap("a person walks by the warm engine", 12, 2),
            ["a person", "walks by..."]
        );
        assert_eq!(wrap("abcdefghij", 4, 2), ["abcd", "e..."]);
        assert_eq!(wrap("abcdefgh", 4, 2), ["abcd", "efgh"]);
        assert_eq!(wrap("abc", 1, 1), ["."]);
    }

    #[test]
    fn fixed_text_keeps_what_fits() {
        let mut text = FixedText::<6>::default();
        assert!(write!(text, "{:.1} é{}", 29.97, 1).is_err());
        assert_eq!(text.as_str(), "30.0 ");
    }

    proptest! {
        #[test]
        fn printable_text_is_latin_1_without_double_spaces(text in ".{0,80}") {
            let out = printable(&text);
            let drawable = |c| matches!(c, ' '..='~' | '\u{a1}'..='\u{ff}');
            prop_assert!(out.chars().all(drawable));
            prop_assert!(!out.contains("  ") && !out.starts_with(' '));
        }

        #[test]
        fn lines_fit_and_nothing_is_lost_or_hidden(
            text in "[a-zé ]{0,120}", columns in 1usize..40, max_lines in 1usize..5,
        ) {
            let lines = wrap(&text, columns, max_lines);
            prop_assert!(lines.len() <= max_lines);
            prop_assert!(lines.iter().all(|l| l.chars().count() <= columns));
            prop_assert!(lines.iter().all(|l| !l.is_empty() && l.trim() == l));
            let solid = |s: &str| s.replace(' ', "");
            let joined = solid(&lines.concat());
            let all = solid(&text);
            // The text has no dots of its own.
            if joined.contains('.') {
                let kept = joined.trim_end_matches('.');
                prop_assert!(all.starts_with(kept) && kept.len() < all.len());
                prop_assert_eq!(lines.len(), max_lines);
            } else {
                prop_assert_eq!(joined, all);
            }
        }

        #[test]
        fn words_that_fit_are_not_broken(text in "[a-z]{1,8}( [a-z]{1,8}){0,9}") {
            let lines = wrap(&text, 8, 100);
            prop_assert_eq!(lines.join(" "), text);
        }
    }
}
