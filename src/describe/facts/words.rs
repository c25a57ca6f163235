//! Places and numbers in words.

pub use control_protocol::Place;

/// The vertical third that holds `x` of `width`.
pub(super) fn column(x: f32, width: usize) -> Place {
    match x * 3.0 / width as f32 {
        third if third < 1.0 => Place::Left,
        third if third < 2.0 => Place::Centre,
        _ => Place::Right,
    }
}

/// "one" ... "five", then "several".
pub(super) const fn count(n: usize) -> &'static str {
    match n {
        0 => "no",
        1 => "one",
        2 => "two",
        3 => "three",
        4 => "four",
        5 => "five",
        _ => "several",
    }
}

/// "a", "a and b", "a, b and c".
pub(in crate::describe) fn list<S: AsRef<str>>(items: &[S]) -> String {
    let mut text = String::new();
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            text.push_str(if i + 1 == items.len() { " and " } else { ", " });
        }
        text.push_str(item.as_ref());
    }
    text
}

/// "on the left and in the centre"; "everywhere" for all three columns or rows, and where
/// nothing is told apart.
pub(super) fn places(places: &[Place]) -> String {
    if places.is_empty() || places.len() >= 3 {
        return "everywhere".to_owned();
    }
    list(&places.iter().map(|p| p.phrase()).collect::<Vec<_>>())
}

/// The columns, the rows or the centre that best stand for a mask of 3x3 parts; empty where
/// the mask is.
pub(super) fn regions(mask: [[bool; 3]; 3]) -> Vec<Place> {
    if mask == [[false; 3]; 3] {
        return Vec::new();
    }
    let column = |c: usize| (0..3).filter(|&r| mask[r][c]).count() >= 2;
    let row = |r: usize| (0..3).filter(|&c| mask[r][c]).count() >= 2;
    let columns = [column(0), column(1), column(2)];
    let rows = [row(0), row(1), row(2)];
    let misses = |predict: &dyn Fn(usize, usize) -> bool| {
        (0..9)
            .filter(|&i| mask[i / 3][i % 3] != predict(i / 3, i % 3))
            .count()
    };
    let chosen = |flags: [bool; 3], names: [Place; 3]| -> Vec<Place> {
        flags
            .into_iter()
            .zip(names)
            .filter_map(|(on, name)| on.then_some(name))
            .collect()
    };
    let options = [
        (
            misses(&|_, c| columns[c]),
            chosen(columns, [Place::Left, Place::Centre, Place::Right]),
        ),
        (
            misses(&|r, _| rows[r]),
            chosen(rows, [Place::Top, Place::Centre, Place::Bottom]),
        ),
        (misses(&|r, c| r == 1 && c == 1), vec![Place::Centre]),
    ];
    let best = options
        .into_iter()
        .filter(|(_, places)| !places.is_empty())
        .min_by_key(|(misses, _)| *misses);
    // Only scattered corners are set: name the columns they lie in.
    best.map_or_else(
        || {
            let any = [0, 1, 2].map(|c| (0..3).any(|r| mask[r][c]));
            chosen(any, [Place::Left, Place::Centre, Place::Right])
        },
        |(_, places)| places,
    )
}

/// A sentence that may grow: what has to be said, and what may be added while there is room.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sentence {
    /// Without its full stop.
    least: String,
    /// A version with more words, and how much it is worth.
    longer: Option<(String, f32)>,
    /// Further predicates, in the order they stand, and how much each is worth.
    more: Vec<(String, f32)>,
}

impl Sentence {
    pub fn fixed(text: impl Into<String>) -> Self {
        Self {
            least: text.into(),
            longer: None,
            more: Vec::new(),
        }
    }

    /// A predicate: "has glare on the left".
    pub fn add(&mut self, text: impl Into<String>, worth: f32) {
        self.more.push((text.into(), worth));
    }

    /// Each statement as a sentence with the same subject.
    pub fn parts(&self) -> Vec<String> {
        let first = self.longer.as_ref().map_or(&self.least, |(text, _)| text);
        let (subject, _) = split(&self.least);
        let rest = self
            .more
            .iter()
            .map(|(text, _)| format!("{subject} {text}."));
        std::iter::once(format!("{first}.")).chain(rest).collect()
    }

    /// The same sentence in more words.
    pub fn longer(&mut self, text: impl Into<String>, worth: f32) {
        self.longer = Some((text.into(), worth));
    }
}

/// Subject and predicate: "The visible image", and all from the first verb on.
fn split(sentence: &str) -> (&str, &str) {
    const VERBS: [&str; 6] = ["is", "are", "shows", "keeps", "has", "hides"];
    let mut at = 0;
    for word in sentence.split(' ') {
        if at > 0 && VERBS.contains(&word.trim_end_matches('.')) {
            return (&sentence[..at - 1], &sentence[at..]);
        }
        at += word.len() + 1;
    }
    (sentence, "")
}

/// Statements about the same thing that follow each other, in one sentence.
pub(in crate::describe) fn merged(statements: &[String]) -> Vec<String> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for statement in statements {
        let (subject, predicate) = split(statement.strip_suffix('.').unwrap_or(statement));
        match found.last_mut() {
            Some((last, said)) if *last == subject && !predicate.is_empty() => said.push(predicate),
            _ => found.push((subject, vec![predicate])),
        }
    }
    let spell = |(subject, said): &(&str, Vec<&str>)| {
        let text = format!("{subject} {}", list(said));
        format!("{}.", text.trim_end())
    };
    found.iter().map(spell).collect()
}

/// Feature rows that the encoder makes of a text, nearly: words and punctuation.
pub(in crate::describe) fn rows(text: &str) -> usize {
    let marks = text.chars().filter(char::is_ascii_punctuation).count();
    let words = text.split(|c: char| !c.is_alphanumeric());
    marks + words.filter(|word| !word.is_empty()).count()
}

/// The sentences with as many additions as `budget` rows hold, the worthiest first.
pub(super) fn fit(sentences: &[Sentence], budget: usize) -> Vec<String> {
    // Index of the sentence, of the addition (`None`: the longer version), worth, rows.
    let mut wishes = Vec::new();
    let mut used = 0;
    for (i, sentence) in sentences.iter().enumerate() {
        used += rows(&sentence.least) + 1;
        if let Some((text, worth)) = &sentence.longer {
            let extra = rows(text).saturating_sub(rows(&sentence.least));
            wishes.push((i, None, *worth, extra));
        }
        for (j, (text, worth)) in sentence.more.iter().enumerate() {
            wishes.push((i, Some(j), *worth, rows(text) + 1));
        }
    }
    wishes.sort_by(|a, b| b.2.total_cmp(&a.2));
    let mut chosen: Vec<Vec<Option<usize>>> = vec![Vec::new(); sentences.len()];
    for (i, addition, _, extra) in wishes {
        if used + extra <= budget {
            used += extra;
            chosen[i].push(addition);
        }
    }
    let spell = |(sentence, chosen): (&Sentence, &Vec<Option<usize>>)| {
        let first = match &sentence.longer {
            Some((longer, _)) if chosen.contains(&None) => longer,
            _ => &sentence.least,
        };
        let mut parts = vec![first.as_str()];
        for (j, (text, _)) in sentence.more.iter().enumerate() {
            if chosen.contains(&Some(j)) {
                parts.push(text);
            }
        }
        format!("{}.", list(&parts))
    };
    sentences.iter().zip(&chosen).map(spell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const O: bool = false;
    const X: bool = true;

    #[test]
    fn lists_read_like_english() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn statements_about_one_thing_become_one_sentence() {
        let all = [
            "The visible image is dark.",
            "The visible image has glare on the left and in the centre.",
            "The visible image hides the warm objects on the right.",
            "The first image keeps the details everywhere.",
            "Nothing",
        ]
        .map(str::to_owned);
        assert_eq!(
            merged(&all),
            [
                "The visible image is dark, has glare on the left and in the centre and hides the \
                 warm objects on the right.",
                "The first image keeps the details everywhere.",
                "Nothing."
            ]
        );
        assert_eq!(merged(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_mask_is_named_by_what_explains_it() {
        assert_eq!(regions([[X, O, O]; 3]), [Place::Left]);
        assert_eq!(regions([[X, X, X], [O; 3], [O; 3]]), [Place::Top]);
        assert_eq!(regions([[O; 3], [O, X, O], [O; 3]]), [Place::Centre]);
        assert_eq!(regions([[O, X, X]; 3]), [Place::Centre, Place::Right]);
        assert_eq!(regions([[O; 3]; 3]), []);
        assert_eq!(regions([[X; 3]; 3]).len(), 3);
    }

    #[test]
    fn every_mask_but_the_empty_one_has_a_name() {
        for bits in 1u32..512 {
            let mask =
                std::array::from_fn(|r| std::array::from_fn(|c| bits >> (r * 3 + c) & 1 == 1));
            assert!(!regions(mask).is_empty(), "{mask:?}");
        }
    }

    #[test]
    fn what_is_worth_most_is_said_first_and_nothing_goes_beyond_the_budget() {
        let mut a = Sentence::fixed("The a is dark");
        a.add("has glare on the left", 0.9);
        a.add("is noisy", 0.3);
        let mut b = Sentence::fixed("The b shows one object");
        b.longer("The b shows one nearby object", 0.5);
        let all = [a, b];
        assert_eq!(fit(&all, 0), ["The a is dark.", "The b shows one object."]);
        assert_eq!(
            fit(&all, 17),
            [
                "The a is dark and has glare on the left.",
                "The b shows one object."
            ]
        );
        let said = fit(&all, 99);
        assert_eq!(
            said,
            [
                "The a is dark, has glare on the left and is noisy.",
                "The b shows one nearby object."
            ]
        );
        for budget in 11..40 {
            let used: usize = fit(&all, budget).iter().map(|s| rows(s)).sum();
            assert!(used <= budget, "{used} of {budget}");
        }
    }

    #[test]
    fn columns_are_thirds() {
        assert_eq!(column(0.0, 30), Place::Left);
        assert_eq!(column(15.0, 30), Place::Centre);
        assert_eq!(column(29.5, 30), Place::Right);
    }
}
