use std::fmt;
use std::str::FromStr;

/// A part of the programs of a folder, for one of several machines. Written as `K/N`: the K-th of N parts, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    part: usize,
    of: usize,
}

impl Default for Shard {
    /// All of them.
    fn default() -> Self {
        Self { part: 1, of: 1 }
    }
}

impl Shard {
    /// Whether the part has the program that is at this place, from 0, among all programs in order. Neighbours are of
    /// different parts: they are often alike, and take alike long.
    pub fn takes(self, place: usize) -> bool {
        place % self.of == self.part - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

/// A text that names no part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseShardError {
    text: String,
}

impl fmt::Display for ParseShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no shard; K/N is the K-th of N parts, such as 1/4 to 4/4", self.text)
    }
}

impl std::error::Error for ParseShardError {}

impl FromStr for Shard {
    type Err = ParseShardError;

    fn from_str(text: &str) -> Result<Self, ParseShardError> {
        let parts = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((part, of)) if (1..=of).contains(&part) => Ok(Self { part, of }),
            _ => Err(ParseShardError { text: text.to_owned() }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_each_program_once() {
        for of in 1..=5 {
            let shards: Vec<Shard> = (1..=of).map(|part| format!("{part}/{of}").parse().unwrap()).collect();
            for place in 0..12 {
                assert_eq!(shards.iter().filter(|shard| shard.takes(place)).count(), 1);
            }
        }
        assert!((0..9).all(|place| Shard::default().takes(place)));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["0/3", "4/3", "3", "1/0", "-1/3", "a/b", "1/2/3", ""] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains("is no shard; K/N"), "{error}");
        }
    }
}
