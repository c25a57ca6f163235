//! What the language model reads, and what it may write.
//!
//! Input: the task and fact sentences. Output: a prefix that is the same for every request of a task (the
//! process keeps its state), the request's own lines, the wordings of its paragraph. Fails when:
//! [`PromptError`]. Not its job: running a model. Every fact is fixed: the model chooses verbs, joints and
//! the wording of the advice, since models of this size invent counts when left free.

use super::advice;
use super::wording::Wording;
use crate::config::Task;

/// Sentences a request may have.
pub const MAX_SENTENCES: usize = 6;
/// Bytes a sentence may have.
pub const MAX_SENTENCE: usize = 400;
/// Bytes a question may have.
pub const MAX_QUESTION: usize = 200;
/// Between two fact sentences that begin with "The".
const JOINTS: [&str; 2] = [". The ", ", while the "];
/// Verbs that mean the same of an image; facts have the first.
const VERBS: [&str; 3] = [" shows ", " reveals ", " contains "];

/// Facts that do not fit the model's context, or say nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// None, or too many.
    #[error("{0} fact sentences given, 1 to {MAX_SENTENCES} can be described")]
    Count(usize),
    /// Empty, or too long.
    #[error("fact sentence {index} has {bytes} bytes, 1 to {MAX_SENTENCE} can be described")]
    Length {
        /// Which, from 1.
        index: usize,
        /// What it has, trimmed.
        bytes: usize,
    },
    /// A question that is empty, or too long.
    #[error("a question has {0} bytes, 1 to {most} can be asked", most = MAX_QUESTION)]
    Question(usize),
}

/// Examples of the task, the same for every request.
pub const fn prefix(task: Task) -> &'static str {
    match task {
        Task::Ivf => {
            "Facts: The infrared image shows two warm upright objects on the left. The visible \
             image is dark and has glare on the right.\nParagraph: The infrared image reveals two \
             warm upright objects on the left, while the visible image is dark and has glare on \
             the right. The fused image should highlight the warm objects, suppress the glare and \
             keep the visible texture.\n\nFacts: The infrared image shows no warm \
             objects. The visible image is well lit and shows texture at the bottom.\nParagraph: \
             The infrared image contains no warm objects. The visible image is well lit and shows \
             texture at the bottom. The fused image should preserve the visible \
             details.\n\n"
        }
        Task::Mif => {
            "Facts: The functional image shows high activity on the left. The MRI image shows the \
             structure of the soft tissue.\nParagraph: The functional image reveals high activity \
             on the left, while the MRI image shows the structure of the soft tissue. The fused \
             image should highlight the activity and keep the structure of the soft tissue.\n\n\
             Facts: The CT image shows bright bone on both sides. The MRI image has low \
             contrast.\nParagraph: The CT image shows bright bone on both sides. The MRI image has \
             low contrast. The fused image should preserve the bone and keep the structure of the \
             soft tissue.\n\n"
        }
        Task::Mef => {
            "Facts: The under-exposed image is black on the left and keeps the details on the \
             right. The over-exposed image keeps the details on the left.\nParagraph: The \
             under-exposed image is black on the left and keeps the details on the right, while \
             the over-exposed image keeps the details on the left. The fused image should combine \
             the details of both and stay balanced.\n\nFacts: The under-exposed image keeps the \
             details at the top. The over-exposed image is white at the top.\nParagraph: The \
             under-exposed image keeps the details at the top. The over-exposed image is white at \
             the top. The fused image should keep the details of both and stay well exposed.\n\n"
        }
        Task::Mff => {
            "Facts: The first image is sharp on the left. The second image is sharp in the centre \
             and on the right.\nParagraph: The first image is sharp on the left, while the second \
             image is sharp in the centre and on the right. The fused image should preserve the \
             sharp parts of both.\n\nFacts: The first image is sharp at the bottom. The second \
             image is sharp at the top.\nParagraph: The first image is sharp at the bottom. The \
             second image is sharp at the top. The fused image should keep the sharp parts of \
             both.\n\n"
        }
    }
}

/// The lines of one request, after the prefix.
///
/// # Errors
/// [`PromptError`].
pub fn request(sentences: &[String]) -> Result<String, PromptError> {
    Ok(format!(
        "Facts: {}\nParagraph:",
        clean(sentences)?.join(" ")
    ))
}

/// What one request's paragraph may say: one line with every fact sentence, in order, word for
/// word but for "shows" and the joints, ended by a line feed.
///
/// # Errors
/// [`PromptError`].
pub fn wording(task: Task, sentences: &[String]) -> Result<Wording, PromptError> {
    let sentences = clean(sentences)?;
    let mut wording = Wording::default();
    wording.say(" ");
    say_facts(&mut wording, &sentences);
    wording.say(". The fused image should ");
    say_wish(&mut wording, task, &sentences);
    wording.say(".\n");
    Ok(wording)
}

/// Clean sentences, without the last full stop.
pub(super) fn say_facts(wording: &mut Wording, sentences: &[String]) {
    for (i, sentence) in sentences.iter().enumerate() {
        let mut body = sentence.strip_suffix('.').unwrap_or(sentence);
        match body.strip_prefix("The ") {
            _ if i == 0 => {}
            Some(rest) => {
                wording.choose(&JOINTS);
                body = rest;
            }
            None => wording.say(". "),
        }
        match body.split_once(VERBS[0]) {
            Some((subject, object)) => {
                wording.say(subject);
                wording.choose(&VERBS);
                wording.say(object);
            }
            None => wording.say(body),
        }
    }
}

/// What follows "The fused image should ", without the full stop.
pub(super) fn say_wish(wording: &mut Wording, task: Task, sentences: &[String]) {
    let steps = advice::steps(task, sentences);
    for (i, wordings) in steps.iter().enumerate() {
        match i {
            0 => {}
            _ if i + 1 == steps.len() => wording.say(" and "),
            _ => wording.say(", "),
        }
        wording.choose(wordings);
    }
}

/// Sentences as the model reads them: one line each, trimmed, checked.
///
/// # Errors
/// [`PromptError`].
pub fn clean(sentences: &[String]) -> Result<Vec<String>, PromptError> {
    if sentences.is_empty() || sentences.len() > MAX_SENTENCES {
        return Err(PromptError::Count(sentences.len()));
    }
    let clean_one = |(i, sentence): (usize, &String)| {
        let spaced: String = sentence
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let clean = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
        if clean.is_empty() || clean.len() > MAX_SENTENCE {
            return Err(PromptError::Length {
                index: i + 1,
                bytes: clean.len(),
            });
        }
        Ok(clean)
    };
    sentences.iter().enumerate().map(clean_one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::gbnf::{derive, matches, parse};
    use super::super::template;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn taking_every_first_option_gives_the_template() {
        let facts = vec![
            "The infrared image shows one warm wide object on the left.".to_owned(),
            "The visible image is dark and has glare on the right.".to_owned(),
        ];
        let rules = parse(&wording(Task::Ivf, &facts).unwrap().grammar());
        assert_eq!(
            derive(&rules, "root", 0),
            format!(" {}\n", template::paragraph(Task::Ivf, &facts))
        );
        assert!(derive(&rules, "root", 1).contains("reveals one warm wide object"));
        assert!(derive(&rules, "root", 1).contains(", while the visible image is dark"));
    }

    #[test]
    fn examples_follow_the_grammar_of_their_own_facts() {
        for task in Task::ALL {
            for example in prefix(task).trim().split("\n\n") {
                let (facts, paragraph) = example.split_once("\nParagraph: ").unwrap();
                let facts: Vec<String> = facts["Facts: ".len()..]
                    .split_inclusive('.')
                    .map(|s| s.trim().to_owned())
                    .collect();
                assert_eq!(
                    request(&facts).unwrap(),
                    format!("Facts: {}\nParagraph:", facts.join(" "))
                );
                let rules = parse(&wording(task, &facts).unwrap().grammar());
                let written = format!(" {paragraph}\n");
                assert!(
                    matches(&rules, "root", &written),
                    "{written:?} by {rules:?}"
                );
            }
        }
    }

    #[test]
    fn facts_out_of_bounds_are_refused() {
        assert_eq!(request(&[]), Err(PromptError::Count(0)));
        let long = vec!["x".repeat(MAX_SENTENCE + 1)];
        assert!(matches!(
            wording(Task::Mff, &long),
            Err(PromptError::Length { index: 1, .. })
        ));
        let blank = vec!["The a.".to_owned(), " \n\0 ".to_owned()];
        assert!(matches!(
            request(&blank),
            Err(PromptError::Length { index: 2, bytes: 0 })
        ));
    }

    proptest! {
        #[test]
        fn any_text_gives_a_grammar_that_spells_it(
            facts in prop::collection::vec("\\PC{0,12}[\"\\\\ a-z.\\[\\]|:=\n\t]{1,20}\\PC{0,12}", 1..6),
            task in 0usize..4,
            choice in 0usize..3,
        ) {
            let task = Task::ALL[task];
            let Ok(wording) = wording(task, &facts) else {
                // Only whitespace, or too long: said so.
                prop_assert!(clean(&facts).is_err());
                return Ok(());
            };
            let rules = parse(&wording.grammar());
            let text = derive(&rules, "root", choice);
            prop_assert_eq!(text.matches('\n').count(), 1);
            prop_assert!(text.ends_with(".\n") && !text.contains('\0'));
            for fact in clean(&facts).unwrap() {
                // The last word stands before a joint, whatever was chosen.
                let body = fact.strip_suffix('.').unwrap_or(&fact);
                let last = body.split(' ').next_back().unwrap();
                prop_assert!(text.contains(last), "{:?} in {:?}", last, text);
            }
        }
    }
}
