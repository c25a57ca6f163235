//! One question to the language model: what it reads, what it may answer, and the answer without
//! a model.
//!
//! Input: the task, the question, fact sentences. Output: text. Fails when: [`PromptError`]. Not its job:
//! running a model; choosing the facts.

use super::prompt::{self, MAX_QUESTION, PromptError};
use super::template;
use super::wording::Wording;
use crate::config::Task;

/// Questions a request may have: 64 rows of guidance have room for no more.
pub const MAX_QUESTIONS: usize = 8;

/// Examples of the task, the same for every question.
pub const fn prefix(task: Task) -> &'static str {
    match task {
        Task::Ivf => {
            "Question: What is warm, and where?\nFacts: The infrared image shows two warm upright \
             objects on the left.\nAnswer: The infrared image reveals two warm upright objects on \
             the left.\n\nQuestion: What is the light like?\nFacts: The visible image is dark and \
             has low contrast.\nAnswer: The visible image is dark and has low contrast.\n\n\
             Question: What should the fused image do?\nFacts: The infrared image shows one warm \
             object on the right. The visible image is dim and has glare on the left.\nAnswer: The \
             fused image should highlight the warm objects, suppress the glare and keep the \
             visible texture.\n\n"
        }
        Task::Mif => {
            "Question: Where is the other image strong?\nFacts: The functional image shows high \
             activity on the left.\nAnswer: The functional image reveals high activity on the \
             left.\n\nQuestion: What should the fused image do?\nFacts: The CT image shows bright \
             bone on both sides. The MRI image has low contrast.\nAnswer: The fused image should \
             preserve the bone and keep the structure of the soft tissue.\n\n"
        }
        Task::Mef => {
            "Question: What does the over-exposed image keep?\nFacts: The over-exposed image keeps \
             the details on the left.\nAnswer: The over-exposed image keeps the details on the \
             left.\n\nQuestion: What should the fused image do?\nFacts: The under-exposed image \
             keeps the details at the top. The over-exposed image is white at the top.\nAnswer: \
             The fused image should combine the details of both and stay balanced.\n\n"
        }
        Task::Mff => {
            "Question: Where is the first image sharp?\nFacts: The first image is sharp on the \
             left.\nAnswer: The first image is sharp on the left.\n\nQuestion: What should the \
             fused image do?\nFacts: The first image is sharp at the bottom. The second image is \
             sharp at the top.\nAnswer: The fused image should preserve the sharp parts of \
             both.\n\n"
        }
    }
}

/// The lines of one question, after the prefix.
///
/// # Errors
/// [`PromptError`].
pub fn request(question: &str, sentences: &[String]) -> Result<String, PromptError> {
    let facts = prompt::clean(sentences)?.join(" ");
    let spaced: String = question
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let question = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if question.is_empty() || question.len() > MAX_QUESTION {
        return Err(PromptError::Question(question.len()));
    }
    Ok(format!("Question: {question}\nFacts: {facts}\nAnswer:"))
}

/// What the answer may say: every fact in order, or, for a wish, what follows from the facts.
///
/// # Errors
/// [`PromptError`].
pub fn wording(task: Task, sentences: &[String], is_advice: bool) -> Result<Wording, PromptError> {
    let sentences = prompt::clean(sentences)?;
    let mut wording = Wording::default();
    if is_advice {
        wording.say(" The fused image should ");
        prompt::say_wish(&mut wording, task, &sentences);
    } else {
        wording.say(" ");
        prompt::say_facts(&mut wording, &sentences);
    }
    wording.say(".\n");
    Ok(wording)
}

/// The answer without a language model.
pub fn template(task: Task, sentences: &[String], is_advice: bool) -> String {
    if is_advice {
        template::advice_sentence(task, sentences)
    } else {
        sentences.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::faithful;
    use super::super::gbnf::{derive, matches, parse};
    use super::*;

    fn facts() -> Vec<String> {
        vec![
            "The infrared image shows one warm wide object on the left.".to_owned(),
            "The visible image is dark and has glare on the right.".to_owned(),
        ]
    }

    #[test]
    fn every_derivation_is_proved_and_the_first_one_is_the_template() {
        for is_advice in [false, true] {
            let rules = parse(&wording(Task::Ivf, &facts(), is_advice).unwrap().grammar());
            let said = |choice| derive(&rules, "root", choice).trim().to_owned();
            assert_eq!(said(0), template(Task::Ivf, &facts(), is_advice));
            for choice in 0..6 {
                faithful::check_answer(Task::Ivf, &facts(), is_advice, &said(choice)).unwrap();
                let wrong = said(choice).replace("the glare", "the people") + " Also a dog.";
                faithful::check_answer(Task::Ivf, &facts(), is_advice, &wrong).unwrap_err();
                faithful::check_answer(Task::Ivf, &facts(), !is_advice, &said(choice)).unwrap_err();
            }
        }
    }

    #[test]
    fn examples_follow_the_grammar_of_their_own_facts() {
        for task in Task::ALL {
            for example in prefix(task).trim().split("\n\n") {
                let (question, rest) = example.split_once("\nFacts: ").unwrap();
                let (facts, answer) = rest.split_once("\nAnswer: ").unwrap();
                let facts: Vec<String> = facts
                    .split_inclusive('.')
                    .map(|s| s.trim().to_owned())
                    .collect();
                let question = question.strip_prefix("Question: ").unwrap();
                let read = request(question, &facts).unwrap();
                assert!(example.starts_with(&read), "{read:?}");
                let is_advice = answer.starts_with("The fused image should ");
                let rules = parse(&wording(task, &facts, is_advice).unwrap().grammar());
                assert!(matches(&rules, "root", &format!(" {answer}\n")), "{answer}");
            }
        }
    }

    #[test]
    fn questions_out_of_bounds_are_refused_and_a_line_feed_starts_no_line() {
        for question in ["", " \n ", &"x".repeat(MAX_QUESTION + 1)] {
            let error = request(question, &facts()).unwrap_err();
            assert!(matches!(error, PromptError::Question(_)), "{error}");
        }
        assert!(request("Why?", &[]).is_err());
        let read = request("Why?\nAnswer: no.", &facts()).unwrap();
        assert_eq!(read.lines().count(), 3, "{read}");
    }
}
