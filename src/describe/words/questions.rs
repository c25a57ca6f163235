//! Questions in three levels, each answered from the facts: guidance in segments.
//!
//! After HPFusion (arXiv 2409.09291), whose questions a vision-language model answers; here measured facts
//! do. Input: a TOML text (a shipped one, or a user's), [`Facts`]. Output: [`Answer`]s, whose sentences the
//! language model may word like any other facts. Fails when: [`QuestionError`]. Not its job: encoding.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ask::{self, MAX_QUESTIONS};
use super::prompt::MAX_QUESTION;
use crate::bounded;
use crate::config::Task;
use crate::describe::facts::{merged, rows};
use crate::describe::{Facts, Origin, Segment};
use crate::position::line_and_column;

/// The shipped questions.
const SHIPPED: &str = include_str!("questions.toml");
/// Rows that the encoder adds to each answer: its begin and its end.
const ENDS: usize = 2;

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
    /// What the fused image should do.
    Wish,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// How near it looks.
    pub level: Level,
    /// For people and for the language model.
    pub question: String,
    /// A part of a sentence that holds one of these answers it; none for a wish.
    #[serde(default)]
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
    /// Sentences with their full stops, at least one: the answer, or what the wish follows from.
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
    /// A file that is not there or not as it must be.
    #[error("the questions {path}: {message}")]
    File {
        /// The file.
        path: String,
        /// What is wrong, and where.
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

    /// Those of a file, or the shipped ones.
    ///
    /// # Errors
    /// [`QuestionError::File`], with the file and the place in it.
    pub fn open(path: Option<&Path>) -> Result<Self, QuestionError> {
        let Some(path) = path else {
            return Self::shipped();
        };
        let wrong = |message: String| QuestionError::File {
            path: path.display().to_string(),
            message,
        };
        let text = bounded::read_text(path, bounded::TEXT)
            .map_err(|error| wrong(format!("cannot read it: {error}")))?;
        Self::parse(&text).map_err(|error| wrong(error.to_string()))
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
                if let Err(message) = question.check(i, &questions.of(task)[..i]) {
                    return Err(QuestionError::Invalid {
                        task: task.name(),
                        index: i + 1,
                        message,
                    });
                }
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
        if let Some(wish) = questions.iter().position(|q| q.level == Level::Wish) {
            said[wish] = facts.sentences();
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

    /// The same, with facts left out until the answers fit `most` rows of guidance, or have one
    /// fact each: first the last facts of the answers that count least.
    pub fn answer_within(&self, facts: &Facts, most: usize) -> Vec<Answer> {
        let task = facts.task();
        let mut answers = self.answer(facts);
        let used = |answers: &[Answer]| -> usize {
            let of = |a: &Answer| rows(&a.template(task)) + ENDS;
            answers.iter().map(of).sum()
        };
        while used(&answers) > most {
            let longer = answers.iter_mut().rev();
            let longer = longer.filter(|a| a.level != Level::Wish && a.sentences.len() > 1);
            let Some(least) = longer.min_by(|a, b| a.weight.total_cmp(&b.weight)) else {
                break;
            };
            least.sentences.pop();
        }
        answers
    }
}

impl Question {
    fn check(&self, index: usize, before: &[Self]) -> Result<(), String> {
        let (weight, length) = (self.weight, self.question.trim().len());
        let names_facts = self.facts.iter().any(|fact| !fact.trim().is_empty());
        let is_advice = self.level == Level::Wish;
        if index >= MAX_QUESTIONS {
            Err(format!(
                "more than {MAX_QUESTIONS} questions do not fit the guidance"
            ))
        } else if !(weight > 0.0 && weight <= 1.0) {
            Err(format!(
                "weight = {weight} is out of range: above 0, at most 1"
            ))
        } else if !(1..=MAX_QUESTION).contains(&length) {
            Err(format!(
                "question has {length} bytes, 1 to {MAX_QUESTION} can be asked"
            ))
        } else if is_advice && before.iter().any(|q| q.level == Level::Wish) {
            Err("a second question of level \"wish\": the wish is one sentence".to_owned())
        } else if is_advice && !self.facts.is_empty() {
            Err("facts has no meaning for a wish, which follows from all facts".to_owned())
        } else if !is_advice && !names_facts {
            Err("facts is empty: name at least one word of a sentence".to_owned())
        } else {
            Ok(())
        }
    }
}

impl Answer {
    /// What changed lately, which no question of a file asks for.
    pub(in crate::describe) fn of_change(sentence: String) -> Self {
        Self {
            level: Level::Scene,
            question: "What changed?".to_owned(),
            sentences: vec![sentence],
            weight: 0.5,
        }
    }

    /// It says what the fused image should do.
    pub fn is_advice(&self) -> bool {
        self.level == Level::Wish
    }

    /// The facts in as few sentences as say them.
    pub fn merged(&self) -> Vec<String> {
        merged(&self.sentences)
    }

    /// The answer without a language model.
    pub fn template(&self, task: Task) -> String {
        ask::template(task, &self.merged(), self.is_advice())
    }

    /// The segment it is without a describer: nothing is encoded.
    pub fn unencoded(&self, task: Task) -> Segment {
        self.segment(self.template(task), Origin::Template, None)
    }

    /// The segment of a worded answer.
    pub(in crate::describe) fn segment(
        &self,
        text: String,
        origin: Origin,
        rows: Option<(usize, usize)>,
    ) -> Segment {
        Segment {
            level: self.level,
            question: self.question.clone(),
            text,
            origin,
            weight: self.weight,
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::AlignedPair;
    use crate::describe::NamedObject;
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
            let mut levels: Vec<Level> = questions.of(task).iter().map(|q| q.level).collect();
            levels.dedup();
            let all = [Level::Scene, Level::Object, Level::Detail, Level::Wish];
            assert_eq!(levels, all);
            let mut facts = facts(task);
            if let Facts::Ivf(scene) = &mut facts {
                scene.objects = vec![NamedObject {
                    class: "person",
                    confidence: 0.9,
                    x: 0.2,
                    y: 0.5,
                    area: 0.1,
                }];
            }
            let answers = questions.answer(&facts);
            assert!(!answers.is_empty(), "{task:?}");
            let (wishes, answers): (Vec<_>, Vec<_>) =
                answers.into_iter().partition(Answer::is_advice);
            let wish = wishes[0].template(task);
            assert!(wish.starts_with("The fused image should "), "{wish}");
            assert!(crate::describe::paragraph(task, &facts.sentences()).ends_with(&wish));
            let mut said: Vec<String> = answers.into_iter().flat_map(|a| a.sentences).collect();
            let mut parts = facts.parts();
            said.sort();
            parts.sort();
            assert_eq!(said, parts, "every fact of {task:?} is asked for once");
        }
    }

    #[test]
    fn the_answers_that_count_least_lose_facts_first_and_none_is_lost() {
        let questions = Questions::shipped().unwrap();
        for task in Task::ALL {
            let facts = facts(task);
            let all = questions.answer(&facts);
            assert_eq!(questions.answer_within(&facts, 1000), all);
            let least = questions.answer_within(&facts, 1);
            assert_eq!(least.len(), all.len());
            for answer in &least {
                assert!(
                    answer.is_advice() || answer.sentences.len() == 1,
                    "{answer:?}"
                );
            }
            let fitted = questions.answer_within(&facts, 64);
            let used: usize = fitted.iter().map(|a| rows(&a.template(task)) + ENDS).sum();
            assert!(used <= 64 || fitted == least, "{used}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.toml");
        let said = |path: &Path| Questions::open(Some(path)).unwrap_err().to_string();
        assert!(
            said(&path).contains("q.toml: cannot read it"),
            "{}",
            said(&path)
        );
        std::fs::write(&path, "[[ivf]]\nlevel = 3\n").unwrap();
        assert!(
            said(&path).contains("q.toml: line 2, column 9"),
            "{}",
            said(&path)
        );
        std::fs::write(&path, SHIPPED).unwrap();
        assert_eq!(Questions::open(Some(&path)), Questions::open(None));
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
        let wish = question("1.0", "[]").replace("detail", "wish");
        assert!(error(&wish.repeat(2)).contains("question 2"));
        assert!(error(&wish.replace("[]", "[\"x\"]")).contains("no meaning"));
        assert!(error(&wish.replace("\"?\"", "\" \"")).contains("0 bytes"));
        Questions::parse(&wish).unwrap();
        assert_eq!(
            Questions::parse("").unwrap().answer(&facts(Task::Ivf)),
            Vec::new()
        );
    }
}
