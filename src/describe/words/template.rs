//! A paragraph without a language model.
//!
//! Input: the task and fact sentences. Output: text. Not its job: features.

use super::advice;
use crate::config::Task;

/// The sentences, then what the fused image should do.
pub fn paragraph(task: Task, sentences: &[String]) -> String {
    let advice = advice_sentence(task, sentences);
    let mut text = String::new();
    for sentence in sentences.iter().chain([&advice]) {
        if !text.is_empty() && !sentence.is_empty() {
            text.push(' ');
        }
        text.push_str(sentence.trim());
    }
    text
}

/// What the fused image should do, where `sentences` hold.
pub fn advice_sentence(task: Task, sentences: &[String]) -> String {
    let steps: Vec<&str> = advice::steps(task, sentences)
        .iter()
        .filter_map(|wordings| wordings.first().copied())
        .collect();
    match steps.as_slice() {
        [] => String::new(),
        [only] => format!("The fused image should {only}."),
        [before @ .., last] => format!("The fused image should {} and {last}.", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_first_and_the_wish_last() {
        let facts = [
            "The infrared image shows one warm object on the left.".to_owned(),
            "The visible image is dark and has glare on the right.".to_owned(),
        ];
        assert_eq!(
            paragraph(Task::Ivf, &facts),
            "The infrared image shows one warm object on the left. The visible image is dark and \
             has glare on the right. The fused image should highlight the warm objects, suppress \
             the glare and keep the visible texture."
        );
        assert_eq!(
            paragraph(Task::Mff, &[]),
            "The fused image should keep the sharp parts of both."
        );
    }
}
