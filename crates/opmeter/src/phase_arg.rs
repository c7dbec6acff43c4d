use clap::ValueEnum;
use opmeter_recording::Phase;

/// A phase on the command line.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PhaseArg {
    /// The interpreter's own start
    Startup,
    /// The program
    Main,
    /// The interpreter's own end
    Shutdown,
    /// All of them
    All,
}

impl PhaseArg {
    /// The phases that it stands for.
    pub fn phases(self) -> &'static [Phase] {
        match self {
            Self::Startup => &[Phase::Startup],
            Self::Main => &[Phase::Main],
            Self::Shutdown => &[Phase::Shutdown],
            Self::All => &[Phase::Startup, Phase::Main, Phase::Shutdown],
        }
    }
}
