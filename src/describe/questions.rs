//! Questions in three levels, each answered from the facts: guidance in segments.
//!
//! After HPFusion (arXiv 2409.09291), whose questions a vision-language model answers; here
//! measured facts do. Input: a TOML text (a shipped one, or a user's), [`Facts`]. Output:
//! [`Answer`]s, whose sentences the language model may word like any other facts. Thread: guide,
//! main. Blocks: never. Allocates: freely. Fails when: [`QuestionError`]. Not its job: encoding.

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::config::{Task, line_and_column};

/// The shipped questions.
const SHIPPED: &str = include_str!("questions.toml");
/// Most questions of a task: the guidance has 64 rows.
const MOST: usize = 8;

/// How near a question looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// All of it.
    Scene,
    /// Things.
    Object,
    /// Parts.
    Detail,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// How near it looks.
    pub level: Level,
    /// For people.
    pub question: String,
    /// A part of a sentence that holds one of these answers it.
    pub facts: Vec<String>,
    /// How much the answer counts, above 0 to 1.
    pub weight: f32,
}

/// The questions of all tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    #[serde(default)]
    ivf: Vec<Question>,
    #[serde(default)]
    mif: Vec<Question>,
    #[serde(default)]
    mef: Vec<Question>,
    #[serde(default)]
    mff: Vec<Question>,
}

/// Facts that answer a question: a segment of guidance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The question's level.
    pub level: Level,
    /// The question.
    pub question: String,
    /// Sentences with their full stops, at least one.
    pub sentences: Vec<String>,
    /// How much it counts.
    pub weight: f32,
}

/// Questions that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuestionError {
    /// Not TOML, a key unknown, a value of the wrong type.
    #[error("line {line}, column {column}: {message}")]
    Parse {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A value out of range.
    #[error("task {task}, question {index}: {message}")]
    Invalid {
        /// The task's name.
        task: &'static str,
        /// From 1.
        index: usize,
        /// What was found, what is possible.
        message: String,
    },
}

impl Questions {
    /// The shipped ones.
    ///
    /// # Errors
    /// None, as a test makes sure.
    pub fn shipped() -> Result<Self, QuestionError> {
        Self::parse(SHIPPED)
    }

    /// Reads and checks a TOML text.
    ///
    /// # Errors
    /// [`QuestionError`], with the place.
    pub fn parse(text: &str) -> Result<Self, QuestionError> {
        let questions: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let (line, column) = line_and_column(text, at);
            QuestionError::Parse {
                line,
                column,
                message: error.message().to_owned(),
            }
        })?;
        for task in Task::ALL {
            for (i, question) in questions.of(task).iter().enumerate() {
                let weight = question.weight;
                let message = if i >= MOST {
                    format!("more than {MOST} questions do not fit the guidance")
                } else if !(weight > 0.0 && weight <= 1.0) {
                    format!("weight = {weight} is out of range: above 0, at most 1")
                } else if question.facts.iter().all(|fact| fact.trim().is_empty()) {
                    "facts is empty: name at least one word of a sentence".to_owned()
                } else {
                    continue;
                };
                return Err(QuestionError::Invalid {
                    task: task.name(),
                    index: i + 1,
                    message,
                });
            }
        }
        Ok(questions)
    }

    /// Those of a task, in their order.
    pub fn of(&self, task: Task) -> &[Question] {
        match task {
            Task::Ivf => &self.ivf,
            Task::Mif => &self.mif,
            Task::Mef => &self.mef,
            Task::Mff => &self.mff,
        }
    }

    /// The answers that the facts give. Each fact answers the first question that asks for it;
    /// what nobody asks for is not said.
    pub fn answer(&self, facts: &Facts) -> Vec<Answer> {
        let questions = self.of(facts.task());
        let mut said: Vec<Vec<String>> = vec![Vec::new(); questions.len()];
        for part in facts.parts() {
            let asks = |q: &Question| q.facts.iter().any(|f| !f.is_empty() && part.contains(f));
            if let Some(i) = questions.iter().position(asks) {
                said[i].push(part);
            }
        }
        questions
            .iter()
            .zip(said)
            .filter(|(_, sentences)| !sentences.is_empty())
            .map(|(question, sentences)| Answer {
                level: question.level,
                question: question.question.clone(),
                sentences,
                weight: question.weight,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::AlignedPair;
    use crate::frame::{Picture, Size};

    fn facts(task: Task) -> Facts {
        let size = Size::new(96, 64);
        let mut a = Picture::grey(size);
        for (i, v) in a.data_mut().iter_mut().enumerate() {
            *v = if i % 96 < 40 {
                (i * 37 % 251) as u8
            } else {
                20
            };
        }
        let mut b = Picture::grey(size);
        for (i, v) in b.data_mut().iter_mut().enumerate() {
            *v = if i % 96 < 40 {
                250
            } else {
                (i * 53 % 241) as u8
            };
        }
        Facts::measure(task, &AlignedPair::registered(a, b))
    }

    #[test]
    fn the_shipped_questions_have_three_levels_and_every_task_has_answers() {
        let questions = Questions::shipped().unwrap();
        for task in Task::ALL {
            let levels: Vec<Level> = questions.of(task).iter().map(|q| q.level).collect();
            assert_eq!(levels, [Level::Scene, Level::Object, Level::Detail]);
            let facts = facts(task);
            let answers = questions.answer(&facts);
            assert!(!answers.is_empty(), "{task:?}");
            let mut said: Vec<String> = answers.into_iter().flat_map(|a| a.sentences).collect();
            let mut parts = facts.parts();
            said.sort();
            parts.sort();
            assert_eq!(said, parts, "every fact of {task:?} is asked for once");
        }
    }

    #[test]
    fn faults_name_their_place() {
        let error = |text: &str| Questions::parse(text).unwrap_err().to_string();
        let unknown = error("[[ivf]]\nlevel = \"scene\"\nqestion = \"\"\n");
        assert!(unknown.starts_with("line 3, column 1"), "{unknown}");
        let question = |weight: &str, facts: &str| {
            format!(
                "[[mef]]\nlevel = \"detail\"\nquestion = \"?\"\nfacts = {facts}\nweight = {weight}\n"
            )
        };
        assert!(error(&question("2.0", "[\"x\"]")).contains("weight = 2"));
        assert!(error(&question("nan", "[\"x\"]")).contains("weight"));
        assert!(error(&question("1.0", "[]")).contains("facts"));
        assert!(error(&question("1.0", "[\"x\"]").repeat(9)).contains("question 9"));
        assert_eq!(
            Questions::parse("").unwrap().answer(&facts(Task::Ivf)),
            Vec::new()
        );
    }
}
