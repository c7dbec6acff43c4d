use clap::ValueEnum;

/// Counters of energy, by the kernel's interface to them.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceArg {
    /// The power events of perf
    Perf,
    /// The zones of powercap
    Powercap,
    /// The counters of hwmon's driver amd_energy
    Hwmon,
}

impl SourceArg {
    /// The source's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Perf => "perf",
            Self::Powercap => "powercap",
            Self::Hwmon => "hwmon",
        }
    }
}
