//! Random programs, edited at random: what the matching finds has to be what was done.

use std::collections::BTreeMap;

use super::matching::Matching;
use super::random::Random;
use super::source::{Keys, Source};

impl Random {
    fn name(&mut self) -> String {
        const SYLLABLES: [&str; 12] =
            ["ba", "co", "du", "fe", "gi", "ka", "lo", "mi", "nu", "pe", "ra", "so"];
        (0..3).map(|_| SYLLABLES[self.below(SYLLABLES.len())]).collect()
    }

    fn statement(&mut self) -> String {
        // Some stand in many places, as in real programs.
        const COMMON: [&str; 6] =
            ["x += 1", "return None", "pass", "result.append(item)", "i = i + 1", "self.count += 1"];
        match self.below(5) {
            0 => COMMON[self.below(COMMON.len())].to_owned(),
            1 => format!("{} = {}({})", self.name(), self.name(), self.name()),
            2 => format!("{}.{}({}, {})", self.name(), self.name(), self.name(), self.below(100)),
            3 => format!("{} += {} * {}", self.name(), self.name(), self.below(10)),
            _ => format!(
                "{} = [{}[{}] for {} in {}]",
                self.name(),
                self.name(),
                self.below(9),
                "i",
                self.name()
            ),
        }
    }
}

/// A line of a program, with the number that stays with it and what it executes.
#[derive(Debug, Clone)]
struct Line {
    text: String,
    /// What it was in the program before.
    original: String,
    executions: u128,
}

impl Line {
    fn new(text: String, executions: u128) -> Line {
        Line { original: text.clone(), text, executions }
    }
}

/// Functions: their names and the lines of their bodies.
type Program = Vec<(String, Vec<Line>)>;

fn program(random: &mut Random) -> Program {
    (0..4 + random.below(6))
        .map(|number| {
            let executions = 1000 * (1 + random.below(500) as u128);
            let body = (0..3 + random.below(12)).map(|_| Line::new(random.statement(), executions)).collect();
            (format!("{}_{number}", random.name()), body)
        })
        .collect()
}

/// The source's lines, and what they execute.
fn written(program: &Program, indent: &str) -> (Vec<String>, Vec<u128>) {
    let (mut texts, mut executions) = (vec!["import sys".to_owned(), String::new()], vec![2, 0]);
    for (name, body) in program {
        texts.push(format!("def {name}(self, item):"));
        executions.push(4);
        for line in body {
            texts.push(format!("{indent}{}", line.text));
            executions.push(line.executions);
        }
        texts.extend([String::new(), String::new()]);
        executions.extend([0, 0]);
    }
    (texts, executions)
}

/// Lines by what they hold and execute, and how many such there are: what a report names.
type Named = BTreeMap<(String, u128), i32>;

fn add(named: &mut Named, text: &str, executions: u128) {
    *named.entry((text.to_owned(), executions)).or_default() += 1;
}

/// The lines that a report names, before and after: those whose executions changed, and those that have no pair.
fn reported(before: &Program, after: &Program, indent: &str) -> (Named, Named) {
    let mut keys = Keys::default();
    let mut source = |program: &Program, indent: &str| {
        let (texts, executions) = written(program, indent);
        Source::new(texts, &mut keys, |line| executions[line as usize - 1])
    };
    let (one, other) = (vec![source(before, "    ")], vec![source(after, indent)]);
    let matching = Matching::of(&one, &other, &[(0, 0)]);
    let named = |source: &Source, pairs: &[Option<(usize, usize)>], with: &Source| {
        let mut named = Named::new();
        for (place, line) in source.lines.iter().enumerate().filter(|(_, line)| line.executions > 0) {
            let pair = pairs[place].map(|(_, pair)| with.lines[pair].executions);
            if pair != Some(line.executions) {
                add(&mut named, source.texts[place].trim(), line.executions);
            }
        }
        named
    };
    let before = named(&one[0], &matching.to_after[0], &other[0]);
    let after = named(&other[0], &matching.to_before[0], &one[0]);
    (before, after)
}

/// Edits a program, and says which lines a report has to name.
fn edit(random: &mut Random, program: &mut Program, expected: &mut (Named, Named)) {
    let function = random.below(program.len());
    // What is new executes what nothing else does.
    let unusual = 7 + 2 * random.below(1_000_000_000) as u128;
    let is_one_of_many = program.len() > 2;
    let name = program[function].0.clone();
    let body = &mut program[function].1;
    let line = random.below(body.len());
    let is_done = |line: &Line| !line.executions.is_multiple_of(1000);
    match random.below(11) {
        // A function moves, with all its lines.
        0 => {
            let moved = program.remove(function);
            let to = random.below(program.len() + 1);
            program.insert(to, moved);
        }
        // A line changes, and what it executes.
        1 | 2 if !is_done(&body[line]) => {
            let old = body[line].clone();
            let text = old.text.replacen(['=', '(', ' '], " or changed ", 1);
            add(&mut expected.0, &old.original, old.executions);
            add(&mut expected.1, &text, unusual);
            body[line] = Line::new(text, unusual);
        }
        // A line stays, and executes something else.
        3 if !is_done(&body[line]) => {
            add(&mut expected.0, &body[line].original, body[line].executions);
            add(&mut expected.1, &body[line].text, unusual);
            body[line].executions = unusual;
        }
        4 => {
            let text = random.statement();
            // A line that changed, and what it was before as a new line: nobody could tell which is which.
            if body.iter().any(|line| line.original == text && line.text != text) {
                return;
            }
            add(&mut expected.1, &text, unusual);
            body.insert(line, Line::new(text, unusual));
        }
        5 if body.len() > 3 && !is_done(&body[line]) => {
            let old = body.remove(line);
            add(&mut expected.0, &old.original, old.executions);
        }
        // Some lines move within their function.
        6 if body.len() > 4 => {
            let count = 1 + random.below(2.min(body.len() - line));
            let block: Vec<Line> = body.drain(line..line + count).collect();
            let to = random.below(body.len() + 1);
            body.splice(to..to, block);
        }
        // A line changes, and executes what it did.
        7 if !is_done(&body[line]) => {
            body[line].text = body[line].text.replacen(['=', '(', ' '], " or changed ", 1);
        }
        // A function gets another name, if there is enough that tells that it is the same.
        8 if !name.contains("_new_") && body.iter().filter(|line| line.text.len() > 20).count() > 4 => {
            program[function].0 = format!("{}_renamed_{}", random.name(), random.below(1000));
        }
        // A function is new.
        9 => {
            let name = format!("{}_new_{}", random.name(), random.below(1000));
            let body: Vec<Line> = (0..2 + random.below(8))
                .map(|_| Line::new(random.statement(), 7 + 2 * random.below(1_000_000_000) as u128))
                .collect();
            add(&mut expected.1, &format!("def {name}(self, item):"), 4);
            body.iter().for_each(|line| add(&mut expected.1, &line.text, line.executions));
            program.insert(function, (name, body));
        }
        // A function goes.
        10 if is_one_of_many
            && !name.contains("_renamed_")
            && !name.contains("_new_")
            && !body.iter().any(is_done) =>
        {
            let (name, body) = program.remove(function);
            add(&mut expected.0, &format!("def {name}(self, item):"), 4);
            body.iter().for_each(|line| add(&mut expected.0, &line.original, line.executions));
        }
        _ => {}
    }
}

#[test]
fn exactly_the_lines_that_changed_are_named() {
    let mut wrong = Vec::new();
    const PROGRAMS: u64 = 3000;
    for seed in 1..=PROGRAMS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let before = program(&mut random);
        let mut after = before.clone();
        let mut expected = (Named::new(), Named::new());
        for _ in 0..1 + random.below(6) {
            edit(&mut random, &mut after, &mut expected);
        }
        let indent = if seed % 3 == 0 { "\t" } else { "    " };
        let found = reported(&before, &after, indent);
        if found != expected {
            wrong.push(format!("{seed}: found {found:?}\nexpected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {PROGRAMS}:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
}

#[test]
fn nothing_is_named_where_nothing_changed() {
    for seed in 1..=200 {
        let mut random = Random(seed);
        let before = program(&mut random);
        assert_eq!(reported(&before, &before, "  "), (Named::new(), Named::new()));
    }
}
