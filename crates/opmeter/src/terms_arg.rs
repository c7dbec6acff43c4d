use clap::ValueEnum;
use opmeter_analysis::Terms;

/// In which terms executions are counted.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TermsArg {
    /// As executed: specialised and combined opcodes under their own names
    Executed,
    /// As compiled: every instruction under its base opcode
    Base,
}

impl From<TermsArg> for Terms {
    fn from(terms: TermsArg) -> Terms {
        match terms {
            TermsArg::Executed => Terms::AsExecuted,
            TermsArg::Base => Terms::Base,
        }
    }
}
