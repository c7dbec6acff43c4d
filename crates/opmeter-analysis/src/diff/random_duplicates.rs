//! Random programs of functions that are nearly the same, some of which are renamed, copied or exchanged: what the matching
//! finds has to be what was done.

use std::collections::BTreeMap;

use super::matching::Matching;
use super::random::Random;
use super::source::{Keys, Source};

/// A line of a program, with the number of the line before that it is; none for one that is new.
#[derive(Debug, Clone)]
struct Line {
    text: String,
    was: Option<usize>,
    executions: u128,
}

/// A function: its name, and its lines with that of `def`, as they stand in the module.
#[derive(Debug, Clone)]
struct Function {
    name: String,
    lines: Vec<Line>,
}

/// Bodies of which several functions have the same; `NAME` is the function's own name, `VALUE` that of a local.
const BODIES: [&str; 8] = [
    "def NAME(n):\n    VALUE = 0\n    for i in range(n):\n        VALUE += i\n    return VALUE",
    "def NAME(f, n):\n    VALUE = []\n    for i in range(n):\n        VALUE.append(f(i))\n    return VALUE",
    "def NAME(self):\n    return self.size",
    "def NAME(n):\n    return n if n < 2 else NAME(n - 1) + NAME(n - 2)",
    "def NAME(f):\n    VALUE = {}\n    def wrapper(key):\n        if key not in VALUE:\n            VALUE[key] = f(key)\n        \
     return VALUE[key]\n    return wrapper",
    "@memo\ndef NAME(self, key):\n    return self.table[key]",
    "def NAME(items):\n    VALUE = sorted(items)\n    while VALUE:\n        if VALUE[0] > 1:\n            yield VALUE.pop(0)\n        \
     else:\n            VALUE.pop()",
    "def NAME(a, b):\n    VALUE = a.get(b)\n    if VALUE is None:\n        raise KeyError(b)\n    return VALUE",
];

const NAMES: [&str; 12] = [
    "first", "second", "third", "apply", "total_of", "walk", "lookup", "size", "last", "memoised", "step",
    "check",
];
const LOCALS: [&str; 3] = ["total", "result", "seen"];

fn program(random: &mut Random) -> Vec<Function> {
    let mut functions = Vec::new();
    let first = random.below(NAMES.len());
    for place in 0..3 + random.below(5) {
        let name = NAMES[(first + place) % NAMES.len()].to_owned();
        // Every other one is like one before.
        let body = BODIES[(random.below(3) * 3 + first) % BODIES.len()];
        let text = body.replace("NAME", &name).replace("VALUE", LOCALS[random.below(2)]);
        let lines = text.lines().map(|text| {
            let executions = (1 + random.below(4) as u128) * (2 + place as u128);
            Line { text: text.to_owned(), was: None, executions }
        });
        functions.push(Function { name, lines: lines.collect() });
    }
    for (number, line) in functions.iter_mut().flat_map(|function| &mut function.lines).enumerate() {
        line.was = Some(number);
    }
    functions
}

/// Puts another name for one, wherever it stands as a word.
fn rename(line: &mut Line, from: &str, to: &str) {
    let mut text = String::new();
    let mut rest = line.text.as_str();
    while let Some(place) = rest.find(from) {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (before, after) = (&rest[..place], &rest[place + from.len()..]);
        let is_whole = !before.ends_with(is_word) && !after.starts_with(is_word);
        text += before;
        text += if is_whole { to } else { from };
        rest = after;
    }
    line.text = text + rest;
}

/// Edits a program.
fn edit(random: &mut Random, program: &mut Vec<Function>) {
    let place = random.below(program.len());
    match random.below(5) {
        // A function gets another name.
        0 => {
            let from = program[place].name.clone();
            let to = match random.below(3) {
                0 => format!("{from}_new"),
                1 => format!("renamed_{from}"),
                _ => from.chars().rev().collect(),
            };
            program[place].lines.iter_mut().for_each(|line| rename(line, &from, &to));
            program[place].name = to;
        }
        // A local gets another name.
        1 => {
            let local = LOCALS[random.below(2)];
            program[place].lines.iter_mut().for_each(|line| rename(line, local, &format!("{local}_v")));
        }
        // A function is copied under another name, and the copy is never called.
        2 => {
            let mut copy = program[place].clone();
            let to = format!("{}_copy", copy.name);
            let from = std::mem::replace(&mut copy.name, to.clone());
            for (number, line) in copy.lines.iter_mut().enumerate() {
                rename(line, &from, &to);
                (line.was, line.executions) = (None, if number == 0 { 3 } else { 0 });
            }
            let is_there = program.iter().any(|function| function.name == copy.name);
            if !is_there {
                program.insert(place + random.below(2), copy);
            }
        }
        // Two functions exchange their places.
        3 => {
            let with = random.below(program.len());
            program.swap(place, with);
        }
        // An assertion is new.
        _ => {
            let lines = &mut program[place].lines;
            let at = 1 + random.below(lines.len() - 1);
            if lines[at].text.trim_start().starts_with(['d', 'e', '@']) {
                return;
            }
            let indent = lines[at].text.len() - lines[at].text.trim_start().len();
            let text = format!("{:indent$}assert {} >= 0", "", ["n", "self", "key"][random.below(3)]);
            let executions = 1001 + random.below(1000) as u128;
            lines.insert(at, Line { text, was: None, executions });
        }
    }
}

/// Rows of a report: what a line ran before and after, with its text before and after; nothing where it was not there.
type Rows = BTreeMap<(Option<(String, u128)>, Option<(String, u128)>), i32>;

fn source(program: &[Function], keys: &mut Keys) -> (Source, Vec<Option<Line>>) {
    let mut lines: Vec<Option<Line>> = Vec::new();
    for function in program {
        lines.extend(function.lines.iter().cloned().map(Some));
        lines.extend([None, None]);
    }
    let texts = lines.iter().map(|line| line.as_ref().map_or(String::new(), |line| line.text.clone()));
    let ran = |line: u32| lines[line as usize - 1].as_ref().map_or(0, |line| line.executions);
    (Source::new(texts.collect(), keys, ran), lines)
}

fn add(rows: &mut Rows, before: Option<&Line>, after: Option<&Line>) {
    let ran = |line: Option<&Line>| line.map_or(0, |line| line.executions);
    if ran(before) != ran(after) {
        let row = |line: Option<&Line>| line.map(|line| (line.text.clone(), line.executions));
        *rows.entry((row(before), row(after))).or_default() += 1;
    }
}

/// The rows that a report has, and those that it ought to have.
fn rows(before: &[Function], after: &[Function]) -> (Rows, Rows) {
    let mut keys = Keys::default();
    let (one, lines) = source(before, &mut keys);
    let (other, lines_after) = source(after, &mut keys);
    let matching = Matching::of(&[one], &[other], &[(0, 0)]);
    let (mut found, mut expected) = (Rows::new(), Rows::new());
    let of_number: BTreeMap<usize, &Line> =
        lines_after.iter().flatten().filter_map(|line| Some((line.was?, line))).collect();
    for (place, line) in lines.iter().enumerate() {
        let pair = matching.to_after[0][place].and_then(|(_, place)| lines_after[place].as_ref());
        add(&mut found, line.as_ref(), pair);
        if let Some(line) = line {
            add(&mut expected, Some(line), line.was.and_then(|number| of_number.get(&number).copied()));
        }
    }
    for (place, line) in lines_after.iter().enumerate() {
        if matching.to_before[0][place].is_none() {
            add(&mut found, None, line.as_ref());
        }
        if let Some(line) = line.as_ref().filter(|line| line.was.is_none()) {
            add(&mut expected, None, Some(line));
        }
    }
    (found, expected)
}

#[test]
fn functions_that_are_nearly_the_same_are_told_apart() {
    const PROGRAMS: u64 = 5000;
    let mut wrong = Vec::new();
    for seed in 1..=PROGRAMS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let before = program(&mut random);
        let mut after = before.clone();
        for _ in 0..1 + random.below(3) {
            edit(&mut random, &mut after);
        }
        let (found, expected) = rows(&before, &after);
        if found != expected {
            let text = |program: &[Function]| -> String {
                let lines = program.iter().flat_map(|function| &function.lines);
                lines.map(|line| format!("{:>6} {}\n", line.executions, line.text)).collect()
            };
            let only = |one: &Rows, other: &Rows| -> String {
                let rows = one.iter().filter(|(row, count)| other.get(row) != Some(count));
                rows.map(|(row, count)| format!("  {count} {row:?}\n")).collect()
            };
            wrong.push(format!(
                "{seed}:\n{}---\n{}found\n{}expected\n{}",
                text(&before),
                text(&after),
                only(&found, &expected),
                only(&expected, &found)
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {PROGRAMS}:\n{}", wrong.len(), wrong[..wrong.len().min(6)].join("\n"));
}
