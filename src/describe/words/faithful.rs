//! Checks that a paragraph says what the facts say, and nothing else.
//!
//! Input: the task, fact sentences, a paragraph. Output: nothing, or [`Contradiction`]. Fails when: a word
//! of the paragraph is neither a fact's nor one of the allowed joints, verbs and steps. Not its job:
//! grammar files. It reads the paragraph without them, so that it finds faults of the grammar and of the
//! sampler.

use super::advice;
use crate::config::Task;

/// Verbs that mean the same of an image.
const VERBS: [&str; 3] = [" shows ", " reveals ", " contains "];
const WISH: &str = ". The fused image should ";

/// What a paragraph says that no fact says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} was expected where the paragraph says {found:?}")]
pub struct Contradiction {
    /// The fact, or what else belongs there.
    pub what: String,
    /// The paragraph from there on, its first 60 characters.
    pub found: String,
}

/// Reads `paragraph` from its start to its end by the facts.
///
/// # Errors
/// [`Contradiction`] at the first word that does not follow from them.
pub fn check(task: Task, sentences: &[String], paragraph: &str) -> Result<(), Contradiction> {
    let rest = facts(sentences, paragraph)?;
    wish(task, sentences, expect(rest, WISH, "the wish")?)
}

/// The same of the answer to one question: the facts alone, or the wish alone.
///
/// # Errors
/// [`Contradiction`] at the first word that does not follow from them.
pub fn check_answer(
    task: Task,
    sentences: &[String],
    is_advice: bool,
    answer: &str,
) -> Result<(), Contradiction> {
    if is_advice {
        let begin = &WISH[". ".len()..];
        return wish(task, sentences, expect(answer, begin, "the wish")?);
    }
    end(facts(sentences, answer)?)
}

/// What follows all facts, from the last full stop on.
fn facts<'a>(sentences: &[String], text: &'a str) -> Result<&'a str, Contradiction> {
    let mut rest = text;
    for (i, sentence) in sentences.iter().enumerate() {
        let mut body = sentence.strip_suffix('.').unwrap_or(sentence);
        if i > 0 {
            match (rest.strip_prefix(", while the "), body.strip_prefix("The ")) {
                (Some(after), Some(without)) => (rest, body) = (after, without),
                _ => rest = expect(rest, ". ", "a full stop")?,
            }
        }
        rest = fact(rest, body, sentence)?;
    }
    Ok(rest)
}

/// The steps, and then the end.
fn wish(task: Task, sentences: &[String], mut rest: &str) -> Result<(), Contradiction> {
    let steps = advice::steps(task, sentences);
    for (i, wordings) in steps.iter().enumerate() {
        if i > 0 {
            let joint = if i + 1 == steps.len() { " and " } else { ", " };
            rest = expect(rest, joint, "the next wish")?;
        }
        let after = wordings.iter().find_map(|w| rest.strip_prefix(w));
        rest = after.ok_or_else(|| contradiction(&format!("one of {wordings:?}"), rest))?;
    }
    end(rest)
}

fn end(rest: &str) -> Result<(), Contradiction> {
    match rest {
        "." => Ok(()),
        more => Err(contradiction("the end", more)),
    }
}

/// What follows the fact `body`, its first "shows" being any of the verbs.
fn fact<'a>(rest: &'a str, body: &str, sentence: &str) -> Result<&'a str, Contradiction> {
    let wrong = || contradiction(sentence, rest);
    let Some((subject, object)) = body.split_once(VERBS[0]) else {
        return rest.strip_prefix(body).ok_or_else(wrong);
    };
    let after = rest.strip_prefix(subject).ok_or_else(wrong)?;
    let after = VERBS.iter().find_map(|verb| after.strip_prefix(verb));
    after
        .and_then(|after| after.strip_prefix(object))
        .ok_or_else(wrong)
}

fn expect<'a>(rest: &'a str, text: &str, what: &str) -> Result<&'a str, Contradiction> {
    rest.strip_prefix(text)
        .ok_or_else(|| contradiction(what, rest))
}

fn contradiction(what: &str, found: &str) -> Contradiction {
    Contradiction {
        what: what.to_owned(),
        found: found.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::paragraph;

    fn facts() -> Vec<String> {
        vec![
            "The infrared image shows two warm upright objects on the left.".to_owned(),
            "The visible image is dark and has glare on the right.".to_owned(),
        ]
    }

    #[test]
    fn the_template_and_every_allowed_wording_are_proved() {
        let text = paragraph(Task::Ivf, &facts());
        check(Task::Ivf, &facts(), &text).unwrap();
        let other = text
            .replace(" shows ", " reveals ")
            .replace(". The visible", ", while the visible")
            .replace("suppress the glare", "reduce the glare");
        assert_ne!(text, other);
        check(Task::Ivf, &facts(), &other).unwrap();
    }

    #[test]
    fn a_changed_count_place_wish_or_an_added_sentence_is_a_contradiction() {
        let text = paragraph(Task::Ivf, &facts());
        for (from, to) in [
            ("two warm", "three warm"),
            ("on the left", "on the right"),
            ("is dark", "is bright"),
            ("highlight the warm objects", "remove the warm objects"),
            ("suppress the glare", "keep the glare"),
            (" The visible image", " A car burns. The visible image"),
            ("texture.", "texture. All is well."),
            ("texture.", "texture"),
            ("The infrared", "An infrared"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            assert!(check(Task::Ivf, &facts(), &changed).is_err(), "{changed}");
        }
        assert!(check(Task::Ivf, &facts()[..1], &text).is_err());
        assert!(check(Task::Ivf, &facts(), "").is_err());
    }
}
