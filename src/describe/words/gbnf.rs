//! Reads and follows the grammars that are written here. For tests.

use std::collections::HashMap;

/// Symbols of one alternative: a literal's text, or the name of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Symbol {
    Text(String),
    Rule(String),
}

/// Reads the part of GBNF that `grammar` writes; panics on anything else.
pub fn parse(grammar: &str) -> HashMap<String, Vec<Vec<Symbol>>> {
    grammar
        .lines()
        .map(|line| {
            let (name, mut rest) = line.split_once(" ::= ").expect("a rule a line");
            let mut options = vec![Vec::new()];
            while let Some(c) = rest.chars().next() {
                if c == ' ' {
                    rest = &rest[1..];
                } else if c == '|' {
                    options.push(Vec::new());
                    rest = &rest[1..];
                } else if c == '"' {
                    let (text, after) = quoted(&rest[1..]);
                    options.last_mut().unwrap().push(Symbol::Text(text));
                    rest = after;
                } else {
                    let end = rest.find(' ').unwrap_or(rest.len());
                    options
                        .last_mut()
                        .unwrap()
                        .push(Symbol::Rule(rest[..end].to_owned()));
                    rest = &rest[end..];
                }
            }
            (name.to_owned(), options)
        })
        .collect()
}

fn quoted(rest: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, &rest[at + 1..]),
            '\\' => match chars.next().expect("an escaped character").1 {
                'n' => text.push('\n'),
                c @ ('"' | '\\') => text.push(c),
                other => panic!("unknown escape {other}"),
            },
            c => text.push(c),
        }
    }
    panic!("literal without end: {rest}");
}

/// The text of taking option `choice` (modulo what there is) everywhere.
pub fn derive(rules: &HashMap<String, Vec<Vec<Symbol>>>, name: &str, choice: usize) -> String {
    let options = rules
        .get(name)
        .unwrap_or_else(|| panic!("rule {name} is missing"));
    options[choice % options.len()]
        .iter()
        .map(|symbol| match symbol {
            Symbol::Text(text) => text.clone(),
            Symbol::Rule(rule) => derive(rules, rule, choice),
        })
        .collect()
}

/// Whether `text` is derived from `name`; by trying all ways, texts are short.
pub fn matches(rules: &HashMap<String, Vec<Vec<Symbol>>>, name: &str, text: &str) -> bool {
    fn ends(
        rules: &HashMap<String, Vec<Vec<Symbol>>>,
        symbols: &[Symbol],
        text: &str,
    ) -> Vec<usize> {
        let Some((first, rest)) = symbols.split_first() else {
            return vec![0];
        };
        let heads: Vec<usize> = match first {
            Symbol::Text(t) => text
                .starts_with(t.as_str())
                .then_some(t.len())
                .into_iter()
                .collect(),
            Symbol::Rule(r) => rules[r].iter().flat_map(|o| ends(rules, o, text)).collect(),
        };
        heads
            .into_iter()
            .flat_map(|n| {
                ends(rules, rest, &text[n..])
                    .into_iter()
                    .map(move |m| n + m)
            })
            .collect()
    }
    rules[name]
        .iter()
        .any(|o| ends(rules, o, text).contains(&text.len()))
}
