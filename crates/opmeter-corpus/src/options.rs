use serde::{Deserialize, Serialize};

/// How programs are measured: what results of the same program have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Runs without the agent.
    pub runs: u32,
    /// Runs before these that do not count.
    pub warmup: u32,
    /// In which share of the metered run times are taken, if they are.
    pub time: Option<f64>,
    /// Whether every execution is recorded.
    pub events: bool,
    /// After how many of them recording ends, if it does before the program.
    pub max_events: Option<u64>,
    /// Whether pairs of opcodes are counted.
    pub pairs: bool,
    /// What energy is measured with.
    pub energy: EnergyWish,
    /// What `PYTHONHASHSEED` is.
    pub hash_seed: HashSeed,
}

/// What energy is to be measured with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnergyWish {
    /// The counters that the machine has, if it has any.
    Counters,
    /// These counters.
    Source(String),
    /// A declared power, in watts: an estimate.
    Watts(f64),
    /// Nothing.
    None,
}

/// What `PYTHONHASHSEED` is, on which the order of sets of texts depends, and so may counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SeedText", into = "SeedText")]
pub enum HashSeed {
    /// This number in each run.
    Number(u32),
    /// Another in each run, as it is where nobody sets it.
    Random,
}

/// How it is written: a number, or `random`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum SeedText {
    Number(u32),
    Random(Random),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Random {
    Random,
}

impl From<SeedText> for HashSeed {
    fn from(text: SeedText) -> Self {
        match text {
            SeedText::Number(seed) => Self::Number(seed),
            SeedText::Random(_) => Self::Random,
        }
    }
}

impl From<HashSeed> for SeedText {
    fn from(seed: HashSeed) -> Self {
        match seed {
            HashSeed::Number(seed) => Self::Number(seed),
            HashSeed::Random => Self::Random(Random::Random),
        }
    }
}

impl HashSeed {
    /// What the variable is set to.
    pub fn text(self) -> String {
        match self {
            Self::Number(seed) => seed.to_string(),
            Self::Random => "random".to_owned(),
        }
    }
}
