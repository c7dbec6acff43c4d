use std::collections::HashMap;

use super::outline::{Outline, indentation};

/// A line of a source, as it is matched.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SourceLine {
    /// What stands on it, without the space around it: lines of one number hold the same.
    pub(crate) key: u32,
    /// How much it says where it is matched: a blank line next to nothing, `else:` little, up to 2.
    pub(crate) value: f32,
    /// How far it is indented, in columns.
    pub(crate) indent: usize,
    /// Executions of its instructions, to tell lines apart that hold the same.
    pub(crate) executions: u128,
    /// Whether it is blank or has nothing but a comment.
    pub(crate) is_idle: bool,
}

impl SourceLine {
    /// Whether it says enough to be found again in another place.
    pub(crate) fn is_telling(&self) -> bool {
        self.value >= TELLING
    }
}

/// What a line that says something is worth at least.
const TELLING: f32 = 1.0;

/// A source that is compared with another.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Its lines as they are.
    pub(crate) texts: Vec<String>,
    /// Its lines as they are matched.
    pub(crate) lines: Vec<SourceLine>,
    /// Its definitions.
    pub(crate) outline: Outline,
}

/// Numbers for texts: the same for the same.
#[derive(Debug, Default)]
pub(crate) struct Keys(HashMap<String, u32>);

impl Keys {
    fn key(&mut self, text: &str) -> u32 {
        if let Some(key) = self.0.get(text) {
            return *key;
        }
        let key = self.0.len() as u32;
        self.0.insert(text.to_owned(), key);
        key
    }
}

impl Source {
    /// Prepares a source; `executions` tells those of a line, counted from 1.
    pub(crate) fn new(texts: Vec<String>, keys: &mut Keys, executions: impl Fn(u32) -> u128) -> Source {
        let outline = Outline::of(&texts);
        let lines = texts.iter().enumerate().map(|(number, line)| {
            let text = line.trim();
            SourceLine {
                key: keys.key(text),
                value: value(text),
                indent: indentation(line),
                executions: executions(number as u32 + 1),
                is_idle: is_idle(text),
            }
        });
        Source { lines: lines.collect(), texts, outline }
    }

    /// What its lines say in all, by what stands on them.
    pub(crate) fn content(&self, lines: impl Iterator<Item = usize>) -> Content {
        let mut content = Content::default();
        for line in lines.map(|line| &self.lines[line]).filter(|line| !line.is_idle) {
            let (count, value) = content.lines.entry(line.key).or_insert((0, line.value));
            *count += 1;
            content.value += *value;
        }
        content
    }
}

/// What a number of lines hold, in whatever order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Content {
    /// By key: how many such lines, and what one is worth.
    pub(crate) lines: HashMap<u32, (u32, f32)>,
    /// What all are worth.
    pub(crate) value: f32,
}

impl Content {
    /// How far two contents are the same: from 0 to 1, and 1 for two that hold nothing.
    pub(crate) fn similarity(&self, other: &Content) -> f32 {
        if self.value + other.value == 0.0 {
            return 1.0;
        }
        // In the order of the keys, so that sums are the same each time.
        let mut common: Vec<(&u32, f32)> = self
            .lines
            .iter()
            .filter_map(|(key, (count, value))| {
                let (others, _) = other.lines.get(key)?;
                Some((key, *count.min(others) as f32 * value))
            })
            .collect();
        common.sort_by_key(|(key, _)| **key);
        2.0 * common.iter().map(|(_, value)| value).sum::<f32>() / (self.value + other.value)
    }
}

fn is_idle(text: &str) -> bool {
    text.is_empty() || text.starts_with('#')
}

/// What a line is worth: a word or two may stand anywhere.
fn value(text: &str) -> f32 {
    if text.is_empty() {
        return 0.1;
    }
    let letters = text.chars().filter(|c| c.is_alphanumeric() || *c == '_').count();
    let words =
        text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).count();
    let worth = match text {
        "return None" | "return True" | "return False" | "return self" => 0.6,
        _ if words < 2 => 0.3 + (letters as f32 / 40.0).min(0.3),
        _ => 1.0 + (letters as f32 / 30.0).min(1.0),
    };
    if is_idle(text) { worth.min(0.5) } else { worth }
}
